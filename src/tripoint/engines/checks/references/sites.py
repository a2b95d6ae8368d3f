"""Can the declared places host what they hold: provider, region, country, power, rack, cooling, options."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, did_you_mean, finding, quoted
from tripoint.domain.hardware import NodeType
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import Site
from tripoint.engines.checks.references.envelopes import check_envelope
from tripoint.engines.checks.references.known import KnownNames
from tripoint.engines.checks.references.names import unknown
from tripoint.engines.facts.places import country_of, provider_of

_HOURLY = (PurchaseOption.ON_DEMAND, PurchaseOption.SPOT, PurchaseOption.COMMITTED)


def check_sites(estate: Estate, catalog: Catalog, known: KnownNames) -> Iterator[Finding]:
    """Everything about sites and their pools that one site shows by itself."""
    nodes = _node_types(estate, catalog)
    if not estate.sites:
        yield finding("TP1102", "sites", "no site is declared, an estate needs at least one", "add a place to run")
    for index, site in enumerate(estate.sites):
        path = f"sites[{index}]"
        unpriced = list(_provider(path, site, estate, known))
        yield from unpriced or _country(path, site, catalog)
        yield from _envelope(path, site)
        yield from check_envelope(path, site, nodes)
        for place, pool in enumerate(site.pools or ()):
            below = f"{path}.pools[{place}]"
            yield from _pool(below, pool, site)
            yield from _node(below, pool, site, nodes.get(pool.node_type, ()))
    for index, line in enumerate(estate.prices):
        yield from _price_line(f"prices[{index}]", line)


def _price_line(path: str, line: OwnPrice) -> Iterator[Finding]:
    """A line says one thing: a rate, a discount, or what tokens cost both ways."""
    ways = {"usd_per_hour": line.usd_per_hour is not None, "discount": line.discount is not None}
    ways["usd_in_per_mtok"] = line.is_per_token
    declared = [name for name, is_declared in ways.items() if is_declared]
    if len(declared) != 1:
        message = "a price line needs one of `usd_per_hour`, `discount` and token prices, "
        said = f"{quoted(declared)} are declared" if declared else "none is declared"
        yield finding("TP1312", path, message + said, "keep one of them" if declared else "declare one")
    elif line.is_per_token and (line.usd_in_per_mtok is None or line.usd_out_per_mtok is None):
        missing = "usd_in_per_mtok" if line.usd_in_per_mtok is None else "usd_out_per_mtok"
        message = f"token prices need `usd_in_per_mtok` and `usd_out_per_mtok`, `{missing}` is not declared"
        yield finding("TP1312", path, message, "declare both; 0 is a price")


def _node_types(estate: Estate, catalog: Catalog) -> dict[str, tuple[NodeType, ...]]:
    """Node types by id; the estate's own hide the catalogue's."""
    found: dict[str, tuple[NodeType, ...]] = {}
    for node in catalog.node_types:
        found[node.id] = (*found.get(node.id, ()), node)
    return found | {node.id: (node,) for node in estate.node_types}


def _provider(path: str, site: Site, estate: Estate, known: KnownNames) -> Iterator[Finding]:
    """Rented sites live off the catalogue's prices unless they bring their own pools."""
    provider = provider_of(site)
    is_own_pools = site.pools is not None or bool(site.apis)
    has_own_prices = any(line.usd_per_hour is not None for line in estate.prices)
    if not site.kind.is_rented:
        return
    if provider not in known.providers and not is_own_pools and not has_own_prices:
        message = f"the catalogue has no prices of the provider `{clip(site.provider)}`"
        hint = did_you_mean(provider, known.providers)
        yield finding("TP1207", f"{path}.provider", message, hint or "declare its `pools` with `usd_per_hour`")
    regions = known.regions_of(provider)
    if site.region is None or site.country is not None or not regions:
        return
    if site.region.lower() not in {name.lower() for name in regions}:
        message = f"the catalogue knows no region `{clip(site.region)}` of `{clip(site.provider)}`"
        yield unknown("TP1207", f"{path}.region", message, site.region, regions)


