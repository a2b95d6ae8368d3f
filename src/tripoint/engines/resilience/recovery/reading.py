"""Data that is only read: a workload waits for it where every copy went with the loss.

Capacity elsewhere is of no use until then: a store restores it, or the end of the loss brings it back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Part, Step, StoreAge, Term
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.domain.workload import Workload
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.resilience.capacity.losses import Loss, Stop
from tripoint.engines.resilience.capacity.sources import Asked, detect_term
from tripoint.engines.resilience.recovery.stores import Kept, copies_of

Copies = Mapping[str, frozenset[str]]
"""Dataset that is read -> sites with a copy."""


class Missing(NamedTuple):
    """What a workload reads and no copy is left of."""

    restored: tuple[str, ...]
    """Stores that bring it back."""
    lost: tuple[str, ...]
    """Datasets nothing brings back while the loss lasts."""


NOTHING = Missing((), ())
"""All that is read is there."""


def read_copies(instance: Instance, plan: Plan, period: int, stores: tuple[Kept, ...]) -> Copies:
    """Where everything that is read has a copy in the period; what nobody says a place of is left out."""
    read = {str(use.dataset) for workload in instance.estate.workloads for use in workload.reads}
    found: dict[str, frozenset[str]] = {}
    for dataset in instance.estate.datasets:
        if str(dataset.id) in read:
            stored = [site for kept in stores if kept.store.dataset == dataset.id for site in kept.store.sites]
            found[str(dataset.id)] = frozenset(map(str, (*copies_of(plan, dataset, period), *stored)))
    return {name: sites for name, sites in found.items() if sites}


def gone_copies(instance: Instance, copies: Copies, loss: Loss) -> frozenset[str]:
    """Datasets of which no usable copy is left."""
    if loss.disruption is DisruptionClass.DATA:
        return frozenset(copies)
    lost = {str(instance.sites[number].site.id) for number, part in loss.sites if part > 0.0}
    return frozenset(name for name, sites in copies.items() if sites <= lost)


def missing(
    gone: frozenset[str], stores: tuple[Kept, ...], restoring: Mapping[str, Term], workload: Workload
) -> Missing:
    """What of it a workload reads."""
    read = dict.fromkeys(str(use.dataset) for use in workload.reads if str(use.dataset) in gone)
    if not read:
        return NOTHING
    by_store = {kept.store.id: str(kept.store.dataset) for kept in stores if kept.store.id in restoring}
    restored = tuple(name for name, dataset in by_store.items() if dataset in read)
    back = {by_store[name] for name in restored}
    return Missing(restored, tuple(name for name in read if name not in back))


def never_back(dataset: str) -> StoreAge:
    """A dataset that is corrupted wherever it is."""
    return StoreAge(
        store=dataset, seconds=math.inf, source=TermSource.ASSUMED, as_of="", basis="read, and no snapshot is declared"
    )


def waiting(asked: Asked, steps: tuple[Step, ...], lost: tuple[str, ...]) -> tuple[Step, ...]:
    """Nothing serves before the loss is over and what is read is there again."""
    repair = _repair(asked)
    told = f"{repair.basis}; no copy is left of {', '.join(f'`{name}`' for name in lost)}"
    chain = (detect_term(asked), replace(repair, basis=told))
    at = sum(term.seconds for term in chain)
    return tuple(
        replace(step, at_s=at, how="repaired", terms=chain) if step.at_s < at else replace(step, how="repaired")
        for step in steps
    )


def stopped(asked: Asked, steps: tuple[Step, ...], stop: Stop) -> tuple[Step, ...]:
    """Nothing serves without what it needs, wherever it runs: not before the loss is over, less what is borne.

    The very steps where the loss is over before that is felt.
    """
    detect, repair = detect_term(asked), _repair(asked)
    if repair.seconds <= stop.grace_s:
        return steps
    borne = f", borne for {stop.grace_s / SECONDS_PER_HOUR:g} h" if stop.grace_s > 0.0 else ""
    felt = replace(
        repair,
        seconds=repair.seconds - stop.grace_s,
        low_s=max(0.0, repair.low_s - stop.grace_s),
        high_s=repair.high_s - stop.grace_s,
        basis=f"{repair.basis}; it needs {', '.join(f'`{name}`' for name in stop.needs)}{borne}",
    )
    chain = (detect, felt)
    at = sum(term.seconds for term in chain)
    return tuple(
        replace(step, at_s=at, how="repaired", terms=chain) if step.at_s < at else replace(step, how="repaired")
        for step in steps
    )


def _repair(asked: Asked) -> Term:
    """The end of the loss."""
    return asked.term(Part.REPAIR, f"repair.{asked.loss.disruption.timed_as.value}", "")
