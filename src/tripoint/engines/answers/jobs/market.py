"""What is for sale where: the whole catalogue as an estate of rented sites, and how data moves between places.

Where no estate is given, every region the catalogue prices is a site of its own, called `provider:region`; a provider
with one price everywhere has a site in each region the catalogue knows of it. Such sites hold no certificates: rules
that ask for one remove them all, and an estate that declares them lets them in again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link, TransferClass
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import SiteId
from tripoint.engines.costing.transfer import Tariff, tariff
from tripoint.engines.facts.places import provider_of
from tripoint.engines.facts.pools import GLOBAL_REGION
from tripoint.engines.placement.handover.problem import FREE
from tripoint.engines.placement.milp.program import IntArray
from tripoint.engines.sizing.paths import path_between

_CLOUDS = ("aws", "azure", "gcp", "oracle")
"""Providers that are clouds; the others the catalogue knows rent accelerators."""


def market(catalog: Catalog) -> Estate:
    """Every region with a price as a site."""
    priced = dict.fromkeys((row.provider.lower(), row.region.lower()) for row in catalog.compute_prices)
    everywhere = {provider for provider, region in priced if region == GLOBAL_REGION}
    regions = [(provider, region) for provider, region in priced if region != GLOBAL_REGION]
    regions += [
        (row.provider.lower(), row.region.lower()) for row in catalog.regions if row.provider.lower() in everywhere
    ]
    sites = (market_site(provider, region) for provider, region in dict.fromkeys(regions))
    return Estate(apiVersion="tripoint/v1", name="the catalogue", sites=tuple(sites), workloads=())


def market_site(provider: str, region: str) -> Site:
    """A provider's region as a site."""
    kind = SiteKind.CLOUD if provider in _CLOUDS else SiteKind.GPU_CLOUD
    return Site(id=SiteId(f"{provider}:{region}"), kind=kind, provider=provider, region=region)


@dataclass(slots=True)
class Routes:
    """Places, and the tariff between any two; what was looked up is remembered."""

    estate: Estate
    """Sites and links."""
    catalog: Catalog
    """Tariffs and regions."""
    places: list[Site] = field(default_factory=list)
    """The estate's sites first, then other places of data."""
    tariffs: list[Tariff] = field(default_factory=list)
    """Those met so far."""
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _open: dict[tuple[str, str], tuple[TransferClass, Link | None]] = field(default_factory=dict)

    def place(self, name: str) -> int:
        """Number of a place: a site, the site that is in that region, or a region outside the estate."""
        provider, _, region = name.lower().partition(":")
        for number, site in enumerate(self.places):
            if site.id == name:
                return number
        for number, site in enumerate(self.places):
            if region and (provider_of(site), (site.region or "").lower()) == (provider, region):
                return number
        self.places.append(market_site(provider, region))
        return len(self.places) - 1

    def table(self, used: Collection[int]) -> IntArray:
        """[places, places] number of the tariff of what leaves the first for the second, between those used.

        `FREE` within a place, and where nothing will be.
        """
        size = len(self.places)
        table = np.full((size, size), FREE, dtype=np.int32)
        for source in used:
            for target in used:
                if source != target:
                    table[source, target] = self._tariff(self.places[source], self.places[target])
        return table

    def _tariff(self, source: Site, target: Site) -> int:
        """Regions under one tariff of a provider share its number: what is free each month is free once an account."""
        sort, link = self._way(source, target)
        key = (source.id, sort.value if link is None else f"link:{link.id}")
        if key not in self._numbers:
            found, _ = tariff(source, sort, self.estate, self.catalog, link)
            if found not in self.tariffs:
                self.tariffs.append(found)
            is_free = all(price == 0.0 for _, _, price in found.tiers)
            self._numbers[key] = FREE if is_free else self.tariffs.index(found)
        return self._numbers[key]

    def _way(self, source: Site, target: Site) -> tuple[TransferClass, Link | None]:
        """How data gets there; without declared links one look-up stands for all places of a provider."""
        key = (source.id, target.id if self.estate.links else provider_of(target))
        if key not in self._open:
            path = path_between(self.estate, self.catalog, source.id, target.id)
            self._open[key] = (path.transfer_class, path.charging_link)
        return self._open[key]


def routes(estate: Estate, catalog: Catalog, data_at: Sequence[str]) -> Routes:
    """The ways between all sites of an estate and the places of data."""
    found = Routes(estate=estate, catalog=catalog, places=list(estate.sites))
    for name in data_at:
        found.place(name)
    return found
