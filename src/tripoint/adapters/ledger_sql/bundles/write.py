"""Records into bundles, and what they add up to into the sums: few statements, however many records."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack as packed
from typing import Final, NamedTuple

import numpy as np

from tripoint.adapters.ledger_sql.bundles.columns import pack
from tripoint.adapters.ledger_sql.bundles.form import DAY_US, FORM, HOUR_US, records_of
from tripoint.adapters.ledger_sql.bundles.groups import Groups, distinct, grouped, is_safe
from tripoint.adapters.ledger_sql.bundles.seen import Bools
from tripoint.adapters.ledger_sql.names import Names
from tripoint.adapters.record_batch import AT, FIGURES, LINE, SIZE, Ints, RecordBatch
from tripoint.adapters.sql.database import Engine, Session
from tripoint.engines.governance.ledger.cubes import COARSE, FINE, MEASURES

LONGEST: Final = 8192
"""Most records of a bundle."""
_TENANTS: Final = 1
"""Place of the cube that tells tenants apart, and little else, among `COARSE`."""
_KEPT: Final = ("cube", "slot", "line", *MEASURES)
_UPDATE = ", ".join(f"{name} = ledger_spend.{name} + excluded.{name}" for name in MEASURES)
_ON_CONFLICT = f"ON CONFLICT (cube, slot, line) DO UPDATE SET {_UPDATE}"
_ADD: Final = f"INSERT INTO ledger_spend VALUES ({', '.join('?' * len(_KEPT))}) {_ON_CONFLICT}"
_PUT_BUNDLE: Final = "INSERT INTO ledger_bundle VALUES (?, ?, ?, ?, ?)"
_PUT_BODY: Final = "INSERT INTO ledger_body VALUES (?, ?, ?, ?)"
_PUT_LINES: Final = "INSERT INTO ledger_bundle_line VALUES (?, ?)"
_STAGE: Final = (
    f"CREATE TEMP TABLE IF NOT EXISTS ledger_stage ({', '.join(f'{name} BIGINT' for name in _KEPT)})"
    " ON COMMIT DELETE ROWS"
)
# In one order everywhere: two loaders never wait for each other.
_MERGE: Final = (
    f"INSERT INTO ledger_spend SELECT {', '.join(_KEPT)} FROM ledger_stage ORDER BY cube, slot, line {_ON_CONFLICT}"
)
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END: Final = packed(">h", -1)


class Bulk(NamedTuple):
    """Records on their way into bundles: all of them new, all with a number in their id, each billed for once."""

    written: bytes
    """All as they were written, one after the other."""
    table: Ints
    """[row, record] their figures, lines included."""


def bulk_of(names: Names, batch: RecordBatch, wanted: Bools) -> Bulk:
    """The wanted ones of a batch; lines are given numbers where they are new."""
    table = batch.table[:, wanted]
    lines, place = distinct(table[LINE])
    table[LINE] = np.array([names.line(batch.keys[line]) for line in lines.tolist()], np.int64)[place]
    return Bulk(_those(batch.written, batch.table, np.flatnonzero(wanted)), table)


def write_bulk(session: Session, names: Names, bulk: Bulk, least: int) -> Bools:
    """Keeps records as bundles and adds them to the sums; which of them: days with fewer than `least` are left out.

    So is everything where a sum might not fit 64 bits. The names' counter of entries moves on.
    """
    days = bulk.table[AT] // DAY_US
    found, counts = np.unique(days, return_counts=True)
    taken = np.isin(days, found[counts >= least])
    if not taken.any() or not is_safe(bulk.table[FIGURES:]):
        return np.zeros(len(days), np.bool_)
    is_whole = bool(taken.all())
    table = bulk.table if is_whole else bulk.table[:, taken]
    written = _those(bulk.written, bulk.table, np.flatnonzero(taken))
    lines, place = distinct(table[LINE])
    coarse = np.array(names.coarse_of(lines.tolist()), np.int64).T
    for day in found[counts >= least].tolist():
        places = np.flatnonzero(table[AT] // DAY_US == day)
        for first in range(0, len(places), LONGEST):
            part = places[first : first + LONGEST]
            _put(session, names, table[:, part], _those(written, table, part))
            _put_lines(session, names.next_entry - len(part), np.unique(coarse[_TENANTS][place[part]]))
    _add(session, _sums(grouped(table[AT] // HOUR_US, table[LINE], table[FIGURES:]), lines, coarse))
    return taken


def _those(written: bytes, table: Ints, places: Ints) -> bytes:
    """Records at some places, which are in order: nearly always a stretch of them, or all."""
    if not len(places):
        return b""
    first, last = int(places[0]), int(places[-1])
    if last - first + 1 != len(places):
        return b"".join(records_of(written, table, places.tolist()))
    begin = int(table[SIZE, :first].sum())
    return written[begin : begin + int(table[SIZE, first : last + 1].sum())]


def _put(session: Session, names: Names, table: Ints, records: bytes) -> None:
    first, count = names.next_entry, table.shape[1]
    names.next_entry += count
    since, until, day = int(table[AT].min()), int(table[AT].max()), int(table[AT][0]) // DAY_US
    session.change(_PUT_BUNDLE, (first, first + count - 1, day, since, until))
    session.change(_PUT_BODY, (first, FORM, pack(table), records))


def _put_lines(session: Session, bundle: int, lines: Ints) -> None:
    session.many(_PUT_LINES, [(line, bundle) for line in lines.tolist()])


def _sums(fine: Groups, lines: Ints, coarse: Ints) -> Ints:
    """[row of `_KEPT`, sum] of every cube, from sums by hour and line; `coarse` is [cube, line]."""
    hours, days = fine.slots, fine.slots // 24
    place = np.searchsorted(lines, fine.lines)
    parts = [(FINE.number, grouped(days, fine.lines, fine.sums))]
    for cube, upper in zip(COARSE, coarse, strict=True):
        parts.append((cube.number, grouped(hours if cube.slot == "hour" else days, upper[place], fine.sums)))
    return np.concatenate(
        [np.vstack([np.full_like(each.slots, number), each.slots, each.lines, each.sums]) for number, each in parts],
        axis=1,
    )


def _add(session: Session, rows: Ints) -> None:
    if session.engine is Engine.SQLITE:
        session.many(_ADD, rows.T.tolist())
        return
    session.change(_STAGE)
    with session.raw.cursor() as cursor, cursor.copy("COPY ledger_stage FROM STDIN WITH (FORMAT binary)") as copy:
        copy.write(_COPY_HEAD + _as_tuples(rows) + _COPY_END)
    session.change(_MERGE)  # the stage is empty again once the transaction ends


def _as_tuples(rows: Ints) -> bytes:
    """Rows of whole numbers as the server's bulk copy takes them: a count of fields, then length and value of each."""
    fields: Sequence[tuple[str, str]] = [("count", ">i2")]
    for place in range(len(rows)):
        fields = [*fields, (f"size{place}", ">i4"), (f"value{place}", ">i8")]
    made = np.zeros(rows.shape[1], np.dtype(list(fields)))
    made["count"] = len(rows)
    for place, row in enumerate(rows):
        made[f"size{place}"] = 8
        made[f"value{place}"] = row
    return made.tobytes()
