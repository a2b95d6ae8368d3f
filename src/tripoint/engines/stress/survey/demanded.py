"""Workloads as a trial asks for them: how much, how long, from where, and where policy permits them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from tripoint.domain.demand import DemandProfile, Distribution
from tripoint.domain.units import HOURS_PER_WEEK, KB_PER_GB
from tripoint.engines.gateway.table.ground import Asked, Ground
from tripoint.engines.sizing.paths import path_between
from tripoint.engines.sizing.policy import is_allowed, place_of, subject_of
from tripoint.engines.stress.world import Callers, Demanded

OUTPUT_CV = 1.0
"""Variation of output tokens where no trace tells: that of answers which may end at any token alike."""
WIDEST_CV = 4.0
"""Most variation that is taken over from a trace."""


def demanded_of(ground: Ground, asked: Asked, period: int | None, profile: DemandProfile | None) -> Demanded:
    """A workload in a period of the plan; as it is asked today without one. `profile` is what its log told."""
    workload, load, demand = asked.workload, asked.load, asked.demand
    sites = [site.id for site in ground.estate.sites]
    subject = subject_of(workload, ground.estate, ground.catalog)
    permitted = tuple(
        site.id for site in ground.estate.sites if is_allowed(place_of(site, ground.catalog), subject, ground.book)
    )
    scale = 1.0 if period is None else growth_of(ground, asked, period)
    return Demanded(
        workload=workload.id,
        kind=workload.kind.value,
        model=workload.model or "",
        requests_per_s=load.requests_per_s * scale,
        hour_of_week=tuple(load.hour_of_week) or (1.0,) * HOURS_PER_WEEK,
        burstiness_cv=load.burstiness_cv,
        tokens_in=demand.input_tokens,
        tokens_out=demand.output_tokens,
        tokens_in_cv=_cv(None if profile is None else profile.input_tokens, 0.0),
        tokens_out_cv=_cv(None if profile is None else profile.output_tokens, OUTPUT_CV),
        growth_per_year=workload.growth_per_year,
        priority=workload.priority,
        is_interactive=workload.kind.is_interactive,
        ttft_ms=workload.slo.ttft_ms,
        tpot_ms=workload.slo.tpot_ms,
        availability=workload.slo.availability,
        least_share=workload.recovery.survive_share,
        deadline_hours=workload.deadline_hours,
        permitted=permitted,
        callers=_callers(ground, asked, sites),
        kb_per_request=asked.gb_per_request * KB_PER_GB,
    )


def _cv(known: Distribution | None, otherwise: float) -> float:
    """Coefficient of variation of a lognormal with that mean and median; `otherwise` where nobody measured."""
    if known is None or known.p50 <= 0.0 or known.mean <= known.p50:
        return otherwise
    return min(sqrt((known.mean / known.p50) ** 2 - 1.0), WIDEST_CV)


def growth_of(ground: Ground, asked: Asked, period: int) -> float:
    """Demand of a period of the plan over today's; 1 where nothing is asked today or the period is not the plan's."""
    today = asked.load.mtok_per_month * ground.estate.horizon.period_months
    if today <= 0.0 or not 0 <= period < len(asked.demand.mtok_in):
        return 1.0
    return (asked.demand.mtok_in[period] + asked.demand.mtok_out[period]) / today


def _callers(ground: Ground, asked: Asked, sites: Sequence[str]) -> tuple[Callers, ...]:
    found = []
    for caller in asked.workload.callers:
        paths = {site: path_between(ground.estate, ground.catalog, caller.place, site) for site in sites}
        found.append(
            Callers(
                place=caller.place,
                share=caller.share,
                rtt_ms={site: path.rtt_ms.value for site, path in paths.items()},
                links={site: path.links for site, path in paths.items()},
            )
        )
    return tuple(found) or (Callers(place="", share=1.0, rtt_ms={}, links={}),)
