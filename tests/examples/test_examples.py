"""The shipped examples: each loads without an error, has somewhere to run, and gives the answer its README tells.

The facts of each answer stand in `expected.json` beside the estate. Totals are compared within a tolerance, because a
plan is only proven to be within its gap of the best; facts that may differ between two such plans are not asserted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import tripoint
from tripoint.domain.errors import Severity
from tripoint.domain.plan import Baseline, Plan, PlanStatus, SolveSummary

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
NAMES = ("break-even", "edge-retail", "regulated", "three-layer")
OF_JOBS = "jobs"
"""Files of jobs instead of an estate; `tests/apps/test_jobs_command.py` holds their plans to its `expected.json`."""
TODAY = date(2026, 11, 21)
LARGE_COST_USD = 1_000_000.0
slow = pytest.mark.slow
QUICK = [pytest.param(name, marks=slow if name == "three-layer" else ()) for name in NAMES]

every_example = pytest.mark.parametrize("name", NAMES)
every_answer = pytest.mark.parametrize("name", QUICK)


@dataclass(slots=True)
class Answers:
    """Plans made once and kept for the module's tests."""

    found: dict[str, Plan] = field(default_factory=dict)

    def of(self, name: str) -> Plan:
        """The plan of an example, alternatives included, as `tripoint plan` makes it."""
        if name not in self.found:
            options = tripoint.PlanOptions(seconds=300.0)
            self.found[name] = tripoint.plan(EXAMPLES / name, options, today=TODAY)
        return self.found[name]


@pytest.fixture(scope="module")
def answer() -> Callable[[str], Plan]:
    """`answer(name)` is the plan of an example."""
    return Answers().of


