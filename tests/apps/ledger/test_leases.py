"""Counter and worker talk over a real socket and a real store, all within this process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.factories.budgeting import accounts, budget
from tests.factories.exchanging import Desk
from tests.factories.serving import two_sites

from tripoint.adapters.lease_sheet import LeaseSheet
from tripoint.adapters.sql.connect import connect
from tripoint.apps import stores
from tripoint.apps.battery.faults.budgets import set_budget
from tripoint.apps.gateway.worker import teller as teller_module
from tripoint.apps.gateway.worker.teller import Teller
from tripoint.apps.ledger.leases import messages
from tripoint.apps.ledger.leases.counter import Counter
from tripoint.apps.ledger.leases.graves import Graves
from tripoint.apps.ledger.leases.messages import (
    Frames,
    Grants,
    Hello,
    News,
    Recall,
    ToWorker,
    Wishes,
    heard_by_worker,
    keep_accounts,
    kept_accounts,
    socket_path,
)
from tripoint.apps.ledger.leases.till import StoreTill
from tripoint.domain.budget import Threshold, Wish
from tripoint.domain.errors import StoreError
from tripoint.domain.ledger import Adjustment, EntryKind, EntryQuery
from tripoint.domain.tenancy import Accounts, Window
from tripoint.engines.gateway.entry.sheet import NoRoom
from tripoint.engines.governance.budget.book import Book
from tripoint.engines.governance.budget.windows import window_of
from tripoint.usecases.accounts import limits
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.accounts.turn import Turn

PATIENCE_S = 20.0


class Place:
    """A run folder with a store and a counter."""

    def __init__(self, folder: Path) -> None:
        self.run_dir = folder
        self.url = f"sqlite:///{folder / 'store.db'}"
        self.notes: list[str] = []
        self.turns = threading.Lock()
        self.charger = stores.make_charger()
        self.is_gone = False
        stores.open_ledger(self.url).close()
        self.counter = Counter(folder, self.till, self.notes.append)

    def till(self) -> StoreTill:
        """Opens the store, unless it is gone."""
        if self.is_gone:
            raise StoreError("the store is gone")
        return StoreTill(self.url, self.turns, self.charger)

    def spend(self, id: str, nano: int) -> None:
        """Enters what something cost the tenant."""
        ledger = stores.open_ledger(self.url, self.turns, self.charger)
        row = Adjustment(
            id, EntryKind.CORRECTION, time.time(), "default", "", "", "", "", "", nano, 0, 0, 0, "", "", ""
        )
        ledger.load((), [row])
        ledger.close()

    def wish(self, wanted: int, *, least: int = 0, returned: int = 0) -> Wishes:
        """A wish for today's budget."""
        day = window_of(time.time(), Window.DAY)
        return Wishes([Wish("default.day", day, time.time() - 10.0, returned, wanted, least)])


class Caller:
    """A worker's end of the conversation, by hand."""

    def __init__(self) -> None:
        self.heard: list[ToWorker] = []
        self.is_over = False
        self.frames = Frames(lambda _, frame: self.heard.append(heard_by_worker(frame)), self._ended)

    def _ended(self, frames: Frames) -> None:
        del frames
        self.is_over = True

    async def connect(self, run_dir: Path, holder: str) -> Caller:
        """Connects and says who it is."""
        with socket_path(run_dir) as path:
            await asyncio.get_running_loop().create_unix_connection(lambda: self.frames, path)
        self.frames.send(Hello(holder))
        return self

    def granted(self) -> int:
        """The latest total it was told."""
        told = [grant for each in self.heard if isinstance(each, Grants) for grant in each.grants]
        return told[-1].granted if told else -1

    def is_recalled(self) -> bool:
        """Whether it was told to give back what it does not use, as told last."""
        told = [each for each in self.heard if isinstance(each, Recall)]
        return bool(told) and told[-1].is_on


async def soon(seen: Callable[[], bool]) -> None:
    """Waits until something is so."""
    until = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < until, "it never came"
        await asyncio.sleep(0.01)


def run(place: Place, act: Callable[[], Awaitable[None]]) -> None:
    """Runs something beside a counter that serves."""

    async def beside() -> None:
        await place.counter.start()
        try:
            await act()
        finally:
            await place.counter.stop()

    asyncio.run(beside())


