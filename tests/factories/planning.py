"""Tiny planning instances for the placement tests, on the shipped catalogue."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolveLimits
from tripoint.engines.placement.outcome import Outcome, solve_instance


@cache
def catalog() -> Catalog:
    """The shipped catalogue, read once."""
    return load_catalog()


def highs(program: Program, *, gap: float = 1e-6, nodes: int | None = 20_000) -> Solution:
    """HiGHS with limits that do not depend on the clock."""
    limits = SolveLimits(gap=gap, seconds=120.0, nodes=nodes, threads=1)
    return HighsSolver().solve(program, limits, lambda state: None, lambda: False)


def instance_of(estate: Estate, **assumptions: float) -> Instance:
    """The instance of an estate, with some of tripoint's defaults replaced."""
    return prepare(replace(estate, assumptions={**estate.assumptions, **assumptions}), catalog(), {})


def planned(estate: Estate) -> Outcome:
    """The solved instance of an estate."""
    return solve_instance(instance_of(estate), highs)
