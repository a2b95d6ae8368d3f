"""The ledger's tables. Names are kept once, as numbers: a `line` is what entries are summed by, a `manner` how a
request ended.

Sums are kept in several cubes, all of one shape: a fine one with every dimension, and coarse ones for what is asked
often. Each fine line knows its line in every coarse cube.
"""

from __future__ import annotations

from typing import NamedTuple

from tripoint.adapters.sql.database import Engine, Schema
from tripoint.domain.record import AttemptRecord
from tripoint.engines.governance.ledger.cubes import COARSE, MEASURES

LINE_NAMES = ("kind", "tenant", "key", "workload", "model", "site", "upstream", "tariff", "prices")
"""Columns of a line, in order; empty in a coarse line where its cube does not tell them apart."""
MANNER_NAMES = ("api", "status", "ending", "error", "is_stream", "reason", "is_estimated")
"""Columns of a manner, in order."""
ENTRY_COLUMNS = (
    "id", "at_us", "line", "manner", "requests", "tokens_in", "cached", "tokens_out", "reasoning", "nano", "list_nano",
    "marginal_nano", "detail", "number",
)  # fmt: skip
"""Columns of an entry, in order; `detail` is a `Detail`, which nobody sums up or chooses by."""


class Detail(NamedTuple):
    """The rest of an entry, as MessagePack."""

    ttft_s: float = 0.0
    """Time to first token, s."""
    tpot_s: float = 0.0
    """Mean time per output token after the first, s."""
    total_s: float = 0.0
    """Whole time, s."""
    own_s: float = 0.0
    """Part of it in the gateway, s."""
    trace_id: str = ""
    """W3C trace id."""
    attempts: tuple[AttemptRecord, ...] = ()
    """Every attempt."""
    corrects: str = ""
    """Id of the entry it corrects."""
    note: str | None = None
    """Why an adjustment was made."""


TARIFFS = ("tariff", "listed", "marginal", "firm")
"""Tariffs of a price row, in the order of `PriceRow`."""

_TABLES = """
CREATE TABLE ledger_count (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
CREATE TABLE ledger_line (
  id {number} PRIMARY KEY, cube BIGINT NOT NULL,
  kind TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT NOT NULL, workload TEXT NOT NULL, model TEXT NOT NULL,
  site TEXT NOT NULL, upstream TEXT NOT NULL, tariff TEXT NOT NULL, prices TEXT NOT NULL,
  {coarse},
  UNIQUE (cube, kind, tenant, key, workload, model, site, upstream, tariff, prices)
);
CREATE TABLE ledger_manner (
  id {number} PRIMARY KEY,
  api TEXT NOT NULL, status BIGINT NOT NULL, ending TEXT NOT NULL, error TEXT NOT NULL, is_stream BIGINT NOT NULL,
  reason TEXT NOT NULL, is_estimated BIGINT NOT NULL, is_failed BIGINT NOT NULL,
  UNIQUE (api, status, ending, error, is_stream, reason, is_estimated)
);
CREATE TABLE ledger_entry (
  number {number} PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_us BIGINT NOT NULL, line BIGINT NOT NULL,
  manner BIGINT NOT NULL, requests BIGINT NOT NULL, tokens_in BIGINT NOT NULL, cached BIGINT NOT NULL,
  tokens_out BIGINT NOT NULL, reasoning BIGINT NOT NULL, nano BIGINT NOT NULL, list_nano BIGINT NOT NULL,
  marginal_nano BIGINT NOT NULL, detail {bytes} NOT NULL
);
CREATE INDEX ledger_entry_by_time ON ledger_entry (at_us);
CREATE TABLE ledger_spend (
  cube BIGINT NOT NULL, slot BIGINT NOT NULL, line BIGINT NOT NULL, {measures}, PRIMARY KEY (cube, slot, line)
){lean};
CREATE TABLE ledger_segment (source TEXT PRIMARY KEY, bytes BIGINT NOT NULL);
CREATE TABLE ledger_damage (
  source TEXT NOT NULL, place BIGINT NOT NULL, bytes BIGINT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (source, place)
);
CREATE TABLE ledger_price (
  version TEXT NOT NULL, place BIGINT NOT NULL, since DOUBLE PRECISION NOT NULL, basis TEXT NOT NULL, {tariffs},
  PRIMARY KEY (version, place)
)
"""

_BUNDLES = """
CREATE TABLE ledger_bundle (
  first {number} PRIMARY KEY, last BIGINT NOT NULL, day BIGINT NOT NULL, since_us BIGINT NOT NULL,
  until_us BIGINT NOT NULL
);
CREATE INDEX ledger_bundle_by_day ON ledger_bundle (day);
CREATE TABLE ledger_body (
  bundle {number} PRIMARY KEY, form BIGINT NOT NULL, columns {bytes} NOT NULL, records {bytes} NOT NULL
);
CREATE TABLE ledger_bundle_line (line BIGINT NOT NULL, bundle BIGINT NOT NULL, PRIMARY KEY (line, bundle)){lean};
CREATE INDEX ledger_bundle_line_by_bundle ON ledger_bundle_line (bundle);
CREATE TABLE ledger_seen (prefix TEXT NOT NULL, page BIGINT NOT NULL, bits {bytes} NOT NULL,
  PRIMARY KEY (prefix, page));
CREATE INDEX ledger_entry_by_line ON ledger_entry (line, number)
"""
"""Bundles of entries: where they stand, what they hold, which coarse lines of tenants are in them, which ids are in."""
_UNPRESSED = """;
ALTER TABLE ledger_body ALTER COLUMN columns SET STORAGE EXTERNAL;
ALTER TABLE ledger_body ALTER COLUMN records SET STORAGE EXTERNAL;
ALTER TABLE ledger_seen ALTER COLUMN bits SET STORAGE EXTERNAL
"""


def schema(engine: Engine) -> Schema:
    """The ledger's tables, as the steps that made them."""
    is_sqlite = engine is Engine.SQLITE
    number, kept = ("INTEGER", "BLOB") if is_sqlite else ("BIGINT", "BYTEA")
    tables = _TABLES.format(
        number=number,
        bytes=kept,
        measures=", ".join(f"{name} BIGINT NOT NULL" for name in MEASURES),
        tariffs=", ".join(
            f"{name}_id TEXT NOT NULL, {name}_in BIGINT NOT NULL, {name}_cached BIGINT NOT NULL,"
            f" {name}_out BIGINT NOT NULL, {name}_request BIGINT NOT NULL"
            for name in TARIFFS
        ),
        coarse=", ".join(f"coarse_{cube.number} BIGINT NOT NULL" for cube in COARSE),
        # Rows in the key's own tree here; there, room in each page for the row's next version.
        lean=" WITHOUT ROWID" if is_sqlite else " WITH (fillfactor = 60)",
    )
    bundles = _BUNDLES.format(number=number, bytes=kept, lean=" WITHOUT ROWID" if is_sqlite else "")
    return Schema("ledger", (tables, bundles if is_sqlite else bundles.rstrip() + _UNPRESSED))
