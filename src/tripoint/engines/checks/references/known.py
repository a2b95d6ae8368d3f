"""Every name an estate may refer to: its own and the catalogue's."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.site import Layer, SiteKind
from tripoint.engines.facts.places import geo_of


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """Names by what they name; tuples keep the order messages list them in."""

    sites: tuple[str, ...]
    """Site ids."""
    models: tuple[str, ...]
    """Model ids."""
    workloads: tuple[str, ...]
    """Workload ids."""
    datasets: tuple[str, ...]
    """Dataset ids."""
    node_types: tuple[str, ...]
    """Own node types, then the catalogue's."""
    accelerators: tuple[str, ...]
    """Catalogue accelerators."""
    apis: tuple[str, ...]
    """Token-priced API models."""
    catalog_models: tuple[str, ...]
    """Models the catalogue has sizes or speeds of."""
    regimes: tuple[str, ...]
    """Catalogue regimes, and those the estate's own rules speak about."""
    country_sets: tuple[str, ...]
    """Named sets of countries."""
    regions: tuple[str, ...]
    """`provider:region` of every catalogue region."""
    precisions: tuple[str, ...]
    """Weight precisions the catalogue has measured."""
    assumptions: tuple[str, ...]
    """Keys of defaults."""
    _catalog: Catalog

    @property
    def groups(self) -> tuple[str, ...]:
        """Names that stand for several sites: kinds and layers."""
        return tuple(dict.fromkeys(each.value for group in (SiteKind, Layer) for each in group))

    def is_country(self, name: str) -> bool:
        """True for an ISO 3166 alpha-2 code, in capitals."""
        is_code = len(name) == 2 and name.isupper() and name != "UK"  # reserved, but Britain is GB
        return is_code and bool(geo_of(name, self._catalog))

    def regions_of(self, provider: str) -> tuple[str, ...]:
        """Regions of a provider that the catalogue places or prices."""
        priced = (row.region for row in self._catalog.compute_prices if row.provider == provider)
        placed = (row.region for row in self._catalog.regions if row.provider == provider)
        return tuple(name for name in dict.fromkeys([*placed, *priced]) if name != "global")

    @property
    def providers(self) -> tuple[str, ...]:
        """Providers the catalogue has hourly prices of."""
        return tuple(dict.fromkeys(row.provider for row in self._catalog.compute_prices))


def known_names(estate: Estate, catalog: Catalog) -> KnownNames:
    """All names in reach of this estate."""
    policies = estate.policies
    own_regimes = [name.lower() for residency in policies.residency for name in residency.regimes]
    own_regimes += [name.lower() for certification in policies.certification for name in certification.regimes]
    measured = (point.model for point in catalog.throughput)
    return KnownNames(
        sites=tuple(site.id for site in estate.sites),
        models=tuple(model.id for model in estate.models),
        workloads=tuple(workload.id for workload in estate.workloads),
        datasets=tuple(dataset.id for dataset in estate.datasets),
        node_types=_unique([node.id for node in (*estate.node_types, *catalog.node_types)]),
        accelerators=tuple(each.id for each in catalog.accelerators),
        apis=_unique([row.id for row in catalog.api_prices]),
        catalog_models=_unique([*(model.id for model in catalog.models), *measured]),
        regimes=_unique([*(row.regime.lower() for row in catalog.regimes), *own_regimes]),
        country_sets=tuple(row.name for row in catalog.country_sets),
        regions=tuple(f"{row.provider}:{row.region}" for row in catalog.regions),
        precisions=_unique([point.precision for point in catalog.throughput]),
        assumptions=tuple(row.key for row in catalog.defaults),
        _catalog=catalog,
    )


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
