"""Jobs that hand data on: the program finds what trying everything finds, and never proves too much."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.engines.costing.transfer import Tariff, Tier, normalised
from tripoint.engines.placement.assignment.problem import Assignment
from tripoint.engines.placement.assignment.search import Effort
from tripoint.engines.placement.handover.descent import descended, first_choice
from tripoint.engines.placement.handover.dominated import without_dominated
from tripoint.engines.placement.handover.formulate import formulate
from tripoint.engines.placement.handover.problem import FREE, Handovers, account, at_least
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.program import IntArray, SolveLimits
from tripoint.usecases.assign import assign

FEW = settings(max_examples=60, deadline=None)
EXACT = SolveLimits(gap=0.0, seconds=60.0, threads=1)
NEAR = 1e-5
"""Solvers stop within about so many dollars of the optimum."""
TIERS: tuple[tuple[Tier, ...], ...] = (
    ((0.0, None, 0.5),),
    ((0.0, 40.0, 0.0), (40.0, None, 0.5)),
    ((0.0, 30.0, 0.9), (30.0, 90.0, 0.6), (90.0, None, 0.2)),
    ((0.0, 20.0, 0.0), (20.0, 60.0, 0.8), (60.0, None, 0.3)),
    ((0.0, 50.0, 0.2), (50.0, None, 0.7)),
)


@st.composite
def problems(draw: st.DrawFn) -> Handovers:
    """Few stages and places, tariffs that rise, fall and begin free, shared by some ways out of a place."""
    places, stages = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cell = st.one_of(st.integers(0, 60), st.just(float("inf")))
    usd = np.array([[draw(cell) for _ in range(places)] for _ in range(stages)], dtype=np.float64)
    for stage in range(stages):
        usd[stage, draw(st.integers(0, places - 1))] = draw(st.integers(0, 60))
    pairs = list(itertools.combinations(range(stages), 2))
    edges = draw(st.lists(st.sampled_from(pairs), max_size=5)) if pairs else []
    tariffs: list[Tariff] = []
    table = np.full((places, places), FREE, dtype=np.int32)
    for place in range(places):
        own = [FREE, *range(len(tariffs))]  # regions of a provider share tariffs
        for tiers in draw(st.lists(st.sampled_from(TIERS), min_size=1, max_size=2)):
            own.append(len(tariffs))
            tariffs.append(Tariff(provider=str(place), path="any", tiers=normalised(tiers), basis=()))
        for target in range(places):
            if target != place:
                table[place, target] = draw(st.sampled_from(own))
    return Handovers(
        usd=usd,
        sender=np.array([a for a, _ in edges], dtype=np.int32),
        receiver=np.array([b for _, b in edges], dtype=np.int32),
        gb=np.array([draw(st.integers(0, 80)) for _ in edges], dtype=np.float64),
        tariff=table,
        tariffs=tuple(tariffs),
    )


def best_of_all(problem: Handovers) -> float:
    """The least any choice of places costs, by trying every one."""
    allowed = [np.flatnonzero(row).tolist() for row in problem.may()]
    return min(account(problem, np.array(at, dtype=np.int32)).usd for at in itertools.product(*allowed))


def solved(problem: Handovers) -> tuple[IntArray, float]:
    """Places and bound."""
    form = formulate(problem)
    found = HighsSolver().solve(form.program, EXACT, lambda state: None, lambda: False)
    return form.chosen(found.values), found.bound


@FEW
@given(problems())
def test_the_program_finds_the_cheapest_choice_and_proves_it(problem: Handovers) -> None:
    """Equal to trying everything; no bound above it; no stage where it may not be."""
    at, bound = solved(problem)
    best = best_of_all(problem)
    assert all(problem.may()[np.arange(problem.stages), at])
    assert abs(account(problem, at).usd - best) <= NEAR
    assert abs(bound - best) <= NEAR


@FEW
@given(problems())
def test_the_relaxation_is_below_every_choice(problem: Handovers) -> None:
    """Rows that sharpen it cut no choice off."""
    form = formulate(problem)
    found = HighsSolver().solve(relaxation(form.program), EXACT, lambda state: None, lambda: False)
    assert found.objective <= best_of_all(problem) + NEAR


@FEW
@given(problems(), st.floats(1.0, 3.0))
def test_more_data_never_costs_less(problem: Handovers, factor: float) -> None:
    """Whatever the tiers, at the best places and at any given ones."""
    larger = replace(problem, gb=problem.gb * factor)
    at, _ = solved(problem)
    assert account(larger, at).usd >= account(problem, at).usd - NEAR
    assert best_of_all(larger) >= best_of_all(problem) - NEAR


@FEW
@given(problems())
def test_what_moves_cost_adds_up(problem: Handovers) -> None:
    """Stages and moves are all there is, and nothing that stays is charged."""
    at, _ = solved(problem)
    found = account(problem, at)
    assert abs(problem.usd[np.arange(problem.stages), at].sum() + found.move_usd.sum() - found.usd) <= NEAR
    stays = at[problem.sender] == at[problem.receiver]
    assert not found.move_usd[stays].any()


@FEW
@given(problems())
def test_where_a_gb_costs_the_same_wherever_it_goes_an_assignment_says_the_same(problem: Handovers) -> None:
    """One flat tariff for each place: the search for thousands of workloads ends at the same sum."""
    places = len(problem.tariff)
    price = np.arange(1, places + 1) / 4.0
    table = np.where(np.eye(places, dtype=np.bool_), FREE, np.arange(places)[:, None]).astype(np.int32)
    flat = tuple(Tariff(provider="", path="", tiers=((0.0, None, float(each)),), basis=()) for each in price)
    alike = replace(problem, tariff=table, tariffs=flat)
    at, _ = solved(alike)
    found = assign(as_assignment(alike, price.tolist()), Effort(gap=0.0, threads=1), HighsSolver())
    assert abs(account(alike, at).usd - found.usd) <= NEAR


@FEW
@given(problems())
def test_leaving_dominated_places_out_loses_nothing(problem: Handovers) -> None:
    """The cheapest choice costs the same, every stage keeps a place, and none gains one."""
    lean = without_dominated(problem)
    assert lean.may().any(axis=1).all()
    assert not (lean.may() & ~problem.may()).any()
    assert abs(best_of_all(lean) - best_of_all(problem)) <= NEAR


def test_a_place_that_is_dearer_than_any_way_to_another_is_left_out() -> None:
    """One GB between two places costs half a dollar; a stage that is ten dollars dearer there never goes."""
    problem = Handovers(
        usd=np.array([[1.0, 11.0], [1.0, 1.2]]),
        sender=np.array([0], dtype=np.int32),
        receiver=np.array([1], dtype=np.int32),
        gb=np.array([1.0]),
        tariff=np.array([[FREE, 0], [1, FREE]], dtype=np.int32),
        tariffs=tuple(Tariff(provider=name, path="", tiers=((0.0, None, 0.5),), basis=()) for name in "ab"),
    )
    assert without_dominated(problem).may().tolist() == [[True, False], [True, False]]


def test_of_places_that_are_alike_each_stage_keeps_the_cheapest() -> None:
    """Two regions with nothing charged between them and one tariff out and in; the third stands by itself."""
    table = np.array([[FREE, FREE, 0], [FREE, FREE, 0], [1, 1, FREE]], dtype=np.int32)
    problem = Handovers(
        usd=np.array([[3.0, 2.0, 2.5], [1.0, 1.0, 1.5]]),
        sender=np.array([0], dtype=np.int32),
        receiver=np.array([1], dtype=np.int32),
        gb=np.array([100.0]),
        tariff=table,
        tariffs=tuple(Tariff(provider=name, path="", tiers=((0.0, None, 0.5),), basis=()) for name in "ab"),
    )
    assert without_dominated(problem).may().tolist() == [[False, True, True], [True, False, True]]
    assert best_of_all(without_dominated(problem)) == best_of_all(problem) == 3.0


@FEW
@given(problems())
def test_a_choice_has_columns_the_program_allows_at_the_same_cost(problem: Handovers) -> None:
    """What a solver begins from breaks no row, and costs what the account says."""
    form = formulate(problem)
    for at in (first_choice(problem), solved(problem)[0]):
        values = form.values(problem, at)
        assert form.program.worst_violation(values) <= NEAR
        assert abs(float(form.program.cost @ values) - account(problem, at).usd) <= NEAR
        assert form.chosen(values).tolist() == at.tolist()


@FEW
@given(problems())
def test_a_descent_ends_where_no_stage_gains_alone(problem: Handovers) -> None:
    """It never gets dearer, stays where stages may be, and is not below what anything costs at least."""
    start = np.array([np.flatnonzero(row)[-1] for row in problem.may()], dtype=np.int32)
    at = descended(problem, start)
    usd = account(problem, at).usd
    assert problem.may()[np.arange(problem.stages), at].all()
    assert at_least(problem) - NEAR <= usd <= account(problem, start).usd + NEAR
    for stage, place in zip(*np.nonzero(problem.may()), strict=True):
        other = at.copy()
        other[stage] = place
        assert account(problem, other).usd >= usd - NEAR


def as_assignment(problem: Handovers, usd_per_gb: list[float]) -> Assignment:
    """The same as workloads on offers without limits, one offer and one site for each place."""
    may, places = problem.may(), len(problem.tariff)
    stage, place = np.nonzero(may)
    none, endless = np.zeros(places), np.full(places, np.inf)
    return Assignment(
        starts=np.concatenate([[0], np.cumsum(may.sum(axis=1))]).astype(np.int32),
        offer=place.astype(np.int32),
        gpus=np.zeros(len(place)),
        usd=problem.usd[stage, place],
        gbps=np.zeros(problem.stages),
        site=np.arange(places, dtype=np.int32),
        node_usd=none,
        node_kw=none,
        most_nodes=none,
        open_usd=none,
        power_kw=endless,
        uplink_gbps=endless,
        egress_usd=np.array(usd_per_gb),
        sender=problem.sender,
        receiver=problem.receiver,
        pair_gb=problem.gb,
        held_gpus=none,
    )
