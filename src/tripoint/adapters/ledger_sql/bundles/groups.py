"""Sums by group, exact: many rows of figures become one for each key."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tripoint.adapters.record_batch import Ints

_SAFE: Final = float(1 << 62)
_LINE_BITS: Final = 40
_SPARSE: Final = 16
_FEW: Final = 65_536
"""Values up to sixteen times as high as there are of them, or up to this, are close together."""


class Groups(NamedTuple):
    """One column for each pair of slot and line, in their order."""

    slots: Ints
    """[group] days or hours since 1970."""
    lines: Ints
    """[group] lines."""
    sums: npt.NDArray[Any]
    """[measure, group] sums: 64 bits where they fit, Python's numbers else."""


def grouped(slots: Ints, lines: Ints, measures: npt.NDArray[Any]) -> Groups:
    """Sums of `measures`, [measure, row], by slot and line."""
    keys = (slots << _LINE_BITS) | lines
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1)) if len(keys) else np.empty(0, np.intp)
    taken = measures[:, order]
    if taken.dtype != object and not is_safe(taken):
        taken = taken.astype(object)
    sums = np.add.reduceat(taken, starts, axis=1) if len(keys) else taken
    found = keys[starts]
    return Groups(found >> _LINE_BITS, found & ((1 << _LINE_BITS) - 1), sums)


def joined(parts: list[Groups]) -> Groups:
    """Several as one, summed up again."""
    return grouped(
        np.concatenate([each.slots for each in parts]),
        np.concatenate([each.lines for each in parts]),
        np.concatenate([each.sums for each in parts], axis=1),
    )


def distinct(values: Ints) -> tuple[Ints, Ints]:
    """The different values in order, and at which of them each one stands; all of them from nought on.

    Numbers of lines lie close together: they are counted off then, where sorting takes several times as long.
    """
    highest = int(values.max(initial=0))
    if highest > _SPARSE * len(values) + _FEW:
        found, places = np.unique(values, return_inverse=True)
        return found, places
    is_there = np.zeros(highest + 1, np.bool_)
    is_there[values] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[values]


def is_safe(measures: Ints) -> bool:
    """True where no sum over any of these rows can pass 64 bits."""
    if not measures.size:
        return True
    largest = max(int(measures.max()), -int(measures.min()))  # nearly always enough to know, and much quicker
    if largest * measures.shape[1] < _SAFE:
        return True
    return float(np.abs(measures.astype(np.float64)).sum(axis=1).max()) < _SAFE
