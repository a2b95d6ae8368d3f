"""Whole workloads on shared offers: what is found is allowed, what is proven holds, and both meet the optimum."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.scale.draw import draw
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.factories.planning import highs

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.engines.placement.assignment.alike import count, needed
from tripoint.engines.placement.assignment.dual import DualAscent, Prices, above_least, bound_at, reduced_costs
from tripoint.engines.placement.assignment.formulate import chosen_of, formulate, values
from tripoint.engines.placement.assignment.layout import Layout, lay_out
from tripoint.engines.placement.assignment.parts import (
    Guide,
    Relaxed,
    clusters,
    guide_to,
    of_clusters,
    roomy,
    within_sites,
)
from tripoint.engines.placement.assignment.problem import Assignment, bill
from tripoint.engines.placement.assignment.restrict import with_choices, with_free
from tripoint.engines.placement.assignment.search import Effort, Found, search
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import IntArray
from tripoint.usecases.assign import assign

FEW = settings(max_examples=12, deadline=None)
SMALL = Effort(gap=1e-4, seconds=120.0, rounds=6, steps=200, part_nodes=2_000, part_seconds=60.0)
"""Limits that do not depend on the clock."""
SEEDS = st.integers(0, 10_000)


def tiny(seed: int, workloads: int = 3) -> Assignment:
    """So few workloads that every assignment can be tried; volumes small enough that apart and together compete."""
    problem = draw(workloads, 20, seed)
    return replace(problem, pair_gb=problem.pair_gb * 10.0)


def best_of_all(problem: Assignment) -> float:
    """The cheapest allowed assignment, by trying every one; infinite when none is allowed."""
    ranges = [range(a, b) for a, b in itertools.pairwise(problem.starts.tolist())]
    bills = (bill(problem, np.array(chosen, dtype=np.int32)) for chosen in itertools.product(*ranges))
    return min((found.usd for found in bills if found.excess == 0.0), default=float("inf"))


def some_prices(layout: Layout, seed: int) -> Prices:
    """Prices drawn at random."""
    draw_ = np.random.default_rng(seed)
    problem = layout.problem
    return Prices(
        gpu=draw_.uniform(0.0, 2.0, problem.offers) * problem.node_usd / 8.0,
        gbps=draw_.uniform(0.0, 500.0, problem.sites),
        kw=np.where(np.isfinite(problem.power_kw), draw_.uniform(0.0, 900.0, problem.sites), 0.0),
        apart=draw_.uniform(0.0, 1.0, len(layout.pair)),
    )


def any_choice(problem: Assignment, seed: int) -> IntArray:
    """An assignment drawn at random, allowed or not."""
    counts = np.diff(problem.starts)
    return (problem.starts[:-1] + np.random.default_rng(seed).integers(0, counts)).astype(np.int32)


@FEW
@given(SEEDS, SEEDS)
def test_whatever_the_prices_the_bound_is_below_the_best(seed: int, other: int) -> None:
    """The relaxation may only leave out, never ask too much."""
    problem = tiny(seed)
    best = best_of_all(problem)
    assume(math.isfinite(best))
    layout = lay_out(problem)
    assert bound_at(layout, some_prices(layout, other)) <= best + 1e-6 * best
    assert DualAscent(layout).run(100).usd <= best + 1e-6 * best


@FEW
@given(SEEDS)
def test_the_search_meets_the_best_of_all_assignments(seed: int) -> None:
    """On estates small enough to try everything: bound <= optimum, and the cost is the optimum within the gap."""
    problem = tiny(seed)
    best = best_of_all(problem)
    assume(math.isfinite(best))
    found = assign(problem, SMALL, HighsSolver())
    assert found.bound <= best * (1 + 1e-6)
    assert found.usd == pytest.approx(bill(problem, found.chosen).usd)
    assert bill(problem, found.chosen).excess == 0.0
    assert best * (1 - 1e-9) <= found.usd <= best * (1 + 1e-3)


@FEW
@given(SEEDS, SEEDS)
def test_the_program_prices_an_assignment_as_its_bill_does(seed: int, other: int) -> None:
    """Columns of an assignment cost what its bill says; an allowed one breaks no row, one that is not breaks some."""
    problem = draw(12, 20, seed)
    layout = lay_out(problem)
    chosen = any_choice(problem, other)
    program, columns = formulate(layout), values(layout, chosen)
    paid = bill(problem, chosen)
    assert program.cost @ columns == pytest.approx(paid.usd)
    assert (program.worst_violation(columns) < 1e-5) == (paid.excess == 0.0)
    assert chosen_of(layout, columns).tolist() == chosen.tolist()


@FEW
@given(SEEDS, SEEDS)
def test_holding_workloads_changes_no_difference(seed: int, other: int) -> None:
    """Of two assignments that differ in free workloads only, the part sees the same difference in cost."""
    problem = draw(12, 20, seed)
    one, two = any_choice(problem, other), any_choice(problem, other + 1)
    free = np.random.default_rng(other).random(problem.workloads) < 0.5
    assume(free.any())
    two = np.where(free, two, one).astype(np.int32)
    part = with_free(problem, one, free, np.ones(problem.choices, dtype=np.bool_))
    inner = [bill(part.problem, part.inner(chosen)).usd for chosen in (one, two)]
    assert inner[1] - inner[0] == pytest.approx(bill(problem, two).usd - bill(problem, one).usd, abs=1e-5)


def some_guide(problem: Assignment, seed: int) -> Guide:
    """Prices and a relaxation drawn at random."""
    layout = lay_out(problem)
    prices = some_prices(layout, seed)
    shares = np.zeros(problem.choices)
    shares[any_choice(problem, seed)] = 1.0
    return guide_to(layout, prices, reduced_costs(layout, prices), shares)


def wander(problem: Assignment, chosen: IntArray, seed: int) -> IntArray:
    """Moves drawn at random, each taken where the assignment stays as allowed as it was."""
    random = np.random.default_rng(seed)
    before = bill(problem, chosen).excess
    for workload in random.integers(0, problem.workloads, 30).tolist():
        moved = chosen.copy()
        moved[workload] = random.integers(problem.starts[workload], problem.starts[workload + 1])
        if bill(problem, moved).excess <= before:
            chosen = moved
    return chosen


def roomy_draw(workloads: int, seed: int) -> tuple[Assignment, IntArray]:
    """An estate with room for the assignment that comes with it, and for a little more."""
    problem = draw(workloads, 20, seed)
    chosen = any_choice(problem, seed)
    site = problem.site[problem.offer[chosen]]
    nodes = bill(problem, chosen).nodes
    kw = np.bincount(problem.site, nodes * problem.node_kw, problem.sites)
    return (
        replace(
            problem,
            most_nodes=np.maximum(problem.most_nodes, nodes + 1.0),
            power_kw=np.maximum(problem.power_kw, 1.2 * kw),
            uplink_gbps=np.maximum(problem.uplink_gbps, 1.2 * np.bincount(site, problem.gbps, problem.sites)),
        ),
        chosen,
    )


@FEW
@given(SEEDS, st.integers(2, 4))
def test_parts_within_sites_do_not_touch(seed: int, groups: int) -> None:
    """What several parts save, put together, is the sum of what each saves alone."""
    problem = draw(30, 20, seed)
    chosen = any_choice(problem, seed)
    draws = np.random.default_rng(seed)
    parts = within_sites(some_guide(problem, seed), chosen, draws, 10, groups)
    together, saved = chosen.copy(), 0.0
    for part in parts:
        alone = chosen.copy()
        alone[part.workload] = part.choice[any_choice(part.problem, seed)]
        saved += bill(problem, chosen).usd - bill(problem, alone).usd
        together[part.workload] = alone[part.workload]
    assert sum(len(part.workload) for part in parts) == len({w for part in parts for w in part.workload.tolist()})
    assert bill(problem, chosen).usd - bill(problem, together).usd == pytest.approx(saved, abs=1e-4)


@FEW
@given(SEEDS, st.integers(1, 4), st.integers(1, 3))
def test_parts_of_one_round_together_save_what_each_saves(seed: int, groups: int, near: int) -> None:
    """Whatever allowed moves each part makes on its own, all of them are allowed, and save no less than their sum."""
    problem, chosen = roomy_draw(40, seed)
    guide = some_guide(problem, seed)
    parts = of_clusters(guide, chosen, np.random.default_rng(seed), 12, near, groups)
    assert parts
    together, saved = chosen.copy(), 0.0
    for number, part in enumerate(parts):
        before = part.inner(chosen)
        assert part.choice[before].tolist() == chosen[part.workload].tolist()
        assert bill(part.problem, before).excess == 0.0
        after = wander(part.problem, before, seed + number)
        saved += bill(part.problem, before).usd - bill(part.problem, after).usd
        together[part.workload] = part.choice[after]
    paid, now = bill(problem, chosen), bill(problem, together)
    assert now.excess == 0.0
    assert paid.usd - now.usd >= saved - 1e-6 * paid.usd
    freed = [set(part.workload.tolist()) for part in parts]
    assert sum(map(len, freed)) == len(set().union(*freed))


@FEW
@given(SEEDS)
def test_a_part_alone_may_save_all_there_is(seed: int) -> None:
    """With one group, all choices and room to draw every workload, the part is the whole problem."""
    problem, chosen = roomy_draw(12, seed)
    guide = some_guide(problem, seed)
    (part,) = of_clusters(guide, chosen, np.random.default_rng(seed), 12, problem.offers, 1)
    assert part.problem.choices == problem.choices
    other = any_choice(problem, seed + 1)
    assert bill(part.problem, other).usd == pytest.approx(bill(problem, other).usd)
    assert bill(part.problem, other).excess == pytest.approx(bill(problem, other).excess)


@FEW
@given(SEEDS)
def test_what_pairs_connect_is_one_cluster(seed: int) -> None:
    """Both ends of a pair have one number; numbers are 0 to their count, and large clusters are cut up."""
    problem = draw(60, 20, seed)
    number = clusters(problem)
    assert (number[problem.sender] == number[problem.receiver]).all()
    assert np.bincount(number).all()
    is_paired = np.isin(np.arange(problem.workloads), np.concatenate([problem.sender, problem.receiver]))
    assert (np.bincount(number)[number[~is_paired]] == 1).all()
    chain = replace(
        problem,
        sender=np.arange(59, dtype=np.int32),
        receiver=np.arange(1, 60, dtype=np.int32),
        pair_gb=np.ones(59),
    )
    assert np.bincount(clusters(chain)).tolist() == [30, 30]


@FEW
@given(SEEDS, SEEDS)
def test_what_places_cost_above_the_bound_is_part_of_the_gap(seed: int, other: int) -> None:
    """Summed over workloads, excess at any prices is never more than cost less bound: the rest is what stands idle."""
    problem, chosen = roomy_draw(30, seed)
    layout = lay_out(problem)
    prices = some_prices(layout, other)
    above = above_least(layout, prices, reduced_costs(layout, prices), chosen)
    assert (above >= 0.0).all()
    assert above.sum() <= bill(problem, chosen).usd - bound_at(layout, prices) + 1e-6 * abs(above.sum())


@FEW
@given(SEEDS)
def test_one_more_choice_never_costs_more(seed: int) -> None:
    """A choice taken away may only raise the optimum."""
    problem = tiny(seed)
    kept = np.random.default_rng(seed).random(problem.choices) < 0.7
    kept[problem.starts[:-1]] = True
    assert best_of_all(problem) <= best_of_all(with_choices(problem, kept).problem) + 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_parts_reach_what_the_whole_program_reaches(seed: int) -> None:
    """Two hundred workloads: cost and bound of the parts agree with HiGHS on the whole program, within both gaps."""
    problem = draw(200, 20, seed)
    layout = lay_out(problem)
    assert layout.columns > 2_500
    whole = highs(formulate(layout), gap=3e-2, nodes=1)
    found = assign(problem, replace(SMALL, gap=2e-2, rounds=2, part_nodes=1, cuts=False), HighsSolver())
    assert found.strategy == "decomposition"
    assert found.bound <= whole.objective * (1 + 1e-9)
    assert whole.bound <= found.usd * (1 + 1e-9)
    assert found.gap <= 0.06
    assert found.usd == pytest.approx(bill(problem, found.chosen).usd)


@pytest.mark.slow
def test_the_same_search_twice_is_the_same() -> None:
    """Limits that do not depend on the clock give the same assignment, round by round."""
    problem = draw(220, 20, 1)
    effort = replace(SMALL, part=40, gap=0.0, rounds=2, part_nodes=1, cuts=False)
    one, two = (assign(problem, effort, HighsSolver()) for _ in range(2))
    assert one.chosen.tolist() == two.chosen.tolist()
    assert [step[1:] for step in one.path] == [step[1:] for step in two.path]


def test_scaling_money_scales_the_answer() -> None:
    """Prices in cents instead of dollars: a hundred times the cost and the bound, the same places."""
    problem = draw(220, 20, 2)
    cents = replace(
        problem,
        usd=problem.usd * 100,
        node_usd=problem.node_usd * 100,
        open_usd=problem.open_usd * 100,
        egress_usd=problem.egress_usd * 100,
    )
    effort = replace(SMALL, rounds=0, part_nodes=1, cuts=False)
    one, two = assign(problem, effort, HighsSolver()), assign(cents, effort, HighsSolver())
    assert two.bound == pytest.approx(one.bound * 100, rel=1e-3)
    assert two.usd == pytest.approx(one.usd * 100, rel=1e-2)


@FEW
@given(SEEDS)
def test_smaller_units_of_volume_change_nothing(seed: int) -> None:
    """Megabytes for gigabytes, megabits for gigabits: the same best of all, the same cost, a bound as good."""
    problem = tiny(seed)
    smaller = replace(
        problem,
        pair_gb=problem.pair_gb * 1000,
        egress_usd=problem.egress_usd / 1000,
        gbps=problem.gbps * 1000,
        uplink_gbps=problem.uplink_gbps * 1000,
    )
    best = best_of_all(problem)
    assert best_of_all(smaller) == pytest.approx(best)
    assume(math.isfinite(best))
    one, two = (assign(each, replace(SMALL, gap=0.0), HighsSolver()) for each in (problem, smaller))
    assert two.usd == pytest.approx(one.usd, rel=1e-6)
    assert two.bound == pytest.approx(one.bound, rel=1e-6)


@pytest.mark.slow
def test_every_step_of_the_path_is_a_certificate() -> None:
    """Costs only fall, bounds only rise, and no bound passes a cost."""
    found: Found = assign(draw(220, 20, 3), replace(SMALL, part=40, part_nodes=1, rounds=3), HighsSolver())
    costs, bounds = [step[1] for step in found.path], [step[2] for step in found.path]
    assert costs == sorted(costs, reverse=True)
    assert bounds == sorted(bounds)
    assert all(bound <= cost for cost, bound in zip(costs, bounds, strict=True))


def test_nothing_allowed_is_told() -> None:
    """Uplinks too narrow for anything: no assignment, an infinite cost and a gap without end."""
    problem = draw(20, 20, 4)
    found = assign(replace(problem, uplink_gbps=problem.uplink_gbps * 0.0), SMALL, HighsSolver())
    assert not found.chosen.size
    assert (found.usd, found.gap) == (float("inf"), float("inf"))


def test_the_search_asks_before_it_knows_the_time() -> None:
    """It is a generator: its first batch is the kernel's relaxation, without a solver or a clock in sight."""
    batch = next(search(draw(220, 20, 5), SMALL))
    assert len(batch.tasks) == 1
    assert not batch.tasks[0].program.integers


