"""What is lost with a thing: what needs it, and what needs that, as the estate declares.

A thing is away while too little of what it needs is there, and what needs a dependency goes on for its `grace_hours`
without it. Trials follow this over time, an assessment at its end; single points are found by the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tripoint.domain.estate import Estate
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.facts.places import provider_of
from tripoint.engines.facts.shared import feeds_of, region_names, things_of

Stretch = tuple[float, float]
"""Begin and end, s; the end is infinite where nothing says when it ends."""
FOREVER: Stretch = (0.0, math.inf)
"""From the beginning on."""


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
    """What an estate's things need."""

    needing: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    """Thing -> rules of which it is a part; empty where no dependency is declared."""

    def away(self, lost: Mapping[str, Iterable[Stretch]]) -> Mapping[str, tuple[Stretch, ...]]:
        """When each thing is away, given what was lost and when; those that are never away are left out."""
        found = {name: joined(stretches) for name, stretches in lost.items()}
        changed = list(found)
        for name in changed:  # grows: what is away may take away more
            for rule in self.needing.get(name, ()):
                short = _short([found.get(part, ()) for part in rule.parts], rule.least)
                felt = [(begin + rule.grace_s, end) for begin, end in short if begin + rule.grace_s < end]
                before = found.get(rule.thing, ())
                if felt and (after := joined((*before, *felt))) != before:
                    found[rule.thing] = after
                    changed.append(rule.thing)
        return found

    def missed_by(self, thing: str, away: Iterable[str]) -> tuple[str, ...]:
        """What of the things that are away it needs itself."""
        needed = (part for part in away if any(rule.thing == thing for rule in self.needing.get(part, ())))
        return tuple(dict.fromkeys(needed))


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
    return _following(rules)


def structure_of(estate: Estate) -> Carrying:
    """The same without what is declared under `dependencies`: what lies in what, and over what."""
    return _following(_ground(estate))


def _following(rules: Iterable[Rule]) -> Carrying:
    needing: dict[str, list[Rule]] = {}
    for rule in rules:
        for part in rule.parts:
            needing.setdefault(part, []).append(rule)
    return Carrying(needing={part: tuple(found) for part, found in needing.items()})


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
