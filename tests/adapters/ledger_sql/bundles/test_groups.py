"""Sums by group are those of Python's own numbers."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.ledger_sql.bundles.groups import distinct, grouped, joined

_ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(-(2**61), 2**61), st.integers(0, 5)), max_size=40
)


def _told(rows: list[tuple[int, int, int, int]]) -> dict[tuple[int, int], list[int]]:
    found: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for slot, line, *figures in rows:
        found[slot, line] = [a + b for a, b in zip(found[slot, line], figures, strict=True)]
    return dict(found)


@given(st.lists(_ROWS, min_size=1, max_size=3))
def test_sums_are_exact(several: list[list[tuple[int, int, int, int]]]) -> None:
    """Also where they pass 64 bits, and where groups are put together again."""
    parts = []
    for rows in several:
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        parts.append(grouped(columns[0], columns[1], columns[2:]))
        groups = parts[-1]
        keys = list(zip(groups.slots.tolist(), groups.lines.tolist(), strict=True))
        assert keys == sorted(_told(rows))
        assert dict(zip(keys, map(list, zip(*groups.sums.tolist(), strict=True)), strict=True)) == _told(rows)
    whole = joined(parts)
    keys = list(zip(whole.slots.tolist(), whole.lines.tolist(), strict=True))
    every = [row for rows in several for row in rows]
    assert dict(zip(keys, map(list, zip(*whole.sums.tolist(), strict=True)), strict=True)) == _told(every)


@given(st.lists(st.one_of(st.integers(0, 60), st.integers(0, 2**40)), max_size=40))
def test_different_values_are_counted_off_as_they_are_sorted(drawn: list[int]) -> None:
    """Close together or far apart, and none at all."""
    found, places = distinct(np.array(drawn, np.int64))
    assert found.tolist() == sorted(set(drawn))
    assert found[places].tolist() == drawn
