"""How fast is a model on an accelerator, for requests of a given shape?

Model: accelerator-seconds per request = a x input x (1 - cached) + b x output, with a and b from the
catalogue's points of one configuration (model, accelerator, precision, scenario). Chat and RAG points of one
configuration are two shapes and give a and b exactly; a single shape is split by the default
`sizing.prefill_decode_ratio`, which says how many input tokens cost as much as one output token. A point's
latency bounds (TTFT, TPOT) come with it: a speed measured while tokens may take 200 ms says nothing about 50
ms. A model the catalogue does not know is placed between the two nearest known ones on the same accelerator
and precision family, log-log in active parameters, and refused outside that range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog, ThroughputPoint
from tripoint.domain.provenance import Confidence, Origin, Provenance
from tripoint.engines.facts.grades import at_best, merged, origin_of
from tripoint.engines.sizing.speed.memory import FAMILIES, ModelSize, canonical

INTERACTIVE = ("server", "interactive", "chat", "rag")
SLO_BOUNDED = ("chat", "rag")
MODELLED_SOURCE = "aic-model"
SAME_SHAPE = 1.0
"""Determinant (tokens squared) below which two shapes are the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Tokens of a mean request."""

    input_tokens: float
    """Input tokens that must be computed or read from a cache."""
    output_tokens: float
    """Output tokens."""
    cached_share: float = 0.0
    """Share of input tokens whose prefill is saved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Service-time model of one configuration."""

    model: str
    """Catalogue model, or both neighbours of an interpolated one."""
    precision: str
    """Weight precision."""
    scenario: str
    """Scenario of the points, `chat+rag` for both."""
    prefill_s: float
    """Accelerator-seconds per input token (a)."""
    decode_s: float
    """Accelerator-seconds per output token (b)."""
    ttft_ms: float | None
    """Time to first token at the points or their bound, ms; `None` when not stated."""
    tpot_ms: float | None
    """Time per output token at the points or their bound, ms; `None` when not stated."""
    gpus_per_replica: int | None
    """Tensor parallel width of the points."""
    range_share: tuple[float, float] | None
    """Low and high of the points relative to the value used."""
    provenance: Provenance
    """Source."""
    note: str
    """How a and b were found."""
    quoted: float
    """Tokens per second and accelerator of the (first) point, as the catalogue has it."""
    is_split: bool = False
    """True when one shape was split by the default ratio."""

    @property
    def origin(self) -> Origin:
        """Catalogue row of somebody else, or an estimate of ours."""
        return origin_of(self.provenance)

    @property
    def is_modelled(self) -> bool:
        """True for speeds of a performance model rather than a measurement."""
        return MODELLED_SOURCE in self.provenance.source

    def gpu_seconds(self, shape: Shape) -> float:
        """Accelerator-seconds of one request."""
        computed = shape.input_tokens * (1 - shape.cached_share)
        return self.prefill_s * computed + self.decode_s * shape.output_tokens

    def tokens_per_s_per_gpu(self, shape: Shape) -> float:
        """Output tokens (input tokens where there is no output) per second and accelerator."""
        seconds = self.gpu_seconds(shape)
        return (shape.output_tokens or shape.input_tokens) / seconds if seconds > 0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSpeed:
    """Why no service-time model could be made."""

    text: str
    """The range that is known."""
    actual: float | None = None
    """Active parameters asked for, billions."""
    limit: float | None = None
    """Nearest known, billions."""


def speeds_of(
    catalog: Catalog, size: ModelSize, accelerator: str, ratio: float, precisions: Sequence[str] | None
) -> tuple[Speed, ...] | NoSpeed:
    """All configurations of a model on an accelerator at the accepted precisions, in catalogue order."""
    measured = [point for point in catalog.throughput if point.model == size.known_as]
    on_it = [point for point in catalog.throughput if point.accelerator == accelerator]
    if measured:
        own = [point for point in measured if point.accelerator == accelerator]
        found = tuple(s for s in fitted_speeds(own, ratio) if _is_accepted(s.precision, precisions))
        return found or _not_measured(size, accelerator, measured, precisions)
    return _interpolated(catalog, size, accelerator, on_it, ratio, precisions)


def fitted_speeds(points: Iterable[ThroughputPoint], ratio: float) -> list[Speed]:
    """One speed per configuration; chat and RAG points of a precision are one configuration."""
    groups: dict[tuple[str, str, str], list[ThroughputPoint]] = {}
    for point in points:
        family = "+".join(SLO_BOUNDED) if point.scenario in SLO_BOUNDED else point.scenario
        groups.setdefault((point.model, canonical(point.precision), family), []).append(point)
    return [_fitted(scenario, group, ratio) for (_, _, scenario), group in groups.items()]


def _fitted(scenario: str, points: list[ThroughputPoint], ratio: float) -> Speed:
    exact = _from_two_shapes(points)
    prefill, decode, note = exact or _split(points, ratio)
    return Speed(
        model=points[0].model,
        precision=points[0].precision,
        scenario=scenario,
        prefill_s=prefill,
        decode_s=decode,
        ttft_ms=max((p.ttft_ms for p in points if p.ttft_ms is not None), default=None),
        tpot_ms=max((p.tpot_ms for p in points if p.tpot_ms is not None), default=None),
        gpus_per_replica=max((p.gpus_per_replica for p in points if p.gpus_per_replica), default=None),
        range_share=_range_of(points),
        provenance=merged((p.provenance for p in points), grade=Confidence.MEASURED) or points[0].provenance,
        note=note,
        quoted=points[0].tokens_per_s_per_gpu,
        is_split=exact is None and decode > 0,
    )


def _from_two_shapes(points: list[ThroughputPoint]) -> tuple[float, float, str] | None:
    """a and b by Cramer's rule; `None` for one shape, parallel shapes, or shapes no positive a and b explain."""
    one, two = points[0], points[-1]
    determinant = one.input_tokens * two.output_tokens - two.input_tokens * one.output_tokens
    if abs(determinant) < SAME_SHAPE:
        return None
    left, right = _seconds(one), _seconds(two)
    prefill = (left * two.output_tokens - right * one.output_tokens) / determinant
    decode = (one.input_tokens * right - two.input_tokens * left) / determinant
    if prefill <= 0 or decode <= 0:
        return None
    return prefill, decode, f"two shapes: {_shape_text(one)} and {_shape_text(two)}"


