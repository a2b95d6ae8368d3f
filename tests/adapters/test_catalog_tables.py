"""The shipped tables: every row can be traced, and the tables agree with each other."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from importlib import metadata
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing_component

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.catalog import Catalog, EgressTier
from tripoint.domain.hardware import NodeType
from tripoint.domain.provenance import Confidence, Provenance
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.facts.ages import last_day

GEOS = {"NA", "EU", "APAC", "LATAM", "ME", "AF"}
PRECISIONS = {"bf16", "fp8", "fp4", "mxfp4", "int8", "int4"}
SCENARIOS = {"offline", "server", "interactive", "chat", "rag"}
ALPHA_2 = re.compile(r"[A-Z]{2}")
WEAK_OR_MADE = {Confidence.DERIVED, Confidence.ESTIMATE}
DEFAULT_KEYS = """
    pue.colo pue.on_prem pue.edge pue.cloud.aws pue.cloud.azure pue.cloud.gcp pue.cloud colo.usd_per_kw_month
    colo.multiplier.EU colo.multiplier.APAC colo.multiplier.nordics finance.discount_rate
    finance.amortisation_years finance.residual_share finance.maintenance_share_per_year
    finance.staff_usd_per_fte_year finance.gpus_per_fte finance.fabric_share finance.spares_share
    power.idle_fraction power.inference_load power.training_load power.headroom power.node_per_tdp
    rack.density.air rack.density.air_contained rack.density.rear_door rack.density.direct_liquid
    rack.density.passive lead_time.server_months lead_time.colo_months sizing.throughput_derate
    sizing.utilisation_cap sizing.prefill_decode_ratio sizing.kv_memory_share sizing.wait_quantile
    sizing.batch_overhead sizing.input_tokens sizing.output_tokens sizing.burstiness_cv spot.lost_work_share
    standby.warm_fraction standby.hot_rto_minutes standby.warm_rto_minutes standby.cold_rto_minutes
    network.bytes_per_token migration.usd_per_move hosting.api_ttft_ms hosting.api_tpot_ms
    storage.archive_share demand.growth_uncertainty price.uncertainty latency.local_ms latency.private_overhead
""".split()  # noqa: SIM905 - a block reads better than sixty lines


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The shipped catalogue."""
    return load_catalog()


@pytest.fixture(scope="module")
def shared_facts(repo_root: Path) -> Path:
    """Folder of the fact book beside the repository; skips where it is absent."""
    folder = repo_root.parent / "shared" / "facts"
    if not folder.is_dir():
        pytest.skip("the fact book is not beside this clone")
    return folder


def all_rows(catalog: Catalog) -> Iterator[Any]:
    """Rows of every table that carries provenance."""
    for name in Catalog.__slots__:
        table = getattr(catalog, name)
        if isinstance(table, tuple):
            yield from table


def repeated(keys: Iterable[Hashable]) -> list[Hashable]:
    """Keys that occur more than once."""
    return [key for key, count in Counter(keys).items() if count > 1]


def test_every_row_names_sources_that_are_explained(catalog: Catalog) -> None:
    """No source key without a line in `sources.csv`, and no line nobody uses."""
    used = {key for row in all_rows(catalog) for key in row.provenance.source.split(";")}
    assert used == set(catalog.sources)
    assert all(catalog.sources.values())


def test_every_row_is_dated(catalog: Catalog) -> None:
    """Dates parse, and none lies after the catalogue's own year."""
    year = int(catalog.as_of[:4])
    assert all(2000 < last_day(row.provenance.as_of).year <= year for row in all_rows(catalog))


def test_judgement_is_graded_as_judgement(catalog: Catalog) -> None:
    """A row that rests on our own judgement alone is never graded better than an estimate."""
    own = {"tripoint-judgement", "book-estimate"}
    rows: list[Provenance] = [row.provenance for row in all_rows(catalog)]
    alone = [provenance for provenance in rows if set(provenance.source.split(";")) <= own]
    assert len(alone) > 50
    assert {provenance.confidence for provenance in alone} == {Confidence.ESTIMATE}


def test_modelled_speeds_are_never_called_measured(catalog: Catalog) -> None:
    """Only benchmark logs are measured."""
    measured = [row for row in catalog.throughput if row.provenance.confidence is Confidence.MEASURED]
    assert measured
    assert all(row.provenance.source.startswith("mlperf-") for row in measured)


