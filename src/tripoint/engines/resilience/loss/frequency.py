"""How often, and for how many hours a year, does a cut set take something down?

Failures and repairs are memoryless. A thing that fails l times a year for r hours each is down q = l r / 8760 of the
time. Two things that fail independently are down together q1 q2 of the time, and that begins l1 q2 + l2 q1 times a
year, for r1 r2 / (r1 + r2) hours each (Billinton and Allan, Reliability Evaluation of Engineering Systems, 1992,
chapter 11).
What is borne for g hours first leaves l exp(-g / r) failures that matter, each of mean length r as before.

Rates and lengths are arrays of one value per draw, so that one figure and thousands are the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tripoint.domain.units import HOURS_PER_YEAR
from tripoint.engines.resilience.loss.draws import Floats


class Occurrence(NamedTuple):
    """How often something happens and for how long, draw by draw."""

    per_year: Floats
    """[draw] expected times per year."""
    hours: Floats
    """[draw] mean length of one, hours."""

    @property
    def hours_per_year(self) -> Floats:
        """[draw] expected hours per year."""
        return self.per_year * self.hours


def felt(each: Occurrence, grace_hours: float) -> Occurrence:
    """Those that outlast what is borne; a length of 0 is no failure."""
    lasting = np.maximum(each.hours, 1e-12)
    return Occurrence(each.per_year * np.exp(-grace_hours / lasting), each.hours)


def together(members: Sequence[Occurrence]) -> Occurrence:
    """Times at which all of one or two things are down."""
    if len(members) == 1:
        return members[0]
    one, other = members
    first, second = _down_share(one), _down_share(other)
    per_year = one.per_year * second + other.per_year * first
    both = first * second * HOURS_PER_YEAR
    return Occurrence(per_year, np.divide(both, per_year, out=np.zeros_like(both), where=per_year > 0.0))


def shortened(each: Occurrence, within_hours: float) -> Occurrence:
    """The same where something else takes over after `within_hours`: the mean of the shorter of the two."""
    if np.isinf(within_hours):
        return each
    lasting = np.maximum(each.hours, 1e-12)
    return Occurrence(each.per_year, -each.hours * np.expm1(-within_hours / lasting))


def _down_share(each: Occurrence) -> Floats:
    return np.minimum(each.hours_per_year / HOURS_PER_YEAR, 1.0)