def _split(points: list[ThroughputPoint], ratio: float) -> tuple[float, float, str]:
    """a and b when `ratio` input tokens cost as much as an output token; the slowest point, to overestimate none."""
    splits = [(_seconds(p) / (p.input_tokens / ratio + p.output_tokens), p) for p in points]
    decode, slowest = max(splits, key=lambda pair: pair[0])
    if slowest.output_tokens == 0:
        return _seconds(slowest) / slowest.input_tokens, 0.0, f"one shape: {_shape_text(slowest)}"
    note = f"one shape, {_shape_text(slowest)}, split at {ratio:g} input tokens per output token"
    return decode / ratio, decode, note


def _seconds(point: ThroughputPoint) -> float:
    """Accelerator-seconds of one request of the point's shape."""
    return (point.output_tokens or point.input_tokens) / point.tokens_per_s_per_gpu


def _shape_text(point: ThroughputPoint) -> str:
    return f"{point.input_tokens:g} in / {point.output_tokens:g} out"


def _range_of(points: list[ThroughputPoint]) -> tuple[float, float] | None:
    lows = [p.low / p.tokens_per_s_per_gpu for p in points if p.low is not None]
    highs = [p.high / p.tokens_per_s_per_gpu for p in points if p.high is not None]
    return (min(lows), max(highs)) if lows and highs else None


def _is_accepted(precision: str, accepted: Sequence[str] | None) -> bool:
    return accepted is None or canonical(precision) in {canonical(name) for name in accepted}


