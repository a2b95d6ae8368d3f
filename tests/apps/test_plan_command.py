from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli

import tripoint
from tripoint.apps import wiring
from tripoint.domain.errors import FileError
from tripoint.domain.units import seconds_told

FAST = ("--gap", "0.01", "--no-baselines")


def test_a_plan_is_printed_and_its_documents_written(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """The answer is on standard output, with where the three documents went; they exist and agree."""
    out = tmp_path / "out"
    told = run("plan", small_estate, "--out", out, *FAST)
    assert told.code == 0
    for name in ("report.html", "plan.json", "charges.csv"):
        assert f"wrote {out / name}" in told.out
    assert "peak memory" in told.out
    plan = json.loads((out / "plan.json").read_text(encoding="utf-8"))
    with (out / "charges.csv").open(encoding="utf-8", newline="") as stream:
        charged = sum(float(row["EffectiveCost"]) for row in csv.DictReader(stream))
    assert charged == pytest.approx(plan["solve"]["undiscounted_usd"], abs=0.01)
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")


def test_a_plan_from_an_earlier_one_says_what_moved(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Nothing changed, nothing moved: the text says so, the document lists nothing, and the strategy is told."""
    out = tmp_path / "out"
    run("plan", small_estate, "--out", out, *FAST)
    told = run("plan", small_estate, "--warm", out / "plan.json", *FAST)
    assert told.code == 0
    assert "Against the earlier plan" in told.out
    assert "nothing moved" in told.out
    found = run("plan", small_estate, "--warm", out, *FAST, "--json").document()
    assert found["moved"] == []
    assert found["solve"]["strategy"] == "warm"


def test_progress_goes_to_standard_error_and_only_when_wanted(run: RunCli, small_estate: Path) -> None:
    """Phases are told beside the answer; `--quiet` tells none."""
    assert "planning" in run("plan", small_estate, *FAST).err
    assert "planning" not in run("plan", small_estate, *FAST, "--quiet").err


def test_a_plan_as_json_is_one_document(run: RunCli, small_estate: Path) -> None:
    """The document carries the certificate, and the gap is within what was asked."""
    found = run("plan", small_estate, *FAST, "--json").document()
    assert found["schema"] == "tripoint/cli/plan/v1"
    assert found["ok"] is True
    assert found["solve"]["gap"] <= 0.01
    assert found["solve"]["peak_mb"] > 10
    assert found["total_usd"] > 0


def test_a_limit_below_a_second_is_told_as_it_was_asked() -> None:
    """`--time-limit 0.01` is not 0 s."""
    assert [seconds_told(value) for value in (0.01, 0.0426, 1.0, 59.6)] == ["0.01 s", "0.043 s", "1 s", "60 s"]


def test_no_plan_is_a_no_with_the_conflict(run: RunCli, impossible_estate: Path) -> None:
    """A budget nothing fits into ends with code 1 and names the budget; nothing is a traceback."""
    told = run("plan", impossible_estate, *FAST)
    assert told.code == 1
    assert "budget" in told.out
    found = run("plan", impossible_estate, *FAST, "--json")
    assert found.code == 1
    assert found.document()["ok"] is False
    assert "budget" in found.document()["conflict"]["families"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--gap", "nan"),
        ("--gap", "-1"),
        ("--time-limit", "0"),
        ("--time-limit", "inf"),
        ("--seed", "-1"),
        ("--threads", "0"),
    ],
)
def test_flags_outside_their_range_are_refused(run: RunCli, small_estate: Path, flags: tuple[str, str]) -> None:
    """Each flag that makes no sense ends with code 2 and is named."""
    told = run("plan", small_estate, *flags)
    assert told.code == 2
    assert flags[0] in told.err


def test_an_estate_with_errors_is_not_planned(run: RunCli, tmp_path: Path) -> None:
    """Findings go to standard error, the code is 2 and nothing is written."""
    path = tmp_path / "estate.yaml"
    path.write_text("apiVersion: tripoint/v1\nsites: []\n", encoding="utf-8")
    told = run("plan", path, "--out", tmp_path / "out")
    assert told.code == 2
    assert told.out == ""
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_told_before_planning(run: RunCli, small_estate: Path) -> None:
    """Minutes of solving are not spent on an answer that has nowhere to go."""
    told = run("plan", small_estate, "--out", small_estate / "below-a-file", *FAST)
    assert told.code == 3
    assert "below-a-file" in told.err
    assert "planning" not in told.err


def test_a_disk_that_fills_up_does_not_cost_the_answer(
    run: RunCli, small_estate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is printed although its documents could not be written; the code is 3, and JSON tells the failure."""

    def full(*_: object) -> None:
        raise FileError("cannot write `report.html`: No space left on device", hint="free space")

    monkeypatch.setattr(wiring, "write_text", full)
    told = run("plan", small_estate, "--out", tmp_path / "out", *FAST)
    assert told.code == 3
    assert "Certificate" in told.out
    assert "No space left" in told.err
    document = run("plan", small_estate, "--out", tmp_path / "out", *FAST, "--json").document()
    assert document["ok"] is False
    assert "No space left" in document["error"]["message"]


def test_doubts_the_answer_shows_are_told_in_part(run: RunCli, tmp_path: Path) -> None:
    """Beside the answer stand the heaviest doubts and how many more there are; `--full` tells all, JSON holds all."""
    run("init", tmp_path / "shops", "--template", "edge-retail")
    brief, full = (run("plan", tmp_path / "shops", *FAST, *flags) for flags in ((), ("--full",)))
    held = run("plan", tmp_path / "shops", *FAST, "--json").document()["findings"]
    weak = sum(finding["code"] == "TP1602" for finding in held)
    assert (brief.err.count("TP1602"), full.err.count("TP1602")) == (2, weak)
    assert f"... {weak - 2} more doubts in the report" in brief.err
    assert "more doubt" not in full.err


def test_the_api_gives_the_command_lines_answer(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """The same estate and options give the same plan, but for the seconds it took."""
    run("plan", small_estate, "--out", tmp_path, *FAST)
    by_command = tripoint.read_plan(tmp_path / "plan.json")
    options = tripoint.PlanOptions(gap=0.01, baselines=False)
    by_api = tripoint.plan(tripoint.load_estate(small_estate), options)
    assert by_api.placements == by_command.placements
    assert by_api.purchases == by_command.purchases
    assert by_api.charges == by_command.charges
    assert by_api.estate_digest == by_command.estate_digest


def test_a_report_can_be_made_again_from_the_plan(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """`report` makes the very report that `plan` made, from the file or its folder."""
    run("plan", small_estate, "--out", tmp_path / "out", *FAST)
    first = (tmp_path / "out" / "report.html").read_bytes()
    assert run("report", tmp_path / "out" / "plan.json", "--out", tmp_path / "again.html").code == 0
    assert (tmp_path / "again.html").read_bytes() == first
    assert run("report", tmp_path / "out", "--out", tmp_path / "copy").code == 0
    assert (tmp_path / "copy" / "charges.csv").read_bytes() == (tmp_path / "out" / "charges.csv").read_bytes()


def test_a_report_shows_what_the_plan_withstood(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Trials of this very plan become parts of its report; those of another plan are refused, naming both."""
    run("plan", small_estate, "--out", tmp_path / "out", *FAST)
    only = ("--only", "site-loss", "--trials", "2", "--no-search", "--quiet")
    assert run("stress", small_estate, "--plan", tmp_path / "out", "--out", tmp_path / "trials", *only).code in (0, 1)
    told = run("report", tmp_path / "out", "--stress", tmp_path / "trials", "--out", tmp_path / "both.html")
    assert told.code == 0
    assert "What holds under what" in (tmp_path / "both.html").read_text(encoding="utf-8")
    tried = tmp_path / "trials" / "stress.json"
    digest = json.loads(tried.read_text())["plan_digest"]
    tried.write_text(tried.read_text().replace(digest, "0" * 64))
    told = run("report", tmp_path / "out", "--stress", tmp_path / "trials")
    assert told.code == 2
    assert f"{'0' * 12} was tried, this is {digest[:12]}" in told.err


def test_a_report_need_not_price_what_is_missing(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Losses and scores without planning again: nothing is told to be planned."""
    run("plan", small_estate, "--out", tmp_path / "out", *FAST)
    told = run("report", tmp_path / "out", "--recovery", small_estate, "--no-prices", "--out", tmp_path / "r.html")
    assert told.code == 0
    assert "planning again" not in told.err
    assert "What is asked, and how it is known" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert run("report", tmp_path / "out", "--recovery", small_estate, "--time-limit", "0").code == 2


def test_a_report_of_something_else_is_refused(run: RunCli, small_estate: Path) -> None:
    """A file that is no plan ends with code 2 and says what it expected."""
    told = run("report", small_estate)
    assert told.code == 2
    assert "TP19" in told.err


def test_the_api_prints_what_the_command_prints(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """`plan_text` of a plan read back is the command's answer to the letter, in both lengths."""
    for flags, full in (((), False), (("--full",), True)):
        told = run("plan", small_estate, "--out", tmp_path, *FAST, *flags).out
        assert told.startswith(tripoint.plan_text(tripoint.read_plan(tmp_path), full=full))


def test_alternatives_nobody_waited_for_are_left_out(small_estate: Path) -> None:
    """Stopped while the first alternative is priced, a plan does not call the others impossible."""
    phases: list[str] = []
    watch = tripoint.Watch(
        show=lambda state: phases.append(state.phase),
        should_stop=lambda: any(phase.startswith("pricing") for phase in phases),
    )
    found = tripoint.plan(tripoint.load_estate(small_estate), tripoint.PlanOptions(gap=0.01), watch=watch)
    assert len({phase for phase in phases if phase.startswith("pricing")}) == 1
    assert found.baselines[0].name == "plan"
    assert all(row.status is not tripoint.PlanStatus.INFEASIBLE for row in found.baselines)


def test_first_purchases_are_decided_over_outlooks(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """The choices and what becomes of them, as text and as JSON; a file that is none is refused with its line."""
    path = tmp_path / "outlooks.yaml"
    path.write_text(
        "apiVersion: tripoint/outlooks/v1\noutlooks: [{id: calm, weight: 3}, {id: boom, weight: 1, demand: 2}]\n",
        encoding="utf-8",
    )
    told = run("plan", small_estate, *FAST, "--outlooks", path, "--quiet")
    assert told.code == 0
    assert "Before the outlook is known" in told.out
    found = run("plan", small_estate, *FAST, "--outlooks", path, "--json").document()["weighed"]
    assert [each["id"] for each in found["outlooks"]] == ["calm", "boom"]
    assert found["perfect_npv_usd"] <= found["choices"][0]["expected_npv_usd"] + 1e-6
    path.write_text("apiVersion: tripoint/outlooks/v1\noutlooks: [{id: calm}]\n", encoding="utf-8")
    refused = run("plan", small_estate, *FAST, "--outlooks", path)
    assert refused.code == 2
    assert "weight" in refused.err


def test_plans_nearly_as_cheap_are_told(run: RunCli, small_estate: Path) -> None:
    """The plan first, then what was found near it."""
    found = run("plan", small_estate, *FAST, "--near", "3", "--within", "0.1", "--json").document()
    assert found["near"][0]["name"] == "this plan"
    assert "Nearly as cheap" in run("plan", small_estate, *FAST, "--near", "1", "--quiet").out


def test_warnings_of_the_estate_stand_before_everything_else(run: RunCli, small_estate: Path) -> None:
    """They are told before doubts about the plan, and counted above its tables, where only the answer is kept."""
    text = small_estate.read_text(encoding="utf-8")
    rule = "policies: {residency: [{allow: [EEA, US], classifications: [embargoed]}]}\n"
    assert "policies:" not in text
    small_estate.write_text(text + rule, encoding="utf-8")
    told = run("plan", small_estate, *FAST, "--quiet")
    codes = [line.split("  ")[1].split()[0] for line in told.err.splitlines() if " TP1" in line[:200]]
    assert codes[0] == "TP1507"
    assert any(code.startswith("TP16") for code in codes)
    head = told.out.split("\n\n")[0]
    assert "1 warning on the estate: TP1507; `tripoint check` tells more" in head
