"""PostgreSQL: one store for several gateway nodes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tripoint.adapters.sql.database import Engine, Row
from tripoint.domain.errors import MissingExtraError, StoreError

if TYPE_CHECKING:
    import psycopg

_CONNECT_S = 10
_MAY_WRITE = """
SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'
 AND has_schema_privilege(current_schema(), 'CREATE')
 AND COALESCE(has_table_privilege(to_regclass('schema_step'), 'INSERT'), true)
"""
_AWAY = "is the server up and the URL right?"
_BARRED = (
    "the user of this URL may not do that; questions need `GRANT SELECT ON ALL TABLES IN SCHEMA ... TO ...`, all else a"
    " user who may create tables there"
)


class PostgresSession:
    """An open transaction."""

    engine = Engine.POSTGRES

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self.raw: Any = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Runs one statement; its rows."""
        cursor = self.raw.execute(_spelt(sql), values)
        rows: list[Row] = cursor.fetchall() if cursor.description is not None else []
        return rows

    def change(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs one statement; how many rows it changed."""
        return int(self.raw.execute(_spelt(sql), values).rowcount)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Runs one statement for each row of parameters; how many rows all of them changed."""
        with self.raw.cursor() as cursor:
            cursor.executemany(_spelt(sql), rows)
            return int(cursor.rowcount)

    def lock(self, name: str) -> None:
        """Waits for an advisory lock that lasts as long as the transaction."""
        self.raw.execute("SELECT pg_advisory_xact_lock(%s)", (zlib.crc32(name.encode()),))


class PostgresDatabase:
    """A server, by a URL; connects anew when the connection was lost between two transactions.

    Who only `asks` needs the right to read the tables and no other.
    """

    engine = Engine.POSTGRES

    def __init__(self, url: str, *, asks: bool = False) -> None:
        try:
            import psycopg
        except ImportError:
            raise MissingExtraError(
                "a PostgreSQL store needs the driver psycopg", hint="pip install 'tripoint[postgres]'"
            ) from None
        self._driver = psycopg
        self._url = url
        parts = urlsplit(url)
        self.name = f"`postgresql://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}`"
        self._connection: psycopg.Connection[Row] | None = None
        with self._told():
            connection = self._connected()
            self.is_read_only = asks and not connection.execute(_MAY_WRITE).fetchall()[0][0]

    @contextmanager
    def write(self) -> Iterator[PostgresSession]:
        """A transaction that changes something."""
        with self._told():
            connection = self._connected()
            with connection.transaction():
                yield PostgresSession(connection)

    @contextmanager
    def read(self) -> Iterator[PostgresSession]:
        """A transaction that sees one moment."""
        with self._told():
            connection = self._connected()
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield PostgresSession(connection)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._connection is not None:
            with suppress(self._driver.Error):
                self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection[Row]:
        connection = self._connection
        if connection is None or connection.closed or connection.broken:
            connection = self._driver.connect(self._url, autocommit=True, connect_timeout=_CONNECT_S)
            connection.execute("SET jit = off")  # statements here take less time than compiling them would
            self._connection = connection
        return connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._driver.Error as error:
            reason = " ".join(str(error).split())
            is_barred = isinstance(error, self._driver.errors.InsufficientPrivilege)
            raise StoreError(f"the store {self.name}: {reason}", hint=_BARRED if is_barred else _AWAY) from error


def _spelt(sql: str) -> str:
    """Parameters as this driver wants them; statements here hold no `?` and no `%` of their own."""
    return sql.replace("%", "%%").replace("?", "%s")
