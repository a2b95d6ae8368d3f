"""The page Prometheus reads: text format 0.0.4, families in a fixed order, every family with HELP and TYPE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Final, NamedTuple

from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.routing.query import TargetState
from tripoint.engines.gateway.telemetry.meters import (
    BREAKER,
    BREAKER_STATES,
    BUILD,
    CACHE_USAGE,
    CAPACITY,
    DEGRADED,
    IN_FLIGHT,
    LEFT_ALONE,
    LIMIT,
    LIVE_TPOT,
    LIVE_TTFT,
    METERS,
    PARTS,
    PLANNED_SHARE,
    RUNNING,
    SHARE,
    SILENT,
    TABLE,
    WAITING,
    WORKERS,
    Meter,
)
from tripoint.engines.gateway.telemetry.rollup import EDGES, Labels, Rollup, roll_up

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of the page."""


class GatewayState(NamedTuple):
    """What the page says beside counts and upstreams."""

    version: str = ""
    """Version of tripoint."""
    estate: str = ""
    """Name of the estate served."""
    estate_digest: str = ""
    """Its digest."""
    plan_digest: str = ""
    """Digest of the plan, empty without one."""
    workers: int = 1
    """Workers that serve."""
    degraded: tuple[str, ...] = ()
    """Parts that are missing now, of `meters.PARTS`."""
    loads: Mapping[str, UpstreamLoad] = {}
    """Last reading of each upstream that was scraped, by upstream id."""


def exposition(
    snapshots: Iterable[bytes], states: Sequence[TargetState] = (), gateway: GatewayState | None = None
) -> str:
    """The page: what all workers counted, how upstreams are now, what serves.

    `snapshots` come from `Metrics.snapshot`, of all workers and of their past incarnations, in a stable order.
    """
    rollup = roll_up(snapshots)
    standing = gateway if gateway is not None else GatewayState()
    _add_states(rollup, states, standing.loads)
    _add_gateway(rollup, standing)
    return "".join(_page(rollup))


def _add_states(rollup: Rollup, states: Sequence[TargetState], loads: Mapping[str, UpstreamLoad]) -> None:
    for state in states:
        where = (state.upstream, state.site)
        rollup.add(IN_FLIGHT, where, state.held)
        rollup.add(CAPACITY, where, state.capacity)
        rollup.add(LIMIT, where, state.limit)
        rollup.add(LEFT_ALONE, where, state.limited_s)
        for name in BREAKER_STATES:
            rollup.add(BREAKER, (*where, name), int(state.breaker == name))
        for percentile, ttft_s in (("50", state.ttft_p50_s), ("95", state.ttft_p95_s), ("99", state.ttft_p99_s)):
            if ttft_s > 0.0:
                rollup.add(LIVE_TTFT, (*where, percentile), ttft_s)
        if state.tpot_p50_s > 0.0:
            rollup.add(LIVE_TPOT, (*where, "50"), state.tpot_p50_s)
        rollup.add(SILENT, where, int(state.is_silent))
        for workload, share, planned in state.weights:
            rollup.add(SHARE, (workload, state.upstream), share)
            rollup.add(PLANNED_SHARE, (workload, state.upstream), planned)
        load = loads.get(state.upstream)
        if load is not None:
            rollup.add(RUNNING, where, load.running)
            rollup.add(WAITING, where, load.waiting)
            rollup.add(CACHE_USAGE, where, load.cache_usage)


def _add_gateway(rollup: Rollup, gateway: GatewayState) -> None:
    rollup.add(BUILD, (gateway.version,), 1)
    rollup.add(TABLE, (gateway.estate, gateway.estate_digest, gateway.plan_digest), 1)
    rollup.add(WORKERS, (), gateway.workers)
    for part in PARTS:
        rollup.add(DEGRADED, (part,), int(part in gateway.degraded))


def _page(rollup: Rollup) -> Iterator[str]:
    for meter in METERS:
        values = rollup.values.get(meter)
        histograms = rollup.histograms.get(meter)
        if not values and not histograms:
            continue
        yield f"# HELP {meter.name} {_help(meter.help)}\n# TYPE {meter.name} {meter.kind}\n"
        for labels, value in sorted((values or {}).items()):
            yield f"{meter.name}{_labels(meter, labels)} {_number(value)}\n"
        for labels, (counts, total) in sorted((histograms or {}).items()):
            yield from _histogram(meter, labels, counts, total)


def _histogram(meter: Meter, labels: Labels, counts: list[int], total: float) -> Iterator[str]:
    below = 0
    for edge, count in zip((*EDGES[meter], float("inf")), counts, strict=True):
        below += count
        yield f"{meter.name}_bucket{_labels(meter, labels, le=_number(edge))} {below}\n"
    plain = _labels(meter, labels)
    yield f"{meter.name}_sum{plain} {_number(total)}\n{meter.name}_count{plain} {below}\n"


def _labels(meter: Meter, values: Labels, *, le: str = "") -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in zip(meter.labels, values, strict=True)]
    if le:
        pairs.append(f'le="{le}"')
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if not isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
