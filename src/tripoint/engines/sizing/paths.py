"""How do two places reach each other, how long is the round trip, and under which tariff does data move?

A place is a site id, a `provider:region` or a country code. Declared links form a graph; the path is the
shortest by round-trip time (Dijkstra, 1959), and times of its links add up. Without a declared path two
places reach each other over the internet, or over the provider's own backbone when both belong to one
provider, and the time is the catalogue's most specific row for the pair: place, country, geography, then
class of place.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog, LatencyRow
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link, TransferClass
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import LinkId
from tripoint.engines.facts.grades import merged, origin_of
from tripoint.engines.facts.places import country_of, geo_of, provider_of, region_row

FARTHEST_MS = 350.0
"""Round trip between far ends of the earth, where a catalogue has no latency at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The way from one place to another."""

    source: str
    """Where it starts."""
    target: str
    """Where it ends."""
    rtt_ms: Figure
    """Round-trip time, ms."""
    links: tuple[LinkId, ...] = ()
    """Declared links in order; empty for the open internet, the provider's backbone and one and the same site."""
    transfer_class: TransferClass = TransferClass.INTERNET
    """Tariff a transfer from source to target falls under."""
    charging_link: Link | None = None
    """Link whose own price applies at the source; `None` where the provider's tariff does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place with what its latency can be looked up by."""

    name: str
    """As declared."""
    site: Site | None
    """The site, when the name is one."""
    provider: str
    """Provider, lower case; empty for a country."""
    region: str
    """Region, lower case; empty when it has none."""
    country: str
    """Country; empty when unknown."""
    geo: str
    """Geography; empty when unknown."""
    is_edge: bool
    """True for an edge site."""


def path_between(estate: Estate, catalog: Catalog, source: str, target: str) -> Path:
    """The path from `source` to `target`."""
    start, end = spot(estate, catalog, source), spot(estate, catalog, target)
    if start.name == end.name:
        return Path(
            source=source,
            target=target,
            rtt_ms=_same_place(source),
            transfer_class=TransferClass.INTERCONNECT,
        )
    hops = _shortest(estate, catalog, start.name, end.name)
    if hops is None:
        estimate = _estimate(catalog, start, end)
        return Path(source=source, target=target, rtt_ms=estimate, transfer_class=_open_class(start, end))
    first = hops[0][0]
    return Path(
        source=source,
        target=target,
        rtt_ms=_sum_of(source, target, [figure for _, figure in hops]),
        links=tuple(link.id for link, _ in hops),
        transfer_class=TransferClass.INTERCONNECT if first.is_private else _open_class(start, end),
        charging_link=first,
    )


def place_country(estate: Estate, catalog: Catalog, place: str) -> str | None:
    """Country of a place; `None` when unknown."""
    return spot(estate, catalog, place).country or None


def spot(estate: Estate, catalog: Catalog, place: str) -> Spot:
    """What is known of a place by its name."""
    site = next((site for site in estate.sites if site.id == place), None)
    if site is not None:
        country = country_of(site, catalog) or ""
        region = (site.region or "").lower()
        return Spot(
            name=place,
            site=site,
            provider=provider_of(site),
            region=region,
            country=country,
            geo=geo_of(site, catalog),
            is_edge=site.kind is SiteKind.EDGE,
        )
    provider, _, region = place.lower().partition(":")
    row = region_row(catalog, provider, region) if region else None
    country = row.country if row else "" if region else place.upper()
    return Spot(
        name=place,
        site=None,
        provider=provider if region else "",
        region=region,
        country=country,
        geo=geo_of(place, catalog),
        is_edge=False,
    )


def _same_place(name: str) -> Figure:
    return Figure(
        key=f"path.{name}.rtt_ms",
        value=0.0,
        unit="ms",
        origin=Origin.DECLARED,
        note="caller and workload share a site",
    )


def _open_class(start: Spot, end: Spot) -> TransferClass:
    is_backbone = bool(start.provider) and start.provider == end.provider and start.provider != "own"
    return TransferClass.INTER_REGION if is_backbone else TransferClass.INTERNET


