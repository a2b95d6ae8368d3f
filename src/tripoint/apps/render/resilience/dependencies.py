"""What an estate depends on: single points, hours and loss in a year, tolerances, and ways out, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from tripoint.apps.render.plan_text.layout import lines, table, titled
from tripoint.apps.render.reading.amounts import percent, significant
from tripoint.domain.cut import Bound
from tripoint.domain.dependency import DependencyKind

if TYPE_CHECKING:
    from tripoint.domain.cut import Bearing, DependencyReport, LockIn, Reliance, SinglePoint, Spread

_MOST = 8
_MOST_WORKLOADS = 24
_MOST_NAMES = 2
_SERVICES = (DependencyKind.KEYS, DependencyKind.REGISTRY, DependencyKind.DNS, DependencyKind.IDENTITY)
"""What the class `shared_service` loses."""
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
    told = [f"in a circle, none can start first: {knot}" for knot in knot_texts(report)]
    if report.undeclared:
        named = ", ".join(name.replace("_", " ") for name in report.undeclared)
        told.append(f"nothing is said about {named}: declare them under `dependencies`, every estate has them")
    if told:
        parts.append(lines(told))
    return parts


def dependency_payload(report: DependencyReport) -> dict[str, Any]:
    """The whole report."""
    return asdict(report)


def member_texts(report: DependencyReport) -> dict[str, str]:
    """Member id -> its name for people, so that a thing is spelled alike everywhere."""
    return {member.id: member.text for member in report.members}


def knot_texts(report: DependencyReport) -> list[str]:
    """The things of each circle, by their names for people."""
    texts = member_texts(report)
    return [", ".join(texts.get(each, each) for each in knot) for knot in report.knots]


def largest_text(each: Reliance, texts: Mapping[str, str]) -> str:
    """What most of a workload rests on, with its share."""
    return f"{texts.get(each.largest, each.largest)} {percent(each.largest_share)}" if each.largest else "nothing"


def basis_lines(report: DependencyReport) -> list[str]:
    """The time single points are those of: recovery rows look at all of the plan, so more may fall short there."""
    if not report.reliances:
        return []
    return ["as placed in the busiest hours of every period of the plan; of each the worst period is shown"]


def services_alone(report: DependencyReport) -> dict[str, tuple[str, ...]]:
    """Workload -> keys, registries, names and identities that take it down alone, only where there are any."""
    prefixes = tuple(f"{kind.value}:" for kind in _SERVICES)
    found = {
        each.workload: tuple(cut.text for cut in each.singles if cut.members[0].startswith(prefixes))
        for each in report.reliances
    }
    return {workload: services for workload, services in found.items() if services}


def service_lines(alone: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What the rows of shared services count, once per set of services."""
    by_services: dict[tuple[str, ...], list[str]] = {}
    for workload, services in alone.items():
        by_services.setdefault(services, []).append(workload)
    return [
        f"{_names(tuple(workloads))} after the loss of a shared service: {', '.join(services)}"
        f" {'takes' if len(services) == 1 else 'each take'} it down alone once its grace is over; the row is"
        " about the longest, see single points for the hours"
        for services, workloads in by_services.items()
    ]


def pair_count(report: DependencyReport) -> int:
    """Different pairs that take at least one workload down."""
    return len({cut.members for each in report.reliances for cut in each.pairs})


def bearing_line(bearing: Bearing) -> str:
    """One tolerance as a sentence, with both numbers."""
    what = f"{_names(bearing.workloads)}: {_BOUNDS[bearing.bound]}"
    allowed = _amount(bearing, bearing.allowed)
    if bearing.found is None:
        return f"{what} is not known, as `recovery.impacts` do not price all of them; the tolerance is {allowed}"
    by = f", mostly by {bearing.by}" if bearing.by and bearing.found else ""
    verdict = "within" if bearing.is_met else "more than"
    return f"{what} {_amount(bearing, bearing.found)}, {verdict} the tolerance of {allowed}{by}"


def spread_text(spread: Spread) -> str:
    """`3.2 (1.1 .. 9.5)`: three digits of each, whole numbers from a hundred on."""
    return f"{_digits(spread.value)} ({_digits(spread.low)} .. {_digits(spread.high)})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.1f}" if value >= 9.95 else f"{value:.2f}"


