"""Where a worker counts: the cells a request touches, slotted and mutable because every request does."""

from __future__ import annotations

from tripoint.engines.gateway.telemetry.meters import TOKEN_EDGES, TOTAL_EDGES, TPOT_EDGES, TTFT_EDGES


class Cell:
    """Counters while they are counted."""

    __slots__ = (
        "cached", "estimated", "labels", "list_nano", "marginal_nano", "nano", "reasoning", "requests", "tokens_in",
        "tokens_out",
    )  # fmt: skip

    def __init__(self, labels: tuple[str, str, str, str, str, str, str, str, str]) -> None:
        self.labels = labels
        self.requests = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.cached = 0
        self.reasoning = 0
        self.estimated = 0
        self.nano = 0
        self.list_nano = 0
        self.marginal_nano = 0


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


class Spread:
    """One histogram while it is counted."""

    __slots__ = ("counts", "total_s")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self.counts = [0] * (len(edges) + 1)
        self.total_s = 0.0


class Slot:
    """Where a request with these labels is counted."""

    __slots__ = ("cell", "clean", "own", "timing", "took")

    def __init__(self, cell: Cell, timing: Timing, own: Spread, took: Spread, clean: dict[str, int]) -> None:
        self.cell = cell
        self.timing = timing
        self.own = own
        self.took = took
        """Of attempts that answered."""
        self.clean = clean
        """By reason: requests that one attempt answered."""
