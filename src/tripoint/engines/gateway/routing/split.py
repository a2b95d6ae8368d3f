"""How one request is given its way among those that are ready: by turns, or by what its prompt begins with."""

from __future__ import annotations

from math import log
from typing import Final

from tripoint.engines.gateway.routing.flow import Flow, Way

BOUND: Final = 1.25
"""How far beyond its share a way may be loaded for the sake of affinity."""
_SLACK: Final = 8.0
_MAX_DRAWS: Final = 512
_MASK: Final = (1 << 64) - 1
_RANGE: Final = float((1 << 52) + 2)


def by_turns(ways: tuple[Way, ...]) -> Way | None:
    """Smooth weighted round robin: every way gains its share, the one furthest ahead serves and pays for all."""
    best: Way | None = None
    top = total = 0.0
    for way in ways:
        share = way.ready
        if share:
            turn = way.turn = way.turn + share
            total += share
            if best is None or turn > top:
                best, top = way, turn
    if best is not None:
        best.turn -= total
    return best


def by_prefix(ways: tuple[Way, ...], flow: Flow, prefix: int) -> Way | None:
    """Weighted rendezvous: the same beginning goes the same way in every worker, as long as that way's load is
    within `BOUND` of its share, both of requests at work and of recent ones; else to the next in its order.
    """
    total = 0.0
    for way in ways:
        total += way.ready
    first: Way | None = None
    best: Way | None = None
    top = leading = 0.0
    at_work, recent = flow.live + 1, flow.recent
    for way in ways:
        share = way.ready
        if share:
            score = (way.drawn if way.drawn_for == prefix else _drawn(way, prefix)) / share
            if first is None or score > leading:
                first, leading = way, score
            if best is None or score > top:
                part = BOUND * share / total
                if way.live < part * at_work + 1 and way.recent < part * recent + _SLACK:
                    best, top = way, score
    return best or first


def _drawn(way: Way, prefix: int) -> float:
    """Logarithm of a number between 0 and 1 that depends on the prefix and the way, and looks random."""
    drawn = way.draws.get(prefix)
    if drawn is None:
        if len(way.draws) >= _MAX_DRAWS:
            way.draws.clear()
        drawn = way.draws[prefix] = _draw(way, prefix)
    way.drawn_for, way.drawn = prefix, drawn
    return drawn


def _draw(way: Way, prefix: int) -> float:
    mixed = (prefix * 0x9E3779B97F4A7C15 ^ way.salt) & _MASK
    mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
    return log(((mixed >> 12) + 1) / _RANGE)
