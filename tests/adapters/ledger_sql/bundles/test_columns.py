"""Columns come back as they were, whatever is in them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tripoint.adapters.ledger_sql.bundles.columns import pack, unpack

_INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 300)


@given(st.integers(1, 30).flatmap(lambda size: st.lists(st.lists(_INTS, min_size=size, max_size=size), min_size=1)))
def test_a_table_comes_back(rows: list[list[int]]) -> None:
    """Narrow and wide, negative, and of one value only."""
    table = np.array(rows, np.int64)
    assert (unpack(pack(table)) == table).all()


def test_one_value_takes_no_room() -> None:
    """Nearly all columns of flags are that."""
    assert len(pack(np.full((3, 8_192), 7, np.int64))) < 60
    assert len(pack(np.arange(8_192, dtype=np.int64).reshape(1, -1) + 2**60)) < 2 * 8_192 + 60
