"""What an estate leans on: single points, hours and loss in a year, tolerances, and ways out, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from tripoint.apps.render.plan_text.layout import lines, table, titled
from tripoint.domain.cut import Bound

if TYPE_CHECKING:
    from tripoint.domain.cut import Bearing, DependencyReport, LockIn, Reliance, SinglePoint, Spread

_MOST = 8
_MOST_WORKLOADS = 24
_MOST_NAMES = 2
_BOUNDS = {
    Bound.ANNUAL_LOSS: "expected loss in a year",
    Bound.P95_HOURS: "hours down in a bad year",
    Bound.LARGEST_SHARE: "most that rests on one thing",
}


def dependency_parts(report: DependencyReport, *, is_full: bool = False) -> list[RenderableType]:
    """Single points, hours per workload, tolerances, ways out, and what is not said."""
    parts: list[RenderableType] = [_points(report, is_full), _reliances(report, is_full)]
    if report.bearings:
        parts.append(titled("What the business bears", lines(map(bearing_line, report.bearings))))
    if report.lockins:
        parts.append(_lock_ins(report, is_full))
    told = [f"in a circle, none can start first: {', '.join(knot)}" for knot in report.knots]
    if report.undeclared:
        named = ", ".join(name.replace("_", " ") for name in report.undeclared)
        told.append(f"nothing is said about {named}: declare them under `dependencies`, every estate has them")
    if told:
        parts.append(lines(told))
    return parts


def dependency_payload(report: DependencyReport) -> dict[str, Any]:
    """The whole report."""
    return asdict(report)


def bearing_line(bearing: Bearing) -> str:
    """One tolerance as a sentence, with both numbers."""
    what = f"{_names(bearing.workloads)}: {_BOUNDS[bearing.bound]}"
    allowed = _amount(bearing, bearing.allowed)
    if bearing.found is None:
        return f"{what} is not known, as `recovery.impacts` do not price all of them; {allowed} would be borne"
    by = f", mostly by {bearing.by}" if bearing.by and bearing.found else ""
    verdict = "within" if bearing.is_met else "more than"
    return f"{what} {_amount(bearing, bearing.found)}, {verdict} the {allowed} that is borne{by}"


def spread_text(spread: Spread) -> str:
    """`3.2 (1.1 .. 9.5)`: three digits of each, whole numbers from a hundred on."""
    return f"{_digits(spread.value)} ({_digits(spread.low)} .. {_digits(spread.high)})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def _amount(bearing: Bearing, value: float) -> str:
    if bearing.bound is Bound.ANNUAL_LOSS:
        return f"{value:,.0f} USD"
    return f"{value:.1f} h" if bearing.bound is Bound.P95_HOURS else f"{value:.0%}"


def _points(report: DependencyReport, is_full: bool) -> RenderableType:
    shown = report.points[: None if is_full else _MOST]
    columns = (("alone takes down", "l"), ("a year", "r"), ("hours", "r"), ("USD a year", "r"), ("workloads", "f"))
    body: list[RenderableType] = [table(columns, map(_point_row, shown))] if shown else []
    if len(report.points) > len(shown):
        body.append(lines([f"... {len(report.points) - len(shown)} more with `--full`"]))
    pairs = sum(len(each.pairs) for each in report.reliances)
    body.append(
        lines(
            [
                f"of {len(report.members):,} things that fail, {len(report.points):,} take something down alone; all"
                f" {report.pairs_tried:,} pairs were tried, {pairs:,} do so together"
            ]
        )
    )
    if is_full and pairs:
        body.append(_pairs(report))
    return titled("Single points", *body)


def _pairs(report: DependencyReport) -> RenderableType:
    """Every pair once, with the workloads it takes down, most hours first."""
    hours: dict[str, float] = {}
    names: dict[str, list[str]] = {}
    for reliance in report.reliances:
        for cut in reliance.pairs:
            hours[cut.text] = hours.get(cut.text, 0.0) + cut.hours_per_year
            names.setdefault(cut.text, []).append(reliance.workload)
    ordered = sorted(hours, key=lambda text: (-hours[text], text))
    columns = (("together take down", "f"), ("hours a year", "r"), ("workloads", "f"))
    return table(columns, ([text, f"{hours[text]:.2g}", _names(tuple(names[text]))] for text in ordered))


def _point_row(point: SinglePoint) -> list[str]:
    usd = "" if point.usd_per_year is None else f"{point.usd_per_year:,.0f}"
    return [point.text, f"{point.per_year:.2g}", f"{point.hours_per_year:.2f}", usd, _names(point.workloads)]


def _names(workloads: tuple[str, ...]) -> str:
    shown = ", ".join(workloads[:_MOST_NAMES])
    return f"{shown} and {len(workloads) - _MOST_NAMES} more" if len(workloads) > _MOST_NAMES else shown


def _reliances(report: DependencyReport, is_full: bool) -> RenderableType:
    ordered = sorted(report.reliances, key=lambda each: -each.hours_per_year.value)
    shown = ordered[: None if is_full else _MOST_WORKLOADS]
    is_priced = report.usd_per_year is not None
    columns = (("workload", "l"), ("least", "r"), ("alone", "r"), ("pairs", "r"), ("hours a year", "r"),
               ("bad year", "r"), ("USD a year", "r") if is_priced else ("most rests on", "f"))  # fmt: skip
    body: list[RenderableType] = [table(columns, (_reliance_row(each, is_priced) for each in shown))]
    if len(report.reliances) > len(shown):
        body.append(lines([f"... {len(report.reliances) - len(shown)} more with `--full`"]))
    if report.usd_per_year is None:
        body.append(lines(["what an hour costs is not said: declare `recovery.impacts` to have it in money"]))
    else:
        body.append(lines([f"expected loss of all together: {spread_text(report.usd_per_year)} USD a year"]))
    return titled("Expected to be down, with the interval of uncertain failure rates", *body)


def _reliance_row(each: Reliance, is_priced: bool) -> list[str]:
    usd = "" if each.usd_per_year is None else spread_text(each.usd_per_year)
    rests = f"{each.largest} {each.largest_share:.0%}" if each.largest else "nothing"
    return [
        each.workload, f"{each.least_share:.0%}", str(len(each.singles)), str(len(each.pairs)),
        spread_text(each.hours_per_year), f"{each.p95_hours:.1f}", usd if is_priced else rests,
    ]  # fmt: skip


def _lock_ins(report: DependencyReport, is_full: bool) -> RenderableType:
    shown = report.lockins[: None if is_full else _MOST]
    is_stranding = any(each.stranded for each in shown)
    columns = (("leaving", "l"), ("days", "r"), ("USD", "r"), ("owed", "r"), ("data GB", "r"), ("others", "r"),
               ("tested", "r"), ("only there", "l"), *([("stranded", "f")] if is_stranding else ()))  # fmt: skip
    return titled("Ways out", table(columns, (_lock_in_row(each)[: len(columns)] for each in shown)))


def _lock_in_row(each: LockIn) -> list[str]:
    return [
        each.text, f"{each.exit_days:,.0f}", f"{each.exit_usd:,.0f}", f"{each.commitment_usd:,.0f}",
        f"{each.data_gb:,.0f}", str(each.substitutes),
        str(each.tested), ", ".join(each.surface), _names(each.stranded),
    ]  # fmt: skip
