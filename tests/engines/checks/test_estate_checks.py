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
from tripoint.domain.estate import Estate, Finance, Horizon
from tripoint.domain.findings import FINDING_CODES
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import ExpansionStep, Layer, PowerEnvelope, Redundancy, Site, SiteKind
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Slo, Workload, WorkloadKind
from tripoint.engines.checks import check_estate, check_profiles
from tripoint.engines.checks.references.known import known_names
from tripoint.engines.checks.references.names import _REFERENCES, unknown
from tripoint.engines.checks.values.assumptions import _RANGES as ASSUMPTION_RANGES
from tripoint.engines.checks.values.ranges import _RANGES
from tripoint.engines.checks.values.times import is_month
from tripoint.engines.checks.walk import entries

CATALOG = load_catalog()
CLOUD = Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1")
TRAINING = Workload(
    id=WorkloadId("train"),
    kind=WorkloadKind.TRAINING,
    demand=Demand(gpu_hours_per_month=10.0, reference_accelerator="h100-sxm"),  # type: ignore[arg-type]  # ids are plain text here
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


@pytest.mark.parametrize(
    ("name", "others", "told"),
    [
        ("cloud", ("cloud", "cloud"), True),
        ("public", ("colo", "cloud"), True),
        ("colo", ("cloud", "cloud"), False),
        ("here", ("cloud", "cloud"), False),
    ],
)
def test_a_site_called_like_a_group_that_holds_others_is_told_where_it_is_named(
    name: str, others: tuple[str, str], told: bool
) -> None:
    """Whoever names it in `only_at` or `not_at` means more; a site called so that nobody names misleads nobody."""
    first = replace(CLOUD, id=SiteId(name), kind=SiteKind(others[0]))
    sites = (first, replace(CLOUD, id=SiteId("second"), kind=SiteKind(others[1])))
    silent = replace(ESTATE, sites=sites)
    assert "TP1218" not in {code for code, _ in codes(silent)}
    load = replace(TRAINING, only_at=("second", name))
    found = [path for code, path in codes(replace(silent, workloads=(load,))) if code == "TP1218"]
    assert found == (["workloads[0].only_at[1]"] if told else [])


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


def test_every_code_in_the_source_is_registered() -> None:
    """A finding with a code outside the registry would fail only when it occurs."""
    root = Path(tripoint.__file__).parent
    used = {
        code
        for path in root.rglob("*.py")
        for code in re.findall(r'"(TP1[0-8]\d\d)"', path.read_text(encoding="utf-8"))
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
    horizon = Horizon(months=months, period_months=period, review_months=period)
    said = check_estate(replace(ESTATE, horizon=horizon), CATALOG)
    assert bool(said) == bool(months % period)
    for finding in said:
        for length in re.findall(r"\d+", finding.hint):
            assert int(length) % period == 0


@pytest.mark.parametrize(
    ("period", "review", "hint"),
    [(3, 12, None), (3, 10, "use 9 or 12 months"), (5, 12, "use 10 or 15 months"), (3, 1, "use 3 months")],
)
def test_reviews_are_whole_periods_apart(period: int, review: int, hint: str | None) -> None:
    """Both numbers are told, and lengths that would do; a review after the end of the plan is never held."""
    horizon = Horizon(months=30, period_months=period, review_months=review)
    said = check_estate(replace(ESTATE, horizon=horizon), CATALOG)
    assert [each.hint for each in said] == ([] if hint is None else [hint])
    for each in said:
        assert (each.code, each.path) == ("TP1306", "horizon.review_months")
        assert each.message == f"reviews every {review} months are not whole periods of {period} months"
    beyond = replace(horizon, months=period)
    assert review < period or codes(replace(ESTATE, horizon=beyond)) == []


@pytest.mark.parametrize(("nodes", "hint"), [(-5, "check the sign"), (2e15, "check the unit")])
def test_a_number_out_of_range_is_hinted(nodes: int, hint: str) -> None:
    """Where a field has no hint of its own the sign or the unit is the likely mistake."""
    site = Site(id=SiteId("hall"), kind=SiteKind.COLO, pools=(NodePool(node_type="dgx-h100", held=int(nodes)),))  # type: ignore[arg-type]  # a plain name
    said = check_estate(replace(ESTATE, sites=(site,)), CATALOG)
    assert [each.hint for each in said if each.code == "TP1302"] == [hint]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("gpu_hours_per_month", 1e16, "is 1e+16, expects at most 1e+15 GPU-hours per month"),
        ("requests_per_s", 1e9, "is 1e+09 requests per second, expects 0 to 1e+08 requests per second"),
        ("requests_per_day", 1e13, "is 1e+13 requests per day, expects 0 to 8.64e+12 requests per day"),
        ("input_tokens", 1e9, "is 1e+09 tokens, expects more than 0 to 1e+08 tokens"),
    ],
)
def test_a_number_that_is_too_large_is_told_the_largest(field: str, value: float, message: str) -> None:
    """Not what it must be at least, which it is."""
    demand = replace(TRAINING.demand, **{field: value})  # type: ignore[arg-type]  # a field of the case
    load = replace(TRAINING, demand=demand)
    said = check_estate(replace(ESTATE, workloads=(load,)), CATALOG)
    assert message in [each.message for each in said if each.code == "TP1302"]


