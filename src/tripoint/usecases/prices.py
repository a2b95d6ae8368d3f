"""Look up what things cost and what is assumed: `tripoint prices`.

Every word searched for must occur in a row's name, provider, accelerator, place or purchase option. A region
filter accepts a region id, a country, a geography (`EU` means Europe) or a country set (`EEA`); prices that
hold everywhere (`global` rates, hardware to own) stay in.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog, DefaultRow
from tripoint.domain.errors import OptionError
from tripoint.domain.findings import did_you_mean
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.facts.ages import is_stale
from tripoint.engines.facts.places import expand_countries
from tripoint.engines.facts.pools import GLOBAL_REGION
from tripoint.engines.facts.prices.listings import Listing, ListingKind, listings

EVERYWHERE = (GLOBAL_REGION, "any")
_KINDS = tuple(ListingKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHit:
    """One price found."""

    listing: Listing
    """The price with its source."""
    is_stale: bool
    """True when the row is older than 180 days."""

    @property
    def flags(self) -> tuple[str, ...]:
        """`weak` when the catalogue itself doubts the row, `stale` when it is old."""
        weak = ("weak",) if self.listing.provenance.confidence.is_weak else ()
        return (*weak, "stale") if self.is_stale else weak


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionRow:
    """One figure the planner uses where the estate is silent."""

    default: DefaultRow
    """The figure with its source; its key is the one `assumptions` of an estate take."""
    is_stale: bool
    """True when the row is older than 180 days."""


def search_prices(
    catalog: Catalog,
    terms: Sequence[str],
    *,
    today: datetime.date,
    region: str | None = None,
    option: PurchaseOption | str | None = None,
    kind: ListingKind | str | None = None,
) -> tuple[PriceHit, ...]:
    """Prices that match every term and every filter; by kind, then cheapest per accelerator first."""
    words = _words(terms)
    rows = tuple(listings(catalog))
    names: dict[str, str] = {chip.id: chip.name for chip in catalog.accelerators}
    place = _Place.of(catalog, region)
    if not place.is_known(rows):
        near = did_you_mean(place.wanted, sorted(place.names(rows)))
        message = f"`--region`: no region, country or country set is called `{region}`"
        raise OptionError(message, hint=near or "for example `eu-central-1`, `NL`, `EU` or `EEA`")
    found = [
        listing
        for listing in rows
        if (kind is None or listing.kind == kind)
        and (option is None or listing.option == option)
        and place.holds(listing)
        and _has_all(_searched(listing, names), words)
    ]
    return tuple(
        PriceHit(listing=listing, is_stale=is_stale(listing.provenance, today)) for listing in sorted(found, key=_rank)
    )


def assumption_rows(catalog: Catalog, terms: Sequence[str] = (), *, today: datetime.date) -> tuple[AssumptionRow, ...]:
    """Defaults whose key, unit or note holds every term, by key."""
    words = _words(terms)
    return tuple(
        AssumptionRow(default=row, is_stale=is_stale(row.provenance, today))
        for row in sorted(catalog.defaults, key=lambda row: row.key)
        if _has_all(f"{row.key} {row.unit} {row.note}".lower(), words)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What a region filter lets through; everything when nothing was asked."""

    wanted: str
    countries: frozenset[str]

    @staticmethod
    def of(catalog: Catalog, region: str | None) -> _Place:
        wanted = (region or "").strip().lower()
        is_geo = any(row.geo.lower() == wanted for row in catalog.regions)
        countries = frozenset() if is_geo else expand_countries((wanted,), catalog)
        return _Place(wanted=wanted, countries=countries)

    def is_known(self, rows: Sequence[Listing]) -> bool:
        """Whether the filter names any place at all."""
        return not self.wanted or bool(self.countries) or self.wanted in self.names(rows)

    def names(self, rows: Sequence[Listing]) -> set[str]:
        """Every region and geography a price is given for."""
        return {name.lower() for row in rows for name in (row.region, row.geo, *row.region.split("_")) if name}

    def holds(self, listing: Listing) -> bool:
        """True for prices of the wanted place, and for those that hold everywhere."""
        if not self.wanted or listing.region in EVERYWHERE:
            return True
        named = (listing.region.lower(), listing.geo.lower(), *listing.region.lower().split("_"))
        return listing.country in self.countries or self.wanted in named


def _words(terms: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.lower() for term in terms for word in term.split())


def _has_all(text: str, words: tuple[str, ...]) -> bool:
    return all(word in text for word in words)


def _searched(listing: Listing, names: dict[str, str]) -> str:
    chip = listing.accelerator or ""
    place = (listing.region, listing.country or "", listing.geo)
    option = listing.option.value if listing.option else ""
    parts = (listing.kind.value, listing.provider, listing.name, chip, names.get(chip, ""), *place, option)
    return " ".join(parts).lower()


def _rank(listing: Listing) -> tuple[int, float, str, str, str, int]:
    """Compute by price per accelerator, tariffs in their own order of volume, the rest by price."""
    by_gpu = listing.usd_per_gpu_hour
    usd = 0.0 if listing.kind is ListingKind.EGRESS else listing.usd if by_gpu is None else by_gpu
    term = listing.term_months or 0
    return (_KINDS.index(listing.kind), usd, listing.provider, listing.name, listing.region, term)
