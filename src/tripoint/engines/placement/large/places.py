"""Sites that are alike though declared apart, decided together as numbers of them, and told apart again in the answer.

Two sites are alike where exchanging their names leaves the program as it is: every column has its twin at the same cost
within the same bounds, every row its twin with the same entries. Columns that become each other by such exchanges are
added up: nodes at one of two halls become nodes at both, a yes or no becomes a count. Averaged over all exchanges a
plan obeys every row, and its sums stay whole: it is a plan of the smaller program at the same cost, so what bounds the
smaller bounds the whole (orbital shrinking: Fischetti and Liberti 2012).

The way back is a program of its own: what the sums say elsewhere is held, the sites decide between them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.placement.large.portions import cut, rest
from tripoint.engines.placement.milp.asking import Asking, Batch, Task
from tripoint.engines.placement.milp.pricing import row_of
from tripoint.engines.placement.milp.program import FloatArray, IntArray, Program, SolveLimits

_WORDS = ("keep[", "buy[", "rent[", "commit[")
"""Columns of nodes, by what they begin with: a pool follows, `site/node type`."""
_BROKEN = 1e-5
_MIXERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""Odd numbers that spread the bits of a product (Steele, Lea, Flood: SplitMix, 2014)."""

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """A program with one site for all that are alike."""

    program: Program
    """Smaller: a column stands for the sum of those it replaces."""
    column: IntArray
    """[columns of the whole] the column that stands for it."""
    copies: FloatArray
    """[its columns] how many columns of the whole it stands for."""
    sites: tuple[tuple[str, ...], ...]
    """Those that are alike, together."""

    def summed(self, values: FloatArray) -> FloatArray:
        """[its columns] of values of the whole."""
        return np.asarray(np.bincount(self.column, values, len(self.copies)), dtype=np.float64)

    def shared_out(self, values: FloatArray) -> FloatArray:
        """[columns of the whole] an equal part for each."""
        return np.asarray((values / self.copies)[self.column])


def summed(program: Program) -> Summed | None:
    """The program with sites that are alike summed; `None` where no two are."""
    looking = _look_alike(program)
    if not looking:
        return None
    mark = _Marks(program)
    column, row = np.arange(program.columns, dtype=np.int32), np.arange(program.rows, dtype=np.int32)
    groups: list[tuple[str, ...]] = []
    for candidates in looking:
        found = [candidates[0]]
        for other in candidates[1:]:
            exchange = mark.exchanged(candidates[0], other)
            if exchange is not None:
                column, row = _joined(column, exchange[0]), _joined(row, exchange[1])
                found.append(other)
        if len(found) > 1:
            groups.append(tuple(found))
    if not groups:
        return None
    return _smaller(program, column, row, tuple(groups))


