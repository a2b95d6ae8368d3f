"""The checks as tables: complete, consistent with the types, and quiet on what is right.

What each finding says is held by the goldens of `tests/goldens/findings`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tripoint
from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.demand import DemandProfile
from tripoint.domain.estate import Estate, Horizon
from tripoint.domain.findings import FINDING_CODES
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import Layer, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Slo, Workload, WorkloadKind
from tripoint.engines.checks import check_estate, check_profiles
from tripoint.engines.checks.references.known import SHAPE_NAMES, known_names
from tripoint.engines.checks.references.names import _REFERENCES
from tripoint.engines.checks.values.assumptions import _RANGES as ASSUMPTION_RANGES
from tripoint.engines.checks.values.ranges import _RANGES
from tripoint.engines.checks.values.times import is_month
from tripoint.engines.checks.walk import entries
from tripoint.engines.sizing.demand.shapes import shape_names

CATALOG = load_catalog()
CLOUD = Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1")
TRAINING = Workload(
    id=WorkloadId("train"),
    kind=WorkloadKind.TRAINING,
    demand=Demand(gpu_hours_per_month=10.0, reference_accelerator="h100-sxm"),  # type: ignore[arg-type]
)
ESTATE = Estate(apiVersion="tripoint/v1", sites=(CLOUD,), workloads=(TRAINING,))


def codes(estate: Estate) -> list[tuple[str, str]]:
    """Code and path of every finding."""
    return [(said.code, said.path) for said in check_estate(estate, CATALOG)]


def bare(annotation: Any) -> Any:
    """The type without `| None`, `NewType` and tuple."""
    if isinstance(annotation, NewType):
        return bare(annotation.__supertype__)
    if get_origin(annotation) in (UnionType, Union, tuple):
        return bare(next(each for each in get_args(annotation) if each not in (type(None), Ellipsis)))
    return annotation


def declared_types(kind: Any, seen: set[Any]) -> Iterator[Any]:
    """Every dataclass an estate is made of."""
    if kind in seen or not is_dataclass(kind):
        return
    seen.add(kind)
    yield kind
    for annotation in get_type_hints(kind).values():
        yield from declared_types(bare(annotation), seen)


def test_an_estate_that_is_right_has_no_findings() -> None:
    """The least estate is quiet."""
    assert codes(ESTATE) == []


def test_every_declared_number_has_a_range() -> None:
    """A new numeric field must say what it can mean; only weights, checked as a whole, are exempt."""
    exempt = {(Demand, "hour_of_week")}
    missing = {
        (kind.__name__, each.name)
        for kind in declared_types(Estate, set())
        for each in fields(kind)
        if bare(get_type_hints(kind)[each.name]) in (int, float)
        if (kind, each.name) not in _RANGES and (kind, each.name) not in exempt
    }
    assert missing == set()


@pytest.mark.parametrize("table", [_RANGES, _REFERENCES], ids=["ranges", "references"])
def test_tables_name_fields_that_exist(table: dict[tuple[type, str], object]) -> None:
    """A renamed field cannot silently lose its check."""
    for kind, name in table:
        assert name in get_type_hints(kind)


def test_defaults_of_every_type_are_in_range() -> None:
    """Nobody is told about a number they did not declare."""
    for (kind, name), bounds in _RANGES.items():
        default = next(each.default for each in fields(kind) if each.name == name)
        if isinstance(default, (int, float)):
            assert bounds.admits(default), (kind, name)


def test_catalogue_values_of_assumptions_are_in_range() -> None:
    """Declaring a default's own value, or either end of its range, is always accepted."""
    for row in CATALOG.defaults:
        for value in (row.low, row.typical, row.high):
            if value is not None:
                assert codes(replace(ESTATE, assumptions={row.key: value})) == [], row.key