def test_ranges_enclose_the_value_used(catalog: Catalog) -> None:
    """low <= typical <= high wherever a range is given."""
    ranges = [(row.key, row.low, row.typical, row.high) for row in catalog.defaults]
    ranges += [(row.provider, row.low, row.typical, row.high) for row in catalog.price_ratios]
    ranges += [(row.region, row.low, row.typical, row.high) for row in catalog.electricity]
    ranges += [(f"{row.source} {row.target}", row.low_ms, row.typical_ms, row.high_ms) for row in catalog.latency]
    ranges += [(row.model, row.low, row.tokens_per_s_per_gpu, row.high) for row in catalog.throughput]
    wrong = [
        name
        for name, low, typical, high in ranges
        if (low is not None and low > typical) or (high is not None and high < typical)
    ]
    assert wrong == []
    assert all(
        node.purchase_usd_high is not None and node.purchase_usd_low <= node.purchase_usd_high
        for node in catalog.node_types
        if node.purchase_usd_low is not None
    )


def test_keys_are_unique(catalog: Catalog) -> None:
    """A look-up finds one row."""
    assert repeated(row.id for row in catalog.accelerators) == []
    assert repeated(row.id for row in catalog.node_types) == []
    assert repeated((r.provider, r.sku, r.region, r.option, r.term_months) for r in catalog.compute_prices) == []
    assert repeated((r.provider, r.option, r.term_months) for r in catalog.price_ratios) == []
    assert repeated(row.id for row in catalog.api_prices) == []
    assert repeated((r.provider, r.path, r.scope, r.from_gb) for r in catalog.egress) == []
    assert repeated((r.provider, r.product, r.capacity_gbps) for r in catalog.ports) == []
    assert repeated((r.provider, r.tier) for r in catalog.storage) == []
    assert repeated((r.provider, r.region.lower()) for r in catalog.regions) == []
    assert repeated(frozenset((r.source, r.target)) for r in catalog.latency) == []
    assert repeated(row.region for row in catalog.electricity) == []
    assert repeated(row.key for row in catalog.defaults) == []
    assert repeated(row.id for row in catalog.models) == []
    assert repeated((r.workload, r.accelerator, r.gpus) for r in catalog.training) == []
    assert repeated((r.regime, r.rule) for r in catalog.regimes) == []
    assert repeated(row.name for row in catalog.country_sets) == []
    assert (
        repeated(
            (r.model, r.accelerator, r.precision, r.scenario, r.input_tokens, r.output_tokens)
            for r in catalog.throughput
        )
        == []
    )


def test_tables_refer_to_rows_that_exist(catalog: Catalog) -> None:
    """SKUs have node types, node types have accelerators, speeds have models and accelerators."""
    chips: set[str] = {row.id for row in catalog.accelerators}
    nodes: dict[str, NodeType] = {row.id: row for row in catalog.node_types}
    models = {row.id for row in catalog.models}
    assert {node.accelerator for node in nodes.values()} <= chips
    assert {row.accelerator for row in catalog.throughput} <= chips
    assert {row.accelerator for row in catalog.training} <= chips
    assert {row.model for row in catalog.throughput} <= models
    assert all(nodes[row.sku].provider == row.provider for row in catalog.compute_prices)


def test_every_cloud_sku_has_a_price_and_a_draw(catalog: Catalog) -> None:
    """A SKU that cannot be bought or whose carbon cannot be told is of no use."""
    priced = {row.sku for row in catalog.compute_prices}
    rented = [node for node in catalog.node_types if node.provider is not None]
    assert {node.id for node in rented} == priced
    assert all(node.max_kw and node.typical_kw and node.typical_kw <= node.max_kw for node in catalog.node_types)


def test_ownable_systems_have_a_price_range(catalog: Catalog) -> None:
    """Hardware without provider is bought, so its range is known."""
    owned = {node.id for node in catalog.node_types if node.provider is None}
    wanted = "dgx-a100-640 dgx-h100 dgx-h200 dgx-b200 hgx-mi300x gb200-nvl72 l40s-8 rtxpro6000-8 l4-4-edge l4-1-edge"
    assert {*wanted.split(), "orin-edge-box"} <= owned
    assert all(node.purchase_usd_low for node in catalog.node_types if node.provider is None)


def test_a_node_draws_at_least_what_its_chips_are_designed_for(catalog: Catalog) -> None:
    """Nameplate of a node is no less than the design power of its accelerators."""
    tdp = {chip.id: chip.tdp_w for chip in catalog.accelerators}
    for node in catalog.node_types:
        watts = tdp[node.accelerator]
        assert watts is not None
        assert node.max_kw is not None
        assert node.max_kw * 1000 >= watts * node.gpus * 0.99, node.id


