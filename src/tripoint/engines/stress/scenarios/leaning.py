"""Who cannot work without a thing that is struck: sites, links and workloads that need it, as the estate declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.dependency import Dependency
from tripoint.domain.estate import Estate
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.units import MINUTES_PER_HOUR
from tripoint.engines.resilience.capacity.carrying import FOREVER, Carrying, Stretch, joined

SHARED = ("dns", "identity", "keys", "registry", "licence", "certificate", "control", "clock", "runner", "approver")
"""Services a strike on `dependants:...` may name: a kind of dependency, or the id of one."""
OUTRIGHT = (FaultKind.DOWN, FaultKind.HANG, FaultKind.LINK_DOWN)
"""Faults after which a thing is away, so that what needs it is as well."""


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


def carried_faults(carrying: Carrying, estate: Estate, lost: Mapping[str, Sequence[Stretch]]) -> list[Fault]:
    """What is away beside that which was lost, things of the same stretch in one fault."""
    if not carrying.needing or not lost:
        return []
    away = carrying.away(lost)
    down = (*(str(site.id) for site in estate.sites), *(str(each.id) for each in estate.workloads))
    kinds = {**dict.fromkeys(down, FaultKind.DOWN), **{str(link.id): FaultKind.LINK_DOWN for link in estate.links}}
    together: dict[tuple[FaultKind, Stretch], list[str]] = {}
    for name in (each for each in kinds if each in away):
        own = joined(lost.get(name, ()))
        for stretch in away[name]:
            if stretch not in own:
                together.setdefault((kinds[name], stretch), []).append(name)
    return [
        Fault(kind=kind, on=tuple(names), at_s=begin, until_s=end) for (kind, (begin, end)), names in together.items()
    ]


def leaning_of(estate: Estate, carrying: Carrying) -> Mapping[str, tuple[Leaning, ...]]:
    """Shared service -> what leans on each dependency of that kind (or id), in the estate's order."""
    declared = {each.id: _lean(each, estate, carrying) for each in estate.dependencies}
    return {
        name: tuple(declared[each.id] for each in estate.dependencies if name in (each.kind, each.id))
        for name in dict.fromkeys((*SHARED, *declared))
    }


def _lean(first: Dependency, estate: Estate, carrying: Carrying) -> Leaning:
    away = carrying.away({first.id: (FOREVER,)})
    sites = tuple(str(site.id) for site in estate.sites if site.id in away)
    workloads = tuple(str(each.id) for each in estate.workloads if each.id in away)
    return Leaning(
        id=first.id,
        sites=sites,
        workloads=workloads,
        at_once=tuple(name for name in (*sites, *workloads) if away[name][0][0] <= 0.0),
        grace_minutes=first.grace_hours * MINUTES_PER_HOUR,
    )
