"""Surveys an estate and its plan into the world it is tried in: the gateway's own table, and what stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import inf, sqrt

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import DemandProfile, Distribution
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.recovery import Part
from tripoint.domain.serving import Upstream
from tripoint.domain.source import LoadedEstate
from tripoint.domain.table import Target
from tripoint.domain.units import HOURS_PER_WEEK, KB_PER_GB, MONTHS_PER_YEAR, MS_PER_S
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.gateway.table.compile import compile_table
from tripoint.engines.gateway.table.ground import Asked, Ground, Work, ground_of
from tripoint.engines.gateway.table.prices import option_of, work_of
from tripoint.engines.gateway.table.shares import period_at
from tripoint.engines.gateway.table.tariffs.hours import node_hour
from tripoint.engines.resilience.times.starting import CONTRACTED, STARTED, road
from tripoint.engines.resilience.times.terms import Way, assumed, default_rate, timed
from tripoint.engines.sizing.paths import path_between
from tripoint.engines.sizing.policy import is_allowed, place_of, subject_of
from tripoint.engines.sizing.speed.memory import bytes_key
from tripoint.engines.stress.beyond import beyond
from tripoint.engines.stress.planned import Standing, standing
from tripoint.engines.stress.runs.planned import runs_of
from tripoint.engines.stress.stations.listed import pace_of
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.world import Callers, Demanded, Line, Place, SteadyTiming, Timing, World

OUTPUT_CV = 1.0
"""Variation of output tokens where no trace tells: that of answers which may end at any token alike."""
WIDEST_CV = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What everything at one upstream is looked up from."""

    ground: Ground
    standing: Standing
    target: Target
    pool: PoolSpec | None
    planned: PurchaseOption | None

    @property
    def upstream(self) -> Upstream:
        return self.standing.upstream


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
    growth = {str(each.workload.id): _growth(ground, each, period or 0) for each in ground.asked}
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
    places = tuple(_place(_site(ground, each, target)) for each, target in zip(stands, table.targets, strict=True))
    routed = {route.workload for route in table.routes}
    demanded = tuple(
        _demanded(ground, each, period, loaded.profiles.get(each.workload.id))
        for each in ground.asked
        if each.workload.id in routed
    )
    return World(
        name=table.name,
        table=table,
        places=places,
        demanded=demanded,
        lines=tuple(
            Line(
                id=link.id, ends=(link.source, link.target), bandwidth_gbps=link.bandwidth_gbps, conduits=link.conduits
            )
            for link in loaded.estate.links
        ),
        runs=() if plan is None or period is None else runs_of(ground, plan, period),
        unserved=tuple(each.workload.id for each in ground.asked if each.workload.id not in routed),
    )


def day_tried(plan: Plan, label: str, today: date) -> date:
    """A day of the plan's period of that label: `today` where it names that of today or none, else its first day.

    Raises `OptionError` for a label the plan does not have.
    """
    if not label:
        return today
    if label not in plan.periods:
        known = ", ".join(plan.periods)
        raise OptionError(f"the plan has no period `{label}`", hint=f"name one of {known}" if known else "it has none")
    period = plan.periods.index(label)
    if period == period_at(plan, today):
        return today
    year, month = (int(part) for part in plan.start.split("-")[:2])
    years, months = divmod(month - 1 + period * plan.period_months, MONTHS_PER_YEAR)
    return date(year + years, months + 1, 1)


def _site(ground: Ground, stands: Standing, target: Target) -> _Site:
    upstream = stands.upstream
    pool = ground.pools.get((upstream.site, ground.node_type_of(upstream) or ""))
    return _Site(ground=ground, standing=stands, target=target, pool=pool, planned=upstream.option)


# --- places ---------------------------------------------------------------------------------------------------------


def _place(at: _Site) -> Place:
    ground, upstream, pool = at.ground, at.upstream, at.pool
    site = ground.sites[upstream.site]
    works = _works(at)
    timings: dict[str, Timing] = {model: _timing(at, works.get(model)) for model in upstream.models}
    node_type = ground.node_type_of(upstream) or ""
    option = PurchaseOption.PER_TOKEN if pool is None else option_of(upstream, pool, at.planned)
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
        most_nodes=_most(at),
        ready_after_s=_ready_after_s(at, works),
        is_cold=at.standing.is_beyond or (pool is not None and at.standing.nodes <= 0.0),
        kept_nodes=at.standing.most,
        is_approved=not _is_decided(at),
        usd_per_node_hour=0.0 if hour is None else hour.useful,
        rates=_rates(at),
    )


def _works(at: _Site) -> dict[str, tuple[Asked, Work]]:
    """Model -> the workload that asks most of it, as the planner sizes it on the pool."""
    found: dict[str, tuple[Asked, Work]] = {}
    for asked, work in _sized(at):
        model = asked.workload.model or ""
        if model not in found or asked.load.work_rate > found[model][0].load.work_rate:
            found[model] = (asked, work)
    return found


def _sized(at: _Site) -> list[tuple[Asked, Work]]:
    if at.pool is None:
        return []
    return [
        (asked, work)
        for asked in at.ground.asked
        if asked.workload.model in at.upstream.models
        if (work := work_of(at.ground, asked, at.pool, asked.workload.model)) is not None
    ]


