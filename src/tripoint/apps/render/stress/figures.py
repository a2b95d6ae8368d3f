"""How figures of trials read: shares, times, multiples, magnitudes with their units."""

from __future__ import annotations

import math

from tripoint.domain.scenario import Magnitude
from tripoint.domain.stress import Aim, Held

_NOTHING, _HALF = 1e-9, 0.5
_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86_400.0
_WORDS = {
    Aim.AVAILABILITY: "availability",
    Aim.TTFT: "first token in time",
    Aim.RTO: "recovery time",
    Aim.RPO: "recovery point",
    Aim.CAPACITY: "placed",
    Aim.COST: "cost",
    Aim.RESIDENCY: "residency",
}


def share(value: float) -> str:
    """A share as percent, with the digits that tell it from the whole: `99.97 %`, `100 %`; never rounded up to it."""
    if abs(value) < _NOTHING or abs(1.0 - value) < _NOTHING:
        return "100 %" if value > _HALF else "0 %"
    rest = min(abs(1.0 - value), abs(value))
    digits = 1 if rest >= 0.01 else 2 if rest >= 0.0005 else 3
    cut = math.floor(value * 100 * 10**digits) / 10**digits
    return f"{cut if _HALF < value < 1.0 else value * 100:.{digits}f} %"


def span(seconds: float) -> str:
    """A length of time: `0`, `12 s`, `3.5 min`, `8 h`, `2.1 d`."""
    for size, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "d"):
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds)} s" if seconds else "0"


def usd(value: float) -> str:
    """Money: `+12.3k`, `-450`, `0`."""
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:+,.1f}{suffix}"
    return f"{value:+,.0f}" if abs(value) >= 0.5 else "0"


def magnitude(knob: Magnitude, value: float) -> str:
    """A value of a knob with its unit: `2.5 h`, `30 %`, `3 times`."""
    return _told(knob, value, knob.unit)


def valued(knob: Magnitude, value: float) -> str:
    """A value with the name of its knob where the unit does not say it: `outage 2.5 h`, `3 times`."""
    told = magnitude(knob, value)
    return told if knob.name in knob.unit else f"{knob.name} {told}"


def magnitudes(knob: Magnitude) -> str:
    """The range of a knob, mild to severe, with its name where the unit does not say it: `outage 1 to 48 h`."""
    whole = f"{_told(knob, knob.mild, '')} to {magnitude(knob, knob.severe)}"
    return whole if knob.name in knob.unit else f"{knob.name} {whole}"


def aim(held: Held) -> str:
    """The objective, with what was asked and what was reached: `recovery time 12 min, asked 5 min`."""
    return f"{_WORDS[held.aim]} {_value(held, held.reached.worst)}, asked {_value(held, held.target)}"


def aim_name(kind: Aim) -> str:
    """The objective as people call it."""
    return _WORDS[kind]


def _value(held: Held, value: float) -> str:
    if held.aim in (Aim.AVAILABILITY, Aim.TTFT, Aim.CAPACITY):
        return share(value)
    if held.aim in (Aim.RTO, Aim.RPO):
        return span(value)
    return f"{value:.5g} times" if held.aim is Aim.COST else f"{value:,.0f} outside"


def aim_of(kind: Aim, workload: str) -> str:
    """What is asked of whom: `availability of chat`."""
    return f"placing {workload}" if kind is Aim.CAPACITY else f"{_WORDS[kind]} of {workload}"


def _told(knob: Magnitude, value: float, unit: str) -> str:
    if knob.unit == "share":
        return f"{_short(value * 100)} %"
    return f"{_short(value)} {unit}".rstrip()


def _short(value: float) -> str:
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.1f}"
