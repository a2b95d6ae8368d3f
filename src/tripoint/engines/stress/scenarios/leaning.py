"""What is lost with a thing: who needs it, and who needs those, as the estate declares.

The rules are those of `tripoint assess recovery`: a thing is away while too little of what it needs is there, and what
needs a dependency goes on for its `grace_hours` without it. Here they are followed over time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.dependency import Dependency
from tripoint.domain.estate import Estate
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.facts.places import provider_of
from tripoint.engines.facts.shared import feeds_of, region_names, things_of

SHARED = ("dns", "identity", "keys", "registry", "licence", "certificate", "control", "clock", "runner", "approver")
"""Services a strike on `dependants:...` may name: a kind of dependency, or the id of one."""
OUTRIGHT = (FaultKind.DOWN, FaultKind.HANG, FaultKind.LINK_DOWN)
"""Faults after which a thing is away, so that what needs it is as well."""
_MINUTES_PER_HOUR = 60.0

Stretch = tuple[float, float]
"""Begin and end, s; the end is infinite where nothing says when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A thing is away while fewer than `least` of its parts are there."""

    thing: str
    """Its name, as `needs` and `needed_by` use it."""
    parts: tuple[str, ...]
    """What it needs."""
    least: int
    """How many of them."""
    grace_s: float = 0.0
    """How long nobody misses it, s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """What an estate's things need, and which of them a trial can lose."""

    rules: tuple[Rule, ...] = ()
    """Empty where no dependency is declared."""
    struck: Mapping[str, FaultKind] | None = None
    """Site, link or workload -> the fault it suffers when it is away."""

    def away(self, lost: Mapping[str, Iterable[Stretch]]) -> Mapping[str, tuple[Stretch, ...]]:
        """When each thing is away, given what was lost and when; those that are never away are left out."""
        found = {name: joined(stretches) for name, stretches in lost.items()}
        asked = {part for rule in self.rules for part in rule.parts}
        is_settled = asked.isdisjoint(found)
        while not is_settled:
            is_settled = True
            for rule in self.rules:
                short = _short([found.get(part, ()) for part in rule.parts], rule.least)
                felt = [(begin + rule.grace_s, end) for begin, end in short if begin + rule.grace_s < end]
                before = found.get(rule.thing, ())
                if felt and (after := joined((*before, *felt))) != before:
                    found[rule.thing], is_settled = after, False
        return found

    def faults(self, lost: Mapping[str, Sequence[Stretch]]) -> list[Fault]:
        """What is away beside that which was lost, things of the same stretch in one fault."""
        if not self.rules or not lost:
            return []
        together: dict[tuple[FaultKind, Stretch], list[str]] = {}
        kinds = self.struck or {}
        for name, stretches in self.away(lost).items():
            own = joined(lost.get(name, ()))
            for stretch in stretches if name in kinds else ():
                if stretch not in own:
                    together.setdefault((kinds[name], stretch), []).append(name)
        return [
            Fault(kind=kind, on=tuple(names), at_s=begin, until_s=end)
            for (kind, (begin, end)), names in together.items()
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """What stops without one declared dependency."""

    id: str
    """Dependency id."""
    sites: tuple[str, ...]
    """Sites that stop."""
    workloads: tuple[str, ...]
    """Workloads that stop wherever they are."""
    at_once: tuple[str, ...]
    """Those of both that stop as soon as its own grace is over."""
    grace_minutes: float
    """How long they go on without it."""


def leaning_of(estate: Estate, carrying: Carrying) -> Mapping[str, tuple[Leaning, ...]]:
    """Shared service -> what leans on each dependency of that kind (or id), in the estate's order."""
    declared = {each.id: _lean(each, estate, carrying) for each in estate.dependencies}
    return {
        name: tuple(declared[each.id] for each in estate.dependencies if name in (each.kind, each.id))
        for name in dict.fromkeys((*SHARED, *declared))
    }


def _lean(first: Dependency, estate: Estate, carrying: Carrying) -> Leaning:
    away = carrying.away({first.id: ((0.0, math.inf),)})
    sites = tuple(str(site.id) for site in estate.sites if site.id in away)
    workloads = tuple(str(each.id) for each in estate.workloads if each.id in away)
    return Leaning(
        id=first.id,
        sites=sites,
        workloads=workloads,
        at_once=tuple(name for name in (*sites, *workloads) if away[name][0][0] <= 0.0),
        grace_minutes=first.grace_hours * _MINUTES_PER_HOUR,
    )


def carrying_of(estate: Estate, copies: Mapping[str, Sequence[str]]) -> Carrying:
    """What an estate's things need; `copies` are the sites with a copy of each dataset."""
    if not estate.dependencies:
        return Carrying()
    rules = [*_ground(estate), *(_any_of(name, sites) for name, sites in copies.items())]
    graces = {each.id: each.grace_hours * SECONDS_PER_HOUR for each in estate.dependencies}
    things = things_of(estate)
    for each in estate.dependencies:
        grace_s = graces[each.id]
        rules.append(Rule(thing=each.id, parts=each.needs, least=len(each.needs), grace_s=grace_s))
        if each.needs_any:
            rules.append(Rule(thing=each.id, parts=each.needs_any, least=each.at_least, grace_s=grace_s))
        for said in each.needed_by:
            for name in (node.partition(":")[2] for node in things.needing(said)):
                rules.append(Rule(thing=name, parts=(each.id,), least=1, grace_s=graces.get(name, 0.0)))
    down = (*(str(site.id) for site in estate.sites), *(str(each.id) for each in estate.workloads))
    struck = {**dict.fromkeys(down, FaultKind.DOWN), **{str(link.id): FaultKind.LINK_DOWN for link in estate.links}}
    return Carrying(rules=tuple(rule for rule in rules if rule.parts), struck=struck)


def _ground(estate: Estate) -> Iterable[Rule]:
    """What sites, their pools, regions and links need without a word."""
    for site in estate.sites:
        below = list(site.failure_domains)
        if site.kind.is_rented:
            below += region_names(site) or (provider_of(site),)
            yield from (Rule(thing=name, parts=(provider_of(site),), least=1) for name in region_names(site))
        yield Rule(thing=site.id, parts=tuple(below), least=len(below))
        feeds, least = feeds_of(site)
        yield Rule(thing=site.id, parts=feeds, least=least)
        for pool in site.pools or ():
            yield Rule(thing=f"{site.id}/{pool.node_type}", parts=(str(site.id),), least=1)
    for link in estate.links:
        yield Rule(thing=link.id, parts=tuple(link.conduits), least=len(link.conduits))


def _any_of(name: str, parts: Sequence[str]) -> Rule:
    return Rule(thing=name, parts=tuple(parts), least=1)


def _short(parts: Sequence[Sequence[Stretch]], least: int) -> tuple[Stretch, ...]:
    """When fewer than `least` of the parts are there, each part being away in stretches that do not touch."""
    edges = sorted(
        (at, step) for stretches in parts for begin, end in stretches for at, step in ((begin, 1), (end, -1))
    )
    spare, away, begin = len(parts) - least, 0, math.inf
    found: list[Stretch] = []
    for at, step in edges:
        was, away = away, away + step
        if was <= spare < away:
            begin = at
        elif away <= spare < was:
            found.append((begin, at))
    return joined(found)


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Stretches in order, one where they touch."""
    found: list[Stretch] = []
    for begin, end in sorted(stretches):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif end > begin:
            found.append((begin, end))
    return tuple(found)