def _timing(at: _Site, known: tuple[Asked, Work] | None) -> Timing:
    """The closed form of a replica where the planner knows one; the catalogue's times of token APIs elsewhere."""
    if known is not None:
        asked, work = known
        chip = at.ground.desk.accelerator(work.node.accelerator)
        if chip is not None:
            pace = pace_of(at.ground.desk, work.errand, work.hosted, chip)
            replicas = at.standing.upstream.nodes * work.hosted.replicas_per_node
            typical = work.errand.shape
            return BatchTiming(
                pace=pace, replicas=max(replicas, 1e-6), cached_share=asked.load.cached_share, typical=typical
            )
    first = at.ground.desk.default("hosting.api_ttft_ms").value
    each = at.ground.desk.default("hosting.api_tpot_ms").value
    return SteadyTiming(first_s=first / MS_PER_S, in_s=0.0, out_s=each / MS_PER_S)


def _slots(at: _Site, timings: Mapping[str, Timing]) -> int:
    """Sequences at once: the batch's limit of the model that takes most, a token API's own limit elsewhere."""
    known = [timing.slots for timing in timings.values() if isinstance(timing, BatchTiming)]
    return max(known, default=at.target.max_concurrency)


def _rates(at: _Site) -> dict[str, float]:
    """Requests per second in the long run: by the nodes that serve, or would."""
    nodes = at.standing.nodes or at.standing.most
    if at.pool is None:
        return {asked.workload.id: inf for asked in at.ground.asked if asked.workload.model in at.upstream.models}
    return {asked.workload.id: work.hosted.node_rate * nodes for asked, work in _sized(at)}


def _most(at: _Site) -> float:
    """Nodes that can be had: those kept for it, and where they are rented what the pool may have."""
    if at.pool is None or not at.pool.site.kind.is_rented:
        return at.standing.most
    limit = at.pool.max_nodes
    return inf if limit is None else max(at.standing.most, float(limit * at.pool.site.count))


def _ready_after_s(at: _Site, works: Mapping[str, tuple[Asked, Work]]) -> float:
    """From a loss to more that serves here, by the steps `assess recovery` counts; `inf` where no more can be had."""
    ground = at.ground
    way = Way(disruption=DisruptionClass.SITE, workload="", site=at.upstream.site)

    def seconds(steps: Sequence[tuple[Part, str]]) -> float:
        return sum(assumed(ground.estate, ground.catalog, part, key, way).seconds for part, key in steps)

    noticed = [(Part.DETECT, "detect.site"), *([(Part.DECIDE, "decide")] if _is_decided(at) else ())]
    if at.pool is None and at.standing.is_beyond:
        return seconds([*noticed, *CONTRACTED])
    if at.pool is None or _most(at) <= at.standing.nodes:
        return inf
    way_to = "rented" if at.pool.site.kind.is_rented else "spare"
    started_s = seconds([*noticed, (Part.PROVISION, f"provision.{way_to}"), *STARTED])
    sizes = [
        work.errand.size.parameters_b * ground.desk.default(bytes_key(work.hosted.speed.precision)).value
        for _, work in works.values()
        if work.errand.size is not None
    ]
    told = timed(ground.estate, Part.LOAD, way)
    gb = max(sizes, default=0.0)
    load_s = gb / ground.desk.default("recovery.load_gb_per_s").value if told is None else told.seconds
    return started_s + load_s + gb / _staged_gb_per_s(at)


def _is_decided(at: _Site) -> bool:
    """True where somebody must approve first: of what the plan did not say, or of anything after a lost site."""
    return not at.standing.is_kept or DisruptionClass.SITE in at.ground.estate.recovery.approval_on


def _staged_gb_per_s(at: _Site) -> float:
    """How fast weights come to the nodes: from the site's own store, over links from the nearest, or the internet."""
    ground, here = at.ground, at.upstream.site
    keepers = ground.estate.recovery.weights_at
    if here in keepers or not (at.standing.is_beyond or at.standing.nodes <= 0.0):
        return default_rate(ground.estate, ground.catalog, "stage_gbps.site").gb_per_s
    paths = [path_between(ground.estate, ground.catalog, keeper, here) for keeper in keepers]
    near = min((path for path in paths if path.links), key=lambda path: path.rtt_ms.value, default=None)
    links = [each for each in ground.estate.links if near is not None and each.id in near.links]
    rates = [road(ground.estate, ground.catalog, f"link:{each.id}").gb_per_s for each in links]
    return min(rates, default=default_rate(ground.estate, ground.catalog, "stage_gbps.internet").gb_per_s)


# --- workloads ------------------------------------------------------------------------------------------------------


def _demanded(ground: Ground, asked: Asked, period: int | None, profile: DemandProfile | None) -> Demanded:
    workload, load, demand = asked.workload, asked.load, asked.demand
    sites = [site.id for site in ground.estate.sites]
    subject = subject_of(workload, ground.estate, ground.catalog)
    permitted = tuple(
        site.id for site in ground.estate.sites if is_allowed(place_of(site, ground.catalog), subject, ground.book)
    )
    scale = 1.0 if period is None else _growth(ground, asked, period)
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


def _growth(ground: Ground, asked: Asked, period: int) -> float:
    """Demand of a period of the plan over today's."""
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
