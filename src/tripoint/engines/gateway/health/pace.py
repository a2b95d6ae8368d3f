"""How fast one model on one target answers, and how long it is therefore worth waiting for it."""

from __future__ import annotations

from typing import Final

from tripoint.engines.gateway.health.latency import LatencyWindow

ENOUGH: Final = 8.0
"""Samples from which on a quantile is believed."""
_ENOUGH_FOR_WAIT: Final = 20.0
"""Samples from which on giving up early is."""
_TIMES_SLOWEST: Final = 3.0
_SHORTEST_WAIT_S: Final = 1.0
_GAIN: Final = 0.05


class Pace:
    """Live measurement of a model on a target; streams and whole answers are different things and kept apart."""

    __slots__ = (
        "_same_until", "_seen", "hedge_s", "mean_in", "mean_out", "p50", "p95", "p99", "took_s", "tpot", "tpot_p50",
        "ttft", "use", "wait_s",
    )  # fmt: skip

    def __init__(self, now: float) -> None:
        self.ttft = LatencyWindow(now=now)
        self.tpot = LatencyWindow(now=now)
        self._seen = (-1, -1)
        self._same_until = now
        self.p50 = self.p95 = self.p99 = 0.0
        """Quantiles of the time to first byte as of the last look, s; 0 while not enough is known, as below."""
        self.tpot_p50 = 0.0
        self.hedge_s = 0.0
        """The quantile after which to ask elsewhere as well, s."""
        self.wait_s = 0.0
        """How long a typical request is waited for, s: three times the slowest percent, at least a second."""
        self.mean_in = self.mean_out = 0.0
        """Tokens of recent requests."""
        self.took_s = 0.0
        """Mean time a request holds its place, s; 0 before one has ended."""
        self.use = 0.0
        """Share of the target's places that was taken when the first bytes came."""

    def look(self, now: float, hedge_at: float) -> None:
        """Reads the quantiles anew where something changed; what is forgotten is unknown again."""
        ttft, tpot = self.ttft, self.tpot
        seen = (ttft.changes, tpot.changes)
        if seen == self._seen and now < self._same_until:
            return
        weight = ttft.weight(now)
        if weight < ENOUGH:
            if self.p99:  # the rest of what was must not colour what comes
                ttft.clear()
            self.p50 = self.p95 = self.p99 = self.hedge_s = 0.0
        elif seen[0] != self._seen[0] or self.p99 == 0.0:
            quantiles = ttft.quantiles(now, (0.5, 0.95, 0.99, hedge_at))
            self.p50, self.p95, self.p99 = quantiles[:3]
            self.hedge_s = quantiles[3] if hedge_at else 0.0
        self.wait_s = max(_SHORTEST_WAIT_S, _TIMES_SLOWEST * self.p99) if weight >= _ENOUGH_FOR_WAIT else 0.0
        if tpot.weight(now) < ENOUGH:
            if self.tpot_p50:
                tpot.clear()
            self.tpot_p50 = 0.0
        elif seen[1] != self._seen[1] or self.tpot_p50 == 0.0:
            self.tpot_p50 = tpot.quantile(now, 0.5)
        self._seen = seen
        self._same_until = min(ttft.turn_at, tpot.turn_at)

    def ended(self, took_s: float, tokens_in: int, tokens_out: int) -> None:
        """Notes a request that ended well."""
        if self.took_s == 0.0:
            self.took_s, self.mean_in, self.mean_out = took_s, float(tokens_in), float(tokens_out)
            return
        self.took_s += (took_s - self.took_s) * _GAIN
        self.mean_in += (tokens_in - self.mean_in) * _GAIN
        self.mean_out += (tokens_out - self.mean_out) * _GAIN

    def patience_s(self, tokens_in: int, tokens_out: int) -> float:
        """How long a request of that size is worth waiting for, s; 0 while not known.

        Longer than usual in the proportion in which it is larger than usual; `tokens_out` is 0 where the first byte
        does not wait for the output.
        """
        scale = 1.0
        if tokens_in > self.mean_in > 0.0:
            scale = tokens_in / self.mean_in
        if tokens_out > self.mean_out * scale and self.mean_out > 0.0:
            scale = tokens_out / self.mean_out
        return self.wait_s * scale
