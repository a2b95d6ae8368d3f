"""`tripoint assess recovery`, as people and programs meet it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.estate_texts import TWO_REGIONS

ESTATE = (
    TWO_REGIONS
    + """\
recovery:
  objectives:
    - {workloads: [fraud], after: [site], rto_minutes: 5, rpo_minutes: 5, least_share: 0.5}
    - {workloads: [fraud], after: [process], rto_minutes: 10}
  stores: [{id: features, workloads: [fraud], sites: [near, far], lag_p99_s: 8, source: measured, as_of: 2026-10}]
"""
)


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """Two regions and one workload, lost once too long."""
    path = tmp_path / "estate.yaml"
    path.write_text(ESTATE, encoding="utf-8")
    return path


@pytest.fixture
def plan(run: RunCli, estate: Path, tmp_path: Path) -> Path:
    """A plan of it."""
    assert run("plan", estate, "--out", tmp_path / "out", "--gap", "0.001", "--no-baselines", "--quiet").code == 0
    return tmp_path / "out"


def test_an_objective_that_is_missed_is_priced(run: RunCli, estate: Path, plan: Path) -> None:
    """Exit code 1, the sum, the price; progress goes to standard error."""
    told = run("assess", "recovery", estate, "--plan", plan)
    assert told.code == 1
    assert "late" in told.out
    assert "= detect 60 s + decide 30 min + provision 10 min" in told.out
    assert "site-loss RTO 5 min at 50%, RPO 5 min for `fraud` costs" in told.out
    assert told.out.rstrip().endswith("1 of 2 objectives met by design")
    assert "`fraud` after the loss of a site: " in told.err


def test_one_json_document(run: RunCli, estate: Path, plan: Path) -> None:
    """With every step, its source and date; nothing is priced that was not asked for."""
    told = run("assess", "recovery", estate, "--plan", plan, "--no-prices", "--json")
    found = told.document()
    assert told.code == 1
    assert (found["ok"], found["objectives"], found["met"]) == (False, 2, 1)
    assert found["remedies"] == []
    (site,) = (row for row in found["reached"] if row["disruption"] == "site")
    assert site["misses"] == ["time"]
    assert site["is_met"] is False
    terms = next(step["terms"] for step in site["steps"] if step["terms"])
    assert [each["part"] for each in terms] == [
        "detect", "decide", "provision", "stage", "load", "warm_up", "shift", "validate",
    ]  # fmt: skip
    assert {each["source"] for each in terms} == {"assumed"}
    assert site["rta_s"] == pytest.approx(sum(each["seconds"] for each in terms))
    (store,) = site["stores"]
    assert (store["store"], store["source"], store["as_of"]) == ("features", "measured", "2026-10")


def test_adopting_the_lines_meets_the_objective(run: RunCli, estate: Path, plan: Path) -> None:
    """What a remedy says to write makes the planner keep what it promised, and the answer is yes."""
    found = run("assess", "recovery", estate, "--plan", plan, "--json", "--quiet").document()
    (remedy,) = found["remedies"]
    assert remedy["is_possible"]
    name, _, lines = remedy["change"].partition(": ")
    assert name == "workloads[fraud].recovery"
    text = ESTATE.replace("    callers:", f"    recovery: {lines}\n    callers:")
    estate.write_text(text, encoding="utf-8")
    told = run("assess", "recovery", estate, "--json", "--quiet")
    assert told.code == 0
    assert told.document()["met"] == 2


def test_an_estate_without_a_plan_recovers_nothing(run: RunCli, impossible_estate: Path) -> None:
    """Exit code 1 and the families in conflict."""
    told = run("assess", "recovery", impossible_estate, "--quiet")
    assert told.code == 1
    assert "no plan exists: demand + capacity + budget" in told.out


def test_a_plan_of_another_estate_is_refused(run: RunCli, estate: Path, plan: Path) -> None:
    """Exit code 2, and what to do."""
    estate.write_text(ESTATE.replace("far", "further"), encoding="utf-8")
    text = estate.read_text(encoding="utf-8").replace("near", "nearer")
    estate.write_text(text, encoding="utf-8")
    told = run("assess", "recovery", estate, "--plan", plan)
    assert told.code == 2
    assert "was made for another estate" in told.err
    assert "plan the estate again" in told.err


def test_standby_is_told_with_the_part_of_the_peak_it_covers(run: RunCli, tmp_path: Path) -> None:
    """What a workload asks to survive, in the words of the estate; nothing is said of what asks for none."""
    path = tmp_path / "estate.yaml"
    asked = "    callers: [{place: DE}]\n    recovery: {standby: hot, survive_share: 0.6}\n"
    path.write_text(ESTATE.replace("    callers: [{place: DE}]\n", asked), encoding="utf-8")
    assert run("plan", path, "--out", tmp_path / "out", "--no-baselines", "--quiet").code == 0
    told = run("assess", "recovery", path, "--plan", tmp_path / "out", "--no-prices", "--json").document()
    assert told["stands_by"] == [{"workload": "fraud", "mode": "hot", "share": 0.6}]
    text = run("assess", "recovery", path, "--plan", tmp_path / "out", "--no-prices").out
    assert "`fraud`: 60 %, its `survive_share`, of every block's busiest hour is served elsewhere" in " ".join(
        text.split()
    )
