"""Markets and graphs of jobs, drawn with a fixed seed: what both optimisers are given.

Each cloud sells one instance of every GPU shape in every region, the price of a region within a fifth of the usual. A
job asks for one shape for some hours and hands its output on to each job after it. Volumes stay below the first one at
which SkyPilot's charge falls, and clouds are those whose charge is linear there, so that both mean the same by egress.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GPUS = {"A10G": (1, 1.2), "L4": (1, 0.8), "A100": (8, 18.0), "H100": (8, 42.0), "V100": (4, 9.0)}
"""How many a node has, and its usual USD per hour."""
CLOUDS = {"AWS": "aws", "Azure": "azure", "Lambda": "lambda", "Nebius": "nebius"}
"""SkyPilot's class and its catalogue's folder."""
FREE_GB = 1.0
"""What every charge of theirs leaves out."""
_MOST_GB = 4_000.0


class Row(NamedTuple):
    """What is sold."""

    cloud: str
    region: str
    gpu: str
    usd_per_hour: float


class Job(NamedTuple):
    """What is to be run."""

    gpu: str
    hours: float
    output_gb: float


class Case(NamedTuple):
    """Jobs, and who hands its output to whom."""

    name: str
    regions: int
    jobs: tuple[Job, ...]
    edges: tuple[tuple[int, int], ...]


def market(regions: int, seed: int = 0) -> tuple[Row, ...]:
    """Every shape in every region of every cloud."""
    random = np.random.default_rng(seed)
    rows = []
    for cloud in CLOUDS:
        level = random.uniform(0.85, 1.15, len(GPUS))
        for number in range(regions):
            near = random.uniform(0.9, 1.1, len(GPUS))
            for place, (gpu, (_, usd)) in enumerate(GPUS.items()):
                rows.append(Row(cloud, f"region-{number}", gpu, round(usd * level[place] * near[place], 4)))
    return tuple(rows)


def chain(jobs: int, regions: int, seed: int = 0) -> Case:
    """One job after the other."""
    edges = tuple((number, number + 1) for number in range(jobs - 1))
    return Case(f"chain of {jobs}, {regions} regions", regions, _jobs(jobs, seed), edges)


def graph(jobs: int, regions: int, seed: int = 0) -> Case:
    """Each job but the first takes from one or more before it, of the last eight."""
    random = np.random.default_rng(seed + 1)
    edges = []
    for number in range(1, jobs):
        before = np.arange(max(0, number - 8), number)
        count = min(len(before), int(random.integers(1, 4)))
        edges += [(int(sender), number) for sender in sorted(random.choice(before, count, replace=False))]
    return Case(f"graph of {jobs}, {regions} regions", regions, _jobs(jobs, seed), tuple(edges))


def _jobs(count: int, seed: int) -> tuple[Job, ...]:
    random = np.random.default_rng(seed)
    names = list(GPUS)
    return tuple(
        Job(
            gpu=names[int(random.integers(len(names)))],
            hours=round(float(random.lognormal(0.0, 0.8)), 2),
            output_gb=round(min(float(random.lognormal(2.5, 1.2)) + 2.0, _MOST_GB), 1),
        )
        for _ in range(count)
    )
