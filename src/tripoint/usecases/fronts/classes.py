"""The cheapest plan of each class of resilience: what being prepared for more costs."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.errors import SolverError
from tripoint.domain.front import Front
from tripoint.domain.plan import ConflictSet
from tripoint.domain.units import seconds_told
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.outcome import Outcome, solve_instance
from tripoint.engines.placement.tradeoff.front import carried, undominated
from tripoint.engines.placement.tradeoff.resilience import Grade, graded
from tripoint.usecases.fronts.run import Run, conflict, point


def by_class(run: Run, instance: Instance) -> Front:
    """The estate planned anew with its recovery objectives lowered and raised; each class asks all a lower one does."""
    grades = graded(instance)
    found: list[tuple[Grade, Outcome]] = []
    notes = list(dict.fromkeys(note for grade in grades for note in grade.notes))
    conflicts: list[ConflictSet] = []
    for grade in grades:
        if run.watch.should_stop():
            notes.append("stopped early: classes that were not tried are left out")
            break
        run.clock.enter(f"resilience: {grade.label}")
        outcome = solve_instance(prepare(grade.estate, run.catalog, run.loaded.profiles), run.solve)
        if outcome.is_infeasible:
            conflicts.append(conflict(run, outcome.program))
            notes.append(f"{grade.label}: no plan exists: {_why(conflicts[-1])}")
        elif outcome.summary is None:
            notes.append(f"{grade.label}: no plan found within {seconds_told(run.options.seconds)}")
        else:
            found.append((grade, outcome))
    if not found:
        if conflicts:
            return Front(by=run.options.by, unit="", points=(), conflict=conflicts[0])
        raise SolverError(
            f"no plan of any class found within {run.options.seconds:.0f} s each", hint="raise `--time-limit`"
        )
    proven = tuple(reversed(carried([outcome.solution for _, outcome in reversed(found)])))
    kept = undominated([(-float(grade.rank), each.objective) for (grade, _), each in zip(found, proven, strict=True)])
    points = []
    for number in sorted(kept):
        grade, outcome = found[number]
        assert outcome.summary is not None
        mine = proven[number]
        summary = replace(outcome.summary, bound_usd=mine.bound, gap=mine.gap)
        points.append(point(run, replace(outcome, solution=mine, summary=summary), grade.label, float(grade.rank)))
    return Front(
        by=run.options.by, unit="", points=tuple(points), dominated=len(found) - len(kept), notes=tuple(notes)
    )  # fmt: skip


def _why(conflict: ConflictSet) -> str:
    """The families that cannot hold together, and the first rule that gives, with both of its numbers."""
    families = " + ".join(conflict.families)
    more = f", and {len(conflict.details) - 1} more" if len(conflict.details) > 1 else ""
    return f"{families}; {conflict.details[0]}{more}" if conflict.details else families