def thrice(problem: Assignment) -> Assignment:
    """Every workload three times over, with room for all of them; pairs stay between the first of each."""
    counts = np.diff(problem.starts)
    return replace(
        problem,
        starts=np.concatenate([[0], np.cumsum(np.tile(counts, 3))]).astype(np.int32),
        offer=np.tile(problem.offer, 3),
        gpus=np.tile(problem.gpus, 3),
        usd=np.tile(problem.usd, 3),
        gbps=np.tile(problem.gbps, 3),
        uplink_gbps=problem.uplink_gbps * 3,
    )


@FEW
@given(SEEDS, SEEDS)
def test_workloads_that_are_alike_are_counted_and_come_apart_again(seed: int, other: int) -> None:
    """Any assignment survives the way through the counted program at the same cost, allowed or not."""
    problem = thrice(draw(8, 20, seed))
    counted = count(problem)
    assert counted.layout.problem.workloads < problem.workloads
    chosen = any_choice(problem, other)
    program, columns = counted.program(), counted.values(chosen)
    back, paid = counted.chosen(columns), bill(problem, chosen)
    assert bill(problem, back).usd == pytest.approx(paid.usd)
    assert (np.diff(problem.starts) > back - problem.starts[:-1]).all()
    assert (back >= problem.starts[:-1]).all()
    assert program.cost @ columns == pytest.approx(paid.usd)
    assert (program.worst_violation(columns) < 1e-5) == (paid.excess == 0.0)


