"""The ledger on a database of either kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from tripoint.adapters.ledger_sql import sums
from tripoint.adapters.ledger_sql.audit import mismatches
from tripoint.adapters.ledger_sql.bundles.read import drop
from tripoint.adapters.ledger_sql.bundles.seen import known
from tripoint.adapters.ledger_sql.entries import entries
from tripoint.adapters.ledger_sql.load import LOCK, Charging, Loading
from tripoint.adapters.ledger_sql.names import Names
from tripoint.adapters.ledger_sql.schema import schema
from tripoint.adapters.sql.database import Database, prepare
from tripoint.domain.ledger import (
    Adjustment,
    Damage,
    Entry,
    EntryQuery,
    Loaded,
    Mismatch,
    Piece,
    PriceRow,
    Spend,
    SpendQuery,
)
from tripoint.domain.money import Tariff
from tripoint.engines.governance.ledger.days import DAY_S, day_number, day_text

_PRUNED_AT_ONCE = 5_000
_BUNDLES_AT_ONCE = 8
_DAY_US = DAY_S * 1_000_000
_HIGHEST = (1 << 63) - 1
_ASKED_AT_ONCE = 500
LEAST = 256
"""Fewer new records of a day than this become rows: a bundle of few costs more than they do."""
_PRUNED = (
    "INSERT INTO ledger_count VALUES ('pruned', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    " WHERE ledger_count.value < ?"
)


class SqlLedger:
    """Implements `ports.Ledger`; `charge` is called in the transaction of every load.

    From `least` new records of a day on a load keeps them as bundles.
    """

    def __init__(
        self, database: Database, now: Callable[[], float], charge: Charging | None = None, *, least: int = LEAST
    ) -> None:
        self._database = database
        self._least = least
        self._charge = charge
        self._names = Names()
        prepare(database, schema(database.engine), now)

    def load(self, pieces: Sequence[Piece], adjustments: Sequence[Adjustment] = (), *, holder: str = "") -> Loaded:
        """Enters what is new, adds it to the sums and moves the offsets."""
        try:
            with self._database.write() as session:
                return Loading(session, self._names, self._charge, self._least).load(pieces, adjustments, holder)
        except BaseException:
            self._names.forget()
            raise

    def known(self, ids: Collection[str]) -> frozenset[str]:
        """Which of these entries are in."""
        found: set[str] = set()
        wanted = sorted(ids)
        with self._database.read() as session:
            for first in range(0, len(wanted), _ASKED_AT_ONCE):
                part = wanted[first : first + _ASKED_AT_ONCE]
                places = ", ".join("?" * len(part))
                found.update(
                    row[0] for row in session.execute(f"SELECT id FROM ledger_entry WHERE id IN ({places})", part)
                )
            return known(session, wanted) | found

    def offsets(self) -> Mapping[str, int]:
        """How far each segment is loaded."""
        with self._database.read() as session:
            return {
                source: int(offset) for source, offset in session.execute("SELECT source, bytes FROM ledger_segment")
            }

    def forget_segments(self, sources: Collection[str]) -> None:
        """Drops the offsets of segments that are gone."""
        with self._database.write() as session:
            session.many("DELETE FROM ledger_segment WHERE source = ?", [(source,) for source in sources])

    def spend(self, query: SpendQuery) -> tuple[Spend, ...]:
        """Sums over part of the ledger."""
        with self._database.read() as session:
            return sums.spend(session, query)

    def entries(self, query: EntryQuery) -> Iterator[Entry]:
        """Entries in full."""
        return entries(self._database, query)

    def keep_prices(self, version: str, rows: Sequence[PriceRow], now: float) -> None:
        """Keeps the rows of a price version."""
        with self._database.write() as session:
            session.many(
                f"INSERT INTO ledger_price VALUES ({', '.join('?' * 24)}) ON CONFLICT (version, place) DO NOTHING",
                [
                    (version, place, now, row.basis, *row.tariff, *row.listed, *row.marginal, *row.firm)
                    for place, row in enumerate(rows)
                ],
            )

    def prices(self, version: str) -> tuple[PriceRow, ...]:
        """The rows of a price version."""
        with self._database.read() as session:
            rows = session.execute("SELECT * FROM ledger_price WHERE version = ? ORDER BY place", (version,))
        return tuple(
            PriceRow(Tariff(*row[4:9]), Tariff(*row[9:14]), Tariff(*row[14:19]), Tariff(*row[19:24]), row[3])
            for row in rows
        )

    def damage(self) -> tuple[Damage, ...]:
        """Every stretch of a segment that could not be read."""
        with self._database.read() as session:
            rows = session.execute("SELECT source, place, bytes, reason FROM ledger_damage ORDER BY source, place")
        return tuple(Damage(*row) for row in rows)

    def audit(self, since: str, until: str) -> tuple[Mismatch, ...]:
        """Lines of those days whose entries do not add up to their sums, in any of the cubes.

        Days whose entries were dropped are left out.
        """
        with self._database.read() as session:
            begin = day_text(max(day_number(since), sums.first_day(session)))
            return tuple(mismatches(session, begin, until))

    def prune(self, before: str, since: str | None = None, upto: int | None = None) -> int:
        """Drops entries of days before that one, a few thousand a transaction; their sums stay."""
        day = day_number(before)
        first = 0 if since is None else day_number(since)
        highest = _HIGHEST if upto is None else upto
        dropped = 0
        while True:
            with self._database.write() as session:
                session.lock(LOCK)
                session.change(_PRUNED, (day, day))
                count = session.change(
                    "DELETE FROM ledger_entry WHERE number IN"
                    " (SELECT e.number FROM ledger_entry e WHERE e.at_us >= ? AND e.at_us < ?"
                    " AND e.number <= ? LIMIT ?)",
                    (first * _DAY_US, day * _DAY_US, highest, _PRUNED_AT_ONCE),
                )
                in_bundles = drop(session, (first, day), highest, _BUNDLES_AT_ONCE)
            dropped += count + in_bundles
            if count < _PRUNED_AT_ONCE and not in_bundles:
                return dropped

    def close(self) -> None:
        """Lets go of the store."""
        self._database.close()
