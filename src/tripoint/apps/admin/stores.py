"""The stores behind the interface: opened in threads of their own, so that no query holds up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tripoint.apps.admin.wire.problems import RefusedError

if TYPE_CHECKING:
    from tripoint.domain.audit import Checkpoint
    from tripoint.engines.governance.audit.verify import IsGood
    from tripoint.ports import AccountStore, Ledger
    from tripoint.usecases.audit import Signer

Result = TypeVar("Result")
_MAX_WAITING = 256


class Notary(NamedTuple):
    """What signs the audit log, and where that is kept besides the store."""

    signer: Signer
    """Signs checkpoints."""
    keys: Mapping[str, IsGood]
    """Public keys that are trusted, by fingerprint."""
    leave: Callable[[Checkpoint], None]
    """Leaves a checkpoint with the witness; nothing when there is none."""
    witnessed: Callable[[], Sequence[Checkpoint]]
    """What the witness has."""


class Stores(NamedTuple):
    """What one thread has open."""

    accounts: AccountStore
    """Tenants, principals, keys, limits, audit."""
    ledger: Ledger
    """Entries and sums."""
    pepper: bytes
    """Key of the keyed hashes that are kept of keys."""
    notary: Notary
    """Of the audit log."""
    held: Callable[[], Mapping[tuple[str, str], int]]
    """What workers hold of budgets, by budget and window, nano-dollars."""
    close: Callable[[], None]
    """Lets go of all of it."""


class StoreThread:
    """One thread with its own connections; what is asked of it is done in turn."""

    def __init__(self, name: str, open_stores: Callable[[], Stores]) -> None:
        self._open = open_stores
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"admin-{name}")
        self._stores: Stores | None = None
        self._waiting = 0

    async def run(self, errand: Callable[[Stores], Result]) -> Result:
        """Does an errand there; raises what it raises, and `RefusedError` (503) when too many wait."""
        if self._waiting >= _MAX_WAITING:
            refused = RefusedError(503, f"{self._waiting} requests wait for the store already", hint="try again later")
            refused.headers["retry-after"] = "1"
            raise refused
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._done, errand)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends the thread once what it does is done, and lets go of the stores."""
        self._executor.submit(self._close)
        self._executor.shutdown(wait=True)

    def _done(self, errand: Callable[[Stores], Result]) -> Result:
        if self._stores is None:
            self._stores = self._open()
        return errand(self._stores)

    def _close(self) -> None:
        if self._stores is not None:
            self._stores.close()
            self._stores = None
