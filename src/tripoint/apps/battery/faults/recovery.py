"""Upstreams that come back, outages of all of them, and starting into one: R6, R7 and R10."""

from __future__ import annotations

import asyncio
import math
import time

from tripoint.apps.battery.load import Fate, chats, offered, sent
from tripoint.apps.battery.rig.scene import Cast, Scene, staged
from tripoint.apps.battery.verdict import Row, judged, told

SICK_S = 4.0
WELL_S = 12.0
FULL_SHARE = 0.9
AMPLIFICATION = 1.1
READY_S = 2.0
STARTS = 3
"""How often starting is tried where the machine is too busy for that: waiting for an upstream would take each time."""
_PROBES_PER_S = 1.5


async def recovered() -> list[Row]:
    """R6: the cheapest upstream fails for a while and comes back; who asks it meanwhile, and when it has all again."""
    async with staged(Cast(behaviour={"first_byte_s": 0.01})) as scene:
        full = asyncio.Event()
        load = asyncio.create_task(
            offered(scene.chat, chats(scene.chat), rate=30.0, seconds=1.0 + SICK_S + WELL_S, enough=full)
        )
        await asyncio.sleep(1.0)
        await scene.dense.behave(status=503)
        await asyncio.sleep(0.5)  # its breaker opens
        first = await scene.dense.counts()
        await asyncio.sleep(SICK_S - 0.5)
        last = await scene.dense.counts()
        await scene.dense.behave(first_byte_s=0.01)
        back_s = await _until_full(scene)
        full.set()
        outcomes = await load
    live, probes = last["requests"] - first["requests"], last["probes"] - first["probes"]
    lost = len(outcomes) - outcomes.count(Fate.OK)
    seen = f"while it failed {probes} probes and {live} live requests in {SICK_S - 0.5:.1f} s; "
    seen += f"full share {back_s:.1f} s after it was well; {lost} of {len(outcomes)} lost"
    is_met = not lost and live <= 2 and probes <= 1 + SICK_S * _PROBES_PER_S and back_s < WELL_S
    bar = f"at most one probe at a time, no live traffic before it is well, full share within {WELL_S:.0f} s, 0 lost"
    return [judged("R6", "an upstream fails and recovers under 30 requests/s", bar, passed=is_met, seen=seen)]


async def _until_full(scene: Scene) -> float:
    """Seconds until the cheapest upstream has nearly all traffic again; infinite when it never has."""
    started = time.monotonic()
    before = await _both(scene)
    while time.monotonic() - started < WELL_S:
        await asyncio.sleep(0.5)
        now = await _both(scene)
        dense, cloud = now[0] - before[0], now[1] - before[1]
        if dense + cloud >= 8 and dense >= FULL_SHARE * (dense + cloud):
            return time.monotonic() - started
        before = now
    return math.inf


async def _both(scene: Scene) -> tuple[int, int]:
    dense, cloud = await scene.dense.counts(), await scene.cloud.counts()
    return dense["requests"], cloud["requests"]


async def amplified() -> list[Row]:
    """R7: everything fails at once; how many attempts each request costs."""
    async with staged() as scene:
        warm = await offered(scene.chat, chats(scene.chat), rate=50.0, seconds=2.0)
        for server in (scene.dense, scene.cloud):
            await server.behave(is_reset=True)
        before = sum(await _both(scene))
        outcomes = await offered(scene.chat, chats(scene.chat), rate=100.0, seconds=4.0)
        attempts = sum(await _both(scene)) - before
    factor = attempts / len(outcomes)
    untold = [each for each in outcomes.all if each.status < 500 and each.status != 429]
    waitless = [each for each in outcomes.all if "retry-after" not in each.headers]
    slow_ms = 1000 * max(each.took_s for each in outcomes.since(outcomes.all[0].at + 1).all)
    faults = [f"{len(untold)} were not told with 429 or 5xx"] if untold else []
    faults += [f"{len(waitless)} without Retry-After"] if waitless else []
    faults += [f"{len(warm) - warm.count(Fate.OK)} lost before the outage"] if warm.count(Fate.OK) < len(warm) else []
    seen = f"{attempts} attempts for {len(outcomes)} requests, {factor:.2f}x; slowest refusal {slow_ms:.0f} ms"
    seen += "; " + told(faults, "") if faults else ""
    bar = f"at most {AMPLIFICATION}x; all shed with Retry-After"
    is_met = factor <= AMPLIFICATION and not faults
    return [judged("R7", "total outage at 100 requests/s", bar, passed=is_met, seen=seen)]


async def cold_start() -> list[Row]:
    """R10: starting while every upstream is down, and serving once one is up."""
    async with staged(Cast(absent=frozenset({"dense-1", "cloud-1", "abroad-1"}))) as scene:
        ready_s = await _best_start(scene)
        refused = await sent(scene.chat, chats(scene.chat)(0), patience_s=10)
        state = await scene.gateway.get("/readyz")
        await scene.cloud.start()
        served_s = await _until_served(scene)
    faults = [] if ready_s <= READY_S else [f"ready after {ready_s:.1f} s at best"]
    if refused.status not in (429, 502, 503) or "retry-after" not in refused.headers:
        faults.append(f"a request was answered {refused.status or 'not at all'}, headers {sorted(refused.headers)}")
    if b"degraded" not in state[1]:
        faults.append(f"/readyz says {state[1][:60]!r}")
    if served_s == math.inf:
        faults.append("it never served once an upstream was up")
    seen = f"accepting after {ready_s:.2f} s; a request: {refused.status} in {1000 * refused.took_s:.0f} ms; "
    seen += f"served {served_s:.1f} s after an upstream was up" + ("; " + told(faults, "") if faults else "")
    bar = f"accepting within {READY_S:.0f} s, says degraded, refuses with Retry-After, serves later"
    return [judged("R10", "start with every upstream down", bar, passed=not faults, seen=seen)]


async def _best_start(scene: Scene) -> float:
    """Seconds from starting to answering, the best of a few starts where the first took too long."""
    ready_s = scene.gateway.ready_s
    for _ in range(STARTS - 1):
        if ready_s > READY_S:
            scene.gateway.stop()
            await scene.gateway.start(scene.estate)
            ready_s = min(ready_s, scene.gateway.ready_s)
    return ready_s


async def _until_served(scene: Scene) -> float:
    started = time.monotonic()
    while time.monotonic() - started < 20.0:
        if (await sent(scene.chat, chats(scene.chat)(0), patience_s=10)).fate is Fate.OK:
            return time.monotonic() - started
        await asyncio.sleep(0.2)
    return math.inf
