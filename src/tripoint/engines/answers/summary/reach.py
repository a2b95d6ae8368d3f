"""Which sites may each workload be at, and what closed the others? Gathered once: it is asked for each of thousands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.domain.fit import Refusal, RefusalReason
from tripoint.engines.placement.instance.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Sites by workload."""

    open_sites: tuple[frozenset[int], ...]
    """[workload] sites it may be at, as indices into `instance.sites`."""
    refusals: Mapping[str, tuple[Refusal, ...]]
    """[workload] what it was refused."""


def reach_of(instance: Instance) -> Reach:
    """The sites every workload may be at."""
    sites: list[set[int]] = [set() for _ in instance.estate.workloads]
    for lane in instance.lanes:
        sites[lane.workload].add(lane.site)
    refusals: dict[str, list[Refusal]] = {}
    for refusal in instance.refusals:
        refusals.setdefault(refusal.workload, []).append(refusal)
    return Reach(
        open_sites=tuple(frozenset(each) for each in sites),
        refusals={workload: tuple(each) for workload, each in refusals.items()},
    )


def why_out(instance: Instance, reach: Reach, number: int) -> str:
    """`the others are ruled out by residency and memory`."""
    return f"the others are ruled out by {causes(instance, reach, number)}"


def choice(instance: Instance, reach: Reach, number: int) -> str:
    """`residency left it 2 of 5 sites`; empty where every site is left."""
    total, left = len(instance.sites), len(reach.open_sites[number])
    return "" if left == total else f"{causes(instance, reach, number)} left it {left} of {total} sites"


def causes(instance: Instance, reach: Reach, number: int) -> str:
    """The two reasons that close most sites."""
    closed = {m.site.id for n, m in enumerate(instance.sites) if n not in reach.open_sites[number]}
    sites: dict[str, set[str]] = {}
    for refusal in reach.refusals.get(instance.estate.workloads[number].id, ()):
        if refusal.site in closed:
            sites.setdefault(_word(refusal.reason), set()).add(refusal.site)
    return " and ".join(sorted(sites, key=lambda word: (-len(sites[word]), word))[:2]) or "the fit"


def _word(cause: RefusalReason) -> str:
    words = {
        RefusalReason.CONFINED: "its own rules",
        RefusalReason.NO_THROUGHPUT: "missing speeds",
        RefusalReason.NO_PRICE: "missing prices",
        RefusalReason.TPOT: "time per token",
        RefusalReason.GANG: "gang size",
    }
    return words.get(cause, cause.value.replace("_", " "))
