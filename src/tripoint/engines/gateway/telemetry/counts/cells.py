"""Where a worker counts: the cells a request touches, slotted and mutable because every request does."""

from __future__ import annotations

from math import inf

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


class Spread:
    """One histogram of times while it is counted; most times fall where the one before fell."""

    __slots__ = ("_at", "_edges", "_high", "_low", "counts", "total_s")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = edges
        self._at = 0
        self._low = self._high = -inf
        self.counts = [0] * (len(edges) + 1)
        self.total_s = 0.0

    def add(self, value: float) -> None:
        """Counts one."""
        if not self._low < value <= self._high:
            self._seek(value)
        counts, at = self.counts, self._at
        counts[at] = counts[at] + 1  # compiled, `+=` would not know that these are numbers
        self.total_s += value

    def _seek(self, value: float) -> None:
        """Goes to the first edge that is not below the value, from where it stands: mostly that is near."""
        edges, at = self._edges, self._at
        while at < len(edges) and value > edges[at]:
            at += 1
        while at > 0 and not edges[at - 1] < value:
            at -= 1
        self._at = at
        self._low = edges[at - 1] if at else -inf
        self._high = edges[at] if at < len(edges) else inf


class Heap:
    """One histogram of whole numbers while it is counted; as `Spread`."""

    __slots__ = ("_at", "_edges", "_high", "_low", "counts", "total")

    def __init__(self, edges: tuple[int, ...]) -> None:
        self._edges = edges
        self._at = 0
        self._low = self._high = 0
        self.counts = [0] * (len(edges) + 1)
        self.total = 0

    def add(self, value: int) -> None:
        """Counts one, which must be positive."""
        if not self._low < value <= self._high:
            self._seek(value)
        counts, at = self.counts, self._at
        counts[at] = counts[at] + 1
        self.total += value

    def _seek(self, value: int) -> None:
        edges, at = self._edges, self._at
        while at < len(edges) and value > edges[at]:
            at += 1
        while at > 0 and not edges[at - 1] < value:
            at -= 1
        self._at = at
        self._low = edges[at - 1] if at else 0
        self._high = edges[at] if at < len(edges) else 0


class Timing:
    """Histograms while they are counted."""

    __slots__ = ("duration", "labels", "tokens_in", "tokens_out", "tpot", "ttft")

    def __init__(self, labels: tuple[str, str, str, str, str]) -> None:
        self.labels = labels
        self.ttft = Spread(TTFT_EDGES)
        self.tpot = Spread(TPOT_EDGES)
        self.duration = Spread(TOTAL_EDGES)
        self.tokens_in = Heap(TOKEN_EDGES)
        self.tokens_out = Heap(TOKEN_EDGES)


class Tally:
    """Requests of one kind."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Slot:
    """Where a request with these labels is counted."""

    __slots__ = ("cell", "clean", "own", "reason", "tally", "timing", "took", "words")

    def __init__(
        self, words: tuple[object, ...], cell: Cell, timing: Timing, own: Spread, took: Spread, clean: dict[str, Tally]
    ) -> None:
        self.words = words
        """What a record says that is counted here, from `tenant` to `is_stream`."""
        self.cell = cell
        self.timing = timing
        self.own = own
        self.took = took
        """Of attempts that answered."""
        self.clean = clean
        """By reason: requests that one attempt answered."""
        self.reason = ""
        """That of the request counted last, and where it was counted."""
        self.tally = Tally()
