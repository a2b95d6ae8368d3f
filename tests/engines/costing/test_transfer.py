"""Egress by tiers, and storage: monotone, continuous, and right where the incumbent is wrong."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.tiny_catalog import cloud, colo, estate_of, tiny_catalog

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.dataset import StorageTier
from tripoint.domain.errors import InternalError
from tripoint.domain.link import Link, TransferClass
from tripoint.domain.provenance import Confidence, Figure
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import LinkId, SiteId
from tripoint.engines.costing.transfer import (
    Tariff,
    Tier,
    egress_gb,
    normalised,
    storage_rate,
    tariff,
    tariff_cost,
)

INTERNET = TransferClass.INTERNET


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Any tiers a catalogue might hold: gaps, free parts, an open or a closed end, in any order."""
    edges = sorted(draw(st.sets(st.integers(0, 200_000), min_size=2, max_size=7)))
    rows: list[Tier] = [
        (float(start), float(end), draw(st.floats(0.0, 0.2)))
        for start, end in pairwise(edges)
        if draw(st.booleans()) or start == edges[0]
    ]
    if draw(st.booleans()):
        rows.append((float(edges[-1]), None, draw(st.floats(0.0, 0.2))))
    tiers = normalised(draw(st.permutations(rows)))
    return Tariff(provider="p", path="internet", tiers=tiers, basis=())


volumes = st.floats(0.0, 400_000.0)


def _tariff(site: Site, path: TransferClass = INTERNET, link: Link | None = None) -> tuple[Tariff, Figure]:
    found, figures = tariff(site, path, estate_of(site), tiny_catalog(), link)
    return found, figures[0]


@given(tariff=tariffs(), first=volumes, second=volumes)
def test_more_data_never_costs_less(tariff: Tariff, first: float, second: float) -> None:
    """Monotone in volume, whatever the tiers."""
    low, high = sorted((first, second))
    assert tariff_cost(tariff, low) <= tariff_cost(tariff, high) + 1e-9


@given(tariff=tariffs(), volume=volumes)
def test_a_little_more_data_costs_a_little_more(tariff: Tariff, volume: float) -> None:
    """Continuous everywhere, tier edges first of all: a step is never dearer than its marginal price."""
    dearest = max(price for _, _, price in tariff.tiers)
    for start in [volume, *(start for start, _, _ in tariff.tiers)]:
        for step in (1e-3, 1.0):
            rise = tariff_cost(tariff, start + step) - tariff_cost(tariff, start)
            assert -1e-9 <= rise <= dearest * step + 1e-6


@given(tariff=tariffs(), volume=volumes)
def test_tiers_cover_every_volume_once(tariff: Tariff, volume: float) -> None:
    """The price of a GB in each tier times what falls into it sums to the cost."""
    parts = [max(0.0, min(volume, end or math.inf) - start) for start, end, _ in tariff.tiers]
    paid = math.fsum(egress_gb(tariff, tier)[0].effective_usd * part for tier, part in enumerate(parts))
    assert paid == pytest.approx(tariff_cost(tariff, volume))


@pytest.mark.parametrize(
    ("gb", "usd"),
    [
        (0.0, 0.0),
        (100.0, 0.0),
        (10_240.0, 912.60),
        (51_200.0, 4_394.20),
        (61_440.0, 5_111.00),
        (153_600.0, 11_562.20),
        (153_601.0, 11_562.25),
    ],
)
def test_volumes_at_tier_edges_by_hand(gb: float, usd: float) -> None:
    """The first 100 GB are free, which is 9.00 USD less than the tiers alone (921.60, 4,403.20, 5,120, 11,571.20).

    10,240: (10,240 - 100) x 0.09 = 912.60. 51,200: + 40,960 x 0.085 = 3,481.60, so 4,394.20.
    61,440: + 10,240 x 0.07 = 716.80, so 5,111.00. 153,600: 4,394.20 + 102,400 x 0.07 = 7,168, so 11,562.20.
    153,601: one more GB at 0.05. A known optimiser answers 0, 0, 716.80, 23,295.90 and 7,680.10 for the last five.
    """
    found, _ = _tariff(cloud())
    assert tariff_cost(found, gb) == pytest.approx(usd, abs=0.005)


def test_what_lies_below_above_and_between_tiers_has_a_price() -> None:
    """Free below the first, the price before a gap inside it and beyond the end."""
    assert normalised([(300.0, 400.0, 0.05), (100.0, 200.0, 0.1)]) == (
        (0.0, 100.0, 0.0),
        (100.0, 300.0, 0.1),
        (300.0, None, 0.05),
    )


