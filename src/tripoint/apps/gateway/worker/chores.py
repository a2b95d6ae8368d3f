"""What a worker does by the clock: ticks, probes of dead upstreams, looks at their load, counters saved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import monotonic, time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tripoint.domain.serving import Api, Probe
from tripoint.engines.gateway.dialects.addresses import credential_head, models_path, path_of
from tripoint.engines.gateway.exchange.recovery.verdict import failure_of
from tripoint.engines.gateway.telemetry.scrape import read_load

if TYPE_CHECKING:
    from tripoint.apps.gateway.worker.recorder import Recorder
    from tripoint.domain.table import RoutingTable, Target
    from tripoint.engines.gateway.exchange.gateway import Gateway
    from tripoint.engines.gateway.health.load import UpstreamLoad

TICK_S = 0.25
_SCRAPE_EVERY, _SAVE_EVERY, _EXPIRE_EVERY = 20, 4, 20
_PROBE_S, _SCRAPE_S = 5.0, 2.0
_HAS_NO_LIST = (404, 405)
_OFF_S, _AT_ONCE_S = 1.0, 0.1
"""How far the clock on the wall may be from what is held of it, and how close in time the two must be read, s."""
_log = logging.getLogger("tripoint.gateway")
_FIRST = (Api.CHAT, Api.MESSAGES, Api.COMPLETIONS, Api.RESPONSES, Api.EMBEDDINGS)


class Question(NamedTuple):
    """A small request to an upstream."""

    method: bytes
    path: bytes
    head: bytes
    body: bytes


Ask = Callable[["Target", Question, float, Callable[[int, bytes], None]], None]
"""Sends a question to a target with a time limit, s; the answer comes as status (0 for none) and body."""


class Chores:
    """All of it for one worker."""

    def __init__(self, gateway: Gateway, recorder: Recorder, ask: Ask, expire: Callable[[float], None]) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._ask = ask
        self._expire = expire
        self._ticks = 0
        self._handle: asyncio.TimerHandle | None = None
        self._scraping: set[str] = set()
        self.drained: Callable[[], None] | None = None
        """Called after records were handed to the disk."""
        self.secrets: Mapping[str, str] = {}
        """Credentials by reference."""
        self.loads: dict[str, UpstreamLoad] = {}
        """Last reading of each upstream that was scraped, by upstream id."""

    def start(self) -> None:
        """Begins on the running loop."""
        self._handle = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def stop(self) -> None:
        """Ends it."""
        if self._handle is not None:
            self._handle.cancel()

    def drain(self) -> None:
        """Counts the records that wait and hands them to the disk; to be called with every sweep."""
        self._recorder.drain()
        if self.drained is not None:
            self.drained()

    def _tick(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        self._ticks += 1
        now = monotonic()
        self._look_at_the_clock(now)
        for shift in self._gateway.tick(now):
            self._recorder.metrics.shifted(shift)
        for target in self._gateway.router.probes_due(now):
            self._probe(target)
        if self._ticks % _SCRAPE_EVERY == 1:
            for target in self._gateway.table.targets:
                self._scrape(target)
        if self._ticks % _SAVE_EVERY == 0:
            self._recorder.save()
        if self._ticks % _EXPIRE_EVERY == 0:
            self._expire(now)

    def _look_at_the_clock(self, now: float) -> None:
        """The machines' clock does not run while the machine sleeps, and the other one may be put right at any time."""
        wall, off_s = time(), 0.0
        if monotonic() - now < _AT_ONCE_S:
            off_s = wall - now - self._gateway.epoch
        if abs(off_s) > _OFF_S:
            _log.warning("the clock has moved by %+.0f s: records, keys and budgets go by it from now on", off_s)
            self._gateway.set_clock(wall - now)

    def _probe(self, target: Target) -> None:
        router = self._gateway.router

        def told(status: int, body: bytes) -> None:
            is_alive = 200 <= status < 300 or status in _HAS_NO_LIST
            is_well = is_alive or (status > 0 and failure_of(status, 0.0) is None)
            router.probed(target, is_well, monotonic())

        secret = None if target.secret is None else self.secrets.get(target.secret)
        self._ask(target, probe_of(target, self._gateway.table, secret), _PROBE_S, told)

    def _scrape(self, target: Target) -> None:
        if target.metrics_path is None or target.id in self._scraping:
            return

        def told(status: int, body: bytes) -> None:
            self._scraping.discard(target.id)
            load = read_load(body) if status == 200 else None
            if load is not None:
                self.loads[target.id] = load
                self._gateway.router.observed(target, load, monotonic())
            else:
                self.loads.pop(target.id, None)

        self._scraping.add(target.id)
        secret = None if target.secret is None else self.secrets.get(target.secret)
        head = credential_head(target, secret)
        self._ask(target, Question(b"GET", target.metrics_path.encode(), head, b""), _SCRAPE_S, told)


def probe_of(target: Target, table: RoutingTable, secret: str | None) -> Question:
    """The synthetic request that asks whether a target is back: its list of models, or one generated token."""
    head = credential_head(target, secret)
    index = table.targets.index(target)
    names = [each.name for route in table.routes for each in route.candidates if each.target == index]
    if target.probe is Probe.GENERATE and names:
        api = next(each for each in _FIRST if each in target.apis)
        return Question(b"POST", path_of(api, target, names[0]), head, msgspec.json.encode(_one_token(api, names[0])))
    return Question(b"GET", models_path(target), head, b"")


def _one_token(api: Api, name: str) -> dict[str, object]:
    turn = [{"role": "user", "content": "1"}]
    if api is Api.EMBEDDINGS:
        return {"model": name, "input": "1"}
    if api is Api.COMPLETIONS:
        return {"model": name, "prompt": "1", "max_tokens": 1}
    if api is Api.RESPONSES:
        return {"model": name, "input": "1", "max_output_tokens": 16}
    return {"model": name, "messages": turn, "max_tokens": 1}
