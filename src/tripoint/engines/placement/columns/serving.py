"""Columns that say who runs where: shares, presence, moves and standby."""

from __future__ import annotations

from tripoint.domain.workload import Standby
from tripoint.engines.costing.rates import api_mtok_in, api_mtok_out, migration
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.coefficients import (
    busy_hours_per_share,
    is_energy,
    is_indivisible,
    mtok_per_share,
    usable_blocks,
)
from tripoint.engines.placement.columns.formulation import Formulation, activity_at
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind

_STANDBY_TOKEN_USD = 1.0


def add_serving_columns(form: Formulation) -> None:
    """Shares with what they burn: busy energy, spot hours, API tokens."""
    instance = form.instance
    lost = default_figure(instance.catalog, instance.estate.assumptions, "spot.lost_work_share")
    for number, lane in enumerate(instance.lanes):
        workload = instance.workload(lane)
        blocks = usable_blocks(instance, lane.workload) if is_energy(workload) else instance.blocks
        prefix = f"serve[{workload.id},{lane.fit.pool},{lane.kind},p"
        keys = [(number, period, block) for period in instance.periods for block in blocks]
        first = form.builder.columns([f"{prefix}{period},b{block}]" for _, period, block in keys], upper=1.0)
        form.serve.update(zip(keys, range(first, first + len(keys)), strict=True))
        _charge_lane(form, number, keys, 1.0 + lost.value)


def _charge_lane(form: Formulation, number: int, keys: list[tuple[int, int, int]], spot_overhead: float) -> None:
    """What each share of a lane consumes: tokens, spot hours, or the energy of busy nodes that are not rented."""
    instance = form.instance
    lane = instance.lanes[number]
    if lane.kind is LaneKind.API:
        _charge_tokens(form, lane, keys)
        return
    assert lane.pool is not None
    pool = instance.pools[lane.pool]
    is_spot = lane.kind is LaneKind.SPOT
    if not is_spot and (not pool.busy_hour or pool.on_demand_hour):
        return
    bought = [
        activity_at(
            form,
            period=period,
            site=lane.site,
            resource=pool.spec.node.id,
            option="spot" if is_spot else "owned",
            rates=pool.spot_hour if is_spot else pool.busy_hour,
            workload=lane.workload,
        )
        for period in instance.periods
    ]
    for _, period, block in keys:
        if is_spot:
            amount = form.nodes(number)[period][block] * instance.block_hours(block) * spot_overhead
        else:
            amount = busy_hours_per_share(instance, lane, period, block)
        form.charge(form.serve[number, period, block], bought[period], amount)


def _charge_tokens(form: Formulation, lane: Lane, keys: list[tuple[int, int, int]]) -> None:
    """Input and output tokens of every share: all blocks of a period buy the same."""
    assert lane.offer is not None
    instance, resource = form.instance, lane.offer.node_type
    both = (api_mtok_in(lane.offer, instance.demand(lane).cached_share), api_mtok_out(lane.offer))
    bought = [
        [
            activity_at(
                form,
                period=period,
                site=lane.site,
                resource=resource,
                option="per_token",
                rates=rates,
                workload=lane.workload,
            )
            for rates in both
        ]
        for period in instance.periods
    ]
    for key in keys:
        _, period, block = key
        for activity, quantity in zip(bought[period], mtok_per_share(instance, lane, period, block), strict=True):
            form.charge(form.serve[key], activity, quantity)


def add_presence_columns(form: Formulation) -> None:
    """Presence per place, decided at placement reviews, and moves between sites."""
    instance = form.instance
    for lane in instance.lanes:
        if not needs_presence(form, lane):
            continue
        workload = instance.workload(lane)
        place = lane.fit.pool
        for period in instance.periods:
            if (lane.workload, place, period) in form.present:
                continue
            review = instance.estate.horizon.review_of(period)
            if review == period:
                name = f"present[{workload.id},{place},p{period}]"
                column = form.builder.column(name, upper=1.0, integer=True)
                form.present[lane.workload, place, period] = column
            # Between reviews the same column holds: where replicas are kept does not change.
            form.present[lane.workload, place, period] = form.present[lane.workload, place, review]
    _add_moves(form)


