"""Keys, quotas and budgets of a store, through running gateways: several workers, two nodes, processes that die."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.factories.rigs import Rig, rig

from tripoint.adapters.leases_sql.store import Charger
from tripoint.apps import stores
from tripoint.apps.battery.faults.budgets import kill_one, reached_for, set_budget, store_of
from tripoint.apps.battery.load import Fate, Outcome, chats, sent
from tripoint.apps.battery.rig.gateway import GatewayProcess
from tripoint.apps.battery.verdict import Verdict
from tripoint.apps.ledger.leases.messages import CACHE, kept_accounts
from tripoint.domain.ledger import Adjustment, EntryKind
from tripoint.domain.tenancy import Scope
from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
from tripoint.engines.governance.access.limits import Rates
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.engines.governance.budget.book import Book
from tripoint.usecases.accounts import keys, limits, tenants
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.accounts.turn import Turn

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

COST = (4_000 + 2 * 16) * 1000
"""Nano-dollars of a request of 4,000 words in and 16 out at the rig's only upstream."""
PATIENCE_S = 30.0


def soon(seen: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Waits until something is so."""
    until = time.monotonic() + patience_s
    while not seen():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.1)


def call(gateway: GatewayProcess, key: str | None = None) -> Outcome:
    """One request of 4,000 words in and 16 out."""
    return asyncio.run(calls(gateway, 1, key))[0]


async def calls(gateway: GatewayProcess, count: int, key: str | None = None) -> list[Outcome]:
    """So many at once."""
    place = gateway.place()
    if key is not None:
        place = type(place)(host=place.host, port=place.port, key=key, model=place.model)
    make = chats(place, messages=[{"role": "user", "content": "w " * 4_000}], max_tokens=16)
    return list(await asyncio.gather(*(sent(place, make(number), patience_s=60.0) for number in range(count))))


def turn() -> Turn:
    """Somebody on this machine, now."""
    return Turn(local_actor("tests"), time.time())


def test_a_key_opens_soon_after_it_is_made_and_nothing_soon_after_it_is_revoked(tmp_path: Path) -> None:
    """No restart, no reload; the estate's own key goes on beside it, also while the ledger process is dead."""
    with rig(tmp_path, upstreams={"dense-1": {}}, workers=2) as running:
        gateway, url = running.gateway, store_of(running.gateway)
        store = stores.open_accounts(url)
        pepper = stores.open_pepper(store, url)
        tenants.create_tenant(store, turn(), "acme")
        secrets = keys.Secrets(pepper, bytes(range(ID_BYTES + SECRET_BYTES)))
        made, text, _ = keys.create_key(store, turn(), Wanted(name="test", tenant="acme"), secrets)
        soon(lambda: call(gateway, text).fate is Fate.OK)
        assert kill_one(gateway, "ledger.main")
        assert all(each.fate is Fate.OK for each in asyncio.run(calls(gateway, 20, text)))
        assert call(gateway).fate is Fate.OK
        keys.revoke_key(store, turn(), made.id)
        soon(lambda: call(gateway, text).status == 401)
        assert call(gateway).fate is Fate.OK
        store.close()


def test_a_quota_holds_exactly_over_all_workers(tmp_path: Path) -> None:
    """A minute's worth at once and no more, however many workers are asked."""
    with rig(tmp_path, upstreams={"dense-1": {}}, workers=4) as running:
        gateway, url = running.gateway, store_of(running.gateway)
        store = stores.open_accounts(url)
        tenants.create_tenant(store, turn(), "default")
        limits.set_quota(store, turn(), Scope(tenant="default"), Rates(requests_per_min=100))
        store.close()
        time.sleep(1.0)
        began = time.monotonic()
        outcomes = asyncio.run(calls(gateway, 300))
        took_s = time.monotonic() - began
        served = sum(each.fate is Fate.OK for each in outcomes)
        assert 100 <= served <= 100 + int(took_s * 100 / 60) + 1
        refused = [each for each in outcomes if each.fate is Fate.REFUSED]
        assert {each.code for each in refused} == {"rate_limit_exceeded"}
        assert all(int(each.headers["retry-after"]) >= 1 for each in refused)


def test_a_quota_holds_over_two_nodes(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each applies half as long as both live; who is left applies all of it."""
    monkeypatch.setenv("TRIPOINT_PEPPER_FILE", str(tmp_path / "pepper"))
    flags = ("--store", postgres_url)
    with rig(tmp_path / "one", upstreams={"dense-1": {}}, workers=2, flags=flags) as running:
        other = GatewayProcess(tmp_path / "two", workers=2, flags=flags)
        try:
            asyncio.run(other.start(running.gateway.estate.read_text(encoding="utf-8")))
            store = stores.open_accounts(postgres_url)
            tenants.create_tenant(store, turn(), "default")
            limits.set_quota(store, turn(), Scope(tenant="default"), Rates(requests_per_min=120))
            store.close()
            soon(lambda: [allowed(each) for each in (running.gateway, other)] == [60, 60])
            time.sleep(1.0)  # the workers have it soon after the folder has
            began = time.monotonic()
            outcomes = asyncio.run(both_ask(running, other, 150))
            took_s = time.monotonic() - began
            served = sum(each.fate is Fate.OK for each in outcomes)
            assert 120 <= served <= 120 + int(took_s * 120 / 60) + 2
        finally:
            other.stop()
        soon(lambda: allowed(running.gateway) == 120)


async def both_ask(running: Rig, other: GatewayProcess, count: int) -> list[Outcome]:
    """So many callers at each node at once."""
    found = await asyncio.gather(calls(running.gateway, count), calls(other, count))
    return [*found[0], *found[1]]


def allowed(gateway: GatewayProcess) -> int | None:
    """Requests a minute by its only quota, as its workers apply it."""
    kept = kept_accounts(gateway.run_folder)
    return kept.quotas[0].requests_per_min if kept is not None and kept.quotas else None


def test_whoever_used_a_budget_up_is_served_again_after_a_raise_a_credit_and_a_new_start(tmp_path: Path) -> None:
    """Though its worker has given its slice back and asks nobody; no smaller request comes between."""
    with rig(tmp_path, upstreams={"dense-1": {}}) as running:
        gateway, url = running.gateway, store_of(running.gateway)
        set_budget(url, 3 * COST)
        soon(lambda: call(gateway).code == "insufficient_quota")
        for more in (raise_limit, credit, set_again):
            time.sleep(12.0)  # what is not used for five seconds goes back
            assert call(gateway).code == "insufficient_quota"
            more(url)
            soon(lambda: call(gateway).fate is Fate.OK, 10.0)
            soon(lambda: call(gateway).code == "insufficient_quota")


def raise_limit(url: str) -> None:
    """Room for some requests more, also where some were served before the budget was known to the worker."""
    set_budget(url, 12 * COST)


def credit(url: str) -> None:
    """The same by a correction."""
    ledger = stores.open_ledger(url, None, charger_of(url))
    row = Adjustment(
        "c1", EntryKind.CORRECTION, time.time(), "default", "", "", "", "", "", -5 * COST, 0, 0, 0, "", "", ""
    )
    ledger.load((), [row])
    ledger.close()


def charger_of(url: str) -> Charger:
    """That charges the budgets as they are now."""
    charger, store = stores.make_charger(), stores.open_accounts(url)
    charger.book = Book(store.accounts(time.time()))
    store.close()
    return charger


def set_again(url: str) -> None:
    """Removed, and soon set with a higher limit."""
    store = stores.open_accounts(url)
    limits.remove_budget(store, turn(), "default.day")
    store.close()
    time.sleep(1.0)
    set_budget(url, 17 * COST)


def test_a_thousand_callers_on_four_workers_never_overspend(capsys: pytest.CaptureFixture[str]) -> None:
    """What the model servers did is within the limit; how much was left unused is printed."""
    (row,) = asyncio.run(reached_for(is_killing=False))
    with capsys.disabled():
        sys.stderr.write(f"\nbudget: {row.seen}\n")
    assert row.verdict is Verdict.PASS, row.seen


def test_two_nodes_on_one_server_never_overspend(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with two workers; a worker of one and the ledger process of the other are killed midway."""
    monkeypatch.setenv("TRIPOINT_PEPPER_FILE", str(tmp_path / "pepper"))
    afforded = 120
    flags = ("--store", postgres_url)
    with rig(tmp_path / "one", upstreams={"dense-1": {}}, workers=2, flags=flags) as running:
        running.servers["dense-1"].behaviour.first_byte_s = 0.1
        other = GatewayProcess(tmp_path / "two", workers=2, flags=flags)
        try:
            asyncio.run(other.start(running.gateway.estate.read_text(encoding="utf-8")))
            set_budget(postgres_url, afforded * COST)
            time.sleep(1.0)
            outcomes = asyncio.run(both(running, other))
            assert sum(each.fate is Fate.OK for each in outcomes) > afforded // 4
            # What others did not use must come to whoever still asks.
            soon(lambda: call(running.gateway).code == "insufficient_quota", 60.0)
            soon(lambda: call(other).code == "insufficient_quota", 60.0)
        finally:
            other.stop()
        worked = len(running.servers["dense-1"].seen) * COST
        leases = stores.open_leases(postgres_url, None, stores.make_charger())
        (tally,) = leases.tallies()
        leases.close()
        assert worked <= tally.limit_nano
        assert tally.spent_nano <= tally.limit_nano
        assert worked <= tally.spent_nano
        assert tally.spent_nano >= 0.85 * tally.limit_nano


async def both(running: Rig, other: GatewayProcess) -> list[Outcome]:
    """Callers at both nodes at once, and the kills."""

    async def kill() -> None:
        await asyncio.sleep(0.3)
        kill_one(running.gateway, "worker.main")
        await asyncio.sleep(0.3)
        kill_one(other, "ledger.main")

    found = await asyncio.gather(calls(running.gateway, 150), calls(other, 150), kill())
    return [*found[0], *found[1]]


def test_a_gateway_that_finds_no_store_goes_by_what_it_knew(tmp_path: Path) -> None:
    """Keys open, and an enforced budget from which nothing is leased is closed."""
    with rig(tmp_path, upstreams={"dense-1": {}}) as running:
        gateway = running.gateway
        set_budget(store_of(gateway), 100 * COST)
        soon(lambda: b"default.day" in (gateway.run_folder / CACHE).read_bytes())
        estate = gateway.estate.read_text(encoding="utf-8")
        gateway.stop()
        nowhere = GatewayProcess(gateway.folder, flags=("--store", "postgresql://nobody@127.0.0.1:9/none"))
        try:
            asyncio.run(nowhere.start(estate))
            outcome = call(nowhere)
            assert (outcome.status, outcome.code) == (503, "budget_unavailable")
        finally:
            nowhere.stop()
