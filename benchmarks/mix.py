"""Which GPUs should a service buy when its requests differ in length: how long does the cheapest mix take to find?

The peer is the integer programme that Mélange publishes (Griggs et al., arXiv 2404.14527), built anew from its
formulas and solved by the solver it uses: requests fall into buckets of input and output length, each bucket's rate is
cut into slices, every slice goes to one kind of GPU and loads it by its share of what one can do of that bucket; kinds
are bought whole. One binary for every slice and kind, by PuLP, solved by CBC to proven optimality. Ours is the same mix
as an assignment: slices are workloads, kinds of GPU offers of one site. Slices of a bucket are alike and are counted.

Mélange's measured throughputs are not published. Those here are a roofline of the data sheets: reading a prompt is
bound by arithmetic, writing a token by memory bandwidth shared by as many requests as their caches fit beside the
weights of a model of seven billion parameters. They are the same for both.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

from benchmarks.measure import ratio, say, short, start, table
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE, Assignment
from tripoint.engines.placement.assignment.search import Effort
from tripoint.engines.placement.milp.program import FloatArray
from tripoint.usecases.assign import assign


class Gpu(NamedTuple):
    """A kind that can be bought."""

    name: str
    usd_per_hour: float
    tflops: float
    """Dense 16-bit."""
    tb_per_s: float
    gb: float


GPUS = (
    Gpu("L4", 0.70, 121.0, 0.30, 24.0),
    Gpu("A10G", 1.01, 70.0, 0.60, 24.0),
    Gpu("A100", 3.67, 312.0, 2.04, 80.0),
    Gpu("H100", 7.516, 989.0, 3.35, 80.0),
)
INPUTS = (25, 100, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000)
OUTPUTS = (25, 100, 250, 500, 1000, 2000)
_PARAMETERS = 7e9
_CACHE_BYTES = 2 * 32 * 8 * 128 * 2
"""Of one token: keys and values of 32 layers with eight heads of 128, two bytes each."""
_LARGEST_BATCH = 128
_USED = 0.5
"""Share of the data sheet's arithmetic and bandwidth that is reached."""


class Case(NamedTuple):
    """A load to be served."""

    requests_per_s: float
    slices: int
    """Slices of each bucket."""


class Mix(NamedTuple):
    """What is bought."""

    usd_per_hour: float
    bound: float
    """Infinite below where none was told."""
    seconds: float
    cpu_s: float
    """Processor time, of processes it started too."""
    is_proven: bool
    counts: tuple[int, ...]


CASES = (Case(1, 4), Case(4, 4), Case(4, 8), Case(8, 4), Case(8, 8), Case(32, 4), Case(32, 8), Case(128, 8))
TOY = np.array([[2.0, 20.0], [0.5, 20.0]])
"""Requests a second of each kind, [buckets, kinds], of the smallest case."""