def _country(path: str, site: Site, catalog: Catalog) -> Iterator[Finding]:
    if country_of(site, catalog) is None:
        message = "no country is known: energy price, carbon and latency are guessed, residency rules refuse it"
        hint = "declare `country`, or a `region` the catalogue knows"
        yield finding("TP1320", path, message, hint)


def _envelope(path: str, site: Site) -> Iterator[Finding]:
    if not site.pools or site.kind.is_rented:
        return
    if site.power is None or site.power.it_kw is None:
        message = f"the {site.kind} site hosts node pools, but its IT power is not declared"
        yield finding("TP1315", path if site.power is None else f"{path}.power", message, "declare `power.it_kw`")


def _pool(path: str, pool: NodePool, site: Site) -> Iterator[Finding]:
    committed = sum(commitment.nodes for commitment in pool.commitments)
    if pool.max_nodes is not None and pool.held + committed > pool.max_nodes:
        message = f"{pool.held} nodes held and {committed} committed are more than `max_nodes`, {pool.max_nodes}"
        yield finding("TP1309", f"{path}.max_nodes", message, "raise it, or declare fewer")
    wrong = PurchaseOption.PER_TOKEN
    for index, option in enumerate(pool.options or ()):
        is_rented_owned = option is PurchaseOption.OWNED and site.kind.is_rented
        if is_rented_owned or option is wrong:
            where = "an API, not a node pool" if option is wrong else f"a place of your own, not a {site.kind} site"
            yield finding("TP1318", f"{path}.options[{index}]", f"`{option}` needs {where}", "remove it")
        elif option in _HOURLY and not site.kind.is_rented and not _has_rate(pool, option):
            message = f"`{option}` at a {site.kind} site has no price to go by"
            yield finding("TP1318", f"{path}.options[{index}]", message, "declare the pool's rate per hour")


def _has_rate(pool: NodePool, option: PurchaseOption) -> bool:
    rates = {
        PurchaseOption.ON_DEMAND: (pool.usd_per_hour,),
        PurchaseOption.SPOT: (pool.spot_usd_per_hour, pool.usd_per_hour),
        PurchaseOption.COMMITTED: (
            pool.committed_1y_usd_per_hour,
            pool.committed_3y_usd_per_hour,
            pool.usd_per_hour,
            *(commitment.usd_per_hour for commitment in pool.commitments),
        ),
    }
    return any(rate is not None for rate in rates[option])


def _node(path: str, pool: NodePool, site: Site, candidates: tuple[NodeType, ...]) -> Iterator[Finding]:
    """Does the node belong here: sold by this provider, fits a rack, can be cooled?"""
    if not candidates:
        return
    provider = provider_of(site)
    fitting = [node for node in candidates if node.provider is None or node.provider.lower() == provider]
    has_price = pool.usd_per_hour is not None or pool.purchase_usd is not None
    if not fitting and not has_price:
        sellers = quoted(sorted({str(node.provider) for node in candidates}))
        message = f"`{pool.node_type}` is sold by {sellers}, the site's provider is `{clip(site.provider)}`"
        yield finding("TP1321", f"{path}.node_type", message, "name one of this provider's, or declare your price")
    yield from chain(_rack(path, site, candidates[0]), _cooling(path, site, candidates[0]))


def _rack(path: str, site: Site, node: NodeType) -> Iterator[Finding]:
    density = site.power.rack_density_kw if site.power else None
    if density is not None and node.max_kw is not None and density < node.max_kw:
        message = f"one `{node.id}` draws up to {node.max_kw:g} kW, a rack here carries {density:g} kW"
        yield finding("TP1310", f"{path}.node_type", message, "no such node can be placed here")


def _cooling(path: str, site: Site, node: NodeType) -> Iterator[Finding]:
    cooling = site.power.cooling if site.power else None
    if cooling is not None and cooling.rank < node.cooling.rank:
        message = f"`{node.id}` needs `{node.cooling}` cooling, the site has `{cooling}`"
        yield finding("TP1322", f"{path}.node_type", message, "no such node can be placed here")
