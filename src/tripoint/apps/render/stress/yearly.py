"""What scenarios cost in a year, and which objectives their trials are too short for, as people read it."""

from __future__ import annotations

from rich.console import RenderableType

from tripoint.apps.render.plan_text.layout import lines, table, titled
from tripoint.apps.render.resilience.dependencies import spread_text
from tripoint.apps.render.stress.figures import aim_name, span, usd
from tripoint.domain.findings import quoted
from tripoint.domain.stress import Aim, PassedOver, StressReport, Struck, Unjudged, YearlyLoss

_MOST = 8


def yearly_part(report: StressReport, *, is_full: bool) -> RenderableType | None:
    """The scenarios that cost most in a year and what all cost together; nothing where none has a frequency."""
    if not report.losses:
        return None
    shown = [each for each in report.losses if is_full or is_felt(each)][: None if is_full else _MOST]
    columns = (("scenario", "l"), ("times a year", "r"), ("workload-hours lost", "r"), ("USD lost", "r"),
               ("USD more", "r"))  # fmt: skip
    rows = [yearly_row(each) for each in shown]
    body: list[RenderableType] = [table(columns, rows)] if rows else []
    left = len(report.losses) - len(shown)
    if left:
        body.append(lines([f"... {left} more with `--full`" if not is_full else ""]))
    body.append(lines([total_line(report)]))
    return titled("Expected in a year, with the 90 % interval of rates and trials", *body)


def is_felt(each: YearlyLoss) -> bool:
    """True where anything is lost, or costs more."""
    return each.hours.high > 0.0 or bool(round(each.extra_usd))


def yearly_row(each: YearlyLoss) -> tuple[str, ...]:
    """Scenario, events, hours, loss and cost beyond the usual."""
    lost = "-" if each.usd is None else spread_text(each.usd)
    return (each.scenario, spread_text(each.per_year), spread_text(each.hours), lost, usd(each.extra_usd))


def total_line(report: StressReport) -> str:
    """The expected annual loss, with what it leaves out."""
    if report.usd_per_year is None:
        return "expected annual loss: not known, as no `recovery.impacts` say what an hour costs"
    left_out = f"; nothing is counted for {', '.join(report.unpriced)}: no impact declared" if report.unpriced else ""
    return f"expected annual loss: {spread_text(report.usd_per_year)} USD{left_out}"


def unjudged_lines(report: StressReport) -> list[str]:
    """Objectives not judged, those of one scenario and size together."""
    together: dict[tuple[str, Aim, float, float], list[str]] = {}
    for each in report.unjudged:
        together.setdefault((each.scenario, each.aim, each.target, each.most), []).append(each.workload)
    firsts = {(each.scenario, each.aim, each.target, each.most): each for each in report.unjudged}
    return [f"{firsts[key].scenario}, {', '.join(names)}: {reason(firsts[key])}" for key, names in together.items()]


def passed_over_line(each: PassedOver) -> str:
    """A strike that hits nothing, with its place in the file of scenarios."""
    return f"{each.scenario}, strikes[{each.strike}] hits nothing here: {each.why}"


def struck_line(each: Struck) -> str:
    """What a scenario struck."""
    return f"{each.scenario}: {quoted(each.ids)}"


def reason(each: Unjudged) -> str:
    """Why its trials cannot tell."""
    return f"{aim_name(each.aim)} {span(each.target)} asked; its trials can show no more than {span(each.most)}"
