"""The pace of a replica from the figures the planner sized it by.

The planner knows of a replica how many requests of the mean shape it finishes when full (derated), how long a
token takes then, and how its work divides into prefill and decode. That fixes all but one thing: how the time
of an iteration divides into what is there anyway (`base`) and what each sequence adds. The base is the time to
read the weights a token needs, which memory bandwidth allows no faster; what remains is shared by the
sequences. So a full replica finishes exactly the planner's rate at the planner's time per token, and one with
few sequences is as quick as its memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.domain.hardware import Accelerator
from tripoint.domain.units import MS_PER_S
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.sizing.fit.desk import Desk, Errand
from tripoint.engines.sizing.fit.hosting import Hosted, Seat, best_hosting
from tripoint.engines.sizing.speed.memory import MB_PER_GB, bytes_key
from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.sizing.verdict import Verdict
from tripoint.engines.stress.stations.pace import Pace

MOST_SEQUENCES = 1024
"""More sequences than serving engines are set to run at once."""
DECODE_KEPT = 0.05
"""Least share of the decode work that each sequence adds: a batch is never free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLoad:
    """What is known of a full replica, for requests of one shape."""

    rate_per_s: float
    """Requests it finishes per second."""
    tpot_s: float
    """Time per output token then, prefills of others included, s; 0 for work without output."""
    prefill_s: float
    """Time per computed input token, s."""
    read_s: float
    """Time to read the weights of one token once, s: the least an iteration takes."""
    context_s: float
    """Time to read the cache of one token, s."""


def pace_at(load: FullLoad, shape: Shape) -> Pace:
    """The pace that finishes exactly `rate_per_s` of that shape when full."""
    outputs = shape.output_tokens
    own = load.prefill_s * shape.input_tokens * (1 - shape.cached_share)
    work = 1 / load.rate_per_s
    if outputs <= 0:
        return Pace(base_s=0.0, sequence_s=0.0, context_s=0.0, prefill_s=load.prefill_s * work / own, max_sequences=1)
    sequences = min(max(math.floor(load.rate_per_s * (own + outputs * load.tpot_s)), 1), MOST_SEQUENCES)
    prefill = min(own, work * (1 - DECODE_KEPT))
    decode = (work - prefill) / outputs  # of one token, the base shared by all sequences
    base = min(load.read_s, decode * sequences * (1 - DECODE_KEPT))
    each = decode - base / sequences
    held = shape.input_tokens + outputs / 2
    context = min(load.context_s, each * (1 - DECODE_KEPT) / held)
    return Pace(
        base_s=base,
        sequence_s=each - context * held,
        context_s=context,
        prefill_s=load.prefill_s * prefill / own if own > 0 else load.prefill_s,
        max_sequences=sequences,
    )


def pace_of(desk: Desk, errand: Errand, hosted: Hosted, chip: Accelerator) -> Pace:
    """Pace of one replica of a configuration the planner chose."""
    derate = hosted.service_rate * hosted.speed.gpu_seconds(errand.shape) / hosted.width
    bandwidth = chip.mem_bw_gb_s * hosted.width
    bytes_each = desk.default(bytes_key(hosted.speed.precision)).value
    size = errand.size
    read_s = size.active_parameters_b * bytes_each / bandwidth if size is not None and bandwidth > 0 else 0.0
    kv_gb = size.kv_mb_per_token.value / MB_PER_GB if size is not None and errand.keeps_cache else 0.0
    over = desk.default("sizing.tpot_over_floor").value
    tpot_s = hosted.tpot_ms / MS_PER_S if hosted.tpot_ms is not None else read_s * over
    load = FullLoad(
        rate_per_s=hosted.service_rate,
        tpot_s=tpot_s,
        prefill_s=hosted.speed.prefill_s / hosted.width / derate,
        read_s=read_s,
        context_s=kv_gb / bandwidth if bandwidth > 0 else 0.0,
    )
    return pace_at(load, errand.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seated:
    """A workload on a pool: what one replica does and how many a node carries."""

    pace: Pace
    """Pace of one replica."""
    replicas_per_node: int
    """Replicas one node carries."""


def seat_of(desk: Desk, errand: Errand, pool: PoolSpec) -> Seated | None:
    """The planner's own configuration of a workload on a pool, as a pace; `None` where the planner has none."""
    chip = desk.accelerator(pool.node.accelerator)
    if chip is None:
        return None
    rtt = desk.worst_rtt(errand.workload, pool.site.id)
    hosted = best_hosting(desk, Seat(errand=errand, node=pool.node, chip=chip, rtt=rtt))
    if isinstance(hosted, Verdict):
        return None
    return Seated(pace=pace_of(desk, errand, hosted, chip), replicas_per_node=hosted.replicas_per_node)
