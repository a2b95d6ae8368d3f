"""Whose decision a column is: a workload's own, or one that workloads share, such as nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripoint.engines.placement.milp.pricing import row_of
from tripoint.engines.placement.milp.program import FloatArray, IntArray, Program

_OWN = ("serve", "present", "gathered", "standby", "enter")
"""Columns a workload decides alone, by the word before the bracket; its id comes first inside."""
_NONE = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Columns and rows by owner."""

    column: IntArray
    """[columns] number of the owner; -1 for what is shared."""
    row: IntArray
    """[rows] the only owner of columns in it, shared columns apart; -1 where there are several, or none."""
    names: tuple[str, ...]
    """[owners] workload ids."""
    weight: FloatArray
    """[owners] what it takes of what is shared, for dealing owners into portions of like size."""


def owners(program: Program) -> Owners:
    """Columns and rows of a program by owner."""
    number: dict[str, int] = {}
    column = np.full(program.columns, -1, dtype=np.int32)
    for index, name in enumerate(program.column_names):
        word, _, rest = name.partition("[")
        if word in _OWN:
            column[index] = number.setdefault(rest.partition(",")[0], len(number))
    rows, mine = row_of(program), column[program.index]
    owned = mine >= 0
    first = np.full(program.rows, _NONE, dtype=np.int32)
    last = np.full(program.rows, -1, dtype=np.int32)
    np.minimum.at(first, rows[owned], mine[owned])
    np.maximum.at(last, rows[owned], mine[owned])
    row = np.where(first == last, last, -1).astype(np.int32)
    taken = owned & (row[rows] < 0)
    weight = np.bincount(mine[taken], np.abs(program.value[taken]), len(number))
    counts = np.bincount(mine[taken], minlength=len(number))
    return Owners(column=column, row=row, names=tuple(number), weight=weight / np.maximum(counts, 1))


def dealt(weight: FloatArray, hands: int) -> list[IntArray]:
    """Owners dealt into so many hands of like weight: heaviest first, to and fro."""
    order = np.argsort(-weight, kind="stable").astype(np.int32)
    turn = np.arange(len(order)) % (2 * hands)
    hand = np.where(turn < hands, turn, 2 * hands - 1 - turn)
    return [order[hand == each] for each in range(hands)]
