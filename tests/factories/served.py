"""Estates that are served: the placement factories' sites with upstreams in front, on their small catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.factories.placement import chat, hall, place, placement_catalog, region, servers

from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.serving import Serving, Upstream
from tripoint.domain.source import LoadedEstate
from tripoint.domain.table import RoutingTable
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, UpstreamId
from tripoint.domain.workload import Workload
from tripoint.engines.gateway.table.compile import Compiled, compile_table

TODAY = date(2027, 2, 1)
M8 = ModelId("m8")


def upstream(id: str, site: str, node_type: str | None = None, *models: str, **fields: Any) -> Upstream:
    """An upstream of `m8` unless told, at an address of its own name."""
    given: dict[str, Any] = {"url": f"https://{id}.example/v1"} | fields
    return Upstream(
        id=UpstreamId(id),
        site=SiteId(site),
        node_type=None if node_type is None else NodeTypeId(node_type),
        models={ModelId(name): f"{name}-served" for name in models or ("m8",)},
        **given,
    )


def serve(*upstreams: Upstream, **fields: Any) -> Serving:
    """A serving section."""
    return Serving(upstreams=upstreams, **fields)


def two_sites(serving: Serving | None = None, workloads: Sequence[Workload] = (), **fields: Any) -> Estate:
    """A hall in NL with two held servers and a rented region in the US, an upstream at each."""
    section = serving or serve(upstream("hall-1", "hall", "server"), upstream("cloud-1", "cloud", "big"))
    sites = (hall(pool=servers(held=2)), region())
    return place(*sites, workloads=tuple(workloads) or (chat(),), serving=section, **fields)


def loaded(estate: Estate, digest: str = "sha256:aa") -> LoadedEstate:
    """The estate as if it had been read."""
    return LoadedEstate(estate=estate, profiles={}, digest=digest)


def compiled(estate: Estate, plan: Plan | None = None, previous: RoutingTable | None = None) -> Compiled:
    """Its table on the placement factories' catalogue."""
    return compile_table(loaded(estate), placement_catalog(), plan, today=TODAY, previous=previous)
