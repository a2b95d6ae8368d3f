"""A firm way against all elastic ways of one workload: what each costs at a demand, and where they meet.

The firm way holds whole nodes (one per identical site) and rents elastically what they cannot carry. Per month, over
stretches b of h hours in which n_b firm nodes would be occupied, a_b node-hours of them under load, and an elastic way
costs E_b,

    elastic(x) = min over elastic ways of sum of E_b
    firm_k(x)  = k F + min over elastic ways of sum of [a_b busy c_b + E_b (1 - c_b)],  c_b = min(1, k / n_b)

so both are the same at k = 0. The threshold is where the first lot begins to pay, firm_1 <= elastic: below today's
demand where it pays today, else the first one above it. Where demand is flat and no replicas are held, that is the
textbook F / ((e - busy) H) of a node's month.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from tripoint.domain.fit import Fit
from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.answers.breakeven.appetite import Appetite
from tripoint.engines.answers.breakeven.lines import Bend, Lines, node_bends, rent_bends
from tripoint.engines.costing.breakeven.threshold import Range, Threshold, break_even

_FIRST, _LAST, _STEP = 1e-5, 1e3, 1.25
_PROBES = tuple(10.0**decade for decade in range(-3, 4))


class End(Enum):
    """Where in their ranges prices are taken: as used, favouring firm nodes, favouring elastic ones."""

    USED = ("value", "value")
    FIRM = ("low", "high")
    ELASTIC = ("high", "low")

    def firm(self, price: Range) -> float:
        """A firm price at this end."""
        return float(getattr(price, self.value[0]))

    def rent(self, price: Range) -> float:
        """An elastic price at this end."""
        return float(getattr(price, self.value[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A firm way."""

    label: str
    """`colo-ams/dgx-h100 owned`."""
    option: str
    """`owned`, `held`, `committed 3y`."""
    site: str
    """Where."""
    fit: Fit
    """What the workload needs there."""
    lot: int
    """Nodes bought at once: one in each identical site."""
    month_usd: Range
    """One node for an idle month, USD."""
    busy_hour_usd: Range
    """One node-hour under load on top of it, USD."""

    def occupied_hour_usd(self, asked: Appetite) -> Range:
        """One occupied node-hour on top of the month: it is under load for part of it where capacity follows peaks."""
        return self.busy_hour_usd.scaled(asked.busy_share(self.fit))

    def usd_per_mtok(self, asked: Appetite) -> float:
        """A million tokens on a node that is always full, USD."""
        hour = self.month_usd.value / HOURS_PER_MONTH + self.occupied_hour_usd(asked).value
        return hour * asked.node_hours_per_mtok(self.fit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elastic:
    """An elastic way: nodes by the hour, or tokens."""

    label: str
    """`cloud-fra/p5.48xlarge on_demand`."""
    option: str
    """`on_demand`, `spot` or `per_token`."""
    site: str
    """Where."""
    fit: Fit
    """What the workload needs there."""
    usd: Range
    """A node-hour, or a million tokens, USD."""

    def usd_per_mtok(self, asked: Appetite) -> Range:
        """A further million tokens, USD."""
        return self.usd if self.fit.is_api else self.usd.scaled(asked.node_hours_per_mtok(self.fit))

    def bends(self, asked: Appetite, end: End) -> tuple[Bend, ...]:
        """[stretch] USD per month of all work, over demand."""
        return rent_bends(asked, self.fit, end.rent(self.usd))

    def cost(self, asked: Appetite, mtok: float) -> float:
        """All work bought here, USD per month."""
        return sum(bend.at(mtok) for bend in self.bends(asked, End.USED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One firm way, the elastic ways it must beat, and the demand they compete for."""

    firm: Firm
    """Holding."""
    elastics: tuple[Elastic, ...]
    """Renting."""
    appetite: Appetite
    """Demand."""

    def lines(self, end: End) -> Lines:
        """What both sides cost over demand."""
        return self._lines(end, tuple(way.bends(self.appetite, end) for way in self.elastics))

    def _lines(self, end: End, rents: tuple[tuple[Bend, ...], ...]) -> Lines:
        firm, asked = self.firm, self.appetite
        busy_usd = end.firm(firm.busy_hour_usd)
        return Lines(
            lot=float(firm.lot),
            month_usd=end.firm(firm.month_usd),
            nodes=node_bends(asked, firm.fit),
            busy_usd=tuple(hours * busy_usd for hours in asked.busy_hours(firm.fit, 1.0)),
            rents=rents,
        )

    def rival(self, mtok: float) -> Elastic:
        """The elastic way that is cheapest at a demand."""
        return min(self.elastics, key=lambda way: (way.cost(self.appetite, mtok), way.label))

    def node_hour(self, rival: Elastic) -> Range:
        """Elastic cost of the work a full firm node does in an hour, USD."""
        hours = self.appetite.node_hours_per_mtok(self.firm.fit)
        return rival.usd_per_mtok(self.appetite).scaled(1.0 / hours if hours > 0 else 0.0)

    def utilisation(self, rival: Elastic) -> Threshold:
        """Use of a firm node above which it is cheaper than the same work bought from the rival."""
        busy = self.firm.occupied_hour_usd(self.appetite)
        return break_even(self.firm.month_usd, self.node_hour(rival), HOURS_PER_MONTH, busy)

    def demand(self) -> Range:
        """Demand from which the first firm node pays, million tokens per month; infinite where it never does."""
        return Range(value=self.least(End.USED), low=self.least(End.FIRM), high=self.least(End.ELASTIC))

    def elastic_cost(self, mtok: float) -> float:
        """All work bought elastically, USD per month."""
        return self.lines(End.USED).elastic(mtok)

    def firm_cost(self, mtok: float, lots: int) -> float:
        """So many lots of firm nodes and the rest bought elastically, USD per month."""
        return self.lines(End.USED).firm(mtok, lots)

    def best_firm_cost(self, mtok: float) -> float:
        """The cheapest number of firm nodes, at least one lot, and the rest elastic, USD per month."""
        return self.lines(End.USED).best(mtok)

    def pays(self, mtok: float, end: End = End.USED) -> bool:
        """Whether the first lot saves money at a demand."""
        return self.lines(end).saved(mtok) >= 0.0

    def least(self, end: End) -> float:
        """Demand from which the first lot pays: scanned down from today's demand if it pays today, else upwards."""
        hours = self.appetite.node_hours_per_mtok(self.firm.fit)
        if hours <= 0:
            return math.inf
        full = self.firm.lot * HOURS_PER_MONTH / hours
        now = self.appetite.mtok
        lines = self.lines(end)
        if lines.saved(now) >= 0.0:
            first, above = _FIRST * min(full, now), now
            while above > first:
                below = above / _STEP
                if lines.saved(below) < 0.0:
                    return lines.meet(below, above)
                above = below
            return 0.0
        last, below = _LAST * max(full, now), now
        while below < last:
            above = below * _STEP
            if lines.saved(above) >= 0.0:
                return lines.meet(below, above)
            below = above
        return math.inf


def contests(firms: Iterable[Firm], elastics: Iterable[Elastic], asked: Appetite) -> tuple[Contest, ...]:
    """Each firm way against every elastic way worth having, the one to name first.

    That is the cheapest of those that pay at today's demand, else the one that pays first as demand grows, else the
    cheapest at full use.
    """
    rents = _worth_having(tuple(elastics), asked)
    found = [Contest(firm=firm, elastics=rents, appetite=asked) for firm in firms if rents]
    if not found:
        return ()
    bends = tuple(way.bends(asked, End.USED) for way in rents)
    lines = [(each, each._lines(End.USED, bends)) for each in found]
    near = {each.firm.label: each for each in (_best_at(lines, asked.mtok * probe) for probe in _PROBES)}
    cheapest = min(found, key=lambda each: (each.firm.usd_per_mtok(asked), each.firm.label))
    near[cheapest.firm.label] = cheapest
    first = min(near.values(), key=_rank)
    return (first, *(each for each in found if each is not first))


def _rank(each: Contest) -> tuple[float, float, float, str]:
    now, label = each.appetite.mtok, each.firm.label
    if each.pays(now):
        return (0.0, each.best_firm_cost(now), 0.0, label)
    return (1.0, each.least(End.USED), each.firm.usd_per_mtok(each.appetite), label)


def _worth_having(elastics: tuple[Elastic, ...], asked: Appetite) -> tuple[Elastic, ...]:
    """Those cheapest at some demand between a thousandth and a thousand times today's."""
    kept: dict[str, Elastic] = {}
    bends = [(way, way.bends(asked, End.USED)) for way in elastics]
    for probe in _PROBES if elastics else ():
        mtok = asked.mtok * probe
        best, _ = min(bends, key=lambda one: (sum(bend.at(mtok) for bend in one[1]), one[0].label))
        kept[best.label] = best
    return tuple(kept.values())


def _best_at(contests: list[tuple[Contest, Lines]], mtok: float) -> Contest:
    return min(contests, key=lambda each: (each[1].firm(mtok, 1), each[0].firm.label))[0]
