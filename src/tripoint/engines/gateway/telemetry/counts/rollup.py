"""From the snapshots of all workers, past incarnations included, to the series people see."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from types import MappingProxyType

from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.gateway.telemetry.counts.snapshots import CellCounts, Histogram, Snapshot, read_snapshot
from tripoint.engines.gateway.telemetry.meters import (
    ATTEMPTS,
    COST,
    ESTIMATED,
    EVENTS,
    LIST_COST,
    MARGINAL_COST,
    METERS,
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
    TOOK,
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
    TOOK: TOTAL_EDGES,
    REQUEST_TOKENS_IN: TOKEN_EDGES,
    REQUEST_TOKENS_OUT: TOKEN_EDGES,
}
"""Upper edges of every histogram."""

_MONEY = (COST, LIST_COST, MARGINAL_COST)
"""Meters that are added in nano-dollars and shown in dollars."""

_METERS = MappingProxyType({meter.name: meter for meter in METERS})

Labels = tuple[str, ...]


class Rollup:
    """Sums over snapshots: a value per meter and labels, or counts per interval and their sum.

    Sums are those of the exact values, rounded once: in whatever order snapshots come, and however they were folded,
    a counter that grew is never shown smaller (a scraper would take that for a restart).
    """

    def __init__(self) -> None:
        self._values: dict[Meter, dict[Labels, list[float]]] = {}
        self._histograms: dict[Meter, dict[Labels, tuple[list[int], list[float]]]] = {}

    def add(self, meter: Meter, labels: Labels, *values: float) -> None:
        """Adds to a value; labels in the meter's order."""
        self._values.setdefault(meter, {}).setdefault(labels, []).extend(values)

    def observe(self, meter: Meter, labels: Labels, seen: Histogram) -> None:
        """Adds to a histogram; nothing is made of one without observations."""
        if not any(seen.counts):
            return
        series = self._histograms.setdefault(meter, {})
        known = series.get(labels)
        if known is None:
            series[labels] = (seen.counts, list(seen.parts))
        else:
            counts = [before + more for before, more in zip(known[0], seen.counts, strict=True)]
            series[labels] = (counts, [*known[1], *seen.parts])

    def values(self, meter: Meter) -> dict[Labels, float]:
        """Value of each series of a meter."""
        if meter in _MONEY:  # whole numbers, divided once: as exact as a float can say it
            return {labels: sum(parts) / NANO_PER_USD for labels, parts in self._values.get(meter, {}).items()}
        return {labels: fsum(parts) for labels, parts in self._values.get(meter, {}).items()}

    def histograms(self, meter: Meter) -> dict[Labels, tuple[list[int], float]]:
        """Counts per interval of each series of a meter, and the sum of what was seen."""
        series = self._histograms.get(meter, {})
        return {labels: (counts, fsum(parts)) for labels, (counts, parts) in series.items()}


def roll_up(snapshots: Iterable[bytes]) -> Rollup:
    """Sums what workers counted; a snapshot that cannot be read is left out and counted as such."""
    rollup = Rollup()
    for blob in snapshots:
        snapshot = read_snapshot(blob)
        if snapshot is None:
            rollup.add(UNREADABLE, (), 1)
        else:
            _add(rollup, snapshot)
    rollup.add(UNREADABLE, (), 0)
    return rollup


def _add(rollup: Rollup, snapshot: Snapshot) -> None:
    for cell in snapshot.cells:
        _add_cell(rollup, cell)
    for timing in snapshot.timings:
        rollup.observe(TTFT, timing.labels, timing.ttft)
        rollup.observe(TPOT, timing.labels, timing.tpot)
        rollup.observe(TOTAL, timing.labels, timing.duration)
        rollup.observe(REQUEST_TOKENS_IN, timing.labels, timing.tokens_in)
        rollup.observe(REQUEST_TOKENS_OUT, timing.labels, timing.tokens_out)
    for api, own in snapshot.own.items():
        rollup.observe(OWN, (api,), own)
    for (upstream, site, failure), took in snapshot.took:
        rollup.observe(TOOK, (upstream, site, failure or "none"), took)
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
    for name, labels, value in snapshot.figures:
        told = _METERS.get(name)
        if told is not None and len(told.labels) == len(labels):
            rollup.add(told, labels, value)
    rollup.add(UNKNOWN_EVENTS, (), snapshot.unknown_events)
    rollup.add(OVERFLOWS, (), snapshot.overflows)


def _add_cell(rollup: Rollup, cell: CellCounts) -> None:
    tenant, workload, model, api, site, upstream, status, ending, error = cell.labels
    rollup.add(REQUESTS, (tenant, workload, api, site, upstream, status, ending, error), cell.requests)
    if not (upstream or cell.tokens_in or cell.nano):
        return
    who = (tenant, workload, model, site, upstream)
    rollup.add(TOKENS_IN, who, cell.tokens_in)
    rollup.add(TOKENS_OUT, who, cell.tokens_out)
    rollup.add(TOKENS_CACHED, who, cell.cached)
    rollup.add(TOKENS_REASONING, who, cell.reasoning)
    rollup.add(ESTIMATED, who, cell.estimated)
    rollup.add(COST, who, cell.nano)
    rollup.add(LIST_COST, who, cell.list_nano)
    rollup.add(MARGINAL_COST, who, cell.marginal_nano)