def test_prices_name_regions_that_are_known(catalog: Catalog) -> None:
    """A priced region has a country, so that residency can be judged."""
    known = {(row.provider, row.region) for row in catalog.regions}
    priced = {(row.provider, row.region) for row in catalog.compute_prices if row.region != "global"}
    assert priced <= known


def test_regions_have_a_country_and_a_geography(catalog: Catalog) -> None:
    """Countries are alpha-2; each lies in one geography."""
    assert all(ALPHA_2.fullmatch(row.country) for row in catalog.regions)
    assert {row.geo for row in catalog.regions} == GEOS
    assert len({row.country for row in catalog.regions}) == len({(row.country, row.geo) for row in catalog.regions})


def test_country_sets_hold_codes(catalog: Catalog) -> None:
    """Sets are alpha-2 codes; the EU lies in the EEA and counts 27, the EEA 30."""
    sets = {row.name: set(row.members) for row in catalog.country_sets}
    assert all(ALPHA_2.fullmatch(code) for members in sets.values() for code in members)
    assert (len(sets["EU"]), len(sets["EEA"])) == (27, 30)
    assert sets["EU"] < sets["EEA"]
    assert "US" not in sets["GDPR_adequate"]


def test_electricity_is_keyed_by_country_or_state(catalog: Catalog) -> None:
    """`DE`, `US-TX`, `CA-QC`."""
    assert all(re.fullmatch(r"[A-Z]{2}(-[A-Z]{2})?", row.region) for row in catalog.electricity)


def test_every_country_with_a_region_has_a_price_of_electricity_or_a_neighbour(catalog: Catalog) -> None:
    """A colo in a country where a cloud is needs an energy price too."""
    known = {row.region for row in catalog.electricity}
    assert {row.country for row in catalog.regions} <= known


def test_egress_tiers_are_contiguous_from_zero_and_never_open_twice(catalog: Catalog) -> None:
    """Every tariff covers every volume once."""
    tariffs: dict[tuple[str, str, str], list[EgressTier]] = {}
    for row in catalog.egress:
        tariffs.setdefault((row.provider, row.path, row.scope), []).append(row)
    for key, tiers in tariffs.items():
        assert tiers[0].from_gb == 0, key
        assert tiers[-1].to_gb is None, key
        assert all(low.to_gb == high.from_gb for low, high in pairwise(tiers)), key


def test_every_provider_who_rents_nodes_has_the_tables_a_plan_needs(catalog: Catalog) -> None:
    """Transfer on all three paths for any region, hot storage, and a committed ratio."""
    providers = {row.provider for row in catalog.compute_prices}
    for path in ("internet", "inter_region", "interconnect"):
        assert providers <= {row.provider for row in catalog.egress if row.path == path and row.scope == "any"}
    assert providers <= {row.provider for row in catalog.storage if row.tier == "hot"}
    for term in (12, 36):
        ratios = {
            row.provider
            for row in catalog.price_ratios
            if row.option is PurchaseOption.COMMITTED and row.term_months == term
        }
        assert providers <= ratios


def test_ratios_to_on_demand_are_discounts_and_longer_terms_cost_less(catalog: Catalog) -> None:
    """0 < ratio < 1, and three years beat one."""
    assert all(row.low > 0 and row.high < 1 for row in catalog.price_ratios)
    by_key = {(row.provider, row.term_months): row.typical for row in catalog.price_ratios if row.term_months}
    assert all(by_key[provider, 36] < by_key[provider, 12] for provider, _ in by_key)


def test_committed_rows_have_a_term_and_others_none(catalog: Catalog) -> None:
    """12 or 36 months, and only for commitments."""
    ways = {(row.option, row.term_months) for row in catalog.compute_prices}
    ways |= {(row.option, row.term_months) for row in catalog.price_ratios}
    committed = PurchaseOption.COMMITTED
    assert {term for option, term in ways if option is committed} == {12, 36}
    assert {term for option, term in ways if option is not committed} == {None}


def test_throughput_points_are_whole_configurations(catalog: Catalog) -> None:
    """Known words only, and no bound on offline points."""
    for row in catalog.throughput:
        assert row.precision in PRECISIONS
        assert row.scenario in SCENARIOS
        assert row.input_tokens > 0
        is_offline = row.scenario == "offline"
        assert (row.ttft_ms is None) == is_offline, row
        assert (row.tpot_ms is None) == is_offline, row


