"""Which configuration of a model should run on a node, and does it keep the objectives there?

Every accepted precision with a service-time model is a candidate. A candidate drops out when one replica does
not fit in a node's memory, when its points were measured with more time per token than the objective allows,
or when round trip and prefill leave nothing of the time to first token. The candidate that serves most
requests per node stays.

Time to first token before queueing is the modelled one where a performance model gave it, and otherwise the
time to compute the prompt, capped by the bound the point was measured under: such a bound contains the
benchmark's own queue, and ours is added from the queueing model. A point without a TPOT gets an estimate from
reading the weights once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tripoint.domain.fit import RefusalReason
from tripoint.domain.hardware import Accelerator, NodeType
from tripoint.domain.provenance import Figure
from tripoint.domain.units import MS_PER_S
from tripoint.engines.sizing.fit.desk import Desk, Errand, keyed
from tripoint.engines.sizing.speed.memory import MemoryNeed, bytes_key, canonical, memory_need, smallest_width
from tripoint.engines.sizing.speed.throughput import INTERACTIVE, NoSpeed, Speed
from tripoint.engines.sizing.verdict import Verdict

SMALLEST_PRECISION = "fp4"
_UNDER_BOUNDS = ("server", "interactive")
"""Scenarios whose points state the bounds of a benchmark, not the times of its answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """A configuration that works on a node."""

    speed: Speed
    """Service-time model."""
    width: int
    """Accelerators per replica."""
    replicas_per_node: int
    """Replicas one node carries."""
    service_rate: float
    """Requests per second one replica sustains, derated."""
    ttft_ms: float | None
    """Time to first token before queueing and network, ms; `None` for work nobody waits for."""
    tpot_ms: float | None
    """Time per output token, ms."""
    figures: tuple[Figure, ...]
    """Figures it rests on."""

    @property
    def node_rate(self) -> float:
        """Requests per second of one node at full use."""
        return self.service_rate * self.replicas_per_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A node for a workload, with what the network leaves of its objectives."""

    errand: Errand
    """The workload."""
    node: NodeType
    """The node."""
    chip: Accelerator
    """Its accelerator."""
    rtt: Figure | None
    """Round-trip time of the farthest caller; `None` without callers."""


def best_hosting(desk: Desk, seat: Seat) -> Hosted | Verdict:
    """The fastest configuration that keeps the objectives, or the first reason none does."""
    verdict = _context(seat.errand)
    if verdict is not None:
        return verdict
    speeds = desk.speeds(seat.errand, seat.chip.id)
    crowded = _memory(desk, seat, speeds)
    if crowded is not None:
        return crowded
    if isinstance(speeds, NoSpeed):
        return _no_throughput(speeds)
    usable = [speed for speed in speeds if _serves(seat.errand, speed)]
    if not usable:
        scenarios = ", ".join(sorted({speed.scenario for speed in speeds}))
        text = f"only {scenarios} figures on {seat.chip.id}, none for {seat.errand.workload.kind.value}"
        return Verdict(reason=RefusalReason.NO_THROUGHPUT, text=text)
    hosted = [found for speed in usable if (found := _hosted(desk, seat, speed)) is not None]
    return _fastest(desk, seat, hosted)


def _fastest(desk: Desk, seat: Seat, hosted: list[Hosted]) -> Hosted | Verdict:
    slo = seat.errand.workload.slo
    if not seat.errand.workload.kind.is_interactive:
        return max(hosted, key=lambda h: h.node_rate)
    steady = [h for h in hosted if slo.tpot_ms is None or h.tpot_ms is None or h.tpot_ms <= slo.tpot_ms]
    if not steady:
        return _too_slow(desk, seat, hosted)
    near = [h for h in steady if slo.ttft_ms is None or _ttft(seat, h) < slo.ttft_ms]
    return max(near, key=lambda h: h.node_rate) if near else _too_far(seat, steady)


def _context(errand: Errand) -> Verdict | None:
    limit = errand.spec.context_tokens if errand.spec is not None else 0
    tokens = errand.demand.input_tokens + errand.demand.output_tokens
    if errand.spec is None or tokens <= limit:
        return None
    text = (
        f"a mean request has {math.ceil(tokens)} tokens; `{errand.spec.id}` leaves memory for {limit}; "
        "raise `context_tokens`"
    )
    return Verdict(reason=RefusalReason.CONTEXT, text=text, actual=tokens, limit=float(limit), unit="tokens")


def _precisions(seat: Seat, speeds: tuple[Speed, ...] | NoSpeed) -> tuple[str, ...]:
    """Precisions to try: those with a speed here, else those accepted, else the smallest there is."""
    if not isinstance(speeds, NoSpeed):
        return tuple(dict.fromkeys(canonical(speed.precision) for speed in speeds))
    declared = seat.errand.spec.precisions if seat.errand.spec is not None else None
    return tuple(canonical(name) for name in declared or ()) or (SMALLEST_PRECISION,)


def _need(desk: Desk, seat: Seat, precision: str) -> MemoryNeed | None:
    if seat.errand.size is None:
        return None
    return memory_need(
        seat.errand.size,
        desk.default(bytes_key(precision)).value,
        desk.default("sizing.kv_sequences").value if seat.errand.keeps_cache else 0.0,
        desk.default("sizing.kv_memory_share").value,
    )


def _width(desk: Desk, seat: Seat, precision: str) -> int | None:
    """Accelerators one replica needs; `None` when a node has not enough."""
    need = _need(desk, seat, precision)
    return None if need is None else smallest_width(need, seat.chip.memory_gb, seat.node.gpus)


def _memory(desk: Desk, seat: Seat, speeds: tuple[Speed, ...] | NoSpeed) -> Verdict | None:
    """Refusal when no accepted precision fits; told with the smallest need."""
    size = seat.errand.size
    accepted = _precisions(seat, speeds)
    if size is None or any(_width(desk, seat, precision) is not None for precision in accepted):
        return None
    needs = [(need.total_gb, name) for name in accepted if (need := _need(desk, seat, name)) is not None]
    need_gb, precision = min(needs)
    have = seat.chip.memory_gb * seat.node.gpus
    text = (
        f"a replica of `{size.name}` needs {need_gb:.0f} GB at {precision} (weights and KV cache); "
        f"`{seat.node.id}` has {have:g} GB ({seat.node.gpus} x {seat.chip.memory_gb:g}), and a replica does not span "
        f"nodes; use a smaller precision, a shorter `context_tokens` or a larger node"
    )
    return Verdict(reason=RefusalReason.MEMORY, text=text, actual=need_gb, limit=have, unit="GB")


def _hosted(desk: Desk, seat: Seat, speed: Speed) -> Hosted | None:
    fitting = _width(desk, seat, speed.precision)
    if fitting is None:
        return None
    measured = speed.gpus_per_replica or 1
    width = max(fitting, measured) if measured <= seat.node.gpus else fitting
    derate = desk.default(derate_key(speed))
    seconds = speed.gpu_seconds(seat.errand.shape)
    return Hosted(
        speed=speed,
        width=width,
        replicas_per_node=seat.node.gpus // width,
        service_rate=width * derate.value / seconds,
        ttft_ms=_prefill_ms(seat.errand, speed, width),
        tpot_ms=_tpot_ms(desk, seat, speed, width),
        figures=keyed(
            (
                derate,
                speed_figure(speed, seat.chip.id),
                desk.default("sizing.prefill_decode_ratio") if speed.is_split else None,
                desk.default(bytes_key(speed.precision)),
                *(_cache_figures(desk, seat.errand) if seat.errand.keeps_cache else ()),
            )
        ),
    )


def _cache_figures(desk: Desk, errand: Errand) -> tuple[Figure | None, ...]:
    per_token = errand.size.kv_mb_per_token if errand.size is not None else None
    return desk.default("sizing.kv_sequences"), desk.default("sizing.kv_memory_share"), per_token


def derate_key(speed: Speed) -> str:
    """Default that says how much of a point's speed is left in production."""
    return "sizing.throughput_derate_modelled" if speed.is_modelled else "sizing.throughput_derate"


