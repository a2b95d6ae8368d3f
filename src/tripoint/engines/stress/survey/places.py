"""What stands behind one upstream: its nodes, how long they take, what they carry and cost, how soon there are more."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.units import MS_PER_S
from tripoint.engines.gateway.table.ground import Asked, Work
from tripoint.engines.gateway.table.prices import option_of, work_of
from tripoint.engines.gateway.table.tariffs.hours import node_hour
from tripoint.engines.stress.stations.listed import pace_of
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.survey.more import Behind, most_nodes, needs_approval, ready_after_s
from tripoint.engines.stress.world import Place, SteadyTiming, Timing

_LEAST_REPLICAS = 1e-6
"""A place without nodes yet is timed as if it had this part of a replica."""


def place_behind(at: Behind) -> Place:
    """The place, as the simulators know it."""
    ground, upstream, pool = at.ground, at.upstream, at.pool
    site = ground.sites[upstream.site]
    works = _works(at)
    timings: dict[str, Timing] = {model: _timing(at, works.get(model)) for model in upstream.models}
    node_type = ground.node_type_of(upstream) or ""
    option = PurchaseOption.PER_TOKEN if pool is None else option_of(upstream, pool, upstream.option)
    hour = None if pool is None else node_hour(ground, pool, option)
    return Place(
        upstream=upstream.id,
        site=site.id,
        pool=f"{site.id}/{node_type}",
        provider=site.provider,
        region=site.region or "",
        kind=site.kind.value,
        option=option.value,
        nodes=at.standing.nodes,
        slots=_slots(at, timings),
        timings=timings,
        most_nodes=most_nodes(at),
        ready_after_s=ready_after_s(at, [work for _, work in works.values()]),
        is_cold=at.standing.is_beyond or (pool is not None and at.standing.nodes <= 0.0),
        kept_nodes=at.standing.most,
        is_approved=not needs_approval(at),
        usd_per_node_hour=0.0 if hour is None else hour.useful,
        rates=_rates(at),
    )


def _works(at: Behind) -> dict[str, tuple[Asked, Work]]:
    """Model -> the workload that asks most of it, as the planner sizes it on the pool."""
    found: dict[str, tuple[Asked, Work]] = {}
    for asked, work in _sized(at):
        model = asked.workload.model or ""
        if model not in found or asked.load.work_rate > found[model][0].load.work_rate:
            found[model] = (asked, work)
    return found


def _sized(at: Behind) -> list[tuple[Asked, Work]]:
    if at.pool is None:
        return []
    return [
        (asked, work)
        for asked in at.ground.asked
        if asked.workload.model in at.upstream.models
        if (work := work_of(at.ground, asked, at.pool, asked.workload.model)) is not None
    ]


def _timing(at: Behind, known: tuple[Asked, Work] | None) -> Timing:
    """The closed form of a replica where the planner knows one; the catalogue's times of token APIs elsewhere."""
    if known is not None:
        asked, work = known
        chip = at.ground.desk.accelerator(work.node.accelerator)
        if chip is not None:
            pace = pace_of(at.ground.desk, work.errand, work.hosted, chip)
            replicas = at.standing.upstream.nodes * work.hosted.replicas_per_node
            typical = work.errand.shape
            return BatchTiming(
                pace=pace,
                replicas=max(replicas, _LEAST_REPLICAS),
                cached_share=asked.load.cached_share,
                typical=typical,
            )
    first = at.ground.desk.default("hosting.api_ttft_ms").value
    each = at.ground.desk.default("hosting.api_tpot_ms").value
    return SteadyTiming(first_s=first / MS_PER_S, in_s=0.0, out_s=each / MS_PER_S)


def _slots(at: Behind, timings: Mapping[str, Timing]) -> int:
    """Sequences at once: the batch's limit of the model that takes most, a token API's own limit elsewhere."""
    known = [timing.slots for timing in timings.values() if isinstance(timing, BatchTiming)]
    return max(known, default=at.target.max_concurrency)


def _rates(at: Behind) -> dict[str, float]:
    """Requests per second in the long run: by the nodes that serve, or would."""
    nodes = at.standing.nodes or at.standing.most
    if at.pool is None:
        return {asked.workload.id: inf for asked in at.ground.asked if asked.workload.model in at.upstream.models}
    return {asked.workload.id: work.hosted.node_rate * nodes for asked, work in _sized(at)}
