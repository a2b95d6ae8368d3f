"""Does a file of jobs make sense: names that exist, numbers in range, nobody waiting for himself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import STAND_IN, clip, did_you_mean, finding
from tripoint.domain.job import Delivery, Handover, Job, JobData, JobFile, JobRead, Need
from tripoint.domain.source import parent_path
from tripoint.engines.checks.labels import check_carried
from tripoint.engines.checks.references.known import KnownNames, known_names
from tripoint.engines.checks.references.names import (
    ACCELERATOR,
    NameCheck,
    distinct,
    regime,
    site_or_group,
    unknown,
    usable,
)
from tripoint.engines.checks.values.ranges import Range, in_range
from tripoint.engines.checks.walk import entries

_GB = Range(0, unit="GB")
_RANGES: Mapping[tuple[type, str], Range] = MappingProxyType(
    {
        (Need, "gpus"): Range(1, 100_000, "accelerators"),
        (Need, "hours"): Range(0, 1_000_000, "hours", is_low_open=True),
        (JobRead, "gb"): _GB,
        (Handover, "gb"): _GB,
        (Delivery, "gb"): _GB,
        (JobData, "size_gb"): _GB,
    }
)


def _place(path: str, name: str, known: KnownNames) -> Finding | None:
    if name in known.sites or name in known.regions:
        return None
    near = did_you_mean(name, (*known.sites, *known.regions))
    message = f"`{clip(name)}` is not a site or a `provider:region`"
    return finding("TP1212", path, message, near or "name one of these, e.g. `aws:eu-central-1`")


def _model(path: str, name: str, known: KnownNames) -> Finding | None:
    models = (*known.models, *known.catalog_models)
    return None if name in models else unknown("TP1202", path, f"no model is called `{clip(name)}`", name, models)


_REFERENCES: Mapping[tuple[type, str], NameCheck] = MappingProxyType(
    {
        (Need, "accelerator"): ACCELERATOR,
        (JobData, "copies"): _place,
        (JobData, "regimes"): regime,
        (Delivery, "to"): _place,
        (Handover, "regimes"): regime,
        (Job, "model"): _model,
        (Job, "regimes"): regime,
        (Job, "only_at"): site_or_group,
        (Job, "not_at"): site_or_group,
    }
)


def check_jobs(file: JobFile, estate: Estate, catalog: Catalog, unread: Collection[str] = ()) -> tuple[Finding, ...]:
    """Everything that makes no sense in a file of jobs; the estate is where they are to run.

    `unread` are paths whose values have the wrong form: stand-ins are there, and nothing is held against these.
    """
    known = known_names(estate, catalog)
    found = (
        *_ids(file, known),
        *_fields(file, known),
        *_lists(file),
        *_data(file, known, estate),
        *_hours(file),
        *_waits(file),
        *check_carried(_labels(file), estate),
    )
    return tuple(said for said in found if not any(_may_follow(said, path) for path in unread))


def _may_follow(said: Finding, unread: str) -> bool:
    """True where a finding may be there only because of what could not be read."""
    if said.path == unread or said.path.startswith((f"{unread}.", f"{unread}[")) or f"`{STAND_IN}`" in said.message:
        return True
    if said.code == "TP1333":
        return unread.startswith(parent_path(said.path))
    # A name is unknown also where the id it means could not be read, or the whole list stands under a mistyped key.
    ids = {"TP1203": "datasets", "TP1219": "jobs"}.get(said.code)
    return ids is not None and (not parent_path(unread) or re.fullmatch(rf"{ids}\[\d+\](\.id)?", unread) is not None)


def _ids(file: JobFile, known: KnownNames) -> Iterator[Finding]:
    for path, ids in (("jobs", [job.id for job in file.jobs]), ("datasets", [each.id for each in file.datasets])):
        yield from distinct(path, "id", ids)
        yield from usable(path, "id", ids)
    for index, each in enumerate(file.datasets):
        if each.id in known.datasets:
            message = f"`{clip(each.id)}` is a dataset of the estate already"
            yield finding("TP1215", f"datasets[{index}].id", message, "leave it out here, or give it its own name")


def _fields(file: JobFile, known: KnownNames) -> Iterator[Finding]:
    for entry in entries(file):
        yield from in_range(entry, _RANGES)
        check = _REFERENCES.get(entry.key)
        if check is not None:
            yield from filter(None, (check(path, str(name), known) for path, name in entry.items()))


def _labels(file: JobFile) -> Iterator[tuple[str, str]]:
    """Every classification, with its path."""
    for entry in entries(file):
        if entry.name == "classification" and isinstance(entry.value, str):
            yield entry.path, entry.value


def _lists(file: JobFile) -> Iterator[Finding]:
    """Lists that say nothing when empty."""
    wanted = [("jobs", len(file.jobs), "declare what is to be run")]
    wanted += [
        (f"jobs[{n}].runs_on", len(job.runs_on), "say on which accelerators it runs") for n, job in enumerate(file.jobs)
    ]
    wanted += [
        (f"datasets[{number}].copies", len(each.copies), "name the places that hold it")
        for number, each in enumerate(file.datasets)
    ]
    for path, count, hint in wanted:
        if not count:
            yield finding("TP1302", path, "has 0 entries, expects at least 1", hint)


def _data(file: JobFile, known: KnownNames, estate: Estate) -> Iterator[Finding]:
    """Names of data and jobs that are not there, and data that is nowhere."""
    nowhere = {each.id for each in estate.datasets if not each.copies}
    data = (*(each.id for each in file.datasets), *known.datasets)
    jobs = tuple(job.id for job in file.jobs)
    for index, job in enumerate(file.jobs):
        for number, read in enumerate(job.reads):
            path, name = f"jobs[{index}].reads[{number}].dataset", read.dataset
            if name not in data:
                yield unknown("TP1203", path, f"no dataset is called `{clip(name)}`", name, data)
            elif name in nowhere:
                message = f"`{clip(name)}` has 0 copies in the estate, expects at least 1"
                yield finding("TP1302", path, message, "declare its `copies` there")
        for number, each in enumerate(job.after):
            if each.job not in jobs:
                path, name = f"jobs[{index}].after[{number}].job", each.job
                yield unknown("TP1219", path, f"no job is called `{clip(name)}`", name, jobs)


def _hours(file: JobFile) -> Iterator[Finding]:
    """Hours somebody has to say: of one way at least, and of each where no rule compares accelerators."""
    for index, job in enumerate(file.jobs):
        missing = [number for number, need in enumerate(job.runs_on) if need.hours is None]
        if job.kind is not None and len(missing) < len(job.runs_on):
            continue
        for number in missing:
            name = job.runs_on[number].accelerator
            if job.kind is None:
                message = f"says no hours on `{clip(name)}`; how fast it is at this job is not known"
                hint = "declare `hours`, or `kind: training` or `fine_tuning`, whose speeds the catalogue compares"
            else:
                message = f"says no hours on `{clip(name)}`, and no other way of `{clip(job.id)}` says any"
                hint = "declare `hours` of one way at least"
            yield finding("TP1333", f"jobs[{index}].runs_on[{number}]", message, hint)


def _waits(file: JobFile) -> Iterator[Finding]:
    """Jobs in a circle, told once for each circle at its first job."""
    after = {job.id: [each.job for each in job.after] for job in file.jobs}
    told: set[str] = set()
    for index, job in enumerate(file.jobs):
        circle = _circle(job.id, after)
        if circle and job.id not in told:
            told.update(circle)
            words = " waits for ".join(f"`{clip(name)}`" for name in (*circle, job.id))
            yield finding("TP1413", f"jobs[{index}].after", words, "none of them could begin: take one `after` out")


def _circle(job: str, after: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The jobs on a shortest way from a job back to itself; empty where there is none."""
    ways: dict[str, tuple[str, ...]] = {}
    queue: list[tuple[str, tuple[str, ...]]] = [(job, (job,))]
    while queue:
        name, way = queue.pop(0)
        for each in after.get(name, ()):
            if each == job:
                return way
            if each not in ways:
                ways[each] = (*way, each)
                queue.append((each, ways[each]))
    return ()
