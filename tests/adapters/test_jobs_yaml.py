"""Files of jobs: read whole, or refused with every mistake at its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.planner import jobs_schema, read_jobs
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.job import Handover, Job, JobData, JobRead, Need
from tripoint.domain.units import AcceleratorId
from tripoint.usecases.jobs import plan_jobs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "jobs"
CATALOG = load_catalog()
TODAY = date(2026, 11, 22)
GOOD = """\
apiVersion: tripoint/jobs/v1
datasets:
  - {id: corpus, size_gb: 100, copies: ["aws:eu-central-1"]}
jobs:
  - {id: prepare, runs_on: [{accelerator: l4, hours: 2}], reads: [{dataset: corpus}]}
  - {id: train, kind: training, runs_on: [{accelerator: h100-sxm, gpus: 8, hours: 3}], after: [{job: prepare, gb: 5}]}
"""


def mistakes(path: Path) -> tuple[Finding, ...]:
    """What planning a file of jobs is refused with."""
    with pytest.raises(EstateError) as refused:
        plan_jobs(read_jobs(path), CATALOG, HighsSolver(), today=TODAY)
    return refused.value.findings


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    """Every field, and defaults for those that are left out."""
    path = tmp_path / "jobs.yaml"
    path.write_text(GOOD, encoding="utf-8")
    file, positions, findings = read_jobs(path)
    assert findings == ()
    assert file.datasets == (JobData(id="corpus", size_gb=100.0, copies=("aws:eu-central-1",)),)
    assert file.jobs == (
        Job(
            id="prepare",
            runs_on=(Need(accelerator=AcceleratorId("l4"), hours=2.0),),
            reads=(JobRead(dataset="corpus"),),
        ),
        Job(
            id="train",
            kind="training",
            runs_on=(Need(accelerator=AcceleratorId("h100-sxm"), gpus=8, hours=3.0),),
            after=(Handover(job="prepare", gb=5.0),),
        ),
    )
    place = positions.of_value("jobs[1].after[0].gb")
    assert place is not None
    assert place.line == 6


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        (GOOD.replace("jobs/v1", "jobs/v9"), 1, "tripoint/jobs/v1"),
        (GOOD.replace("hours: 3", "hour: 3"), 6, "hours"),
        (GOOD.replace("hours: 2", "hours: long"), 5, "number"),
        (GOOD.replace("kind: training", "kind: serving"), 6, "fine_tuning"),
        (GOOD.replace("gpus: 8", "gpus: 7.5"), 6, "whole number"),
        ("apiVersion: tripoint/jobs/v1\n", 1, "jobs"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, wrong: str, line: int, said: str) -> None:
    """A version, a key, a type, a word, half an accelerator, a missing list."""
    path = tmp_path / "jobs.yaml"
    path.write_text(wrong, encoding="utf-8")
    found = mistakes(path)[0]
    assert found.line == line
    assert said in f"{found.message} {found.hint}"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GOOD.replace("hours: 2", "hours: 2h"), ["jobs[0].runs_on[0].hours"]),
        (
            GOOD.replace("hours: 2", "hours: 2h").replace("gpus: 8", "gpus: 0"),
            ["runs_on[0].hours", "jobs[1].runs_on[0].gpus"],
        ),
        (
            GOOD.replace("id: prepare", "ids: prepare").replace("hours: 3", "hours: 0"),
            ["jobs[0].id", "jobs[0].ids", "jobs[1].runs_on[0].hours"],
        ),
        (GOOD.replace("id: corpus", "id: 7").replace("gb: 5", "gb: -5"), ["datasets[0].id", "jobs[1].after[0].gb"]),
        (
            GOOD.replace("accelerator: l4, ", "").replace("job: prepare", "job: train"),
            ["jobs[0].runs_on[0].accelerator", "jobs[1].after"],
        ),
        (
            GOOD.replace("[{accelerator: l4, hours: 2}]", "l4").replace("job: prepare", "job: prepair"),
            ["jobs[0].runs_on", "jobs[1].after[0].job"],
        ),
        (
            GOOD.replace("kind: training", "kind: serving").replace("corpus}]", "corpse}]"),
            ["jobs[0].reads[0].dataset", "jobs[1].kind"],
        ),
        (GOOD.replace("datasets:", "dataset:"), ["dataset"]),
        (
            GOOD.replace("size_gb: 100", "size_gb: 100, size_gb: 3").replace("gpus: 8", "gpus: 0"),
            ["", "jobs[1].runs_on[0].gpus"],
        ),
        (
            "apiVersion: tripoint/jobs/v1\njobs:\n  - prepare\n  - {id: train, runs_on: [], after: [{job: prepare}]}\n",
            ["jobs[0]", "jobs[1].runs_on"],
        ),
    ],
)
def test_mistakes_of_form_and_of_meaning_are_told_at_once(tmp_path: Path, wrong: str, told: list[str]) -> None:
    """Nothing is held against what could not be read, nor against names where an id could not be."""
    path = tmp_path / "jobs.yaml"
    path.write_text(wrong, encoding="utf-8")
    found = mistakes(path)
    assert len(found) == len(told), found
    assert all(each.path.endswith(name) for each, name in zip(found, told, strict=True)), found


def test_the_schema_admits_what_is_read_and_refuses_what_is_not(tmp_path: Path) -> None:
    """Editors are told what the command says; every field is described."""
    schema = jobs_schema()
    validator = Draft202012Validator(schema)
    assert list(validator.iter_errors(yaml.safe_load(GOOD))) == []
    assert list(validator.iter_errors(yaml.safe_load(GOOD.replace("hours: 3", "hour: 3"))))
    assert list(validator.iter_errors(yaml.safe_load(GOOD.replace("kind: training", "kind: serving"))))
    fields = [each for part in (schema, *schema["$defs"].values()) for each in part.get("properties", {}).values()]
    assert all(each.get("description") for each in fields)


@pytest.mark.parametrize("name", ["jobs", "halden"])
def test_the_examples_are_valid_by_the_schema(name: str) -> None:
    """As they are shipped."""
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    assert list(Draft202012Validator(jobs_schema()).iter_errors(yaml.safe_load(text))) == []
