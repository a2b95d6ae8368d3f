"""A scene: a gateway with two permitted upstreams and one abroad, started together and stopped whatever happens."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.estate import UPSTREAM_KEY_VARIABLE, UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import UPSTREAM_KEY, GatewayProcess
from tripoint.apps.battery.rig.servers import ModelProcess

PRICES = {"dense-1": 1.0, "cloud-1": 2.0, "abroad-1": 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is in a scene."""

    capacities: Mapping[str, int] = field(default_factory=dict)
    """Places of an upstream where it is not 256."""
    serving: Mapping[str, object] = field(default_factory=dict)
    """Further fields of the section `serving`."""
    behaviour: Mapping[str, object] = field(default_factory=dict)
    """How every server behaves from the start."""
    extra: Sequence[UpstreamAt] = ()
    """Upstreams that are none of our servers."""
    absent: frozenset[str] = frozenset()
    """Servers that are not started."""
    workers: int = 1
    """Workers of the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A running gateway and its servers."""

    gateway: GatewayProcess
    """The gateway."""
    servers: dict[str, ModelProcess]
    """Servers by upstream id."""
    estate: str
    """The estate served."""

    @property
    def chat(self) -> Place:
        """The gateway, asked for the workload that must stay in the EEA."""
        return self.gateway.place()

    @property
    def dense(self) -> ModelProcess:
        """The cheapest permitted server."""
        return self.servers["dense-1"]

    @property
    def cloud(self) -> ModelProcess:
        """The other permitted server."""
        return self.servers["cloud-1"]

    @property
    def abroad(self) -> ModelProcess:
        """The server `chat` and `batch` must never reach."""
        return self.servers["abroad-1"]


@asynccontextmanager
async def staged(cast: Cast | None = None) -> AsyncIterator[Scene]:
    """Starts servers and gateway; on the way out each is stopped by its own id and the folder removed."""
    wanted = cast or Cast()
    servers = {name: ModelProcess(secret=UPSTREAM_KEY, fingerprint=name) for name in PRICES}
    with tempfile.TemporaryDirectory(prefix="tripoint-verify-") as folder:
        gateway = GatewayProcess(Path(folder), workers=wanted.workers)
        try:
            present = [server for name, server in servers.items() if name not in wanted.absent]
            await asyncio.gather(*(server.start(**wanted.behaviour) for server in present))
            estate = estate_text([*_upstreams(servers, wanted), *wanted.extra], serving=wanted.serving)
            await gateway.start(estate)
            yield Scene(gateway=gateway, servers=servers, estate=estate)
        finally:
            gateway.stop()
            for server in servers.values():
                server.kill()


def _upstreams(servers: Mapping[str, ModelProcess], cast: Cast) -> list[UpstreamAt]:
    secret = {"secret": f"env:{UPSTREAM_KEY_VARIABLE}"}
    return [
        UpstreamAt(
            id=name, url=server.url, usd=PRICES[name], capacity=cast.capacities.get(name, 256), members=dict(secret)
        )
        for name, server in servers.items()
    ]
