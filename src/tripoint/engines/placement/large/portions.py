"""Smaller programs within a large one: a portion of its workloads with their share of everything, or some of it held.

*A portion* has the columns of some owners and, of everything shared, a share: bounds of shared columns and sides of
shared rows are multiplied by it, and nodes may be fractions. Plans of all portions, shared columns added up, obey every
row of the whole, because the shares add up to one; only whole numbers of shared columns are then still to be found.

*A rest* has the columns that are not held, the rows they stand in, and what the held ones leave of each row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.large.owners import Owners
from tripoint.engines.placement.milp.pricing import row_of
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Some columns and rows of a program, as a program of their own."""

    program: Program
    """With columns and rows in the order of the whole."""
    column: IntArray
    """[its columns] column of the whole."""
    row: IntArray
    """[its rows] row of the whole."""


def cut(program: Program, columns: BoolArray, rows: BoolArray) -> Cut:
    """The chosen columns and rows; entries elsewhere are dropped."""
    column, row = np.flatnonzero(columns).astype(np.int32), np.flatnonzero(rows).astype(np.int32)
    stays = columns[program.index] & np.repeat(rows, np.diff(program.starts))
    before = np.concatenate([[0], np.cumsum(stays, dtype=np.int64)])
    ends = before[program.starts[1:][row]]
    number = np.cumsum(columns, dtype=np.int32) - 1
    starts = np.concatenate([[0], ends]).astype(np.int32)
    index = number[program.index[stays]]
    return _smaller(program, column, row, starts, index, program.value[stays])


def _smaller(
    program: Program, column: IntArray, row: IntArray, starts: IntArray, index: IntArray, value: FloatArray
) -> Cut:
    """Those columns and rows of a program, with the entries given row by row."""
    smaller = Program(
        cost=program.cost[column],
        lower=program.lower[column],
        upper=program.upper[column],
        is_integer=program.is_integer[column],
        row_lower=program.row_lower[row],
        row_upper=program.row_upper[row],
        starts=starts,
        index=index,
        value=value,
        column_names=[program.column_names[each] for each in column.tolist()],
        row_names=[program.row_names[each] for each in row.tolist()],
        row_families=[program.row_families[each] for each in row.tolist()],
    )
    return Cut(program=smaller, column=column, row=row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """A program's columns, rows and entries by owner: a portion is put together without walking the whole."""

    program: Program
    """The whole."""
    whose: Owners
    """Who owns what."""
    row: IntArray
    """[entries] row of each."""
    columns: tuple[IntArray, ...]
    """[owners + 1] columns of each, those that are shared last."""
    rows: tuple[IntArray, ...]
    """[owners + 1] rows of each, those of several last."""
    entries: tuple[IntArray, ...]
    """[owners + 1] entries in each one's columns, those in shared columns last."""

    def part(self, members: IntArray, *, with_shared: bool, rows: BoolArray | None = None) -> Cut:
        """Columns and rows of the members, what is shared with them where wanted; `rows` ([rows]) leaves some out."""
        owners = [*members.tolist(), *([len(self.columns) - 1] if with_shared else [])]
        column, row, entry = (
            np.sort(np.concatenate([blocks[owner] for owner in owners]))
            for blocks in (self.columns, self.rows, self.entries)
        )
        if rows is not None:
            row = row[rows[row]]
        program = self.program
        is_in = np.zeros(program.rows, dtype=np.bool_)
        is_in[row] = True
        entry = entry[is_in[self.row[entry]]]
        counts = np.bincount(np.searchsorted(row, self.row[entry]), minlength=len(row))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        index = np.searchsorted(column, program.index[entry]).astype(np.int32)
        return _smaller(program, column, row, starts, index, program.value[entry])


def blocks_of(program: Program, whose: Owners) -> Blocks:
    """A program by owner."""
    row = row_of(program)
    count = len(whose.names)
    return Blocks(
        program=program,
        whose=whose,
        row=row,
        columns=_by_owner(whose.column, count),
        rows=_by_owner(whose.row, count),
        entries=_by_owner(whose.column[program.index], count),
    )


def _by_owner(owner: IntArray, count: int) -> tuple[IntArray, ...]:
    """[count + 1] places of each owner, in order; of -1 last."""
    number = np.where(owner < 0, count, owner)
    order = np.argsort(number, kind="stable").astype(np.int32)
    return tuple(np.split(order, np.searchsorted(number[order], np.arange(1, count + 1))))


def portion(blocks: Blocks, members: IntArray, share: float) -> Cut:
    """The members with their share of what is shared."""
    whose = blocks.whose
    found = blocks.part(members, with_shared=True)
    shared, common = whose.column[found.column] < 0, whose.row[found.row] < 0
    part = found.program
    return replace(
        found,
        program=replace(
            part,
            lower=_shared(part.lower, share, shared),
            upper=_shared(part.upper, share, shared),
            is_integer=part.is_integer & ~shared,
            row_lower=_shared(part.row_lower, share, common),
            row_upper=_shared(part.row_upper, share, common),
        ),
    )


def _shared(sides: FloatArray, share: float, which: BoolArray) -> FloatArray:
    """Sides with a share of those that are divided; nothing of what has no end is no figure, and has none either."""
    found = sides.copy()
    found[which & np.isfinite(sides)] *= share
    return found


def apart(program: Program, whose: Owners) -> BoolArray:
    """[rows] true for rows of one owner in which nothing is shared."""
    touches = np.bincount(row_of(program), whose.column[program.index] < 0, program.rows) > 0
    return np.asarray((whose.row >= 0) & ~touches)


def priced(blocks: Blocks, members: IntArray, worth: FloatArray, own_rows: BoolArray) -> Cut:
    """The members with their own rows, everything else being paid for: `worth` ([columns]) is cost less prices."""
    found = blocks.part(members, with_shared=False, rows=own_rows)
    return replace(found, program=replace(found.program, cost=worth[found.column]))


def rest(program: Program, held: BoolArray, values: FloatArray) -> Cut:
    """What is not held, within what the held columns leave at their values."""
    fixed = np.where(held, values, 0.0)
    rows = row_of(program)
    used = np.bincount(rows, program.value * fixed[program.index], program.rows)
    free = np.bincount(rows, ~held[program.index], program.rows) > 0
    found = cut(program, ~held, free)
    left = used[found.row]
    part = found.program
    return replace(found, program=replace(part, row_lower=part.row_lower - left, row_upper=part.row_upper - left))
