"""Usage records as they were written, and their figures as columns: what is summed up needs no record as a whole.

Records are read a few hundred at a time and let go at once, so that all of that happens in a processor's cache; their
bytes are kept as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from struct import pack
from typing import Annotated, Any, Final, TypeVar, overload

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Raw

from tripoint.domain.ledger import EntryKind
from tripoint.domain.record import Ending, Usage, UsageRecord
from tripoint.engines.governance.ledger.cubes import MEASURES

Ints = npt.NDArray[np.int64]
LineKey = tuple[str, str, str, str, str, str, str, str, str]
"""Kind, tenant, key, workload, model, site, upstream, tariff, prices."""
LATEST_S: Final = 1e11
"""Times and spans beyond this are none, s."""
MOST: Final = 1 << 62
"""Sums of figures as large as this do not fit a database's integers."""
AT, LINE, SIZE, FIGURES = 0, 1, 2, 3
"""Rows of a table: when, in microseconds since 1970; line; bytes of the record; then `MEASURES` in order."""
ROWS: Final = FIGURES + len(MEASURES)
"""How many rows a table has."""
_AT_ONCE: Final = 400
"""Records read at once: what they are meanwhile, some 3 kB each, has to fit the cache of one core."""
_MOST_LINES: Final = 50_000
_Figure = Annotated[int, Meta(gt=-MOST, lt=MOST)]
_Span = Annotated[float, Meta(gt=-LATEST_S, lt=LATEST_S)]
_Time = Annotated[float, Meta(ge=0.0, lt=LATEST_S)]
_Tokens = tuple[_Figure, _Figure, _Figure, _Figure, bool]
_Bill = tuple[str, str, str, str, str, _Tokens, _Figure, _Figure, _Figure]
# The fields of a record in order; attempts are passed over, not read.
_Fields = tuple[
    str, _Time, str, str, str, str, str, str, str, _Figure, str, str, bool, _Tokens, _Span, _Span, _Span, _Span, str,
    _Figure, _Figure, _Figure, str, str, str, Raw, tuple[_Bill, ...],
]  # fmt: skip
_DIVIDER: Final = "\x1f"
_Key = TypeVar("_Key", str, LineKey)
_ATTEMPTS: Final = UsageRecord._fields.index("attempts")
_WELL: Final = frozenset(("", str(Ending.OK)))
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(UsageRecord).decode
_fields = msgspec.msgpack.Decoder(_Fields).decode


class LineBook:
    """Numbers for lines, as they are met; a batch's own, not those of any store.

    Lines are looked up by their names in one text: one place in memory for each, not nine. Names that hold what divides
    them are looked up apart.
    """

    __slots__ = ("_by_key", "_by_text", "keys")

    def __init__(self) -> None:
        self._by_text: dict[str, int] = {}
        self._by_key: dict[LineKey, int] = {}
        self.keys: list[LineKey] = []
        """The line of each number."""

    def numbers(self, names: Sequence[Sequence[str]]) -> list[int]:
        """The number of each line, given one when it is new; `names` are tenants, keys, ..., each of all lines."""
        texts = list(map(_DIVIDER.join, zip(*names, strict=True)))
        found: list[Any] = list(map(self._by_text.get, texts))
        if None in found:
            for place, text in enumerate(texts):
                if found[place] is None:
                    found[place] = self._number(text, [column[place] for column in names])
        return found

    def _number(self, text: str, names: Sequence[str]) -> int:
        if text.count(_DIVIDER) >= len(names):  # another line may have the same text
            return self._new(self._by_key, _line_key(names), names)
        return self._new(self._by_text, text, names)

    def _new(self, known: dict[_Key, int], key: _Key, names: Sequence[str]) -> int:
        number = known.setdefault(key, len(self.keys))
        if number == len(self.keys):
            self.keys.append(_line_key(names))
        return number

    @property
    def is_full(self) -> bool:
        """True when the next batch had better begin another."""
        return len(self.keys) >= _MOST_LINES


