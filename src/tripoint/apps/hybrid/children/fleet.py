"""The three sites: which model servers stand at which, and what it means to kill and to revive one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tripoint.apps import wiring
from tripoint.domain.errors import OptionError
from tripoint.domain.findings import did_you_mean, quoted

if TYPE_CHECKING:
    from tripoint.domain.estate import Estate
    from tripoint.domain.serving import Upstream


class Server(Protocol):
    """What is asked of the process of a model server."""

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1; 0 before the first start."""
        ...

    @property
    def pid(self) -> int:
        """Its process, 0 while there is none."""
        ...

    def is_running(self) -> bool:
        """Whether the process is there."""
        ...

    def begin(self) -> None:
        """Starts it without waiting."""
        ...

    def wait_ready(self) -> None:
        """Waits until it answers."""
        ...

    def kill(self) -> None:
        """Ends it at once."""
        ...

    def ask_to_stop(self) -> None:
        """Tells it to end."""
        ...

    def stop(self) -> None:
        """Ends it and waits until it is gone."""
        ...


class Fleet:
    """A model server for every upstream of an estate."""

    def __init__(self, estate: Estate, folder: Path) -> None:
        """Makes the model files, starts nothing; raises `MissingExtraError` without the extra `local`."""
        embeds = {workload.model for workload in estate.workloads if workload.kind == "embedding"}
        self.site_by_upstream: Mapping[str, str] = {each.id: each.site for each in estate.serving.upstreams}
        """Site of each upstream."""
        self._servers: dict[str, Server] = {}
        for upstream in estate.serving.upstreams:
            model, name = _only_model(upstream)
            self._servers[upstream.id] = wiring.local_model_server(
                model, name, is_embedding=model in embeds, folder=folder, log=f"{upstream.id}.log"
            )
        self.killed: set[str] = set()
        """Sites that are down because we killed them."""

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites in the order of the estate."""
        return tuple(dict.fromkeys(self.site_by_upstream.values()))

    @property
    def ports(self) -> dict[str, int]:
        """Port of each upstream."""
        return {name: server.port for name, server in self._servers.items()}

    @property
    def pids(self) -> dict[str, int]:
        """Process of each upstream that has one."""
        return {name: server.pid for name, server in self._servers.items() if server.pid}

    def start(self) -> None:
        """Starts every server and waits until all answer."""
        for server in self._servers.values():
            server.begin()
        for server in self._servers.values():
            server.wait_ready()

    def kill(self, site: str) -> None:
        """Ends every process of a site at once, as a power cut would."""
        self.killed.add(site)
        for server in self._at(site):
            server.kill()

    def revive(self, site: str) -> None:
        """Brings a site back on the ports it had, and waits until it answers."""
        for server in self._at(site):
            server.begin()
        for server in self._at(site):
            server.wait_ready()
        self.killed.discard(site)

    def fallen(self) -> list[str]:
        """Upstreams whose process ended although nobody killed it."""
        alive = {name for name, server in self._servers.items() if server.is_running()}
        return [name for name, site in self.site_by_upstream.items() if name not in alive and site not in self.killed]

    def stop(self) -> None:
        """Ends all processes."""
        for server in self._servers.values():
            server.ask_to_stop()
        for server in self._servers.values():
            server.stop()

    def _at(self, site: str) -> list[Server]:
        return [server for name, server in self._servers.items() if self.site_by_upstream[name] == site]


def _only_model(upstream: Upstream) -> tuple[str, str]:
    """The model spec of an upstream of the template, and its name there; a server has one model."""
    return next(iter(upstream.models.items()))


def site_meant(estate: Estate, name: str) -> str:
    """The site meant by the name of a site with upstreams, or of an upstream; raises `OptionError` for another name."""
    sites = {str(each.id): str(each.site) for each in estate.serving.upstreams}
    if name in sites.values():
        return name
    if name not in sites:
        known = sorted({*sites, *sites.values()})
        raise OptionError(f"`{name}` is not a site", hint=did_you_mean(name, known) or f"there are {quoted(known)}")
    return sites[name]
