"""Before and after a proposed change: the same scenarios, the same draws, another estate or plan."""

from __future__ import annotations

from typing import NamedTuple

from tripoint.apps.render.html.drawing.axes import legend
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section, figure, rest_told
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, is_roomy, label
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.html.stress.reading import by_cell
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.stress.figures import share, span, usd
from tripoint.domain.stress import StressReport, Verdict

_ROW, _TOP, _ROOM, _MOST = 26.0, 24.0, 290.0, 24
_ALIKE = 1e-9


class Pair(NamedTuple):
    """One workload under one scenario, before and after."""

    before: Verdict
    after: Verdict

    @property
    def gain(self) -> float:
        """How much more is answered in time."""
        return self.after.availability.mean - self.before.availability.mean


def change(report: StressReport, before: StressReport) -> Section:
    """What a change does, scenario by scenario; with another seed before, part of it is chance, and that is said."""
    pairs = changed(report, before)
    columns = (("Scenario", "l"), ("Workload", "l"), ("In time before", "r"), ("after", "r"),
               ("Outage before", "r"), ("after", "r"), ("Met before", "r"), ("after", "r"),
               ("Cost before, USD", "r"), ("after", "r"))  # fmt: skip
    shown = pairs[:_MOST]
    body = join(
        figure(
            "Answered in time, before and after",
            "share of what was asked, mean over the trials; largest changes first",
            legend([("held-dot", "before"), ("used-dot", "after")]),
            all_widths(lambda width: _draw(shown, width)),
            note=rest_told(len(pairs), _MOST),
        ) if shown else None,
        table(columns, [_row(each) for each in pairs], "Every cell that changed") if pairs else None,
        _doubts(report, before),
    )  # fmt: skip
    return Section(id="change", title="What the change does", message=_message(pairs, report, before), body=body)


def changed(report: StressReport, before: StressReport) -> list[Pair]:
    """Cells both reports have that differ in a figure shown, the largest change first."""
    was = by_cell(before)
    pairs = [Pair(was[cell], verdict) for cell, verdict in by_cell(report).items() if cell in was]
    differing = [each for each in pairs if _shown(each.before) != _shown(each.after)]
    return sorted(differing, key=lambda each: -abs(each.gain))


def _shown(verdict: Verdict) -> tuple[str, str, str, str]:
    """The figures as they are told: cells that differ only beyond that are left out."""
    in_time, outage = share(verdict.availability.mean), span(verdict.outage_s.p95)
    return in_time, outage, _met(verdict), usd(verdict.cost_delta_usd.mean)


def _row(each: Pair) -> tuple[str, ...]:
    told = zip(_shown(each.before), _shown(each.after), strict=True)
    return (each.after.scenario, each.after.workload, *(figure for both in told for figure in both))


def _met(verdict: Verdict) -> str:
    return f"{sum(each.is_met for each in verdict.held)}/{len(verdict.held)}"


def _message(pairs: list[Pair], report: StressReport, before: StressReport) -> str:
    was, now = _share_met(before), _share_met(report)
    better = sum(each.gain > _ALIKE for each in pairs)
    worse = sum(each.gain < -_ALIKE for each in pairs)
    told = f"Objectives met: {share(was)} before, {share(now)} after"
    if not pairs:
        return f"{told}; no cell that both reports have differs."
    return f"{told}; {plural(better, 'cell')} answered more in time, {worse} less."


def _share_met(report: StressReport) -> float:
    held = [each.is_met for verdict in report.verdicts for each in verdict.held]
    return sum(held) / len(held) if held else 0.0


def _doubts(report: StressReport, before: StressReport) -> Markup | None:
    told = []
    if report.seed != before.seed:
        told.append(f"The seeds differ ({before.seed} before, {report.seed} after): part of it is chance.")
    if report.period != before.period:
        was, now = before.period or "not given", report.period or "not given"
        told.append(f"The periods of the plan differ ({was} before, {now} after).")
    if report.trials != before.trials:
        told.append(f"{before.trials} trials a scenario before, {report.trials} after.")
    only = {each.id for each in report.scenarios} ^ {each.id for each in before.scenarios}
    if only:
        told.append(f"In one of the reports only, and left out here: {', '.join(sorted(only))}.")
    return join([el("p", each, class_="note") for each in told]) if told else None


def _draw(pairs: list[Pair], width: float) -> Markup:
    is_wide = is_roomy(width)
    low = min(min(each.before.availability.mean, each.after.availability.mean) for each in pairs)
    across = Scale(low=min(low, 0.999), high=1.0, start=_ROOM if is_wide else 6.0, end=width - 10)
    step = _ROW if is_wide else _ROW + 14
    ends = [label(across.start, 14, share(across.low), "tick"), label(across.end, 14, "100 %", "tick", "end")]
    rows = [_line(each, across, _TOP + step * place, is_wide=is_wide) for place, each in enumerate(pairs)]
    alt = "Before and after. " + "; ".join(
        f"{each.after.scenario}, {each.after.workload}: {share(each.before.availability.mean)} to "
        f"{share(each.after.availability.mean)}"
        for each in pairs
    )
    return canvas(width, _TOP + step * len(pairs), alt, ends, rows)


def _line(each: Pair, across: Scale, top: float, *, is_wide: bool) -> Markup:
    words = f"{each.after.scenario}, {each.after.workload}"
    y = top + (13 if is_wide else 26)
    was, now = across(each.before.availability.mean), across(each.after.availability.mean)
    return join(
        label(0, top + (17 if is_wide else 12), words, room=_ROOM - 10 if is_wide else across.end),
        el("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="rule"),
        el("line", x1=was, x2=now, y1=y, y2=y, class_="link-line"),
        el("circle", el("title", f"before: {share(each.before.availability.mean)}"), cx=was, cy=y, r=5,
           class_="held-dot"),
        el("circle", el("title", f"after: {share(each.after.availability.mean)}"), cx=now, cy=y, r=5,
           class_="used-dot"),
    )  # fmt: skip