@FEW
@given(SEEDS)
def test_counting_changes_no_optimum(seed: int) -> None:
    """The program of counted workloads costs as much as the one that tells all of them apart."""
    problem = thrice(draw(3, 20, seed))
    apart, counted = highs(formulate(lay_out(problem)), gap=0.0), highs(count(problem).program(), gap=0.0)
    assume(apart.values.size > 0)
    assert counted.objective == pytest.approx(apart.objective, rel=1e-6)


@FEW
@given(SEEDS, SEEDS)
def test_choices_nobody_needs_change_no_optimum(seed: int, other: int) -> None:
    """What stays holds the best of all assignments, and is less where choices take no GPUs."""
    problem = tiny(seed)
    problem = replace(
        problem, gpus=np.where(np.random.default_rng(other).random(problem.choices) < 0.6, 0.0, problem.gpus)
    )
    kept = needed(problem)
    assert np.add.reduceat(kept, problem.starts[:-1]).all()
    assert best_of_all(with_choices(problem, kept).problem) == pytest.approx(best_of_all(problem))


def test_of_many_choices_without_gpus_one_stays_at_each_site() -> None:
    """The cheapest; of two that cost the same the first."""
    problem = draw(2, 20, 1)
    free = replace(problem, gpus=np.zeros(problem.choices), usd=np.ones(problem.choices))
    places = free.owner() * free.sites + free.site[free.offer]
    kept = np.flatnonzero(needed(free))
    assert places[kept].tolist() == np.unique(places).tolist()
    assert all((places[:choice] != places[choice]).all() for choice in kept.tolist())
    found = assign(free, SMALL, HighsSolver())
    assert found.usd == pytest.approx(best_of_all(with_choices(free, needed(free)).problem))


