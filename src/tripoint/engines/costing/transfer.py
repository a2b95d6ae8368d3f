"""What does it cost to move data out of a site, and to keep it there?

A tariff is a list of volume tiers with marginal prices: the cost of a month is the sum over tiers of the
volume inside the tier times its price. That is continuous and never falls as volume rises, whatever the
tiers. A price declared on the link replaces the provider's tariff; own sites pay IP transit and nothing on
own circuits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tripoint.domain.catalog import Catalog, EgressTier, StoragePrice
from tripoint.domain.charge import ChargeKind, Rate
from tripoint.domain.dataset import StorageTier
from tripoint.domain.errors import InternalError
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link, TransferClass
from tripoint.domain.provenance import Confidence, Figure, Origin, Provenance
from tripoint.domain.site import Site
from tripoint.engines.facts.grades import at_best, origin_of
from tripoint.engines.facts.places import geo_of, provider_of

PRIVATE = "private"
ANY_SCOPE = "any"
RESPONSE_SHARE = 0.5
"""Part of the bytes between callers and a workload that leave the serving site; the rest are requests coming in."""
_USD_PER_GB = "USD/GB"
_USD_PER_GB_MONTH = "USD/GB-month"

Tier = tuple[float, float | None, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Price of moving data out, by monthly volume."""

    provider: str
    """Who charges."""
    path: str
    """`internet`, `inter_region` or `interconnect`."""
    tiers: tuple[Tier, ...]
    """(from GB, to GB or `None`, marginal USD per GB), ascending from 0 without gaps."""
    basis: tuple[str, ...]
    """Keys of the figures it rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRate:
    """Price of keeping a GB in a tier."""

    usd_per_gb_month: float
    """USD per GB and month."""
    retrieval_usd_per_gb: float
    """USD per GB read back."""
    min_days: int = 0
    """Least days billed."""
    basis: tuple[str, ...] = ()
    """Keys of the figures it rests on."""


def tariff(
    site: Site, path: TransferClass, estate: Estate, catalog: Catalog, link: Link | None
) -> tuple[Tariff, tuple[Figure, ...]]:
    """Tariff of data leaving `site` on `path`, over `link` when there is one."""
    provider = provider_of(site)
    if link is not None and link.usd_per_gb is not None:
        key = f"link.{link.id}.usd_per_gb"
        declared = Figure(key=key, value=link.usd_per_gb, unit=_USD_PER_GB, origin=Origin.DECLARED)
        return _flat(provider, path, declared)
    rows, note = _egress_rows(site, path, catalog)
    if rows:
        return _tiered(provider, path, rows, note)
    if not site.kind.is_rented and path is TransferClass.INTERCONNECT:
        free = Figure(
            key=f"egress.{PRIVATE}.{path.value}",
            value=0.0,
            unit=_USD_PER_GB,
            origin=Origin.DEFAULT,
            note="own circuits are paid by the port, not by the GB",
        )
        return _flat(provider, path, free)
    return _flat(provider, path, _unknown_egress(provider, path, catalog))


def tariff_cost(tariff: Tariff, gb_per_month: float) -> float:
    """Cost of moving `gb_per_month` in a month, USD: continuous and never falling in volume."""
    if gb_per_month < 0:
        raise InternalError(f"cannot move {gb_per_month:g} GB")
    return sum(
        price * max(0.0, (gb_per_month if end is None else min(gb_per_month, end)) - start)
        for start, end, price in tariff.tiers
    )


def egress_gb(tariff: Tariff, tier: int) -> tuple[Rate, ...]:
    """A GB moved inside tier `tier` of the tariff."""
    usd = tariff.tiers[tier][2]
    return (
        Rate(
            kind=ChargeKind.EGRESS,
            unit="GB",
            list_usd=usd,
            contracted_usd=usd,
            billed_usd=usd,
            effective_usd=usd,
            basis=tariff.basis,
        ),
    )


def storage_rate(
    site: Site, tier: StorageTier, estate: Estate, catalog: Catalog
) -> tuple[StorageRate, tuple[Figure, ...]]:
    """Price of keeping data at `site` in `tier`: own price (hot only), the provider's, or a borrowed row."""
    if site.storage_usd_per_gb_month is not None and tier is StorageTier.HOT:
        key = f"site.{site.id}.storage_usd_per_gb_month"
        own = Figure(key=key, value=site.storage_usd_per_gb_month, unit=_USD_PER_GB_MONTH, origin=Origin.DECLARED)
        return StorageRate(usd_per_gb_month=own.value, retrieval_usd_per_gb=0.0, basis=(own.key,)), (own,)
    row, note = _storage_row(site, tier, catalog)
    if row is None:
        raise InternalError(f"no storage price of tier `{tier.value}` in the catalogue for `{site.id}`")
    provenance = at_best(row.provenance, Confidence.ESTIMATE) if note else row.provenance
    prefix = f"storage.{provider_of(site) if note else row.provider.lower()}.{row.tier}"
    kept = _figure(prefix, row.usd_per_gb_month, _USD_PER_GB_MONTH, provenance, note or row.product)
    figures = [kept]
    if row.retrieval_usd_per_gb > 0:
        figures.append(_figure(f"{prefix}.retrieval", row.retrieval_usd_per_gb, _USD_PER_GB, provenance, note))
    rate = StorageRate(
        usd_per_gb_month=row.usd_per_gb_month,
        retrieval_usd_per_gb=row.retrieval_usd_per_gb,
        min_days=row.min_days,
        basis=tuple(figure.key for figure in figures),
    )
    return rate, tuple(figures)


