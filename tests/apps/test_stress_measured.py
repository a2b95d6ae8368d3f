"""`tripoint stress --measured`: service times by what the ledger says was answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.apps.conftest import RunCli
from tests.factories.estate_texts import TWO_REGIONS
from tests.factories.records import attempt, record
from tests.factories.spending import ledger_of
from tests.factories.stations import answered_by

from tripoint.domain.record import Usage
from tripoint.engines.stress.stations.pace import Pace

SLOW = Pace(base_s=0.06, sequence_s=0.002, context_s=0.0, prefill_s=3e-4, overhead_s=0.2, max_sequences=32)


@pytest.fixture
def planned(run: RunCli, tmp_path: Path) -> tuple[Path, Path]:
    """An estate and the folder of its plan."""
    path = tmp_path / "estate.yaml"
    path.write_text(TWO_REGIONS, encoding="utf-8")
    assert run("plan", path, "--out", tmp_path / "out", "--gap", "0.001", "--no-baselines", "--quiet").code == 0
    return path, tmp_path / "out"


@pytest.fixture
def store(tmp_path: Path, planned: tuple[Path, Path]) -> str:
    """A ledger of answers that took longer than the planner thinks, at every site of the plan."""
    plan = json.loads((planned[1] / "plan.json").read_text(encoding="utf-8"))
    sites = sorted({row["site"] for row in plan["placements"] if row["site"]})
    records = [
        record(
            0, id=f"{site}-{number}", at=1.795e9 + answer.began_s, site=site, model="llama3.1-8b", workload="fraud",
            usage=Usage(round(answer.input_tokens), round(answer.output_tokens)), ttft_s=answer.first_token_s,
            tpot_s=answer.per_token_s, total_s=answer.total_s, own_s=0.0, attempts=(attempt(started_s=0.0),),
        )
        for site in sites
        for number, answer in enumerate(answered_by(SLOW, (0.05, 0.4, 0.9), 100))
    ]  # fmt: skip
    ledger_of(tmp_path / "ledger.db", (), records).close()
    return f"ledger:sqlite:///{tmp_path / 'ledger.db'}"


def tried(run: RunCli, planned: tuple[Path, Path], *flags: str) -> list[Any]:
    """Where times were measured, by the report of one trial of a scenario."""
    told = run(
        "stress", planned[0], "--plan", planned[1], "--only", "node-loss", "--trials", "1", "--no-search",
        "--on", "here", "--quiet", "--json", *flags,
    )  # fmt: skip
    assert told.code in (0, 1), told.err
    rows: list[Any] = told.document()["report"]["remeasured"]
    return rows


def test_measured_times_take_the_place_of_planned_ones(run: RunCli, planned: tuple[Path, Path], store: str) -> None:
    """The report says where they hold, and how much slower the places were."""
    row = tried(run, planned, "--measured", store)[0]
    assert row["model"] == "llama3.1-8b"
    assert row["answers"] == 300
    assert row["ratio"] > 1
    assert tried(run, planned) == []


def test_the_text_tells_them(run: RunCli, planned: tuple[Path, Path], store: str) -> None:
    """A line for each model at a site."""
    told = run(
        "stress", planned[0], "--plan", planned[1], "--only", "node-loss", "--trials", "1", "--no-search",
        "--on", "here", "--quiet", "--measured", store,
    )  # fmt: skip
    assert "Times by what was answered" in told.out
    assert "from 300 answers" in told.out


def test_another_source_is_refused(run: RunCli, planned: tuple[Path, Path]) -> None:
    """With the two that there are."""
    told = run("stress", planned[0], "--plan", planned[1], "--measured", "somewhere", "--quiet")
    assert told.code == 2
    assert "name `ledger`, or `ledger:URL`" in told.err
