"""Figures whose unit is probably another are told, and those of real estates are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.domain.estate import Estate, Finance
from tripoint.domain.hardware import NodeType
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import Commitment, NodePool, OwnPrice
from tripoint.domain.site import ExpansionStep, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, LinkId, ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Slo, Workload, WorkloadKind
from tripoint.engines.checks.values.plausible import check_plausible

ROOT = Path(__file__).resolve().parents[3]
CATALOG = load_catalog()
SHIPPED = [
    *(ROOT / "examples" / name for name in ("break-even", "edge-retail", "regulated", "three-layer")),
    *sorted(path for path in (ROOT / "src" / "tripoint" / "templates").iterdir() if path.is_dir()),
]
NODE = NodeType(id=NodeTypeId("own-h100"), accelerator=AcceleratorId("h100-sxm"), gpus=8, max_kw=10.2)
POOL = NodePool(node_type=NodeTypeId("dgx-h100"))
POWER = PowerEnvelope(it_kw=45.0, pue=1.3, energy_usd_per_kwh=0.16)
COLO = Site(id=SiteId("colo"), kind=SiteKind.COLO, country="NL", power=POWER, pools=(POOL,))
CLOUD = Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="us-east-1")
CHAT = Workload(
    id=WorkloadId("chat"), kind=WorkloadKind.INFERENCE, model=ModelId("m"),
    demand=Demand(requests_per_s=1.0, input_tokens=500.0, output_tokens=150.0),
)  # fmt: skip
LINK = Link(id=LinkId("l"), source=SiteId("colo"), target=SiteId("cloud"))
ESTATE = Estate(apiVersion="tripoint/v1", sites=(COLO, CLOUD), workloads=(CHAT,))


def told(estate: Estate) -> list[tuple[str, str]]:
    """Path and message of every figure that is doubted."""
    found = list(check_plausible(estate, CATALOG))
    assert all(each.code == "TP1334" and each.hint for each in found)
    return [(each.path, each.message) for each in found]


def powered(**fields: Any) -> Estate:
    """The estate with another envelope."""
    return replace(ESTATE, sites=(replace(COLO, power=replace(POWER, **fields)), CLOUD))


def pooled(**fields: Any) -> Estate:
    """The estate with another pool."""
    return replace(ESTATE, sites=(replace(COLO, pools=(replace(POOL, **fields),)), CLOUD))


def linked(**fields: Any) -> Estate:
    """The estate with a link from Amsterdam to Virginia."""
    return replace(ESTATE, links=(replace(LINK, **fields),))


def working(**fields: Any) -> Estate:
    """The estate with another objective or demand."""
    return replace(ESTATE, workloads=(replace(CHAT, **fields),))


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_no_figure_of_a_shipped_estate_is_doubted(folder: Path) -> None:
    """Examples and templates are of the market the catalogue describes."""
    assert told(load_estate_file(folder).estate) == []


@pytest.mark.parametrize(
    ("wrong", "right", "path", "known"),
    [
        (powered(energy_usd_per_kwh=4.9), powered(energy_usd_per_kwh=0.49), "power.energy_usd_per_kwh", "0.03 to 0.32"),
        (powered(energy_usd_per_kwh=0.00016), powered(energy_usd_per_kwh=0.0), "power.energy_usd_per_kwh", "0.03"),
        (powered(pue=3.4), powered(pue=2.9), "power.pue", "1.04 to 2.2"),
        (powered(rack_density_kw=17_000.0), powered(rack_density_kw=600.0), "power.rack_density_kw", "0.2 to 150 kW"),
        (powered(grid_gco2_per_kwh=0.37), powered(grid_gco2_per_kwh=4.0), "power.grid_gco2_per_kwh", "2 to 904.6"),
        (powered(colo_usd_per_kw_month=9e3), powered(colo_usd_per_kw_month=900.0), "colo_usd_per_kw_month", "to 500"),
        (powered(contracted_kw=45_000.0), powered(contracted_kw=90.0), "power.contracted_kw", "is 45 kW"),
        (pooled(usd_per_hour=14_000.0), pooled(usd_per_hour=19.0), "pools[0].usd_per_hour", "18.17 to 127.8 USD"),
        (pooled(spot_usd_per_hour=0.02), pooled(spot_usd_per_hour=9.0), "pools[0].spot_usd_per_hour", "18.17"),
        (pooled(purchase_usd=275.0), pooled(purchase_usd=275_000.0), "pools[0].purchase_usd", "220,000 to 330,000 USD"),
        (
            pooled(commitments=(Commitment(nodes=1, ends="2028-01", usd_per_hour=12_000.0),)),
            pooled(commitments=(Commitment(nodes=1, ends="2028-01", usd_per_hour=16.0),)),
            "pools[0].commitments[0].usd_per_hour",
            "18.17",
        ),
        (linked(rtt_ms=0.085), linked(rtt_ms=85.0), "links[0].rtt_ms", "between such places it takes"),
        (linked(rtt_ms=85_000.0), linked(rtt_ms=300.0), "links[0].rtt_ms", "between such places it takes"),
        (linked(bandwidth_gbps=10_000.0), linked(bandwidth_gbps=0.05), "links[0].bandwidth_gbps", "1 to 400 Gbit/s"),
        (linked(usd_per_gb=20.0), linked(usd_per_gb=0.02), "links[0].usd_per_gb", "0.0015 to 0.181"),
        (working(slo=Slo(ttft_ms=1.5)), working(slo=Slo(ttft_ms=50.0)), "workloads[0].slo.ttft_ms", "109 to 6,000 ms"),
        (working(slo=Slo(tpot_ms=0.05)), working(slo=Slo(tpot_ms=5.0)), "workloads[0].slo.tpot_ms", "22.2 to 200 ms"),
    ],
)  # fmt: skip
def test_a_figure_in_another_unit_is_doubted_with_both(wrong: Estate, right: Estate, path: str, known: str) -> None:
    """What is found, what is known and what the unit may be; the same figure in the right unit is not doubted."""
    ((where, message),) = told(wrong)
    assert where.endswith(path)
    assert known in message
    assert told(right) == []


@pytest.mark.parametrize(
    ("fields", "name", "known"),
    [
        ({"max_kw": 10_200.0}, "max_kw", "8 `h100-sxm` draw 8 to 10.2 kW"),
        ({"typical_kw": 0.08}, "typical_kw", "8 to 10.2 kW"),
        ({"gpus": 800, "max_kw": None}, "gpus", "`h100-sxm` have up to 8"),
        ({"purchase_usd_low": 275.0}, "purchase_usd_low", "220,000 to 330,000 USD"),
    ],
)
def test_a_node_unlike_all_others_of_its_accelerator_is_doubted(fields: dict[str, Any], name: str, known: str) -> None:
    """Watts for kilowatts, thousands for dollars, a cluster for a node."""
    assert told(replace(ESTATE, node_types=(NODE,))) == []
    ((where, message),) = told(replace(ESTATE, node_types=(replace(NODE, **fields),)))
    assert where == f"node_types[0].{name}"
    assert known in message


def test_hardware_the_catalogue_does_not_know_is_not_doubted() -> None:
    """Nothing is known to hold it against."""
    node = replace(NODE, accelerator=AcceleratorId("next-year"), max_kw=90_000.0, gpus=4096)
    assert told(replace(ESTATE, node_types=(node,))) == []


def test_prices_models_and_defaults_are_held_to_the_market() -> None:
    """A monthly rate as an hourly one, a price per token, millions of parameters, cents a year."""
    lines = (
        OwnPrice(provider="aws", sku="p5.48xlarge", usd_per_hour=28_000.0),
        OwnPrice(sku="gpt", usd_in_per_mtok=0.000003, usd_out_per_mtok=900.0),
    )
    estate = replace(
        ESTATE,
        prices=lines,
        models=(ModelSpec(id=ModelId("m"), parameters_b=8030.0, kv_mb_per_token=131.0),),
        finance=Finance(staff_usd_per_fte_year=130.0),
        assumptions={"colo.usd_per_kw_month": 2.2, "recovery.decide": 1.0},
    )
    assert {path for path, _ in told(estate)} == {
        "finance.staff_usd_per_fte_year",
        "models[0].parameters_b",
        "models[0].kv_mb_per_token",
        "prices[0].usd_per_hour",
        "prices[1].usd_in_per_mtok",
        "prices[1].usd_out_per_mtok",
        'assumptions["colo.usd_per_kw_month"]',
    }


def test_an_expansion_a_hundred_times_the_site_is_doubted() -> None:
    """A hall may grow tenfold; kilowatts in watts would be a thousand."""
    for adds, count in ((450.0, 0), (45_000.0, 1)):
        step = ExpansionStep(id="s", adds_kw=adds)
        estate = replace(ESTATE, sites=(replace(COLO, expansion=(step,)), CLOUD))
        assert len(told(estate)) == count


def test_a_link_within_a_country_may_be_as_short_as_it_is() -> None:
    """Two halls of one campus; the catalogue's range is of the whole country."""
    near = replace(COLO, id=SiteId("next-door"))
    link = replace(LINK, target=SiteId("next-door"), rtt_ms=0.05)
    assert told(replace(ESTATE, sites=(COLO, near, CLOUD), links=(link,))) == []


def test_a_catalogue_without_figures_doubts_nothing() -> None:
    """What is not known is no bound."""
    bare = replace(
        CATALOG, node_types=(), compute_prices=(), api_prices=(), egress=(), ports=(), storage=(), regions=(),
        latency=(), electricity=(), defaults=(), models=(), throughput=(),
    )  # fmt: skip
    odd = replace(powered(energy_usd_per_kwh=4.9, pue=4.0), node_types=(replace(NODE, max_kw=10_200.0),))
    assert list(check_plausible(odd, bare)) == []
