"""Which ids are in: one bit for each number that a gateway ever gave to a request.

An id is a prefix and a count, `802e9ac30faaf64f-17`. Counts of one prefix lie close together, so that a page of bits
answers for thousands of them. An id of another form has no bit: the unique index on ids of rows keeps it single.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tripoint.adapters.record_batch import Ints
from tripoint.adapters.sql.database import Session

Bools = npt.NDArray[np.bool_]
PAGE: Final = 8192
"""Bits of a page."""
_DIGITS: Final = 12
_HELD: Final = 500
"""Pages held in memory at once."""
_TENS: Final = 10 ** np.arange(_DIGITS, dtype=np.int64)
_BREAK, _NOUGHT, _NINE = ord("\n"), ord("0"), 9
_PUT: Final = "INSERT INTO ledger_seen VALUES (?, ?, ?) ON CONFLICT (prefix, page) DO UPDATE SET bits = excluded.bits"


class Numbered(NamedTuple):
    """Ids of one prefix."""

    prefix: str
    """What they begin with, the last dash left out."""
    places: Ints
    """Where they stand among those asked about."""
    counts: Ints
    """Their counts."""


class Admitted(NamedTuple):
    """What is new of some ids, in their order."""

    fresh: Bools
    """True for the first of each id that was not in; what has no bit is never fresh."""
    odd: Bools
    """True for ids that have no bit."""


def admit(session: Session, ids: Sequence[str]) -> Admitted:
    """Marks ids as in, within a transaction that writes; tells which were not."""
    admitted = Admitted(np.zeros(len(ids), np.bool_), np.ones(len(ids), np.bool_))
    for prefix, places, counts in _in_parts(ids):
        pages, page_of = np.unique(counts // PAGE, return_inverse=True)
        bits = _bits(session, prefix, pages)
        flat = page_of * PAGE + counts % PAGE
        _, firsts = np.unique(flat, return_index=True)
        fresh = np.zeros(len(counts), np.bool_)
        fresh[firsts] = True
        fresh &= ~bits[flat]
        admitted.odd[places] = False
        admitted.fresh[places] = fresh
        if fresh.any():
            touched = np.unique(page_of[fresh])
            bits[flat] = True
            packed = np.packbits(bits.reshape(len(pages), PAGE)[touched], axis=1)
            rows = zip(pages[touched].tolist(), packed, strict=True)
            session.many(_PUT, [(prefix, page, row.tobytes()) for page, row in rows])
    return admitted


def known(session: Session, ids: Sequence[str]) -> frozenset[str]:
    """Those of the ids whose bit is set."""
    found: set[str] = set()
    for prefix, places, counts in _in_parts(ids):
        pages, page_of = np.unique(counts // PAGE, return_inverse=True)
        is_in = _bits(session, prefix, pages)[page_of * PAGE + counts % PAGE]
        found.update(ids[place] for place in places[is_in].tolist())
    return frozenset(found)


def numbered(ids: Sequence[str]) -> Iterator[Numbered]:
    """The ids that have a bit, by prefix."""
    if not ids:
        return
    alike = _alike(ids)
    if alike is not None:
        yield alike
        return
    found: dict[str, tuple[list[int], list[int]]] = {}
    for place, id in enumerate(ids):
        prefix, dash, digits = id.rpartition("-")
        if dash and len(digits) <= _DIGITS and digits.isdecimal() and str(int(digits)) == digits:
            places, counts = found.setdefault(prefix, ([], []))
            places.append(place)
            counts.append(int(digits))
    for prefix, (places, counts) in found.items():
        yield Numbered(prefix, np.array(places, np.int64), np.array(counts, np.int64))


def _in_parts(ids: Sequence[str]) -> Iterator[Numbered]:
    """The same, no part with more pages than memory should hold at once."""
    for whole in numbered(ids):
        pages = np.unique(whole.counts // PAGE)
        if len(pages) <= _HELD:
            yield whole
            continue
        for first in range(0, len(pages), _HELD):
            low, high = pages[first], pages[min(first + _HELD, len(pages)) - 1]
            taken = (whole.counts >= low * PAGE) & (whole.counts < (high + 1) * PAGE)
            yield Numbered(whole.prefix, whole.places[taken], whole.counts[taken])


def _alike(ids: Sequence[str]) -> Numbered | None:
    """All of them at once where all have one prefix, as those of one worker do; else `None`."""
    prefix, dash, _ = ids[0].rpartition("-")
    start = f"\n{prefix}{dash}"
    text = "\n" + "\n".join(ids)
    if not dash or text.count(start) != len(ids) or text.count("\n") != len(ids) or not text.isascii():
        return None
    counts = _counts(np.frombuffer(text.encode("ascii"), np.uint8), len(start))
    return None if counts is None else Numbered(prefix, np.arange(len(ids), dtype=np.int64), counts)


def _counts(text: npt.NDArray[np.uint8], skip: int) -> Ints | None:
    """The number in each line of a text, behind its first `skip` characters, the line's break among them.

    `None` where one of them is no count as a gateway writes it: digits only, no more than needed.
    """
    begins = np.flatnonzero(text == _BREAK) + skip
    ends = np.append(begins[1:] - skip, len(text))
    sizes = ends - begins
    if sizes.min() < 1 or sizes.max() > _DIGITS or ((text[begins] == _NOUGHT) & (sizes > 1)).any():
        return None
    counts = np.zeros(len(begins), np.int64)
    for place in range(int(sizes.max())):
        digits = text[ends - 1 - place] - _NOUGHT  # characters below it become large ones
        digits[sizes <= place] = 0
        if digits.max() > _NINE:
            return None
        counts += digits * _TENS[place]
    return counts


def _bits(session: Session, prefix: str, pages: Ints) -> Bools:
    """[page x bit] of those pages, one after the other."""
    bits = np.zeros((len(pages), PAGE // 8), np.uint8)
    wanted = pages.tolist()
    place_of = {page: place for place, page in enumerate(wanted)}
    sql = f"SELECT page, bits FROM ledger_seen WHERE prefix = ? AND page IN ({', '.join('?' * len(wanted))})"
    for page, kept in session.execute(sql, (prefix, *wanted)):
        bits[place_of[int(page)]] = np.frombuffer(kept, np.uint8)
    return np.unpackbits(bits).astype(np.bool_)
