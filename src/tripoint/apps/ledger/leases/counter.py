"""The counter where workers get their slices: accounts told as they change, wishes answered, unused slices called back.

Everything that touches the store happens in one thread of its own, several wishes to a transaction. A worker is told
only what is durable. Nothing that is kept here is needed after a restart.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from tripoint.apps.ledger.leases.messages import (
    SOCKET,
    Frames,
    Grants,
    Hello,
    News,
    Recall,
    ToWorker,
    heard_by_ledger,
    keep_accounts,
    socket_path,
)
from tripoint.domain.budget import Wish
from tripoint.domain.errors import StoreError, TripointError
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Accounts
from tripoint.engines.governance.budget.bulletin import Bulletin

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tripoint.domain.budget import Tally, Threshold
    from tripoint.engines.governance.budget.book import Answer

LOOK_S: Final = 0.25
"""How often the store is asked whether accounts have changed, s."""
_AGAIN_S: Final = 0.05
"""How often a wish that could not be granted is tried again, s."""
_QUIET_S: Final = 1.0
"""How long unused slices keep coming back after the last wish that could not be granted, s."""
_PAUSE_S: Final = 0.5
_TIDY_S: Final = 3600.0

Where = tuple[str, str]
"""Budget and window."""
Result = TypeVar("Result")


class Till(Protocol):
    """The store of accounts and leases, for one thread."""

    def news(self) -> Accounts | None:
        """The accounts when they are others than told last."""
        ...

    def adopt(self, accounts: Accounts, holders: Collection[str]) -> Sequence[Threshold]:
        """Goes by them from now on; those workers have leases and have not heard of them yet."""
        ...

    def answer(self, wishes: Sequence[tuple[str, Wish]]) -> list[Answer]:
        """Answers wishes, each of the holder beside it."""
        ...

    def call_back(self, calls: Sequence[Where]) -> None:
        """Tells other nodes that unused slices are waited for."""
        ...

    def tallies(self) -> Sequence[Tally]:
        """Where budgets stand."""
        ...

    def untold(self) -> Sequence[Threshold]:
        """Thresholds that were reached and that nobody was told of."""
        ...

    def mark_told(self, thresholds: Sequence[Threshold]) -> None:
        """Remembers that these were told."""
        ...

    def forget(self) -> None:
        """Drops leases of windows long past."""
        ...

    def close(self) -> None:
        """Lets go of the store."""
        ...


class Counter:
    """Serves the workers of one run folder; `open_till` is called, and what it opens used, in one thread only."""

    def __init__(self, run_dir: Path, open_till: Callable[[], Till], note: Callable[[str], None]) -> None:
        self._run_dir = run_dir
        self._open = open_till
        self._note = note
        self._till: Till | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-counter")
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._holders: dict[Frames, str] = {}
        self._owed: set[Frames] = set()
        """Workers with leases that have yet to hear of the accounts."""
        self._unmarked: set[str] = set()
        """Holders who heard although the store could not be written."""
        self._new: set[Frames] = set()
        """Workers without any."""
        self._queue: dict[tuple[str, Where], Wish] = {}
        self._has_work = asyncio.Event()
        self._starving: dict[Where, float] = {}
        """When somebody last waited in vain."""
        self._hungry: dict[tuple[str, Where], tuple[Wish, float]] = {}
        """Wishes that could not be granted, and when they came; workers repeat them while they hold."""
        self._bulletin = Bulletin()
        self._seen_calls: dict[Where, int] = {}
        self._warned: dict[Where, int] | None = None
        """Percentages that were reached when thresholds were told last."""
        self._tidied_at = -_TIDY_S
        self._accounts: Accounts | None = None
        """Those in force."""
        self._news: News | None = None
        """What workers were told last."""
        self.standing: tuple[Tally, ...] = ()
        """Where budgets stood at the last look."""
        self.fault = ""
        """Why the store cannot be asked; empty when it can."""

    @property
    def accounts(self) -> Accounts | None:
        """As told last."""
        return self._accounts

    async def start(self) -> None:
        """Listens; raises `OSError` where it cannot."""
        loop = asyncio.get_running_loop()
        self._run_dir.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            (self._run_dir / SOCKET).unlink()
        mask = os.umask(0o177)
        try:
            with socket_path(self._run_dir) as path:
                self._server = await loop.create_unix_server(lambda: Frames(self._heard, self._left), path)
        finally:
            os.umask(mask)
        self._tasks = [loop.create_task(self._look_around()), loop.create_task(self._serve())]

    async def stop(self) -> None:
        """Answers no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for frames in tuple(self._holders):
            frames.close()
        with suppress(TripointError):
            await self._do(self._let_go)
        self._thread.shutdown()
        with suppress(FileNotFoundError):
            (self._run_dir / SOCKET).unlink()

    # --- workers ----------------------------------------------------------------------------------------------------

    def _heard(self, frames: Frames, frame: bytes) -> None:
        message = heard_by_ledger(frame)
        if isinstance(message, Hello):
            self._holders[frames] = message.holder
            if not message.is_new:
                self._owed.add(frames)
            else:
                self._new.add(frames)
                if self._news is not None:
                    frames.send(self._news)
        elif frames in self._holders:
            holder = self._holders[frames]
            self._new.discard(frames)
            for wish in message.wishes:
                self._queue[holder, wish[:2]] = wish
                self._hungry.pop((holder, wish[:2]), None)
            self._has_work.set()

    def _left(self, frames: Frames) -> None:
        holder = self._holders.pop(frames, None)
        self._owed.discard(frames)
        self._new.discard(frames)
        for key in [key for key in (*self._queue, *self._hungry) if key[0] == holder]:
            self._queue.pop(key, None)
            self._hungry.pop(key, None)

    def _tell_all(self, message: ToWorker) -> None:
        for frames in self._holders:
            frames.send(message)

    # --- wishes -----------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Answers what has come meanwhile, all at once, and again what could not be granted."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_work.wait(), _AGAIN_S if self._hungry else None)
            self._has_work.clear()
            now = asyncio.get_running_loop().time()
            batch = {key: (wish, now) for key, wish in self._queue.items()}
            batch |= {key: again for key, again in self._hungry.items() if now - again[1] < _QUIET_S}
            self._hungry.clear()
            self._queue.clear()
            if not batch:
                continue
            if self._accounts is None:
                self._hungry = batch
                continue
            try:
                await self._answer(batch)
            except StoreError as error:
                self._failed(error)
                self._hungry = batch | self._hungry
                await asyncio.sleep(_PAUSE_S)

    async def _answer(self, batch: dict[tuple[str, Where], tuple[Wish, float]]) -> None:
        asked = [(holder, wish) for (holder, _), (wish, _) in batch.items()]
        answers = await self._do(lambda till: till.answer(asked))
        self._well()
        told: dict[str, list[Answer]] = {}
        for key, answer in zip(batch, answers, strict=True):
            if answer.is_starved and key not in self._queue and key[0] in self._holders.values():
                self._hungry[key] = batch[key]
            self._bulletin.told(answer.grant)
            told.setdefault(key[0], []).append(answer)
        for frames, holder in self._holders.items():
            if holder in told:
                frames.send(Grants([answer.grant for answer in told[holder]]))
        await self._call_back({where for _, where in self._hungry})

    async def _call_back(self, waited_for: set[Where]) -> None:
        """Has unused slices given back while anybody waits for them, here and at other nodes."""
        now = asyncio.get_running_loop().time()
        fresh = [where for where in waited_for if now - self._starving.get(where, -1e9) > LOOK_S]
        for where in fresh:
            self._starving[where] = now
            self._tell_all(Recall(*where, is_on=True))
        if fresh:
            await self._do(lambda till: till.call_back(fresh))

    # --- the clock --------------------------------------------------------------------------------------------------

    async def _look_around(self) -> None:
        while True:
            try:
                await self._look()
                self._well()
            except StoreError as error:
                self._failed(error)
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        accounts = await self._do(lambda till: till.news())
        if accounts is not None:
            self._news = News(accounts)
            for frames in self._new:
                frames.send(self._news)
            self._owed = set(self._holders) - self._new
        await self._tell_news()
        now = asyncio.get_running_loop().time()
        if now - self._tidied_at > _TIDY_S:
            self._tidied_at = now
            self._bulletin.forget(time.time())
            await self._do(lambda till: till.forget())
        self.standing = tuple(await self._do(lambda till: till.tallies()))
        more = self._bulletin.news(self.standing)
        if more:  # who was refused for good asks nobody: a higher limit or a credit is told unasked
            self._tell_all(Grants(more))
        await self._warn()
        for tally in self.standing:
            where = tally.budget, tally.window
            if tally.recalls != self._seen_calls.get(where, tally.recalls) and where not in self._starving:
                self._starving[where] = now
                self._tell_all(Recall(*where, is_on=True))
            self._seen_calls[where] = tally.recalls
        for where, at in tuple(self._starving.items()):
            if now - at > _QUIET_S:
                del self._starving[where]
                self._tell_all(Recall(*where, is_on=False))

    async def _tell_news(self) -> None:
        """The accounts for who has leases: the store has to know first which budgets are gone from when on.

        Where it cannot be written they are told all the same: a key that was revoked must not wait for a disk.
        """
        if self._news is None or (not self._owed and self._news.accounts is self._accounts):
            return
        news, owed = self._news, tuple(self._owed)
        holders = self._unmarked | {self._holders[frames] for frames in owed}
        self._unmarked = holders
        try:
            await self._do(lambda till: till.adopt(news.accounts, holders))
            self._unmarked = set()
        finally:
            for frames in owed:
                frames.send(news)
            self._owed.difference_update(owed)
        if self._accounts is not news.accounts:
            self._accounts = news.accounts
            with suppress(OSError):
                keep_accounts(self._run_dir, news.accounts)
            self._has_work.set()

    async def _warn(self) -> None:
        """Says once which budgets have reached a threshold, the highest where several were passed in one step.

        The store knows what was told: nothing is told again after a restart, or left out that was reached meanwhile.
        """
        reached = {(tally.budget, tally.window): tally.warned for tally in self.standing if tally.warned}
        if reached == self._warned:
            return
        await self._do(self._tell_thresholds)
        self._warned = reached

    def _tell_thresholds(self, till: Till) -> None:
        """In the store's thread and in one go, so that a stop cannot fall between telling and remembering it."""
        untold = till.untold()
        for told in {(each.budget, each.window): each for each in untold}.values():
            spent, limit = usd(told.spent_nano), usd(told.limit_nano)
            self._note(f"budget `{told.budget}` has reached {told.percent} %: {spent:f} of {limit:f} USD are spent")
        if untold:
            till.mark_told(untold)

    async def _do(self, act: Callable[[Till], Result]) -> Result:
        def run() -> Result:
            if self._till is None:
                self._till = self._open()
            return act(self._till)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _let_go(self, till: Till) -> None:
        self._till = None
        till.close()

    def _failed(self, error: StoreError) -> None:
        if not self.fault:
            self._note(f"accounts and budgets wait: {error}")
        self.fault = str(error)

    def _well(self) -> None:
        if self.fault:
            self._note("accounts and budgets are served again")
            self.fault = ""
