"""A bound by prices of what workloads share: below the optimum at any prices, at those of the relaxation as good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.planning import highs, instance_of

from tripoint.domain.estate import Estate
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.pricing import reduced_costs
from tripoint.engines.placement.milp.program import FloatArray, Program, ProgramBuilder, Solution, SolutionStatus
from tripoint.engines.placement.proof.apart import Proven, at_prices, gains, proven, repaired, split
from tripoint.testing.strategies import small_estates

pytestmark = pytest.mark.timeout(300)
FEW = settings(max_examples=15, deadline=None)
_TIGHT = 1e-6


def solved(program: Program, prices: FloatArray, hands: int = 2) -> Proven:
    """What these prices prove, each part solved."""
    at = at_prices(split(program), prices, hands)
    return proven(at, [highs(part.program) for part in at.parts])


def program_of(estate: Estate) -> Program:
    """Its program, where there is a plan of its relaxation."""
    program = formulate(instance_of(estate))[0].program()
    assume(program.columns > 0)
    return program


@FEW
@given(small_estates(), st.integers(0, 3), st.floats(0.0, 3.0))
def test_any_prices_prove_a_bound(estate: Estate, seed: int, size: float) -> None:
    """Drawn prices, of either sign and far too high ones too, are never above the optimum."""
    program = program_of(estate)
    best = highs(program)
    assume(best.values.size > 0)
    scale = size * abs(best.objective) / 100.0
    prices = np.random.default_rng(seed).normal(size=program.rows) * scale
    by = split(program)
    for each in (prices, repaired(by, prices)):
        assert solved(program, each).bound <= best.objective + _TIGHT * abs(best.objective)


@FEW
@given(small_estates(), st.integers(1, 3))
def test_prices_of_the_relaxation_prove_what_it_proves(estate: Estate, hands: int) -> None:
    """Only those of shared rows are taken; what each workload's own rows are worth is found again."""
    program = program_of(estate)
    relaxed = highs(relaxation(program))
    assume(relaxed.duals.size > 0)
    assert solved(program, relaxed.duals, hands).bound == pytest.approx(relaxed.objective, rel=1e-6, abs=1e-3)


@FEW
@given(small_estates(), st.floats(0.3, 0.99))
def test_repaired_prices_let_nothing_earn_more_than_it_did(estate: Estate, cheaper: float) -> None:
    """Everything shared got cheaper: nothing that has no end is worth buying at the prices repaired, and what has one
    earns no more above its cost than before. Where nothing changed, nothing is repaired."""
    program = program_of(estate)
    relaxed = highs(relaxation(program))
    assume(relaxed.duals.size > 0)
    by = split(program)
    shared = np.where(by.own_rows, 0.0, relaxed.duals)
    tiny = 1e-6 * max(1.0, float(np.abs(program.cost).max()))
    fallen = replace(program, cost=np.where(by.is_shared & (program.cost > 0), program.cost * cheaper, program.cost))
    prices = repaired(split(fallen), relaxed.duals, program.cost)
    before, after = reduced_costs(program, shared), reduced_costs(fallen, prices)
    endless = by.is_shared & np.isinf(program.upper)
    assert (after[endless] >= -tiny).all()
    assert (after[by.is_shared] >= np.minimum(before, 0.0)[by.is_shared] - tiny).all()
    assert repaired(by, relaxed.duals, program.cost) == pytest.approx(shared, rel=1e-6, abs=tiny)


def two_places() -> Program:
    """Two workloads at one of two places each; nodes of the first cost 5, of the second 3."""
    builder = ProgramBuilder()
    for workload in ("u", "v"):
        here = [builder.column(f"serve[{workload},{place},firm,p0,b0]", upper=1.0) for place in ("a", "b")]
        builder.row("demand", workload, [(column, 1.0) for column in here], lower=1.0, upper=1.0)
    for number, place in enumerate(("a", "b")):
        rent = builder.column(f"rent[{place},p0,b0]")
        builder.row("capacity", place, [(number, 1.0), (2 + number, 1.0), (rent, -1.0)], upper=0.0)
    return builder.build([0.0, 0.0, 0.0, 0.0, 5.0, 3.0])


def test_who_is_at_the_dearer_place_gains() -> None:
    """At what nodes cost, moving from the first place to the second saves 2; who is at the second saves nothing."""
    program = two_places()
    at = at_prices(split(program), np.array([0.0, 0.0, -5.0, -3.0]), 1)
    alone = proven(at, [highs(part.program) for part in at.parts])
    assert alone.bound == pytest.approx(6.0)
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 1.0])
    assert gains(at, values, alone.values).tolist() == pytest.approx([2.0, 0.0])


def test_a_part_that_was_not_solved_proves_nothing() -> None:
    """A limit came first: no bound, whatever the others say."""
    at = at_prices(split(two_places()), np.zeros(4), 2)
    nothing = Solution.nothing(SolutionStatus.UNKNOWN)
    assert proven(at, [highs(at.parts[0].program), nothing]).bound == -np.inf
