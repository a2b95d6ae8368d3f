"""What each workload cannot lose, how often that happens, and what it costs in a year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tripoint.domain.cut import Cut, Member, Reliance, Spread
from tripoint.domain.dependency import DependencyKind
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.provenance import Figure
from tripoint.engines.resilience.cuts.derive.draft import Derived
from tripoint.engines.resilience.cuts.derive.estate import Wanted
from tripoint.engines.resilience.cuts.search import CutSets
from tripoint.engines.resilience.cuts.shares import lost_shares
from tripoint.engines.resilience.loss.draws import Draws, Floats, interval
from tripoint.engines.resilience.loss.frequency import Occurrence, felt, shortened, together

_BAD_YEAR = 95.0
_NEVER = float("inf")
_CLASSES: Mapping[DependencyKind, DisruptionClass] = MappingProxyType(
    {
        DependencyKind.FEED: DisruptionClass.POWER,
        DependencyKind.DOMAIN: DisruptionClass.SITE,
        DependencyKind.SITE: DisruptionClass.SITE,
        DependencyKind.REGION: DisruptionClass.REGION,
        DependencyKind.PROVIDER: DisruptionClass.PROVIDER,
        DependencyKind.API: DisruptionClass.PROVIDER,
        DependencyKind.NODE: DisruptionClass.NODE,
        DependencyKind.LINK: DisruptionClass.LINK,
        DependencyKind.CONDUIT: DisruptionClass.LINK,
        DependencyKind.DATASET: DisruptionClass.DATA,
    }
)
"""What the loss of a thing is a loss of; of others nothing takes over, so they last until repaired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yearly:
    """What a year is held against."""

    draws: Draws
    """Uncertain figures, draw by draw."""
    seed: int
    """Of the years drawn."""
    usd_per_hour: Mapping[str, float]
    """Workload -> loss of an hour in which nothing of it is served, USD; only of those somebody priced."""
    back_hours: Mapping[tuple[str, DisruptionClass], float]
    """Workload and loss -> hours until the rest has taken over; until repaired where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relied:
    """A workload's reliance with its uncertain hours, for sums over workloads."""

    reliance: Reliance
    """For people."""
    hours: Floats
    """[draw] expected hours per year, by share."""
    alone: Mapping[int, float]
    """Event -> share of what is served that it takes away alone."""


class _Set(NamedTuple):
    """A cut set with what it does once."""

    nodes: tuple[int, ...]
    instances: int
    lost_share: float
    is_beyond_capacity: bool
    grace_hours: float


def relied_on(
    derived: Derived, wanted: Sequence[Wanted], found: Sequence[CutSets], yearly: Yearly
) -> tuple[Relied, ...]:
    """[workload] reliances, in the order of `wanted`."""
    singles = [(event,) for event in derived.graph.events if derived.instances([event])]
    pairs = sorted({pair for each in found for pair in each.pairs if derived.instances(pair)})
    trials: list[tuple[int, ...]] = [*singles, *pairs]
    position = {nodes: number for number, nodes in enumerate(trials)}
    cuts = [[nodes for nodes in (*_alone(each), *each.pairs) if nodes in position] for each in found]
    asked = [[*range(len(singles)), *(position[nodes] for nodes in sets if len(nodes) > 1)] for sets in cuts]
    relied = []
    for want, sets, lost in zip(wanted, cuts, lost_shares(derived, trials, asked), strict=True):
        known = [_Set(nodes, derived.instances(nodes), *lost[position[nodes]]) for nodes in sets]
        alone = {nodes[0]: lost[position[nodes]].share for nodes in singles}
        relied.append(_reliance(derived, want, known, alone, yearly))
    return tuple(relied)


def _alone(found: CutSets) -> list[tuple[int, ...]]:
    return [(event,) for event in found.singles]


