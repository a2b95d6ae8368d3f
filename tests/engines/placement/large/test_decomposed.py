"""Portions of a large program: what they prove holds for the whole, and what they decide is a plan of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.placement import batch, chat, hall, horizon, place, region, resolved, servers, training
from tests.factories.planning import highs, instance_of

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.domain.units import SiteId
from tripoint.domain.workload import Recovery, Standby, TodayShare
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.large.decomposed import Pace, decomposed, is_huge
from tripoint.engines.placement.large.owners import dealt, owners
from tripoint.engines.placement.large.portions import apart, blocks_of, cut, portion, priced, rest
from tripoint.engines.placement.milp.asking import Answers, Asking, Task
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import (
    FloatArray,
    Program,
    ProgramBuilder,
    Solution,
    SolutionStatus,
    SolveLimits,
    SolveProgress,
)
from tripoint.testing.strategies import EstateSize, small_estates
from tripoint.usecases.drive import drive

LIMITS = SolveLimits(gap=1e-4, seconds=120.0, nodes=2_000, threads=2)
SIZE = EstateSize(workloads=5)


def program_of(estate: Estate) -> Program:
    """The whole program of an estate."""
    return formulate(instance_of(estate))[0].program()


def in_portions(program: Program, size: int) -> Solution:
    """The answer in portions of about so many columns, two at a time."""
    return drive(decomposed(program, LIMITS, size), HighsSolver(), threads=2)


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None)
@given(small_estates(SIZE), st.integers(8, 200))
def test_portions_and_the_whole_agree_within_their_gaps(estate: Estate, size: int) -> None:
    """However it is taken apart: the optimum lies between the bound and the plan, and the plan breaks no row."""
    program = program_of(estate)
    best = highs(program)
    assume(best.values.size > 0)
    found = in_portions(program, size)
    assert found.bound <= best.objective * (1 + 1e-6) + 1e-6
    if found.values.size:
        assert program.worst_violation(found.values) < 1e-4
        assert best.bound <= found.objective * (1 + 1e-6) + 1e-6
        assert found.bound <= found.objective


@pytest.mark.timeout(300)
@settings(max_examples=5, deadline=None)
@given(small_estates(SIZE))
def test_the_same_portions_twice_are_the_same(estate: Estate) -> None:
    """Node limits, no clock: equal values and equal bounds."""
    program = program_of(estate)
    one, other = in_portions(program, 60), in_portions(program, 60)
    assert one.values.tolist() == other.values.tolist()
    assert one.bound == other.bound


@settings(max_examples=15, deadline=None)
@given(small_estates(SIZE), st.integers(1, 3))
def test_plans_of_all_portions_add_up_to_one_of_the_whole(estate: Estate, hands: int) -> None:
    """Shared columns added up, every row and bound of the whole holds, whole numbers of shared columns apart."""
    program = program_of(estate)
    whose = owners(program)
    total = np.zeros(program.columns)
    for members in dealt(whose.weight, hands):
        part = portion(blocks_of(program, whose), members, 1.0 / hands)
        found = highs(part.program)
        assume(found.values.size > 0)
        total[part.column] += found.values
    shared = whose.column < 0
    assert replace(program, is_integer=program.is_integer & ~shared).worst_violation(total) < 1e-4


def test_every_column_named_after_a_workload_is_its_own() -> None:
    """One left with what is shared would be divided among all portions, and a hundredth of a gang runs nowhere."""
    runs = training(gang=16, is_indivisible=False)
    load = chat(recovery=Recovery(standby=Standby.HOT), today=(TodayShare(site=SiteId("hall")),))
    estate = place(hall(pool=servers(held=2)), region(), workloads=(runs, load, batch()), horizon=horizon(2, 2))
    program = formulate(resolved(estate))[0].program()
    whose = owners(program)
    ids = {workload.id for workload in estate.workloads}
    named = [name.partition("[")[2].partition(",")[0] in ids for name in program.column_names]
    assert (whose.column >= 0).tolist() == named
    assert {name.partition("[")[0] for name, mine in zip(program.column_names, named, strict=True) if mine} == {
        "serve", "present", "gathered", "standby", "enter",
    }  # fmt: skip


def gangs_in_halls(loads: int) -> Program:
    """Runs of two nodes at once, in one of six halls of three, beside so many workloads of a cloud."""
    halls = tuple(hall(f"hall-{number}", pool=servers(held=2, max_nodes=3)) for number in range(6))
    runs = training(gang=16, is_indivisible=False, only_at=tuple(site.id for site in halls))
    chats = tuple(chat(f"chat-{number}", rate=8.0, only_at=("cloud",)) for number in range(loads))
    estate = place(*halls, region(), workloads=(runs, *chats), horizon=horizon(1, 1))
    return formulate(resolved(estate))[0].program()


def test_a_gang_larger_than_any_portions_share_is_no_reason_to_find_no_plan() -> None:
    """0.15 of six halls hold a part of a gang in each, as the relaxation has it, and none whole; nor do 0.45."""
    program = gangs_in_halls(20)
    found = in_portions(program, -(-program.columns // 6))
    assert found.strategy == "portions"
    assert found.bound <= found.objective
    assert program.worst_violation(found.values) < 1e-4


def test_a_portion_that_takes_nothing_of_what_is_shared_is_still_a_program() -> None:
    """What has no end has none in it either; nothing of endless was no figure, and the solver refused it."""
    program = gangs_in_halls(11)
    whose = owners(program)
    part = portion(blocks_of(program, whose), np.array([0]), 0.0).program
    for sides in (part.lower, part.upper, part.row_lower, part.row_upper):
        assert not np.isnan(sides).any()
    assert in_portions(program, -(-program.columns // 6)).values.size


@settings(max_examples=15, deadline=None)
@given(small_estates(SIZE), st.data())
def test_what_is_held_leaves_the_rest_its_room(estate: Estate, data: st.DataObject) -> None:
    """With some workloads as the optimum has them, the rest's optimum and theirs are the optimum."""
    program = program_of(estate)
    whose = owners(program)
    best = highs(program)
    assume(best.values.size > 0)
    kept = data.draw(st.sets(st.integers(0, len(whose.names) - 1)))
    held = np.isin(whose.column, list(kept))
    part = rest(program, held, best.values)
    assert part.program.worst_violation(best.values[part.column]) < 1e-4
    cost = float(program.cost[held] @ best.values[held]) + highs(part.program).objective
    assert cost == pytest.approx(best.objective, rel=1e-5, abs=1.0)


