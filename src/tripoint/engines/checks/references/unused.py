"""What is declared but decides nothing: usually a typing mistake, always worth knowing."""

from __future__ import annotations

from collections.abc import Iterator

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import finding
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import Site
from tripoint.engines.checks.references.price_names import check_price_names
from tripoint.engines.facts.places import provider_of


def check_unused(estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """Sites, models, datasets, links, node types and price lines that nothing refers to."""
    yield from _sites(estate)
    yield from _models(estate)
    yield from _datasets(estate)
    yield from _links(estate)
    yield from _node_types(estate)
    for index, line in enumerate(estate.prices):
        unknown_names = list(check_price_names(f"prices[{index}]", line, estate, catalog))
        yield from unknown_names
        if not unknown_names and not prices_anything(line, estate, catalog):
            hint = "compare `provider`, `sku`, `region` and `option` with the sites' pools and APIs"
            yield finding("TP1506", f"prices[{index}]", "the line matches nothing any site offers", hint)


def prices_anything(line: OwnPrice, estate: Estate, catalog: Catalog) -> bool:
    """True when a price line could price something at any site."""
    return any(_prices(line, site, estate, catalog) for site in estate.sites)


def _sites(estate: Estate) -> Iterator[Finding]:
    """A site is of use when it can run something, keeps data, or is where callers or links are."""
    named = {caller.place for workload in estate.workloads for caller in workload.callers}
    named |= {copy for dataset in estate.datasets for copy in dataset.copies}
    named |= {end for link in estate.links for end in (link.source, link.target)}
    for index, site in enumerate(estate.sites):
        offers = bool(site.pools) or bool(site.apis) or (site.pools is None and site.kind.is_rented)
        if not offers and site.id not in named:
            message = f"site `{site.id}` has no pools and no APIs, keeps no data and nobody calls from it"
            yield finding("TP1501", f"sites[{index}]", message, "declare its `pools`, or remove it")


def _models(estate: Estate) -> Iterator[Finding]:
    run = {workload.model for workload in estate.workloads}
    run |= {model for fallback in estate.serving.fallbacks for model in fallback.models}
    for index, model in enumerate(estate.models):
        if model.id not in run:
            yield finding(
                "TP1502", f"models[{index}]", f"no workload runs the model `{model.id}`", "remove it, or name it"
            )


def _datasets(estate: Estate) -> Iterator[Finding]:
    used = {use.dataset for workload in estate.workloads for use in (*workload.reads, *workload.writes)}
    for index, dataset in enumerate(estate.datasets):
        if dataset.id not in used:
            message = f"no workload reads or writes the dataset `{dataset.id}`; only its storage counts"
            yield finding("TP1503", f"datasets[{index}]", message, "name it in a workload's `reads` or `writes`")


def _links(estate: Estate) -> Iterator[Finding]:
    sites = {str(site.id) for site in estate.sites}
    callers = {caller.place for workload in estate.workloads for caller in workload.callers}
    for index, link in enumerate(estate.links):
        ends = {str(link.source), str(link.target)}
        idle = sorted(ends - sites - callers)
        if len(ends) == 1:
            message = f"the link `{link.id}` leads from `{link.source}` to itself"
            yield finding("TP1504", f"links[{index}]", message, "name two places, or remove it")
        elif idle or not ends & sites:
            what = f"nothing is at `{idle[0]}`" if idle else "neither end is a site"
            message = f"the link `{link.id}` carries nothing: {what}"
            yield finding("TP1504", f"links[{index}]", message, "name sites or places of callers, or remove it")


def _node_types(estate: Estate) -> Iterator[Finding]:
    pooled = {pool.node_type for site in estate.sites for pool in site.pools or ()}
    open_providers = {provider_of(site) for site in estate.sites if site.pools is None and site.kind.is_rented}
    for index, node in enumerate(estate.node_types):
        is_offered = node.provider is not None and node.provider.lower() in open_providers
        if node.id not in pooled and not is_offered:
            message = f"no pool holds or offers the node type `{node.id}`"
            yield finding("TP1505", f"node_types[{index}]", message, "name it in a site's `pools`")


def _prices(line: OwnPrice, site: Site, estate: Estate, catalog: Catalog) -> bool:
    """True when the line could price something at the site."""
    provider = provider_of(site)
    if line.provider is not None and line.provider.strip().lower() != provider:
        return False
    if line.region is not None and line.region.lower() != (site.region or "").lower():
        return False
    return _prices_nodes(line, site, estate, catalog) or _prices_apis(line, site)


def _prices_nodes(line: OwnPrice, site: Site, estate: Estate, catalog: Catalog) -> bool:
    if line.option is PurchaseOption.PER_TOKEN or line.is_per_token:
        return False
    pools = site.pools
    if pools is None:
        is_sold = line.sku is None or line.sku.lower() in _sold(line, site, estate, catalog)
        return site.kind.is_rented and is_sold and line.option is not PurchaseOption.OWNED
    return any(
        (line.sku is None or line.sku.lower() == pool.node_type.lower())
        and (line.option is None or line.option in _options(pool, site))
        for pool in pools
    )


def _sold(line: OwnPrice, site: Site, estate: Estate, catalog: Catalog) -> set[str]:
    """What the site's provider sells at list, and what an own rate adds: any node type of that provider."""
    provider = provider_of(site)
    listed = {row.sku.lower() for row in catalog.compute_prices if row.provider == provider}
    nodes = (*estate.node_types, *catalog.node_types)
    own = {node.id.lower() for node in nodes if (node.provider or "").lower() == provider}
    return listed | own if line.usd_per_hour is not None else listed


def _options(pool: NodePool, site: Site) -> tuple[PurchaseOption, ...]:
    if pool.options is not None:
        return pool.options
    rented = (PurchaseOption.ON_DEMAND, PurchaseOption.SPOT, PurchaseOption.COMMITTED)
    return rented if site.kind.is_rented else (PurchaseOption.OWNED,)


def _prices_apis(line: OwnPrice, site: Site) -> bool:
    """API lines name the model with or without its vendor."""
    if line.option not in (None, PurchaseOption.PER_TOKEN) or line.usd_per_hour is not None:
        return False
    names = {name.lower() for api in site.apis for name in (api, api.partition("/")[2])}
    return bool(site.apis) and (line.sku is None or line.sku.lower() in names)
