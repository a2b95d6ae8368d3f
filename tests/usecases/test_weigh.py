"""What to decide before one knows, on the estate whose answer can be checked with a pencil."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from tests.factories.planning import catalog

from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.adapters.plan_json import plan_from_json, plan_to_json
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.planner import read_outlooks
from tripoint.apps.render.html import plan_html
from tripoint.apps.render.plan_text import plan_payload, plan_text
from tripoint.domain.decision import PurchaseAction
from tripoint.domain.errors import EstateError, OptionError
from tripoint.domain.outlook import Outlook, PriceFactors
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, Solution, SolveLimits
from tripoint.engines.placement.outcome import solve_instance
from tripoint.engines.placement.outlooks.choices import TOGETHER
from tripoint.engines.placement.outlooks.declared import checked
from tripoint.usecases.load import load_estate
from tripoint.usecases.plan import PlanOptions, plan

ROOT = Path(__file__).resolve().parents[2]
OUTLOOKS = (
    Outlook(id="as-expected", weight=5.0),
    Outlook(id="boom", weight=3.0, demand=1.6),
    Outlook(id="glut", weight=2.0, demand=0.4, prices=PriceFactors(on_demand=0.5)),
)


@cache
def loaded() -> LoadedEstate:
    """The shipped example."""
    return load_estate(ROOT / "examples" / "break-even", catalog(), load_estate_file)


@cache
def planned() -> Plan:
    """Its plan over the outlooks."""
    return over(OUTLOOKS)


def over(outlooks: tuple[Outlook, ...]) -> Plan:
    """Its plan over any outlooks."""
    options = PlanOptions(gap=1e-6, threads=1, nodes=5000, baselines=False, outlooks=outlooks)
    return plan(loaded(), catalog(), HighsSolver(), options, today=date(2026, 11, 22))


def alone(outlook: Outlook) -> float:
    """Its own best cost, discounted USD."""

    def solve(program: Program) -> Solution:
        limits = SolveLimits(gap=1e-6, threads=1, nodes=5000)
        return HighsSolver().solve(program, limits, lambda state: None, lambda: False)

    return solve_instance(prepare(loaded().estate, catalog(), {}, outlook), solve).solution.objective


def test_two_stages_lie_between_knowing_and_any_fixed_choice() -> None:
    """Perfect information <= the plan's choice <= each of the others; the bound below, regrets never below 0."""
    found = planned().weighed
    assert found is not None
    chosen, *others = found.choices
    assert TOGETHER in chosen.name
    assert chosen.expected_npv_usd is not None
    assert found.perfect_npv_usd <= chosen.expected_npv_usd + 1e-6
    for other in others:
        if other.expected_npv_usd is not None:
            assert other.expected_npv_usd >= chosen.expected_npv_usd * (1 - 1e-9)
            assert other.regret_npv_usd is not None
            assert other.regret_npv_usd >= 0
    assert found.bound_npv_usd <= chosen.expected_npv_usd
    assert found.gap <= 1e-5
    assert sum(each.weight for each in found.outlooks) == pytest.approx(1.0)
    assert [each.weight for each in found.outlooks] == pytest.approx([0.5, 0.3, 0.2])


def test_perfect_information_is_each_outlook_planned_alone() -> None:
    """By their weights; and regret is measured against it."""
    found = planned().weighed
    assert found is not None
    best = [alone(each) for each in found.outlooks]
    expected = sum(each.weight * usd for each, usd in zip(found.outlooks, best, strict=True))
    assert found.perfect_npv_usd == pytest.approx(expected, rel=1e-5)
    for choice in found.choices:
        costs = [usd for usd in choice.npv_usd if usd is not None]
        if len(costs) == len(best):
            regret = max(usd - least for usd, least in zip(costs, best, strict=True))
            assert choice.regret_npv_usd == pytest.approx(regret, rel=1e-3, abs=1.0)


def test_the_plan_orders_what_was_decided() -> None:
    """The plan of the estate as declared has the choice's first purchases, and says them."""
    found = planned()
    assert found.weighed is not None
    ordered = {
        (row.pool, row.order_period): row.nodes
        for row in found.purchases
        if row.action is PurchaseAction.BUY and row.order_period < 4
    }
    assert len(found.weighed.decisions) == len(ordered)
    for (pool, _), nodes in ordered.items():
        assert any(f"buy {nodes:g} nodes of `{pool}`" in line for line in found.weighed.decisions)