def test_accounts_are_told_at_once_and_whenever_they_change(tmp_path: Path) -> None:
    """Also left in the run folder, for this user only."""
    place = Place(tmp_path)

    async def act() -> None:
        caller = await Caller().connect(tmp_path, "w1")
        await soon(lambda: any(isinstance(each, News) for each in caller.heard))
        await asyncio.to_thread(set_budget, place.url, 1000)
        await soon(lambda: any(isinstance(each, News) and each.accounts.budgets for each in caller.heard))
        later = await Caller().connect(tmp_path, "w2")
        await soon(lambda: any(isinstance(each, News) and each.accounts.budgets for each in later.heard))
        kept = kept_accounts(tmp_path)
        assert kept is not None
        assert kept == place.counter.accounts
        assert (tmp_path / messages.CACHE).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / messages.SOCKET).stat().st_mode & 0o777 == 0o600

    run(place, act)
    assert not (tmp_path / messages.SOCKET).exists()


def test_unused_slices_are_called_back_for_who_waits(tmp_path: Path) -> None:
    """One worker holds nearly all, another waits; it gets what comes back, and the call ends."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)

    async def act() -> None:
        rich = await Caller().connect(tmp_path, "rich")
        poor = await Caller().connect(tmp_path, "poor")
        rich.frames.send(place.wish(900, least=900))
        await soon(lambda: rich.granted() == 900)
        poor.frames.send(place.wish(500, least=500))
        await soon(rich.is_recalled)
        assert poor.granted() == 0
        rich.frames.send(place.wish(900, returned=600))
        poor.frames.send(place.wish(500, least=500))
        await soon(lambda: poor.granted() == 500)
        await soon(lambda: not rich.is_recalled())
        await soon(lambda: place.counter.standing != ())

    run(place, act)


def test_another_node_that_waits_is_heard(tmp_path: Path) -> None:
    """Two counters on one store: what is waited for at one is called back at the other."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)
    other = tmp_path / "other"
    there = Counter(other, place.till, place.notes.append)

    async def act() -> None:
        await there.start()
        rich = await Caller().connect(tmp_path, "rich")
        poor = await Caller().connect(other, "poor")
        rich.frames.send(place.wish(900, least=900))
        await soon(lambda: rich.granted() == 900)
        await soon(lambda: place.counter.standing != ())
        poor.frames.send(place.wish(500, least=500))
        await soon(rich.is_recalled)
        await there.stop()

    run(place, act)


def test_a_removal_is_kept_with_the_lease_before_its_worker_hears(tmp_path: Path) -> None:
    """What it serves without the budget is never loaded before the store can tell it from what was reserved."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)
    seen: list[str] = []

    def lease_gaps() -> str:
        with closing(connect(place.url)) as database, database.read() as session:
            return str(session.execute("SELECT gaps FROM budget_lease WHERE holder = 'w1'")[0][0])

    async def act() -> None:
        caller = Caller()

        def heard(_: Frames, frame: bytes) -> None:
            message = heard_by_worker(frame)
            if isinstance(message, News) and not message.accounts.budgets:
                seen.append(lease_gaps())
            caller.heard.append(message)

        caller.frames = Frames(heard, lambda _: None)
        await caller.connect(tmp_path, "w1")
        caller.frames.send(place.wish(100, least=100))
        await soon(lambda: caller.granted() == 100)
        await asyncio.to_thread(remove_budget, place.url)
        await soon(lambda: seen != [])
        late = await Caller().connect(tmp_path, "w2")
        await soon(lambda: any(isinstance(each, News) for each in late.heard))

    run(place, act)
    (gaps,) = seen
    assert gaps.endswith("/inf")


def test_accounts_are_told_where_the_store_cannot_be_written(tmp_path: Path) -> None:
    """A revoked key does not wait for a disk; leases of budgets that are gone are marked once it is back."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)
    marked: list[Collection[str]] = []
    is_full = False

    class Full(StoreTill):
        def adopt(self, accounts: Accounts, holders: Collection[str]) -> Sequence[Threshold]:
            if is_full:
                raise StoreError("the disk is full")
            marked.append(sorted(holders))
            return super().adopt(accounts, holders)

    async def act() -> None:
        nonlocal is_full
        caller = await Caller().connect(tmp_path, "w1")
        caller.frames.send(place.wish(100, least=100))
        await soon(lambda: caller.granted() == 100)
        is_full = True
        marked.clear()
        await asyncio.to_thread(remove_budget, place.url)
        await soon(lambda: any(isinstance(each, News) and not each.accounts.budgets for each in caller.heard))
        assert marked == []
        is_full = False
        await soon(lambda: marked != [])

    place.counter = Counter(tmp_path, lambda: Full(place.url, place.turns, place.charger), place.notes.append)
    run(place, act)
    assert marked[0] == ["w1"]


