"""A bundle: records of one day as they were written, and beside them, as columns, what is summed up and chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tripoint.adapters.record_batch import SIZE, Ints

FORM: Final = 2
"""How records are written, kept with each bundle: the version of segments they are from."""
DAY_US: Final = 86_400_000_000
HOUR_US: Final = 3_600_000_000


def records_of(kept: bytes, table: Ints, wanted: Sequence[int] | None = None) -> list[bytes]:
    """Records at those places of a bundle, else all of them, as they were written."""
    ends = np.cumsum(table[SIZE])
    begins = ends - table[SIZE]
    if wanted is not None:
        ends, begins = ends[wanted], begins[wanted]
    return [kept[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