def _shortest(estate: Estate, catalog: Catalog, source: str, target: str) -> list[tuple[Link, Figure]] | None:
    """Links and their times of the fastest declared path; ties go to the one declared first."""
    queue: list[tuple[float, int, str]] = [(0.0, 0, source)]
    arrived: dict[str, tuple[str, Link, Figure]] = {}
    best = {source: 0.0}
    pushed = 0
    while queue:
        time, _, place = heapq.heappop(queue)
        if place == target:
            return _unwound(arrived, source, target)
        if time > best[place]:
            continue
        for link, neighbour in _leaving(estate, place):
            figure = _link_rtt(estate, catalog, link)
            if time + figure.value < best.get(neighbour, float("inf")):
                best[neighbour] = time + figure.value
                arrived[neighbour] = (place, link, figure)
                pushed += 1
                heapq.heappush(queue, (best[neighbour], pushed, neighbour))
    return None


def _unwound(arrived: dict[str, tuple[str, Link, Figure]], source: str, target: str) -> list[tuple[Link, Figure]]:
    hops: list[tuple[Link, Figure]] = []
    place = target
    while place != source:
        place, link, figure = arrived[place]
        hops.append((link, figure))
    return hops[::-1]


def _leaving(estate: Estate, place: str) -> Iterator[tuple[Link, str]]:
    for link in estate.links:
        if link.source == place:
            yield link, link.target
        elif link.both_ways and link.target == place:
            yield link, link.source


def _link_rtt(estate: Estate, catalog: Catalog, link: Link) -> Figure:
    if link.rtt_ms is not None:
        key = f"link.{link.id}.rtt_ms"
        return Figure(key=key, value=link.rtt_ms, unit="ms", origin=Origin.DECLARED)
    return _estimate(catalog, spot(estate, catalog, link.source), spot(estate, catalog, link.target))


def _sum_of(source: str, target: str, parts: list[Figure]) -> Figure:
    provenance = merged(part.provenance for part in parts)
    return Figure(
        key=f"path.{source}->{target}.rtt_ms",
        value=sum(part.value for part in parts),
        unit="ms",
        origin=origin_of(provenance),
        provenance=provenance,
        note=f"sum over {len(parts)} declared link{'s' if len(parts) != 1 else ''}",
    )


def _estimate(catalog: Catalog, start: Spot, end: Spot) -> Figure:
    key = f"path.{start.name}->{end.name}.rtt_ms"
    row = _latency_row(catalog, start, end)
    if row is not None:
        return Figure(
            key=key,
            value=row.typical_ms,
            unit="ms",
            origin=origin_of(row.provenance),
            low=row.low_ms,
            high=row.high_ms,
            provenance=row.provenance,
            note=f"no declared time; catalogue row {row.source} to {row.target}",
        )
    longest = max((row.typical_ms for row in catalog.latency), default=FARTHEST_MS)
    note = "the catalogue has no row for the pair: the longest it has stands in; declare a link with `rtt_ms`"
    return Figure(key=key, value=longest, unit="ms", origin=Origin.DEFAULT, note=note)


def _latency_row(catalog: Catalog, start: Spot, end: Spot) -> LatencyRow | None:
    """The most specific row for the pair, either way round."""
    rows = {(row.source.lower(), row.target.lower()): row for row in reversed(catalog.latency)}
    found = (rows.get((one, two)) or rows.get((two, one)) for one, two in _name_pairs(start, end))
    return next((row for row in found if row is not None), None)


def _name_pairs(start: Spot, end: Spot) -> Iterator[tuple[str, str]]:
    """What the catalogue may call the pair, most specific first."""
    yield start.name.lower(), end.name.lower()
    yield start.region, end.region
    is_one_country = bool(start.country) and start.country == end.country
    if start.region and (start.provider, start.region) == (end.provider, end.region):
        yield "same-region", "same-region"
    if is_one_country and start.is_edge != end.is_edge:
        yield "edge-fibre", "nearest-region"
    if start.country and end.country:
        yield start.country.lower(), end.country.lower()
    if is_one_country:
        yield "same-country", "same-country"
    yield start.geo.lower(), end.geo.lower()
