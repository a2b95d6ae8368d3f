"""`tripoint compare`, as people and programs meet it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.apps.conftest import SMALL_ESTATE, RunCli
from tests.factories.plan import synthetic_plan

from tripoint.apps.render.why.comparison import comparison_text
from tripoint.domain.charge import ChargeKind
from tripoint.engines.answers.comparison.comparison import compare


def test_a_comparison_prints_as_ever(golden: Callable[[str, str], None]) -> None:
    """Dearer energy and half the tokens of one workload; the printed answer changes only on purpose."""
    before = synthetic_plan()
    charges = [
        replace(row, effective_usd=row.effective_usd * 1.2) if row.kind is ChargeKind.ENERGY else row
        for row in before.charges
    ]
    workloads = [replace(row, mtok=row.mtok / 2) if row.id == "code-assistant" else row for row in before.workloads]
    after = replace(before, charges=tuple(charges), workloads=tuple(workloads), expansions=(), estate_digest="sha256:2")
    text = comparison_text(compare(before, after), ("plan.json", "estates/dear-energy"))
    golden("compare/dear-energy.txt", text + "\n")
    assert max(map(len, text.splitlines())) <= 100
    full = comparison_text(compare(before, after), ("a", "b"), is_full=True)
    assert all(row.id in full for row in before.workloads if row.cost_usd > 0)


def test_two_estates_are_planned_and_compared(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Half as much demand again costs more, and says that it is the demand."""
    other = tmp_path / "more.yaml"
    other.write_text(SMALL_ESTATE.replace("requests_per_s: 4", "requests_per_s: 6"), encoding="utf-8")
    told = run("compare", small_estate, other, "--gap", "0.01", "--quiet")
    assert told.code == 0
    assert "USD over the horizon: +" in told.out
    assert "chat" in told.out
    found = run("compare", small_estate, other, "--gap", "0.01", "--quiet", "--json").document()
    assert found["schema"] == "tripoint/cli/compare/v1"
    assert found["change_cents"] > 0
    row = next(each for each in found["workloads"] if each["workload"] == "chat")
    assert row["demand"] > 0
    assert row["demand"] + row["prices"] + row["placement"] == row["change_cents"]
    for view in ("workloads", "sites", "kinds"):
        assert sum(each["change_cents"] for each in found[view]) == found["change_cents"]


def test_a_plan_written_earlier_is_not_planned_again(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """The folder, its plan.json and the estate are the same plan."""
    run("plan", small_estate, "--out", tmp_path / "out", "--gap", "0.01", "--no-baselines", "--quiet")
    told = run("compare", tmp_path / "out", tmp_path / "out" / "plan.json")
    assert told.code == 0
    assert "What moved\n  nothing\n" in told.out
    assert "estate and catalogue are the same: and so are the two plans" in told.out
    assert "made a difference" not in told.out
    assert told.err == ""
    assert run("compare", tmp_path / "out", small_estate, "--gap", "0.01", "--json").document()["change_cents"] == 0


def test_a_plan_that_is_not_there_is_told_as_such(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """At once, though the other would have to be planned first; no estate is offered where a plan was meant."""
    for words in ((tmp_path / "nope", small_estate), (small_estate, tmp_path / "nope")):
        told = run("compare", *words)
        assert told.code == 2
        assert f"there is no `{tmp_path / 'nope'}`" in told.err
        assert "name a plan.json, a folder that holds one, or an estate" in told.err
        assert "planning" not in told.err
        assert "init" not in told.err


def test_without_a_plan_there_is_nothing_to_compare(run: RunCli, small_estate: Path, impossible_estate: Path) -> None:
    """Exit code 1, and which of the two has none and why."""
    told = run("compare", small_estate, impossible_estate, "--gap", "0.01", "--quiet")
    assert told.code == 1
    assert "impossible.yaml: no plan exists: demand + capacity + budget" in told.out
    assert "- budget: budget" in told.out
    assert "hint: " in told.out
    found = run("compare", small_estate, impossible_estate, "--gap", "0.01", "--quiet", "--json")
    assert found.code == 1
    assert [each["families"] for each in found.document()["conflicts"]] == [["demand", "capacity", "budget"]]
    assert found.document()["without_plan"] == [str(impossible_estate)]


def test_a_file_that_is_no_plan_is_refused(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Exit code 2 with the place; the estate is not planned in vain."""
    (tmp_path / "notes.json").write_text("{}", encoding="utf-8")
    told = run("compare", tmp_path / "notes.json", small_estate, "--quiet")
    assert told.code == 2
    assert "not a tripoint plan" in told.err
