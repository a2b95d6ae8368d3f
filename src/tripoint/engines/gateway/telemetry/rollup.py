"""From the snapshots of all workers, past incarnations included, to the series people see."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tripoint.engines.gateway.telemetry.cells import SNAPSHOT_VERSION, CellCounts, Histogram, Snapshot, TimingCounts
from tripoint.engines.gateway.telemetry.meters import (
    ATTEMPTS,
    COST,
    ESTIMATED,
    EVENTS,
    LIST_COST,
    OVERFLOWS,
    OWN,
    OWN_EDGES,
    REASONS,
    REQUEST_TOKENS_IN,
    REQUEST_TOKENS_OUT,
    REQUESTS,
    SHIFTS,
    TOKEN_EDGES,
    TOKENS_CACHED,
    TOKENS_IN,
    TOKENS_OUT,
    TOKENS_REASONING,
    TOTAL,
    TOTAL_EDGES,
    TPOT,
    TPOT_EDGES,
    TTFT,
    TTFT_EDGES,
    UNKNOWN_EVENTS,
    UNREADABLE,
    Meter,
)

EDGES = {
    TTFT: TTFT_EDGES,
    TPOT: TPOT_EDGES,
    TOTAL: TOTAL_EDGES,
    OWN: OWN_EDGES,
    REQUEST_TOKENS_IN: TOKEN_EDGES,
    REQUEST_TOKENS_OUT: TOKEN_EDGES,
}
"""Upper edges of every histogram."""

Labels = tuple[str, ...]


class Rollup:
    """Sums over snapshots: a value per meter and labels, or counts per interval and their sum."""

    def __init__(self) -> None:
        self.values: dict[Meter, dict[Labels, float]] = {}
        self.histograms: dict[Meter, dict[Labels, tuple[list[int], float]]] = {}

    def add(self, meter: Meter, labels: Labels, value: float) -> None:
        """Adds to a value; labels in the meter's order."""
        series = self.values.setdefault(meter, {})
        series[labels] = series.get(labels, 0) + value

    def observe(self, meter: Meter, labels: Labels, counts: list[int], total: float) -> None:
        """Adds to a histogram; nothing is made of one without observations."""
        if not any(counts):
            return
        series = self.histograms.setdefault(meter, {})
        known = series.get(labels)
        if known is not None:
            counts = [before + more for before, more in zip(known[0], counts, strict=True)]
            total += known[1]
        series[labels] = (counts, total)


def roll_up(snapshots: Iterable[bytes]) -> Rollup:
    """Sums what workers counted; a snapshot that cannot be read is left out and counted as such.

    Sums are made in the order of the snapshots: in the same order no counter ever falls.
    """
    rollup = Rollup()
    unreadable = 0
    decoder = msgspec.msgpack.Decoder(Snapshot)
    for blob in snapshots:
        try:
            snapshot = decoder.decode(blob)
        except msgspec.MsgspecError:
            unreadable += 1
            continue
        if not _fits(snapshot):
            unreadable += 1
            continue
        _add(rollup, snapshot)
    rollup.values[UNREADABLE] = {(): unreadable}
    return rollup


def _add(rollup: Rollup, snapshot: Snapshot) -> None:
    for cell in snapshot.cells:
        _add_cell(rollup, cell)
    for timing in snapshot.timings:
        rollup.observe(TTFT, timing.labels, *timing.ttft)
        rollup.observe(TPOT, timing.labels, *timing.tpot)
        rollup.observe(TOTAL, timing.labels, *timing.duration)
        rollup.observe(REQUEST_TOKENS_IN, timing.labels, *timing.tokens_in)
        rollup.observe(REQUEST_TOKENS_OUT, timing.labels, *timing.tokens_out)
    for api, own in snapshot.own.items():
        rollup.observe(OWN, (api,), *own)
    for (workload, upstream, site, reason), count in snapshot.clean:
        rollup.add(REASONS, (workload, upstream, reason), count)
        rollup.add(ATTEMPTS, (upstream, site, reason, "none"), count)
    for answered, count in snapshot.reasons:
        rollup.add(REASONS, answered, count)
    for (upstream, site, reason, failure), count in snapshot.attempts:
        rollup.add(ATTEMPTS, (upstream, site, reason, failure or "none"), count)
    for moved, count in snapshot.shifts:
        rollup.add(SHIFTS, moved, count)
    for (family, cause), count in snapshot.events:
        meter = EVENTS.get(family, UNKNOWN_EVENTS)
        rollup.add(meter, (cause,) if meter.labels else (), count)
    rollup.add(UNKNOWN_EVENTS, (), snapshot.unknown_events)
    rollup.add(OVERFLOWS, (), snapshot.overflows)


def _add_cell(rollup: Rollup, cell: CellCounts) -> None:
    tenant, workload, model, api, site, upstream, status, ending, error = cell.labels
    rollup.add(REQUESTS, (tenant, workload, api, site, upstream, status, ending, error), cell.requests)
    if not upstream:
        return
    who = (tenant, workload, model, site, upstream)
    rollup.add(TOKENS_IN, who, cell.tokens_in)
    rollup.add(TOKENS_OUT, who, cell.tokens_out)
    rollup.add(TOKENS_CACHED, who, cell.cached)
    rollup.add(TOKENS_REASONING, who, cell.reasoning)
    rollup.add(ESTIMATED, who, cell.estimated)
    rollup.add(COST, who, cell.usd)
    rollup.add(LIST_COST, who, cell.list_usd)


def _fits(snapshot: Snapshot) -> bool:
    """True when the snapshot was made by these definitions."""
    return (
        snapshot.version == SNAPSHOT_VERSION
        and all(_timing_fits(timing) for timing in snapshot.timings)
        and all(len(own.counts) == len(OWN_EDGES) + 1 for own in snapshot.own.values())
    )


def _timing_fits(timing: TimingCounts) -> bool:
    def fits(histogram: Histogram, edges: tuple[float, ...]) -> bool:
        return len(histogram.counts) == len(edges) + 1

    return (
        fits(timing.ttft, TTFT_EDGES)
        and fits(timing.tpot, TPOT_EDGES)
        and fits(timing.duration, TOTAL_EDGES)
        and fits(timing.tokens_in, TOKEN_EDGES)
        and fits(timing.tokens_out, TOKEN_EDGES)
    )