class RecordBatch(Sequence[UsageRecord]):
    """Records of which each is read in full only when it is asked for."""

    __slots__ = ("_ends", "billed", "ids", "keys", "table", "written")

    def __init__(self, blobs: Iterable[bytes], book: LineBook | None = None) -> None:
        """Of records as MessagePack. Raises `msgspec.MsgspecError` when one of them is none, or has a figure that no
        database holds.
        """
        book = book or LineBook()
        self.ids: list[str] = []
        """Their ids."""
        self.billed: list[int] = []
        """Places of those that more than one upstream billed for."""
        self.keys: Sequence[LineKey] = book.keys
        """Lines, by the numbers in the table."""
        parts = [np.zeros((ROWS, 0), np.int64)]
        written: list[bytes] = []
        several = iter(blobs)
        while part := list(islice(several, _AT_ONCE)):
            parts.append(self._read(part, book))
            written.append(b"".join(part))
        self.table: Ints = np.concatenate(parts, axis=1)
        """[row, record] their figures."""
        self.written = b"".join(written)
        """All of them as they were written, one after the other."""
        self._ends: Ints = np.cumsum(self.table[SIZE])

    def _read(self, blobs: list[bytes], book: LineBook) -> Ints:
        (
            ids, at, tenant, key, workload, model, _, site, upstream, _, ending, _, _, usage, _, _, _, _, _,
            nano, list_nano, marginal_nano, tariff, prices, _, _, billed,
        ) = zip(*map(_fields, blobs), strict=True)  # fmt: skip
        tokens_in, tokens_out, cached, reasoning, estimated = zip(*usage, strict=True)
        if any(billed):
            self.billed += [len(self.ids) + place for place, bills in enumerate(billed) if bills]
        self.ids += ids
        lines = book.numbers((tenant, key, workload, model, site, upstream, tariff, prices))
        failed = [each not in _WELL for each in ending]
        count = len(blobs)
        table = np.empty((ROWS, count), np.int64)
        table[AT] = np.rint(np.frombuffer(pack(f"{count}d", *at)) * 1e6)
        table[FIGURES] = 1
        # Packed as one, and seen as an array afterwards: a third of what it takes numpy to look at each by itself.
        known = pack(f"{2 * count}q", *lines, *map(len, blobs))
        table[LINE:FIGURES] = np.frombuffer(known, np.int64).reshape(-1, count)
        figures = pack(
            f"{9 * count}q", *failed, *estimated, *tokens_in, *cached, *tokens_out, *reasoning, *nano, *list_nano,
            *marginal_nano,
        )  # fmt: skip
        table[FIGURES + 1 :] = np.frombuffer(figures, np.int64).reshape(-1, count)
        return table

    @classmethod
    def of(cls, records: Iterable[UsageRecord]) -> RecordBatch:
        """Of records that nobody has written yet."""
        return records if isinstance(records, cls) else cls(map(_encode, records))

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> UsageRecord: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[UsageRecord, ...]: ...
    def __getitem__(self, place: int | slice) -> UsageRecord | tuple[UsageRecord, ...]:
        if isinstance(place, slice):
            return tuple(map(self._record, range(*place.indices(len(self)))))
        return self._record(range(len(self))[place])

    def _record(self, place: int) -> UsageRecord:
        end = int(self._ends[place])
        return record_of(self.written[end - int(self.table[SIZE, place]) : end])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordBatch) and self.written == other.written

    def __hash__(self) -> int:
        return hash(tuple(self.ids))


def _line_key(names: Sequence[str]) -> LineKey:
    tenant, key, workload, model, site, upstream, tariff, prices = names
    return str(EntryKind.USAGE), tenant, key, workload, model, site, upstream, tariff, prices


def record_of(blob: bytes) -> UsageRecord:
    """A record out of what was written.

    Where its attempts are of another version they are left out: what it says of money was read, and is true.
    """
    try:
        return _decode(blob)
    except msgspec.ValidationError:
        found = _fields(blob)
        return UsageRecord._make((*found[:13], Usage._make(found[13]), *found[14:_ATTEMPTS], (), ()))


def sound(blob: bytes) -> UsageRecord:
    """A record in full. Raises `msgspec.MsgspecError` when it is none, or has a figure that no database holds."""
    record = _decode(blob)
    _fields(_encode(record))
    return record