def _smaller(program: Program, column: IntArray, row: IntArray, sites: tuple[tuple[str, ...], ...]) -> Summed:
    """One row of each kind, one column for each sum: an equal part of the sum in place of every column of it."""
    keep, counts = np.unique(column, return_counts=True)
    copies = np.zeros(program.columns)
    copies[keep] = counts
    number = np.zeros(program.columns, dtype=np.int32)
    number[keep] = np.arange(len(keep), dtype=np.int32)
    rows = np.unique(row)
    part = cut(program, np.ones(program.columns, dtype=np.bool_), np.isin(np.arange(program.rows), rows)).program
    index, place = number[column[part.index]].astype(np.int64), row_of(part).astype(np.int64)
    key, first = np.unique(place * len(keep) + index, return_inverse=True)
    value = np.bincount(first, part.value / copies[column[part.index]], len(key))
    is_kept = np.zeros(program.columns, dtype=np.bool_)
    is_kept[keep] = True
    with np.errstate(invalid="ignore"):
        lower, upper = (program.lower * copies)[keep], (program.upper * copies)[keep]
    small = replace(
        part,
        cost=program.cost[keep],
        lower=lower,
        upper=upper,
        is_integer=program.is_integer[keep],
        starts=np.searchsorted(key // len(keep), np.arange(part.rows + 1)).astype(np.int32),
        index=(key % len(keep)).astype(np.int32),
        value=np.asarray(value, dtype=np.float64),
        column_names=[program.column_names[each] for each in keep.tolist()],
    )
    return Summed(program=small, column=number[column], copies=copies[keep], sites=sites)


def decided_apart(program: Program, small: Summed, values: FloatArray, limits: SolveLimits) -> Asking[FloatArray]:
    """A plan of the whole from one of the summed program; empty where the sites find none between them."""
    whole = small.shared_out(values)
    is_shared = (small.copies > 1.0)[small.column]
    parts = whole[is_shared & program.is_integer]
    if (np.abs(parts - np.round(parts)) >= _BROKEN).any():
        part = rest(program, ~is_shared, whole)
        told = yield Batch(tasks=(Task(program=part.program, limits=limits),))
        if not told.solutions[0].values.size:
            return np.zeros(0)
        whole[part.column] = told.solutions[0].values
    return whole if program.worst_violation(whole) <= _BROKEN else np.zeros(0)


def _look_alike(program: Program) -> list[list[str]]:
    """Sites with the same nodes at the same cost within the same bounds, two or more together."""
    said: dict[str, list[tuple[str, float, float, float]]] = {}
    for number, name in enumerate(program.column_names):
        if name.startswith(_WORDS):
            word, _, pool = name.partition("[")
            site, _, node = pool.partition("/")
            ends = (float(program.lower[number]), float(program.upper[number]))
            said.setdefault(site, []).append((f"{word}[{node}", float(program.cost[number]), *ends))
    groups: dict[tuple[tuple[str, float, float, float], ...], list[str]] = {}
    for site, columns in said.items():
        groups.setdefault(tuple(sorted(columns)), []).append(site)
    return [group for group in groups.values() if len(group) > 1]


class _Marks:
    """Columns by name, and rows by a hash of all they say: what an exchange of two sites is held against."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.number = {name: column for column, name in enumerate(program.column_names)}
        self.mark = _mixed(np.arange(program.columns, dtype=np.uint64) + np.uint64(1))
        families = {name: code for code, name in enumerate(dict.fromkeys(program.row_families))}
        family = np.array([families[name] for name in program.row_families], dtype=np.uint64)
        self.sides = _mixed(family + _mixed(_bits(program.row_lower) + _mixed(_bits(program.row_upper))))
        self.rows = self._said(self.mark)

    def exchanged(self, one: str, other: str) -> tuple[IntArray, IntArray] | None:
        """[columns] and [rows] each by its twin when two sites exchange their names; `None` where one has none."""
        word = re.compile(rf"(?<![\w.-])({re.escape(one)}|{re.escape(other)})(?![\w.-])")
        twin = np.arange(self.program.columns, dtype=np.int32)
        for name, column in self.number.items():
            if one in name or other in name:
                renamed = word.sub(lambda found: other if found[0] == one else one, name)
                there = self.number.get(renamed)
                if there is None:
                    return None
                twin[column] = there
        program = self.program
        for series in (program.cost, program.lower, program.upper, program.is_integer):
            if not np.array_equal(series[twin], series):
                return None
        then = self._said(self.mark[twin])
        order, wanted = np.argsort(self.rows, kind="stable"), np.argsort(then, kind="stable")
        if not np.array_equal(self.rows[order], then[wanted]):
            return None
        rows = np.empty(program.rows, dtype=np.int32)
        rows[wanted] = order
        return twin, rows

    def _said(self, mark: Hashes) -> Hashes:
        """[rows] hash of sides, family and entries, in whatever order these stand."""
        program = self.program
        entries = _mixed(mark[program.index] + _mixed(_bits(program.value)))
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(entries, dtype=np.uint64)])
        return _mixed(self.sides + sums[program.starts[1:]] - sums[program.starts[:-1]])


def _bits(values: FloatArray) -> Hashes:
    return np.ascontiguousarray(values + 0.0, dtype=np.float64).view(np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """Whole numbers spread over all 64 bits; sums and products wrap round."""
    first, second, third = (np.uint64(each) for each in _MIXERS)
    found = values + first
    found = (found ^ (found >> np.uint64(30))) * second
    found = (found ^ (found >> np.uint64(27))) * third
    return np.asarray(found ^ (found >> np.uint64(31)), dtype=np.uint64)


def _joined(label: IntArray, twin: IntArray) -> IntArray:
    """[things] the least number of all that become each other, once twins do as well."""
    while True:
        least = np.minimum(label, label[twin])
        np.minimum.at(least, label, least)  # what one of them learns the first of them tells all others
        least = least[least]
        if np.array_equal(least, label):
            return label
        label = least
