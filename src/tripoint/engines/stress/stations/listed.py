"""The pace of a replica from the figures the planner sized it by.

The planner knows of a replica how many requests of the mean shape it finishes when full (derated), how long a
token takes then, and how its work divides into prefill and decode. That fixes all but one thing: how the time
of an iteration divides into what is there anyway (`base`) and what each sequence adds. The base is the time to
read the weights a token needs, at the share of the memory bandwidth that measured engines reach, and a fixed
time; what remains is shared by the sequences. So a full replica finishes exactly the planner's rate at the
planner's time per token, and one with few sequences is about as quick as measured ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tripoint.domain.hardware import Accelerator
from tripoint.domain.units import MS_PER_S
from tripoint.engines.sizing.fit.desk import Desk, Errand
from tripoint.engines.sizing.fit.hosting import Hosted
from tripoint.engines.sizing.speed.memory import FAMILIES, MB_PER_GB, ModelSize, bytes_key, canonical
from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.pace import Pace

MOST_SEQUENCES = 1024
"""More sequences than serving engines are set to run at once."""
FLOPS_PER_PARAMETER = 2.0
"""A multiplication and an addition per active parameter and token."""
KEPT = 0.05
"""Least share of the work that is left to what each sequence adds: a batch is never free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLoad:
    """What is known of a full replica, for requests of one shape."""

    rate_per_s: float
    """Requests it finishes per second."""
    tpot_s: float
    """Time per output token then, prefills of others included, s; 0 for work without output."""
    prefill_s: float
    """Time per computed input token, s."""
    base_s: float
    """Time of an iteration without sequences, s."""
    context_s: float
    """Time to read the cache of one token, s."""
    overhead_s: float = 0.0
    """Time per request before its input is computed, s."""
    found_share: float | None = None
    """Share of the others' prefills an arrival finds waiting, 0 to 1; by queueing theory where nobody measured it."""


def pace_at(load: FullLoad, shape: Shape) -> Pace:
    """The pace that finishes exactly `rate_per_s` of that shape when full.

    Where the parts known beforehand would leave nothing for the sequences, they give way.
    """
    outputs = shape.output_tokens
    own = load.prefill_s * shape.input_tokens * (1 - shape.cached_share)
    work = 1 / load.rate_per_s
    if outputs <= 0:
        return Pace(base_s=0.0, sequence_s=0.0, context_s=0.0, prefill_s=load.prefill_s * work / own, max_sequences=1)
    present = load.rate_per_s * (load.overhead_s + own + outputs * load.tpot_s)
    sequences = min(max(math.floor(present), 1), MOST_SEQUENCES)
    overhead = min(load.overhead_s, work * sequences * KEPT)
    prefill = min(own, work * (1 - 2 * KEPT))
    decode = (work - prefill - overhead / sequences) / outputs  # of one token, the base shared by all sequences
    base = min(load.base_s, decode * sequences * (1 - KEPT))
    each = decode - base / sequences
    held = shape.input_tokens + outputs / 2
    context = min(load.context_s, each * (1 - KEPT) / held)
    return Pace(
        base_s=base,
        sequence_s=each - context * held,
        context_s=context,
        prefill_s=load.prefill_s * prefill / own if own > 0 else load.prefill_s,
        overhead_s=overhead,
        max_sequences=sequences,
        found_share=load.found_share,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Physics:
    """What size and hardware alone say of a replica, at the shares of peaks that measured engines reach."""

    base_s: float
    """Time of an iteration without sequences: weights read once, and a fixed part, s."""
    context_s: float
    """Time to read the cache of one token, s."""
    prefill_s: float
    """Least time per input token, s; infinite for mixtures of experts, whose share of the peak varies too much."""


def physics(size: ModelSize, chip: Accelerator, width: int, precision: str, default: Callable[[str], float]) -> Physics:
    """Physics of a replica over `width` accelerators; `default` gives defaults of the catalogue by key."""
    gb_per_s = chip.mem_bw_gb_s * width
    tflops = chip.bf16_dense_tflops if is_wide(precision) else (chip.fp8_dense_tflops or chip.bf16_dense_tflops)
    flops = tflops * 1e12 * width * default("stress.prefill_mfu")
    is_dense = size.active_parameters_b >= size.parameters_b
    read_s = size.active_parameters_b * default(bytes_key(precision)) / gb_per_s if gb_per_s > 0 else 0.0
    return Physics(
        base_s=default("stress.iteration_over_floor") * read_s + default("stress.iteration_fixed_ms") / MS_PER_S,
        context_s=size.kv_mb_per_token.value / MB_PER_GB / gb_per_s if gb_per_s > 0 else 0.0,
        prefill_s=FLOPS_PER_PARAMETER * size.active_parameters_b * 1e9 / flops if is_dense and flops > 0 else math.inf,
    )


def is_wide(precision: str) -> bool:
    """True for formats of 16 bits and more, whose arithmetic has the 16-bit peak."""
    return FAMILIES.get(canonical(precision)) not in ("8-bit", "4-bit")


def full_load(desk: Desk, errand: Errand, hosted: Hosted, chip: Accelerator) -> FullLoad:
    """What the planner's configuration says of a full replica."""
    size, speed = errand.size, hosted.speed
    known = Physics(base_s=0.0, context_s=0.0, prefill_s=math.inf)
    if size is not None:
        known = physics(size, chip, hosted.width, speed.precision, lambda key: desk.default(key).value)
    derate = hosted.service_rate * speed.gpu_seconds(errand.shape) / hosted.width
    over = desk.default("sizing.tpot_over_floor").value
    return FullLoad(
        rate_per_s=hosted.service_rate,
        tpot_s=hosted.tpot_ms / MS_PER_S if hosted.tpot_ms is not None else known.base_s * over,
        prefill_s=min(speed.prefill_s / hosted.width / derate, known.prefill_s),
        base_s=known.base_s,
        context_s=known.context_s if errand.keeps_cache else 0.0,
        overhead_s=desk.default("stress.request_overhead_ms").value / MS_PER_S,
        found_share=desk.default("stress.prompts_found").value,
    )


def pace_of(desk: Desk, errand: Errand, hosted: Hosted, chip: Accelerator) -> Pace:
    """Pace of one replica of a configuration the planner chose."""
    return pace_at(full_load(desk, errand, hosted, chip), errand.shape)
