"""The gateway's own pages: models offered, alive, ready, metrics.

What they say beyond one word is for this machine and for holders of a client key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import version
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec

from tripoint.apps.gateway.http.endpoints import Page
from tripoint.domain.serving import Api
from tripoint.engines.gateway.telemetry.exposition import CONTENT_TYPE, GatewayState, exposition
from tripoint.engines.gateway.telemetry.semconv import LATEST
from tripoint.engines.gateway.wire.refusal import error_body

if TYPE_CHECKING:
    from tripoint.apps.gateway.control import Launch
    from tripoint.apps.gateway.worker.chores import Chores
    from tripoint.apps.gateway.worker.recorder import Recorder
    from tripoint.apps.gateway.worker.teller import Teller
    from tripoint.engines.gateway.exchange.gateway import Gateway

_JSON = b"application/json"
Show = Callable[[int, bytes, bytes], None]
"""Takes status, content type and body, at once or later."""


class Pages:
    """Answers them."""

    def __init__(self, gateway: Gateway, recorder: Recorder, chores: Chores, launch: Launch) -> None:
        self._gateway = gateway
        self._recorder = recorder
        self._chores = chores
        self._workers = launch.workers
        self._convention = launch.convention or LATEST
        self._version = version("tripoint")
        self._reading: set[asyncio.Task[None]] = set()
        self.teller: Teller | None = None
        """The conversation with the ledger process, where there is one."""
        self.is_draining = False
        """True once this worker is about to end."""
        self.missing: tuple[str, ...] = ()
        """What people are told of missing secrets."""

    def show(self, page: Page, headers: Mapping[bytes, bytes], peer: str, show: Show) -> None:
        """Answers a page."""
        if page is Page.MODELS:
            status, body = self._gateway.models(headers, monotonic())
            show(status, _JSON, body)
        elif page is Page.HEALTH:
            show(200, _JSON, b'{"status":"alive"}')
        elif page is Page.READY:
            self._ready(show, is_trusted=self._is_trusted(headers, peer))
        elif self._is_trusted(headers, peer):
            task = asyncio.get_running_loop().create_task(self._metrics(show))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        else:
            message = "metrics are for this machine and for holders of a client key"
            show(401, _JSON, error_body(Api.CHAT, 401, "invalid_api_key", message))

    def degraded(self) -> dict[str, str]:
        """What does not work now, and why, by part."""
        found = self._recorder.faults()
        if self.missing:
            found["secrets"] = "; ".join(self.missing)
        if self.teller is not None and (fault := self.teller.told()):
            found["ledger"] = fault
        states = self._gateway.router.states(monotonic())
        shut = [each.upstream for each in states if each.breaker == "open"]
        if shut:
            found["upstreams"] = f"shut: {', '.join(shut)}"
        return found

    def _ready(self, show: Show, *, is_trusted: bool) -> None:
        if self.is_draining:
            show(503, _JSON, b'{"status":"draining"}')
            return
        parts = self.degraded()
        is_waiting = self._gateway.is_waiting  # for the accounts: every request is refused until they are known
        told: dict[str, Any] = {"status": "waiting" if is_waiting else "degraded" if parts else "ready"}
        if is_trusted:
            table = self._gateway.table
            told |= {"estate": table.name, "estate_digest": table.estate_digest, "plan_digest": table.plan_digest}
            told |= {"workers": self._workers, "degraded": parts}
        show(503 if is_waiting else 200, _JSON, msgspec.json.encode(told))

    def _is_trusted(self, headers: Mapping[bytes, bytes], peer: str) -> bool:
        return peer.startswith("127.") or peer == "::1" or self._gateway.models(headers, monotonic())[0] == 200

    async def _metrics(self, show: Show) -> None:
        """Reads the other workers' counters, and writes the page, in a thread: neither may hold up requests."""
        recorder, table = self._recorder, self._gateway.table
        recorder.drain()
        snapshot = recorder.metrics.snapshot()
        loop = asyncio.get_running_loop()
        state = GatewayState(
            version=self._version,
            estate=table.name,
            estate_digest=table.estate_digest,
            plan_digest=table.plan_digest,
            workers=self._workers,
            degraded=tuple(self.degraded()),
            loads=self._chores.loads,
            providers={each.id: each.provider for each in table.targets},
            convention=self._convention,
        )
        standing = self._gateway.router.states(monotonic())

        def page() -> bytes:
            return exposition(recorder.file.together(snapshot), standing, state).encode()

        show(200, CONTENT_TYPE.encode(), await loop.run_in_executor(None, page))
