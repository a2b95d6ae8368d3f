"""Columns of whole numbers as bytes: each as its lowest value and what is above it, as narrow as it gets."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from tripoint.adapters.record_batch import Ints

_WIDTHS: Final = ((1 << 8, "<u1"), (1 << 16, "<u2"), (1 << 32, "<u4"))
_WIDEST: Final = "<i8"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, tuple[tuple[int, str, bytes], ...]]).decode


def pack(table: Ints) -> bytes:
    """[column, row] as bytes; a column of one value takes no room."""
    return _encode((table.shape[1], [_packed(column) for column in table]))


def unpack(kept: bytes) -> Ints:
    """The same table again."""
    count, columns = _decode(kept)
    table = np.empty((len(columns), count), np.int64)
    for place, (low, width, above) in enumerate(columns):
        table[place] = low
        if above:
            table[place] += np.frombuffer(above, width).astype(np.int64)
    return table


def _packed(column: Ints) -> tuple[int, str, bytes]:
    low, high = int(column.min()), int(column.max())
    if low == high:
        return low, "", b""
    for values, width in _WIDTHS:
        if high - low < values:
            return low, width, (column - low).astype(width).tobytes()
    return 0, _WIDEST, column.astype(_WIDEST).tobytes()
