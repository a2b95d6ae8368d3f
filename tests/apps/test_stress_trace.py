"""`tripoint stress --trace`: a workload's requests come as in a log, as many as its demand says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.apps.conftest import RunCli
from tests.factories.estate_texts import ONE_REGION

pytest.importorskip("duckdb", reason="the extra `demand` is not installed")

ESTATE = (
    ONE_REGION
    + """\
    slo: {ttft_ms: 1500}
"""
)


@pytest.fixture
def planned(run: RunCli, tmp_path: Path) -> tuple[Path, Path]:
    """An estate and the folder of its plan."""
    path = tmp_path / "estate.yaml"
    path.write_text(ESTATE, encoding="utf-8")
    assert run("plan", path, "--out", tmp_path / "out", "--gap", "0.001", "--no-baselines", "--quiet").code == 0
    return path, tmp_path / "out"


def test_requests_come_as_in_the_log(run: RunCli, tmp_path: Path, planned: tuple[Path, Path]) -> None:
    """A log whose prompts are far longer than declared: first tokens come later, in trials of the same seed."""
    log = tmp_path / "log.csv"
    rows = "\n".join(f"{at / 2:.3f},6000,150" for at in range(2000))
    log.write_text(f"arrival_s,input_tokens,output_tokens\n{rows}\n", encoding="utf-8")
    estate, plan = planned
    args = (
        "stress",
        estate,
        "--plan",
        plan,
        "--only",
        "gray-slow",
        "--trials",
        "2",
        "--no-search",
        "--json",
        "--quiet",
    )
    plain, traced = run(*args), run(*args, "--trace", f"fraud={log}")
    assert {plain.code, traced.code} <= {0, 1}, traced.out + traced.err
    assert _in_time(json.loads(traced.out)) < _in_time(json.loads(plain.out))


def _in_time(document: dict[str, Any]) -> float:
    """Share answered in time of the only workload under the only scenario."""
    verdicts = document["report"]["verdicts"]
    assert len(verdicts) == 1
    return float(verdicts[0]["availability"]["mean"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("fraud={log}", "does not tell its unit"),
        ("fraud", "names no file"),
        ("frauds=log.csv", "no workload that answers requests is called `frauds`"),
    ],
)
def test_what_is_no_trace_is_told(run: RunCli, planned: tuple[Path, Path], given: str, told: str) -> None:
    """Exit code 2, and what to write instead."""
    log = planned[0].with_name("log.csv")
    log.write_text("timestamp,input_tokens,output_tokens\n1,5,6\n2,5,6\n", encoding="utf-8")
    given = given.replace("{log}", str(log))
    answer = run("stress", planned[0], "--plan", planned[1], "--trace", given, "--quiet")
    assert answer.code == 2
    assert told in answer.err
