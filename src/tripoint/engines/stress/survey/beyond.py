"""What could be rented after a loss where the plan has nothing: one place for each model and site that policy permits.

`assess recovery` counts on the same: nodes on demand, and tokens of an API nobody uses yet. Of a site's pools the one
that carries the model's peak for least is taken; somebody must order it first, so it serves as late as it does there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, inf

from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.site import Site
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.gateway.table.ground import Asked, Ground
from tripoint.engines.gateway.table.prices import work_of
from tripoint.engines.gateway.table.tariffs.hours import node_hour
from tripoint.engines.sizing.policy import is_allowed, place_of, subject_of
from tripoint.engines.stress.survey.planned import MADE_SLOTS, Key, Standing, made

_NOTHING = 1e-9


def beyond(ground: Ground, stands: Sequence[Standing], growth: Mapping[str, float]) -> tuple[Standing, ...]:
    """Standby nobody keeps, in the estate's order of models and sites.

    `stands` is what the plan has, `growth` the demand of each workload in the period over today's.
    """
    return tuple(
        stands_by
        for spec in ground.estate.models
        for site in ground.estate.sites
        for stands_by in _at(ground, stands, growth, (spec, site))
    )


def _at(
    ground: Ground, stands: Sequence[Standing], growth: Mapping[str, float], where: tuple[ModelSpec, Site]
) -> Iterator[Standing]:
    spec, site = where
    place = place_of(site, ground.catalog)
    asked = [
        each
        for each in ground.asked
        if each.workload.model == spec.id
        and is_allowed(place, subject_of(each.workload, ground.estate, ground.catalog), ground.book)
    ]
    if not asked or not site.kind.is_rented:
        return
    here = [each.upstream for each in stands if each.upstream.site == site.id and spec.id in each.upstream.models]
    used = {ground.node_type_of(each) or "" for each in here}
    if not any((site.id, name) in ground.pools for name in used):
        chosen = _cheapest(ground, asked, growth, site)
        if chosen is not None:
            pool, nodes = chosen
            upstream = made(Key(site.id, pool.node.id, spec.id, ""))
            upstream = replace(upstream, option=PurchaseOption.ON_DEMAND, nodes=nodes)
            yield Standing(upstream=upstream, nodes=0.0, most=nodes, is_beyond=True)
    for api in site.apis:
        if api in spec.api_models and not any(name in site.apis for name in used):
            upstream = replace(made(Key(site.id, api, spec.id, "api")), max_concurrency=MADE_SLOTS)
            yield Standing(upstream=upstream, nodes=0.0, most=0.0, is_beyond=True)
            return


def _cheapest(
    ground: Ground, asked: Sequence[Asked], growth: Mapping[str, float], site: Site
) -> tuple[PoolSpec, float] | None:
    """The pool that carries most of the peak, for least, with the nodes that takes.

    It is chosen for whoever asks most of those that meet their objectives anywhere on the site: sizing all of them on
    all pools would take long where both are many.
    """
    for lead in sorted(asked, key=lambda each: -each.load.work_rate):
        best: tuple[tuple[float, float, str], PoolSpec] | None = None
        for (name, _), pool in ground.pools.items():
            if name != site.id or PurchaseOption.ON_DEMAND not in pool.options:
                continue
            needed = _nodes(ground, lead, pool, growth)
            hour = node_hour(ground, pool, PurchaseOption.ON_DEMAND)
            if hour is None or needed <= _NOTHING:
                continue
            rank = (-min(1.0, limit_of(pool) / needed), needed * hour.useful, str(pool.id))
            if limit_of(pool) > 0.0 and (best is None or rank < best[0]):
                best = (rank, pool)
        if best is not None:
            whole = sum(_nodes(ground, each, best[1], growth) for each in asked)
            return best[1], min(float(ceil(whole - _NOTHING)), limit_of(best[1]))
    return None


def limit_of(pool: PoolSpec) -> float:
    """Nodes the pool may have on all of its sites; `inf` where nobody set a limit."""
    return inf if pool.max_nodes is None else float(pool.max_nodes * pool.site.count)


def _nodes(ground: Ground, asked: Asked, pool: PoolSpec, growth: Mapping[str, float]) -> float:
    """Nodes for the busiest hour; none where its objectives cannot be met there."""
    if asked.workload.model is None:
        return 0.0
    work = work_of(ground, asked, pool, asked.workload.model)
    if work is None or work.errand.workload.slo != asked.workload.slo or work.hosted.node_rate <= 0.0:
        return 0.0
    peak = max(asked.load.hour_of_week, default=1.0) * asked.load.requests_per_s
    return peak * growth.get(asked.workload.id, 1.0) / work.hosted.node_rate
