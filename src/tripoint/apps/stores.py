"""The wiring of the stores: opens accounts, secrets and witnesses, and hands them to use cases; a part of `wiring`.

Everything is imported inside the functions, as there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tripoint.apps.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from tripoint.adapters.accounts_sql.store import SqlAccounts
    from tripoint.adapters.board_mmap.rates import MmapRates
    from tripoint.adapters.lease_sheet import DeadSheet, LeaseSheet
    from tripoint.adapters.leases_sql.store import Charger, SqlLeases
    from tripoint.adapters.segment_tail import SegmentTail
    from tripoint.adapters.signing.ed25519 import Ed25519Signer, Ed25519Verifier
    from tripoint.domain.audit import Checkpoint
    from tripoint.domain.bill import BillRow
    from tripoint.domain.ledger import Entry
    from tripoint.domain.pricelist import PriceList
    from tripoint.domain.source import LoadedEstate
    from tripoint.domain.table import RoutingTable
    from tripoint.engines.governance.observed.profiles import Observed
    from tripoint.ports import Ledger
    from tripoint.usecases.close import Kept
    from tripoint.usecases.focus import BillWriter


def open_accounts(url: str, turns: AbstractContextManager[object] | None = None, *, asks: bool = False) -> SqlAccounts:
    """The store of tenants, keys, quotas, budgets and the audit log at `url`; its tables are made when missing.

    `turns` is a lock its process's writers share. Who only `asks` needs no right to write the store.
    """
    import secrets
    import time

    from tripoint.adapters.accounts_sql.store import SqlAccounts
    from tripoint.adapters.sql.connect import connect
    from tripoint.usecases.audit import name_log

    store = SqlAccounts(connect(url, turns, asks=asks), time.time)
    name_log(store, f"tripoint-{secrets.token_hex(8)}")
    return store


def check_store(url: str) -> None:
    """Raises `OptionError` for a kind of store there is none of, `StoreError` for a file that is no database.

    Changes nothing; a store that is only away now passes.
    """
    from tripoint.adapters.sql.connect import check_url
    from tripoint.adapters.sql.examine import refuse_no_database

    check_url(url)
    refuse_no_database(url)


def open_ledger(
    url: str,
    turns: AbstractContextManager[object] | None = None,
    charger: Charger | None = None,
    *,
    asks: bool = False,
) -> Ledger:
    """The ledger in the store at `url`, to be used from one thread; `turns` is a lock its process's writers share.

    With a `charger` every entry is charged to the budgets it falls under, in the transaction that adds it.
    Who only `asks` needs no right to write the store.
    Raises `OptionError` for an unknown kind of URL, `StoreError` when it cannot be opened, `MissingExtraError` without
    the driver.
    """
    import time

    from tripoint.adapters.ledger_sql.ledger import SqlLedger
    from tripoint.adapters.sql.connect import connect

    if charger is None:
        return SqlLedger(connect(url, turns, asks=asks), time.time)
    open_leases(url, turns, charger).close()  # its tables must be there
    return SqlLedger(connect(url, turns), time.time, charger.charge)


def leave_prices(folder: Path, table: RoutingTable | None, at: float) -> None:
    """Notes what a table asks for tokens and nodes from `at` on; of none, that no nodes are held any more.

    Raises `FileError` when the disk does not take it.
    """
    from tripoint.adapters.price_lists import leave_price_list
    from tripoint.domain.pricelist import PriceList
    from tripoint.engines.gateway.table.tariffs.rows import price_list

    leave_price_list(folder, PriceList(at, "", (), ()) if table is None else price_list(table, at))


def read_prices(folder: Path) -> tuple[tuple[PriceList, ...], tuple[Path, ...]]:
    """All price lists of a run by time, and the files that are none; raises `OSError` when one cannot be read."""
    from tripoint.adapters.price_lists import read_price_lists

    return read_price_lists(folder)


def drop_prices(folder: Path, before: float) -> int:
    """Removes price lists of a run that were replaced before that time; how many. Raises `OSError`."""
    from tripoint.adapters.price_lists import drop_price_lists

    return drop_price_lists(folder, before)


def open_rates(descriptor: int, worker: int, workers: int) -> MmapRates:
    """One worker's hand on the quotas all workers share, in the memory of `wiring.make_board`."""
    from tripoint.adapters.board_mmap.rates import MmapRates

    return MmapRates(descriptor, worker, workers)


def make_charger() -> Charger:
    """By what all threads of a process charge budgets."""
    import time

    from tripoint.adapters.leases_sql.store import Charger

    return Charger(time.time)


def open_leases(
    url: str, turns: AbstractContextManager[object] | None, charger: Charger, *, asks: bool = False
) -> SqlLeases:
    """Budgets and leases in the store at `url`, to be used from one thread; see `open_ledger` for what it raises."""
    from tripoint.adapters.leases_sql.store import SqlLeases
    from tripoint.adapters.sql.connect import connect

    return SqlLeases(connect(url, turns, asks=asks), charger)


def open_lease_sheet(folder: Path, incarnation: str) -> LeaseSheet:
    """A worker's own sheet of what it has reserved; raises `OSError`."""
    from tripoint.adapters.lease_sheet import LeaseSheet

    return LeaseSheet(folder, incarnation)


def load_for_serving() -> None:
    """Loads what a worker uses from its table on: one that waits to be needed has loaded it by then."""
    import email.parser  # what tells our own version reads it with this

    from tripoint.adapters import lease_sheet, table_json
    from tripoint.adapters.board_mmap import board, rates

    del email, lease_sheet, table_json, board, rates


