"""Workloads that are alike, decided together as numbers of them, and told apart again in the answer.

Two workloads are alike where exchanging them leaves the program as it is: the same columns at the same cost within the
same bounds, the same rows of their own, the same entries in every shared row. Their columns are added up: a yes or no
becomes a count, up to as many as there are. Every plan of the whole is one of the smaller program at the same cost, so
what bounds the smaller bounds the whole (orbital shrinking: Fischetti and Liberti 2012).

The way back: everybody gets an equal part, which obeys all rows and costs the same. Where counts do not part evenly,
the members of a group are told apart by a small program of their own: within what the others leave of every row.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.placement.large.owners import Owners, owners
from tripoint.engines.placement.large.portions import cut, rest
from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.pricing import row_of
from tripoint.engines.placement.milp.program import FloatArray, IntArray, Program, Solution, SolveLimits

_BROKEN = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A program with one workload for all that are alike."""

    program: Program
    """Smaller: columns of those that are alike stand for their sum."""
    column: IntArray
    """[columns of the whole] the column that stands for it."""
    copies: FloatArray
    """[its columns] how many columns of the whole it stands for."""
    groups: tuple[IntArray, ...]
    """[groups] columns of the whole that belong to members of a group of two or more."""

    def summed(self, values: FloatArray) -> FloatArray:
        """[its columns] of values of the whole."""
        return np.asarray(np.bincount(self.column, values, len(self.copies)), dtype=np.float64)

    def shared_out(self, values: FloatArray) -> FloatArray:
        """[columns of the whole] an equal part for everybody."""
        return np.asarray((values / self.copies)[self.column])


def counted(program: Program) -> Counted | None:
    """The program with those that are alike counted; `None` where no two are."""
    whose = owners(program)
    columns = _columns_of(whose)
    alike = _groups(program, whose, columns)
    if all(len(members) == 1 for members in alike):
        return None
    stands = np.arange(program.columns, dtype=np.int32)
    copies = np.ones(program.columns)
    row_copies = np.ones(program.rows)
    keep_rows = np.ones(program.rows, dtype=np.bool_)
    for members in alike:
        first, *others = members
        for other in others:
            stands[columns[other]] = columns[first]
            keep_rows[whose.row == other] = False
        copies[columns[first]] = len(members)
        row_copies[whose.row == first] = len(members)
    keep = stands == np.arange(program.columns)
    scaled = _scaled(program, whose, copies, row_copies)
    number = np.cumsum(keep, dtype=np.int32) - 1
    return Counted(
        program=cut(scaled, keep, keep_rows).program,
        column=number[stands],
        copies=copies[keep],
        groups=tuple(np.concatenate([columns[m] for m in members]) for members in alike if len(members) > 1),
    )


def _scaled(program: Program, whose: Owners, copies: FloatArray, row_copies: FloatArray) -> Program:
    """Bounds and own rows of those who stand for several, times as many; what is shared counts as often there."""
    with np.errstate(invalid="ignore"):
        lower, upper = program.lower * copies, program.upper * copies
    shared = whose.column[program.index] < 0
    return replace(
        program,
        lower=lower,
        upper=upper,
        row_lower=program.row_lower * row_copies,
        row_upper=program.row_upper * row_copies,
        value=np.where(shared, program.value * row_copies[row_of(program)], program.value),
    )


def come_apart(program: Program, small: Counted, values: FloatArray, limits: SolveLimits) -> Asking[FloatArray]:
    """A plan of the whole from one of the counted program; empty where counts cannot be told apart within all rows."""
    whole = small.shared_out(values)
    for group in small.groups:
        parts = whole[group][program.is_integer[group]]
        if (np.abs(parts - np.round(parts)) < _BROKEN).all():
            continue
        held = np.ones(program.columns, dtype=np.bool_)
        held[group] = False
        part = rest(program, held, whole)
        told = yield Batch(tasks=(Task(program=part.program, limits=limits),))
        if not told.solutions[0].values.size:
            return np.zeros(0)
        whole[part.column] = told.solutions[0].values
    return whole if program.worst_violation(whole) <= _BROKEN else np.zeros(0)


def told_apart(program: Program, found: Solution, whole: FloatArray) -> Solution:
    """The answer for the whole: a plan told apart, with what bounds the counted program."""
    objective = float(program.cost @ whole)
    bound = min(found.bound, objective)
    return replace(
        found,
        values=whole,
        objective=objective,
        bound=bound,
        gap=max(0.0, objective - bound) / max(abs(objective), 1e-9),
        strategy=f"{found.strategy}, alike counted",
        duals=np.zeros(0),
    )


def bounded(found: Solution, bound: float) -> Solution:
    """A solution with another bound of the same program, where that proves more."""
    best = min(max(found.bound, bound), found.objective)
    gap = max(0.0, found.objective - best) / max(abs(found.objective), 1e-9) if found.values.size else found.gap
    return replace(found, bound=best, gap=gap)


def _columns_of(whose: Owners) -> list[IntArray]:
    """[owners] their columns, in order."""
    order = np.argsort(whose.column, kind="stable").astype(np.int32)
    ends = np.searchsorted(whose.column[order], np.arange(len(whose.names) + 1))
    return [order[ends[each] : ends[each + 1]] for each in range(len(whose.names))]


def _groups(program: Program, whose: Owners, columns: list[IntArray]) -> list[list[int]]:
    """Owners by what the program says about them, those of a group in their order."""
    found: dict[bytes, list[int]] = {}
    sizes: dict[int, int] = {}
    for mine in columns:
        sizes[len(mine)] = sizes.get(len(mine), 0) + 1
    local = np.arange(program.columns, dtype=np.int64)
    for mine in columns:
        local[mine] = -1 - np.arange(len(mine))
    rows = row_of(program)
    entry_owner = np.where(whose.row[rows] >= 0, whose.row[rows], whose.column[program.index])
    order = np.argsort(entry_owner, kind="stable")
    ends = np.searchsorted(entry_owner[order], np.arange(len(columns) + 1))
    for owner, mine in enumerate(columns):
        if sizes[len(mine)] == 1:
            found[str(owner).encode()] = [owner]
            continue
        entries = order[ends[owner] : ends[owner + 1]]
        key = _said(program, whose, owner, (mine, entries, local, rows))
        found.setdefault(key, []).append(owner)
    return list(found.values())


def _said(
    program: Program, whose: Owners, owner: int, parts: tuple[IntArray, NDArray[np.intp], NDArray[np.int64], IntArray]
) -> bytes:
    """Digest of an owner's columns, rows and entries, itself not named."""
    mine, entries, local, rows = parts
    own = np.flatnonzero(whose.row == owner)
    number = {row: -1 - place for place, row in enumerate(own.tolist())}
    digest = hashlib.sha256()
    for column in mine.tolist():
        word, _, tail = program.column_names[column].partition("[")
        digest.update(f"{word}[{tail.partition(',')[2]}\n".encode())
    digest.update("\n".join(program.row_families[row] for row in own.tolist()).encode())
    for series in (program.cost, program.lower, program.upper, program.is_integer):
        digest.update(series[mine].tobytes())
    for side in (program.row_lower, program.row_upper):
        digest.update(side[own].tobytes())
    places = np.array([number.get(row, row) for row in rows[entries].tolist()], dtype=np.int64)
    index = local[program.index[entries]]
    order = np.lexsort((index, places))
    for said in (places[order], index[order], program.value[entries][order]):
        digest.update(np.ascontiguousarray(said).tobytes())
    return digest.digest()
