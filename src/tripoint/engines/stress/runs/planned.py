"""Workloads of runs as a plan places them: where, how much work an hour, on how many nodes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf

from tripoint.domain.plan import Plan
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import SECONDS_PER_MINUTE
from tripoint.domain.workload import Workload
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.gateway.table.ground import Ground
from tripoint.engines.gateway.table.shares import planned_options
from tripoint.engines.gateway.table.tariffs.hours import node_hour
from tripoint.engines.sizing.policy import is_allowed, place_of, subject_of
from tripoint.engines.stress.world import Place, Run, RunAt

_SPOT = "spot"
_NOTHING = 1e-9


def runs_of(ground: Ground, plan: Plan, period: int) -> tuple[Run, ...]:
    """Workloads that answer no requests and that a period of the plan places, in the estate's order."""
    found = [_run(ground, plan, period, each) for each in ground.estate.workloads if not each.kind.answers_requests]
    return tuple(run for run in found if run.places)


def _run(ground: Ground, plan: Plan, period: int, workload: Workload) -> Run:
    estate, catalog = ground.estate, ground.catalog
    subject = subject_of(workload, estate, catalog)

    def usual_s(minutes: str) -> float:
        return default_figure(catalog, estate.assumptions, minutes).value * SECONDS_PER_MINUTE

    return Run(
        workload=workload.id,
        places=tuple(_places(ground, plan, period, workload)),
        deadline_hours=workload.deadline_hours,
        checkpoint_s=usual_s("training.checkpoint_minutes"),
        restart_s=usual_s("training.restart_minutes"),
        permitted=tuple(site.id for site in estate.sites if is_allowed(place_of(site, catalog), subject, ground.book)),
    )


def _places(ground: Ground, plan: Plan, period: int, workload: Workload) -> Sequence[RunAt]:
    """One for each pool and way of buying it: mean nodes over the period are node-hours of work an hour."""
    mean: dict[tuple[str, str, str, bool], float] = {}
    most: dict[tuple[str, str, str, bool], float] = {}
    for row in plan.placements:
        if row.period == period and row.workload == workload.id and row.nodes > _NOTHING:
            key = (row.site, row.node_type, row.pool, row.lane == _SPOT)
            mean[key] = mean.get(key, 0.0) + row.nodes * plan.blocks[row.block].weight
            most[key] = max(most.get(key, 0.0), row.nodes)
    gang = workload.demand.gang_gpus or 0
    return [_at(ground, plan, period, key, (mean[key], max(most[key], _gang(plan, key[2], gang)))) for key in mean]


def _gang(plan: Plan, pool: str, gpus: int) -> float:
    """Nodes that hold so many accelerators together."""
    each = next((state.gpus_per_node for state in plan.pools if state.pool == pool), 0)
    return gpus / each if each else 0.0


def _at(ground: Ground, plan: Plan, period: int, key: tuple[str, str, str, bool], work: tuple[float, float]) -> RunAt:
    site_id, node_type, pool_id, is_spot = key
    spec = ground.pools.get((site_id, node_type))  # type: ignore[call-overload, unused-ignore]  # plans hold plain text
    site = ground.sites[site_id]  # type: ignore[index, unused-ignore]  # likewise
    planned = planned_options(plan, period).get((site_id, node_type), PurchaseOption.ON_DEMAND)
    option = PurchaseOption.SPOT if is_spot else planned
    hour = None if spec is None else node_hour(ground, spec, option)
    gang = max(1, ceil(work[1] - _NOTHING))
    rows = [state for state in plan.pools if state.period == period and state.pool == pool_id]
    firm = (state.owned + state.committed + ceil(state.on_demand - _NOTHING) for state in rows)
    there = max((ceil(state.spot - _NOTHING) for state in rows) if is_spot else firm, default=0.0)
    return RunAt(
        place=Place(
            upstream=f"run:{pool_id}:{option.value}", site=site_id, pool=pool_id, provider=site.provider,
            region=site.region or "", kind=site.kind.value, option=option.value,
            nodes=there, slots=1_000_000, timings={}, most_nodes=there, ready_after_s=inf,
            usd_per_node_hour=0.0 if hour is None else hour.useful, rates={},
        ),
        work_per_hour=work[0],
        gang_nodes=gang,
        nodes=max(gang, int(there)),
    )  # fmt: skip
