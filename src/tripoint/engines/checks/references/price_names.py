"""Does a line of the estate's own price sheet name things that exist?

A misspelt `sku`, `provider` or `region` makes the line apply to nothing, and list prices stand in its place; that is
told with the nearest known name. Names are compared as prices are: without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import clip, did_you_mean, finding, quoted
from tripoint.domain.purchase import OwnPrice
from tripoint.engines.facts.places import provider_of

_CONSEQUENCE = "the line prices nothing"


def check_price_names(path: str, line: OwnPrice, estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """Names in one line that neither the estate nor the catalogue knows."""
    provider = (line.provider or "").strip().lower()
    providers = _providers(estate, catalog)
    if line.provider is not None and provider not in providers:
        message = f"no site and no price of the catalogue is of the provider `{clip(line.provider)}`; {_CONSEQUENCE}"
        yield _unknown(f"{path}.provider", message, line.provider, providers)
        provider = ""
    if line.sku is not None and line.sku.lower() not in _folded(_everything_sold(estate, catalog)):
        message = f"no node type or API model is called `{clip(line.sku)}`; {_CONSEQUENCE}"
        near = _sold_by(provider, estate, catalog)
        yield _unknown(f"{path}.sku", message, line.sku, near or _everything_sold(estate, catalog))
    regions = _regions(provider, estate, catalog)
    if line.region is not None and line.region.lower() not in _folded(regions):
        of = f" of `{clip(line.provider or '')}`" if provider else ""
        message = f"no site and no price of the catalogue is in a region `{clip(line.region)}`{of}; {_CONSEQUENCE}"
        yield _unknown(f"{path}.region", message, line.region, regions)


def _unknown(path: str, message: str, name: str, known: Iterable[str]) -> Finding:
    names = tuple(dict.fromkeys(known))
    return finding("TP1506", path, message, did_you_mean(name, names) or f"known: {quoted(names)}")


def _folded(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def _providers(estate: Estate, catalog: Catalog) -> tuple[str, ...]:
    own = (provider_of(site) for site in estate.sites)
    nodes = (row.provider for row in catalog.compute_prices)
    apis = (row.provider for row in catalog.api_prices)
    places = (row.provider for row in catalog.regions)
    return tuple(dict.fromkeys([*own, *(name.lower() for name in (*nodes, *apis, *places))]))


def _everything_sold(estate: Estate, catalog: Catalog) -> tuple[str, ...]:
    """Node types and API models; the latter with and without their vendor."""
    nodes = (node.id for node in (*estate.node_types, *catalog.node_types))
    return (*nodes, *(name for row in catalog.api_prices for name in (row.id, row.model)))


def _sold_by(provider: str, estate: Estate, catalog: Catalog) -> tuple[str, ...]:
    """Node types of one provider: the likelier meaning of a misspelt name."""
    nodes = (*estate.node_types, *catalog.node_types)
    return tuple(node.id for node in nodes if provider and (node.provider or "").lower() == provider)


def _regions(provider: str, estate: Estate, catalog: Catalog) -> tuple[str, ...]:
    """Regions of one provider, of all when none is named."""
    sites = ((provider_of(site), site.region) for site in estate.sites)
    placed = ((row.provider.lower(), row.region) for row in catalog.regions)
    priced = ((row.provider.lower(), row.region) for row in catalog.compute_prices)
    rows = (*sites, *placed, *priced)
    return tuple(dict.fromkeys(region for owner, region in rows if region and provider in ("", owner)))
