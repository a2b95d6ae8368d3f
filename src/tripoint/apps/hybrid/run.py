"""One run of the local hybrid: start the sites and the gateway, let callers call, kill what is to be killed, end all.

Whatever happens, every process that was started here is ended here.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tripoint.apps import wiring
from tripoint.apps.hybrid.callers.client import ask
from tripoint.apps.hybrid.callers.traffic import Traffic
from tripoint.apps.hybrid.children.fleet import Fleet, site_meant
from tripoint.apps.hybrid.children.gateway import GatewayChild, last_words
from tripoint.apps.hybrid.run_folder import STREAMS, RunFolder, template_estate, write_run
from tripoint.apps.hybrid.screen.keys import Keys, listening
from tripoint.apps.hybrid.screen.show import Show, shown
from tripoint.apps.hybrid.screen.view import View
from tripoint.apps.hybrid.screen.watch import Watch
from tripoint.apps.hybrid.summary import Failovers, Kill, Summary, failovers_of
from tripoint.apps.hybrid.tenants import spent_by
from tripoint.domain.errors import MissingExtraError, PlatformError

_OF_THE_CALLER: Final = ("TRIPOINT_STORE", "TRIPOINT_PEPPER_FILE", "TRIPOINT_AUDIT_KEY_FILE", "TRIPOINT_WITNESS")
"""Settings that mean another estate's store and secrets."""
_EVERY_S: Final = 0.5
"""Time between two looks at the gateway, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridOptions:
    """What one run is asked to do."""

    kill: str | None = None
    """Site or upstream whose site is killed; none when `None`."""
    kill_after_s: float = 10.0
    """When, seconds after callers began."""
    seconds: float | None = None
    """How long callers call; until told to stop when `None`."""
    rate: float = 12.0
    """Requests a second."""
    workers: int = 1
    """Workers of the gateway."""
    port: int = 0
    """Port of the gateway; a free one when 0."""
    is_dashboard: bool = True
    """True to draw a dashboard where standard error is a terminal."""
    seed: int = 7
    """Decides texts and times of the traffic."""


def run_hybrid(options: HybridOptions, tell: Callable[[str], None]) -> Summary:
    """Runs until its time is up, `q`, Ctrl-C or SIGTERM; `tell` gets a line for each step of the start.

    Raises `OptionError` for a site that is none, `MissingExtraError` without the extra `local`, and `PlatformError`
    where a process does not start; the folder of the run is then kept, for its logs.
    """
    began = time.monotonic()
    leave_caller(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="tripoint-up-"))
    try:
        estate = template_estate().estate
        if options.kill is not None:
            options = replace(options, kill=site_meant(estate, options.kill))
        tell("making the models")
        summary = _whole(options, Fleet(estate, folder), folder, tell, began)
    except BaseException as error:
        if not isinstance(error, PlatformError) or isinstance(error, MissingExtraError):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return summary


def leave_caller(environment: MutableMapping[str, str]) -> None:
    """Forgets which store and secrets the caller works with: a run has its own, in its folder."""
    for name in _OF_THE_CALLER:
        environment.pop(name, None)


def _whole(options: HybridOptions, fleet: Fleet, folder: Path, tell: Callable[[str], None], began: float) -> Summary:
    """From the first process to the last."""
    try:
        tell(f"starting {len(fleet.site_by_upstream)} model servers at {', '.join(fleet.sites)}")
        fleet.start()
        tell("planning")
        placed = write_run(folder, fleet.ports)
        gateway = GatewayChild(placed, port=options.port, workers=options.workers)
        tell(f"starting the gateway on port {gateway.port}")
        try:
            asyncio.run(gateway.start())
            loaded = wiring.load_estate(placed.estate)
            layers = {str(site.id): str(site.kind.layer) for site in loaded.estate.sites if site.id in fleet.sites}
            address = f"http://127.0.0.1:{gateway.port}/v1"
            key_file = str(placed.folder / "keys" / "web")
            tell(f"answering at {address}; a key for it: {key_file}")
            watch = Watch(loaded.estate.name, address, key_file, layers, fleet.site_by_upstream)
            return asyncio.run(_Run(options, fleet, placed, gateway, watch).served(time.monotonic() - began))
        finally:
            gateway.stop()
    finally:
        fleet.stop()


class _Run:
    """Sites and gateway while they serve: callers call, sites are killed and come back, the screen shows it."""

    def __init__(
        self, options: HybridOptions, fleet: Fleet, placed: RunFolder, gateway: GatewayChild, watch: Watch
    ) -> None:
        self._options = options
        self._fleet = fleet
        self._placed = placed
        self._gateway = gateway
        self._watch = watch
        self._traffic = Traffic(STREAMS, placed.secrets, rate=options.rate, seed=options.seed)
        self._keys = Keys(fleet.sites, self._act)
        self._stop = asyncio.Event()
        self._kills: list[Kill] = []
        self._fallen: dict[str, None] = {}
        self._is_ready = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._calling: asyncio.Task[None] | None = None
        self._began = time.monotonic()

    async def served(self, startup_s: float) -> Summary:
        """Until its time is up or somebody ends it; `startup_s` is what the start took."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted)
        with shown(self._options.is_dashboard, sys.stderr) as show, listening(loop.add_reader, self._keys.press):
            await self._until_stopped(show)
        seconds = self._elapsed()
        self._gateway.stop()  # its records are whole only now
        return Summary(
            seconds=seconds,
            tally=self._traffic.tally,
            kills=self._kills,
            failovers=self._failovers(),
            fallen=tuple(self._fallen),
            startup_s=startup_s,
            spent=spent_by(self._placed.store),
        )

    async def _until_stopped(self, show: Show) -> None:
        loop = asyncio.get_running_loop()
        if self._options.seconds is not None:
            loop.call_later(self._options.seconds, self._stop.set)
        if self._options.kill is not None:
            loop.call_later(self._options.kill_after_s, self._act, "kill", self._options.kill)
        calling = asyncio.create_task(self._traffic.run(self._gateway.port, self._stop))
        looking = asyncio.create_task(self._look(show))
        self._calling = calling
        try:
            with suppress(asyncio.CancelledError):
                await calling
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _interrupted(self) -> None:
        """Ctrl-C or SIGTERM: the first lets callers hear what is under way, the second does not wait for it."""
        if self._stop.is_set() and self._calling is not None:
            self._calling.cancel()
        self._stop.set()

    async def _look(self, show: Show) -> None:
        """Reads the gateway again and again, and shows what is found."""
        gateway = self._gateway
        while True:
            page = await ask(gateway.port, "GET", "/metrics", head={}, patience_s=2.0)
            ready = await ask(gateway.port, "GET", "/readyz", head={}, patience_s=2.0)
            self._is_ready = ready.status == 200
            if page.status == 200:
                self._watch.read(page.body.decode("utf-8", "replace"), self._elapsed())
            for name in self._fleet.fallen():
                if f"the model server of {name}" not in self._fallen:
                    self._fallen[f"the model server of {name}"] = None
                    self._watch.tell(self._elapsed(), f"the model server of {name} ended by itself", is_bad=True)
            if not gateway.is_running():
                self._fallen.setdefault(f"the gateway ({last_words(gateway.log)})")
                self._watch.tell(self._elapsed(), "the gateway ended by itself", is_bad=True)
                self._stop.set()
            for kill in self._kills:
                self._note_breaker(kill)
            show(self._view())
            await asyncio.sleep(_EVERY_S)

    def _view(self) -> View:
        return self._watch.view(
            self._elapsed(),
            self._traffic.tally,
            is_ready=self._is_ready,
            killed=self._fleet.killed,
            prompt=self._keys.prompt,
        )

    def _note_breaker(self, kill: Kill) -> None:
        times = [
            at - kill.at_s
            for upstream, at in self._watch.opened_at.items()
            if self._fleet.site_by_upstream[upstream] == kill.site and at >= kill.at_s
        ]
        if times and kill.opened_after_s is None:
            kill.opened_after_s = min(times)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _act(self, verb: str, site: str) -> None:
        """What a key, or the clock, asks for."""
        if verb == "quit":
            self._stop.set()
        elif verb == "kill" and site not in self._fleet.killed:
            self._kills.append(Kill(site=site, at_s=self._elapsed()))
            self._fleet.kill(site)
            self._traffic.tally.phase = "after"
            self._watch.tell(self._elapsed(), f"{site} was killed", is_bad=True)
        elif verb == "revive" and site in self._fleet.killed:
            task = asyncio.create_task(self._revive(site))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _revive(self, site: str) -> None:
        for kill in self._kills:
            kill.is_revived = kill.is_revived or kill.site == site
        try:
            await asyncio.to_thread(self._fleet.revive, site)
        except PlatformError as error:
            self._watch.tell(self._elapsed(), f"{site} does not come back: {error.message}", is_bad=True)
            return
        self._watch.tell(self._elapsed(), f"{site} is back")

    def _failovers(self) -> Failovers:
        everywhere = {stream.workload: stream.forbidden for stream in STREAMS if not stream.label}
        return failovers_of(wiring.usage_records(self._gateway.records), everywhere)