def dead_sheets(folder: Path) -> list[DeadSheet]:
    """Sheets of workers that are no more."""
    from tripoint.adapters.lease_sheet import dead_sheets as found

    return found(folder)


def open_segment_tail(folder: Path) -> SegmentTail:
    """What follows the segments in a run folder."""
    from tripoint.adapters.segment_tail import SegmentTail

    return SegmentTail(folder, {})


def write_figures(folder: Path, snapshot: bytes) -> None:
    """Keeps the ledger process's figures beside the workers' counters; raises `OSError`."""
    from tripoint.adapters.metrics_files import write_figures as write

    write(folder, snapshot)


def gateway_keys(url: str) -> int:
    """How many keys of the gateway the store at `url` has; raises `StoreError`."""
    import time

    store = open_accounts(url)
    try:
        return len(store.accounts(time.time()).keys)
    finally:
        store.close()


def pepper_file(url: str) -> Path:
    """Where the pepper of the store at `url` is."""
    return _secret_file(url, "pepper", read_settings().pepper_file)


def read_pepper(path: str | Path) -> bytes:
    """The pepper in a file; raises `FileError` when there is none."""
    from tripoint.adapters.signing.pepper import read_pepper as read

    return read(Path(path))


def open_pepper(store: SqlAccounts, url: str) -> bytes:
    """The pepper of the store at `url`, made when the store has none yet; raises `FileError` when it is another's."""
    from tripoint.adapters.signing.pepper import open_pepper as make
    from tripoint.usecases.pepper import settle_pepper

    path = pepper_file(url)
    return settle_pepper(store, str(path), lambda: read_pepper(path), lambda: make(path))


def open_signer(url: str) -> Ed25519Signer:
    """What signs checkpoints of the store at `url`; its key is made when there is none."""
    from tripoint.adapters.signing.ed25519 import Ed25519Signer

    return Ed25519Signer(_secret_file(url, "audit-key", read_settings().audit_key_file))


def own_key(url: str) -> Ed25519Verifier | None:
    """The public half of the key that signs checkpoints of the store; `None` where none was made yet.

    Raises `FileError`.
    """
    path = _secret_file(url, "audit-key", read_settings().audit_key_file)
    return open_signer(url).public if path.exists() else None


def read_public_key(path: str | Path) -> Ed25519Verifier:
    """The public key in a PEM file; raises `FileError`."""
    from tripoint.adapters.signing.ed25519 import read_verifier

    return read_verifier(Path(path))


def leave_checkpoint(witness: str | Path, checkpoint: Checkpoint) -> None:
    """Adds a checkpoint to a witness file, durably; raises `FileError`."""
    from tripoint.adapters.signing.witness import append_checkpoint

    append_checkpoint(Path(witness), checkpoint)


def read_witness(witness: str | Path) -> tuple[Checkpoint, ...]:
    """The checkpoints in a witness file; raises `FileError`."""
    from tripoint.adapters.signing.witness import read_checkpoints

    return read_checkpoints(Path(witness))


CHECKPOINT_EVERY_S = 3600.0
"""How old the last checkpoint may be before the next is signed, if the log has grown, seconds."""


def checkpoint_if_due(store: SqlAccounts, url: str, now: float) -> Checkpoint | None:
    """Signs a checkpoint when one is due, and leaves with the witness of the settings all it has not got yet.

    What a process that runs on calls now and then. Raises `FileError` and `StoreError`.
    """
    from tripoint.adapters.signing.witness import leave_missing
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.audit import checkpoint_is_due, list_checkpoints, sign_checkpoint

    actor = local_actor("checkpoints")
    is_due = checkpoint_is_due(store, now=now, every_s=CHECKPOINT_EVERY_S)
    made = sign_checkpoint(store, actor, open_signer(url), now=now) if is_due else None
    witness = read_settings().witness
    if witness:
        leave_missing(Path(witness), list_checkpoints(store, actor))
    return made


def _secret_file(url: str, ending: str, given: str) -> Path:
    from tripoint.adapters.signing.places import beside_store
    from tripoint.apps.settings import state_folder

    return Path(given) if given else beside_store(url, ending, state_folder())


def bill_writer(path: str | Path, format: str) -> BillWriter:
    """What writes a bill to `path`: `focus-csv`, or `focus-parquet`, which needs the extra `demand`."""
    from functools import partial

    from tripoint.adapters.focus_files.write import write_csv, write_parquet

    return partial(write_parquet if format == "focus-parquet" else write_csv, Path(path))


def write_closed_day(folder: str | Path, day: str, entries: Iterable[Entry]) -> tuple[str, Kept]:
    """Writes the entries of a day to a Parquet file that is not there yet; its name and what it holds.

    Raises `FileError`, and `MissingExtraError` without the extra `demand`.
    """
    from tripoint.adapters.entry_parquet import write_entries

    place = Path(folder)
    names = (f"entries-{day}{f'-{number}' if number else ''}.parquet" for number in range(10_000))
    name = next(each for each in names if not (place / each).exists())
    return name, write_entries(place / name, entries)


def read_bill(path: str | Path) -> Iterator[BillRow]:
    """The rows of anybody's FOCUS bill, CSV or Parquet; raises `FileError` with the line."""
    from tripoint.adapters.focus_files.read import read_bill as read

    return read(Path(path))


def on_observed(loaded: LoadedEstate, observed: Observed) -> tuple[LoadedEstate, tuple[str, ...]]:
    """An estate with observed demand in place of what it declares, and what was done with each workload."""
    from tripoint.adapters.estate_yaml.loader import digest_of
    from tripoint.engines.governance.observed.profiles import on_observed as put

    return put(loaded, observed, lambda changed: digest_of(changed.estate, changed.profiles))