def normalised(tiers: Sequence[Tier]) -> tuple[Tier, ...]:
    """Tiers ascending from 0 without gaps or overlaps.

    What lies below the first one is free; a gap and what lies above the last one cost as the tier before.
    """
    result: list[Tier] = []
    reached, going = 0.0, 0.0
    for start, end, price in sorted(tiers, key=lambda tier: tier[0]):
        if start > reached:
            result.append((reached, start, going))
        if end is None or end > max(start, reached):
            result.append((max(start, reached), end, price))
        if end is None:
            return _joined(result)
        reached, going = max(reached, end), price
    return _joined([*result, (reached, None, going)])


def _joined(tiers: Sequence[Tier]) -> tuple[Tier, ...]:
    """Merge neighbours of equal price, so that every tier changes something."""
    result: list[Tier] = []
    for start, end, price in tiers:
        if result and result[-1][2] == price:
            result[-1] = (result[-1][0], end, price)
        else:
            result.append((start, end, price))
    return tuple(result)


def _egress_rows(site: Site, path: TransferClass, catalog: Catalog) -> tuple[list[EgressTier], str]:
    """Rows of the nearest scope: the region's, the geography's, any, then the provider's elsewhere."""
    provider = provider_of(site)
    if not site.kind.is_rented and not any(row.provider.lower() == provider for row in catalog.egress):
        provider = PRIVATE
    rows = [row for row in catalog.egress if (row.provider.lower(), row.path) == (provider, path.value)]
    if not rows and provider == PRIVATE and path is TransferClass.INTER_REGION:
        rows = [row for row in catalog.egress if (row.provider, row.path) == (PRIVATE, TransferClass.INTERNET)]
    if not rows:
        return [], ""
    geo = geo_of(site, catalog)
    for scope in dict.fromkeys(row.scope for row in sorted(rows, key=lambda row: _distance(row, site, geo))):
        nearest = [row for row in rows if row.scope == scope]
        is_borrowed = _distance(nearest[0], site, geo) > _SCOPE_ANY
        return (
            nearest,
            f"no tariff for {site.region or geo or 'this place'}; that of {scope} taken" * is_borrowed,
        )
    return [], ""


_SCOPE_REGION, _SCOPE_GEO, _SCOPE_ANY, _SCOPE_OTHER = range(4)


def _distance(row: EgressTier, site: Site, geo: str) -> int:
    if site.region and row.scope.lower() == site.region.lower():
        return _SCOPE_REGION
    if geo and geo in row.scope.upper().split("_"):
        return _SCOPE_GEO
    return _SCOPE_ANY if row.scope.lower() == ANY_SCOPE else _SCOPE_OTHER


def _tiered(provider: str, path: TransferClass, rows: list[EgressTier], note: str) -> tuple[Tariff, tuple[Figure, ...]]:
    tiers = normalised([(row.from_gb, row.to_gb, row.usd_per_gb) for row in rows])
    prices = [price for _, _, price in tiers]
    paid = next((price for price in prices if price > 0), 0.0)
    first = rows[0]
    provenance = at_best(first.provenance, Confidence.ESTIMATE) if note else first.provenance
    steps = ", ".join(f"{price:g} from {start:,.0f} GB" for start, _, price in tiers)
    figure = Figure(
        key=f"egress.{first.provider.lower()}.{path.value}.{first.scope}{'.borrowed' if note else ''}",
        value=paid,
        unit=_USD_PER_GB,
        origin=origin_of(first.provenance),
        low=min(prices),
        high=max(prices),
        provenance=provenance,
        note=f"{note + '; ' if note else ''}{steps} per month",
    )
    return Tariff(provider=provider, path=path.value, tiers=tiers, basis=(figure.key,)), (figure,)


def _flat(provider: str, path: TransferClass, figure: Figure) -> tuple[Tariff, tuple[Figure, ...]]:
    tiers: tuple[Tier, ...] = ((0.0, None, figure.value),)
    return Tariff(provider=provider, path=path.value, tiers=tiers, basis=(figure.key,)), (figure,)


def _unknown_egress(provider: str, path: TransferClass, catalog: Catalog) -> Figure:
    """Median first paid price over all providers, on the same path where anybody prices it."""
    same = [row.usd_per_gb for row in catalog.egress if row.path == path.value and row.usd_per_gb > 0]
    prices = same or [row.usd_per_gb for row in catalog.egress if row.usd_per_gb > 0] or [0.0]
    return Figure(
        key=f"egress.{provider}.{path.value}",
        value=median(prices),
        unit=_USD_PER_GB,
        origin=Origin.DEFAULT,
        low=min(prices),
        high=max(prices),
        note=f"the catalogue has no {path.value} tariff of `{provider}`: median of {len(prices)} known tiers",
    )


def _storage_row(site: Site, tier: StorageTier, catalog: Catalog) -> tuple[StoragePrice | None, str]:
    """The provider's row of the tier or of the next hotter one, a private site's, then the dearest known."""
    provider = provider_of(site) if site.kind.is_rented else PRIVATE
    tiers = list(StorageTier)
    hotter = [tier, *reversed(tiers[: tiers.index(tier)])]
    for owner in dict.fromkeys((provider_of(site), provider)):
        for wanted in hotter:
            row = next((r for r in catalog.storage if (r.provider.lower(), r.tier) == (owner, wanted.value)), None)
            if row is not None:
                return (
                    row,
                    "" if wanted is tier else f"`{owner}` sells no {tier.value} tier; {wanted.value} taken",
                )
    others = [row for row in catalog.storage if row.tier == tier.value]
    dearest = max(others, key=lambda row: (row.usd_per_gb_month, row.provider), default=None)
    return dearest, f"no storage price of `{provider}`; the most expensive known {tier.value} tier taken"


def _figure(key: str, value: float, unit: str, provenance: Provenance, note: str) -> Figure:
    return Figure(key=key, value=value, unit=unit, origin=origin_of(provenance), provenance=provenance, note=note)
