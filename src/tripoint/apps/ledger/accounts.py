"""What the ledger process does for the accounts: makes known what is served, signs checkpoints of the audit log."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tripoint.apps import stores, wiring
from tripoint.domain.errors import TripointError
from tripoint.usecases.accounts.served import note_table

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tripoint.adapters.accounts_sql.store import SqlAccounts

_NAMES_EVERY_S: Final = 2.0
_CHECKPOINT_EVERY_S: Final = 60.0


class AccountChores:
    """Both, in the loader's thread between two rounds; what fails is told once and tried again."""

    def __init__(
        self, run_dir: Path, url: str, turns: AbstractContextManager[object], note: Callable[[str], None]
    ) -> None:
        self._table = run_dir / "table.json"
        self._url = url
        self._turns = turns
        self._note = note
        self._accounts: SqlAccounts | None = None
        self._seen: tuple[int, int] | None = None
        self._due: dict[str, float] = {}
        self._told: dict[str, str] = {}

    def between_rounds(self) -> None:
        """Does what is due."""
        self._attempt("names", _NAMES_EVERY_S, self._note_names)
        self._attempt("checkpoint", _CHECKPOINT_EVERY_S, self._sign)

    def _note_names(self, accounts: SqlAccounts) -> None:
        try:
            found = self._table.stat()
        except FileNotFoundError:  # nothing is served yet
            return
        state = (found.st_mtime_ns, found.st_size)
        if state != self._seen:
            note_table(accounts, wiring.read_routing_table(self._table.read_bytes()), time.time())
            self._seen = state

    def _sign(self, accounts: SqlAccounts) -> None:
        stores.checkpoint_if_due(accounts, self._url, time.time())

    def _attempt(self, chore: str, every_s: float, work: Callable[[SqlAccounts], None]) -> None:
        now = time.monotonic()
        if now < self._due.get(chore, 0.0):
            return
        self._due[chore] = now + every_s
        try:
            if self._accounts is None:
                self._accounts = stores.open_accounts(self._url, self._turns)
            work(self._accounts)
        except (TripointError, OSError) as error:
            if self._told.get(chore) != str(error):
                self._note(f"{_CHORES[chore]}: {error}")
            self._told[chore] = str(error)
        else:
            self._told.pop(chore, None)


_CHORES: Final = {
    "names": "the names that are served could not be made known",
    "checkpoint": "no checkpoint of the audit log could be signed or left with its witness",
}
