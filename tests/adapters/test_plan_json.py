from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.plan import empty_plan, infeasible_plan, small_plan, synthetic_plan

from tripoint.adapters.plan_json import plan_from_json, plan_json_schema, plan_to_json
from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.domain.decision import Purchase, PurchaseAction
from tripoint.domain.errors import EstateError
from tripoint.domain.plan import BreakEven, CostCurve, CostPoint, Headroom, Plan, SolveSummary

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "reference" / "plan.schema.json"
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BASIS = st.lists(WORDS, max_size=3).map(tuple)
AMOUNTS = st.floats(min_value=0, allow_infinity=False)
MAYBE = st.none() | NUMBERS

CHARGES = st.builds(
    Charge, period=st.integers(0, 11), kind=st.sampled_from(ChargeKind), provider=WORDS, site=WORDS, layer=WORDS,
    resource=WORDS, option=WORDS, workload=st.none() | WORDS, status=st.none() | st.sampled_from(CommitmentStatus),
    quantity=AMOUNTS, unit=WORDS, list_usd=AMOUNTS, contracted_usd=AMOUNTS, billed_usd=AMOUNTS, effective_usd=AMOUNTS,
    carbon_kg=AMOUNTS, basis=BASIS,
)  # fmt: skip
PURCHASES = st.builds(
    Purchase, pool=WORDS, site=WORDS, node_type=WORDS, action=st.sampled_from(PurchaseAction), option=WORDS,
    nodes=AMOUNTS, order_period=st.integers(-8, 11), service_period=st.integers(0, 11),
    until_period=st.integers(0, 11), term_months=st.none() | st.integers(1, 60),
)  # fmt: skip
LIMITS = st.builds(
    Headroom, resource=WORDS, name=WORDS, site=WORDS, unit=WORDS,
    used=st.lists(AMOUNTS, min_size=12, max_size=12).map(tuple),
    limit=st.lists(st.floats(min_value=0), min_size=12, max_size=12).map(tuple),
    exhausted=WORDS, order_by=WORDS, lead_time_months=AMOUNTS,
    note=WORDS,
)  # fmt: skip
CURVES = st.builds(
    CostCurve, label=WORDS, points=st.lists(st.builds(CostPoint, x=NUMBERS, usd=NUMBERS), max_size=3).map(tuple)
)
BREAKEVENS = st.builds(
    BreakEven, subject=WORDS, kind=WORDS, firm=WORDS, elastic=WORDS, firm_usd_per_node_month=NUMBERS,
    elastic_usd_per_node_hour=NUMBERS, utilisation=MAYBE, utilisation_low=MAYBE, utilisation_high=MAYBE,
    mtok_per_month=MAYBE, mtok_low=MAYBE, mtok_high=MAYBE, month=WORDS, month_early=WORDS, month_late=WORDS,
    demand_mtok_per_month=MAYBE, curves=st.lists(CURVES, max_size=2).map(tuple), note=WORDS,
)  # fmt: skip
SOLVES = st.builds(
    SolveSummary, strategy=WORDS, incumbent_usd=NUMBERS, bound_usd=NUMBERS,
    gap=st.floats(min_value=0), seconds=AMOUNTS, nodes=st.integers(0), columns=st.integers(0), rows=st.integers(0),
    integers=st.integers(0), was_interrupted=st.booleans(), undiscounted_usd=AMOUNTS, penalties_usd=NUMBERS,
)  # fmt: skip
PLANS = st.builds(
    lambda name, solve, charges, purchases, limits, breakevens, options: replace(
        empty_plan(), name=name, solve=solve, charges=tuple(charges), purchases=tuple(purchases),
        headroom=tuple(limits), breakevens=tuple(breakevens), options=options,
    ),
    WORDS, st.none() | SOLVES, st.lists(CHARGES, max_size=4), st.lists(PURCHASES, max_size=3),
    st.lists(LIMITS, max_size=3), st.lists(BREAKEVENS, max_size=3), st.dictionaries(WORDS, WORDS, max_size=3),
)  # fmt: skip


@cache
def text_of_small_plan() -> str:
    """A plan file as written."""
    return plan_to_json(small_plan())


def codes(text: str) -> list[str]:
    """Finding codes a text is refused with."""
    with pytest.raises(EstateError) as caught:
        plan_from_json(text, file="old/plan.json")
    assert all(finding.file == "old/plan.json" and finding.hint for finding in caught.value.findings)
    return [finding.code for finding in caught.value.findings]


@given(PLANS)
def test_a_plan_reads_back_exactly_as_it_was_written(plan: Plan) -> None:
    """Every float a plan can have keeps its bits, infinite limits included."""
    assert plan_from_json(plan_to_json(plan)) == plan


