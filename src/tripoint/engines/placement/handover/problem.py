"""Stages that hand data on, each at one place, and what a choice of places costs.

    cost = sum of what each stage costs at its place + sum over tariffs of tariff(volume that falls under it)

A stage is a job, a read (which of the copies) or a delivery (whose place is given). All volume under one tariff adds
up, as a provider's bill for the month does. That is more than an `Assignment` can say: there a GB costs the same
wherever it goes and however many went before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripoint.engines.costing.transfer import Tariff, tariff_cost
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray

FREE = -1
"""Tariff of what nobody charges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handovers:
    """What has to be decided: a place for each stage."""

    usd: FloatArray
    """[stages, places] what a stage costs there, USD; infinite where it may not be."""
    sender: IntArray
    """[moves] stage that hands on."""
    receiver: IntArray
    """[moves] stage that takes over."""
    gb: FloatArray
    """[moves] volume, GB."""
    tariff: IntArray
    """[places, places] tariff of what leaves the first for the second; `FREE` where nobody charges."""
    tariffs: tuple[Tariff, ...]
    """[tariffs] each of one or more places that are left."""

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.usd)

    @property
    def moves(self) -> int:
        """Number of moves."""
        return len(self.gb)

    def may(self) -> BoolArray:
        """[stages, places] where each stage may be."""
        return np.isfinite(self.usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a choice of places costs."""

    usd: float
    """All of it, USD."""
    move_usd: FloatArray
    """[moves] each one's part of its tariff's sum, by volume, USD."""


def account(problem: Handovers, at: IntArray) -> Account:
    """What it costs to have each stage at its place ([stages])."""
    under = problem.tariff[at[problem.sender], at[problem.receiver]]
    charged = under != FREE
    volumes = np.bincount(under[charged], problem.gb[charged], len(problem.tariffs))
    per_gb = np.zeros(len(problem.tariffs))
    for number in np.flatnonzero(volumes > 0):
        per_gb[number] = tariff_cost(problem.tariffs[number], float(volumes[number])) / volumes[number]
    move_usd = np.where(charged, problem.gb * per_gb[under], 0.0) if problem.tariffs else np.zeros(problem.moves)
    stages = problem.usd[np.arange(problem.stages), at]
    return Account(usd=float(stages.sum() + move_usd.sum()), move_usd=move_usd)


def at_least(problem: Handovers) -> float:
    """What it costs at least, USD: each stage at its cheapest place, nothing moved."""
    return float(problem.usd.min(axis=1).sum())
