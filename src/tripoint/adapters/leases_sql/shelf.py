"""The rows of budgets, within one transaction; implements `Shelf` on either database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import product

from tripoint.adapters.ledger_sql.sums import spent
from tripoint.adapters.sql.database import Row, Schema, Session
from tripoint.domain.budget import Lease, Tally, Threshold
from tripoint.domain.tenancy import Budget, Scope
from tripoint.engines.governance.budget.windows import begins_at, ends_at

SCHEMA = Schema(
    "leases",
    (
        # `span` is the window, which is a word of SQL's own.
        """
CREATE TABLE budget_tally (
  budget TEXT NOT NULL, span TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT, workload TEXT,
  limit_nano BIGINT NOT NULL, revision BIGINT NOT NULL, spent_nano BIGINT NOT NULL, warned BIGINT NOT NULL,
  recalls BIGINT NOT NULL, PRIMARY KEY (budget, span)
);
CREATE INDEX budget_tally_by_tenant ON budget_tally (tenant, span);
CREATE TABLE budget_lease (
  budget TEXT NOT NULL, span TEXT NOT NULL, holder TEXT NOT NULL, since DOUBLE PRECISION NOT NULL,
  granted BIGINT NOT NULL, returned BIGINT NOT NULL, charged BIGINT NOT NULL, PRIMARY KEY (budget, span, holder)
);
CREATE INDEX budget_lease_by_holder ON budget_lease (holder);
CREATE TABLE budget_threshold (
  budget TEXT NOT NULL, span TEXT NOT NULL, percent BIGINT NOT NULL, spent_nano BIGINT NOT NULL,
  limit_nano BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (budget, span, percent)
)
""",
        # What was reached before this step was told by the program of then.
        "ALTER TABLE budget_threshold ADD COLUMN is_told BIGINT NOT NULL DEFAULT 1",
        "CREATE TABLE quota_node"
        " (node TEXT PRIMARY KEY, beat BIGINT NOT NULL, low BIGINT NOT NULL, high BIGINT NOT NULL)",
        # While budgets were removed: pairs of moments, seconds since 1970, a blank between two of them.
        "ALTER TABLE budget_lease ADD COLUMN gaps TEXT NOT NULL DEFAULT ''",
    ),
)
_DAY_S = 86_400
_AT_ONCE = 400
_TALLY = "budget, span, tenant, key, workload, limit_nano, revision, spent_nano, warned, recalls"
_LEASE = "budget, span, holder, since, granted, returned, charged, gaps"
_PUT_TALLY = (
    f"INSERT INTO budget_tally ({_TALLY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (budget, span) DO UPDATE"
    " SET tenant = excluded.tenant, key = excluded.key, workload = excluded.workload, limit_nano = excluded.limit_nano,"
    " revision = excluded.revision, spent_nano = excluded.spent_nano, warned = excluded.warned,"
    " recalls = excluded.recalls"
)
_PUT_LEASE = (
    f"INSERT INTO budget_lease ({_LEASE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (budget, span, holder) DO UPDATE"
    " SET since = excluded.since, granted = excluded.granted, returned = excluded.returned, charged = excluded.charged,"
    " gaps = excluded.gaps"
)


class SqlShelf:
    """See `Shelf`; a tally that was looked at is this transaction's until it ends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tally(self, budget: str, window: str) -> Tally | None:
        """See `Shelf`."""
        self._session.lock(f"budget {budget} {window}")
        rows = self._session.execute(
            f"SELECT {_TALLY} FROM budget_tally WHERE budget = ? AND span = ?", (budget, window)
        )
        return _tally(rows[0]) if rows else None

    def tallies_of(self, tenants: Collection[str], windows: Collection[str]) -> Sequence[Tally]:
        """See `Shelf`."""
        found: list[Tally] = []
        wanted, spans = sorted(tenants), sorted(windows)
        for first, start in product(range(0, len(wanted), _AT_ONCE), range(0, len(spans), _AT_ONCE)):
            part, span = wanted[first : first + _AT_ONCE], spans[start : start + _AT_ONCE]
            sql = (
                f"SELECT {_TALLY} FROM budget_tally WHERE tenant IN ({_places(part)}) AND span IN ({_places(span)})"
                " ORDER BY budget, span"
            )
            found += map(_tally, self._session.execute(sql, (*part, *span)))
        return found

    def open_tallies(self, windows: Collection[str]) -> list[Tally]:
        """Every tally of those windows, not kept from others."""
        sql = f"SELECT {_TALLY} FROM budget_tally WHERE span IN ({_places(windows)}) ORDER BY budget, span"
        return [_tally(row) for row in self._session.execute(sql, tuple(windows))]

    def leases(self, budget: str, window: str) -> Sequence[Lease]:
        """See `Shelf`."""
        sql = f"SELECT {_LEASE} FROM budget_lease WHERE budget = ? AND span = ?"
        return [_lease(row) for row in self._session.execute(sql, (budget, window))]

    def lease(self, budget: str, window: str, holder: str) -> Lease | None:
        """See `Shelf`."""
        sql = f"SELECT {_LEASE} FROM budget_lease WHERE budget = ? AND span = ? AND holder = ?"
        rows = self._session.execute(sql, (budget, window, holder))
        return _lease(rows[0]) if rows else None

    def leases_of(self, holder: str) -> Sequence[Lease]:
        """See `Shelf`; in one order everywhere."""
        sql = f"SELECT {_LEASE} FROM budget_lease WHERE holder = ? ORDER BY budget, span"
        return [_lease(row) for row in self._session.execute(sql, (holder,))]

    def put_tally(self, tally: Tally) -> None:
        """See `Shelf`."""
        scope = tally.scope
        self._session.change(
            _PUT_TALLY,
            (tally.budget, tally.window, scope.tenant, scope.key, scope.workload, *tally[3:]),
        )

    def put_lease(self, lease: Lease) -> None:
        """See `Shelf`."""
        gaps = " ".join(f"{gone!r}/{back!r}" for gone, back in lease.gaps)
        self._session.change(_PUT_LEASE, (*lease[:-1], gaps))

    def put_threshold(self, told: Threshold, at: float) -> None:
        """Remembers that a threshold was reached at that time, seconds since 1970."""
        self._session.change(
            "INSERT INTO budget_threshold (budget, span, percent, spent_nano, limit_nano, at, is_told)"
            " VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
            (*told, at),
        )

    def untold(self) -> list[Threshold]:
        """Thresholds that were reached and told to nobody, by budget, window and percentage."""
        sql = "SELECT budget, span, percent, spent_nano, limit_nano FROM budget_threshold WHERE is_told = 0"
        return [Threshold(*row) for row in self._session.execute(f"{sql} ORDER BY budget, span, percent")]

    def mark_told(self, thresholds: Iterable[Threshold]) -> None:
        """Remembers that these were told."""
        self._session.many(
            "UPDATE budget_threshold SET is_told = 1 WHERE budget = ? AND span = ? AND percent = ?",
            [told[:3] for told in thresholds],
        )

    def spent(self, budget: Budget, window: str) -> int:
        """See `Shelf`."""
        first, last = int(begins_at(window)) // _DAY_S, int(ends_at(window)) // _DAY_S - 1
        return spent(self._session, budget.scope, first, last)


def _places(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def _tally(row: Row) -> Tally:
    budget, window, tenant, key, workload, *figures = row
    return Tally(budget, window, Scope(tenant=tenant, key=key, workload=workload), *figures)


def _lease(row: Row) -> Lease:
    budget, window, holder, since, granted, returned, charged, text = row
    gaps = [gap.partition("/") for gap in text.split()]
    lease = Lease(budget, window, holder, since, granted, returned, charged)
    return lease._replace(gaps=tuple((float(gone), float(back)) for gone, _, back in gaps))
