"""What is asked of a workload after a loss: everything declared for it, the strictest of each."""

from __future__ import annotations

from collections.abc import Iterable

from tripoint.domain.catalog import Catalog
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Objective
from tripoint.domain.workload import Workload
from tripoint.engines.facts.places import expand_countries


def objective_of(estate: Estate, workload: Workload, disruption: DisruptionClass) -> Objective | None:
    """The objectives that name the workload and the loss, merged to the strictest; `None` where nothing is asked.

    The workload's own `recovery` counts for the loss of a site.
    """
    asked = _asked(estate, workload, disruption)
    if not asked:
        return None
    shares = [each.least_share for each in asked if each.least_share is not None]
    return Objective(
        workloads=(workload.id,),
        after=(disruption,),
        rto_minutes=_least(each.rto_minutes for each in asked),
        rpo_minutes=_least(each.rpo_minutes for each in asked),
        least_share=max(shares, default=workload.recovery.survive_share),
        highest_cost_factor=_least(each.highest_cost_factor for each in asked),
        residency=tuple(dict.fromkeys(name for each in asked for name in each.residency)),
    )


def countries_of(
    estate: Estate, catalog: Catalog, workload: Workload, disruption: DisruptionClass
) -> frozenset[str] | None:
    """Countries recovery must stay in: those every objective allows; `None` where none says."""
    sets = [
        expand_countries(each.residency, catalog) for each in _asked(estate, workload, disruption) if each.residency
    ]
    return frozenset.intersection(*sets) if sets else None


def _asked(estate: Estate, workload: Workload, disruption: DisruptionClass) -> list[Objective]:
    own = workload.recovery
    found = [
        each
        for each in estate.recovery.objectives
        if disruption in each.after and (not each.workloads or workload.id in each.workloads)
    ]
    if disruption is DisruptionClass.SITE and (own.rto_minutes is not None or own.rpo_minutes is not None):
        found.append(
            Objective(
                after=(disruption,),
                rto_minutes=own.rto_minutes,
                rpo_minutes=own.rpo_minutes,
                least_share=own.survive_share,
            )
        )
    return found


def _least(values: Iterable[float | None]) -> float | None:
    return min((each for each in values if each is not None), default=None)
