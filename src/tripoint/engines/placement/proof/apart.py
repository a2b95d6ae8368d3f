"""A bound by prices of what workloads share, for the price of one small program per workload.

At any prices of shared rows (nodes, power, links), nothing binds workloads to each other: each is planned alone, and
what its plan costs with what it pays, over all of them, bounds the whole from below (Lagrangian: Geoffrion 1974). The
prices of an earlier relaxation are close to those after one change, so the bound is close to the relaxation's, which
takes ten times as long; and the workloads whose plan is dearest at these prices are those that may gain by moving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.large.owners import Owners, dealt, owners
from tripoint.engines.placement.large.portions import Blocks, Cut, apart, blocks_of, priced
from tripoint.engines.placement.milp.kernel import relaxation
from tripoint.engines.placement.milp.pricing import finite_upper, reduced_costs, row_of, usable
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, Program, Solution, SolutionStatus

_SWEEPS = 8
"""Prices are lowered row by row so often at most; a column may stand in several rows that others lower too."""
_ROUNDING = 1e-12
"""Prices are lowered by this share more than they must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A program, told apart into what each workload decides alone and what they share."""

    program: Program
    """The whole."""
    whose: Owners
    """Who owns what."""
    blocks: Blocks
    """By owner."""
    own_rows: BoolArray
    """[rows] true where one workload's columns stand and nothing shared."""

    @property
    def is_shared(self) -> BoolArray:
        """[columns] true for what workloads share."""
        return np.asarray(self.whose.column < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Workloads apart from each other, at some prices."""

    split: Split
    """Of which program."""
    prices: FloatArray
    """[rows] of shared rows; zero for the others."""
    worth: FloatArray
    """[columns] cost less what the shared rows pay."""
    sure: float
    """What shared rows and shared columns add to the bound."""
    parts: tuple[Cut, ...]
    """Programs of the workloads, without integrality; any plan of one is a plan of its workloads alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What came of solving the parts."""

    bound: float
    """Of the whole; minus infinity where a part was not solved."""
    prices: FloatArray
    """[rows] of shared rows as they were given, of the others as the parts say."""
    values: FloatArray
    """[columns] what each workload would do alone; zero for what is shared."""


def split(program: Program) -> Split:
    """A program told apart by workload."""
    whose = owners(program)
    return Split(program=program, whose=whose, blocks=blocks_of(program, whose), own_rows=apart(program, whose))


def at_prices(by: Split, prices: FloatArray, hands: int) -> Priced:
    """Workloads apart, in so many parts of like size, at these prices ([rows]; only those of shared rows count)."""
    program = by.program
    prices = np.where(by.own_rows, 0.0, usable(program, prices))
    worth = reduced_costs(program, prices)
    paid = prices != 0.0
    sides = np.where(prices > 0.0, program.row_lower, program.row_upper)
    shared = by.is_shared
    ends = np.where(worth > 0.0, program.lower, finite_upper(program))
    sure = float((prices[paid] * sides[paid]).sum()) + float((worth[shared] * ends[shared]).sum())
    members = [hand for hand in dealt(by.whose.weight, hands) if hand.size]
    parts = [priced(by.blocks, hand, worth, by.own_rows) for hand in members]
    return Priced(
        split=by,
        prices=prices,
        worth=worth,
        sure=sure,
        parts=tuple(Cut(program=relaxation(part.program), column=part.column, row=part.row) for part in parts),
    )


def proven(at: Priced, solutions: Sequence[Solution]) -> Proven:
    """What the solved parts (one solution each) prove about the whole."""
    prices, values, bound = at.prices.copy(), np.zeros(at.split.program.columns), at.sure
    for part, found in zip(at.parts, solutions, strict=True):
        if found.status is not SolutionStatus.OPTIMAL or not found.duals.size:
            return Proven(bound=-np.inf, prices=at.prices, values=values)
        bound += found.bound
        prices[part.row] += found.duals
        values[part.column] = found.values
    return Proven(bound=bound, prices=prices, values=values)


def repaired(by: Split, prices: FloatArray, costs: FloatArray | None = None) -> FloatArray:
    """[rows] prices lowered until shared columns earn no more than they cost: nodes got cheaper, so they earn less.

    What could be bought without end would lose the bound. What has an end may earn more, as scarce nodes do: as much
    more as at the earlier `costs` ([columns]), or without those any amount. A row pays less by the largest share by
    which a column that it pays earns too much; prices of the others stay what they were.
    """
    program, rows = by.program, row_of(by.program)
    prices = np.where(by.own_rows, 0.0, usable(program, prices))
    fewer = -np.inf if costs is None else np.minimum(reduced_costs(replace(program, cost=costs), prices), 0.0)
    least = np.where(np.isinf(program.upper), 0.0, fewer)
    for _ in range(_SWEEPS):
        earned = program.value * prices[rows]
        income = np.bincount(program.index, np.maximum(earned, 0.0), program.columns)
        over = np.where(by.is_shared & (income > 0.0), least - reduced_costs(program, prices), 0.0)
        if not (over > 0.0).any():
            break
        share = np.where(over > 0.0, np.clip(1.0 - over / np.where(income > 0.0, income, 1.0), 0.0, 1.0), 1.0)
        entries = np.flatnonzero((earned > 0.0) & (over[program.index] > 0.0))
        factor: FloatArray = np.ones(program.rows)
        np.minimum.at(factor, rows[entries], share[program.index[entries]] * (1.0 - _ROUNDING))
        prices = np.asarray(prices * factor, dtype=np.float64)
    return prices


def gains(at: Priced, values: FloatArray, alone: FloatArray) -> FloatArray:
    """[owners] what each would save at these prices by `alone` in place of `values` (both [columns])."""
    mine = ~at.split.is_shared
    saved = at.worth[mine] * (values - alone)[mine]
    return np.asarray(np.bincount(at.split.whose.column[mine], saved, len(at.split.whose.names)))
