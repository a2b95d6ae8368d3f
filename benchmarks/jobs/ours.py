"""Our side: the same market and jobs as an assignment, solved by `tripoint.usecases.assign`.

A cloud is a site, a region's instance an offer, a job a workload whose choices are the instances it may run on. What a
job costs there is price times hours; jobs that hand data on are a pair, which pays where its sender is when its
receiver is elsewhere. Nothing is sold out, as in SkyPilot. `tripoint jobs plan` decides by another program, whose
tariffs may depend on the receiver and on volume; it is given the same cases beside.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.jobs.draw import CLOUDS, FREE_GB, Case, Row
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.engines.costing.transfer import Tariff
from tripoint.engines.placement.assignment.problem import Assignment, bill
from tripoint.engines.placement.assignment.search import Effort, Found
from tripoint.engines.placement.handover.problem import FREE, Handovers, account
from tripoint.usecases.assign import assign
from tripoint.usecases.jobs import JobOptions, placed


class Answer(NamedTuple):
    """What our optimiser says to a case."""

    found: Found
    problem: Assignment
    whole_s: float
    """Wall clock from rows and jobs to the answer."""
    solve_s: float
    """Of it, without making the arrays."""
    cpu_s: float


def optimise(case: Case, rows: Sequence[Row], usd_per_gb: Mapping[str, float]) -> Answer:
    """The cheapest places of a case's jobs, proven: no gap is allowed."""
    started, worked = time.perf_counter(), time.process_time()
    problem = assignment(case, rows, usd_per_gb)
    built = time.perf_counter()
    found = assign(problem, Effort(gap=0.0), HighsSolver())
    ended = time.perf_counter()
    return Answer(found, problem, ended - started, ended - built, time.process_time() - worked)


def assignment(case: Case, rows: Sequence[Row], usd_per_gb: Mapping[str, float]) -> Assignment:
    """A case as arrays. One offer for each row, none of which has a limit."""
    clouds = list(CLOUDS)
    by_gpu: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        by_gpu.setdefault(row.gpu, []).append(number)
    offer = np.concatenate([by_gpu[job.gpu] for job in case.jobs])
    counts = [len(by_gpu[job.gpu]) for job in case.jobs]
    hours = np.repeat([job.hours for job in case.jobs], counts)
    price = np.array([row.usd_per_hour for row in rows])
    edges = np.array(case.edges, dtype=np.int32).reshape(-1, 2)
    volume = np.array([job.output_gb for job in case.jobs])
    none, endless = np.zeros(len(rows)), np.full(len(clouds), np.inf)
    return Assignment(
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        offer=offer.astype(np.int32),
        gpus=np.zeros(len(offer)),
        usd=hours * price[offer],
        gbps=np.zeros(len(case.jobs)),
        site=np.array([clouds.index(row.cloud) for row in rows], dtype=np.int32),
        node_usd=none,
        node_kw=none,
        most_nodes=none,
        open_usd=np.zeros(len(clouds)),
        power_kw=endless,
        uplink_gbps=endless,
        egress_usd=np.array([usd_per_gb[cloud] for cloud in clouds]),
        sender=edges[:, 0],
        receiver=edges[:, 1],
        pair_gb=np.maximum(volume[edges[:, 0]] - FREE_GB, 0.0),
        held_gpus=none,
    )


class Planned(NamedTuple):
    """What the program behind `tripoint jobs plan` says to a case."""

    usd: float
    """Cost."""
    bound: float
    """Nothing costs less."""
    whole_s: float
    """Wall clock from rows and jobs to the answer."""


def plan(case: Case, rows: Sequence[Row], usd_per_gb: Mapping[str, float]) -> Planned:
    """The same as places jobs hand data on between."""
    started = time.perf_counter()
    problem = handovers(case, rows, usd_per_gb)
    at, bound = placed(problem, HighsSolver(), JobOptions(threads=1))
    usd = account(problem, at).usd
    return Planned(usd, min(bound, usd), time.perf_counter() - started)


def handovers(case: Case, rows: Sequence[Row], usd_per_gb: Mapping[str, float]) -> Handovers:
    """A case as stages and places; a place is a region of a cloud, and what stays within a cloud is free."""
    places = list(dict.fromkeys((row.cloud, row.region) for row in rows))
    number = {place: index for index, place in enumerate(places)}
    usd = np.full((len(case.jobs), len(places)), np.inf)
    for row in rows:
        for stage, job in enumerate(case.jobs):
            if job.gpu == row.gpu:
                usd[stage, number[row.cloud, row.region]] = row.usd_per_hour * job.hours
    clouds = list(CLOUDS)
    own = np.array([clouds.index(cloud) for cloud, _ in places], dtype=np.int32)
    edges = np.array(case.edges, dtype=np.int32).reshape(-1, 2)
    volume = np.array([job.output_gb for job in case.jobs])
    return Handovers(
        usd=usd,
        sender=edges[:, 0],
        receiver=edges[:, 1],
        gb=np.maximum(volume[edges[:, 0]] - FREE_GB, 0.0),
        tariff=np.where(own[:, None] == own[None, :], FREE, own[:, None]).astype(np.int32),
        tariffs=tuple(
            Tariff(provider=cloud, path="internet", tiers=((0.0, None, usd_per_gb[cloud]),), basis=())
            for cloud in clouds
        ),
    )


def bill_of(problem: Assignment, rows: Sequence[Row], places: Sequence[Sequence[str]]) -> float:
    """What it costs by our account to run the jobs at `places`, (cloud, region) each; USD."""
    chosen = []
    for job, (cloud, region) in enumerate(places):
        mine = range(problem.starts[job], problem.starts[job + 1])
        here = (choice for choice in mine if _is_at(rows[problem.offer[choice]], cloud, region))
        chosen.append(next(here))
    return bill(problem, np.array(chosen, dtype=np.int32)).usd


def _is_at(row: Row, cloud: str, region: str) -> bool:
    return row.cloud.lower() == cloud and row.region == region
