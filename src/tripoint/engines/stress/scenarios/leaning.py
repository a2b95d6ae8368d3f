"""Who cannot work without a shared service: sites and workloads that lean on it, as the estate declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tripoint.domain.dependency import Dependency
from tripoint.domain.estate import Estate
from tripoint.domain.site import Site

SHARED = ("dns", "identity", "keys", "registry", "licence", "certificate", "control", "clock", "runner", "approver")
"""Services a strike on `dependants:...` may name: a kind of dependency, or the id of one."""
_EVERYBODY = "all"
_MINUTES_PER_HOUR = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """What stops without one shared service."""

    id: str
    """Dependency id."""
    sites: tuple[str, ...]
    """Sites that stop."""
    workloads: tuple[str, ...]
    """Workloads that stop wherever they are."""
    grace_minutes: float
    """How long they go on without it."""


def leaning_of(estate: Estate) -> Mapping[str, tuple[Leaning, ...]]:
    """Shared service -> what leans on each dependency of that kind (or id), in the estate's order."""
    declared = estate.dependencies
    return {
        name: tuple(_lean(each, declared, estate) for each in declared if name in (each.kind, each.id))
        for name in SHARED
    }


def _lean(first: Dependency, declared: Sequence[Dependency], estate: Estate) -> Leaning:
    """What stops with a dependency, those that need it in turn included."""
    failed = _failing(first, declared)
    named = {name for each in failed for name in each.needed_by}
    ids = {each.id for each in failed}
    return Leaning(
        id=first.id,
        sites=tuple(site.id for site in estate.sites if _names(site) & (named | ids)),
        workloads=tuple(each.id for each in estate.workloads if _EVERYBODY in named or each.id in named),
        grace_minutes=first.grace_hours * _MINUTES_PER_HOUR,
    )


def _failing(first: Dependency, declared: Sequence[Dependency]) -> tuple[Dependency, ...]:
    """The dependency and every one that cannot do without it."""
    failed = [first]
    for each in failed:
        failed += [
            other
            for other in declared
            if other not in failed and (each.id in other.needs or other.id in each.needed_by)
        ]
    return tuple(failed)


def _names(site: Site) -> set[str]:
    """Everything `needed_by` may call a site."""
    region = {f"{site.provider}:{site.region}"} if site.region else set()
    return {site.id, site.provider, str(site.kind), str(site.kind.layer), *site.failure_domains, *region}
