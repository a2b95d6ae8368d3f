"""Column generation: a program of a million columns is solved over few of them, and all of them bear the proof.

In every *group* (a row that shares out one unit: sum of columns = 1) most columns never matter. The linear relaxation
is solved over the promising ones; its row prices then price every column of the whole, which gives a bound of the
whole (Lagrangian: Geoffrion 1974) and names the columns that were missing (Gilmore and Gomory 1961).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.milp.program import INFINITY, BoolArray, FloatArray, IntArray, Program

_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """A program with some of its columns, the others at zero."""

    program: Program
    """With the rows of the whole."""
    column: IntArray
    """[its columns] column of the whole."""
    columns: int
    """Columns of the whole."""

    def widened(self, values: FloatArray) -> FloatArray:
        """[columns of the whole] values of the narrow program, zero elsewhere."""
        whole = np.zeros(self.columns)
        whole[self.column] = values
        return whole


def narrowed(program: Program, kept: BoolArray) -> Narrow:
    """The program with the kept columns ([columns]); the others must be allowed to be zero."""
    column = np.flatnonzero(kept).astype(np.int32)
    number = np.cumsum(kept, dtype=np.int32) - 1
    stays = kept[program.index]
    before = np.concatenate([[0], np.cumsum(stays, dtype=np.int64)])
    smaller = replace(
        program,
        cost=program.cost[column],
        lower=program.lower[column],
        upper=program.upper[column],
        is_integer=program.is_integer[column],
        starts=before[program.starts].astype(np.int32),
        index=number[program.index[stays]],
        value=program.value[stays],
        column_names=[program.column_names[place] for place in column.tolist()],
    )
    return Narrow(program=smaller, column=column, columns=program.columns)


def row_of(program: Program) -> IntArray:
    """[entries] row of each entry."""
    return np.repeat(np.arange(program.rows, dtype=np.int32), np.diff(program.starts))


def groups_of(program: Program) -> IntArray:
    """[columns] the group a column belongs to, as its row; -1 for none.

    A group is a row of ones that add up to one, over continuous columns between 0 and 1 of no earlier group.
    """
    counts = np.diff(program.starts)
    rows = row_of(program)
    fits = (program.value == 1.0) & ~program.is_integer[program.index] & (program.lower[program.index] == 0.0)
    good = np.bincount(rows, fits, program.rows) == counts
    good &= (program.row_lower == 1.0) & (program.row_upper == 1.0) & (counts > 0)
    entries = np.flatnonzero(good[rows])[::-1]
    group = np.full(program.columns, -1, dtype=np.int32)
    group[program.index[entries]] = rows[entries]
    return group


def reduced_costs(program: Program, duals: FloatArray) -> FloatArray:
    """[columns] cost - A'y: what a unit of the column would add at the prices of the rows."""
    if not duals.size:
        return program.cost.copy()
    paid = np.bincount(program.index, program.value * duals[row_of(program)], program.columns)
    return np.asarray(program.cost - paid, dtype=np.float64)


def usable(program: Program, duals: FloatArray) -> FloatArray:
    """[rows] prices without those of the wrong sign: a row without lower side can only be paid for not being full."""
    prices = np.where(np.isinf(program.row_lower), np.minimum(duals, 0.0), duals)
    return np.where(np.isinf(program.row_upper), np.maximum(prices, 0.0), prices)


def lagrangian(program: Program, duals: FloatArray, group: IntArray) -> float:
    """The lower bound that row prices prove, whatever they are; prices of the wrong sign count as zero.

    b'y + for each group its smallest reduced cost + for each other column the cheaper of its two ends.
    """
    prices = usable(program, duals)
    sides = np.where(prices > 0, program.row_lower, program.row_upper)
    total = float((prices[prices != 0] * sides[prices != 0]).sum())
    # The group's own price cancels: its one unit goes to the cheapest column whatever the price is.
    worth = reduced_costs(program, prices)
    least = _least(worth, group, program.rows)
    total += float(least[np.isfinite(least)].sum())
    other = group < 0
    worth, lower, upper = worth[other], program.lower[other], finite_upper(program)[other]
    return total + float(np.where(worth > 0, worth * lower, worth * upper).sum())


