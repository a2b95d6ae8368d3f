"""One, two and four workers as one gateway: limits hold over all, a dead worker is replaced, reloads drop nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from tests.factories.rigs import Rig, all_workers, rig

from tripoint.apps.battery.load import Fate, Outcome, Outcomes, chats, offered, sent
from tripoint.testing.model_server import Behaviour

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

PLACES = 3
RATE = 60.0


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_limits_of_an_upstream_hold_over_all_workers(workers: int, tmp_path: Path) -> None:
    """An upstream with three places is never asked a fourth thing at once, whoever is asked, and none is lost."""
    upstreams: dict[str, dict[str, object]] = {"dense-1": {"max_concurrency": PLACES}, "cloud-1": {}}
    with rig(tmp_path, upstreams=upstreams, workers=workers) as found:
        assert len(all_workers(found)) == workers
        for server in found.servers.values():
            server.behaviour = Behaviour(first_byte_s=0.1)
        place = found.gateway.place()
        outcomes = asyncio.run(offered(place, chats(place), rate=RATE, seconds=2.0))
    assert outcomes.count(Fate.OK) == len(outcomes)
    assert found.servers["dense-1"].most_at_once == PLACES
    assert len(found.servers["cloud-1"].seen) > 0


def test_a_reload_under_load_drops_nobody(tmp_path: Path) -> None:
    """Streams begun before it end as they began, requests after it find the new table, a bad one changes nothing."""
    with rig(tmp_path, workers=2) as found:
        for server in found.servers.values():
            server.behaviour = Behaviour(between_s=0.03)
        place, gateway = found.gateway.place(), found.gateway
        estate = gateway.estate.read_text(encoding="utf-8")
        without = estate.replace('"dense-1"', '"dense-2"').replace('"usd_in_per_mtok": 1.0', '"usd_in_per_mtok": 9.0')
        deeds = [(0.4, lambda: gateway.reload(without)), (0.9, lambda: gateway.reload("no estate")),
                 (1.2, lambda: gateway.reload(estate))]  # fmt: skip
        outcomes = asyncio.run(offered(place, chats(place, stream=True), rate=40.0, seconds=2.0, hook=deeds))
        ready = asyncio.run(gateway.get("/readyz"))[1]
        log = gateway.log.read_text(encoding="utf-8")
    assert outcomes.count(Fate.OK) == len(outcomes)
    assert {each.headers["x-tripoint-upstream"] for each in outcomes.all} >= {"dense-1", "cloud-1"}
    assert b'"status"' in ready
    assert "TP1" in log


def test_a_worker_that_dies_is_replaced_and_its_places_come_back(tmp_path: Path) -> None:
    """Only what it had under way is lost; the upstream's places are not."""
    upstreams: dict[str, dict[str, object]] = {"dense-1": {"max_concurrency": PLACES}}
    with rig(tmp_path, upstreams=upstreams, workers=2) as found:
        place = found.gateway.place()
        found.servers["dense-1"].behaviour = Behaviour(first_byte_s=3600.0)
        asyncio.run(_occupied(found))
        for pid in all_workers(found):
            os.kill(pid, signal.SIGKILL)
        found.servers["dense-1"].behaviour = Behaviour()
        outcomes = asyncio.run(_until_served(found))
        after = asyncio.run(offered(place, chats(place), rate=10.0, seconds=1.0))
    assert outcomes.all[-1].fate is Fate.OK
    assert after.count(Fate.OK) == len(after)


async def _occupied(found: Rig) -> None:
    """Requests that hold every place of the upstream; their callers have left the test, not the gateway."""
    place, make = found.gateway.place(), chats(found.gateway.place())
    waiting = [asyncio.create_task(sent(place, make(number), patience_s=30)) for number in range(PLACES)]
    deadline = time.monotonic() + 10
    while found.servers["dense-1"].at_once < PLACES and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    assert found.servers["dense-1"].at_once == PLACES
    for pid in all_workers(found):
        os.kill(pid, signal.SIGSTOP)  # so that nobody notices the callers leave
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _until_served(found: Rig) -> Outcomes:
    place = found.gateway.place()
    outcomes: list[Outcome] = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (outcomes and outcomes[-1].fate is Fate.OK):
        outcomes.append(await sent(place, chats(place)(0), patience_s=5))
        await asyncio.sleep(0.1)
    return Outcomes(tuple(outcomes))