def speed_figure(speed: Speed, accelerator: str) -> Figure:
    """The point a speed rests on, as a figure."""
    low, high = speed.range_share or (None, None)
    return Figure(
        key=f"throughput.{speed.model}.{accelerator}.{speed.precision}.{speed.scenario}",
        value=speed.quoted,
        unit="tokens/s/GPU",
        origin=speed.origin,
        low=speed.quoted * low if low is not None else None,
        high=speed.quoted * high if high is not None else None,
        provenance=speed.provenance,
        note=speed.note,
    )


def _serves(errand: Errand, speed: Speed) -> bool:
    """True when the scenario describes the kind of work: answers to callers need answers measured under bounds."""
    if errand.workload.kind.is_interactive:
        return speed.decode_s > 0 and any(part in INTERACTIVE for part in speed.scenario.split("+"))
    return speed.gpu_seconds(errand.shape) > 0 and (speed.decode_s > 0 or errand.demand.output_tokens == 0)


def _prefill_ms(errand: Errand, speed: Speed, width: int) -> float | None:
    if not errand.workload.kind.is_interactive:
        return None
    if speed.is_modelled and speed.ttft_ms is not None:
        return speed.ttft_ms
    computed = errand.demand.input_tokens * (1 - errand.demand.cached_share)
    own = computed * speed.prefill_s / width * MS_PER_S
    return own if speed.ttft_ms is None else min(own, speed.ttft_ms)


