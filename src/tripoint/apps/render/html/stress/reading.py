"""What the parts of the page look up: verdicts by scenario and workload, the state of a cell, what breaks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from tripoint.domain.scenario import Magnitude, Scenario
from tripoint.domain.stress import Held, StressReport, Verdict
from tripoint.engines.stress.scenarios.knobs import position_of


class State(StrEnum):
    """How a workload stands under a scenario."""

    MET = "met"
    """Every objective holds, and none was found to break where the scenario gets harder."""
    NEAR = "near"
    """Every objective holds as usual, and one breaks where the scenario gets harder."""
    BROKEN = "broken"
    """An objective does not hold."""
    PLAIN = "plain"
    """Nothing is asked of it but to be served where it may be."""


class Weakest(NamedTuple):
    """The objective that breaks first under a scenario."""

    scenario: Scenario
    knob: Magnitude
    workload: str
    held: Held


def by_cell(report: StressReport) -> dict[tuple[str, str], Verdict]:
    """Verdicts by scenario and workload."""
    return {(each.scenario, each.workload): each for each in report.verdicts}


def tried(report: StressReport) -> tuple[Scenario, ...]:
    """Scenarios that have a verdict, in the order of the report."""
    with_verdict = {each.scenario for each in report.verdicts}
    return tuple(each for each in report.scenarios if each.id in with_verdict)


def workloads(report: StressReport) -> tuple[str, ...]:
    """Workloads in the order in which verdicts name them."""
    return tuple(dict.fromkeys(each.workload for each in report.verdicts))


def state_of(verdict: Verdict) -> State:
    """How the workload stands."""
    if verdict.outside or not all(each.is_met for each in verdict.held):
        return State.BROKEN
    if any(each.breaks_at is not None for each in verdict.held):
        return State.NEAR
    return State.MET if len(verdict.held) > 1 else State.PLAIN


def weakest(report: StressReport) -> tuple[Weakest, ...]:
    """Per scenario with a knob, the objective that breaks at the mildest value, the nearest scenario first."""
    cells: Mapping[tuple[str, str], Verdict] = by_cell(report)
    found: list[tuple[float, Weakest]] = []
    for scenario in tried(report):
        if not scenario.magnitudes:
            continue
        knob = scenario.magnitudes[0]
        broken = [
            (position_of(knob, held.breaks_at), Weakest(scenario, knob, workload, held))
            for workload in workloads(report)
            if (verdict := cells.get((scenario.id, workload))) is not None
            for held in verdict.held
            if held.breaks_at is not None
        ]
        if broken:
            found.append(min(broken, key=lambda each: each[0]))
    return tuple(each for _, each in sorted(found, key=lambda each: each[0]))


def unbroken(report: StressReport) -> tuple[Scenario, ...]:
    """Scenarios with a knob under which nothing breaks over its whole range."""
    breaking = {each.scenario.id for each in weakest(report)}
    return tuple(each for each in tried(report) if each.magnitudes and each.id not in breaking)


def broken_scenarios(report: StressReport) -> Sequence[Scenario]:
    """Scenarios under which an objective is not met as usual."""
    lost = {each.scenario for each in report.verdicts if state_of(each) is State.BROKEN}
    return [each for each in tried(report) if each.id in lost]
