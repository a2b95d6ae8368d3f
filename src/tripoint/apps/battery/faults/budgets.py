"""A budget that everybody reaches for at once, while a worker and the ledger process are killed: R15."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from pathlib import Path

from tripoint.apps import stores
from tripoint.apps.battery.load import Fate, Make, Outcome, Outcomes, chats, sent
from tripoint.apps.battery.rig.gateway import GatewayProcess
from tripoint.apps.battery.rig.scene import PRICES, Cast, Scene, staged
from tripoint.apps.battery.verdict import Row, judged, told
from tripoint.domain.budget import Tally
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Scope, Window

CALLERS = 1_000
WORKERS = 4
AFFORDED = 500
"""Requests the budget pays for, at the cheaper upstream."""
SERVICE_S = 0.1
WORDS, TOKENS_OUT = 4_000, 16
PATIENCE_S = 60.0
UNUSED = 0.10
_TENANT = "default"
_KILL_WORKER_S, _KILL_LEDGER_S = 0.4, 0.8
_REFUSED = ("insufficient_quota", "rate_limit_exceeded", "budget_unavailable")


async def budgeted() -> list[Row]:
    """R15: a thousand callers at once, a budget for half of them, kill -9 of a worker and of the ledger process."""
    return await reached_for(is_killing=True)


async def reached_for(*, is_killing: bool) -> list[Row]:
    """The same with or without the kills."""
    async with staged(Cast(workers=WORKERS, behaviour={"first_byte_s": SERVICE_S})) as scene:
        prompt = [{"role": "user", "content": "w " * WORDS}]
        make = chats(scene.chat, messages=prompt, max_tokens=TOKENS_OUT)
        store = store_of(scene.gateway)
        cost = price_of(await sent(scene.chat, make(0)))
        await asyncio.to_thread(set_budget, store, AFFORDED * cost)
        await asyncio.sleep(1.0)
        kills = asyncio.create_task(_kill(scene.gateway) if is_killing else asyncio.sleep(0.0))
        calls = [sent(scene.chat, make(number), patience_s=PATIENCE_S) for number in range(CALLERS)]
        outcomes = Outcomes(tuple(await asyncio.gather(*calls)))
        await kills
        last = await _use_up(scene, make)
        worked = await _worked(scene, cost)
        tally = await settled(store, cost * outcomes.count(Fate.OK))
        return [_judged(outcomes, last, worked, tally)]


def store_of(gateway: GatewayProcess) -> str:
    """URL of the store of a gateway that was given none."""
    return f"sqlite:///{gateway.run_folder / 'store.db'}"


def set_budget(store: str, limit_nano: int, tenant: str = _TENANT) -> None:
    """Gives a tenant, made when missing, a budget for the day."""
    from tripoint.domain.errors import ConflictError
    from tripoint.engines.governance.access.limits import Money
    from tripoint.usecases.accounts import limits, tenants
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.accounts.turn import Turn

    accounts = stores.open_accounts(store)
    try:
        turn = Turn(local_actor("verify"), time.time())
        with contextlib.suppress(ConflictError):
            tenants.create_tenant(accounts, turn, tenant)
        limits.set_budget(accounts, turn, Scope(tenant=tenant), Money(window=Window.DAY, limit_nano=limit_nano))
    finally:
        accounts.close()


def price_of(outcome: Outcome) -> int:
    """What an answer costs by what the model server says, at the prices of the cheaper upstream; nano-dollars."""
    usage = json.loads(outcome.body or b"{}").get("usage") or {}
    tokens = int(usage.get("prompt_tokens", 0)) + 2 * int(usage.get("completion_tokens", 0))
    return round(1000 * PRICES["dense-1"] * tokens)


async def settled(store: str, least: int) -> Tally:
    """Where the budget stands once nothing more comes in: at least so much is spent, and that for a while."""
    seen, since = await asyncio.to_thread(_tally, store), time.monotonic()
    until = since + PATIENCE_S
    while time.monotonic() < until and (seen is None or seen.spent_nano < least or time.monotonic() - since < 2.0):
        await asyncio.sleep(0.1)
        found = await asyncio.to_thread(_tally, store)
        if found != seen:
            seen, since = found, time.monotonic()
    return seen or Tally("", "", Scope(tenant=""), 0, 0, 0)


def _tally(store: str) -> Tally | None:
    leases = stores.open_leases(store, None, stores.make_charger())
    try:
        return next((each for each in leases.tallies() if each.scope.tenant == _TENANT), None)
    finally:
        leases.close()


async def _kill(gateway: GatewayProcess) -> None:
    """kill -9 of a worker in the middle, and of the ledger process a little later."""
    await asyncio.sleep(_KILL_WORKER_S)
    kill_one(gateway, "worker.main")
    await asyncio.sleep(_KILL_LEDGER_S - _KILL_WORKER_S)
    kill_one(gateway, "ledger.main")


def kill_one(gateway: GatewayProcess, module: str) -> bool:
    """kill -9 of one of the gateway's processes that runs a module; False when there is none."""
    for pid in gateway.pids():
        with contextlib.suppress(OSError):
            if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                return True
    return False


async def _use_up(scene: Scene, make: Make) -> str:
    """Goes on, one after the other, until the budget refuses for good; with which code."""
    until = time.monotonic() + PATIENCE_S
    code = ""
    while time.monotonic() < until and code != "insufficient_quota":
        outcome = await sent(scene.chat, make(0), patience_s=PATIENCE_S)
        code = outcome.code if outcome.fate is Fate.REFUSED else ""
    return code


async def _worked(scene: Scene, cost: int) -> int:
    """What the model servers did, at their prices: nobody's books."""
    cheapest = PRICES["dense-1"]
    counts = {name: (await server.counts())["requests"] for name, server in scene.servers.items()}
    return sum(int(count * cost * PRICES[name] / cheapest) for name, count in counts.items())


def _judged(outcomes: Outcomes, last: str, worked: int, tally: Tally) -> Row:
    limit = tally.limit_nano
    unused = (limit - tally.spent_nano) / limit if limit else 1.0
    faults = [f"overspent: {usd(worked)} USD of {usd(limit)}"] if worked > limit else []
    faults += [f"the books have {usd(tally.spent_nano)} USD, above the limit"] if tally.spent_nano > limit else []
    faults += [f"{unused:.1%} were left when it refused for good"] if unused > UNUSED else []
    faults += ["it never refused for good"] if last != "insufficient_quota" else []
    odd = [each.code for each in outcomes.all if each.fate is Fate.REFUSED and each.code not in _REFUSED]
    faults += [f"{len(odd)} refused for another reason ({odd[0]})"] if odd else []
    shares = f"{worked / limit:.1%} worked off, {tally.spent_nano / limit:.1%} entered" if limit else "no budget"
    seen = f"{outcomes}; {shares} of the budget, {unused:.1%} unused" + ("; " + told(faults, "") if faults else "")
    what = f"{CALLERS} callers at once, {WORKERS} workers, a budget for {AFFORDED}, kill -9 of worker and ledger"
    return judged("R15", what, f"overspend 0 %, at most {UNUSED:.0%} unused", passed=not faults, seen=seen)