def two_owners() -> Program:
    """Two workloads that share nodes, and a row of the first alone that nodes stand in."""
    builder = ProgramBuilder()
    first, second = (builder.column(f"serve[{name},a,firm,p0,b0]", upper=1.0) for name in ("one", "two"))
    there = builder.column("present[one,a,p0]", upper=1.0, integer=True)
    nodes = builder.column("buy[a,p0]", upper=9.0, integer=True)
    for column in (first, second):
        builder.row("demand", "all", [(column, 1.0)], lower=1.0, upper=1.0)
    builder.row("presence", "one", [(first, 1.0), (there, -1.0)], upper=0.0)
    builder.row("gang", "one", [(nodes, 1.0), (there, -2.0)], lower=0.0)
    builder.row("capacity", "a", [(first, 1.5), (second, 3.0), (nodes, -1.0)], upper=0.0)
    return builder.build([0.0, 0.0, 0.0, 1.0])


def test_columns_and_rows_know_their_owner() -> None:
    """A row of one owner is its own even with nodes in it; one of two is shared; what it takes is its weight."""
    whose = owners(two_owners())
    assert whose.names == ("one", "two")
    assert whose.column.tolist() == [0, 1, 0, -1]
    assert whose.row.tolist() == [0, 1, 0, 0, -1]
    assert whose.weight.tolist() == [1.5, 3.0]
    assert apart(two_owners(), whose).tolist() == [True, True, True, False, False]


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=40), st.integers(1, 6))
def test_hands_hold_everybody_once_and_weigh_alike(weights: list[float], hands: int) -> None:
    """Nobody is dealt twice; no hand is heavier than another by more than the heaviest of all."""
    found = dealt(np.array(weights), hands)
    assert sorted(int(each) for hand in found for each in hand) == list(range(len(weights)))
    sums = [float(np.array(weights)[hand].sum()) for hand in found]
    assert max(sums) - min(sums) <= max(weights) * 2 + 1e-9