def test_certain_outlooks_change_nothing() -> None:
    """Two that are both the estate as declared: its own plan, no regret, knowing worth nothing."""
    same = (Outlook(id="one", weight=1.0), Outlook(id="two", weight=1.0))
    found = over(same)
    assert found.weighed is not None
    assert found.solve is not None
    assert found.weighed.perfect_npv_usd == pytest.approx(found.solve.incumbent_usd)
    assert len(found.weighed.choices) == 1
    assert found.weighed.choices[0].regret_npv_usd == pytest.approx(0.0, abs=1.0)


def test_it_is_told_everywhere() -> None:
    """In the text, on the page, in the JSON, and in the plan that is read back."""
    found = planned()
    text, page = plan_text(found), plan_html(found)
    assert "Before the outlook is known" in text
    assert "knowing is worth" in page
    assert "glut, 20 %" in text
    assert plan_payload(found)["weighed"]["choices"][0]["npv_usd"]
    assert plan_from_json(plan_to_json(found)).weighed == found.weighed
    assert found.options["outlooks"] == "as-expected, boom, glut"


ONE = OUTLOOKS[0]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (ONE, "TP1215 outlooks[1].id: `as-expected` is the id of another outlook"),
        (Outlook(id="x", weight=0.0), "TP1302 outlooks[1].weight: is 0, expects more than 0"),
        (
            Outlook(id="x", weight=1.0, demand=-1.0),
            "TP1302 outlooks[1].demand: the factor is -1, expects more than 0 and at most 1000",
        ),
        (
            Outlook(id="x", weight=1.0, prices=PriceFactors(spot=0.0)),
            "TP1302 outlooks[1].prices.spot: the factor is 0, expects more than 0 and at most 1000",
        ),
        (
            Outlook(id="x", weight=1.0, demand_of={"asistant": 2.0}),
            "TP1211 outlooks[1].demand_of.asistant: the estate has no workload `asistant`",
        ),
        (Outlook(id="x", weight=1.0, since="2040-Q1"), "TP1302 outlooks[1].since: the plan has no period `2040-Q1`"),
    ],
)
def test_an_outlook_that_makes_no_sense_is_refused(second: Outlook, said: str) -> None:
    """With the place, what was found, what is expected and a hint."""
    with pytest.raises(EstateError) as refused:
        checked((ONE, second), ["assistant"], ["2027-Q1", "2027-Q2"])
    (found,) = refused.value.findings
    assert f"{found.code} {found.path}: {found.message}" == said
    assert found.hint


@pytest.mark.parametrize("given", [(ONE,), OUTLOOKS * 2])
def test_too_few_and_too_many_outlooks_are_refused(given: tuple[Outlook, ...]) -> None:
    """With how many there are and how many there may be."""
    with pytest.raises(OptionError, match=f"{len(given)} outlooks, expects 2 to 5"):
        checked(given, ["assistant"], ["2027-Q1", "2027-Q2"])


def test_all_that_is_wrong_with_outlooks_is_told_at_its_line(tmp_path: Path) -> None:
    """A misspelt workload in one, a weight in the next: both, with line and nearest name."""
    path = tmp_path / "outlooks.yaml"
    path.write_text(
        "apiVersion: tripoint/outlooks/v1\noutlooks:\n"
        "  - {id: boom, weight: 3, demand_of: {asistant: 2.5}}\n  - {id: glut, weight: -2}\n",
        encoding="utf-8",
    )
    outlooks, places = read_outlooks(path)
    with pytest.raises(EstateError) as refused:
        checked(outlooks, ["assistant"], ["2027-Q1"], places)
    assert [(each.code, each.line, each.hint) for each in refused.value.findings] == [
        ("TP1211", 3, "did you mean `assistant`"),
        ("TP1302", 4, "leave out what cannot happen"),
    ]


def test_an_outlook_without_any_plan_is_named() -> None:
    """A hundredfold demand fits nowhere once the cloud is closed."""
    estate = loaded().estate
    only = tuple(replace(each, only_at=("cage",)) for each in estate.workloads)
    closed = replace(loaded(), estate=replace(estate, workloads=only))
    options = PlanOptions(
        gap=1e-3, threads=1, nodes=5000, baselines=False, outlooks=(ONE, Outlook(id="x", weight=1.0, demand=999.0))
    )
    with pytest.raises(OptionError, match="has no plan of its own"):
        plan(closed, catalog(), HighsSolver(), options, today=date(2026, 11, 22))