@pytest.mark.parametrize("make", [synthetic_plan, infeasible_plan, empty_plan])
def test_whole_plans_read_back(make: Callable[[], Plan]) -> None:
    """A full plan, an infeasible one and an empty one survive the round trip."""
    assert plan_from_json(plan_to_json(make())) == make()


def test_the_text_is_plain_json_whatever_the_numbers() -> None:
    """An infinite limit does not become a word JSON has not."""
    endless = replace(synthetic_plan().headroom[0], limit=(math.inf, -math.inf))
    text = plan_to_json(replace(empty_plan(), headroom=(endless,)))
    assert json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_writing_twice_gives_the_same_bytes() -> None:
    """Two runs can be compared as text."""
    assert plan_to_json(small_plan()) == plan_to_json(small_plan())


@given(st.integers(0, 10_000))
def test_a_truncated_plan_is_refused_wherever_it_is_cut(cut: int) -> None:
    """No cut gives a traceback or half a plan."""
    text = text_of_small_plan()
    part = text[: cut * (len(text) - 3) // 10_000]
    assert codes(part) == ["TP1901"]


def test_a_truncated_plan_is_told_from_a_spoilt_one_with_the_line() -> None:
    """The message says that the file ends too early, and where."""
    with pytest.raises(EstateError) as caught:
        plan_from_json(text_of_small_plan()[:5_000])
    (finding,) = caught.value.findings
    assert "ends in the middle" in finding.message
    assert finding.line > 1
    with pytest.raises(EstateError) as caught:
        plan_from_json('{"schema": }')
    assert "ends in the middle" not in caught.value.findings[0].message


@pytest.mark.parametrize("text", ["{}", "[]", "null", "3", '"plan"', '{"schema": 5}', '{"schema": "other/v1"}'])
def test_a_foreign_document_is_refused_by_what_it_is(text: str) -> None:
    """Other JSON is not taken for a plan."""
    assert codes(text) == ["TP1902"]


def test_a_document_nested_beyond_reason_is_refused() -> None:
    """A hostile file does not exhaust the stack."""
    assert codes("[" * 200_000) in (["TP1901"], ["TP1902"])


def test_another_version_is_refused_with_both_versions() -> None:
    """A plan of a later schema says which version reads it."""
    with pytest.raises(EstateError) as caught:
        plan_from_json('{"schema": "tripoint/plan/v9"}')
    (finding,) = caught.value.findings
    assert finding.code == "TP1903"
    assert "v9" in finding.message
    assert "v1" in finding.message


def test_wrong_fields_are_all_told_with_their_paths() -> None:
    """A missing field and two wrong ones are three findings."""
    content = json.loads(text_of_small_plan())
    del content["currency"]
    content["solve"]["gap"] = "wide"
    content["charges"][3]["kind"] = "bribes"
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    found = {finding.path: finding for finding in caught.value.findings}
    assert set(found) == {"currency", "solve.gap", "charges[3].kind"}
    assert "bribes" in found["charges[3].kind"].message
    assert found["currency"].message == "the field is missing"


def test_very_many_wrong_fields_are_counted_rather_than_listed() -> None:
    """A file spoilt throughout gives a readable answer."""
    content = json.loads(text_of_small_plan())
    for charge in content["charges"]:
        charge["quantity"] = None
    found = codes(json.dumps(content))
    assert len(found) == 51


def test_a_later_field_is_ignored_and_an_older_file_takes_defaults() -> None:
    """Within a schema version old and new readers understand each other."""
    content = json.loads(text_of_small_plan())
    content["mood"] = "sunny"
    content["sites"][0]["colour"] = "blue"
    for site in content["sites"]:
        del site["region"]
    plan = plan_from_json(json.dumps(content))
    assert plan.charges == small_plan().charges
    assert {site.region for site in plan.sites} == {""}


def test_plans_satisfy_the_published_schema() -> None:
    """Editors and other programs can trust `plan.schema.json`."""
    validator = jsonschema.Draft202012Validator(plan_json_schema())
    validator.check_schema(validator.schema)
    for plan in (synthetic_plan(), infeasible_plan(), empty_plan()):
        validator.validate(json.loads(plan_to_json(plan)))


def test_every_field_of_the_schema_is_described() -> None:
    """The reference says what each field means."""
    schema = plan_json_schema()
    silent = [
        f"{name}.{field}"
        for name, definition in {"Plan": schema, **schema["$defs"]}.items()
        for field, described in definition.get("properties", {}).items()
        if not described.get("description")
    ]
    assert silent == []


def test_the_published_schema_is_the_one_of_the_code(request: pytest.FixtureRequest) -> None:
    """`docs/reference/plan.schema.json` is current; `make goldens` writes it anew."""
    text = json.dumps(plan_json_schema(), indent=2) + "\n"
    if request.config.getoption("--update-goldens"):
        SCHEMA.write_text(text, encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("part", ["charges", "placements", "pools", "transfers"])
@pytest.mark.parametrize("period", [-1, 12, 99])
def test_a_row_of_a_period_the_plan_has_not_is_refused_with_both_numbers(part: str, period: int) -> None:
    """A hand-edited index is told with its path; no renderer meets it."""
    content = json.loads(text_of_small_plan())
    content[part][0]["period"] = period
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == ("TP1904", f"{part}[0].period")
    assert f"period {period}, the plan has 12 periods" in finding.message


def test_a_series_of_another_length_than_the_horizon_is_refused() -> None:
    """A baseline with a missing quarter is told with both lengths."""
    content = json.loads(text_of_small_plan())
    content["baselines"][1]["by_period_usd"].pop()
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    assert "has 11 figures, the plan has 12 periods" in caught.value.findings[0].message


@pytest.mark.parametrize(
    ("field", "name", "near"),
    [
        ("workload", "customer-chatty-eu", "customer-chat-eu"),
        ("site", "colo-amsterdam", "colo-ams"),
        ("pool", "colo-ams/dgx-h10", "colo-ams/dgx-h100"),
    ],
)
def test_a_placement_of_something_unknown_is_refused_once(field: str, name: str, near: str) -> None:
    """A name edited by hand in every row is told where it comes first, with the nearest name the plan has."""
    content = json.loads(text_of_small_plan())
    rows = [number for number, row in enumerate(content["placements"]) if row[field] == near]
    assert len(rows) > 1
    for number in rows:
        content["placements"][number][field] = name
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == ("TP1904", f"placements[{rows[0]}].{field}")
    assert f"`{name}`" in finding.message
    assert f"`{near}`" in finding.hint


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("standby", "workload"),
        ("standby", "site"),
        ("standby", "pool"),
        ("purchases", "site"),
        ("purchases", "pool"),
        ("pools", "site"),
        ("charges", "workload"),
        ("charges", "site"),
    ],
)
def test_no_row_speaks_of_something_the_plan_does_not_list(part: str, field: str) -> None:
    """Standby, purchases, nodes and charges are held to the same names as placements."""
    content = json.loads(text_of_small_plan())
    index = next(number for number, row in enumerate(content[part]) if row[field] and row.get("nodes", 1.0) > 0)
    content[part][index][field] += "x"
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    finding = caught.value.findings[0]
    assert (finding.code, finding.path) == ("TP1904", f"{part}[{index}].{field}")
    assert f"the plan has no such {field}" in finding.message


