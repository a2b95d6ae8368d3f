"""What would make a plan possible: a limit raised, a country allowed to a workload, or two of these together.

Only the estate's own residency rules are ever waived: those of a regime are law. Nothing is planned by what is found
here; it is told to whoever may change the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from tripoint.domain.demand import DemandProfile
from tripoint.domain.units import WorkloadId
from tripoint.engines.placement.conflict import homeless
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus
from tripoint.engines.placement.why.relax import UNITS, Relaxation, limits_in, relaxations, size_of, with_column
from tripoint.engines.placement.why.worth import Limit
from tripoint.engines.sizing.policy import judge, place_of, rulebook, subject_of

_MOST_WAIVERS = 4
_MOST_LIMITS = 4
_MOST_PAIRS = 12
_TINY = 1e-6

Solve = Callable[[Program], Solution]


class Waiver(NamedTuple):
    """A country allowed to a workload that the estate's own residency rules keep out of it."""

    workload: str
    """Workload id."""
    country: str
    """Alpha-2."""

    def __str__(self) -> str:
        """As a person reads it."""
        return f"allow `{self.country}` for `{self.workload}`"


Step = Relaxation | Waiver


class Trouble(NamedTuple):
    """An estate without a plan, and what it is asked with."""

    instance: Instance
    """What was planned."""
    profiles: Mapping[WorkloadId, DemandProfile]
    """Its demand profiles."""
    families: tuple[str, ...]
    """Families in conflict."""
    told: tuple[str, ...]
    """The rows that give, as told."""
    solve: Solve
    """Solves to any plan, or to the least of a raise."""


def ways_out(trouble: Trouble) -> tuple[tuple[Step, ...], ...]:
    """Each a way that would do: single steps where there are any, else pairs of which neither would do alone."""
    waivers = waivers_in(trouble)
    alone: list[tuple[Step, ...]] = []
    is_housed = homeless(trouble.instance) is None
    program = formulate(trouble.instance)[0].program() if is_housed else None
    if program is not None:
        alone += [(each,) for each in relaxations(program, trouble.instance, trouble.families, trouble.solve)]
    alone += [(each,) for each in waivers if _opens(trouble, (each,))]
    return tuple(alone) or _pairs(trouble, program, waivers)


def waivers_in(trouble: Trouble) -> tuple[Waiver, ...]:
    """Countries that only the estate's own rules close to a workload, workloads in the conflict first."""
    estate, catalog = trouble.instance.estate, trouble.instance.catalog
    plain = rulebook(estate, catalog)
    places = [place_of(site, catalog) for site in estate.sites]
    found: list[Waiver] = []
    for workload in estate.workloads:
        subject = subject_of(workload, estate, catalog)
        for place in places:
            waiver = Waiver(str(workload.id), (place.country or "").upper())
            opened = replace(plain, waived=frozenset({waiver}))
            if place.country and judge(place, subject, plain) is not None and judge(place, subject, opened) is None:
                found.append(waiver)
    housed = {lane.workload for lane in trouble.instance.lanes}
    lost = {str(each.id) for number, each in enumerate(estate.workloads) if number not in housed}
    if lost:
        found = [each for each in found if each.workload in lost]
    named = [any(f"`{each.workload}`" in line for line in trouble.told) for each in found]
    order = sorted(range(len(found)), key=lambda number: (not named[number], number))
    return tuple(dict.fromkeys(found[number] for number in order))[:_MOST_WAIVERS]


def _opened(trouble: Trouble, waivers: tuple[Waiver, ...]) -> Instance:
    instance = trouble.instance
    waived = frozenset((each.workload, each.country) for each in waivers)
    return prepare(instance.estate, instance.catalog, trouble.profiles, waived=waived)


def _opens(trouble: Trouble, waivers: tuple[Waiver, ...]) -> bool:
    """Whether a plan exists with these countries allowed."""
    instance = _opened(trouble, waivers)
    if homeless(instance) is not None:
        return False
    program = formulate(instance)[0].program()
    return bool(trouble.solve(replace(program, cost=np.zeros(program.columns))).values.size)


def _pairs(trouble: Trouble, program: Program | None, waivers: tuple[Waiver, ...]) -> tuple[tuple[Step, ...], ...]:
    found: list[tuple[Step, ...]] = [pair for pair in combinations(waivers, 2) if _opens(trouble, pair)]
    if program is not None:
        limits = limits_in(program, trouble.instance, trouble.families)[:_MOST_LIMITS]
        for pair in list(combinations(limits, 2))[:_MOST_PAIRS]:
            both = _raised(program, pair, trouble.solve)
            if len(both) == len(pair):
                found.append(both)
    families = tuple(UNITS) if program is None else trouble.families
    for waiver in waivers:
        instance = _opened(trouble, (waiver,))
        if homeless(instance) is None:
            opened = formulate(instance)[0].program()
            for limit in limits_in(opened, instance, families)[:_MOST_LIMITS]:
                found += [(waiver, each) for each in _raised(opened, (limit,), trouble.solve)]
    return tuple(found)


def _raised(program: Program, limits: tuple[Limit, ...], solve: Solve) -> tuple[Relaxation, ...]:
    """The least raise of these limits together, each measured by its size; none where they do not do."""
    first = program.columns
    program = replace(program, cost=np.zeros(first))
    for limit in limits:
        program = with_column(program, limit, 1.0 / size_of(program, limit))
    solution = solve(program)
    if solution.status is not SolutionStatus.OPTIMAL:
        return ()
    units = solution.values[first:].tolist()
    return tuple(Relaxation(limit, each) for limit, each in zip(limits, units, strict=True) if each > _TINY)