def test_tighter_bounds_never_make_a_system_faster(catalog: Catalog) -> None:
    """Interactive <= server on the same configuration of the same benchmark."""
    speeds = {
        (r.model, r.accelerator, r.precision, r.input_tokens, r.output_tokens, r.scenario): r.tokens_per_s_per_gpu
        for r in catalog.throughput
        if r.provenance.confidence is Confidence.MEASURED
    }
    pairs = [(speed, speeds[(*key[:-1], "server")]) for key, speed in speeds.items() if key[-1] == "interactive"]
    assert len(pairs) > 10
    assert all(tight <= loose for tight, loose in pairs)


def test_every_default_the_rooms_read_is_there(catalog: Catalog) -> None:
    """Keys are a contract between the catalogue and the engines."""
    assert set(DEFAULT_KEYS) <= {row.key for row in catalog.defaults}


def test_regimes_name_countries_and_sets_that_exist(catalog: Catalog) -> None:
    """Every allowed place is a code or a set of the catalogue, and every regime says it is not advice."""
    sets = {row.name for row in catalog.country_sets}
    assert all(name in sets or ALPHA_2.fullmatch(name) for row in catalog.regimes for name in row.allow)
    assert all("not legal advice" in row.summary for row in catalog.regimes)


def test_examples_can_price_what_the_brief_promises(catalog: Catalog) -> None:
    """AWS in Frankfurt and Dublin, with the derivation in the row's note."""
    made = [
        row for row in catalog.compute_prices if row.provider == "aws" and row.region in ("eu-central-1", "eu-west-1")
    ]
    assert {"p5.48xlarge", "p4de.24xlarge", "g6e.xlarge", "g5.xlarge"} <= {row.sku for row in made}
    assert all("not a list price" in row.note for row in made)
    assert {row.provenance.confidence for row in made} == WEAK_OR_MADE


def test_sources_hold_no_package_registry() -> None:
    """Nothing shipped names a registry host."""
    text = files("tripoint").joinpath("catalogs", "sources.csv").read_text(encoding="utf-8").lower()
    assert not re.search(r"pypi|npmjs|pythonhosted|https?://", text)


def test_observed_prices_equal_the_fact_book(catalog: Catalog, shared_facts: Path) -> None:
    """A shipped price is a row of the book, or says by its grade that it was made."""
    options: dict[str, tuple[str, int | None]] = {"commit_1y": ("committed", 12), "commit_3y": ("committed", 36)}
    book: dict[tuple[str, str, str, str, int | None], float] = {}
    with (shared_facts / "B_gpu_cloud_prices.csv").open(newline="", encoding="utf-8") as handle:
        for line in csv.DictReader(handle):
            provider = line["provider"].lower().removesuffix(" secure")
            option, term = options.get(line["pricing"], (line["pricing"], None))
            book[provider, line["sku"], line["region"], option, term] = float(line["usd_per_hour"])
    observed = [row for row in catalog.compute_prices if row.provenance.confidence not in WEAK_OR_MADE]
    assert len(observed) > 150
    for row in observed:
        sku = row.sku.removeprefix(f"{row.provider}-").removesuffix("-1x")
        known = book.get((row.provider, sku, row.region, row.option.value, row.term_months))
        assert known == row.usd_per_hour, row


def test_api_prices_equal_the_fact_book(catalog: Catalog, shared_facts: Path) -> None:
    """Every token price, both ways."""
    with (shared_facts / "B_llm_api_prices.csv").open(newline="", encoding="utf-8") as handle:
        book = {
            f"{row['provider']}/{row['model']}": (
                float(row["usd_in_per_mtok"]),
                float(row["usd_out_per_mtok"] or 0),
            )
            for row in csv.DictReader(handle)
        }
    assert {row.id: (row.usd_in_per_mtok, row.usd_out_per_mtok) for row in catalog.api_prices} == book


@pytest.mark.slow
def test_the_wheel_carries_every_table(repo_root: Path, tmp_path: Path) -> None:
    """An installed tripoint has its catalogue."""
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        missing_component("the build backend, setuptools 77 or later, is not installed here")
    project = tmp_path / "project"
    project.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        if (repo_root / name).is_file():
            shutil.copy(repo_root / name, project / name)
    shutil.copytree(repo_root / "src", project / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    script = "import setuptools.build_meta as backend; backend.build_wheel('.')"
    run = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    wheel = next(project.glob("*.whl"))
    tables = {f"tripoint/catalogs/{p.name}" for p in (repo_root / "src/tripoint/catalogs").glob("*.csv")}
    assert len(tables) == 18
    assert tables <= set(zipfile.ZipFile(wheel).namelist())