def test_a_pool_of_another_site_is_refused() -> None:
    """A placement is in a pool of its own site."""
    content = json.loads(text_of_small_plan())
    content["placements"][0]["pool"] = next(
        row["pool"] for row in content["pools"] if row["site"] != content["placements"][0]["site"]
    )
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    assert [finding.path for finding in caught.value.findings] == ["placements[0].pool"]


@pytest.mark.parametrize("path", ["workloads[0].cost_usd", "sites[0].cost_usd", "solve.undiscounted_usd"])
def test_a_total_that_is_not_the_sum_of_its_rows_is_refused(path: str) -> None:
    """Nothing prints a total the statement does not bear out; a cent is rounding."""
    content = json.loads(text_of_small_plan())
    part, _, field = path.replace("[0]", "").partition(".")
    row = content[part][0] if "[" in path else content[part]
    true = row[field]
    row[field] = true + 0.009
    assert plan_from_json(json.dumps(content)).name == content["name"]
    row[field] = 1e9
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == ("TP1904", path)
    assert "1,000,000,000.00 USD" in finding.message
    assert f"{true:,.2f} USD" in finding.message


def test_many_missing_fields_are_one_finding() -> None:
    """A document that is hardly a plan is told in two findings, with the first names and how many there are."""
    with pytest.raises(EstateError) as caught:
        plan_from_json('{"schema": "tripoint/plan/v1", "name": 5}')
    missing, name = caught.value.findings
    assert name.path == "name"
    assert "fields are missing: `tripoint_version`, `estate_digest`" in missing.message


def test_a_word_where_json_has_numbers_is_refused() -> None:
    """A bare `NaN`, which some writers put into files, is not JSON and is named."""
    content = json.loads(text_of_small_plan())
    content["solve"]["incumbent_usd"] = math.nan
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    assert [(each.code, "`NaN`" in each.message) for each in caught.value.findings] == [("TP1901", True)]


def test_a_plan_shows_itself_in_one_line() -> None:
    """In a notebook a plan is its cost, its gap and its size; an impossible one is its conflict."""
    plan = small_plan()
    assert plan.solve is not None
    assert repr(plan).startswith(f"Plan({plan.name!r}: ")
    assert f"{plan.solve.undiscounted_usd:,.0f} USD over 36 months" in repr(plan)
    assert "residency + power" in repr(infeasible_plan())
    assert max(len(repr(make())) for make in (small_plan, infeasible_plan, empty_plan)) < 200
