"""The pace of places from what was really answered there: the ledger's own times instead of the catalogue's.

How many requests were present with each is not recorded, but follows from when each began and how long it took:
the number present is a step function of time, and a request saw its mean over the request's life. Answers that saw
about as many, of about the same size, are one measurement (see `calibrate.py`).

Where the answers saw very different numbers, they give a pace of their own. Where they did not (a quiet week says
nothing about a full batch), they say how much slower or faster the place is than its figures, and the figures keep
their form.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from tripoint.domain.stress import Remeasured
from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.calibrate import Measured, calibrate, per_token_s
from tripoint.engines.stress.stations.pace import Pace, stay_of
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.world import Place, SteadyTiming, World

LEAST_ANSWERS = 50
"""Fewer answers of a model at a site say nothing."""
LEAST_IN_GROUP = 5
LEAST_SPREAD = 4.0
"""Most over least present from which answers give a pace of their own."""
MOST_ERROR = 0.3
"""Median relative error per token above which answers are not told by any pace."""
ROOT_HALF = 0.7071067811865476


class Answered(NamedTuple):
    """One answer, from when the place that gave it was asked."""

    began_s: float
    """When it was asked for, s."""
    first_token_s: float
    """From there to the first token, s."""
    per_token_s: float
    """Mean time per token after the first, s; 0 where it was not measured, so that it only counts as present."""
    total_s: float
    """From there to the last byte, s."""
    input_tokens: float
    """Input tokens that were not read from a cache."""
    output_tokens: float
    """Output tokens."""


class _Found(NamedTuple):
    """Times of a model at a site."""

    times: Pace | SteadyTiming
    is_own: bool
    ratio: float
    error: float


def remeasured(
    world: World, answers: Mapping[tuple[str, str], Sequence[Answered]]
) -> tuple[World, tuple[Remeasured, ...]]:
    """The world with times by what was answered, by (site, model), and how each was found; others stay.

    Replicas get a pace; where nobody knows what stands behind a place (token APIs), its steady times are replaced.
    """
    told: list[Remeasured] = []
    found: dict[tuple[str, str], _Found] = {}
    for key in sorted(answers):
        timed = [answer for answer in answers[key] if answer.per_token_s > 0]
        if len(timed) < LEAST_ANSWERS:
            continue
        replicas, listed = _standing(world, *key)
        if isinstance(listed, Pace):
            one = _paced(listed, measurements(answers[key], replicas))
        else:
            one = _steadied(listed, timed) if listed is not None else None
        if one is not None:
            found[key] = one
            told.append(
                Remeasured(
                    site=key[0], model=key[1], answers=len(timed), is_own=one.is_own, ratio=one.ratio, error=one.error
                )
            )
    places = tuple(_placed(world, place, found) for place in world.places)
    wide = world.wide and replace(world.wide, places=(*places, *world.wide.places[len(places) :]))
    return replace(world, places=places, wide=wide), tuple(told)


def measurements(answers: Sequence[Answered], replicas: float) -> list[Measured]:
    """Answers that saw about as many and were about as large, each group as one measurement."""
    groups: dict[tuple[int, int, int], list[tuple[float, Answered]]] = defaultdict(list)
    others = Shape(
        input_tokens=_mean([answer.input_tokens for answer in answers]),
        output_tokens=_mean([answer.output_tokens for answer in answers]),
    )
    for seen, answer in zip(present(answers), answers, strict=True):
        if answer.per_token_s <= 0:
            continue
        beside = max(seen / replicas, 1.0)
        key = (_half_octave(beside), _half_octave(answer.input_tokens), _half_octave(answer.output_tokens))
        groups[key].append((beside, answer))
    return [
        Measured(
            sequences=_mean([beside for beside, _ in group]),
            input_tokens=_mean([answer.input_tokens for _, answer in group]),
            output_tokens=_mean([answer.output_tokens for _, answer in group]),
            first_token_s=_mean([answer.first_token_s for _, answer in group]) or None,
            per_token_s=_mean([answer.per_token_s for _, answer in group]) or None,
            others=others,
        )
        for _, group in sorted(groups.items(), key=lambda item: item[0])
        if len(group) >= LEAST_IN_GROUP
    ]


def present(answers: Sequence[Answered]) -> list[float]:
    """Mean number of requests present over the life of each, itself included."""
    changes = sorted([(each.began_s, 1) for each in answers] + [(each.began_s + each.total_s, -1) for each in answers])
    times = [at for at, _ in changes]
    counts = list(accumulate(step for _, step in changes))
    areas = [0.0]
    for place in range(1, len(changes)):
        areas.append(areas[-1] + counts[place - 1] * (times[place] - times[place - 1]))
    first = {at: areas[place] for place, at in reversed(list(enumerate(times)))}
    return [
        max((first[each.began_s + each.total_s] - first[each.began_s]) / each.total_s, 1.0) if each.total_s > 0 else 1.0
        for each in answers
    ]


def _paced(listed: Pace, points: list[Measured]) -> _Found | None:
    """The pace that points give, their own or the listed one made slower; `None` without points."""
    timed = [(point, point.per_token_s) for point in points if point.per_token_s and point.output_tokens > 1]
    if not timed:
        return None
    ratio = _median([seconds / per_token_s(listed, point) for point, seconds in timed])
    spread = max(point.sequences for point, _ in timed) / min(point.sequences for point, _ in timed)
    own = calibrate([point for point, _ in timed], listed.max_sequences) if spread >= LEAST_SPREAD else None
    if own is not None and own.per_token_error <= MOST_ERROR and own.pace.sequence_s + own.pace.context_s > 0:
        return _Found(own.pace, True, ratio, own.per_token_error)
    scaled = listed.slower(ratio)
    return _Found(scaled, False, ratio, _median([abs(per_token_s(scaled, point) / s - 1) for point, s in timed]))


def _steadied(listed: SteadyTiming, timed: Sequence[Answered]) -> _Found:
    """Mean times, which do not depend on who else is there."""
    each = _mean([answer.per_token_s for answer in timed])
    new = SteadyTiming(first_s=_mean([answer.first_token_s for answer in timed]), in_s=0.0, out_s=each)
    error = _median([abs(each / answer.per_token_s - 1) for answer in timed])
    return _Found(new, True, each / listed.out_s if listed.out_s > 0 else math.inf, error)


def _placed(world: World, place: Place, found: Mapping[tuple[str, str], _Found]) -> Place:
    timings = dict(place.timings)
    rates = dict(place.rates)
    for model, timing in place.timings.items():
        new = found[place.site, model].times if (place.site, model) in found else None
        if isinstance(new, SteadyTiming) and isinstance(timing, SteadyTiming):
            timings[model] = new
        if not isinstance(new, Pace) or not isinstance(timing, BatchTiming):
            continue
        timings[model] = replace(timing, pace=new)
        for each in world.demanded:
            if each.model == model and each.workload in rates:
                shape = Shape(
                    input_tokens=each.tokens_in, output_tokens=each.tokens_out, cached_share=timing.cached_share
                )
                rates[each.workload] *= stay_of(new, shape).most_per_s / stay_of(timing.pace, shape).most_per_s
    return replace(place, timings=timings, rates=rates)


def _standing(world: World, site: str, model: str) -> tuple[float, Pace | SteadyTiming | None]:
    """Replicas of a model at a site over its places and their pace by the planner, or its steady times."""
    timings = [place.timings.get(model) for place in world.places if place.site == site]
    batches = [timing for timing in timings if isinstance(timing, BatchTiming)]
    if batches:
        return sum(timing.replicas for timing in batches), batches[0].pace
    return 0.0, next((timing for timing in timings if isinstance(timing, SteadyTiming)), None)


def _half_octave(value: float) -> int:
    """Which half of a doubling a size is in; found from its bits, so that it is the same on every machine."""
    mantissa, exponent = math.frexp(max(value, 1.0))
    return 2 * exponent + (mantissa >= ROOT_HALF)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
