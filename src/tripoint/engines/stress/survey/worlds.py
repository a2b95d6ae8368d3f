"""Surveys an estate and its plan into the world it is tried in: the gateway's own table, and what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.link import Link
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.gateway.table.compile import compile_table
from tripoint.engines.gateway.table.ground import ground_of
from tripoint.engines.gateway.table.shares import period_at
from tripoint.engines.stress.runs.planned import runs_of
from tripoint.engines.stress.survey.beyond import beyond
from tripoint.engines.stress.survey.demanded import demanded_of, growth_of
from tripoint.engines.stress.survey.more import Behind
from tripoint.engines.stress.survey.places import place_behind
from tripoint.engines.stress.survey.planned import Standing, standing
from tripoint.engines.stress.world import Line, World


def survey(loaded: LoadedEstate, catalog: Catalog, plan: Plan | None, *, today: date) -> World:
    """The world of an estate that passed its checks, as it is on a day of the plan.

    With a plan, what the plan places serves; without one, what the estate declares under `serving`.
    """
    period = None if plan is None or not plan.periods else period_at(plan, today)
    usable = plan if period is not None else None
    stands = standing(loaded.estate, usable, period or 0)
    world = _surveyed(loaded, catalog, usable, stands, today)
    if usable is None:
        return world
    ground = ground_of(loaded, catalog, today)
    growth = {str(each.workload.id): growth_of(ground, each, period or 0) for each in ground.asked}
    more = beyond(ground, stands, growth)
    if not more:
        return world
    wide = _surveyed(loaded, catalog, usable, (*stands, *more), today)
    named = {each.workload for each in world.demanded}
    asked = tuple(each for each in wide.demanded if each.workload in named)
    return replace(world, wide=replace(wide, demanded=asked, unserved=world.unserved))


def _surveyed(
    loaded: LoadedEstate, catalog: Catalog, plan: Plan | None, stands: Sequence[Standing], today: date
) -> World:
    """The world of what stands, and of what could."""
    period = None if plan is None else period_at(plan, today)
    serving = replace(loaded.estate.serving, upstreams=tuple(each.upstream for each in stands), keys=())
    tried = replace(loaded, estate=replace(loaded.estate, serving=serving))
    table = compile_table(tried, catalog, plan, today=today, previous=None).table
    ground = ground_of(tried, catalog, today)
    places = tuple(
        place_behind(Behind(ground=ground, standing=each, target=target))
        for each, target in zip(stands, table.targets, strict=True)
    )
    routed = {route.workload for route in table.routes}
    demanded = tuple(
        demanded_of(ground, each, period, loaded.profiles.get(each.workload.id))
        for each in ground.asked
        if each.workload.id in routed
    )
    return World(
        name=table.name,
        table=table,
        places=places,
        demanded=demanded,
        lines=tuple(_line(each) for each in loaded.estate.links),
        runs=() if plan is None or period is None else runs_of(ground, plan, period),
        unserved=tuple(each.workload.id for each in ground.asked if each.workload.id not in routed),
    )


def _line(link: Link) -> Line:
    return Line(id=link.id, ends=(link.source, link.target), bandwidth_gbps=link.bandwidth_gbps, conduits=link.conduits)
