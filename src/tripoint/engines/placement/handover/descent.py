"""A good choice of places to begin from: one stage after the other goes where it is cheapest, until none gains."""

from __future__ import annotations

import numpy as np

from tripoint.engines.placement.handover.problem import Handovers, account
from tripoint.engines.placement.milp.program import IntArray

_SWEEPS = 10
_GAIN = 1e-9


def first_choice(problem: Handovers) -> IntArray:
    """[stages] the better of two descents: from each stage's cheapest place, and from as few places as may be."""
    found = (descended(problem, start) for start in (cheapest(problem), _together(problem)))
    return min(found, key=lambda at: account(problem, at).usd)


def descended(problem: Handovers, at: IntArray) -> IntArray:
    """The same or cheaper: no stage alone gains by another place."""
    best, usd = at.copy(), account(problem, at).usd
    for _ in range(_SWEEPS):
        before = usd
        for stage, allowed in enumerate(problem.may()):
            for place in np.flatnonzero(allowed):
                other = best.copy()
                other[stage] = place
                cost = account(problem, other).usd
                if cost < usd - _GAIN:
                    best, usd = other, cost
        if usd >= before - _GAIN:
            break
    return best


def cheapest(problem: Handovers) -> IntArray:
    """[stages] each at its cheapest place, whatever is moved."""
    return np.asarray(problem.usd.argmin(axis=1), dtype=np.int32)


def _together(problem: Handovers) -> IntArray:
    """Each stage at the place most stages may be at, of those it may be at; the cheaper of equals."""
    may = problem.may()
    liked = np.where(may, may.sum(axis=0)[None, :], -1)
    ranked = np.lexsort((np.where(may, problem.usd, np.inf), -liked), axis=1)
    return np.asarray(ranked[:, 0], dtype=np.int32)
