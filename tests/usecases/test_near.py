"""Plans nearly as cheap as the best, on the estate whose answer can be checked with a pencil."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest
from tests.factories.planning import catalog

from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.adapters.plan_json import plan_from_json, plan_to_json
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.render.html import plan_html
from tripoint.apps.render.plan_text import plan_payload, plan_text
from tripoint.domain.plan import Plan
from tripoint.usecases.load import load_estate
from tripoint.usecases.plan import PlanOptions, plan

ROOT = Path(__file__).resolve().parents[2]


@cache
def planned(near: int, within: float) -> Plan:
    """The shipped example with plans near its plan."""
    loaded = load_estate(ROOT / "examples" / "break-even", catalog(), load_estate_file)
    options = PlanOptions(gap=1e-6, threads=1, nodes=5000, baselines=False, near=near, within=within)
    return plan(loaded, catalog(), HighsSolver(), options, today=date(2026, 11, 22))


def test_others_cost_no_more_than_allowed_and_differ() -> None:
    """The plan comes first; the others are within the share, dearer, and somewhere else in part."""
    found = planned(5, 0.25)
    assert found.solve is not None
    own, *others = found.near
    assert own.name == "this plan"
    assert own.undiscounted_usd == pytest.approx(found.solve.undiscounted_usd)
    assert own.carbon_t == pytest.approx(sum(row.carbon_kg for row in found.charges) / 1000.0)
    assert own.moves == sum(row.moves for row in found.workloads)
    assert len(others) >= 2
    for other in others:
        assert own.npv_usd - 1e-6 <= other.npv_usd <= own.npv_usd * 1.25 * (1 + 1e-5)
        assert other.more_usd == pytest.approx(other.undiscounted_usd - own.undiscounted_usd)
        assert other.elsewhere >= 0.01
        assert other.least is not None
    cleanest = next(other for other in others if "least carbon" in other.name)
    assert cleanest.carbon_t < own.carbon_t
    assert cleanest.least is not None
    assert cleanest.least <= cleanest.carbon_t + 1e-9


def test_at_most_as_many_as_asked_for_and_none_unasked() -> None:
    """One is the farthest of them; nought is the plan as ever."""
    assert len(planned(1, 0.25).near) == 2
    assert planned(0, 0.25).near == ()


def test_with_no_room_there_is_only_the_plan() -> None:
    """At the same cost nothing else is found, and that is said."""
    found = planned(5, 0.0)
    assert [each.name for each in found.near] == ["this plan"]
    assert "no plan within 0 % of its cost was found that differs" in plan_text(found)


def test_they_are_told_everywhere() -> None:
    """In the text, on the page, in the JSON, and in the plan that is read back."""
    found = planned(5, 0.25)
    text, page = plan_text(found), plan_html(found)
    for other in found.near:
        assert other.name in text
        assert other.name in page
    assert "Nearly as cheap" in text
    assert [row["name"] for row in plan_payload(found)["near"]] == [each.name for each in found.near]
    assert plan_from_json(plan_to_json(found)).near == found.near
    assert found.options["within"] == "0.25"
