"""A worker's conversation with the ledger process: accounts come from there, and slices of budgets.

No request waits for it. While it is gone, known keys go on, and budgets are spent as far as they are leased.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from tripoint.apps import stores
from tripoint.apps.ledger.leases.messages import (
    Frames,
    Grants,
    Hello,
    News,
    Wishes,
    heard_by_worker,
    kept_accounts,
    socket_path,
)
from tripoint.domain.errors import TripointError
from tripoint.engines.gateway.entry.keyring import Register
from tripoint.engines.gateway.entry.sheet import NoRoom

if TYPE_CHECKING:
    from tripoint.apps.gateway.worker.recorder import Recorder
    from tripoint.domain.tenancy import Accounts
    from tripoint.engines.gateway.exchange.gateway import Gateway

_AGAIN_S: Final = 0.1
_TICK_S: Final = 0.25
_PATIENCE_S: Final = 5.0
"""How long a worker that starts waits for the accounts before it goes by those it finds in the run folder, s."""
_log = logging.getLogger("tripoint.gateway")


class _Sheet(Protocol):
    """See `tripoint.adapters.lease_sheet`."""

    def recorded(self, mark: int, *, is_lost: bool) -> None: ...

    def safe(self, mark: int) -> None: ...

    def close(self) -> None: ...


class Teller:
    """Keeps the conversation up; `changed` is called after accounts were taken over."""

    def __init__(
        self, gateway: Gateway, recorder: Recorder, changed: Callable[[Accounts], None], place: tuple[Path, str, str]
    ) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._changed = changed
        self._run_dir, self._incarnation, self._pepper_file = place
        self._frames: Frames | None = None
        self._task: asyncio.Task[None] | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._is_due = False
        self._has_news = asyncio.Event()
        self._sheet: _Sheet | None = None
        self._lost = self._overdrawn = 0
        self._fault = ""
        gateway.is_waiting = True
        gateway.admission.is_connected = False
        gateway.admission.purse.nudge = self._nudged

    async def start(self) -> None:
        """Begins, and returns once the accounts are known, or as last left behind, or not even that."""
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._keep())
        self._look()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._has_news.wait(), _PATIENCE_S)
            return
        kept = kept_accounts(self._run_dir)
        if kept is not None and not self._has_news.is_set():
            _log.warning("the ledger process cannot be reached: keys and tenants are those last known")
            self._adopt(kept)

    def told(self) -> str:
        """What does not work now; empty when all does."""
        if not self._gateway.admission.is_connected:
            return "the ledger process cannot be reached: budgets are spent only as far as they are leased"
        if not self._has_news.is_set():
            return "accounts are not known: the store gave none yet, see the log"
        return self._fault

    def drained(self) -> None:
        """Records were handed to the disk: what is safe by now leaves the sheet."""
        sheet = self._sheet
        if sheet is not None:
            lost = self._recorder.lost
            sheet.recorded(self._recorder.taken, is_lost=lost != self._lost)
            self._lost = lost
            sheet.safe(self._recorder.durable)

    def stop(self) -> None:
        """Gives back what is not used, and ends."""
        if self._frames is not None:
            for account in self._gateway.admission.purse.all():
                self._gateway.admission.purse.recall(account.budget.id, account.window, is_on=True)
            self._send(is_whole=True)
            self._frames.close()
        if self._task is not None:
            self._task.cancel()
        if self._tick is not None:
            self._tick.cancel()

    def close(self) -> None:
        """After the last record is on disk: lets go of the sheet."""
        if self._sheet is not None:
            self.drained()
            self._sheet.close()

    async def _keep(self) -> None:
        """Connects, again and again."""
        loop = asyncio.get_running_loop()
        while True:
            ended = loop.create_future()

            def over(frames: Frames, ended: asyncio.Future[None] = ended) -> None:
                del frames
                if not ended.done():
                    ended.set_result(None)

            with suppress(OSError), socket_path(self._run_dir) as path:
                _, frames = await loop.create_unix_connection(partial(Frames, self._heard, over), path)
                self._frames = frames
                frames.send(Hello(self._incarnation, is_new=not self._gateway.admission.purse.all()))
                self._gateway.admission.is_connected = True
                self._send(is_whole=True)
                await ended
            self._frames = None
            self._gateway.admission.is_connected = False
            await asyncio.sleep(_AGAIN_S)

    def _heard(self, frames: Frames, frame: bytes) -> None:
        del frames
        message = heard_by_worker(frame)
        admission = self._gateway.admission
        if isinstance(message, News):
            self._adopt(message.accounts)
        elif isinstance(message, Grants):
            admission.granted(message.grants, monotonic())
        else:
            admission.purse.recall(message.budget, message.window, is_on=message.is_on)

    def _adopt(self, accounts: Accounts) -> None:
        """Takes accounts over. A pepper is made with a store's first key: it is read each time."""
        pepper, self._fault = b"", ""
        try:
            pepper = stores.read_pepper(self._pepper_file)
        except TripointError as error:
            if accounts.keys:
                self._fault = f"no key of the store is accepted: {error}"
        admission = self._gateway.admission
        if self._sheet is None and any(budget.is_enforced for budget in accounts.budgets):
            try:
                self._sheet = admission.sheet = stores.open_lease_sheet(self._run_dir / "leases", self._incarnation)
            except OSError as error:
                admission.sheet = NoRoom()
                self._fault = f"budgets cannot be spent from: {error.strerror or error}"
        self._gateway.register(Register(accounts, pepper))
        self._changed(accounts)
        self._has_news.set()

    def _nudged(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self, *, is_whole: bool = False) -> None:
        self._is_due = False
        purse = self._gateway.admission.purse
        wishes = purse.wishes(self._at(), is_whole=is_whole)
        if wishes and self._frames is not None:
            self._frames.send(Wishes(wishes))

    def _look(self) -> None:
        self._tick = asyncio.get_running_loop().call_later(_TICK_S, self._look)
        purse = self._gateway.admission.purse
        purse.look(self._at())
        self._gateway.admission.rates.rest()
        if purse.overdrawn > self._overdrawn:
            self._recorder.metrics.event("budget_overdrawn", purse.overdrawn - self._overdrawn)
            self._overdrawn = purse.overdrawn
        self._send()

    def _at(self) -> float:
        return monotonic() + self._gateway.epoch
