"""Classes of resilience: the same estate asking that less, or more, survives the loss of a site.

Each class asks all that a lower one does, so that cost never falls from class to class: nothing survives; what the
estate asks; besides, every interactive workload that has a place outside any one site and failure domain survives on
cold standby, on warm, on hot.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from tripoint.domain.estate import Estate
from tripoint.domain.workload import Standby, Workload
from tripoint.engines.placement.columns.serving import mode_of
from tripoint.engines.placement.families.caps import contingencies
from tripoint.engines.placement.instance.instance import Instance, LaneKind

_ORDER = (Standby.NONE, Standby.COLD, Standby.WARM, Standby.HOT)
_LABELS = {
    Standby.COLD: "cold: all survive on capacity rented in the hour of need",
    Standby.WARM: "warm: all survive, part of the capacity kept running",
    Standby.HOT: "hot: all survive, all the capacity kept running",
}


class Grade(NamedTuple):
    """The estate with another class of resilience."""

    rank: int
    """0 is the least."""
    label: str
    """As a person reads it."""
    estate: Estate
    """What is asked."""
    notes: tuple[str, ...]
    """Whom the class leaves out."""


def graded(instance: Instance) -> tuple[Grade, ...]:
    """The estate in every class that differs from the one below, the least first."""
    estate = instance.estate
    places: defaultdict[int, set[int]] = defaultdict(set)
    for lane in instance.lanes:
        if lane.kind is not LaneKind.SPOT:
            places[lane.workload].add(lane.site)
    losses = [lost for _, lost in contingencies(instance)]
    single = [
        number
        for number, each in enumerate(estate.workloads)
        if each.kind.is_interactive and any(places[number] <= lost for lost in losses)
    ]
    names = ", ".join(f"`{estate.workloads[number].id}`" for number in single)
    note = (
        (f"have no place outside one site or failure domain, and stay as declared in every class: {names}",)
        if single
        else ()
    )
    found = [Grade(0, "none: no capacity for the loss of a site", _bare(estate), ())]
    found.append(Grade(1, "as declared", estate, ()))
    for rank, standby in enumerate(_ORDER[1:], start=2):
        workloads = tuple(
            each if not each.kind.is_interactive or number in single else _raised(instance, number, standby)
            for number, each in enumerate(estate.workloads)
        )
        found.append(Grade(rank, _LABELS[standby], replace(estate, workloads=workloads), note if single else ()))
    return tuple(each for number, each in enumerate(found) if not number or each.estate != found[number - 1].estate)


def _bare(estate: Estate) -> Estate:
    workloads = tuple(
        replace(each, recovery=replace(each.recovery, standby=Standby.NONE, rto_minutes=None))
        for each in estate.workloads
    )
    return replace(estate, workloads=workloads)


def _raised(instance: Instance, workload: int, least: Standby) -> Workload:
    declared, mode = instance.estate.workloads[workload], mode_of(instance, workload)
    share = 1.0 if mode is Standby.NONE else declared.recovery.survive_share
    standby = max(mode, least, key=_ORDER.index)
    return replace(declared, recovery=replace(declared.recovery, standby=standby, survive_share=share))
