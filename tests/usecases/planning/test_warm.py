"""Planning again begins where the simplex ended on the relaxation before the change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from tests.factories.placement import chat, hall, place, placement_catalog

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.milp.asking import Answers
from tripoint.engines.placement.milp.program import (
    WITHIN,
    FloatArray,
    Program,
    ProgramBuilder,
    Solution,
    SolveLimits,
    SolveProgress,
)
from tripoint.engines.placement.proof.carry import Carried
from tripoint.engines.placement.proof.kept import unpacked
from tripoint.engines.placement.revise import Known, revised
from tripoint.usecases.drive import drive
from tripoint.usecases.plan import PlanOptions, plan

DAY = date(2026, 11, 22)
LIMITS = SolveLimits(gap=1e-6, seconds=2.0, nodes=2_000, threads=1)


@dataclass(frozen=True, slots=True)
class Listening:
    """HiGHS, and where it was told to begin on each linear program."""

    begun: list[bytes | None] = field(default_factory=list)

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """As HiGHS does."""
        if not program.integers:
            self.begun.append(limits.basis)
        return HighsSolver().solve(program, limits, progress, should_stop, start)


def planned(estate: Estate, solver: Listening, previous: Plan | None = None) -> Plan:
    """The plan of an estate, from an earlier one where given."""
    loaded = LoadedEstate(estate=estate, profiles={}, digest="sha256:drawn")
    options = PlanOptions(gap=1e-6, nodes=5_000, threads=1, baselines=False, previous=previous)
    return plan(loaded, placement_catalog(), solver, options, today=DAY)


def basis_of(found: Plan) -> bytes:
    """What the plan keeps of it."""
    before = unpacked(found.proof)
    assert before is not None
    return before.basis


def test_a_plan_solved_whole_keeps_where_the_simplex_ends_and_the_next_begins_there() -> None:
    """A status for each column and row of the program; the plan after it keeps one as well. An earlier plan without
    it is planned from as before."""
    estate = place(hall(), hall("hall-2"), workloads=(chat(),))
    first = planned(estate, Listening())
    assert first.solve is not None
    basis = basis_of(first)
    assert len(basis) == first.solve.columns + first.solve.rows
    grown = replace(estate, workloads=tuple(replace(each, growth_per_year=1.0) for each in estate.workloads))
    for earlier, begins in ((first, basis), (replace(first, proof=first.proof.rpartition(":")[0]), b"")):
        listening = Listening()
        second = planned(grown, listening, earlier)
        assert second.solve is not None
        assert second.solve.strategy == "warm"
        assert listening.begun == [begins]
        assert len(basis_of(second)) == len(basis)


def at_either() -> Program:
    """One unit at the first of two places or at the second."""
    builder = ProgramBuilder()
    here, there = (builder.column(f"present[w,{name},p0]", upper=1.0, integer=True) for name in ("a", "b"))
    builder.row("demand", "w", [(here, 1.0), (there, 1.0)], lower=1.0, upper=1.0)
    return builder.build([100.0, 90.0])


def test_a_proof_that_became_a_row_is_within_where_the_simplex_begins() -> None:
    """The relaxation with the proof has one row more than the one without it, which begins as it ended."""
    program, before = at_either(), bytes([1, 0, 0])
    proven = Carried(weights=program.cost * 0.9, least=89.0, bound=89.0)
    known = Known(proven=proven, basis=before)
    asking = revised(program, LIMITS, np.array([1.0, 0.0]), known)
    (held,) = next(asking).tasks
    found = HighsSolver().solve(held.program, held.limits, lambda state: None, lambda: False)
    batch = asking.send(Answers(solutions=(found,), bound=-np.inf, seconds=0.5))
    assert [task.limits.basis for task in batch.tasks] == [before, before + WITHIN]
    asking.close()
    answer = drive(revised(program, LIMITS, np.array([1.0, 0.0]), known), HighsSolver(), threads=1)
    assert answer.objective == 90.0
    assert len(answer.basis) == len(before)
