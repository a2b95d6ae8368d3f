"""What a worker counted, as bytes that can be read elsewhere, added up, and folded together without losing a cent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Final, NamedTuple, TypeVar

import msgspec

from tripoint.engines.gateway.telemetry.counts.cells import Cell, Timing
from tripoint.engines.gateway.telemetry.meters import OWN_EDGES, TOKEN_EDGES, TOTAL_EDGES, TPOT_EDGES, TTFT_EDGES

SNAPSHOT_VERSION: Final = 2
"""Snapshots of another version are passed over by readers."""

_Key = TypeVar("_Key")
Exact = tuple[float, ...]
"""A sum that no rounding has touched: the numbers it is the sum of."""


class Histogram(NamedTuple):
    """Counts per interval of fixed edges, the last one open, and the sum of what was seen."""

    counts: list[int]
    parts: Exact = ()


class TimingCounts(NamedTuple):
    """Histograms of one way to serve one workload."""

    labels: tuple[str, str, str, str, str]
    """Workload, model, api, site, upstream."""
    ttft: Histogram
    tpot: Histogram
    duration: Histogram
    tokens_in: Histogram
    tokens_out: Histogram

    @classmethod
    def of(cls, timing: Timing) -> TimingCounts:
        """What a timing holds now."""
        return cls(
            timing.labels,
            Histogram(timing.ttft.counts, (timing.ttft.total_s,)),
            Histogram(timing.tpot.counts, (timing.tpot.total_s,)),
            Histogram(timing.duration.counts, (timing.duration.total_s,)),
            Histogram(timing.tokens_in.counts, (timing.tokens_in.total,)),
            Histogram(timing.tokens_out.counts, (timing.tokens_out.total,)),
        )


class CellCounts(NamedTuple):
    """Counters of requests that share every label."""

    labels: tuple[str, str, str, str, str, str, str, str, str]
    """Tenant, workload, model, api, site, upstream, status class, ending, error code."""
    requests: int
    tokens_in: int
    tokens_out: int
    cached: int
    reasoning: int
    estimated: int
    nano: int
    list_nano: int
    marginal_nano: int

    @classmethod
    def of(cls, cell: Cell) -> CellCounts:
        """What a cell holds now."""
        return cls(
            cell.labels, cell.requests, cell.tokens_in, cell.tokens_out, cell.cached, cell.reasoning, cell.estimated,
            cell.nano, cell.list_nano, cell.marginal_nano,
        )  # fmt: skip


class Snapshot(msgspec.Struct):
    """All a worker has counted since it began."""

    cells: list[CellCounts] = []
    timings: list[TimingCounts] = []
    own: dict[str, Histogram] = {}
    """By api."""
    clean: list[tuple[tuple[str, str, str, str], int]] = []
    """Workload, upstream, site, reason of requests that one attempt answered."""
    reasons: list[tuple[tuple[str, str, str], int]] = []
    """Workload, upstream, reason of the other answered requests."""
    attempts: list[tuple[tuple[str, str, str, str], int]] = []
    """Upstream, site, reason, failure of all attempts of other than clean requests."""
    took: list[tuple[tuple[str, str, str], Histogram]] = []
    """Upstream, site, failure of attempts."""
    shifts: list[tuple[tuple[str, str, str], int]] = []
    """Workload, source, target."""
    events: list[tuple[tuple[str, str], int]] = []
    """Family, cause."""
    unknown_events: int = 0
    overflows: int = 0
    figures: list[tuple[str, tuple[str, ...], float]] = []
    """Meter's name, labels and value of what is so now, told by the ledger process; never folded."""
    folded: list[str] = []
    """Names of what was folded into it."""
    version: int = SNAPSHOT_VERSION


def read_snapshot(blob: bytes) -> Snapshot | None:
    """The snapshot of `Metrics.snapshot` or `fold_snapshots`; `None` when it is torn or of other definitions."""
    try:
        snapshot = msgspec.msgpack.decode(blob, type=Snapshot)
    except msgspec.MsgspecError:
        return None
    is_ours = (
        snapshot.version == SNAPSHOT_VERSION
        and all(_fits(timing) for timing in snapshot.timings)
        and all(len(own.counts) == len(OWN_EDGES) + 1 for own in snapshot.own.values())
        and all(len(took.counts) == len(TOTAL_EDGES) + 1 for _, took in snapshot.took)
    )
    return snapshot if is_ours else None


