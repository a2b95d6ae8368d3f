"""Bytes that leave a site cost what its tariff says for the whole month's volume, however it came about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.factories.placement import batch, chat, hall, horizon, place, placement_catalog, region, resolved, solved

from tripoint.domain.charge import ChargeKind
from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate, Finance
from tripoint.domain.link import Link, TransferClass
from tripoint.domain.site import Site
from tripoint.domain.units import DatasetId, LinkId, SiteId
from tripoint.domain.workload import Caller, DatasetUse, Workload
from tripoint.engines.costing.transfer import Tariff, tariff, tariff_cost
from tripoint.engines.placement.columns.flows import peak_factor
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.outcome import Outcome

SECONDS_PER_MONTH = 730 * 3600


def caller_of(gb_out: float, name: str = "chat", place_: str = "US", only_at: tuple[str, ...] = ()) -> Workload:
    """A workload whose answers to its callers are `gb_out` a month; requests are as much again."""
    payload_kb = 2 * gb_out / (16.0 * SECONDS_PER_MONTH) * 1e6
    demand = replace(chat().demand, payload_kb=payload_kb)
    return chat(name, demand=demand, callers=(Caller(place=place_),), only_at=only_at)


def tariff_of(site: Site, estate: Estate, path: TransferClass = TransferClass.INTERNET) -> Tariff:
    """The catalogue's tariff."""
    return tariff(site, path, estate, placement_catalog(), None)[0]


def egress_usd(outcome: Outcome, site: str) -> float:
    """Egress charged at a site over the horizon."""
    return sum(row.effective_usd for row in outcome.charges if row.kind is ChargeKind.EGRESS and row.site == site)


@pytest.mark.parametrize("gb", [1.0, 100.0, 101.0, 5_000.0, 10_240.0, 10_241.0, 40_000.0, 60_000.0, 200_000.0])
def test_a_months_volume_costs_what_the_tariff_says(gb: float) -> None:
    """Below, at and above each edge of five tiers, three months of it."""
    estate = place(region(), workloads=(caller_of(gb),))
    cost = tariff_cost(tariff_of(region(), estate), gb)
    assert egress_usd(solved(estate), "cloud") == pytest.approx(3 * cost, rel=1e-6, abs=1e-6)


def test_workloads_at_one_site_share_its_tiers() -> None:
    """Two volumes of 30,000 GB are one of 60,000: the second does not start at the dear end again."""
    estate = place(region(), workloads=(caller_of(30_000.0), caller_of(30_000.0, "more")))
    prices = tariff_of(region(), estate)
    paid = egress_usd(solved(estate), "cloud")
    assert paid == pytest.approx(3 * tariff_cost(prices, 60_000.0), rel=1e-6)
    assert paid < 2 * 3 * tariff_cost(prices, 30_000.0) - 1.0


def test_sites_do_not_share_tiers() -> None:
    """Two regions each start at their own first gigabyte."""
    loads = (caller_of(30_000.0, only_at=("east",)), caller_of(30_000.0, "more", only_at=("west",)))
    estate = place(region("east"), region("west", region="us-west-2"), workloads=loads)
    outcome = solved(estate)
    cost = tariff_cost(tariff_of(region(), estate), 30_000.0)
    assert egress_usd(outcome, "east") == pytest.approx(3 * cost, rel=1e-6)
    assert egress_usd(outcome, "west") == pytest.approx(3 * cost, rel=1e-6)


def test_later_tiers_are_no_cheaper_way_in() -> None:
    """The solver may not fill the cheap third tier with gigabytes that belong in the dear second one."""
    outcome = solved(place(region(), workloads=(caller_of(20_000.0),)))
    form, values = outcome.form, outcome.solution.values
    first = [column for key, column in form.tier.items() if key[1:3] == ("internet", 0)]
    tiers = [float(values[column]) * form.tier_gb[column] for column in first]
    assert tiers == pytest.approx([100.0, 10_140.0, 9_760.0])


