"""Values of a scenario's magnitudes: the usual ones, any position of the range, and many spread over all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tripoint.domain.scenario import CapacityTrace, Magnitude, Scenario, Strike
from tripoint.domain.units import SECONDS_PER_MINUTE
from tripoint.engines.stress.kernel.arithmetic import Floats, exponential, natural_log
from tripoint.engines.stress.kernel.streams import Streams

MINUTES = {"s": 1 / 60, "min": 1.0, "h": 60.0, "d": 1440.0}
"""Units of time a magnitude may have, in minutes."""
_WIDE = 4.0
"""Ranges whose ends differ by more than this factor are walked by ratio, others by difference."""


Values = Mapping[str, float]


def usual(scenario: Scenario) -> dict[str, float]:
    """The values of a plain run."""
    return {each.name: each.usual for each in scenario.magnitudes}


def at_position(magnitude: Magnitude, position: float) -> float:
    """The value at a position from 0 (mild) to 1 (severe); by ratio where the range is wide and positive."""
    low, high = magnitude.mild, magnitude.severe
    if position <= 0.0:
        return low
    if position >= 1.0:
        return high
    if low <= 0.0 or high <= 0.0 or max(low, high) / min(low, high) <= _WIDE:
        return low + (high - low) * position
    return float(exponential(_array(_log(low) + (_log(high) - _log(low)) * position))[0])


def position_of(magnitude: Magnitude, value: float) -> float:
    """The position of a value, from 0 (mild) to 1 (severe); 0 where the range is a point."""
    low, high = magnitude.mild, magnitude.severe
    if low == high:
        return 0.0
    if low <= 0.0 or high <= 0.0 or max(low, high) / min(low, high) <= _WIDE:
        share = (value - low) / (high - low)
    else:
        share = (_log(max(value, min(low, high))) - _log(low)) / (_log(high) - _log(low))
    return min(1.0, max(0.0, share))


def spread(magnitudes: Sequence[Magnitude], trials: int, draws: Streams, name: str) -> tuple[dict[str, float], ...]:
    """Values for so many trials: each magnitude takes each of `trials` equal parts of its range once (Latin hypercube).

    McKay, Beckman and Conover, Technometrics 1979: the parts are put in an order of their own for each magnitude, and
    the value lies by chance within its part.
    """
    columns: dict[str, list[float]] = {}
    for magnitude in magnitudes:
        stream = draws.named(f"spread/{name}/{magnitude.name}")
        keys = stream.uniforms(0, trials).tolist()
        within = stream.uniforms(trials, trials).tolist()
        order = sorted(range(trials), key=keys.__getitem__)
        columns[magnitude.name] = [
            at_position(magnitude, (part + inside) / trials) for part, inside in zip(order, within, strict=True)
        ]
    return tuple({name: values[number] for name, values in columns.items()} for number in range(trials))


def minutes_of(scenario: Scenario, said: float | str, values: Values) -> float:
    """A time of a strike in minutes: a number of minutes, or a magnitude in its own unit."""
    if not isinstance(said, str):
        return said
    magnitude = next(each for each in scenario.magnitudes if each.name == said)
    return values[said] * MINUTES.get(magnitude.unit, 1.0)


def size_of(said: float | str, values: Values) -> float:
    """A size of a strike: a number, or a magnitude."""
    return values[said] if isinstance(said, str) else said


def named_by(strike: Strike) -> tuple[tuple[str, str], ...]:
    """Fields of a strike that name a magnitude, with the name."""
    said = {
        "at": strike.at,
        "lasts": strike.lasts,
        "delay": strike.delay,
        "size": strike.size,
        "ramp": strike.ramp,
        "mtbf_hours": strike.mtbf_hours,
    }
    return tuple((field, name) for field, name in said.items() if isinstance(name, str))


def traces_of(strike: Strike) -> tuple[CapacityTrace, ...]:
    """What a strike follows: traces that were read, or the one that is written out."""
    if strike.traces or not strike.left:
        return strike.traces
    seconds = (strike.step_minutes * SECONDS_PER_MINUTE,) * len(strike.left)
    return (CapacityTrace(name="", seconds=seconds, left=strike.left),)


def _log(value: float) -> float:
    return float(natural_log(_array(value))[0])


def _array(value: float) -> Floats:
    return np.array([value])