@pytest.mark.parametrize(
    ("months", "hint"), [(0, "plan a longer time"), (-3, "plan a longer time"), (121, "plan a shorter time")]
)
def test_a_horizon_out_of_range_is_hinted_in_the_right_direction(months: int, hint: str) -> None:
    """Nobody who plans for no time at all is told to plan for less."""
    said = check_estate(replace(ESTATE, horizon=Horizon(months=months, period_months=1)), CATALOG)
    assert [each.hint for each in said if each.code == "TP1307"] == [hint]


@pytest.mark.parametrize(
    ("currency", "hint"),
    [
        ("EUR", None),
        ("euro", "write `EUR`"),
        ("€", "write `EUR`"),
        ("chf", "write `CHF`"),
        (" usd", "write `USD`"),
        ("doubloons", "for example `EUR`"),
        ("", "for example `EUR`"),
    ],
)
def test_currencies_are_iso_codes_in_capitals(currency: str, hint: str | None) -> None:
    """What was meant is hinted; a rate is asked for once the code is right."""
    said = check_estate(replace(ESTATE, finance=Finance(currency=currency)), CATALOG)
    told = [(each.code, each.path, each.hint) for each in said]
    rate = ("TP1311", "finance.currency", "declare `finance.usd_per_unit`")
    assert told == [rate if hint is None else ("TP1104", "finance.currency", hint)]


@pytest.mark.parametrize(("text", "hint"), [("2028", "2028-01"), ("2027-13", "2027-01"), ("soon", "2027-01")])
def test_a_month_that_is_none_is_answered_with_one(text: str, hint: str) -> None:
    """A bare year gets its own January."""
    said = check_estate(replace(ESTATE, horizon=Horizon(start=text)), CATALOG)
    assert [(each.code, each.hint) for each in said] == [("TP1305", f"for example `{hint}`")]


def hall(power: PowerEnvelope, *pools: NodePool) -> Estate:
    """An estate of one cage with these pools."""
    site = Site(id=SiteId("colo"), kind=SiteKind.COLO, country="NL", power=power, pools=pools)
    return replace(ESTATE, sites=(site,))


H100 = NodePool(node_type=NodeTypeId("dgx-h100"), held=1)


@pytest.mark.parametrize(
    ("power", "held", "told"),
    [
        (PowerEnvelope(it_kw=6.0), 1, "the node held draws up to 10.2 kW, the site may load 6 kW"),
        (PowerEnvelope(it_kw=20.0), 2, "the 2 nodes held draw up to 20.4 kW, the site may load 20 kW"),
        (PowerEnvelope(it_kw=20.4), 2, None),
        (
            PowerEnvelope(it_kw=20.4, feeds=Redundancy.TWO_N, envelope_is_after_redundancy=False),
            2,
            "the 2 nodes held draw up to 20.4 kW, the site may load 10.2 kW",
        ),
        (PowerEnvelope(it_kw=6.0), 0, None),
    ],
)
def test_held_nodes_beyond_the_envelope_are_told_with_both_numbers(
    power: PowerEnvelope, held: int, told: str | None
) -> None:
    """By nameplate, against what redundancy leaves: exactly what the plan would have to retire."""
    said = check_estate(hall(power, replace(H100, held=held)), CATALOG)
    assert [(each.code, each.path, each.message) for each in said] == (
        [] if told is None else [("TP1323", "sites[0].power.it_kw", told)]
    )


def test_power_beyond_the_racks_is_told_with_both_numbers() -> None:
    """45 MW for three racks is a note; racks of an expansion step count as racks."""
    power = PowerEnvelope(it_kw=45_000.0, racks=3, rack_density_kw=21.0)
    estate = hall(power, H100)
    said = check_estate(estate, CATALOG)
    assert [(each.code, each.path) for each in said] == [("TP1324", "sites[0].power.it_kw")]
    assert said[0].message == "the site may load 45,000 kW, its 3 racks of 21 kW carry 63 kW"
    assert codes(hall(replace(power, it_kw=63.0), H100)) == []
    step = ExpansionStep(id="row", adds_racks=3)
    grown = replace(estate.sites[0], power=replace(power, it_kw=100.0), expansion=(step,))
    assert codes(replace(ESTATE, sites=(grown,))) == []