def fold_snapshots(blobs: Iterable[bytes], names: Sequence[str] = ()) -> bytes:
    """One snapshot that says what these say together; `names` are kept in it, those that cannot be read left out."""
    cells: dict[tuple[str, ...], CellCounts] = {}
    timings: dict[tuple[str, ...], TimingCounts] = {}
    folded = Snapshot(folded=list(names))
    own: dict[str, Histogram] = {}
    took: dict[tuple[str, str, str], Histogram] = {}
    clean: dict[tuple[str, str, str, str], int] = {}
    reasons: dict[tuple[str, str, str], int] = {}
    attempts: dict[tuple[str, str, str, str], int] = {}
    shifts: dict[tuple[str, str, str], int] = {}
    events: dict[tuple[str, str], int] = {}
    for snapshot in filter(None, map(read_snapshot, blobs)):
        for cell in snapshot.cells:
            cells[cell.labels] = _both_cells(cells[cell.labels], cell) if cell.labels in cells else cell
        for timing in snapshot.timings:
            key = timing.labels
            timings[key] = _both_timings(timings[key], timing) if key in timings else timing
        for api, histogram in snapshot.own.items():
            own[api] = _both(own[api], histogram) if api in own else histogram
        for tried, histogram in snapshot.took:
            took[tried] = _both(took[tried], histogram) if tried in took else histogram
        _add(clean, snapshot.clean)
        _add(reasons, snapshot.reasons)
        _add(attempts, snapshot.attempts)
        _add(shifts, snapshot.shifts)
        _add(events, snapshot.events)
        folded.unknown_events += snapshot.unknown_events
        folded.overflows += snapshot.overflows
    folded.cells, folded.timings, folded.own = list(cells.values()), list(timings.values()), own
    folded.clean, folded.reasons, folded.attempts = list(clean.items()), list(reasons.items()), list(attempts.items())
    folded.took, folded.shifts, folded.events = list(took.items()), list(shifts.items()), list(events.items())
    return msgspec.msgpack.encode(folded)


def exact(parts: Exact) -> Exact:
    """The same sum in as few numbers as hold it exactly, the largest first."""
    rest = list(parts)
    shorter: list[float] = []
    while (head := fsum(rest)) != 0.0:
        shorter.append(head)
        rest.append(-head)
    return tuple(shorter)


def _add(sums: dict[_Key, int], more: list[tuple[_Key, int]]) -> None:
    for key, count in more:
        sums[key] = sums.get(key, 0) + count


def _both(one: Histogram, other: Histogram) -> Histogram:
    counts = [a + b for a, b in zip(one.counts, other.counts, strict=True)]
    return Histogram(counts, exact((*one.parts, *other.parts)))


def _both_timings(one: TimingCounts, other: TimingCounts) -> TimingCounts:
    return TimingCounts(
        one.labels,
        _both(one.ttft, other.ttft),
        _both(one.tpot, other.tpot),
        _both(one.duration, other.duration),
        _both(one.tokens_in, other.tokens_in),
        _both(one.tokens_out, other.tokens_out),
    )


def _both_cells(one: CellCounts, other: CellCounts) -> CellCounts:
    return CellCounts(
        one.labels,
        one.requests + other.requests,
        one.tokens_in + other.tokens_in,
        one.tokens_out + other.tokens_out,
        one.cached + other.cached,
        one.reasoning + other.reasoning,
        one.estimated + other.estimated,
        one.nano + other.nano,
        one.list_nano + other.list_nano,
        one.marginal_nano + other.marginal_nano,
    )


def _fits(timing: TimingCounts) -> bool:
    """True when every histogram has an entry for each interval it has here."""
    pairs = (
        (timing.ttft, TTFT_EDGES),
        (timing.tpot, TPOT_EDGES),
        (timing.duration, TOTAL_EDGES),
        (timing.tokens_in, TOKEN_EDGES),
        (timing.tokens_out, TOKEN_EDGES),
    )
    return all(len(histogram.counts) == len(edges) + 1 for histogram, edges in pairs)