@settings(max_examples=15, deadline=None)
@given(small_estates(SIZE), st.data())
def test_blocks_put_together_what_a_walk_over_the_whole_cuts_out(estate: Estate, data: st.DataObject) -> None:
    """The same columns, rows and entries in the same order, with what is shared and without."""
    program = program_of(estate)
    whose = owners(program)
    members = data.draw(st.lists(st.integers(0, len(whose.names) - 1), min_size=1, unique=True))
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=program.rows, max_size=program.rows)))
    mine = np.isin(np.arange(len(whose.names) + 1), members)
    for with_shared, rows in ((True, None), (False, kept)):
        found = blocks_of(program, whose).part(np.array(members, dtype=np.int32), with_shared=with_shared, rows=rows)
        columns = mine[whose.column] | (with_shared & (whose.column < 0))
        chosen = mine[whose.row] | (with_shared & (whose.row < 0))
        other = cut(program, columns, chosen if rows is None else chosen & rows)
        for name in ("cost", "lower", "upper", "row_lower", "row_upper", "starts", "index", "value", "column_names"):
            assert list(getattr(found.program, name)) == list(getattr(other.program, name)), name
        assert found.column.tolist() == other.column.tolist()
        assert found.row.tolist() == other.row.tolist()


def test_a_cut_keeps_the_entries_of_what_it_keeps() -> None:
    """The last two columns in the last two rows."""
    part = cut(two_owners(), np.array([False, False, True, True]), np.array([False, False, False, True, True]))
    assert part.program.starts.tolist() == [0, 2, 3]
    assert part.program.index.tolist() == [1, 0, 1]
    assert part.program.value.tolist() == [1.0, -2.0, -1.0]
    assert part.program.column_names == ["present[one,a,p0]", "buy[a,p0]"]


@given(st.lists(st.floats(-3.0, 3.0), min_size=5, max_size=5))
def test_whatever_the_prices_the_parts_prove_a_bound(prices: list[float]) -> None:
    """Own rows of each, priced out, and what nodes bring at these prices: never above the optimum of 5."""
    program = two_owners()
    whose = owners(program)
    own_rows = apart(program, whose)
    duals = np.where(own_rows, 0.0, np.array(prices))
    duals = np.array([0.0, 0.0, 0.0, max(duals[3], 0.0), min(duals[4], 0.0)])
    worth = bound_parts(program, duals)
    members = np.array([0, 1], dtype=np.int32)
    part = priced(blocks_of(program, whose), members, worth, own_rows)
    nodes = worth[3]
    assert highs(relaxation(part.program)).objective + min(0.0, 9.0 * nodes) <= 5.0 + 1e-9


def bound_parts(program: Program, duals: FloatArray) -> FloatArray:
    """Cost less what the rows pay."""
    dense = np.zeros((program.rows, program.columns))
    dense[np.repeat(np.arange(program.rows), np.diff(program.starts)), program.index] = program.value
    return np.asarray(program.cost - dense.T @ duals)


@dataclass(frozen=True)
class Silent:
    """Answers only programs of so few columns in time."""

    most: int

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """Nothing where there are more columns."""
        if program.columns > self.most:
            return Solution.nothing(SolutionStatus.UNKNOWN)
        return HighsSolver().solve(program, limits, progress, should_stop, start)