def needs_presence(form: Formulation, lane: Lane) -> bool:
    """Interactive and indivisible workloads are counted where they are; divisible energy kinds just flow."""
    workload = form.instance.workload(lane)
    return not is_energy(workload) or is_indivisible(workload)


def add_gang_columns(form: Formulation) -> None:
    """Whether runs that may be divided are at a place whose nodes may be too few for their gang, by period.

    Many runs a month may go to several places, and to others in each period, but each of them needs its gang at once.
    """
    for lane in form.instance.lanes:
        if not needs_gang(form, lane) or needs_presence(form, lane) or lane.fit.fixed_nodes <= 1:
            continue
        name = f"{form.workload_id(lane.workload)},{lane.fit.pool}"
        for period in form.instance.periods:
            column = form.builder.column(f"gathered[{name},p{period}]", upper=1.0, integer=True)
            form.gathered[lane.workload, lane.fit.pool, period] = column


def needs_gang(form: Formulation, lane: Lane) -> bool:
    """Runs of a gang where no node is rented: those that can be rented without limit have the gang."""
    if lane.kind is not LaneKind.FIRM or lane.pool is None or not is_energy(form.instance.workload(lane)):
        return False
    return lane.fit.fixed_nodes > 0 and not form.instance.pools[lane.pool].on_demand_hour


def _add_moves(form: Formulation) -> None:
    instance = form.instance
    cost = default_figure(instance.catalog, instance.estate.assumptions, "migration.usd_per_move")
    sites = sorted({(lane.workload, lane.site) for lane in instance.lanes if needs_presence(form, lane)})
    for workload, site in sites:
        for period in instance.periods:
            if period == 0 and not instance.estate.workloads[workload].today:
                continue
            if instance.estate.horizon.review_of(period) != period:
                continue
            column = form.builder.column(
                f"enter[{form.workload_id(workload)},{instance.sites[site].site.id},p{period}]", upper=1.0
            )
            form.enter[workload, site, period] = column
            activity = activity_at(
                form,
                period=period,
                site=site,
                resource="move",
                option="",
                rates=migration(cost),
                workload=workload,
            )
            form.charge(column, activity, 1.0)


def add_standby_columns(form: Formulation) -> None:
    """Share of the peak each lane could take over when another site is lost."""
    instance = form.instance
    for number, lane in enumerate(instance.lanes):
        workload = instance.workload(lane)
        if lane.kind is LaneKind.SPOT or is_energy(workload) or not keeps_standby(form, lane.workload):
            continue
        for period in instance.periods:
            column = form.builder.column(f"standby[{workload.id},{lane.fit.pool},p{period}]", upper=1.0)
            form.standby[number, period] = column
            # Cold standby costs nothing until it is used; without a token price it would be set at random.
            form.penalties.append((column, _STANDBY_TOKEN_USD))


def keeps_standby(form: Formulation, workload: int) -> bool:
    """True for workloads whose recovery class asks for capacity elsewhere."""
    return standby_mode(form, workload) != "none"


def standby_mode(form: Formulation, workload: int) -> str:
    """Declared mode, else the cheapest whose catalogue RTO meets the objective; `none` without one."""
    return mode_of(form.instance, workload).value


def mode_of(instance: Instance, workload: int) -> Standby:
    """The same, of an instance."""
    recovery = instance.estate.workloads[workload].recovery
    if recovery.standby is not Standby.NONE or recovery.rto_minutes is None:
        return recovery.standby
    for mode in (Standby.COLD, Standby.WARM):
        rto = default_figure(instance.catalog, instance.estate.assumptions, f"standby.{mode}_rto_minutes")
        if rto.value <= recovery.rto_minutes:
            return mode
    return Standby.HOT