def _tpot_ms(desk: Desk, seat: Seat, speed: Speed, width: int) -> float | None:
    if not seat.errand.workload.kind.is_interactive or speed.tpot_ms is not None:
        return speed.tpot_ms
    size = seat.errand.size
    if size is None or seat.chip.mem_bw_gb_s <= 0:
        return None
    read_gb = size.active_parameters_b * desk.default(bytes_key(speed.precision)).value
    floor_ms = read_gb / (seat.chip.mem_bw_gb_s * width) * MS_PER_S
    return floor_ms * desk.default("sizing.tpot_over_floor").value


def _ttft(seat: Seat, hosted: Hosted) -> float:
    return (hosted.ttft_ms or 0.0) + (seat.rtt.value if seat.rtt is not None else 0.0)


def _too_slow(desk: Desk, seat: Seat, hosted: list[Hosted]) -> Verdict:
    limit = seat.errand.workload.slo.tpot_ms or 0.0
    best = min(hosted, key=lambda h: h.tpot_ms or 0.0)
    found = best.tpot_ms or 0.0
    is_bound = best.speed.tpot_ms is not None and best.speed.scenario in _UNDER_BOUNDS
    bound = ", the bound it was measured under: answers may be faster" if is_bound else ""
    others = _quick_enough(desk, seat, limit)
    accept = f"accept {others} in the model's `precisions`, " if others else ""
    text = (
        f"the fastest figure known on {seat.chip.id} is {found:g} ms per token ({best.speed.scenario} at "
        f"{best.speed.precision}{bound}); the objective is {limit:g} ms; {accept}relax `slo.tpot_ms` or use a faster "
        f"accelerator"
    )
    return Verdict(reason=RefusalReason.TPOT, text=text, actual=found, limit=limit, unit="ms")


def _quick_enough(desk: Desk, seat: Seat, limit: float) -> str:
    """Precisions the estate does not accept whose figures would keep the objective, as words: `bf16` (32 ms)."""
    errand = seat.errand
    if errand.spec is None or errand.spec.precisions is None:
        return ""
    speeds = desk.speeds(replace(errand, spec=replace(errand.spec, precisions=None)), seat.chip.id)
    best: dict[str, float] = {}
    for speed in () if isinstance(speeds, NoSpeed) else speeds:
        if speed.tpot_ms is not None and speed.tpot_ms <= limit and _serves(errand, speed):
            best[speed.precision] = min(speed.tpot_ms, best.get(speed.precision, speed.tpot_ms))
    return " or ".join(f"`{name}` ({ms:g} ms)" for name, ms in best.items())


def _too_far(seat: Seat, hosted: list[Hosted]) -> Verdict:
    limit = seat.errand.workload.slo.ttft_ms or 0.0
    best = min(hosted, key=lambda h: h.ttft_ms or 0.0)
    rtt = seat.rtt.value if seat.rtt is not None else 0.0
    found = _ttft(seat, best)
    text = (
        f"first token after {found:.0f} ms at the earliest ({rtt:g} ms round trip of the farthest caller, "
        f"{best.ttft_ms or 0.0:.0f} ms prefill); the objective is {limit:g} ms; serve nearer to the callers or relax "
        f"`slo.ttft_ms`"
    )
    return Verdict(reason=RefusalReason.LATENCY, text=text, actual=found, limit=limit, unit="ms")


def _no_throughput(missing: NoSpeed) -> Verdict:
    unit = "billion active parameters" if missing.actual is not None else ""
    return Verdict(
        reason=RefusalReason.NO_THROUGHPUT,
        text=missing.text,
        actual=missing.actual,
        limit=missing.limit,
        unit=unit,
    )
