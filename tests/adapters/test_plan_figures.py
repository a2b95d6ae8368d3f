"""Figures no plan can have, each refused where a plan file is read."""

from __future__ import annotations

import json

import pytest
from tests.factories.plan import small_plan, synthetic_plan

from tripoint.adapters.plan_json import plan_from_json, plan_to_json
from tripoint.domain.errors import EstateError


@pytest.mark.parametrize(
    ("path", "value", "expects"),
    [
        ("placements[5].share", 7, "is 7, expects 0 to 1"),
        ("placements[5].nodes", -3, "is -3, expects at least 0 nodes"),
        ("standby[0].share", -0.5, "is -0.5, expects 0 to 1"),
        ("pools[2].owned", -1, "is -1, expects at least 0 nodes"),
        ("pools[2].gpus_per_node", -8, "is -8, expects at least 0 accelerators"),
        ("purchases[0].nodes", "Infinity", "is inf, expects at least 0 nodes"),
        ("purchases[0].service_period", 12, "is 12, expects 0 to 11, the plan has 12 periods"),
        ("purchases[0].until_period", 99, "is 99, expects -1 to 11, the plan has 12 periods"),
        ("expansions[0].adds_kw", -120, "is -120, expects at least 0 kW"),
        ("copies[0].to_period", 40, "is 40, expects 0 to 11"),
        ("transfers[3].gb", -1, "is -1, expects at least 0 GB"),
        ("charges[7].quantity", "NaN", "is nan, expects at least 0"),
        ("charges[7].list_usd", "Infinity", "is inf, expects at least 0 USD"),
        ("charges[7].carbon_kg", -9, "is -9, expects at least 0 kg"),
        ("workloads[1].moves", -1, "is -1, expects at least 0 moves"),
        ("sites[1].count", 0, "is 0, expects at least 1"),
        ("baselines[1].total_usd", "NaN", "is nan, expects at least 0 USD"),
        ("baselines[1].by_period_usd[3]", -1e6, "is -1e+06, expects at least 0 USD"),
        ("headroom[0].used[2]", -4, "is -4, expects at least 0"),
        ("headroom[0].limit[2]", "NaN", "is nan, expects at least 0"),
        ("lapses[0].mean_use", 3, "is 3, expects 0 to 1"),
        ("blocks[1].weight", 1.4, "is 1.4, expects 0 to 1"),
        ("blocks[1].hours_of_week[0]", 168, "is 168, expects 0 to 167"),
        ("usd_per_unit", 0, "is 0, expects at least 1e-09 USD"),
        ("period_months", 0, "is 0, expects 1 to 12 months"),
        ("discount_rate", 8, "is 8, expects 0 to 1"),
        ("solve.incumbent_usd", "Infinity", "is inf, expects a number"),
        ("solve.gap", -0.1, "is -0.1, expects at least 0"),
        ("solve.seconds", -1, "is -1, expects at least 0 s"),
    ],
)
def test_a_figure_no_plan_can_have_is_refused(path: str, value: object, expects: str) -> None:
    """A share of 7, fewer than no nodes, money that is no number: told where it stands, with what it may be."""
    content = json.loads(plan_to_json(small_plan()))
    *steps, last = [
        int(step) if step.isdigit() else step for step in path.replace("]", "").replace("[", ".").split(".")
    ]
    owner = content
    for step in steps:
        owner = owner[step]
    owner[last] = value
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    (found,) = [each for each in caught.value.findings if each.path == path]
    assert found.code == "TP1904"
    assert found.message.startswith(expects)
    assert "tripoint plan" in found.hint


def test_the_same_wrong_figure_in_many_rows_is_told_once() -> None:
    """Shares in per cent are one finding that counts the rows, and one of each workload whose shares they are."""
    content = json.loads(plan_to_json(small_plan()))
    for row in content["placements"]:
        row["share"] *= 100
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    shares = [each for each in caught.value.findings if each.path.startswith("placements")]
    assert [each.path for each in shares] == ["placements[0].share"]
    assert f"; {len(content['placements']) - 1} more of its kind" in shares[0].message
    assert len(caught.value.findings) == 1 + len(content["workloads"])


@pytest.mark.parametrize("kind", ["inference", "batch_inference"])
def test_shares_that_do_not_add_up_are_refused(kind: str) -> None:
    """A row that is gone, doubled or halved: of who answers callers in each block, of others over the whole period."""
    content = json.loads(plan_to_json(synthetic_plan()))
    number, workload = next((n, each) for n, each in enumerate(content["workloads"]) if each["kind"] == kind)
    rows = [row for row in content["placements"] if row["workload"] == workload["id"] and row["period"] == 4]
    largest = max(rows, key=lambda row: row["share"])
    half = {**largest, "share": largest["share"] / 2}
    for change in ("gone", "double", "half"):
        found = [row for row in content["placements"] if row is not largest]
        found += {"gone": [], "double": [largest, largest], "half": [half]}[change]
        with pytest.raises(EstateError) as caught:
            plan_from_json(json.dumps({**content, "placements": found}))
        (told,) = caught.value.findings
        assert (told.code, told.path) == ("TP1904", f"workloads[{number}]")
        assert f" in {content['periods'][4]}" in told.message
        assert "expects 1" in told.message


@pytest.mark.parametrize("field", ["used", "limit"])
def test_a_limit_is_told_for_every_period(field: str) -> None:
    """A roadmap with a period too few is told with both lengths."""
    content = json.loads(plan_to_json(small_plan()))
    content["headroom"][1][field].pop()
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    assert [(each.path, each.message) for each in caught.value.findings] == [
        (f"headroom[1].{field}", "has 11 figures, the plan has 12 periods")
    ]


def test_blocks_that_are_not_the_whole_week_are_refused() -> None:
    """Their weights are shares of the time."""
    content = json.loads(plan_to_json(small_plan()))
    content["blocks"][0]["weight"] = 0.5
    with pytest.raises(EstateError) as caught:
        plan_from_json(json.dumps(content))
    assert [(each.path, each.message) for each in caught.value.findings] == [
        ("blocks", "the weights sum to 1.417, expects 1")
    ]
