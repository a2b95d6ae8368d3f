"""`tripoint jobs plan`, as people and programs meet it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apps.conftest import RunCli

from tripoint.apps.cli import cli

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

ESTATE = """\
apiVersion: tripoint/v1
sites:
  - id: frankfurt
    kind: cloud
    provider: aws
    region: eu-central-1
    pools:
      - {node_type: p5.48xlarge, options: [on_demand], usd_per_hour: 50}
      - {node_type: g6.xlarge, options: [on_demand], usd_per_hour: 1}
  - id: virginia
    kind: cloud
    provider: aws
    region: us-east-1
    pools:
      - {node_type: p5.48xlarge, options: [on_demand], usd_per_hour: 40}
      - {node_type: g6.xlarge, options: [on_demand], usd_per_hour: 0.8}
models:
  - {id: llama3.1-8b}
workloads:
  - id: chat
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 1, input_tokens: 500, output_tokens: 150}
    callers: [{place: DE}]
policies:
  residency: [{allow: [EEA], classifications: [customer]}]
"""
JOBS = """\
apiVersion: tripoint/jobs/v1
name: tune
jobs:
  - id: prepare
    runs_on: [{accelerator: l4, hours: 10}]
  - id: train
    runs_on: [{accelerator: h100-sxm, gpus: 8, hours: 2}]
    after: [{job: prepare, gb: 500}]
  - id: export
    runs_on: [{accelerator: l4, gpus: 1, hours: 1}]
    classification: customer
    after: [{job: train, gb: 300}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An estate of two regions and three jobs."""
    (tmp_path / "estate.yaml").write_text(ESTATE, encoding="utf-8")
    (tmp_path / "jobs.yaml").write_text(JOBS, encoding="utf-8")
    return tmp_path


def test_the_table_prints_as_ever_and_fits_80_columns(
    run: RunCli, folder: Path, golden: Callable[[str, str], None]
) -> None:
    """At an estate's sites; the printed words change only on purpose."""
    told = run("jobs", "plan", folder / "jobs.yaml", "--estate", folder / "estate.yaml", "--quiet")
    assert told.code == 0
    golden("jobs/plan.txt", told.out)
    assert max(map(len, told.out.splitlines())) <= 80


def test_a_job_that_runs_nowhere_is_told_with_what_excludes_each_offer(
    run: RunCli, folder: Path, golden: Callable[[str, str], None]
) -> None:
    """Exit code 1, each reason counted with an example; the same in JSON."""
    jobs = JOBS.replace("accelerator: h100-sxm, gpus: 8", "accelerator: l4, gpus: 8").replace("customer", "none")
    jobs = jobs.replace("id: export\n", "id: export\n    only_at: [edge]\n")
    (folder / "jobs.yaml").write_text(jobs, encoding="utf-8")
    arguments = ("jobs", "plan", folder / "jobs.yaml", "--estate", folder / "estate.yaml", "--quiet")
    told = run(*arguments)
    assert told.code == 1
    golden("jobs/nowhere.txt", told.out)
    document = run(*arguments, "--json").document()
    assert document["ok"] is False
    assert document["stuck"] == ["train", "export"]
    assert {(row["job"], row["reason"], row["count"]) for row in document["excluded"]} >= {
        ("train", "gang", 2), ("export", "confined", 2),
    }  # fmt: skip


def test_one_json_document_holds_everything(run: RunCli, folder: Path) -> None:
    """Sums add up; the bound and the gap are there."""
    told = run("jobs", "plan", folder / "jobs.yaml", "--estate", folder / "estate.yaml", "--json")
    found = told.document()
    assert found["schema"] == "tripoint/cli/jobs-plan/v1"
    assert found["ok"] is True
    assert found["usd"] == pytest.approx(sum(job["usd"] + job["moved_usd"] for job in found["jobs"]))
    assert found["usd"] == pytest.approx(found["compute_usd"] + found["moved_usd"])
    assert found["bound_usd"] <= found["usd"]
    assert found["gap"] == pytest.approx(0.0, abs=1e-9)
    assert [job["job"] for job in found["jobs"]] == ["prepare", "train", "export"]


def test_mistakes_end_with_2_and_their_lines(run: RunCli, folder: Path) -> None:
    """Of the file, and of the command line."""
    (folder / "jobs.yaml").write_text(JOBS.replace("job: train", "job: trian"), encoding="utf-8")
    told = run("jobs", "plan", folder / "jobs.yaml")
    assert told.code == 2
    assert "jobs.yaml:12:19" in told.err
    assert "did you mean `train`" in told.err
    assert run("jobs", "plan", folder / "nothing.yaml").code == 2
    assert run("jobs", "plan", folder / "jobs.yaml", "--gap", "2").code == 2
    assert "did you mean `plan`" in run("jobs", "pln").err


@pytest.mark.parametrize("name", ["jobs", "halden"])
def test_the_examples_answer_as_their_readme_says(run: RunCli, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums to the cent, on the day they were taken; places where no other is as good."""
    monkeypatch.setenv("TRIPOINT_TODAY", "2026-11-22")
    where = ("--estate", EXAMPLES / "three-layer") if name == "halden" else ()
    found = run("jobs", "plan", EXAMPLES / "jobs" / f"{name}.yaml", *where, "--json").document()
    expected = json.loads((EXAMPLES / "jobs" / "expected.json").read_text(encoding="utf-8"))[name]
    assert found["usd"] == pytest.approx(expected["usd"], abs=0.01)
    at = {job["job"]: job["offer"]["site"] for job in found["jobs"]}
    assert {job: at[job] for job in expected["at"]} == expected["at"]
    one = found["one_place"]
    assert (None if one is None else one["usd"]) == pytest.approx(expected["one_place_usd"], abs=0.01)


SOLD = {"frankfurt": {"l4": 1.0, "h100-sxm": 50.0}, "virginia": {"l4": 0.8, "h100-sxm": 40.0}}
INTER_REGION_USD = 0.02


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_the_command_finds_what_a_pencil_finds(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Three jobs at two regions, every choice tried: the file, the estate and the flags lead to the cheapest."""
    folder = tmp_path_factory.mktemp("jobs")
    jobs: list[dict[str, Any]] = []
    for number in range(3):
        kind = data.draw(st.sampled_from(("l4", "h100-sxm")))
        after = [
            {"job": f"j{each}", "gb": data.draw(st.integers(0, 900))}
            for each in range(number)
            if data.draw(st.booleans())
        ]
        need = {"accelerator": kind, "gpus": 1 if kind == "l4" else 8, "hours": data.draw(st.integers(1, 20))}
        label = data.draw(st.sampled_from(("internal", "customer")))
        jobs.append({"id": f"j{number}", "runs_on": [need], "after": after, "classification": label})
    (folder / "estate.yaml").write_text(ESTATE, encoding="utf-8")
    file = folder / "jobs.yaml"
    file.write_text(yaml.safe_dump({"apiVersion": "tripoint/jobs/v1", "jobs": jobs}), encoding="utf-8")
    arguments = ["jobs", "plan", str(file), "--estate", str(folder / "estate.yaml"), "--json", "--quiet"]
    found = json.loads(CliRunner().invoke(cli, arguments, prog_name="tripoint").stdout)
    assert found["usd"] == pytest.approx(_pencil(jobs), abs=1e-4)
    assert all(job["offer"]["site"] == "frankfurt" for job in found["jobs"] if job["job"] in _customers(jobs))


def _customers(jobs: list[dict[str, Any]]) -> set[str]:
    shut: set[str] = set()
    for job in jobs:
        if job["classification"] == "customer" or any(each["job"] in shut for each in job["after"]):
            shut.add(job["id"])
    return shut


def _pencil(jobs: list[dict[str, Any]]) -> float:
    """The least any allowed choice costs: both regions are AWS's in NA and EU, 0.02 USD for a GB between them."""
    best = float("inf")
    for chosen in itertools.product(SOLD, repeat=len(jobs)):
        at = {job["id"]: site for job, site in zip(jobs, chosen, strict=True)}
        if any(at[name] != "frankfurt" for name in _customers(jobs)):
            continue
        usd = sum(SOLD[at[job["id"]]][job["runs_on"][0]["accelerator"]] * job["runs_on"][0]["hours"] for job in jobs)
        moved = sum(
            each["gb"] for job in jobs for each in job["after"] if at[each["job"]] != at[job["id"]]
        )  # fmt: skip
        best = min(best, usd + moved * INTER_REGION_USD)
    return best
