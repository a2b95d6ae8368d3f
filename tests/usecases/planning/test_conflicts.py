"""The search for why there is no plan: it ends with the time it has and with whoever stops it, and then claims less."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from tests.factories.placement import chat, hall, place, placement_catalog, program_of

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.plan import ConflictSet, PlanStatus
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.milp.program import SolutionStatus
from tripoint.usecases.plan import PlanOptions, plan
from tripoint.usecases.planning.conflicts import Search
from tripoint.usecases.solving import ProgressState, Watch

OPTIONS = PlanOptions(gap=1e-6, threads=1, baselines=False)
SMALL_HALL = place(hall(it_kw=15.0), workloads=(chat(rate=11.5),))
"""More is asked for than so much power can serve."""


def conflict(watch: Watch) -> ConflictSet:
    """Why the small hall has no plan."""
    loaded = LoadedEstate(estate=SMALL_HALL, profiles={}, digest="sha256:drawn")
    found = plan(loaded, placement_catalog(), HighsSolver(), OPTIONS, today=date(2026, 11, 22), watch=watch)
    assert found.status is PlanStatus.INFEASIBLE
    assert found.conflict is not None
    return found.conflict


def test_a_search_that_nobody_stops_tells_the_smallest_set_and_a_way_out() -> None:
    """What the other test has less of."""
    found = conflict(Watch())
    assert found.members
    assert "raise `power`" in found.hint
    assert "ended early" not in found.hint


def test_whoever_stops_the_search_is_told_that_no_plan_exists_and_no_more() -> None:
    """As by Ctrl-C: proven it was before, and which rules are needed for it is not known."""
    states: list[str] = []

    def show(state: ProgressState) -> None:
        states.append(state.phase)

    found = conflict(Watch(show=show, should_stop=lambda: "finding the conflict" in states))
    assert found.families
    assert found.members == ()
    assert found.hint.startswith("the search for why ended early")


@pytest.mark.parametrize(("now", "is_found"), [(9.0, True), (10.0, False)])
def test_all_solves_of_a_search_have_one_time_limit_together(now: float, is_found: bool) -> None:
    """Ten seconds from the first on, whatever each takes; a part of them for what must leave time for more."""
    times = iter([100.0, 100.0 + now, 104.9, 105.0])
    search = Search(HighsSolver(), replace(OPTIONS, seconds=10.0), lambda: False, lambda: next(times))
    program = program_of(place(hall(), workloads=(chat(rate=1.0),)))
    free = replace(program, cost=np.zeros(program.columns))
    assert (search.within(1.0)(free).values.size > 0) is is_found
    assert search.is_cut_off is not is_found
    assert search.within(1.0, 0.5)(free).values.size
    assert search.within(1.0, 0.5)(free).status is SolutionStatus.UNKNOWN
    assert search.is_cut_off