def _reliance(
    derived: Derived, want: Wanted, sets: Sequence[_Set], alone: Mapping[int, float], yearly: Yearly
) -> Relied:
    workload = str(want.served.workload.id)
    usd = yearly.usd_per_hour.get(workload)
    cuts = [_cut(derived, each, workload, usd, yearly) for each in sets]
    hours, bad = _years(derived, sets, workload, yearly)
    expected = Spread(value=sum(cut.hours_per_year for cut in cuts), low=interval(hours)[0], high=interval(hours)[1])
    largest = max(alone, key=lambda event: alone[event], default=None)
    is_any = largest is not None and alone[largest] > 0.0
    ordered = sorted(cuts, key=lambda cut: (-cut.hours_per_year, cut.members))
    reliance = Reliance(
        workload=workload,
        least_share=want.least_share,
        singles=tuple(cut for cut in ordered if len(cut.members) == 1),
        pairs=tuple(cut for cut in ordered if len(cut.members) > 1),
        hours_per_year=expected,
        p95_hours=bad,
        usd_per_year=None if usd is None else scaled(expected, usd),
        largest=derived.members[largest].id if largest is not None and is_any else "",
        largest_share=alone[largest] if largest is not None else 0.0,
    )
    return Relied(reliance=reliance, hours=hours, alone=alone)


def scaled(spread: Spread, factor: float) -> Spread:
    """A spread times a factor."""
    return Spread(value=spread.value * factor, low=spread.low * factor, high=spread.high * factor)


def _cut(derived: Derived, each: _Set, workload: str, usd: float | None, yearly: Yearly) -> Cut:
    members = [derived.members[node] for node in each.nodes]
    once = _occurrence(each, members, _back(each, members, workload, yearly), None)
    per_year, length = float(once.per_year[0]) * each.instances, float(once.hours[0])
    hours = per_year * length * each.lost_share
    return Cut(
        members=tuple(member.id for member in members),
        text=_together_text(members),
        instances=each.instances,
        lost_share=each.lost_share,
        per_year=per_year,
        hours=length,
        hours_per_year=hours,
        probability=-math.expm1(-per_year),
        usd_per_year=None if usd is None else hours * usd,
    )


def _together_text(members: Sequence[Member]) -> str:
    if len(members) == 2 and members[0].id == members[1].id:
        return members[0].text.replace("one of", "two of", 1)
    return " and ".join(member.text for member in members)


def _occurrence(each: _Set, members: Sequence[Member], back_hours: float, draws: Draws | None) -> Occurrence:
    """How often all of them are down together and it is felt: at the typical figures, or draw by draw."""
    alone = [Occurrence(_values(member.per_year, draws), _values(member.hours, draws)) for member in members]
    return shortened(felt(together(alone), each.grace_hours), back_hours)


def _values(figure: Figure, draws: Draws | None) -> Floats:
    return np.array([figure.value]) if draws is None else draws.of(figure)


def _back(each: _Set, members: Sequence[Member], workload: str, yearly: Yearly) -> float:
    """Hours until the rest has taken over; two losses at once, or of what is nowhere else, last until repaired."""
    if len(members) > 1 or each.is_beyond_capacity:
        return _NEVER
    lost = disruption_of(members[0].id)
    return _NEVER if lost is None else yearly.back_hours.get((workload, lost), _NEVER)


def disruption_of(member: str) -> DisruptionClass | None:
    """What the loss of a member is a loss of; `None` where nothing can take over."""
    return _CLASSES.get(DependencyKind(member.partition(":")[0]))


def _years(derived: Derived, sets: Sequence[_Set], workload: str, yearly: Yearly) -> tuple[Floats, float]:
    """[draw] expected hours per year by share, and the hours of a bad year, each draw one year.

    Sets of the same figures that take the same share come to one stream of outages: Poisson in number, exponential in
    length.
    """
    draws = yearly.draws
    streams: dict[tuple[object, ...], tuple[_Set, int]] = {}
    for each in sets:
        members = [derived.members[node] for node in each.nodes]
        back = _back(each, members, workload, yearly)
        figures = sorted((member.per_year.key, member.hours.key) for member in members)
        key = (*figures, each.lost_share, each.grace_hours, back)
        streams[key] = (each, streams[key][1] + each.instances if key in streams else each.instances)
    expected = np.zeros(draws.count)
    happened = np.zeros(draws.count)
    rng = np.random.Generator(np.random.Philox(key=[yearly.seed, 1 << 32]))
    for each, instances in streams.values():
        members = [derived.members[node] for node in each.nodes]
        once = _occurrence(each, members, _back(each, members, workload, yearly), draws)
        expected += once.hours_per_year * instances * each.lost_share
        number = rng.poisson(once.per_year * instances)
        happened += rng.standard_gamma(number) * once.hours * each.lost_share
    return expected, float(np.percentile(happened, _BAD_YEAR))
