"""Scenario by workload: who holds, who is near the edge, who breaks; told by sign and words as well as by hue."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.axes import legend
from tripoint.apps.render.html.drawing.markup import Markup, el
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.tables import scrolling
from tripoint.apps.render.html.stress.reading import State, by_cell, state_of, tried, workloads
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.stress.figures import aim, aim_name, share
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import StressReport, Verdict

_SIGNS = {State.MET: "✓", State.NEAR: "△", State.BROKEN: "✗", State.PLAIN: "·"}
_WORDS = {
    State.MET: "✓ holds",
    State.NEAR: "△ holds as usual, breaks where it gets harder",
    State.BROKEN: "✗ an objective is not met",
    State.PLAIN: "· nothing is asked of it but where it may be served",
}


def heat(report: StressReport) -> Section:
    """The map of scenarios and workloads."""
    cells, names = by_cell(report), workloads(report)
    head = el("tr", el("th", "Scenario", scope="col"), [el("th", name, scope="col") for name in names])
    rows = [_row(scenario, [cells.get((scenario.id, name)) for name in names]) for scenario in tried(report)]
    body = figure(
        "Answered in time, mean over the trials",
        "share of what was asked; every objective is under “Every figure”",
        legend([(f"stress-{state}", words) for state, words in _WORDS.items()]),
        scrolling(
            el("table", el("thead", head), el("tbody", rows), class_="matrix stress"),
            "scenarios against workloads",
        ),
    )
    return Section(id="withstood", title="What holds under what", message=_message(report), body=body)


def _row(scenario: Scenario, verdicts: list[Verdict | None]) -> Markup:
    number = f"{scenario.number}. " if scenario.number else ""
    title = el("th", f"{number}{scenario.title}", scope="row", title=scenario.why or None, class_="wrap")
    return el("tr", title, [_cell(each) for each in verdicts])


def _cell(verdict: Verdict | None) -> Markup:
    if verdict is None:
        return el("td", "–")
    state = state_of(verdict)
    told = "; ".join(aim(each) for each in verdict.held) or "no objective"
    return el("td", f"{share(verdict.availability.mean)} {_SIGNS[state]}", class_=f"stress-{state}", title=told)


def _message(report: StressReport) -> str:
    states = [(state_of(each), each) for each in report.verdicts]
    broken = [each for state, each in states if state is State.BROKEN]
    near = sum(state is State.NEAR for state, _ in states)
    harder = f"{near} more would where the scenario gets harder" if report.is_searched else "harder was not tried"
    if not broken:
        return f"No objective breaks as usual; {harder}."
    counts: dict[str, int] = {}
    for verdict in broken:
        for held in verdict.held:
            if not held.is_met:
                counts[aim_name(held.aim)] = counts.get(aim_name(held.aim), 0) + 1
    most = max(counts, key=lambda name: counts[name])
    many = f"{len(broken)} of {plural(len(states), 'cell')} {'breaks' if len(broken) == 1 else 'break'} an objective"
    return f"{many}, most often {most} ({counts[most]}); {harder}."
