"""A running gateway before model servers in this process, for tests that speak to it as callers do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tripoint.apps.battery.rig.estate import NAME_THERE, UPSTREAM_KEY_VARIABLE, UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import KEY, UPSTREAM_KEY, GatewayProcess
from tripoint.testing.model_server import ModelServer, serving


@dataclass(frozen=True, kw_only=True, repr=False)
class Rig:
    """A gateway and the servers behind it."""

    gateway: GatewayProcess
    """The gateway."""
    servers: dict[str, ModelServer] = field(default_factory=dict)
    """Servers by upstream id."""

    def __repr__(self) -> str:
        return f"Rig({self.url})"  # what the servers saw would fill pages of every failure

    @property
    def url(self) -> str:
        """Base address without `/v1`."""
        return f"http://127.0.0.1:{self.gateway.port}"

    @property
    def key(self) -> str:
        """The client key."""
        return KEY


def serving_workers(found: Rig) -> list[int]:
    """Processes of the workers that serve; where there is one worker, the next one waits beside it and is none."""
    return [pid for pid in found.gateway.pids()[1:] if name_of(pid) == "tripoint-serves"]


def all_workers(found: Rig) -> list[int]:
    """Processes of the workers, once as many serve as were asked for."""
    deadline = time.monotonic() + 30
    while len(pids := serving_workers(found)) < found.gateway.workers:
        assert time.monotonic() < deadline, "not all workers serve"
        time.sleep(0.02)
    return pids


def waiting_workers(found: Rig) -> list[int]:
    """Processes of workers that wait to be needed, or for their first table."""
    return [pid for pid in found.gateway.pids()[1:] if name_of(pid) == "tripoint-waits"]


def name_of(pid: int) -> str:
    """What a process is called, empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@contextmanager
def rig(
    folder: Path,
    *,
    upstreams: Mapping[str, Mapping[str, object]] | None = None,
    serving_section: Mapping[str, object] | None = None,
    tls: Mapping[str, Any] | None = None,
    workers: int = 1,
    flags: Sequence[str] = (),
    ca_file: str = "",
) -> Iterator[Rig]:
    """Starts a server per upstream (further fields of each by id) and the gateway; all are stopped at the end.

    `tls` holds server-side contexts by upstream id; `ca_file` signed the certificate that flags give the gateway.
    """
    wanted = upstreams or {"dense-1": {}, "cloud-1": {}}
    gateway = GatewayProcess(folder, workers=workers, flags=tuple(flags), ca_file=ca_file)
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        servers, declared = {}, []
        for number, (name, members) in enumerate(wanted.items()):
            context = (tls or {}).get(name)
            server = ModelServer(seed=7, models=(NAME_THERE,), secret=UPSTREAM_KEY)
            servers[name] = stack.enter_context(serving(server, tls=context))
            scheme, host = ("https", "localhost") if context is not None else ("http", "127.0.0.1")
            extra = {"secret": f"env:{UPSTREAM_KEY_VARIABLE}", **members}
            url = f"{scheme}://{host}:{server.port}" + ("" if extra.get("dialect") in ("anthropic", "azure") else "/v1")
            declared.append(UpstreamAt(id=name, url=url, usd=1.0 + number, members=extra))
        asyncio.run(gateway.start(estate_text(declared, serving=serving_section)))
        yield Rig(gateway=gateway, servers=servers)
