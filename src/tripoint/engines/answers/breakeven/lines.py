"""A contest in figures: what holding and renting cost a month at any demand, as bent lines worked out once.

In every stretch of hours nodes, and what they cost by the hour, are the larger of two lines over demand x:
`fixed + slope x` (replicas that always run, then what the rate needs) and `least x` (the utilisation cap). A threshold
asks for dozens of demands, thousands of workloads for one each, so that nothing is derived twice here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tripoint.domain.fit import Fit
from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.answers.breakeven.appetite import Appetite

_MOST_TRIED = 60
_MOST_CUTS = 60
_PATIENCE, _LONGER = 4, 8.0
_DIGITS = 4.0 * sys.float_info.epsilon


class Bend(NamedTuple):
    """The larger of two lines over demand in million tokens a month."""

    fixed: float
    """Of the first line, without demand."""
    slope: float
    """Of the first line, per million tokens a month."""
    least: float
    """Of the second line, which begins at 0, likewise."""

    def at(self, mtok: float) -> float:
        """Its height at a demand."""
        first, second = self.fixed + self.slope * mtok, self.least * mtok
        return first if first > second else second

    def times(self, factor: float) -> Bend:
        """Both lines times a factor of at least 0."""
        return Bend(self.fixed * factor, self.slope * factor, self.least * factor)


def node_bends(asked: Appetite, fit: Fit) -> tuple[Bend, ...]:
    """[stretch] nodes occupied, all identical sites together: `Appetite.nodes` as lines."""
    if not asked.is_waiting:
        return (Bend(0.0, fit.nodes_per_unit / HOURS_PER_MONTH, 0.0),) * len(asked.stretches)
    least = fit.busy_nodes_per_unit / asked.utilisation_cap
    return tuple(
        Bend(fit.fixed_nodes, fit.nodes_per_unit * each.rate_per_mtok, least * each.rate_per_mtok)
        for each in asked.stretches
    )


def rent_bends(asked: Appetite, fit: Fit, usd: float) -> tuple[Bend, ...]:
    """[stretch] USD per month of all work bought elastically at `usd` a node-hour, or a million tokens of an API."""
    if fit.is_api:
        return tuple(Bend(0.0, usd * each.volume, 0.0) for each in asked.stretches)
    nodes = node_bends(asked, fit)
    return tuple(bend.times(usd * each.hours) for bend, each in zip(nodes, asked.stretches, strict=True))


@dataclass(frozen=True, slots=True)
class Lines:
    """One firm way against elastic ones, at one end of their prices."""

    lot: float
    """Nodes held at once."""
    month_usd: float
    """One of them for an idle month, USD."""
    nodes: tuple[Bend, ...]
    """[stretch] nodes occupied."""
    busy_usd: tuple[float, ...]
    """[stretch] USD per million tokens a month for hours under load, were all of it on firm nodes."""
    rents: tuple[tuple[Bend, ...], ...]
    """[elastic way][stretch] USD per month of all work bought there."""

    def elastic(self, mtok: float) -> float:
        """All work bought where that is cheapest, USD per month."""
        return self._bought(mtok, (1.0,) * len(self.nodes))[0]

    def firm(self, mtok: float, lots: int) -> float:
        """So many lots held and the rest bought where that is cheapest, USD per month."""
        paid, left = self._held(mtok, lots)
        return paid + self._bought(mtok, left)[1]

    def saved(self, mtok: float) -> float:
        """What the first lot saves at a demand, USD per month; it pays from 0."""
        paid, left = self._held(mtok, 1)
        everything, rest = self._bought(mtok, left)
        return everything - (paid + rest)

    def _held(self, mtok: float, lots: int) -> tuple[float, list[float]]:
        """What so many lots cost with their hours under load, USD per month, and [stretch] the share they leave."""
        held = lots * self.lot
        busy, left = 0.0, []
        for (fixed, slope, least), usd in zip(self.nodes, self.busy_usd, strict=True):
            nodes, other = fixed + slope * mtok, least * mtok
            nodes = nodes if nodes > other else other
            covered = 1.0 if nodes <= held else held / nodes
            busy += usd * covered
            left.append(1.0 - covered)
        return held * self.month_usd + busy * mtok, left

    def _bought(self, mtok: float, left: Sequence[float]) -> tuple[float, float]:
        """All work, and the share of each stretch that is `left`, each where it is cheapest, USD per month."""
        everything = rest = math.inf
        for way in self.rents:
            whole = part = 0.0
            for (fixed, slope, least), share in zip(way, left, strict=True):
                usd, other = fixed + slope * mtok, least * mtok
                usd = usd if usd > other else other
                whole += usd
                part += usd * share
            everything = whole if whole < everything else everything
            rest = part if part < rest else rest
        return everything, rest

    def best(self, mtok: float) -> float:
        """The cheapest number of lots, at least one, and the rest elastic, USD per month."""
        most = max(1, math.ceil(max(bend.at(mtok) for bend in self.nodes) / self.lot))
        return min(self.firm(mtok, lots) for lots in range(1, most + 1, max(1, most // _MOST_TRIED)))

    def meet(self, below: float, above: float) -> float:
        """A demand that pays between one that does not and one that does, where one digit less does not pay.

        Regula falsi with the Illinois rule (Dowell and Jarratt 1971): a line through both ends says where they meet,
        and an end that stays twice counts half. Steps are a few last digits at least, more each time, so that the
        other end moves too; where it never does, as where both cost the same over a stretch, the bracket is halved.
        """
        low, high = self.saved(below), self.saved(above)
        moves = 0
        for _ in range(_MOST_CUTS):
            least, width = _DIGITS * above, above - below
            if width <= 2.0 * least:
                break
            step = min(least * _LONGER ** abs(moves), 0.5 * width)
            cut = above - (0.5 * width if abs(moves) > _PATIENCE else width * high / (high - low))
            cut = min(max(cut, below + step), above - step)
            saved = self.saved(cut)
            if saved >= 0.0:
                above, high, low = cut, saved, low / 2.0 if moves > 0 else low
                moves = max(moves, 0) + 1
            else:
                below, low, high = cut, saved, high / 2.0 if moves < 0 else high
                moves = min(moves, 0) - 1
        while below < (middle := (below + above) / 2.0) < above:
            below, above = (below, middle) if self.saved(middle) >= 0.0 else (middle, above)
        return above