def test_ranges_of_assumptions_name_defaults_that_exist() -> None:
    """Each bound is for a key or a family of the catalogue."""
    keys = [row.key for row in CATALOG.defaults]
    for name in ASSUMPTION_RANGES:
        assert any(key == name or (name.endswith(".") and key.startswith(name)) for key in keys), name


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("sizing.prefill_decode_ratio", 0.0, "TP1302"),
        ("pue.colo", 0.9, "TP1304"),
        ("finance.discount_rate", 8.0, "TP1301"),
        ("migration.usd_per_move", -1.0, "TP1302"),
        ("latency.local_ms", 1e300, "TP1302"),
    ],
)
def test_assumptions_no_plan_can_compute_with_are_refused(key: str, value: float, code: str) -> None:
    """Zero divisors, percentages, negative money and absurd sizes are told at their key."""
    assert codes(replace(ESTATE, assumptions={key: value})) == [(code, f'assumptions["{key}"]')]


def test_shapes_known_to_the_checks_are_those_the_planner_has() -> None:
    """The list the checks accept and the shapes sizing can draw are one."""
    assert shape_names() == SHAPE_NAMES


def test_every_code_in_the_source_is_registered() -> None:
    """A finding with a code outside the registry would fail only when it occurs."""
    root = Path(tripoint.__file__).parent
    used = {
        code
        for path in root.rglob("*.py")
        for code in re.findall(r'"(TP1[0-6]\d\d)"', path.read_text(encoding="utf-8"))
    }
    assert used - {"TP1000"} == set(FINDING_CODES)


def test_paths_of_the_walk_lead_to_every_field() -> None:
    """Items of lists are numbered, nested mappings joined with dots."""
    paths = {entry.path for entry in entries(ESTATE)}
    assert {"horizon.months", "sites[0].id", "workloads[0].demand.gang_gpus", "policies.residency"} <= paths


@given(st.one_of(st.text(max_size=10), st.from_regex(r"[0-9]{4}-[0-9]{2}", fullmatch=True)))
def test_months_are_four_digits_a_dash_and_two(text: str) -> None:
    """Whatever is accepted as a month can be split into a year and a month of the calendar."""
    if is_month(text):
        year, month = text.split("-")
        assert 1900 <= int(year) <= 2199
        assert 1 <= int(month) <= 12


@given(
    st.integers(1, 120).flatmap(lambda period: st.tuples(st.integers(1, 120), st.just(min(period, 12)))),
)
def test_a_horizon_is_refused_exactly_when_periods_do_not_fill_it(lengths: tuple[int, int]) -> None:
    """36 months in threes are right, 35 are not, and the hint's lengths would be accepted."""
    months, period = lengths
    said = check_estate(replace(ESTATE, horizon=Horizon(months=months, period_months=period)), CATALOG)
    assert bool(said) == bool(months % period)
    for finding in said:
        for length in re.findall(r"\d+", finding.hint):
            assert int(length) % period == 0


def test_nodes_with_an_own_price_may_be_anyones_sku() -> None:
    """A SKU of another provider is an error without a price of one's own, and fine with it."""
    pool = NodePool(node_type=NodeTypeId("p5.48xlarge"))
    site = replace(CLOUD, provider="azure", region="westeurope", pools=(pool,))
    assert codes(replace(ESTATE, sites=(site,))) == [("TP1321", "sites[0].pools[0].node_type")]
    priced = replace(site, pools=(replace(pool, usd_per_hour=50.0),))
    assert codes(replace(ESTATE, sites=(priced,))) == []


def test_an_unpriced_provider_is_fine_with_pools_of_its_own() -> None:
    """The catalogue need not know a provider whose rates the estate declares."""
    unknown = replace(CLOUD, provider="nobody", region=None, country="DE")
    assert codes(replace(ESTATE, sites=(unknown,))) == [("TP1207", "sites[0].provider")]
    pool = NodePool(node_type=NodeTypeId("dgx-h100"), usd_per_hour=40.0)
    assert codes(replace(ESTATE, sites=(replace(unknown, pools=(pool,)),))) == []


