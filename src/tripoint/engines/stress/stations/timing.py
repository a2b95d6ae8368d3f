"""The closed form as a place asks for it: once per request, with the sequences that are there when it begins."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.engines.stress.stations.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTiming:
    """Time to first token and from there to the last, on replicas that share what runs at a place evenly.

    The others are taken to be like the request that is asked about. This is `pace.stay_of` with its names folded into
    one expression, since a trial asks it for every request.
    """

    pace: Pace
    """Pace of one replica."""
    replicas: float
    """Replicas at the place."""
    cached_share: float = 0.0
    """Share of input tokens whose prefill is saved."""

    @property
    def slots(self) -> int:
        """Sequences all replicas run at once."""
        return max(int(self.replicas * self.pace.max_sequences), 1)

    def times(self, running: float, tokens_in: int, tokens_out: int) -> tuple[float, float]:
        """Seconds from begin to first token and from that to the last, `running` sequences sharing the place."""
        pace = self.pace
        beside = running / self.replicas
        if beside < 1.0:
            beside = 1.0
        prefill = pace.prefill_s * tokens_in * (1 - self.cached_share)
        iteration = pace.base_s + beside * (pace.sequence_s + pace.context_s * (tokens_in + tokens_out / 2))
        total = pace.overhead_s + beside * prefill + tokens_out * iteration
        others = prefill * (beside - 1.0)
        if pace.found_share is not None:
            waiting = others * pace.found_share
        else:
            busy = prefill * beside / total if total > 0 else 0.0
            waiting = busy * prefill / (2 * (1 - busy)) if busy < 1.0 else others
        first = pace.overhead_s + prefill + (waiting if waiting < others else others) + iteration / 2
        return (first, total - first) if first < total else (total, 0.0)