def throughput() -> FloatArray:
    """[buckets, kinds] requests per second that one GPU can do of each bucket alone; 0 where one does not fit."""
    rates = np.zeros((len(INPUTS) * len(OUTPUTS), len(GPUS)))
    for bucket, (given, written) in enumerate((i, o) for i in INPUTS for o in OUTPUTS):
        for kind, gpu in enumerate(GPUS):
            room = 0.9 * gpu.gb * 1e9 - 2 * _PARAMETERS
            batch = min(_LARGEST_BATCH, int(room // (_CACHE_BYTES * (given + written))))
            if batch < 1:
                continue
            read_s = 2 * _PARAMETERS * given / (_USED * gpu.tflops * 1e12)
            moved = 2 * _PARAMETERS + batch * _CACHE_BYTES * (given + written / 2)
            rates[bucket, kind] = batch / (batch * read_s + written * moved / (_USED * gpu.tb_per_s * 1e12))
    return rates


def load(requests_per_s: float) -> FloatArray:
    """[buckets] requests per second, lengths spread as in conversations: most short, a long tail."""
    prompts = np.exp(-0.5 * ((np.log(INPUTS) - np.log(400.0)) / 1.3) ** 2)
    answers = np.exp(-0.5 * ((np.log(OUTPUTS) - np.log(200.0)) / 1.0) ** 2)
    shares = np.outer(prompts, answers).ravel()
    return np.asarray(requests_per_s * shares / shares.sum(), dtype=np.float64)


def assignment(rates: FloatArray, loads: FloatArray, usd: Sequence[float], slices: int) -> Assignment:
    """The mix as an assignment: a slice takes of a kind what it loads one GPU by, in eighths of a node."""
    buckets, kinds = rates.shape
    share = np.divide(loads[:, None] / slices, rates, out=np.full(rates.shape, np.inf), where=rates > 0)
    each = np.repeat(share, slices, axis=0)
    owner, offer = np.nonzero(np.isfinite(each))
    counts = np.bincount(owner, minlength=buckets * slices)
    none, one, empty = np.zeros(kinds), np.zeros(1), np.zeros(0, dtype=np.int32)
    return Assignment(
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        offer=offer.astype(np.int32),
        gpus=each[owner, offer] * GPUS_PER_NODE,
        usd=np.zeros(len(offer)),
        gbps=np.zeros(buckets * slices),
        site=np.zeros(kinds, dtype=np.int32),
        node_usd=np.array(usd),
        node_kw=none,
        most_nodes=np.ceil(each.sum(axis=0, where=np.isfinite(each)) + 1.0),
        open_usd=one,
        power_kw=np.full(1, np.inf),
        uplink_gbps=np.full(1, np.inf),
        egress_usd=one,
        sender=empty,
        receiver=empty,
        pair_gb=np.zeros(0),
        held_gpus=none,
    )


def ours(rates: FloatArray, loads: FloatArray, usd: Sequence[float], slices: int, seconds: float) -> Mix:
    """The cheapest mix, from throughputs to the answer."""
    started, worked = time.perf_counter(), _processor_s()
    problem = assignment(rates, loads, usd, slices)
    found = assign(problem, Effort(gap=0.0, seconds=seconds), HighsSolver())
    took, cpu_s = time.perf_counter() - started, _processor_s() - worked
    used = np.bincount(problem.offer[found.chosen], problem.gpus[found.chosen], len(usd)) / GPUS_PER_NODE
    counts = tuple(int(count) for count in np.ceil(used - 1e-9))
    return Mix(found.usd, found.bound, took, cpu_s, found.bound >= found.usd * (1 - 1e-9), counts)


def theirs(rates: FloatArray, loads: FloatArray, usd: Sequence[float], slices: int, seconds: float) -> Mix:
    """The published programme by PuLP and CBC, from throughputs to the answer.

    minimise    sum over kinds of usd x bought
    subject to  each slice on one kind;  sum over slices of load x taken <= bought, for each kind
    """
    import pulp  # a peer: only the environment of the benchmarks has it

    started, worked = time.perf_counter(), _processor_s()
    buckets, kinds = rates.shape
    program = pulp.LpProblem("mix", pulp.LpMinimize)
    bought = [pulp.LpVariable(f"b{kind}", 0, None, pulp.LpInteger) for kind in range(kinds)]
    program += pulp.lpSum(price * count for price, count in zip(usd, bought, strict=True))
    loaded: list[list[object]] = [[] for _ in range(kinds)]
    for bucket in range(buckets):
        for part in range(slices):
            taken = []
            for kind in range(kinds):
                if rates[bucket, kind] > 0:
                    column = pulp.LpVariable(f"a{bucket}_{part}_{kind}", cat=pulp.LpBinary)
                    taken.append(column)
                    loaded[kind].append(float(loads[bucket] / slices / rates[bucket, kind]) * column)
            program += pulp.lpSum(taken) == 1
    for kind in range(kinds):
        program += pulp.lpSum(loaded[kind]) <= bought[kind]
    program.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=seconds))
    took, cpu_s = time.perf_counter() - started, _processor_s() - worked
    if program.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return Mix(math.inf, -math.inf, took, cpu_s, False, ())
    counts = tuple(round(column.value()) for column in bought)
    cost = float(sum(price * count for price, count in zip(usd, counts, strict=True)))
    is_proven = program.sol_status == pulp.LpSolutionOptimal
    return Mix(cost, cost if is_proven else -math.inf, took, cpu_s, is_proven, counts)


def _processor_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def main(arguments: Sequence[str] | None = None) -> None:
    """Find the cheapest mix of every case both ways."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.mix")
    parser.add_argument("--seconds", type=float, default=60.0, help="longest solve of either")
    options = parser.parse_args(arguments)
    start("GPU mix")
    say(f"PuLP {version('pulp')} with its CBC; one hour's price of the mix, USD; seconds from throughputs to answer.\n")
    prices = [gpu.usd_per_hour for gpu in GPUS]
    rates = throughput()
    rows = [_row("toy, 2 buckets", TOY, np.array([3.0, 20.0]), prices[1:3], 4, options.seconds)]
    for case in CASES:
        name = f"{case.requests_per_s:g} a second, {case.slices} slices"
        rows.append(_row(name, rates, load(case.requests_per_s), prices, case.slices, options.seconds))
    heads = (
        "case",
        "slices",
        "CBC",
        "its mix",
        "s",
        "tripoint",
        "bound",
        "mix",
        "s",
        "ratio",
        "CPU",
        "equal, not slower",
    )
    table(heads, rows)


def _row(
    name: str, rates: FloatArray, loads: FloatArray, usd: Sequence[float], slices: int, seconds: float
) -> tuple[str, ...]:
    ours(rates, loads, usd, slices, seconds)
    mine = min((ours(rates, loads, usd, slices, seconds) for _ in range(3)), key=lambda mix: mix.seconds)
    other = theirs(rates, loads, usd, slices, seconds)
    is_equal = mine.is_proven and (
        math.isclose(mine.usd_per_hour, other.usd_per_hour, rel_tol=1e-6)
        if other.is_proven
        else mine.usd_per_hour <= other.usd_per_hour * (1 + 1e-6)
    )
    return (
        name,
        str(len(loads) * slices),
        f"{other.usd_per_hour:,.3f}" + ("" if other.is_proven else " not proven"),
        "+".join(map(str, other.counts)) or "-",
        short(other.seconds),
        f"{mine.usd_per_hour:,.3f}" + ("" if mine.is_proven else " not proven"),
        f"{mine.bound:,.3f}",
        "+".join(map(str, mine.counts)),
        short(mine.seconds),
        ratio(other.seconds, mine.seconds),
        ratio(other.cpu_s, mine.cpu_s),
        "met" if is_equal and mine.seconds <= other.seconds else "missed",
    )


if __name__ == "__main__":
    main()
