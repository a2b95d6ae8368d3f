"""Files of jobs: read whole, or refused with every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tripoint.apps.planner import jobs_schema, read_jobs
from tripoint.domain.errors import EstateError
from tripoint.domain.job import Handover, Job, JobData, JobRead, Need
from tripoint.domain.units import AcceleratorId

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "jobs"
GOOD = """\
apiVersion: tripoint/jobs/v1
datasets:
  - {id: corpus, size_gb: 100, copies: ["aws:eu-central-1"]}
jobs:
  - {id: prepare, runs_on: [{accelerator: l4, hours: 2}], reads: [{dataset: corpus}]}
  - {id: train, kind: training, runs_on: [{accelerator: h100-sxm, gpus: 8, hours: 3}], after: [{job: prepare, gb: 5}]}
"""


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    """Every field, and defaults for those that are left out."""
    path = tmp_path / "jobs.yaml"
    path.write_text(GOOD, encoding="utf-8")
    file, positions = read_jobs(path)
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
    with pytest.raises(EstateError) as refused:
        read_jobs(path)
    found = refused.value.findings[0]
    assert found.line == line
    assert said in f"{found.message} {found.hint}"


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
