"""What rules see in a job: its own labels, those of the data it reads, and those of what it takes over.

What a job makes carries every label of what it was made from, down the whole graph, unless its author says on the
hand-over what is handed on: a rule that is forgotten may cost money, one that is lost on the way costs the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.job import Job, JobData
from tripoint.domain.units import DatasetId, ModelId, WorkloadId
from tripoint.domain.workload import DatasetUse, Demand, Workload, WorkloadKind
from tripoint.engines.sizing.policy import Subject, subject_of


def in_order(jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Each job after those it waits for; those of a circle, which checks refuse, are left out."""
    done: dict[str, Job] = {}
    waiting = list(jobs)
    while waiting:
        ready = [job for job in waiting if all(each.job in done for each in job.after)]
        if not ready:
            break
        done.update((job.id, job) for job in ready)
        waiting = [job for job in waiting if job.id not in done]
    return tuple(done.values())


def workload_of(job: Job) -> Workload:
    """A job in the estate's words: a run that may be confined and labelled like any other."""
    kind = WorkloadKind.FINE_TUNING if job.kind == "fine_tuning" else WorkloadKind.TRAINING
    return Workload(
        id=WorkloadId(job.id),
        kind=kind,
        model=ModelId(job.model) if job.model else None,
        demand=Demand(),
        reads=tuple(DatasetUse(dataset=DatasetId(each.dataset), gb_per_month=0.0) for each in job.reads),
        classification=job.classification,
        regimes=job.regimes,
        allows_spot=job.allows_spot,
        only_at=job.only_at,
        not_at=job.not_at,
    )


def with_data(estate: Estate, data: Sequence[JobData]) -> Estate:
    """The estate with the data a file of jobs declares."""
    more = (
        Dataset(id=DatasetId(each.id), size_gb=each.size_gb, classification=each.classification, regimes=each.regimes)
        for each in data
    )
    return replace(estate, datasets=(*estate.datasets, *more))


def subjects(jobs: Sequence[Job], estate: Estate, catalog: Catalog) -> Mapping[str, Subject]:
    """Each job as rules see it, by its id; the estate has the data the jobs read."""
    found: dict[str, Subject] = {}
    for job in in_order(jobs):
        own = subject_of(workload_of(job), estate, catalog)
        labels, regimes = set(own.classifications), set(own.regimes)
        for each in job.after:
            before = found[each.job]
            labels |= before.classifications if each.classification is None else {each.classification}
            regimes |= before.regimes if each.regimes is None else {name.lower() for name in each.regimes}
        found[job.id] = replace(own, classifications=frozenset(labels), regimes=frozenset(regimes))
    return found