def expected(name: str) -> dict[str, Any]:
    """What an example promises."""
    content: dict[str, Any] = json.loads((EXAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    return content


def certificate(plan: Plan) -> SolveSummary:
    """How good a plan is; every example has one."""
    assert plan.solve is not None
    return plan.solve


def baseline(plan: Plan, name: str) -> Baseline:
    """An alternative by name."""
    return next(row for row in plan.baselines if row.name == name)


@every_example
def test_an_example_loads_without_errors_or_warnings(name: str) -> None:
    """A shipped estate is an example of a clean one: the checker has nothing but notes to say."""
    loaded = tripoint.load_estate(EXAMPLES / name)
    assert [said for said in loaded.findings if said.severity is not Severity.NOTE] == []


@every_example
def test_an_example_has_a_readme_and_says_how_to_run_it(name: str) -> None:
    """The README gives the command, in the reader's words."""
    readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    assert f"tripoint plan examples/{name}" in readme


def test_every_example_folder_is_tested() -> None:
    """A new example cannot be forgotten here."""
    assert sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()) == sorted((*NAMES, OF_JOBS))
    of_jobs = EXAMPLES / OF_JOBS
    expected = json.loads((of_jobs / "expected.json").read_text(encoding="utf-8"))
    assert sorted(file.stem for file in of_jobs.glob("*.yaml")) == sorted(expected)


def test_demand_profiles_name_their_source_and_licence() -> None:
    """Figures from somebody else's trace carry its name and licence, and no trace is shipped."""
    profiles = sorted((EXAMPLES / "three-layer" / "demand").glob("*.json"))
    assert len(profiles) == 5
    for profile in profiles:
        source = json.loads(profile.read_text(encoding="utf-8"))["source"]
        assert "CC-BY-4.0" in source or "Apache-2.0" in source
        assert profile.stat().st_size < 20_000


@every_answer
def test_the_answer_is_proven_within_the_gap(name: str, answer: Callable[[str], Plan]) -> None:
    """Every example closes to 0.1 %, and its total is the one the README quotes."""
    plan, facts = answer(name), expected(name)
    assert plan.status is PlanStatus.OPTIMAL
    assert certificate(plan).gap <= 1e-3
    assert certificate(plan).undiscounted_usd == pytest.approx(facts["total_usd"], rel=facts["tolerance"])


@slow
def test_the_front_page_shows_the_plan_of_the_shipped_example(answer: Callable[[str], Plan]) -> None:
    """The total in the README's first block is what `make plan` finds."""
    shown = re.search(r"^\$([\d.]+)M over 36 months", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert shown is not None
    total = certificate(answer("three-layer")).undiscounted_usd
    assert float(shown[1]) * 1e6 == pytest.approx(total, rel=expected("three-layer")["tolerance"])


@every_answer
def test_the_statement_adds_up_to_the_total(name: str, answer: Callable[[str], Plan]) -> None:
    """The charge rows of an example are its cost, to the cent."""
    plan = answer(name)
    assert sum(row.effective_usd for row in plan.charges) == pytest.approx(certificate(plan).undiscounted_usd, abs=0.01)


@every_answer
def test_workloads_live_where_the_readme_says(name: str, answer: Callable[[str], Plan]) -> None:
    """Homes in the first and last period contain the sites the story names."""
    found = {row.id: row for row in answer(name).workloads}
    for workload, homes in expected(name)["homes"].items():
        assert set(homes.get("first", ())) <= set(found[workload].sites_first), workload
        assert set(homes.get("last", ())) <= set(found[workload].sites_last), workload


@every_answer
def test_what_is_refused_is_never_used(name: str, answer: Callable[[str], Plan]) -> None:
    """Places and nodes ruled out are refused with the reason the README gives (`*` is a whole site), and not used."""
    plan = answer(name)
    told = {(row.workload, row.site, row.node_type, row.reason.value) for row in plan.refusals}
    used = {(row.workload, row.site, row.node_type) for row in plan.placements if row.share > 0}
    used |= {(row.workload, row.site, row.pool.partition("/")[2]) for row in plan.standby if row.share > 0}
    used |= {(workload, site, "*") for workload, site, _ in used}
    for workload, site, node_type, reason in expected(name)["refused"]:
        assert (workload, site, node_type, reason) in told
        assert (workload, site, node_type) not in used


@every_answer
def test_the_first_limit_is_the_one_told(name: str, answer: Callable[[str], Plan]) -> None:
    """The physical limit the story is about is reached in the period it says."""
    limits = {(row.resource, row.site): row.exhausted for row in answer(name).headroom}
    for resource, site, exhausted in expected(name)["limits"]:
        assert limits[resource, site] == exhausted


@every_answer
def test_owning_pays_from_the_month_told(name: str, answer: Callable[[str], Plan]) -> None:
    """Break-even months are arithmetic over declared and catalogue figures, not a matter of the search."""
    months = {row.subject: row.month for row in answer(name).breakevens if row.kind == "workload"}
    for workload, month in expected(name)["break_even"].items():
        assert months[workload] == month


@every_answer
def test_alternatives_cost_what_the_readme_says(name: str, answer: Callable[[str], Plan]) -> None:
    """Each alternative is possible or not as told, and costs about as much more than the plan."""
    plan, facts = answer(name), expected(name)
    for alternative, factor in facts["alternatives"].items():
        row = baseline(plan, alternative)
        if factor is None:
            assert row.status is PlanStatus.INFEASIBLE
            assert row.note
        else:
            assert row.total_usd / certificate(plan).undiscounted_usd == pytest.approx(factor, rel=0.03)


@every_answer
def test_commitments_to_let_lapse_are_told(name: str, answer: Callable[[str], Plan]) -> None:
    """A commitment larger than its use is named with its end and how much of it was used."""
    found = {row.pool: row for row in answer(name).lapses}
    for pool, ends, most_used in expected(name)["lapses"]:
        assert found[pool].ends == ends
        assert found[pool].mean_use <= most_used
        assert found[pool].renew_nodes < found[pool].nodes


@every_answer
def test_a_workload_with_a_large_bill_has_a_reason(name: str, answer: Callable[[str], Plan]) -> None:
    """Whoever pays a million is told why it lives where it does."""
    for row in answer(name).workloads:
        if row.cost_usd >= LARGE_COST_USD:
            assert row.why, row.id


@every_answer
def test_recovery_classes_have_their_capacity(name: str, answer: Callable[[str], Plan]) -> None:
    """Where a recovery class is declared, no single site carries a workload without help elsewhere."""
    plan = answer(name)
    for workload, share in expected(name)["survives"].items():
        for period in range(len(plan.periods)):
            sites = {row.id for row in plan.sites}
            for lost in sites:
                serving = _served(plan, workload, period, lost)
                waiting = sum(
                    row.share
                    for row in plan.standby
                    if row.workload == workload and row.period == period and row.site != lost
                )
                assert serving + waiting >= share - 1e-6, (workload, period, lost)


def _served(plan: Plan, workload: str, period: int, lost: str) -> float:
    """Share of the demand still served without a site in the block that loses least.

    Standby is a share of the peak and goes further in quieter blocks, so only the busiest block must add up.
    """
    blocks = {row.block for row in plan.placements if row.workload == workload and row.period == period}
    return max(
        sum(
            row.share
            for row in plan.placements
            if (row.workload, row.period, row.block) == (workload, period, block) and row.site != lost
        )
        for block in blocks
    )