def remove_budget(url: str) -> None:
    """The operator removes today's budget."""
    store = stores.open_accounts(url)
    limits.remove_budget(store, Turn(local_actor("test"), time.time()), "default.day")
    store.close()


def test_a_store_that_is_gone_is_told_once_and_tried_again(tmp_path: Path) -> None:
    """Wishes wait until it is back."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)
    place.is_gone = True

    async def act() -> None:
        caller = await Caller().connect(tmp_path, "w1")
        caller.frames.send(place.wish(100, least=100))
        await soon(lambda: place.counter.fault != "")
        await asyncio.sleep(0.6)
        place.is_gone = False
        await soon(lambda: any(isinstance(each, News) for each in caller.heard))
        caller.frames.send(place.wish(100, least=100))
        await soon(lambda: caller.granted() == 100)

    run(place, act)
    assert place.notes == ["accounts and budgets wait: the store is gone", "accounts and budgets are served again"]


def test_thresholds_are_told_once(tmp_path: Path) -> None:
    """With what is spent and the limit; what was reached before is not told again after a restart."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)

    async def act() -> None:
        await soon(lambda: place.charger.book.accounts.budgets != ())
        await asyncio.to_thread(place.spend, "one", 500)
        await soon(lambda: len(place.notes) == 1)
        await asyncio.to_thread(place.spend, "two", 10)
        await asyncio.to_thread(place.spend, "three", 490)
        await soon(lambda: len(place.notes) == 2)

    run(place, act)
    assert [note.split(":")[0] for note in place.notes] == [
        "budget `default.day` has reached 50 %",
        "budget `default.day` has reached 100 %",
    ]
    place.counter = Counter(tmp_path, place.till, place.notes.append)

    async def again() -> None:
        await soon(lambda: place.counter._warned is not None)

    run(place, again)
    assert len(place.notes) == 2


def test_a_threshold_reached_while_nobody_looked_is_told(tmp_path: Path) -> None:
    """The ledger was charged before the counter's first look; of two nodes on the store one tells it."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)
    accounts_store = stores.open_accounts(place.url)
    place.charger.book = Book(accounts_store.accounts(time.time()))
    accounts_store.close()
    place.spend("one", 850)

    async def act() -> None:
        await soon(lambda: place.notes != [])
        other = Counter(tmp_path / "other", place.till, place.notes.append)
        await other.start()
        await soon(lambda: other._warned is not None)
        await other.stop()

    run(place, act)
    assert place.notes == ["budget `default.day` has reached 80 %: 0.00000085 of 0.000001 USD are spent"]


def test_nonsense_ends_the_conversation(tmp_path: Path) -> None:
    """Of whoever sent it; the others go on."""
    place = Place(tmp_path)

    async def act() -> None:
        for nonsense in (b"\x00\x00\x00\x02\xc1\xc1", b"\xff\xff\xff\xff"):
            caller = await Caller().connect(tmp_path, "w1")
            transport = caller.frames._transport
            assert transport is not None
            transport.write(nonsense)
            await soon(lambda caller=caller: caller.is_over)  # type: ignore[misc]  # a caller each round

    run(place, act)


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """Names of sockets may have about a hundred characters, folders more."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    place = Place(folder)

    async def act() -> None:
        caller = await Caller().connect(folder, "w1")
        await soon(lambda: any(isinstance(each, News) for each in caller.heard))

    run(place, act)


def told(desk: Desk, run_dir: Path) -> tuple[Teller, SimpleNamespace, list[Accounts]]:
    """A worker's teller, with a recorder that only counts."""
    counted: list[str] = []
    recorder: Any = SimpleNamespace(
        taken=0, durable=0, lost=0, metrics=SimpleNamespace(event=lambda name, count: counted.append(name)),
        counted=counted,
    )  # fmt: skip
    changes: list[Accounts] = []
    return Teller(desk.gateway, recorder, changes.append, (run_dir, "cafe", str(run_dir / "pepper"))), recorder, changes


