"""Planning again from an earlier plan: what was decided is found again, stays, and yields where it must."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.plan import small_plan
from tests.factories.planning import catalog, highs, instance_of

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.errors import SolverError
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.large.owners import owners
from tripoint.engines.placement.milp.asking import Answers
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import (
    Program,
    ProgramBuilder,
    Solution,
    SolutionStatus,
    SolveLimits,
)
from tripoint.engines.placement.moved import moved
from tripoint.engines.placement.proof.carry import Carried
from tripoint.engines.placement.recall import recall
from tripoint.engines.placement.revise import Known, revised
from tripoint.testing.strategies import small_estates
from tripoint.usecases.drive import drive
from tripoint.usecases.plan import PlanOptions, plan

pytestmark = pytest.mark.timeout(300)
LIMITS = SolveLimits(gap=1e-6, seconds=120.0, nodes=2_000, threads=1)
FEW = settings(max_examples=8, deadline=None)
DAY = date(2026, 11, 22)


def planned(estate: Estate, previous: Plan | None = None) -> Plan:
    """The plan of an estate, from an earlier one where given."""
    loaded = LoadedEstate(estate=estate, profiles={}, digest="sha256:drawn")
    options = PlanOptions(gap=1e-6, nodes=5_000, threads=1, baselines=False, previous=previous)
    try:
        return plan(loaded, catalog(), HighsSolver(), options, today=DAY)
    except SolverError:
        assume(False)
        raise


@FEW
@given(small_estates())
def test_a_plan_is_recalled_as_it_was_decided(estate: Estate) -> None:
    """With its whole decisions held, the program costs what the plan said: recall undoes decode."""
    before = planned(estate)
    assume(before.solve is not None)
    assert before.solve is not None
    form, _ = formulate(instance_of(estate))
    program, recalled = form.program(), recall(form, before)
    known = program.is_integer & ~np.isnan(recalled)
    held = replace(
        program,
        lower=np.where(known, recalled, program.lower),
        upper=np.where(known, recalled, program.upper),
    )
    assert highs(held).objective == pytest.approx(before.solve.incumbent_usd, rel=1e-5, abs=1.0)


@FEW
@given(small_estates())
def test_without_a_change_nothing_moves(estate: Estate) -> None:
    """The same estate, planned from its own plan: the same cost, and no difference worth a sentence."""
    before = planned(estate)
    after = planned(estate, before)
    assume(before.solve is not None)
    assert before.solve is not None
    assert after.solve is not None
    assert after.solve.strategy == "warm"
    assert after.solve.bound_usd <= after.solve.incumbent_usd
    assert after.solve.incumbent_usd == pytest.approx(before.solve.incumbent_usd, rel=1e-4, abs=1.0)
    assert all(change.unit == "share" for change in moved(before, after))


@FEW
@given(small_estates())
def test_after_a_change_the_plan_is_one_of_the_changed_estate(estate: Estate) -> None:
    """Twice the demand of the first workload: bound and plan still lie on either side of the new optimum."""
    before = planned(estate)
    first = estate.workloads[0]
    grown = replace(estate, workloads=(replace(first, growth_per_year=1.0), *estate.workloads[1:]))
    afresh, after = planned(grown), planned(grown, before)
    assume(afresh.solve is not None)
    assert afresh.solve is not None
    assert after.solve is not None
    assert after.solve.was_interrupted == (after.solve.gap > 1e-6)
    assert after.solve.bound_usd <= afresh.solve.incumbent_usd * (1 + 1e-6) + 1e-6
    assert afresh.solve.bound_usd <= after.solve.incumbent_usd * (1 + 1e-6) + 1e-6


def at_either(first: float, second: float) -> Program:
    """One unit at the first of two places or at the second, today at the first."""
    builder = ProgramBuilder()
    here, there = (builder.column(f"present[w,{name},p0]", upper=1.0, integer=True) for name in ("a", "b"))
    builder.row("demand", "w", [(here, 1.0), (there, 1.0)], lower=1.0, upper=1.0)
    return builder.build([first, second])


def two_places(first: float, second: float) -> Solution:
    """One unit to be served, today at the first of two places, at these costs; who is present there is whole."""
    return drive(revised(at_either(first, second), LIMITS, np.array([1.0, 0.0])), HighsSolver(), threads=1)


def test_a_difference_of_pennies_moves_nobody() -> None:
    """A place that is cheaper by a millionth is not worth a move; one that is cheaper by a tenth is."""
    assert two_places(100.0, 99.99999).values.tolist() == [1.0, 0.0]
    assert two_places(100.0, 90.0).values.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("known", "seconds"), [(99.0, 1.5), (90.0, 10.0)])
def test_a_proof_at_hand_gets_the_time_that_is_left_one_that_lacks_what_it_takes(known: float, seconds: float) -> None:
    """Two seconds are given and half of one is over. Within a hundredth of the bound the relaxation gets the rest; a
    tenth away it is the only proof and gets what an only hope would get."""
    program = at_either(100.0, 90.0)
    proven = Carried(weights=program.cost, least=known, bound=known)
    asking = revised(program, replace(LIMITS, seconds=2.0), np.array([1.0, 0.0]), Known(proven=proven))
    (held,) = next(asking).tasks
    assert held.limits.seconds == 10.0
    batch = asking.send(Answers(solutions=(highs(held.program),), bound=-np.inf, seconds=0.5))
    assert [task.limits.seconds for task in batch.tasks] == [seconds]
    asking.close()


@pytest.mark.parametrize(("places", "least", "relaxations"), [(2, 30.0, 2), (1_501, 30.0, 1), (1_501, 98.0, 2)])
def test_a_weak_proof_is_no_row_of_a_large_relaxation(places: int, least: float, relaxations: int) -> None:
    """Two relaxations, without and with the proof; of a large program with a bound far off the first alone."""
    builder = ProgramBuilder()
    columns = [builder.column(f"present[w,{n},p0]", upper=1.0, integer=True) for n in range(places)]
    builder.row("demand", "w", [(column, 1.0) for column in columns], lower=1.0, upper=1.0)
    program = builder.build([100.0] * places)
    proven = Carried(weights=program.cost * 0.9, least=least, bound=least)
    asking = revised(program, LIMITS, np.eye(places)[0], Known(proven=proven))
    (held,) = next(asking).tasks
    batch = asking.send(Answers(solutions=(highs(held.program),), bound=-np.inf, seconds=0.5))
    assert len(batch.tasks) == relaxations
    asking.close()


def test_where_nothing_is_known_of_the_bound_the_relaxation_does_not_wait() -> None:
    """Neither a bound nor prices came over: the relaxation is needed whatever the earlier decisions cost, so that it
    is solved beside them, for what it takes, and its prices go on with the answer."""
    program = at_either(100.0, 90.0)
    asking = revised(program, replace(LIMITS, gap=0.2), np.array([1.0, 0.0]))
    held, relaxed = next(asking).tasks
    assert (held.program.integers, relaxed.program.integers) == (2, 0)
    assert [held.limits.seconds, relaxed.limits.seconds] == [LIMITS.seconds] * 2
    solutions = (highs(held.program), highs(relaxed.program))
    with pytest.raises(StopIteration) as ended:
        asking.send(Answers(solutions=solutions, bound=-np.inf, seconds=0.5))
    found: Solution = ended.value.value
    assert (found.objective, found.bound) == (100.0, 90.0)
    assert found.duals.size == program.rows


def test_without_a_plan_at_hand_everything_gets_what_it_takes() -> None:
    """The earlier decisions are forbidden: relaxation and nodes counted anew are the only hope."""
    program = at_either(100.0, 90.0)
    proven = Carried(weights=program.cost, least=80.0, bound=80.0)
    nothing = Solution.nothing(SolutionStatus.INFEASIBLE)
    asking = revised(program, replace(LIMITS, seconds=2.0), np.array([1.0, 0.0]), Known(proven=proven))
    next(asking)
    batch = asking.send(Answers(solutions=(nothing,), bound=-np.inf, seconds=0.5))
    assert [task.limits.seconds for task in batch.tasks] == [10.0, 10.0]
    asking.close()
    asking = revised(program, replace(LIMITS, seconds=2.0), np.array([1.0, 0.0]))
    _, relaxed = next(asking).tasks
    batch = asking.send(Answers(solutions=(nothing, highs(relaxed.program)), bound=-np.inf, seconds=0.5))
    assert [task.limits.seconds for task in (relaxed, *batch.tasks)] == [10.0, 10.0]
    asking.close()


def test_a_relaxation_that_shows_there_is_no_plan_ends_the_search() -> None:
    """Nodes are not counted anew where not even shares of them would do."""
    asking = revised(at_either(100.0, 90.0), LIMITS, np.array([1.0, 0.0]))
    next(asking)
    nothing = Solution.nothing(SolutionStatus.INFEASIBLE)
    with pytest.raises(StopIteration) as ended:
        asking.send(Answers(solutions=(nothing, nothing), bound=-np.inf, seconds=0.5))
    assert ended.value.value.status is SolutionStatus.INFEASIBLE


def test_a_relaxation_that_does_not_end_leaves_a_bound() -> None:
    """A slow machine, and nothing carried over: what costs alone prove is little, but it is a certificate."""
    builder = ProgramBuilder()
    sunk = builder.column("sunk[a]", lower=1.0, upper=1.0)
    here = builder.column("present[w,a,p0]", upper=1.0, integer=True)
    builder.row("demand", "w", [(here, 1.0)], lower=1.0, upper=1.0)
    program = builder.build([30.0, 70.0])
    asking = revised(program, replace(LIMITS, seconds=2.0), np.array([np.nan, 1.0]))
    held, _ = next(asking).tasks
    unended = replace(Solution.nothing(SolutionStatus.UNKNOWN), was_interrupted=True)
    (whole,) = asking.send(Answers(solutions=(highs(held.program), unended), bound=-np.inf, seconds=11.0)).tasks
    assert whole.program is program
    with pytest.raises(StopIteration) as ended:
        asking.send(Answers(solutions=(unended,), bound=-np.inf, seconds=22.0))
    found: Solution = ended.value.value
    assert (found.objective, found.bound) == (100.0, 30.0)
    assert found.gap == pytest.approx(0.7)
    assert found.values[sunk] == 1.0


def test_what_is_forbidden_now_is_decided_anew() -> None:
    """Five nodes were bought, three may be: the place stays, the count yields."""
    builder = ProgramBuilder()
    present = builder.column("present[w,a,p0]", upper=1.0, integer=True)
    nodes = builder.column("buy[a,p0]", upper=3.0, integer=True)
    rent = builder.column("rent[a,p0,b0]")
    builder.row("capacity", "a", [(present, 5.0), (nodes, -1.0), (rent, -1.0)], upper=0.0)
    builder.row("demand", "w", [(present, 1.0)], lower=1.0)
    program = builder.build([0.0, 1.0, 2.0])
    found = drive(revised(program, LIMITS, np.array([1.0, 5.0, np.nan])), HighsSolver(), threads=1)
    assert found.values.tolist() == [1.0, 3.0, 2.0]
    assert found.strategy == "warm"


@FEW
@given(small_estates(), st.integers(0, 9), st.sampled_from([0.6, 0.9, 1.2]), st.sampled_from([1.0, 0.85]))
def test_by_earlier_prices_bound_and_plan_hold(estate: Estate, seed: int, price: float, room: float) -> None:
    """Some shared costs change, and some limits shrink: from the earlier plan and the prices of its relaxation comes a
    plan of the changed program, no dearer than the earlier decisions are now, and a bound below the optimum."""
    before = formulate(instance_of(estate))[0].program()
    earlier, relaxed = highs(before), highs(relaxation(before))
    assume(earlier.values.size > 0)
    draw = np.random.default_rng(seed)
    is_shared = owners(before).column < 0
    hit = is_shared & (draw.random(before.columns) < 0.5)
    fewer = hit & before.is_integer & np.isfinite(before.upper) & (before.upper > 1.0)
    changed = replace(
        before,
        cost=np.where(hit, before.cost * price, before.cost),
        upper=np.where(fewer, np.maximum(np.floor(before.upper * room), before.lower), before.upper),
    )
    best = highs(changed)
    assume(best.values.size > 0)
    recalled = np.where(before.is_integer, earlier.values, np.nan)
    known = Known(prices=relaxed.duals, costs=before.cost)
    found = drive(revised(changed, LIMITS, recalled, known), HighsSolver(), threads=1)
    assume(found.status is not SolutionStatus.UNKNOWN)
    allowed = 1e-6 * abs(best.objective) + 1e-6
    assert changed.worst_violation(found.values) <= 1e-5
    assert found.objective == pytest.approx(float(changed.cost @ found.values), rel=1e-9, abs=1e-6)
    assert found.bound <= best.objective + allowed
    assert found.objective >= best.objective - allowed
    if changed.worst_violation(earlier.values) <= 1e-6:
        assert found.objective <= float(changed.cost @ earlier.values) + allowed


def together(price: float) -> Program:
    """Three workloads of half a node each, at `a`, where a committed node costs 10, or at `b`, where it costs `price`:
    one node for one of them costs as much as one for two. Beside them something that costs 1,000 anyway."""
    builder = ProgramBuilder()
    here: list[tuple[int, ...]] = []
    for workload in ("u", "v", "w"):
        one = tuple(builder.column(f"present[{workload},{p},p0]", upper=1.0, integer=True) for p in ("a", "b"))
        builder.row("demand", workload, [(column, 1.0) for column in one], lower=1.0, upper=1.0)
        here.append(one)
    nodes = [builder.column(f"commit[{p},12m,p0]", upper=4.0, integer=True) for p in ("a", "b")]
    for number, column in enumerate(nodes):
        terms = [*((one[number], 0.5) for one in here), (column, -1.0)]
        builder.row("capacity", "nodes", terms, upper=0.0)
    builder.column("sunk[a]", lower=1.0, upper=1.0)
    return builder.build([0.0] * 6 + [10.0, price, 1_000.0])


def test_by_earlier_prices_those_who_gain_move_together() -> None:
    """No single move pays, all three do: the offer whose price fell takes them. The relaxation of the whole is not
    asked for, since the prices prove enough, and the prices go on with the answer for the next change."""
    before, changed = together(10.1), together(9.5)
    earlier = highs(before)
    assert earlier.values.tolist() == [1.0, 0.0] * 3 + [2.0, 0.0, 1.0]
    known = Known(prices=highs(relaxation(before)).duals, costs=before.cost)
    asking = revised(changed, replace(LIMITS, gap=1e-4), earlier.values, known)
    held, alone = next(asking).tasks
    batch = asking.send(Answers(solutions=(highs(held.program), highs(alone.program)), bound=-np.inf, seconds=0.0))
    assert [task.program.integers for task in batch.tasks] == [0, 8]
    found = drive(revised(changed, replace(LIMITS, gap=1e-4), earlier.values, known), HighsSolver(), threads=1)
    assert found.values.tolist() == [0.0, 1.0] * 3 + [0.0, 2.0, 1.0]
    assert found.objective == pytest.approx(1_019.0)
    assert 1_000.0 < found.bound <= 1_019.0
    assert found.duals.size == changed.rows


def test_prices_that_prove_too_little_are_not_searched_by() -> None:
    """Nothing costs anything but the nodes: the prices are a quarter off, and the relaxation is asked for at once."""
    before = replace(together(10.1), cost=np.append(together(10.1).cost[:-1], 0.0))
    known = Known(prices=highs(relaxation(before)).duals, costs=before.cost)
    asking = revised(before, replace(LIMITS, gap=1e-4), highs(before).values, known)
    held, alone = next(asking).tasks
    batch = asking.send(Answers(solutions=(highs(held.program), highs(alone.program)), bound=-np.inf, seconds=0.0))
    assert [(task.program.integers, task.program.columns) for task in batch.tasks] == [(0, before.columns)]


def divided(places: int = 1, spare: int = 0) -> Program:
    """Half a node's work at each of these places, nothing elsewhere: whole nodes cost twice what parts of them would.
    Beside it so many columns that are of no use."""
    builder = ProgramBuilder()
    nodes = [builder.column(f"commit[{place},12m,p0]", upper=2.0, integer=True) for place in range(places)]
    for place, node in enumerate(nodes):
        builder.row("capacity", f"{place}", [(node, 2.0)], lower=1.0)
    for number in range(spare):
        builder.column(f"rent[{number},p0,b0]")
    return builder.build([10.0] * places + [1.0] * spare)


def test_the_gap_that_all_this_leaves_is_closed_by_the_whole_of_a_small_program() -> None:
    """No neighbourhood bounds all plans: the whole does, and says that the earlier decisions were the best."""
    found = drive(revised(divided(3), LIMITS, np.ones(3)), HighsSolver(), threads=1)
    assert found.values.tolist() == [1.0] * 3
    assert found.objective == 30.0
    assert found.bound == pytest.approx(30.0)
    assert found.gap == pytest.approx(0.0, abs=1e-6)
    assert found.status is SolutionStatus.OPTIMAL
    assert not found.was_interrupted
    assert found.strategy == "warm"


@pytest.mark.parametrize(
    ("spare", "limit", "taken", "nodes", "seconds"),
    [
        (0, 60.0, 0.5, None, 0.5),
        (0, 60.0, 0.01, None, 0.25),
        (0, 0.25, 0.5, None, 0.5),
        (0, 0.25, 0.5, 9, 10.0),
        (2_000, 60.0, 0.5, None, 0.5),
        (2_000, 0.75, 0.5, None, 0.25),
        (2_000, 0.6, 0.5, None, None),
        (20_000, 60.0, 0.5, None, None),
    ],
)
def test_the_whole_gets_as_long_again_where_it_is_small_or_time_is_left(
    spare: int, limit: float, taken: float, nodes: int | None, seconds: float | None
) -> None:
    """As long as the search took and a quarter of a second at least; a medium one within the time of the search, a
    large one never. What is not closed then is told as interrupted."""
    program = divided(spare=spare)
    limits = replace(LIMITS, seconds=limit, nodes=nodes)
    earlier = np.append(np.ones(1), np.full(spare, np.nan))
    asking = revised(program, limits, earlier)
    batch, whole = next(asking), None
    unended = replace(Solution.nothing(SolutionStatus.UNKNOWN), was_interrupted=True)
    try:
        while whole is None:
            solutions = tuple(highs(task.program) for task in batch.tasks)
            batch = asking.send(Answers(solutions=solutions, bound=-np.inf, seconds=taken))
            whole = batch.tasks[0].limits.seconds if batch.tasks[0].program is program else None
        asking.send(Answers(solutions=(unended,), bound=-np.inf, seconds=taken))
        raise AssertionError("asks for more after the whole")
    except StopIteration as ended:
        found: Solution = ended.value
    assert whole == seconds
    assert (found.objective, found.bound, found.status) == (10.0, 5.0, SolutionStatus.FEASIBLE)
    assert found.was_interrupted


def test_nothing_possible_is_known_from_the_relaxation() -> None:
    """A demand nobody can serve is infeasible, not a failure of the earlier plan."""
    builder = ProgramBuilder()
    column = builder.column("present[w,a,p0]", upper=1.0, integer=True)
    builder.row("demand", "w", [(column, 1.0)], lower=2.0)
    found = drive(revised(builder.build([1.0]), LIMITS, np.array([1.0])), HighsSolver(), threads=1)
    assert found.status is SolutionStatus.INFEASIBLE


def test_what_moved_is_told_with_both_figures() -> None:
    """Half of a workload's share goes elsewhere: two sentences, out and in; the same plan twice tells nothing."""
    before = small_plan()
    assert moved(before, before) == ()
    row = before.placements[0]
    mine = [r for r in before.placements if r.workload == row.workload and r.pool == row.pool]
    rest = [r for r in before.placements if r not in mine]
    halves = [replace(r, share=r.share / 2) for r in mine]
    gone = [replace(r, share=r.share / 2, pool="elsewhere/dgx-h100") for r in mine]
    after = replace(before, placements=(*rest, *halves, *gone))
    told = moved(before, after)
    assert {change.where for change in told} == {row.pool, "elsewhere/dgx-h100"}
    assert all(change.what == row.workload for change in told)
    assert sum(change.after - change.before for change in told) == pytest.approx(0.0)
    assert "->" in str(told[0])
    bought = replace(before, purchases=before.purchases[1:])
    assert [change.unit for change in moved(before, bought)] in ([], ["nodes"])