def often(value: float) -> str:
    """How often in a year, or how long: two digits, never in scientific notation."""
    return f"{value:,.0f}" if value >= 9.95 else significant(float(f"{value:.2g}"))


def _amount(bearing: Bearing, value: float) -> str:
    if bearing.bound is Bound.ANNUAL_LOSS:
        return f"{value:,.0f} USD"
    return f"{value:.1f} h" if bearing.bound is Bound.P95_HOURS else percent(value)


def _points(report: DependencyReport, is_full: bool) -> RenderableType:
    shown = report.points[: None if is_full else _MOST]
    columns = (("alone takes down", "l"), ("times a year", "r"), ("workload-hours", "r"), ("USD a year", "r"),
               ("workloads", "f"))  # fmt: skip
    body: list[RenderableType] = [table(columns, map(_point_row, shown))] if shown else []
    if len(report.points) > len(shown):
        body.append(lines([f"... {len(report.points) - len(shown)} more with `--full`"]))
    pairs = pair_count(report)
    body.append(
        lines(
            [
                f"of {len(report.members):,} things that fail, {len(report.points):,} take something down alone; all"
                f" {report.pairs_tried:,} pairs were tried, {pairs:,} {'does' if pairs == 1 else 'do'} so together",
                *basis_lines(report),
            ]
        )
    )
    if is_full and pairs:
        body.append(_pairs(report))
    return titled("Single points", *body)


def _pairs(report: DependencyReport) -> RenderableType:
    """Every pair once, with the workloads it takes down, most workload-hours first."""
    hours: dict[tuple[str, ...], float] = {}
    names: dict[tuple[str, ...], dict[str, None]] = {}
    texts: dict[tuple[str, ...], str] = {}
    for reliance in report.reliances:
        for cut in reliance.pairs:
            hours[cut.members] = hours.get(cut.members, 0.0) + cut.hours_per_year
            names.setdefault(cut.members, {})[reliance.workload] = None
            texts.setdefault(cut.members, cut.text)
    ordered = sorted(hours, key=lambda pair: (-hours[pair], texts[pair], pair))
    columns = (("together take down", "f"), ("workload-hours a year", "r"), ("workloads", "f"))
    return table(columns, ([texts[pair], often(hours[pair]), _names(tuple(names[pair]))] for pair in ordered))


def _point_row(point: SinglePoint) -> list[str]:
    usd = "" if point.usd_per_year is None else f"{point.usd_per_year:,.0f}"
    return [point.text, often(point.per_year), f"{point.hours_per_year:.2f}", usd, _names(point.workloads)]


def _names(workloads: tuple[str, ...]) -> str:
    shown = ", ".join(workloads[:_MOST_NAMES])
    return f"{shown} and {len(workloads) - _MOST_NAMES} more" if len(workloads) > _MOST_NAMES else shown


def _reliances(report: DependencyReport, is_full: bool) -> RenderableType:
    ordered = sorted(report.reliances, key=lambda each: -each.hours_per_year.value)
    shown = ordered[: None if is_full else _MOST_WORKLOADS]
    is_priced = report.usd_per_year is not None
    texts = member_texts(report)
    columns = (("workload", "l"), ("least", "r"), ("alone", "r"), ("pairs", "r"), ("hours a year", "r"),
               ("bad year", "r"), ("USD a year", "r") if is_priced else ("most rests on", "f"))  # fmt: skip
    body: list[RenderableType] = [table(columns, (_reliance_row(each, is_priced, texts) for each in shown))]
    if len(report.reliances) > len(shown):
        body.append(lines([f"... {len(report.reliances) - len(shown)} more with `--full`"]))
    if report.usd_per_year is None:
        body.append(lines(["what an hour costs is not said: declare `recovery.impacts` to have it in money"]))
    else:
        body.append(lines([f"expected loss of all together: {spread_text(report.usd_per_year)} USD a year"]))
    return titled("Expected to be down, with the interval of uncertain failure rates", *body)


def _reliance_row(each: Reliance, is_priced: bool, texts: Mapping[str, str]) -> list[str]:
    usd = "" if each.usd_per_year is None else spread_text(each.usd_per_year)
    return [
        each.workload, percent(each.least_share), str(len(each.singles)), str(len(each.pairs)),
        spread_text(each.hours_per_year), f"{each.p95_hours:.1f}", usd if is_priced else largest_text(each, texts),
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
