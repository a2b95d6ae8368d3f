"""The closed form as a place asks for it: once per request, with the sequences that are there when it begins."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTiming:
    """Time to first token and from there to the last, on replicas that share what runs at a place evenly.

    This is `pace.stay_of` for a request among others of the `typical` shape, as one expression, since a trial asks it
    for every request: iterations are as long as the others make them, and are interrupted by the others' prefills as
    often as those come while a typical request is there. Without a typical shape the others are like the request.
    """

    pace: Pace
    """Pace of one replica."""
    replicas: float
    """Replicas at the place."""
    cached_share: float = 0.0
    """Share of input tokens whose prefill is saved."""
    typical: Shape | None = None
    """Mean request of those it runs beside."""

    _known: tuple[float, ...] = field(init=False, repr=False, compare=False)
    """What does not change between requests, in the order in which `times` takes it."""

    def __post_init__(self) -> None:
        pace, shape = self.pace, self.typical or Shape(input_tokens=0.0, output_tokens=0.0)
        known = (
            1 / self.replicas,
            pace.prefill_s * (1 - self.cached_share),
            pace.overhead_s,
            pace.base_s,
            pace.sequence_s + pace.context_s * (shape.input_tokens + shape.output_tokens / 2),
            pace.prefill_s * shape.input_tokens * (1 - shape.cached_share),
            shape.output_tokens,
            -1.0 if pace.found_share is None else pace.found_share,
        )
        object.__setattr__(self, "_known", known)

    @property
    def slots(self) -> int:
        """Sequences all replicas run at once."""
        return max(int(self.replicas * self.pace.max_sequences), 1)

    def times(self, running: float, tokens_in: int, tokens_out: int) -> tuple[float, float]:
        """Seconds from begin to first token and from that to the last, `running` sequences sharing the place."""
        share, prefill_s, overhead, base, each, prefill, outputs, found = self._known
        beside = running * share
        if beside < 1.0:
            beside = 1.0
        own = prefill_s * tokens_in
        if self.typical is None:
            each += self.pace.context_s * (tokens_in + tokens_out / 2)
            prefill, outputs = own, tokens_out
        iteration = base + beside * each
        decode, others = outputs * iteration, prefill * (beside - 1.0)
        begun = overhead + own
        total = begun + (tokens_out * iteration * (1 + others / decode) if decode > 0 else others)
        if found >= 0.0:
            waiting = others * found
        else:
            whole, all_prefills = overhead + decode + prefill + others, prefill * beside
            waiting = all_prefills * prefill / (2 * (whole - all_prefills)) if all_prefills < whole else others
        first = begun + (waiting if waiting < others else others) + iteration / 2
        return (first, total - first) if first < total else (total, 0.0)

    def parts(self, running: float, tokens_in: int, tokens_out: int) -> tuple[float, float, float, float]:
        """Overhead, own prefill, half an iteration, and from the first token to the last, s, `running` sharing it."""
        share, prefill_s, overhead, base, each, prefill, outputs, _ = self._known
        beside = running * share
        if beside < 1.0:
            beside = 1.0
        own = prefill_s * tokens_in
        if self.typical is None:
            each += self.pace.context_s * (tokens_in + tokens_out / 2)
            prefill, outputs = own, tokens_out
        iteration = base + beside * each
        decode = outputs * iteration
        rest = tokens_out * iteration * (1 + prefill * (beside - 1.0) / decode) - iteration / 2 if decode > 0 else 0.0
        return overhead, own, iteration / 2, rest if rest > 0.0 else 0.0
