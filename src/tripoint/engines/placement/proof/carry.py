"""A bound that was proven before a change, carried over to the program after it.

Let z be proven for the old program: c.x >= z for every x in X. Wanted is an inequality w.x >= z that holds for every
plan x of the new program, X'. Two arguments give one, and both are checked on the figures, entry by entry:

1. *Fewer plans.* Where no bound and no row was loosened, X' lies within X, and w = c.
2. *Burnt money.* A dearer provider changes the rows that say what each provider is paid: the same x is paid D.x more
   in such a row, D >= 0, and caps on vendors or budgets over those payments move. Let some column of the old program
   be paid for in that row alone, have no upper bound, and loosen every other row it stands in (nodes rented, say).
   Then x with so much more of it that the row comes to what it comes to at the new prices is a plan of the old
   program: all payments are what they are in the new one, and all other rows hold more easily. It costs
   c.x + r D.x, with r the column's cost for each unit paid, so w = c + r D.

From w.x >= z follows, for the new costs c' and any share s >= 0 of it, c'.x >= s z + the least of (c' - s w).x between
the columns' bounds: the bound that needs no solver. All of it (s = 1) says most where prices rose; where some fell, the
least ratio of new cost to w does, because what is left of no column is then below zero. As a row of the relaxation the
inequality proves more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.placement.milp.pricing import row_of
from tripoint.engines.placement.milp.program import INFINITY, BoolArray, FloatArray, Program
from tripoint.engines.placement.proof.kept import KeptProgram, kept, priced_entries

FAMILY = "proven"
"""Family of the row an inequality becomes."""
_ROUNDING = 1e-9
"""Differences of costs below this share of the cost are rounding; the bound is lowered by as much in exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What an earlier proof says about a program."""

    weights: FloatArray
    """[columns] w, of w.x >= least."""
    least: float
    """z, the bound proven before the change."""
    bound: float
    """What follows for the objective without a solver; minus infinity where nothing does."""


def carried(before: KeptProgram, bound: float, program: Program) -> Carried | None:
    """What `bound`, proven for the program kept, says about the changed one; `None` where no argument holds."""
    now = kept(program)
    if before.structure != now.structure or not math.isfinite(bound) or before.priced.size != now.priced.size:
        return None
    if not _is_within(before, now):
        return None
    weights = _weights(before, now, program)
    if weights is None:
        return None
    return Carried(weights=weights, least=bound, bound=_without_solver(weights, bound, program))


def with_proof(program: Program, proven: Carried | None) -> Program:
    """The program with the inequality as its last row."""
    if proven is None:
        return program
    columns = np.flatnonzero(proven.weights).astype(np.int32)
    return replace(
        program,
        row_lower=np.append(program.row_lower, proven.least),
        row_upper=np.append(program.row_upper, INFINITY),
        starts=np.append(program.starts, program.starts[-1] + len(columns)).astype(np.int32),
        index=np.concatenate([program.index, columns]),
        value=np.concatenate([program.value, proven.weights[columns]]),
        row_names=[*program.row_names, "what was proven before the change"],
        row_families=[*program.row_families, FAMILY],
    )


def _is_within(before: KeptProgram, now: KeptProgram) -> bool:
    """True where no bound and no side was loosened."""
    return bool(
        (now.lower >= before.lower).all()
        and (now.upper <= before.upper).all()
        and (now.row_lower >= before.row_lower).all()
        and (now.row_upper <= before.row_upper).all()
    )


def _weights(before: KeptProgram, now: KeptProgram, program: Program) -> FloatArray | None:
    """[columns] w; `None` where a payment fell, or rose where no money can be burnt."""
    entries = np.flatnonzero(priced_entries(program))
    more = now.priced - before.priced
    if (more < 0.0).any():
        return None
    weights = before.cost.copy()
    changed = more > 0.0
    if not changed.any():
        return weights
    columns, rows = program.index[entries], row_of(program)[entries]
    if (before.lower[columns[changed]] < 0.0).any():
        return None
    burns = _may_burn(before, program, entries)[columns] & (before.priced > 0.0)
    rate = np.full(program.rows, INFINITY)
    np.minimum.at(rate, rows[burns], before.cost[columns[burns]] / before.priced[burns])
    if np.isinf(rate[rows[changed]]).any():
        return None
    np.add.at(weights, columns[changed], rate[rows[changed]] * more[changed])
    return weights


def _may_burn(before: KeptProgram, program: Program, entries: NDArray[np.intp]) -> BoolArray:
    """[columns] without upper bound, in one row of prices only, and loosening every other row they stand in."""
    rows = row_of(program)
    is_price = np.zeros(len(program.value), dtype=np.bool_)
    is_price[entries] = True
    loosens = np.where(program.value > 0.0, np.isinf(before.row_upper[rows]), np.isinf(before.row_lower[rows]))
    hinders = np.bincount(program.index, ~loosens & ~is_price, program.columns) > 0
    paid = np.bincount(program.index, is_price, program.columns) == 1
    return np.asarray(np.isinf(before.upper) & ~program.is_integer & paid & ~hinders)


def _without_solver(weights: FloatArray, least: float, program: Program) -> float:
    """The least of c'.x there can be, knowing only w.x >= least and the columns' bounds.

    The better of two shares of the inequality: all of it, and the least ratio of a column's cost to its weight.
    """
    dear = weights > 0.0
    ratio = float((program.cost[dear] / weights[dear]).min(initial=1.0))
    shares = (1.0, ratio) if 0.0 < ratio < 1.0 else (1.0,)
    return max(_with_share(share * weights, share * least, program) for share in shares)


def _with_share(weights: FloatArray, least: float, program: Program) -> float:
    """What follows from weights.x >= least; the difference to the costs goes where it costs least.

    Where all costs and columns are at least 0, differences within rounding change c'.x by less than that share of it.
    """
    difference = program.cost - weights
    slack = 0.0
    if (program.cost >= 0.0).all() and (program.lower >= 0.0).all():
        is_rounding = np.abs(difference) <= _ROUNDING * program.cost
        difference = np.where(is_rounding, 0.0, difference)
        slack = _ROUNDING if is_rounding.any() else 0.0
    ends = np.where(difference > 0.0, program.lower, program.upper)
    used = difference != 0.0
    total = least + float((difference[used] * ends[used]).sum())
    return total / (1.0 + slack) if total > 0.0 else total
