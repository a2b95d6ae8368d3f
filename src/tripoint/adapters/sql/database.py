"""One SQL for SQLite and PostgreSQL: `?` for parameters, upserts by `ON CONFLICT`, one writer at a time per lock.

Statements are written once. What differs is here: how to connect, how to begin, how a row is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

Row = tuple[Any, ...]
"""A row as the driver gives it: int, float, str, bytes or None."""


class Engine(StrEnum):
    """Which database it is."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


class Session(Protocol):
    """An open transaction."""

    @property
    def engine(self) -> Engine:
        """Which database it is."""
        ...

    @property
    def raw(self) -> Any:
        """The driver's own connection or cursor, for what only one of them can do (bulk copies)."""
        ...

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Runs one statement, its parameters written `?`; the rows it gives, none for a change."""
        ...

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs one statement; how many rows it changed."""
        ...

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Runs one statement for each row of parameters; how many rows all of them changed."""
        ...

    def lock(self, name: str) -> None:
        """Waits until no other transaction holds the lock of that name; held until this one ends."""
        ...


class Schema(NamedTuple):
    """The tables of one room, as steps that are each applied once and in order."""

    name: str
    """Unique name, e.g. `ledger`."""
    steps: tuple[str, ...]
    """Statements, several to a step divided by `;` at a line's end. Never edit one that was shipped: add another."""


class Database(Protocol):
    """A database that is open; safe to use from one thread only."""

    @property
    def engine(self) -> Engine:
        """Which database it is."""
        ...

    @property
    def name(self) -> str:
        """Where it is, without any password: for messages."""
        ...

    @property
    def is_read_only(self) -> bool:
        """Whether it was opened for questions only, as it may not be written."""
        ...

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that changes something: durable when it ends without an error, undone otherwise.

        Raises `StoreError` when the database refuses or is gone.
        """
        ...

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one moment. Raises `StoreError` likewise."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


_TABLES: Final = MappingProxyType(
    {
        Engine.SQLITE: "SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_step'",
        Engine.POSTGRES: "SELECT COUNT(to_regclass('schema_step'))",
    }
)
"""Whether there are tables of ours at all."""


def prepare(database: Database, schema: Schema, now: Callable[[], float]) -> None:
    """Brings the tables of a schema up to date; several processes may do so at once.

    Raises `StoreError` when the tables are of a newer version than this program knows, or cannot be made; the database
    is closed then.
    """
    try:
        if database.is_read_only:
            _require(database, schema)
        else:
            _make(database, schema, now)
    except BaseException:
        database.close()
        raise


def _make(database: Database, schema: Schema, now: Callable[[], float]) -> None:
    from tripoint.domain.errors import StoreError

    with database.write() as session:
        session.lock("schema")
        session.change(
            "CREATE TABLE IF NOT EXISTS schema_step"
            " (name TEXT NOT NULL, step INTEGER NOT NULL, at DOUBLE PRECISION NOT NULL, PRIMARY KEY (name, step))"
        )
        done = session.execute("SELECT COUNT(*) FROM schema_step WHERE name = ?", (schema.name,))[0][0]
        if done > len(schema.steps):
            raise StoreError(
                f"the `{schema.name}` tables of {database.name} are at step {done}, this program knows"
                f" {len(schema.steps)}",
                hint="run the newer tripoint that made them",
            )
        for number in range(done, len(schema.steps)):
            for statement in schema.steps[number].split(";\n"):
                if statement.strip():
                    session.change(statement.strip().removesuffix(";"))
            session.change("INSERT INTO schema_step VALUES (?, ?, ?)", (schema.name, number + 1, now()))


def _require(database: Database, schema: Schema) -> None:
    """Raises `StoreError` unless the tables are just those this program knows: they cannot be made here."""
    from tripoint.domain.errors import StoreError

    with database.read() as session:
        tables = session.execute(_TABLES[session.engine])[0][0]
        done = tables and session.execute("SELECT COUNT(*) FROM schema_step WHERE name = ?", (schema.name,))[0][0]
    if done != len(schema.steps):
        raise StoreError(
            f"the `{schema.name}` tables of {database.name} are at step {done}, this program knows"
            f" {len(schema.steps)}, and you may only read them",
            hint="ask the same once as somebody who may write the store, with the newer tripoint of the two",
        )