def test_renting_in_a_place_of_your_own_needs_a_rate() -> None:
    """A colo may rent nodes when the pool says at what price."""
    power = PowerEnvelope(it_kw=50.0)
    pool = NodePool(node_type=NodeTypeId("dgx-h100"), options=(PurchaseOption.ON_DEMAND,))
    site = Site(id=SiteId("colo"), kind=SiteKind.COLO, country="NL", power=power, pools=(pool,))
    assert codes(replace(ESTATE, sites=(site,))) == [("TP1318", "sites[0].pools[0].options[0]")]
    rated = replace(site, pools=(replace(pool, usd_per_hour=30.0),))
    assert codes(replace(ESTATE, sites=(rated,))) == []


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        (OwnPrice(provider="AWS", discount=0.1), True),
        (OwnPrice(sku="p5.48xlarge", usd_per_hour=40.0), True),
        (OwnPrice(sku="p5.48xlarge", region="us-east-1", usd_per_hour=40.0), False),
        (OwnPrice(option=PurchaseOption.OWNED, discount=0.1), False),
        (OwnPrice(option=PurchaseOption.PER_TOKEN, discount=0.1), True),
        (OwnPrice(sku="gpt-4o-mini", discount=0.1), True),
        (OwnPrice(sku="gpt-4o-mini", usd_per_hour=1.0), False),
    ],
)
def test_price_lines_match_by_every_field_they_declare(line: OwnPrice, matches: bool) -> None:
    """Provider without regard to case, SKU or API model, region and option must all agree."""
    site = replace(CLOUD, pools=(NodePool(node_type=NodeTypeId("p5.48xlarge")),), apis=("openai/gpt-4o-mini",))
    said = codes(replace(ESTATE, sites=(site,), prices=(line,)))
    assert said == ([] if matches else [("TP1506", "prices[0]")])


@pytest.mark.parametrize("kind", list(WorkloadKind))
def test_a_workload_without_demand_is_told_what_its_kind_needs(kind: WorkloadKind) -> None:
    """Each kind has a finding of its own wording, and none when a profile is named."""
    load = replace(TRAINING, kind=kind, demand=Demand())
    assert ("TP1314", "workloads[0].demand") in codes(replace(ESTATE, workloads=(load,)))
    fitted = replace(load, demand=Demand(profile="x.json"))
    assert "TP1314" not in dict(codes(replace(ESTATE, workloads=(fitted,))))


def test_fields_of_other_kinds_are_pointed_out() -> None:
    """A latency objective on training and GPU-hours on inference mean nothing."""
    load = replace(TRAINING, slo=Slo(ttft_ms=500.0))
    assert codes(replace(ESTATE, workloads=(load,))) == [("TP1313", "workloads[0].slo.ttft_ms")]
    chat = replace(TRAINING, kind=WorkloadKind.INFERENCE, model=ModelId("m"))
    said = codes(replace(ESTATE, workloads=(chat,)))
    assert ("TP1313", "workloads[0].demand.gpu_hours_per_month") in said


def test_a_shape_may_stand_beside_a_profile_but_a_rate_may_not() -> None:
    """A short trace shows no week, so the declared shape still counts; its rate is always the profile's."""
    demand = Demand(profile="x.json", shape="office_hours", requests_per_s=4.0)
    chat = replace(TRAINING, kind=WorkloadKind.INFERENCE, demand=demand)
    paths = [path for code, path in codes(replace(ESTATE, workloads=(chat,))) if code == "TP1312"]
    assert paths == ["workloads[0].demand.requests_per_s"]


def test_profiles_must_be_of_the_workloads_sort_and_show_some_load() -> None:
    """A GPU-job log fits training; a request trace does not; an empty one fits nothing."""
    jobs = DemandProfile(name="j", kind="gpu_jobs", source="j.csv", window_s=60.0, rows=1, gpu_hours=5.0)
    assert list(check_profiles(ESTATE, {WorkloadId("train"): jobs})) == []
    for wrong in (replace(jobs, kind="requests"), replace(jobs, gpu_hours=None)):
        said = list(check_profiles(ESTATE, {WorkloadId("train"): wrong}))
        assert [(each.code, each.path) for each in said] == [("TP1154", "workloads[0].demand.profile")]


def test_groups_of_sites_are_the_kinds_and_layers() -> None:
    """`edge` is both a kind and a layer, and is named once."""
    groups = known_names(ESTATE, CATALOG).groups
    assert sorted(groups) == sorted({*SiteKind, *Layer})
    assert len(groups) == len(set(groups))
