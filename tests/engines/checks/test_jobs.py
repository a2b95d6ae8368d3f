"""Files of jobs that have the right shape and make no sense: each mistake with its place, numbers and a hint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.dataset import Dataset
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.job import Delivery, Handover, Job, JobData, JobFile, JobRead, Need
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.serving import Serving
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.units import AcceleratorId, DatasetId, SiteId
from tripoint.engines.checks.jobs import check_jobs

CATALOG = load_catalog()
SITE = Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="eu-central-1")
ESTATE = Estate(
    apiVersion="tripoint/v1", sites=(SITE,), workloads=(), datasets=(Dataset(id=DatasetId("lost"), size_gb=1.0),)
)  # fmt: skip
NEED = Need(accelerator=AcceleratorId("l4"), hours=1.0)
JOB = Job(id="one", runs_on=(NEED,))
DATA = JobData(id="corpus", size_gb=10.0, copies=("cloud",))


def said(*jobs: Job, data: tuple[JobData, ...] = (DATA,)) -> tuple[Finding, ...]:
    """What is said of these jobs."""
    return check_jobs(JobFile(apiVersion="tripoint/jobs/v1", datasets=data, jobs=jobs), ESTATE, CATALOG)


def test_jobs_in_order_are_not_complained_of() -> None:
    """Places of either sort, a dataset of the file, a hand-over."""
    two = Job(
        id="two",
        kind="training",
        runs_on=(NEED, Need(accelerator=AcceleratorId("h100-sxm"))),
        after=(Handover(job="one"),),
        reads=(JobRead(dataset="corpus"),),
        delivers=(Delivery(to="gcp:europe-west4", gb=1.0), Delivery(to="cloud", gb=0.0)),
        only_at=("cloud",),
    )
    assert said(JOB, two) == ()


@pytest.mark.parametrize(
    ("job", "code", "path", "words"),
    [
        (replace(JOB, runs_on=()), "TP1302", "jobs[0].runs_on", "0 entries, expects at least 1"),
        (replace(JOB, runs_on=(replace(NEED, gpus=0),)), "TP1302", "jobs[0].runs_on[0].gpus", "is 0 accelerators"),
        (replace(JOB, runs_on=(replace(NEED, hours=-2.0),)), "TP1302", "jobs[0].runs_on[0].hours", "-2 hours"),
        (
            replace(JOB, runs_on=(replace(NEED, accelerator=AcceleratorId("h1000")),)),
            "TP1205",
            "jobs[0].runs_on[0].accelerator",
            "h1000",
        ),
        (replace(JOB, runs_on=(replace(NEED, hours=None),)), "TP1333", "jobs[0].runs_on[0]", "how fast"),
        (
            replace(JOB, kind="training", runs_on=(replace(NEED, hours=None),)),
            "TP1333",
            "jobs[0].runs_on[0]",
            "no other way",
        ),
        (replace(JOB, reads=(JobRead(dataset="corpse"),)), "TP1203", "jobs[0].reads[0].dataset", "corpse"),
        (replace(JOB, reads=(JobRead(dataset="lost"),)), "TP1302", "jobs[0].reads[0].dataset", "0 copies"),
        (replace(JOB, reads=(JobRead(dataset="corpus", gb=-1.0),)), "TP1302", "jobs[0].reads[0].gb", "-1 GB"),
        (replace(JOB, after=(Handover(job="none"),)), "TP1219", "jobs[0].after[0].job", "none"),
        (replace(JOB, after=(Handover(job="one"),)), "TP1413", "jobs[0].after", "`one` waits for `one`"),
        (replace(JOB, delivers=(Delivery(to="aws:nowhere", gb=1.0),)), "TP1212", "jobs[0].delivers[0].to", "nowhere"),
        (replace(JOB, regimes=("gdpr2",)), "TP1210", "jobs[0].regimes[0]", "gdpr2"),
        (replace(JOB, only_at=("clout",)), "TP1212", "jobs[0].only_at[0]", "clout"),
        (replace(JOB, model="llama9"), "TP1202", "jobs[0].model", "llama9"),
        (replace(JOB, id="a b"), "TP1216", "jobs[0].id", "a b"),
    ],
)
def test_each_mistake_is_told_once_at_its_place(job: Job, code: str, path: str, words: str) -> None:
    """What was found is in the message, and something can be done."""
    found = said(job)
    assert [(each.code, each.path) for each in found] == [(code, path)]
    assert words in found[0].message
    assert found[0].hint


def test_names_are_used_once() -> None:
    """Two jobs, two datasets, or a dataset of the file and one of the estate."""
    again = said(JOB, JOB, data=(DATA, DATA, replace(DATA, id="lost")))
    assert [(each.code, each.path) for each in again] == [
        ("TP1215", "jobs[1].id"), ("TP1215", "datasets[1].id"), ("TP1215", "datasets[2].id"),
    ]  # fmt: skip


def test_a_circle_is_told_once_however_many_are_in_it_and_behind_it() -> None:
    """Three in a circle, one that only waits for it."""
    names = ("a", "b", "c")
    ring = [
        replace(JOB, id=name, after=(Handover(job=names[number - 1]),)) for number, name in enumerate(names)
    ]  # fmt: skip
    found = said(*ring, replace(JOB, id="d", after=(Handover(job="a"),)))
    assert [each.path for each in found] == ["jobs[0].after"]
    assert found[0].message == "`a` waits for `c` waits for `b` waits for `a`"


def test_a_file_without_jobs_says_so() -> None:
    """Nothing to run is a mistake, and so is data that lies nowhere."""
    found = said(data=(replace(DATA, copies=()),))
    assert [each.path for each in found] == ["jobs", "datasets[0].copies"]


def test_a_label_that_is_nearly_one_of_the_estates_rules_is_refused() -> None:
    """One wrong letter on a job, on what it hands on or on its data would take it from under the rule."""
    policies = Policies(residency=(ResidencyRule(allow=("EEA",), classifications=("customer",)),))
    ruled = replace(ESTATE, policies=policies)
    two = Job(id="two", runs_on=(NEED,), after=(Handover(job="one", classification="custmer"),))
    file = JobFile(
        apiVersion="tripoint/jobs/v1",
        datasets=(replace(DATA, classification="customers"),),
        jobs=(replace(JOB, classification="Customer"), two),
    )
    found = check_jobs(file, ruled, CATALOG)
    assert [(each.code, each.path) for each in found] == [
        ("TP1220", "datasets[0].classification"),
        ("TP1220", "jobs[0].classification"),
        ("TP1220", "jobs[1].after[0].classification"),
    ]
    assert all("did you mean `customer`" in each.hint for each in found)
    declared = replace(ruled, serving=Serving(labels=("customers", "Customer", "custmer")))
    assert check_jobs(file, declared, CATALOG) == ()
    assert check_jobs(file, ESTATE, CATALOG) == ()
