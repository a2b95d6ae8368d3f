from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.factories.plan import empty_plan, infeasible_plan, small_plan, synthetic_plan

from tripoint.apps.render.plan_text import plan_payload, plan_text
from tripoint.domain.plan import Plan

ESCAPES = re.compile("\x1b\\[[0-9;]*m")
PLANS = pytest.mark.parametrize("make", [synthetic_plan, small_plan, infeasible_plan, empty_plan])


def test_a_small_plan_prints_as_ever(golden: Callable[[str, str], None]) -> None:
    """The printed answer changes only on purpose."""
    golden("plan_text/small.txt", plan_text(small_plan()))


def test_an_infeasible_plan_prints_its_conflict(golden: Callable[[str, str], None]) -> None:
    """The answer no names the families, the numbers and what would help."""
    golden("plan_text/infeasible.txt", plan_text(infeasible_plan()))


@PLANS
@pytest.mark.parametrize("width", [100, 80])
def test_no_line_is_wider_than_the_terminal(make: Callable[[], Plan], width: int) -> None:
    """Everything fits 100 columns, and 80."""
    assert max(map(len, plan_text(make(), width=width).splitlines())) <= width


@PLANS
def test_colour_adds_nothing_to_the_words(make: Callable[[], Plan]) -> None:
    """Without its colour codes the coloured text is the plain one, and the plain one has none."""
    plain = plan_text(make())
    coloured = plan_text(make(), is_coloured=True)
    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert [line.rstrip() for line in ESCAPES.sub("", coloured).splitlines()] == plain.splitlines()


def test_every_part_of_the_answer_is_there() -> None:
    """A full plan says all it has to say."""
    text = plan_text(synthetic_plan())
    parts = ["Against the alternatives", "Where each workload lives", "Why there", "Decisions", "Limits", "Break-even"]
    parts += ["Commitments", "Assumptions", "Refusals", "Certificate", "first limit", "first decision"]
    for words in parts:
        assert words in text
    assert all(workload.id in text for workload in synthetic_plan().workloads)


def test_names_are_not_read_as_markup() -> None:
    """A workload called `[red]x[/red]` is printed as it is called."""
    plan = small_plan()
    odd = replace(plan.workloads[0], id="[red]x[/red]", why="[link=http://x]click[/link] :smile:")
    text = plan_text(replace(plan, workloads=(odd, *plan.workloads[1:])))
    assert "[red]x[/red]" in text
    assert "[link=http://x]click[/link] :smile:" in text


def test_a_plan_dearer_than_an_alternative_says_so() -> None:
    """Savings are not claimed where there are none."""
    plan = small_plan()
    cheap = replace(plan.baselines[1], total_usd=plan.baselines[0].total_usd / 2)
    text = plan_text(replace(plan, baselines=(plan.baselines[0], cheap)))
    assert "costs $" in text
    assert "saves" not in text


@PLANS
def test_the_payload_is_json_and_agrees_with_the_plan(make: Callable[[], Plan]) -> None:
    """The summary for machines holds unrounded numbers and survives JSON."""
    plan = make()
    payload = json.loads(json.dumps(plan_payload(plan), allow_nan=False))
    assert payload["name"] == plan.name
    assert payload["is_feasible"] is (plan.conflict is None)
    assert [row["total_usd"] for row in payload["baselines"]] == [row.total_usd for row in plan.baselines]
    assert len(payload["workloads"]) == len(plan.workloads)
    assert (payload["conflict"] is None) is (plan.conflict is None)