def test_a_portion_that_takes_too_long_is_halved() -> None:
    """Both workloads at once are too much for this solver, one at a time are not."""
    found = drive(decomposed(two_owners(), LIMITS, 4), Silent(3), threads=1)
    assert found.objective == pytest.approx(5.0)


def test_without_plans_of_portions_the_columns_are_generated() -> None:
    """A solver that never answers in time: nothing is claimed but what costs alone prove."""
    found = drive(decomposed(two_owners(), replace(LIMITS, threads=1), 2), Silent(0), threads=1)
    assert not found.values.size
    assert found.bound == 0.0


def test_small_programs_are_not_taken_apart() -> None:
    """Four columns are no reason for portions."""
    assert not is_huge(two_owners())


class Slow:
    """Takes so many seconds a column, by a clock of its own; says nothing where that is more than it may take."""

    def __init__(self, seconds: float) -> None:
        self.each = seconds
        self.now = 0.0

    def play(self, asking: Asking[Solution]) -> Solution:
        """What the strategy ends with."""
        try:
            batch = next(asking)
            while True:
                told = tuple(self._solved(task) for task in batch.tasks)
                self.now += max(seconds for seconds, _ in told)
                solutions = tuple(solution for _, solution in told)
                batch = asking.send(Answers(solutions=solutions, bound=-float("inf"), seconds=self.now))
        except StopIteration as stop:
            outcome: Solution = stop.value
            return outcome

    def _solved(self, task: Task) -> tuple[float, Solution]:
        needed = task.program.columns * self.each
        if needed > task.limits.seconds:
            return task.limits.seconds, Solution.nothing(SolutionStatus.UNKNOWN)
        limits = replace(task.limits, seconds=120.0)
        return needed, HighsSolver().solve(task.program, limits, lambda state: None, lambda: False, task.start)


@pytest.mark.timeout(300)
@settings(max_examples=25, deadline=None)
@given(small_estates(SIZE), st.floats(1e-3, 3.0), st.integers(8, 120))
def test_however_slow_the_solver_it_ends_in_time_and_its_bound_holds(estate: Estate, each: float, size: int) -> None:
    """Hundred seconds are given; what a solve is given at least comes on top of them, and no more."""
    program = program_of(estate)
    best = highs(program)
    assume(best.values.size > 0)
    slow = Slow(each)
    found = slow.play(decomposed(program, replace(LIMITS, seconds=100.0), size))
    assert slow.now <= 100.0 + 0.5 * len(owners(program).names) * 4
    assert found.bound <= best.objective * (1 + 1e-6) + 1e-6
    if found.values.size:
        assert program.worst_violation(found.values) < 1e-4
        assert np.isfinite(found.bound)


@given(st.floats(0.1, 1000.0), st.integers(1, 200), st.floats(0.0, 100.0))
def test_a_turn_gets_some_times_what_is_usual_within_what_is_left(left: float, turns: int, usual: float) -> None:
    """At least thrice an equal part, thrice what others took, a tenth of it all; late where that pace is too slow."""
    pace = Pace(left=left, turns=turns, usual=usual)
    assert pace.seconds <= left
    assert pace.seconds >= min(left, 3.0 * left / turns, left / 10) - 1e-9
    assert pace.seconds == left or pace.seconds >= 3.0 * usual
    assert pace.is_late == (usual * turns > 0.6 / 0.9 * left)


def test_without_time_for_relaxations_prices_alone_prove_a_bound() -> None:
    """Both portions and what they share take all the time there is: the bound is not that of costs alone."""
    slow = Slow(10.0)
    found = slow.play(decomposed(two_owners(), replace(LIMITS, threads=1, seconds=200.0), 2))
    assert found.objective == pytest.approx(5.0)
    assert 0.0 < found.bound <= 5.0
