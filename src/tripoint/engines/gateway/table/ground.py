"""What a table is compiled from, looked up once: rules, pools, demand and the desk fits are judged at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import WorkloadDemand
from tripoint.domain.estate import Estate
from tripoint.domain.fit import Fit
from tripoint.domain.hardware import NodeType
from tripoint.domain.serving import Upstream
from tripoint.domain.site import Site
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import KB_PER_GB, SECONDS_PER_HOUR, TOKENS_PER_MTOK, NodeTypeId
from tripoint.domain.workload import Workload
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.figures import FinanceFigures, finance_figures
from tripoint.engines.facts.pools import PoolSpec, pool_specs
from tripoint.engines.sizing.demand.grid import demand_grid, wire_kb
from tripoint.engines.sizing.demand.loads import SECONDS_PER_MONTH, Load, load_of
from tripoint.engines.sizing.fit.desk import Desk, Errand
from tripoint.engines.sizing.fit.hosting import Hosted
from tripoint.engines.sizing.policy import Rulebook, rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A workload with its demand today."""

    workload: Workload
    """As declared."""
    demand: WorkloadDemand
    """Its demand on the planner's grid."""
    load: Load
    """Its rate and tokens today."""
    gb_per_request: float
    """Bytes of a mean request on the wire, both ways, GB."""

    @property
    def gb_per_month(self) -> float:
        """All its bytes of a month, GB."""
        return self.gb_per_request * self.load.requests_per_s * SECONDS_PER_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A workload's model on a node: what the planner would make of it."""

    errand: Errand
    """What was sized."""
    node: NodeType
    """The node."""
    fit: Fit
    """Busy nodes per unit of demand."""
    hosted: Hosted
    """Configuration and its speed."""

    def node_hours(self, asked: Asked) -> float:
        """Busy node-hours of a mean request."""
        if asked.workload.kind.is_interactive:
            return self.fit.busy_nodes_per_unit / SECONDS_PER_HOUR
        return self.fit.busy_nodes_per_unit * asked.load.tokens / TOKENS_PER_MTOK


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything the table's parts look things up in; the dictionary only remembers what was already worked out."""

    estate: Estate
    """As declared."""
    catalog: Catalog
    """Facts."""
    desk: Desk
    """Where fits are judged, as in the planner."""
    book: Rulebook
    """Rules."""
    finance: FinanceFigures
    """Rates."""
    sites: Mapping[str, Site]
    """Sites by id."""
    pools: Mapping[tuple[str, str], PoolSpec]
    """(site, node type) -> pool."""
    today: date
    """The day it is compiled for."""
    asked: tuple[Asked, ...]
    """Workloads that answer requests, in the estate's order."""
    known_works: dict[tuple[str, str, str], Work | None] = field(default_factory=dict)
    """(workload, pool, model) -> how the planner would size it; `None` where it knows no speed."""

    def node_type_of(self, upstream: Upstream) -> NodeTypeId | None:
        """Declared, else the only thing its site has to serve with: one API it accepts, or one pool."""
        if upstream.node_type is not None:
            return upstream.node_type
        site = self.sites[upstream.site]
        accepted = {api for model in self.estate.models if model.id in upstream.models for api in model.api_models}
        sold = [NodeTypeId(api) for api in site.apis if api in accepted]
        here = [*sold, *(pool.node.id for (place, _), pool in self.pools.items() if place == site.id)]
        return here[0] if len(here) == 1 else None


def ground_of(loaded: LoadedEstate, catalog: Catalog, today: date) -> Ground:
    """The ground of an estate that passed its checks."""
    estate = loaded.estate
    grid, _ = demand_grid(estate, catalog, loaded.profiles)
    kb_per_token = default_figure(catalog, estate.assumptions, "network.bytes_per_token").value / 1000
    asked = []
    for workload, demand in zip(estate.workloads, grid.workloads, strict=True):
        if not workload.kind.answers_requests:
            continue
        load, _ = load_of(workload, estate, catalog, loaded.profiles.get(workload.id))
        gb = wire_kb(load, kb_per_token) / KB_PER_GB
        asked.append(Asked(workload=workload, demand=demand, load=load, gb_per_request=gb))
    return Ground(
        estate=estate,
        catalog=catalog,
        desk=Desk(estate=estate, catalog=catalog),
        book=rulebook(estate, catalog),
        finance=finance_figures(estate, catalog),
        sites={site.id: site for site in estate.sites},
        pools={(spec.site.id, spec.node.id): spec for spec in pool_specs(estate, catalog)},
        today=today,
        asked=tuple(asked),
    )