def _not_measured(
    size: ModelSize, accelerator: str, measured: list[ThroughputPoint], precisions: Sequence[str] | None
) -> NoSpeed:
    known = sorted({f"{p.accelerator} ({canonical(p.precision)})" for p in measured})
    wanted = f" at {' or '.join(precisions)}" if precisions else ""
    text = (
        f"no throughput figure for `{size.known_as}` on {accelerator}{wanted}; the catalogue has it on "
        f"{', '.join(known)}; name a measured model with `like` or accept a measured precision"
    )
    return NoSpeed(text=text)


def _interpolated(
    catalog: Catalog,
    size: ModelSize,
    accelerator: str,
    points: list[ThroughputPoint],
    ratio: float,
    precisions: Sequence[str] | None,
) -> tuple[Speed, ...] | NoSpeed:
    """Speeds between the nearest smaller and larger known model, per precision family and scenario."""
    active = {model.id: model.active_parameters_b for model in catalog.models}
    is_embedding = {point.model: point.output_tokens == 0 for point in points}
    found: dict[tuple[str, str], list[tuple[float, Speed]]] = {}
    for speed in fitted_speeds(points, ratio):
        if speed.model in active and _is_accepted(speed.precision, precisions):
            kind = f"{speed.scenario}/{'embedding' if is_embedding[speed.model] else 'text'}"
            key = (FAMILIES.get(canonical(speed.precision), speed.precision), kind)
            found.setdefault(key, []).append((active[speed.model], speed))
    wanted = size.active_parameters_b
    between = [_between(sorted(known, key=lambda pair: pair[0]), wanted) for known in found.values()]
    speeds = tuple(speed for speed in between if speed is not None)
    return speeds or _outside(size, accelerator, [b for known in found.values() for b, _ in known])


def _between(known: list[tuple[float, Speed]], wanted: float) -> Speed | None:
    below = [pair for pair in known if pair[0] <= wanted]
    above = [pair for pair in known if pair[0] >= wanted]
    if not below or not above:
        return None
    (small_b, small), (large_b, large) = below[-1], above[0]
    weight = 0.0 if large_b == small_b else math.log(wanted / small_b) / math.log(large_b / small_b)
    merged_source = merged((small.provenance, large.provenance), grade=Confidence.ESTIMATE) or small.provenance
    return Speed(
        model=f"{small.model}..{large.model}",
        precision=large.precision,
        scenario=small.scenario,
        prefill_s=_geometric(small.prefill_s, large.prefill_s, weight),
        decode_s=_geometric(small.decode_s, large.decode_s, weight),
        ttft_ms=_slower(small.ttft_ms, large.ttft_ms),
        tpot_ms=_slower(small.tpot_ms, large.tpot_ms),
        gpus_per_replica=None,
        range_share=None,
        provenance=at_best(merged_source, Confidence.ESTIMATE),
        note=(
            f"interpolated at {wanted:g} billion active parameters between `{small.model}` ({small_b:g}) and "
            f"`{large.model}` ({large_b:g})"
        ),
        quoted=_geometric(small.quoted, large.quoted, weight),
        is_split=small.is_split or large.is_split,
    )


def _geometric(small: float, large: float, weight: float) -> float:
    """Log-log interpolation; both zero (no decode in an embedding model) stays zero."""
    if small <= 0 or large <= 0:
        return small + (large - small) * weight
    return math.exp(math.log(small) * (1 - weight) + math.log(large) * weight)


def _slower(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else max(one, two)


def _outside(size: ModelSize, accelerator: str, known: list[float]) -> NoSpeed:
    if not known:
        text = f"the catalogue has no throughput on {accelerator} at an accepted precision for any model"
        return NoSpeed(text=f"{text}; name a measured model with `like` or use another accelerator")
    nearest = min(known, key=lambda billions: abs(math.log(billions / size.active_parameters_b)))
    text = (
        f"`{size.name}` has {size.active_parameters_b:g} billion active parameters; on {accelerator} the catalogue "
        f"knows {min(known):g} to {max(known):g} billion"
    )
    if min(known) <= size.active_parameters_b <= max(known):
        text += ", though none on either side of it at one precision and in one scenario"
    text += "; name a measured model with `like`"
    return NoSpeed(text=text, actual=size.active_parameters_b, limit=nearest)
