"""The loss of a shared service, with the declared ones that take a workload down alone.

Without a declaration what runs goes on from what it last knew. A declared one is away for as long as its repair takes,
and is felt from when what is borne is over until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tripoint.domain.cut import DependencyReport, Member
from tripoint.domain.dependency import DependencyKind
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.provenance import Confidence, Origin
from tripoint.domain.recovery import Part, Reached, Step, Term
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.resilience.recovery.assess import misses

SERVICES = (DependencyKind.KEYS, DependencyKind.REGISTRY, DependencyKind.DNS, DependencyKind.IDENTITY)
"""Kinds whose loss is that of a shared service."""


def with_services(reached: Sequence[Reached], report: DependencyReport) -> tuple[Reached, ...]:
    """The rows, those of shared services with the longest break a declared one makes; others as they are."""
    members = {member.id: member for member in report.members}
    prefixes = tuple(f"{kind.value}:" for kind in SERVICES)
    alone: dict[str, list[tuple[Member, float]]] = {}
    for reliance in report.reliances:
        for cut in reliance.singles:
            if cut.members[0].startswith(prefixes) and cut.members[0] in members:
                alone.setdefault(reliance.workload, []).append((members[cut.members[0]], cut.lost_share))
    return tuple(
        _with(each, alone[each.workload])
        if each.disruption is DisruptionClass.SHARED_SERVICE and each.workload in alone
        else each
        for each in reached
    )


def _with(row: Reached, services: Sequence[tuple[Member, float]]) -> Reached:
    """The row with the service that breaks it longest, where that is longer than what it says."""
    member, lost = max(services, key=lambda each: (_term(each[0]).seconds, _term(each[0]).high_s))
    term = _term(member)
    if (term.seconds, term.high_s) <= (row.rta_s, row.high_s):
        return row
    share = min(row.share, 1.0 - lost)
    return replace(
        row,
        loss=member.text if term.seconds > 0.0 else row.loss,
        steps=(Step(at_s=term.seconds, share=1.0, how="repaired", site="", pool="", terms=(term,)),),
        rta_s=term.seconds,
        low_s=term.low_s,
        high_s=term.high_s,
        share=share,
        misses=tuple(misses(row.objective, term.seconds, row.rpa_s, row.cost_factor, share)),
    )


def _term(member: Member) -> Term:
    """How long it is felt: its repair, less what is borne."""
    hours, borne = member.hours, member.grace_hours
    said = hours.provenance
    is_measured = said is not None and said.confidence is Confidence.MEASURED
    source = TermSource.MEASURED if is_measured else TermSource.ASSUMED
    own = "declared" if hours.origin is Origin.DECLARED else "by the catalogue"
    return Term(
        part=Part.REPAIR,
        seconds=max(0.0, hours.value - borne) * SECONDS_PER_HOUR,
        low_s=max(0.0, (hours.value if hours.low is None else hours.low) - borne) * SECONDS_PER_HOUR,
        high_s=max(0.0, (hours.value if hours.high is None else hours.high) - borne) * SECONDS_PER_HOUR,
        source=source,
        as_of="" if said is None else said.as_of,
        basis=f"{member.text} is away {hours.value:g} h, {own}" + (f"; borne for {borne:g} h" if borne else ""),
    )
