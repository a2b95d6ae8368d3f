"""An upstream stopped as a process (SIGSTOP): it takes connections and answers nothing, and comes back as it was."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tripoint.apps.battery.load import Fate, Outcome, chats, sent
from tripoint.apps.battery.rig.estate import UPSTREAM_KEY_VARIABLE, UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import UPSTREAM_KEY, GatewayProcess
from tripoint.apps.battery.rig.servers import ModelProcess

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

CALLERS = 4
STREAMS = 20


class State(NamedTuple):
    """An upstream as the gateway has it."""

    breaker: str
    is_whole: bool
    """True when it may have all of its places."""


class Scene:
    """A gateway before two model servers of their own processes; the first is cheaper and gets all traffic."""

    def __init__(self, gateway: GatewayProcess, dear: ModelProcess, cheap: ModelProcess) -> None:
        self.gateway = gateway
        self.cheap = cheap
        self.dear = dear
        self.outcomes: list[Outcome] = []

    async def ask(self, is_enough: Callable[[], bool]) -> None:
        """One caller, request after request until it is enough; they are gentle, for the machine may be busy."""
        place = self.gateway.place()
        make = chats(place)
        while not is_enough():
            self.outcomes.append(await sent(place, make(len(self.outcomes)), patience_s=60))
            await asyncio.sleep(0.05)

    async def state(self) -> State:
        """How the cheaper one is doing, as the gateway has it."""
        _, page = await self.gateway.get("/metrics")
        lines = [line for line in page.decode().splitlines() if 'upstream="dense-1"' in line]
        figures = {line.partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines}
        open_now = [
            line for line in lines if line.startswith("tripoint_upstream_breaker_state{") and line.endswith(" 1")
        ]
        breaker = open_now[0].partition('state="')[2].partition('"')[0]
        is_whole = figures["tripoint_upstream_limit_requests"] == figures["tripoint_upstream_capacity_requests"]
        return State(breaker, is_whole)

    async def until(self, is_so: Callable[[State], bool]) -> None:
        """Waits until the gateway has the cheaper one like that."""
        async with asyncio.timeout(90):
            while not is_so(await self.state()):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """Both servers and the gateway, ended in any case, also where one is stopped."""
    cheap, dear = ModelProcess(secret=UPSTREAM_KEY), ModelProcess(secret=UPSTREAM_KEY)
    gateway = GatewayProcess(folder)
    try:
        for server in (cheap, dear):
            await server.start(first_byte_s=0.02)
        declared = [
            UpstreamAt(id=name, url=server.url, usd=usd, members={"secret": f"env:{UPSTREAM_KEY_VARIABLE}"})
            for name, server, usd in (("dense-1", cheap, 1.0), ("cloud-1", dear, 2.0))
        ]
        await gateway.start(estate_text(declared, serving={"first_byte_s": 3, "stall_s": 2}))
        yield Scene(gateway, dear, cheap)
    finally:
        gateway.stop()
        cheap.kill()
        dear.kill()


def served_by(outcomes: list[Outcome]) -> set[str]:
    """Upstreams that answered."""
    return {each.headers["x-tripoint-upstream"] for each in outcomes}


def test_a_stopped_upstream_is_left_alone_and_comes_back(tmp_path: Path) -> None:
    """Its kernel goes on taking connections: time-outs find it, probes keep it out, an answered one brings it back."""

    async def play() -> None:
        async with scene(tmp_path) as found:
            is_over = False
            callers = [asyncio.create_task(found.ask(lambda: is_over)) for _ in range(CALLERS)]
            try:
                await found.until(lambda _: len(found.outcomes) >= 40)
                assert served_by(found.outcomes) == {"dense-1"}
                found.cheap.signal(signal.SIGSTOP)
                await found.until(lambda state: state.breaker == "open")
                ejected = len(found.outcomes)
                stopped_at = time.monotonic()
                # Longer than a probe is waited for, so that at least one is given up.
                await found.until(lambda _: time.monotonic() - stopped_at > 7.0)
                assert (await found.state()).breaker == "open"
                assert served_by(found.outcomes[ejected + CALLERS :]) == {"cloud-1"}
                found.cheap.signal(signal.SIGCONT)
                await found.until(lambda state: state == State("closed", True))
                back = len(found.outcomes)
                await found.until(lambda _: len(found.outcomes) >= back + 20)
                assert served_by(found.outcomes[back + CALLERS :]) == {"dense-1"}
            finally:
                is_over = True
                await asyncio.gather(*callers)
            assert [each.fate for each in found.outcomes if each.fate is not Fate.OK] == []

    asyncio.run(play())


def test_both_stopped_and_one_goes_on_is_served_again(tmp_path: Path) -> None:
    """Nobody is up: callers are told with a time to come back, and are served soon after one goes on."""

    async def play() -> None:
        async with scene(tmp_path) as found:
            await found.ask(lambda: len(found.outcomes) >= 10)
            for server in (found.cheap, found.dear):
                server.signal(signal.SIGSTOP)
            told: list[Outcome] = []

            def is_told() -> bool:
                told[:] = [each for each in found.outcomes if each.status == 503]
                return len(told) >= 3

            await asyncio.gather(*(found.ask(is_told) for _ in range(CALLERS)))
            assert {each.code for each in told} == {"no_healthy_upstream"}
            assert all(int(each.headers["retry-after"]) >= 1 for each in told)
            found.dear.signal(signal.SIGCONT)
            async with asyncio.timeout(60):
                await found.ask(lambda: found.outcomes[-1].fate is Fate.OK)
            assert served_by(found.outcomes[-1:]) == {"cloud-1"}

    asyncio.run(play())


def test_streams_of_a_stopped_upstream_go_on_elsewhere_or_say_that_they_cannot(tmp_path: Path) -> None:
    """Twenty at once, in their middle: more than there are credits for retries. Greedy ones end word for word."""

    async def play() -> None:
        async with scene(tmp_path) as found:
            place = found.gateway.place()
            whole = await sent(place, chats(place, stream=True, temperature=0)(0), patience_s=60)
            for server in (found.cheap, found.dear):
                await server.behave(first_byte_s=0.02, between_s=0.2)
            makes = [chats(place, stream=True, **({"temperature": 0} if n % 2 else {})) for n in range(2 * STREAMS)]
            streams = [asyncio.create_task(sent(place, make(0), patience_s=90)) for make in makes]
            async with asyncio.timeout(60):
                while (await found.cheap.counts())["most_at_once"] < 2 * STREAMS:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)  # each has said a few words
            found.cheap.signal(signal.SIGSTOP)
            ends = await asyncio.gather(*streams)
            assert whole.fate is Fate.OK
            assert [each.fate for each in ends[1::2]] == [Fate.OK] * STREAMS
            assert {each.text for each in ends[1::2]} == {whole.text}
            assert {(each.fate, each.code) for each in ends[::2]} == {(Fate.TYPED, "upstream_lost")}

    asyncio.run(play())