@FEW
@given(SEEDS)
@example(580)  # one is split into 0.9995 and the rest
def test_a_workload_that_is_split_gets_a_choice_with_room_for_all_of_it(seed: int) -> None:
    """At most one each, none for those the relaxation leaves whole, and enough nodes are left where it is."""
    problem = draw(40, 20, seed)
    layout = lay_out(problem)
    relaxed = highs(relaxation(formulate(layout)))
    assume(relaxed.values.size > 0)
    columns = relaxed.values
    point = Relaxed(
        shares=columns[: problem.choices],
        nodes=columns[layout.nodes_at : layout.open_at],
        opened=columns[layout.open_at : layout.apart_at],
    )
    found = np.flatnonzero(roomy(problem, point, layout.usd))
    owner = layout.owner[found]
    assert len(set(owner.tolist())) == len(found)
    whole = np.maximum.reduceat(point.shares, problem.starts[:-1]) > 0.999
    assert not whole[owner].any()
    offer = problem.offer[found]
    assert (8.0 * (problem.most_nodes - point.nodes)[offer] >= problem.gpus[found]).all()
    assert np.isinf(problem.power_kw[problem.site[offer]]).all()


def test_a_rough_first_plan_is_allowed_and_improved(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the largest sizes begin with, on a small one: a plan, a bound below it, and rounds that only save."""
    monkeypatch.setattr("tripoint.engines.placement.assignment.search._ROUGH_COLUMNS", 0)
    monkeypatch.setattr("tripoint.engines.placement.assignment.search._SIZE_OF_CUTS", 0)
    problem = draw(220, 20, 6)
    found = assign(problem, replace(SMALL, part=40, rounds=3, part_nodes=1, cuts=False), HighsSolver())
    assert found.strategy == "decomposition"
    assert found.rounds == 3
    assert bill(problem, found.chosen).excess == 0.0
    assert found.bound <= found.usd == pytest.approx(bill(problem, found.chosen).usd)
    assert found.gap < 0.2
