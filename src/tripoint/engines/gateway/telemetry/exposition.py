"""The page Prometheus reads: text format 0.0.4, families in a fixed order, every family with HELP and TYPE."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.routing.query import TargetState
from tripoint.engines.gateway.telemetry.counts.rollup import EDGES, Labels, Rollup, roll_up
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
    REQUEST_TOKENS_IN,
    REQUEST_TOKENS_OUT,
    RUNNING,
    SHARE,
    SILENT,
    TABLE,
    WAITING,
    WORKERS,
    Kind,
    Meter,
)
from tripoint.engines.gateway.telemetry.semconv import CONVENTIONS, LATEST, OPERATIONS, Convention, prometheus_name
from tripoint.engines.gateway.telemetry.semconv import EDGES as CONVENTIONAL_EDGES
from tripoint.engines.gateway.telemetry.text import Page

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Content type of the page."""
_TOKEN_TYPES: Final = {REQUEST_TOKENS_IN: ("input",), REQUEST_TOKENS_OUT: ("output",)}


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
    """Parts that are missing now, of `meters.PARTS` or beyond."""
    loads: Mapping[str, UpstreamLoad] = {}
    """Last reading of each upstream that was scraped, by upstream id."""
    providers: Mapping[str, str] = {}
    """Who is paid for each upstream, by upstream id, for the conventions' names."""
    convention: str = LATEST
    """Version of the conventions whose metrics are shown as well; empty for none."""


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
    page = Page()
    _tell(page, rollup)
    if standing.convention in CONVENTIONS:
        _tell_by_convention(page, rollup, CONVENTIONS[standing.convention], standing.providers)
    return page.text()


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
    for part in (*PARTS, *sorted({*gateway.degraded} - {*PARTS})):
        rollup.add(DEGRADED, (part,), int(part in gateway.degraded))


def _tell(page: Page, rollup: Rollup) -> None:
    for meter in METERS:
        values = rollup.values(meter)
        histograms = rollup.histograms(meter)
        if values or histograms:
            page.heading(meter.name, meter.kind, meter.help)
        for labels, value in sorted(values.items()):
            page.sample(meter.name, meter.labels, labels, value)
        for labels, (counts, total) in sorted(histograms.items()):
            page.histogram(meter.name, meter.labels, labels, EDGES[meter], counts, total)


def _tell_by_convention(page: Page, rollup: Rollup, convention: Convention, providers: Mapping[str, str]) -> None:
    """The histograms that conventions name too, under those names and with the edges they ask for."""
    meanings = ("operation", "provider", "workload", "model", "token_type")
    names = [convention.attributes.get(meaning, meaning).replace(".", "_") for meaning in meanings]
    told = ""
    for meter in METERS:
        metric = convention.metrics.get(meter.name)
        if metric is None:
            continue
        name = prometheus_name(metric)
        sums: dict[Labels, tuple[list[int], float]] = {}
        for (workload, model, api, _, upstream), (counts, total) in sorted(rollup.histograms(meter).items()):
            who = providers.get(upstream, upstream or "none")
            key: Labels = (OPERATIONS.get(api, api), who, workload, model, *_TOKEN_TYPES.get(meter, ()))
            known = sums.get(key)
            merged = counts if known is None else [a + b for a, b in zip(known[0], counts, strict=True)]
            sums[key] = (merged, total if known is None else known[1] + total)
        if sums and name != told:
            told = name
            page.heading(name, Kind.HISTOGRAM, f"{meter.help} The conventions {convention.version}: `{metric}`.")
        for key, (counts, total) in sums.items():
            edges = CONVENTIONAL_EDGES[metric]
            page.histogram(name, names[: len(key)], key, edges, _coarser(meter, metric, counts), total)


def _coarser(meter: Meter, name: str, counts: list[int]) -> list[int]:
    """Counts over the conventions' edges, each of which is one of ours."""
    edges = CONVENTIONAL_EDGES[name]
    coarse = [0] * (len(edges) + 1)
    for edge, count in zip((*EDGES[meter], float("inf")), counts, strict=True):
        coarse[bisect_left(edges, edge)] += count
    return coarse
