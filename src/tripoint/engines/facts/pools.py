"""Which pools of nodes may the plan use: those declared, or all a rented site's provider sells in its
region.

Assumes the estate passed its checks: every declared `node_type` exists. Token-priced APIs are no pools.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import InternalError
from tripoint.domain.estate import Estate
from tripoint.domain.hardware import NodeType
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import Site
from tripoint.domain.units import PoolId
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.places import provider_of

GLOBAL_REGION = "global"
RENTED_OPTIONS = (PurchaseOption.ON_DEMAND, PurchaseOption.SPOT, PurchaseOption.COMMITTED)
OWNED_OPTIONS = (PurchaseOption.OWNED,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """Nodes of one type at one site, as the planner may hold, buy or rent them."""

    id: PoolId
    """`site/node_type`."""
    site: Site
    """Where."""
    node: NodeType
    """What."""
    options: tuple[PurchaseOption, ...]
    """How they may be bought."""
    declared: NodePool
    """As declared; an empty declaration where the catalogue opened the pool."""
    max_nodes: int | None
    """Most nodes at once (per site); `None` when unlimited."""
    lead_time_months: Figure | None
    """Months from order to service of an owned node; `None` where none can be bought."""
    own_prices: tuple[OwnPrice, ...] = ()
    """The estate's price sheet, for lines that discount a purchase."""


def pool_specs(estate: Estate, catalog: Catalog) -> tuple[PoolSpec, ...]:
    """All pools of the estate, sites in declared order, pools in declared or catalogue order."""
    return tuple(
        _pool(site, declared, estate, catalog)
        for site in estate.sites
        for declared in _declared_pools(site, estate, catalog)
    )


def find_node_type(estate: Estate, catalog: Catalog, node_type: str, provider: str = "") -> NodeType | None:
    """The estate's own node type of that id, else the catalogue's (the provider's own SKU first)."""
    own = next((node for node in estate.node_types if node.id == node_type), None)
    if own is not None:
        return own
    matches = [node for node in catalog.node_types if node.id == node_type]
    preferred = [node for node in matches if node.provider is not None and node.provider.lower() == provider]
    return next(iter(preferred or matches), None)


def default_options(site: Site) -> tuple[PurchaseOption, ...]:
    """Purchase options where a pool names none: rented ones are rented, the others owned."""
    return RENTED_OPTIONS if site.kind.is_rented else OWNED_OPTIONS


def _declared_pools(site: Site, estate: Estate, catalog: Catalog) -> tuple[NodePool, ...]:
    if site.pools is not None:
        return site.pools
    if not site.kind.is_rented:
        return ()
    provider = provider_of(site)
    priced = _priced_skus(site, estate, catalog)
    nodes = (*estate.node_types, *catalog.node_types)
    ids = dict.fromkeys(n.id for n in nodes if n.provider and n.provider.lower() == provider and n.id in priced)
    return tuple(NodePool(node_type=node_id) for node_id in ids)


def _priced_skus(site: Site, estate: Estate, catalog: Catalog) -> frozenset[str]:
    """SKUs with a price in the site's region, or everywhere, by catalogue or by own price sheet."""
    provider, region = provider_of(site), (site.region or "").lower()
    listed = {
        row.sku
        for row in catalog.compute_prices
        if row.provider.lower() == provider and (not region or row.region.lower() in (region, GLOBAL_REGION))
    }
    own = {
        line.sku
        for line in estate.prices
        if line.sku and line.usd_per_hour is not None
        if (line.provider or provider).lower() == provider and (line.region or region).lower() == region
    }
    return frozenset(listed | own)


def _pool(site: Site, declared: NodePool, estate: Estate, catalog: Catalog) -> PoolSpec:
    node = find_node_type(estate, catalog, declared.node_type, provider_of(site))
    if node is None:
        raise InternalError(f"node type `{declared.node_type}` of site `{site.id}` is unknown; checks let it through")
    options = declared.options if declared.options is not None else default_options(site)
    is_buyable = PurchaseOption.OWNED in options
    return PoolSpec(
        id=PoolId(f"{site.id}/{node.id}"),
        site=site,
        node=node,
        options=options,
        declared=declared,
        max_nodes=declared.max_nodes,
        lead_time_months=_lead_time(site, declared, estate, catalog) if is_buyable else None,
        own_prices=estate.prices,
    )


def _lead_time(site: Site, declared: NodePool, estate: Estate, catalog: Catalog) -> Figure:
    if declared.lead_time_months is None:
        return default_figure(catalog, estate.assumptions, "lead_time.server_months")
    return Figure(
        key=f"site.{site.id}.{declared.node_type}.lead_time_months",
        value=float(declared.lead_time_months),
        unit="months",
        origin=Origin.DECLARED,
    )