def test_a_worker_gets_accounts_and_slices_and_gives_them_back(tmp_path: Path) -> None:
    """From nothing known to a request that is paid for, and to the end."""
    place = Place(tmp_path)
    set_budget(place.url, 10**9)
    desk = Desk(two_sites())
    teller, recorder, changes = told(desk, tmp_path)
    refused, world = desk.ask({"model": "chat", "messages": []})
    assert refused is None
    assert world.status == 503
    assert "cannot be reached" in teller.told()

    async def act() -> None:
        await teller.start()
        assert changes[-1].budgets
        assert not desk.gateway.is_waiting
        assert teller.told() == ""
        purse = desk.gateway.admission.purse
        account = purse.account(changes[-1].budgets[0], time.time())
        account.waiting = account.least = 500
        purse.ask_for(account, 500)
        await soon(lambda: account.free >= 500)
        account.waiting = account.least = 0
        purse.overdrawn += 1
        row = desk.gateway.admission.sheet.open("request-1", time.time(), 400, 1)
        desk.gateway.admission.sheet.settle(row, 300)
        recorder.taken = recorder.durable = 1
        teller.drained()
        await soon(lambda: recorder.counted == ["budget_overdrawn"])
        granted = account.granted
        teller.stop()
        await soon(lambda: place.counter.standing != ())
        teller.close()
        leases = stores.open_leases(place.url, place.turns, place.charger)
        wish = place.wish(10**9, least=10**9).wishes[0]
        await soon(lambda: not leases.answer([("other", wish)])[0].is_starved)  # all of it comes back
        leases.close()
        assert granted > 0

    run(place, act)


def test_a_worker_without_a_ledger_goes_by_what_was_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some patience; where nothing was left, it waits on and lets nobody in."""
    monkeypatch.setattr(teller_module, "_PATIENCE_S", 0.05)
    desk = Desk(two_sites())
    teller, _, changes = told(desk, tmp_path)

    async def nothing() -> None:
        await teller.start()
        teller.stop()

    asyncio.run(nothing())
    assert changes == []
    keep_accounts(tmp_path, accounts(budget(tenant="default")))
    again, _, changes = told(desk, tmp_path)

    async def cached() -> None:
        await again.start()
        again.stop()

    asyncio.run(cached())
    assert [each.revision for each in changes] == [1]
    assert not desk.gateway.is_waiting
    again.close()


def test_a_disk_without_room_for_a_sheet_closes_budgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be reserved that could not be written down."""

    def full(folder: Path, incarnation: str) -> LeaseSheet:
        del folder, incarnation
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stores, "open_lease_sheet", full)
    place = Place(tmp_path)
    set_budget(place.url, 10**9)
    desk = Desk(two_sites())
    teller, _, _ = told(desk, tmp_path)

    async def act() -> None:
        await teller.start()
        sheet = desk.gateway.admission.sheet
        assert isinstance(sheet, NoRoom)
        assert sheet.open("r", 1.0, 1, sheet.payer("a", "b", "c")) == -1
        assert "No space left on device" in teller.told()
        teller.drained()
        teller.stop()
        teller.close()

    run(place, act)


def test_what_a_dead_worker_left_is_entered_once_and_the_rest_comes_back(tmp_path: Path) -> None:
    """Requests without a record are held at what was reserved, also when burying is interrupted."""
    place = Place(tmp_path)
    set_budget(place.url, 1000)
    ledger = stores.open_ledger(place.url, place.turns, place.charger)
    leases = stores.open_leases(place.url, place.turns, place.charger)
    accounts_store = stores.open_accounts(place.url)
    leases.adopt(accounts_store.accounts(time.time()))
    accounts_store.close()
    leases.answer([("cafe", place.wish(800, least=800).wishes[0])])
    sheet = LeaseSheet(tmp_path / "leases", "cafe")
    payer = sheet.payer("default", "k", "chat")
    sheet.open("request-1", time.time(), 300, payer)
    drained: set[str] = set()
    tail: Any = SimpleNamespace(is_drained=drained.__contains__)
    graves = Graves(
        tmp_path / "leases", lambda: stores.open_leases(place.url, place.turns, place.charger), place.notes.append
    )
    graves.between_rounds(ledger, tail)
    sheet.close()
    graves.between_rounds(ledger, tail)  # not all it recorded is loaded yet
    assert list((tmp_path / "leases").iterdir())
    drained.add("cafe")
    odd = Graves(tmp_path / "leases", _gone, place.notes.append)
    with pytest.raises(StoreError):
        odd.between_rounds(ledger, tail)
    graves.between_rounds(ledger, tail)
    graves.close()
    (entry,) = ledger.entries(EntryQuery())
    assert (entry.id, entry.kind, entry.nano) == ("unconfirmed:request-1", EntryKind.UNCONFIRMED, 300)
    assert leases.answer([("next", place.wish(700, least=700).wishes[0])])[0].grant.granted == 700
    assert leases.answer([("cafe", place.wish(900, least=900).wishes[0])])[0].grant.granted == 800
    ledger.close()
    leases.close()


def _gone() -> Any:
    raise StoreError("the store is gone")
