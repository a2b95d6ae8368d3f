"""What is counted where: the cells a request touches, and the snapshot they are saved as."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from tripoint.engines.gateway.telemetry.meters import OWN_EDGES, TOKEN_EDGES, TOTAL_EDGES, TPOT_EDGES, TTFT_EDGES

SNAPSHOT_VERSION: Final = 1
"""Snapshots of another version are passed over by readers."""


class Histogram(NamedTuple):
    """Counts per interval of fixed edges, the last one open, and the sum of what was seen."""

    counts: list[int]
    total: float = 0.0


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
            Histogram(timing.ttft, timing.ttft_s),
            Histogram(timing.tpot, timing.tpot_s),
            Histogram(timing.duration, timing.duration_s),
            Histogram(timing.tokens_in, timing.tokens_in_sum),
            Histogram(timing.tokens_out, timing.tokens_out_sum),
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
    usd: float
    list_usd: float

    @classmethod
    def of(cls, cell: Cell) -> CellCounts:
        """What a cell holds now."""
        return cls(
            cell.labels, cell.requests, cell.tokens_in, cell.tokens_out, cell.cached, cell.reasoning, cell.estimated,
            cell.usd, cell.list_usd,
        )  # fmt: skip


class Snapshot(msgspec.Struct):
    """All a worker has counted since it began."""

    version: int
    cells: list[CellCounts]
    timings: list[TimingCounts]
    own: dict[str, Histogram]
    """By api."""
    clean: list[tuple[tuple[str, str, str, str], int]]
    """Workload, upstream, site, reason of requests that one attempt answered."""
    reasons: list[tuple[tuple[str, str, str], int]]
    """Workload, upstream, reason of the other answered requests."""
    attempts: list[tuple[tuple[str, str, str, str], int]]
    """Upstream, site, reason, failure of all attempts of other than clean requests."""
    shifts: list[tuple[tuple[str, str, str], int]]
    """Workload, source, target."""
    events: list[tuple[tuple[str, str], int]]
    """Family, cause."""
    unknown_events: int
    overflows: int


class Cell:
    """Counters while they are counted."""

    __slots__ = ("cached", "estimated", "labels", "list_usd", "reasoning", "requests", "tokens_in", "tokens_out", "usd")

    def __init__(self, labels: tuple[str, str, str, str, str, str, str, str, str]) -> None:
        self.labels = labels
        self.requests = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.cached = 0
        self.reasoning = 0
        self.estimated = 0
        self.usd = 0.0
        self.list_usd = 0.0


class Timing:
    """Histograms while they are counted: a list of counts and a sum each."""

    __slots__ = (
        "duration",
        "duration_s",
        "labels",
        "tokens_in",
        "tokens_in_sum",
        "tokens_out",
        "tokens_out_sum",
        "tpot",
        "tpot_s",
        "ttft",
        "ttft_s",
    )

    def __init__(self, labels: tuple[str, str, str, str, str]) -> None:
        self.labels = labels
        self.ttft = [0] * (len(TTFT_EDGES) + 1)
        self.ttft_s = 0.0
        self.tpot = [0] * (len(TPOT_EDGES) + 1)
        self.tpot_s = 0.0
        self.duration = [0] * (len(TOTAL_EDGES) + 1)
        self.duration_s = 0.0
        self.tokens_in = [0] * (len(TOKEN_EDGES) + 1)
        self.tokens_in_sum = 0
        self.tokens_out = [0] * (len(TOKEN_EDGES) + 1)
        self.tokens_out_sum = 0


class Own:
    """Own overhead while it is counted."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(OWN_EDGES) + 1)
        self.total_s = 0.0


class Slot:
    """Where a request with these labels is counted."""

    __slots__ = ("cell", "clean", "own", "timing")

    def __init__(self, cell: Cell, timing: Timing, own: Own, clean: dict[str, int]) -> None:
        self.cell = cell
        self.timing = timing
        self.own = own
        self.clean = clean