@pytest.mark.parametrize(
    ("line", "path", "hint"),
    [
        (OwnPrice(provider="AWS", sku="p55.48xlarge", usd_per_hour=30.0), "sku", "did you mean `p5.48xlarge`"),
        (OwnPrice(sku="gpt-4o-minni", discount=0.1), "sku", "did you mean `gpt-4o-mini`"),
        (OwnPrice(provider="asw", discount=0.1), "provider", "did you mean `aws`"),
        (OwnPrice(provider="aws", region="eu-centrl-1", discount=0.1), "region", "did you mean `eu-central-1`"),
        (OwnPrice(region="westeurope", provider="aws", discount=0.1), "region", "known: `eu-central-1`"),
    ],
)
def test_names_in_price_lines_that_nobody_knows_are_told_with_the_nearest(line: OwnPrice, path: str, hint: str) -> None:
    """At a rented site without `pools` too, where a misspelt line would leave list prices in place unnoticed."""
    said = check_estate(replace(ESTATE, prices=(line,)), CATALOG)
    assert [(each.code, each.path) for each in said] == [("TP1506", f"prices[0].{path}")]
    assert said[0].hint.startswith(hint)


def test_names_in_price_lines_may_be_the_estate_s_own_and_of_any_case() -> None:
    """Own node types, own providers and their regions are known names; a SKU another vendor sells prices nothing."""
    node = replace(CATALOG.node_types[0], id=NodeTypeId("big-box"), provider="nobody")
    site = replace(CLOUD, provider="Nobody", region="north-1", country="NO")
    line = OwnPrice(provider="NOBODY", sku="Big-Box", region="North-1", usd_per_hour=30.0)
    own = replace(ESTATE, sites=(site,), node_types=(node,), prices=(line,))
    assert codes(own) == []
    other = replace(line, provider=None, region=None, sku="p5.48xlarge")
    assert codes(replace(own, prices=(other,))) == [("TP1506", "prices[0]")]


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        (OwnPrice(provider="aws"), "none is declared", "declare one"),
        (
            OwnPrice(provider="aws", usd_per_hour=1.0, discount=0.1),
            "`usd_per_hour`, `discount` are declared",
            "keep one of them",
        ),
        (
            OwnPrice(discount=0.1, usd_in_per_mtok=1.0, usd_out_per_mtok=2.0),
            "`discount`, `usd_in_per_mtok` are declared",
            "keep one of them",
        ),
    ],
)
def test_a_price_line_is_a_rate_token_prices_or_a_discount(line: OwnPrice, said: str, hint: str) -> None:
    """One of the three, and the sentence is one."""
    found = [each for each in check_estate(replace(ESTATE, prices=(line,)), CATALOG) if each.code == "TP1312"]
    assert [(each.message, each.hint) for each in found] == [
        (f"a price line needs one of `usd_per_hour`, `discount` and token prices, {said}", hint)
    ]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        (OwnPrice(sku="gpt-4o-mini", usd_in_per_mtok=1.0), "usd_out_per_mtok"),
        (OwnPrice(sku="gpt-4o-mini", usd_out_per_mtok=1.0, usd_cached_per_mtok=0.5), "usd_in_per_mtok"),
    ],
)
def test_token_prices_hold_both_ways(line: OwnPrice, missing: str) -> None:
    """What goes in and what comes out have a price each, though it may be 0."""
    found = [each.message for each in check_estate(replace(ESTATE, prices=(line,)), CATALOG) if each.code == "TP1312"]
    assert found == [f"token prices need `usd_in_per_mtok` and `usd_out_per_mtok`, `{missing}` is not declared"]


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
        (OwnPrice(sku="gpt-4o-mini", usd_in_per_mtok=1.0, usd_out_per_mtok=4.0), True),
        (OwnPrice(sku="p5.48xlarge", usd_in_per_mtok=1.0, usd_out_per_mtok=4.0), False),
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


def test_a_name_that_is_declared_twice_is_offered_once() -> None:
    """Two sites of one name are another finding; the hint tells the name once."""
    found = unknown("TP1201", "links[0].source", "no site is called `nowhere`", "nowhere", ("hq", "hq", "cloud"))
    assert found.hint == "known: `hq`, `cloud`"