def test_overlapping_tiers_charge_no_gigabyte_twice() -> None:
    """The tier that starts first keeps what it covers."""
    assert normalised([(0.0, 100.0, 0.1), (50.0, 150.0, 0.2)]) == ((0.0, 100.0, 0.1), (100.0, None, 0.2))


def test_a_price_on_the_link_replaces_the_tariff() -> None:
    """Declared, flat, with a key of its own."""
    link = Link(id=LinkId("dx"), source=SiteId("cloud"), target=SiteId("colo"), usd_per_gb=0.02)
    found, figure = _tariff(cloud(), TransferClass.INTERCONNECT, link)
    assert found.tiers == ((0.0, None, 0.02),)
    assert figure.key == "link.dx.usd_per_gb"


def test_a_region_without_a_tariff_borrows_one_and_says_so() -> None:
    """Mumbai pays Virginia's price until the catalogue knows better, graded estimate."""
    found, figure = _tariff(cloud("ap-south-1"))
    assert found.tiers == _tariff(cloud())[0].tiers
    assert "ap-south-1" in figure.note
    assert figure.key != _tariff(cloud())[1].key
    assert figure.provenance is not None
    assert figure.provenance.confidence is Confidence.ESTIMATE


def test_own_sites_pay_transit_and_nothing_per_gigabyte_on_own_circuits() -> None:
    """Their circuits are paid by the port."""
    assert _tariff(colo())[0].tiers == ((0.0, None, 0.0015),)
    assert "taken" not in _tariff(colo())[1].note  # a row for any place is not a borrowed one
    assert _tariff(colo(), TransferClass.INTER_REGION)[0].tiers == ((0.0, None, 0.0015),)
    assert _tariff(colo(), TransferClass.INTERCONNECT)[0].tiers == ((0.0, None, 0.0),)


def test_an_unknown_providers_egress_is_not_free() -> None:
    """The median of what others charge, with the range."""
    stranger = Site(id=SiteId("s"), kind=SiteKind.GPU_CLOUD, provider="stranger")
    found, figure = _tariff(stranger)
    assert tariff_cost(found, 1000.0) == pytest.approx(70.0)
    assert (figure.low, figure.high) == (0.0015, 0.09)


def test_negative_volume_is_refused() -> None:
    """Our bug, not a credit."""
    with pytest.raises(InternalError, match="-1"):
        tariff_cost(_tariff(cloud())[0], -1.0)


def test_storage_comes_from_the_nearest_row() -> None:
    """Own price, the tier's row, a hotter tier's where none is sold, and the private rows for own sites."""
    catalog, estate = tiny_catalog(), estate_of(cloud(), colo())
    own = Site(id=SiteId("own"), kind=SiteKind.COLO, storage_usd_per_gb_month=0.05)

    def usd(site: Site, tier: StorageTier) -> float:
        return storage_rate(site, tier, estate, catalog)[0].usd_per_gb_month

    assert usd(own, StorageTier.HOT) == 0.05
    assert [usd(cloud(), tier) for tier in StorageTier] == [0.023, 0.0125, 0.0125, 0.001]
    assert usd(colo(), StorageTier.ARCHIVE) == 0.03
    rate, figures = storage_rate(cloud(), StorageTier.COLD, estate, catalog)
    assert (rate.retrieval_usd_per_gb, rate.min_days) == (0.01, 30)
    assert set(rate.basis) == {figure.key for figure in figures}
    assert "cool taken" in figures[0].note


def test_the_shipped_tariffs_are_monotone_at_every_edge() -> None:
    """Every provider, path and scope of the catalogue, just below, at and above each edge."""
    catalog = load_catalog()
    groups = {(row.provider, row.path, row.scope) for row in catalog.egress}
    for provider, path, scope in sorted(groups):
        rows = [row for row in catalog.egress if (row.provider, row.path, row.scope) == (provider, path, scope)]
        tiers = normalised([(row.from_gb, row.to_gb, row.usd_per_gb) for row in rows])
        found = Tariff(provider=provider, path=path, tiers=tiers, basis=())
        volumes = sorted(max(0.0, start + step) for start, _, _ in tiers for step in (-1.0, 0.0, 1.0))
        costs = [tariff_cost(found, volume) for volume in volumes]
        assert costs == sorted(costs), (provider, path, scope)
