"""The store of accounts: every change and its audit entry are one transaction, and no other way to change exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tripoint.adapters.accounts_sql.schema import schema
from tripoint.adapters.accounts_sql.tables import TABLES, Table
from tripoint.adapters.sql.database import Database, Row, Session, prepare
from tripoint.domain.audit import Act, AuditEntry, Checkpoint
from tripoint.domain.errors import ConflictError, StoreError
from tripoint.domain.tenancy import Account, Accounts, ApiKey, Budget, Principal, Quota, Tenant
from tripoint.engines.governance.audit.chain import next_entry
from tripoint.engines.governance.audit.rows import KINDS, bound, row_digest
from tripoint.ports import AccountRow

_LOCK = "accounts"
_ENTRY = ", ".join(AuditEntry._fields)
_CHECKPOINT = ", ".join(Checkpoint._fields)
_PAGE = 1000
REQUESTS_KEPT_S = 86_400.0
"""How long the store remembers what a request made, s: so long its repetition makes nothing twice."""


class SqlAccounts:
    """The accounts in a database; makes the tables when there are none."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        """`now` is asked for when tables are made, seconds since 1970."""
        self._database = database
        prepare(database, schema(database.engine), now)

    def revision(self) -> int:
        """Counts changes."""
        with self._database.read() as session:
            return _revision(session)

    def accounts(self, now: float) -> Accounts:
        """What a gateway must know, as of one moment."""
        with self.read() as book:
            keys = (key for key in book.rows(ApiKey) if key.principal is None and not _has_ended(key, now))
            return Accounts(
                revision=book.revision(),
                tenants=book.rows(Tenant),
                keys=tuple(keys),
                quotas=book.rows(Quota),
                budgets=book.rows(Budget),
            )

    def served(self) -> dict[str, tuple[str, ...]]:
        """Names that gateways of this store serve, by kind."""
        with self._database.read() as session:
            found = session.execute("SELECT kind, name FROM served_name")
        kinds = sorted({str(kind) for kind, _ in found})
        return {each: tuple(sorted(str(name) for kind, name in found if kind == each)) for each in kinds}

    def note_served(self, names: Mapping[str, Sequence[str]], now: float) -> None:
        """Adds names that a gateway serves."""
        rows = [(kind, name, now) for kind, each in names.items() for name in each]
        with self._database.write() as session:
            session.many("INSERT INTO served_name VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)

    @contextmanager
    def read(self) -> Iterator[SqlBook]:
        """The book as of one moment."""
        with self._database.read() as session:
            yield SqlBook(session)

    @contextmanager
    def write(self) -> Iterator[SqlBook]:
        """The book for one writer at a time."""
        with self._database.write() as session:
            session.lock(_LOCK)
            yield SqlBook(session)

    def close(self) -> None:
        """Lets go of the database."""
        self._database.close()


class SqlBook:
    """One transaction on the accounts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def revision(self) -> int:
        """The number of the last audit entry."""
        return _revision(self._session)

    def find(self, kind: type[AccountRow], row_id: str) -> AccountRow | None:
        """The row of that id."""
        return self._one(kind, "id", row_id)

    def rows(
        self, kind: type[AccountRow], *, tenant: str | None = None, after: str = "", limit: int | None = None
    ) -> tuple[AccountRow, ...]:
        """Rows by id."""
        table = TABLES[kind]
        if not _is_storable(after) or (tenant is not None and not table.tenant):
            return ()
        where, values = ["id > ?"], [after]
        if tenant is not None:
            where.append(f"{table.tenant} = ?")
            values.append(tenant)
        cut = f" LIMIT {int(limit)}" if limit is not None else ""
        found = self._session.execute(
            f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {' AND '.join(where)} ORDER BY id{cut}", values
        )
        return tuple(_row(table, values) for values in found)

    def row_digests(self) -> dict[str, str]:
        """Digest of every row by `kind:id`."""
        digests = {}
        for kind, name in KINDS:
            table = TABLES[kind]
            for values in self._session.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY id"):
                try:
                    digest = row_digest(table.row(*values))
                except (ValueError, TypeError):
                    digest = "unreadable"
                digests[f"{name}:{values[0]}"] = digest
        return digests

    def key_by_digest(self, digest: str) -> ApiKey | None:
        """The key with that keyed hash."""
        return self._one(ApiKey, "digest", digest)

    def principal_by_subject(self, subject: str) -> Principal | None:
        """The principal of an identity provider's `issuer#subject`."""
        return self._one(Principal, "subject", subject)

    def made_by(self, request: str) -> str | None:
        """Id of what the request made."""
        found = self._session.execute("SELECT subject FROM account_request WHERE digest = ?", (request,))
        return str(found[0][0]) if found else None

    def change(
        self, act: Act, put: Sequence[Account] = (), drop: Sequence[Account] = (), request: str = ""
    ) -> AuditEntry:
        """Writes and removes rows and enters the act."""
        if request:
            self._claim(request, act)
        for row in drop:
            self._session.change(f"DELETE FROM {TABLES[type(row)].name} WHERE id = ?", (row.id,))
        for row in put:
            self._refuse_twins(row)
            table = TABLES[type(row)]
            self._session.change(table.upsert, table.values(row))
        last = next(iter(self._entries("number = ?", [self.revision()], 1)), None)
        entry = next_entry(last, bound(act, put, drop))
        marks = ", ".join("?" for _ in entry)
        self._session.change(f"INSERT INTO audit_entry ({_ENTRY}) VALUES ({marks})", entry)
        return entry

    def entries(
        self, *, after: int = 0, until: int | None = None, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[AuditEntry]:
        """Audit entries by number, read a page at a time."""
        left = limit
        while left is None or left > 0:
            where = "number > ?"
            values: list[object] = [after]
            if until is not None:
                where += " AND number <= ?"
                values.append(until)
            if tenant is not None:
                where += " AND tenant = ?"
                values.append(tenant)
            page = self._entries(where, values, _PAGE if left is None else min(left, _PAGE))
            yield from page
            if not page:
                return
            after = page[-1].number
            left = None if left is None else left - len(page)

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Checkpoints signed so far."""
        found = self._session.execute(f"SELECT {_CHECKPOINT} FROM audit_checkpoint ORDER BY number, at")
        return tuple(Checkpoint(*values) for values in found)

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Remembers a checkpoint."""
        marks = ", ".join("?" for _ in checkpoint)
        self._session.change(
            f"INSERT INTO audit_checkpoint ({_CHECKPOINT}) VALUES ({marks}) ON CONFLICT DO NOTHING", checkpoint
        )

    def mark(self, name: str) -> str | None:
        """A fact about the store itself."""
        found = self._session.execute("SELECT value FROM account_mark WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def set_mark(self, name: str, value: str) -> None:
        """Sets such a fact once."""
        self._session.change("INSERT INTO account_mark VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
        if self.mark(name) != value:
            raise ConflictError(f"the store has another `{name}` already", hint="it is set once and stays")

    def _one(self, kind: type[AccountRow], column: str, value: str) -> AccountRow | None:
        table = TABLES[kind]
        if not _is_storable(value):
            return None
        found = self._session.execute(
            f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE {column} = ?", (value,)
        )
        row: AccountRow | None = _row(table, found[0]) if found else None
        return row

    def _entries(self, where: str, values: Sequence[object], limit: int) -> list[AuditEntry]:
        found = self._session.execute(
            f"SELECT {_ENTRY} FROM audit_entry WHERE {where} ORDER BY number LIMIT {int(limit)}", values
        )
        return [AuditEntry(*row) for row in found]

    def _claim(self, request: str, act: Act) -> None:
        self._session.change("DELETE FROM account_request WHERE at < ?", (act.at - REQUESTS_KEPT_S,))
        done = self._session.change(
            "INSERT INTO account_request VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (request, act.subject, act.at)
        )
        if done == 0:
            raise ConflictError(
                f"this request was carried out before: it made `{self.made_by(request)}`",
                hint="ask for it by its id",
            )

    def _refuse_twins(self, row: Account) -> None:
        """Tells what a unique index would only call an error."""
        if isinstance(row, ApiKey):
            twin = self.key_by_digest(row.digest)
            if twin is not None and twin.id != row.id:
                raise ConflictError("another key has the same secret", hint="create the key again")
        if isinstance(row, Principal) and row.subject is not None:
            other = self.principal_by_subject(row.subject)
            if other is not None and other.id != row.id:
                raise ConflictError(
                    f"the subject `{row.subject}` means another principal already", hint="one subject is one principal"
                )


def _is_storable(text: str) -> bool:
    """False for what callers may ask for and no database keeps: a NUL, a lone surrogate."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _row(table: Table, values: Row) -> Any:
    try:
        return table.row(*values)
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"the row `{values[0]}` of the table `{table.name}` is not valid: {error}",
            hint="somebody edited the table; `tripoint audit verify` lists all such rows",
        ) from error


def _revision(session: Session) -> int:
    return int(session.execute("SELECT COALESCE(MAX(number), 0) FROM audit_entry")[0][0])


def _has_ended(key: ApiKey, now: float) -> bool:
    return any(at is not None and at <= now for at in (key.expires_at, key.revoked_at))