def test_no_volume_stands_beside_a_yes_or_no() -> None:
    """A thousand TB leave the cloud: whether a tier is open, and what it holds, are parts of one in the same row."""
    program = solved(place(region(), workloads=(caller_of(1e6),))).program
    yes_or_no = program.is_integer[program.index]
    rows = np.repeat(np.arange(program.rows), np.diff(program.starts))
    is_beside = np.isin(rows, [row for row in np.unique(rows[yes_or_no]) if program.row_families[row] == "egress"])
    assert is_beside.any()
    assert np.abs(program.value[is_beside]).tolist() == pytest.approx([1.0] * int(is_beside.sum()))


def test_callers_at_the_same_site_cost_nothing() -> None:
    """Nothing leaves."""
    outcome = solved(place(region(), workloads=(caller_of(50_000.0, place_="cloud"),)))
    assert egress_usd(outcome, "cloud") == 0.0


def test_a_price_on_the_link_replaces_the_tariff() -> None:
    """0.02 USD per GB over the circuit, both ways because both ends are sites of the estate."""
    line = Link(id=LinkId("line"), source=SiteId("hall"), target=SiteId("cloud"), usd_per_gb=0.02)
    load = caller_of(40_000.0, place_="hall", only_at=("cloud",))
    outcome = solved(place(hall(), region(), workloads=(load,), links=(line,)))
    assert egress_usd(outcome, "cloud") == pytest.approx(3 * 40_000 * 0.02, rel=1e-6)
    assert egress_usd(outcome, "hall") == pytest.approx(3 * 40_000 * 0.02, rel=1e-6)


def test_ports_are_paid_whatever_flows() -> None:
    """1,500 USD a month for a circuit nobody uses."""
    line = Link(
        id=LinkId("line"), source=SiteId("hall"), target=SiteId("cloud"), port_usd_per_month=1500.0, usd_per_gb=0.0
    )
    outcome = solved(place(hall(), region(), workloads=(chat(),), links=(line,)))
    ports = [row for row in outcome.charges if row.kind is ChargeKind.PORT]
    assert {row.resource: row.effective_usd for row in ports} == pytest.approx({"line": 4500.0})


def test_dear_egress_moves_the_work_to_its_callers() -> None:
    """The cloud rents for 3 USD an hour instead of owning a hall; enough bytes turn that round."""
    cheap = replace(region(), pools=(replace(region().pools[0], usd_per_hour=3.0),))  # type: ignore[index]  # a region has pools

    def home(gb: float) -> set[str]:
        outcome = solved(place(hall(), cheap, workloads=(caller_of(gb, place_="hall"),)))
        assert outcome.decisions is not None
        return {row.site for row in outcome.decisions.placements}

    assert home(100.0) == {"cloud"}
    assert home(400_000.0) == {"hall"}


def test_batch_results_are_charged_once_wherever_in_the_week_they_are_made() -> None:
    """Writing 9,000 GB a month to a dataset elsewhere leaves the site once, not once per block."""
    data = Dataset(id=DatasetId("d"), size_gb=10.0, copies=(SiteId("hall"),))
    load = batch(writes=(DatasetUse(dataset=DatasetId("d"), gb_per_month=9_000.0),), only_at=("cloud",))
    rhythm = chat("rhythm", hour_of_week=tuple(2.0 if hour < 42 else 2 / 3 for hour in range(168)))
    estate = place(hall(), region(), workloads=(rhythm, load), datasets=(data,), horizon=horizon(1, 2))
    cost = tariff_cost(tariff_of(region(), estate), 9_000.0)
    assert egress_usd(solved(estate), "cloud") == pytest.approx(3 * cost, rel=1e-6)


def test_links_carry_the_busiest_hour_of_a_block() -> None:
    """A flat week has no peak of its own; the headroom of a careful estate makes one of 1.1 times the mean."""
    form, _ = formulate(resolved(place(region(), workloads=(chat(),))))
    assert peak_factor(form, 0, 0, 0) == pytest.approx(1.0)
    careful, _ = formulate(resolved(place(region(), workloads=(chat(),), finance=Finance())))
    assert peak_factor(careful, 0, 0, 0) == pytest.approx(1.1)