def _least(worth: FloatArray, group: IntArray, rows: int) -> FloatArray:
    """[rows] smallest reduced cost in each group; infinite for rows that are none."""
    least = np.full(rows, INFINITY)
    inside = np.flatnonzero(group >= 0)
    np.minimum.at(least, group[inside], worth[inside])
    return least


def finite_upper(program: Program) -> FloatArray:
    """[columns] upper bounds; where there is none, the most that any row of the column can ask of it.

    More than that only costs, so some optimum stays below it. Needed because prices are exact to a tolerance only.
    """
    free = np.isinf(program.upper)
    if not free.any():
        return program.upper
    rows = row_of(program)
    size = np.abs(program.value)
    finite = np.where(free, 0.0, program.upper)[program.index]
    most = np.bincount(rows, size * finite, program.rows)
    sides = np.maximum(np.abs(np.where(np.isinf(program.row_lower), 0.0, program.row_lower)), 0.0)
    sides = np.maximum(sides, np.abs(np.where(np.isinf(program.row_upper), 0.0, program.row_upper)))
    entries = np.flatnonzero(free[program.index])
    asked = (most + sides)[rows[entries]] / np.maximum(size[entries], _NOTHING)
    upper = np.where(free, 0.0, program.upper)
    np.maximum.at(upper, program.index[entries], asked)
    return upper


def promising(program: Program, group: IntArray, each: int) -> BoolArray:
    """[columns] every column outside groups, and in each group the `each` that look cheapest before any is solved.

    A row's first price is what its cheapest supplier asks: a column outside groups that pushes the other way, its cost
    spread over all its rows of that family. The cheapest may all want the same scarce thing, so the cheapest of those
    that no scarce row holds back are kept as well.
    """
    guess = _guess(program, group)
    plenty = nearest(np.where(_is_held_back(program, group), INFINITY, guess), group, max(1, each // 2))
    return nearest(guess, group, each) | plenty


def _is_held_back(program: Program, group: IntArray) -> BoolArray:
    """[columns] in groups: true where some row could stop it, were everybody to want it at once.

    A row is plentiful when what pushes the other way outweighs all that could push: nodes rented without limit, say.
    What is itself held by another row's limit does not count.
    """
    rows = row_of(program)
    owner = group[program.index]
    has_limit = np.isfinite(program.row_upper)[rows]
    is_limited = np.bincount(program.index, (program.value > 0) & has_limit & (owner < 0), program.columns) > 0
    counts = (program.value < 0) & (owner < 0) & ~is_limited[program.index]
    with np.errstate(invalid="ignore"):
        size = np.abs(program.value) * program.upper[program.index]
    asked = np.bincount(rows, np.where(program.value > 0, size, 0.0), program.rows)
    given = np.bincount(rows, np.where(counts, size, 0.0), program.rows)
    scarce = np.isfinite(program.row_upper) & np.isinf(program.row_lower) & (asked > program.row_upper + given)
    stops = scarce[rows] & (program.value > 0) & (owner >= 0)
    return np.asarray(np.bincount(program.index, stops, program.columns) > 0)


def nearest(worth: FloatArray, group: IntArray, each: int) -> BoolArray:
    """[columns] every column outside groups, and in each group the `each` with the smallest worth."""
    kept = group < 0
    inside = np.flatnonzero(group >= 0)
    order = inside[np.lexsort((worth[inside], group[inside]))]
    begins = np.searchsorted(group[order], group[order])
    kept[order[np.arange(len(order)) - begins < each]] = True
    return kept


def _guess(program: Program, group: IntArray) -> FloatArray:
    rows = row_of(program)
    supplies = (group[program.index] < 0) & (program.value < 0) & (program.cost[program.index] > 0)
    supplies &= np.isinf(program.row_lower)[rows]
    entries = np.flatnonzero(supplies)
    column = program.index[entries]
    pushed = np.bincount(column, -program.value[entries], program.columns)
    price = np.full(program.rows, INFINITY)
    np.minimum.at(price, rows[entries], program.cost[column] / np.maximum(pushed[column], _NOTHING))
    price[np.isinf(price)] = 0.0
    return program.cost + np.bincount(program.index, np.maximum(program.value, 0.0) * price[rows], program.columns)
