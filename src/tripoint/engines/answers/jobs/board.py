"""Jobs, offers and ways put together: the problem to solve, and what stands behind each number in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tripoint.domain.catalog import Catalog
from tripoint.domain.job import Excluded, Job, JobFile, JobOffer
from tripoint.engines.answers.jobs.labels import subjects, with_data
from tripoint.engines.answers.jobs.market import Routes, routes
from tripoint.engines.answers.jobs.offers import Desk, Out, offers
from tripoint.engines.placement.handover.problem import Handovers
from tripoint.engines.placement.milp.program import FloatArray
from tripoint.engines.sizing.policy import Subject, judge, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Carry:
    """One move of data in the file's words."""

    job: str
    """The job that takes it, or delivers it."""
    what: str
    """The dataset, the job it comes from, or the place it goes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything about the jobs of a file before anything is decided. Stages are jobs first, then reads and ends."""

    desk: Desk
    """Where offers were looked up."""
    jobs: tuple[Job, ...]
    """In the file's order."""
    places: tuple[str, ...]
    """[places] sites first, then other places of data."""
    sites: int
    """How many of them are sites jobs may run at."""
    offers: tuple[Mapping[int, tuple[JobOffer, ...]], ...]
    """[jobs] by place, cheapest first."""
    problem: Handovers
    """What is to be decided."""
    carries: tuple[Carry, ...]
    """[moves] what they are."""
    excluded: tuple[Excluded, ...]
    """What is out, by job and reason."""

    @property
    def stuck(self) -> tuple[str, ...]:
        """Jobs without any offer."""
        return tuple(job.id for job, found in zip(self.jobs, self.offers, strict=True) if not found)


@dataclass(slots=True)
class _Moves:
    """Stages beside the jobs, and moves, as they are met."""

    first: int
    ends: list[tuple[int, ...]]
    sender: list[int]
    receiver: list[int]
    gb: list[float]
    carries: list[Carry]

    def stage_at(self, places: tuple[int, ...]) -> int:
        """A stage that costs nothing and is at one of these places."""
        self.ends.append(places)
        return self.first + len(self.ends) - 1

    def add(self, stages: tuple[int, int], gb: float, carry: Carry) -> None:
        self.sender.append(stages[0])
        self.receiver.append(stages[1])
        self.gb.append(gb)
        self.carries.append(carry)


def board(file: JobFile, desk: Desk, catalog: Catalog) -> Board:
    """The problem of a file whose names and numbers are in order."""
    estate = desk.ground.estate
    copies = {each.id: (each.size_gb, each.copies) for each in file.datasets}
    copies |= {each.id: (each.size_gb, tuple(each.copies)) for each in estate.datasets if each.id not in copies}
    data_at = [place for job in file.jobs for each in job.reads for place in copies[each.dataset][1]]
    ways = routes(estate, catalog, [*data_at, *(each.to for job in file.jobs for each in job.delivers)])
    moves = _moves(file.jobs, ways, copies)
    seen = subjects(file.jobs, with_data(estate, file.datasets), catalog)
    found, excluded = [], []
    for job in file.jobs:
        here, out = _offers(desk, job, seen[job.id], ways)
        found.append(here)
        excluded += out
    return Board(
        desk=desk,
        jobs=file.jobs,
        places=tuple(site.id for site in ways.places),
        sites=len(estate.sites),
        offers=tuple(found),
        problem=_problem(found, moves, ways),
        carries=tuple(moves.carries),
        excluded=tuple(excluded),
    )


def _moves(jobs: Sequence[Job], ways: Routes, copies: Mapping[str, tuple[float, tuple[str, ...]]]) -> _Moves:
    numbers = {job.id: number for number, job in enumerate(jobs)}
    moves = _Moves(len(jobs), [], [], [], [], [])
    for number, job in enumerate(jobs):
        for read in job.reads:
            size, places = copies[read.dataset]
            source = moves.stage_at(tuple(ways.place(name) for name in places))
            moves.add((source, number), size if read.gb is None else read.gb, Carry(job=job.id, what=read.dataset))
        for each in job.after:
            moves.add((numbers[each.job], number), each.gb, Carry(job=job.id, what=each.job))
        for delivery in job.delivers:
            target = moves.stage_at((ways.place(delivery.to),))
            moves.add((number, target), delivery.gb, Carry(job=job.id, what=delivery.to))
    return moves


def _offers(
    desk: Desk, job: Job, subject: Subject, ways: Routes
) -> tuple[dict[int, tuple[JobOffer, ...]], list[Excluded]]:
    """What a job may run on by place, cheapest first, and what is out by reason."""
    found: dict[int, tuple[JobOffer, ...]] = {}
    out: dict[str, list[str]] = {}
    banned = _banned_delivery(desk, job, subject, ways)
    for place, site in enumerate(desk.ground.estate.sites):
        answers = [banned] if banned is not None else list(offers(desk, job, subject, site))
        here = [each for each in answers if isinstance(each, JobOffer)]
        if here:
            found[place] = tuple(sorted(here, key=lambda each: (each.usd, each.node_type, each.option)))
        for each in answers:
            if isinstance(each, Out):
                out.setdefault(each.reason, []).append(each.text)
    rows = (Excluded(job=job.id, reason=reason, count=len(texts), example=texts[0]) for reason, texts in out.items())
    return found, sorted(rows, key=lambda row: (-row.count, row.reason))


def _banned_delivery(desk: Desk, job: Job, subject: Subject, ways: Routes) -> Out | None:
    """A rule against bringing the job's data to where it says; `None` where all may have it."""
    ground = desk.ground
    data = Subject(workload=subject.workload, classifications=subject.classifications, regimes=subject.regimes)
    for each in job.delivers:
        verdict = judge(place_of(ways.places[ways.place(each.to)], ground.catalog), data, ground.book)
        if verdict is not None:
            return Out(reason=verdict.reason, text=f"it delivers to `{each.to}`: {verdict.text}")
    return None


def _problem(found: Sequence[Mapping[int, tuple[JobOffer, ...]]], moves: _Moves, ways: Routes) -> Handovers:
    used = {place for here in found for place in here} | {place for places in moves.ends for place in places}
    table = ways.table(sorted(used))
    usd: FloatArray = np.full((len(found) + len(moves.ends), len(ways.places)), np.inf)
    for number, here in enumerate(found):
        for place, cheapest in here.items():
            usd[number, place] = cheapest[0].usd
    for number, places in enumerate(moves.ends, start=moves.first):
        usd[number, list(places)] = 0.0
    return Handovers(
        usd=usd,
        sender=np.array(moves.sender, dtype=np.int32),
        receiver=np.array(moves.receiver, dtype=np.int32),
        gb=np.array(moves.gb, dtype=np.float64),
        tariff=table,
        tariffs=tuple(ways.tariffs),
    )
