"""Constraint families about serving: demand, deadlines, presence, replicas, gangs and node capacity."""

from __future__ import annotations

import math

from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.coefficients import (
    busy_hours_per_share,
    follows_the_clock,
    is_energy,
    is_indivisible,
    least_nodes,
    usable_blocks,
)
from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.columns.serving import needs_gang, standby_mode
from tripoint.engines.placement.instance.instance import LaneKind


def demand(form: Formulation) -> None:
    """All demand is placed.

    Interactive: sum over lanes of serve[l,p,b] = 1 for each workload, period and block.
    Energy kinds: sum over lanes and blocks of serve[l,p,b] = 1 for each workload and period.
    """
    instance = form.instance
    for workload, declared in enumerate(instance.estate.workloads):
        lanes = [number for number, _ in form.lanes_of(workload)]
        for period in instance.periods:
            groups = [tuple(instance.blocks)] if is_energy(declared) else [(b,) for b in instance.blocks]
            for blocks in groups:
                terms = [
                    (form.serve[lane, period, block], 1.0)
                    for lane in lanes
                    for block in blocks
                    if (lane, period, block) in form.serve
                ]
                label = f"demand of `{declared.id}` in {instance.grid.periods[period]}"
                form.builder.row("demand", label, terms, lower=1.0, upper=1.0)


def deadline(form: Formulation) -> None:
    """Batch work waits for a valley only if one comes round before its deadline.

    A block may be relied on when its longest gap is within the deadline (other blocks have no columns). When no
    block qualifies, work follows the clock: sum over lanes of serve[l,p,b] = weight[b]. A gang-scheduled run does
    not spread without limit to use a valley: nodes in a block <= max(gang, monthly node-hours / hours it may use
    before the deadline), which bounds serve[l,p,b].
    """
    instance = form.instance
    _bound_runs(form)
    for workload, declared in enumerate(instance.estate.workloads):
        if not is_energy(declared) or not follows_the_clock(instance, workload):
            continue
        for period in instance.periods:
            for block in instance.blocks:
                terms = [(form.serve[lane, period, block], 1.0) for lane, _ in form.lanes_of(workload)]
                weight = instance.grid.blocks[block].weight
                label = f"deadline {declared.deadline_hours:g} h of `{declared.id}`"
                form.builder.row("deadline", label, terms, lower=weight, upper=weight)


def _bound_runs(form: Formulation) -> None:
    instance = form.instance
    months = instance.estate.horizon.period_months
    for number, lane in enumerate(instance.lanes):
        deadline_hours = instance.workload(lane).deadline_hours
        if lane.fit.fixed_nodes <= 0 or deadline_hours is None or not is_energy(instance.workload(lane)):
            continue
        blocks = usable_blocks(instance, lane.workload)
        open_share = sum(instance.grid.blocks[b].weight for b in blocks)
        for period in instance.periods:
            monthly = lane.fit.nodes_per_unit * instance.demand(lane).work[period] / months
            most = max(lane.fit.fixed_nodes, monthly / min(deadline_hours, HOURS_PER_MONTH * open_share))
            for block in blocks:
                per_share = form.nodes(number)[period][block]
                if per_share > 0:
                    form.builder.bound(form.serve[number, period, block], upper=most / per_share)


def presence(form: Formulation) -> None:
    """Minimum replicas: a workload runs where it is present, and there with at least its fewest replicas.

    sum over the place's lanes and blocks of serve[l,p,b] <= blocks x present[w,place,p] (energy kinds: <= present),
    and in the workload's busiest block sum of nodes[l,p,b] serve[l,p,b] >= least_nodes x present[w,place,p]. Quieter
    blocks may scale further down. One row for all blocks: presence costs next to nothing, so a row per block would
    only make the program longer, not tighter.
    """
    instance = form.instance
    for (workload, place), lanes in _lanes_by_place(form).items():
        label = f"replicas of `{form.workload_id(workload)}` at {place}"
        rates = instance.grid.workloads[workload].peak_rate
        for period in instance.periods:
            there = form.present[workload, place, period]
            terms = [term for block in instance.blocks for term in _shares(form, lanes, period, block)]
            most = 1.0 if is_energy(instance.estate.workloads[workload]) else float(len(instance.blocks))
            form.builder.row("presence", label, [*terms, (there, -most)], upper=0.0)
            least = least_nodes(instance, instance.lanes[lanes[0]])
            busiest = max(instance.blocks, key=lambda block: rates[period][block])
            if least > 0 and rates[period][busiest] > 0:
                nodes = _use_terms(form, lanes, period, busiest)
                form.builder.row("presence", label, [*nodes, (there, -least)], lower=0.0)


def _lanes_by_place(form: Formulation) -> dict[tuple[int, str], list[int]]:
    places: dict[tuple[int, str], list[int]] = {}
    for number, lane in enumerate(form.instance.lanes):
        if (lane.workload, lane.fit.pool, 0) in form.present:
            places.setdefault((lane.workload, lane.fit.pool), []).append(number)
    return places


def _shares(form: Formulation, lanes: list[int], period: int, block: int) -> Terms:
    return [(form.serve[lane, period, block], 1.0) for lane in lanes if (lane, period, block) in form.serve]


def indivisible(form: Formulation) -> None:
    """An indivisible workload runs in one place per period: sum over places of present[w,place,p] = 1."""
    instance = form.instance
    for workload, declared in enumerate(instance.estate.workloads):
        if not is_indivisible(declared):
            continue
        places = sorted({lane.fit.pool for _, lane in form.lanes_of(workload)})
        for period in instance.periods:
            terms = [
                (form.present[workload, place, period], 1.0)
                for place in places
                if (workload, place, period) in form.present
            ]
            form.builder.row("indivisible", f"`{declared.id}` in one place", terms, lower=1.0, upper=1.0)


def gang(form: Formulation) -> None:
    """A training run needs its whole gang at once and in one site: gang x there <= nodes in service, per site.

    `there` is the run's presence; runs that may be divided have a column of their own for it (`gathered`), and no more
    of their work is done at the place than that: sum over blocks of serve[l,p,b] <= gathered[w,place,p].
    Pools that can be rented without limit always have the gang, so only the others get rows; of an entry that stands
    for several identical sites, one must hold it. Others on the pool are not in these rows: where those who cannot wait
    leave too few nodes free at once, the plan says so (TP1606).
    """
    instance = form.instance
    for number, lane in enumerate(instance.lanes):
        size, place = lane.fit.fixed_nodes, (lane.workload, lane.fit.pool)
        if lane.pool is None or not needs_gang(form, lane):
            continue
        pool = instance.pools[lane.pool]
        name = f"gang of {size:g} nodes of `{form.workload_id(lane.workload)}` at {pool.spec.id}"
        for period in instance.periods:
            label = f"{name} in {instance.grid.periods[period]}"
            key = (*place, period)
            there = form.gathered.get(key, form.present.get(key))
            if there is None:  # one node is there where any of the work is done
                continue
            if key in form.gathered:
                shares = [term for block in instance.blocks for term in _shares(form, [number], period, block)]
                runs = f"runs of `{form.workload_id(lane.workload)}` at {pool.spec.id}"
                form.builder.row("presence", runs, [*shares, (there, -1.0)], upper=0.0)
            nodes = [*form.owned_terms(lane.pool, period), *form.commit_terms(lane.pool, period)]
            signed = form.signed_nodes(lane.pool, period) / pool.count
            form.builder.row("gang", label, [*nodes, (there, -size)], lower=-signed)


def capacity(form: Formulation) -> None:
    """Nodes used never exceed nodes had.

    sum over lanes of nodes[l,p,b] serve[l,p,b] + standby <= count (owned + committed) + signed + rented,
    for each pool, period and block.
    """
    instance = form.instance
    firm = _firm_lanes(form)
    for number, pool in enumerate(instance.pools):
        for period in instance.periods:
            supply: Terms = [
                (column, -float(pool.count))
                for column, _ in (*form.owned_terms(number, period), *form.commit_terms(number, period))
            ]
            held = _standby_terms(form, firm.get(number, []), period)
            for block in instance.blocks:
                use = _use_terms(form, firm.get(number, []), period, block)
                rent = form.rent.get((number, period, block))
                rented: Terms = [] if rent is None else [(rent, -1.0)]
                label = f"nodes of `{pool.spec.id}` in {instance.grid.periods[period]}"
                form.builder.row(
                    "capacity",
                    label,
                    [*use, *held, *supply, *rented],
                    upper=form.signed_nodes(number, period),
                )


def spare(form: Formulation) -> None:
    """Where a workload asks for spare nodes, so many are idle beside all that runs on its pool.

    sum over lanes of nodes[l,p,b] serve[l,p,b] + standby + spare_nodes x present[w,pool,p] <= count (owned + committed)
    + signed + rented, for each workload that asks, pool, period and block. Who asks for them on the same pool shares
    them: each has a row of its own.
    """
    instance = form.instance
    firm = _firm_lanes(form)
    for (workload, place, period), there in form.present.items():
        declared = instance.estate.workloads[workload]
        number = next((n for n, pool in enumerate(instance.pools) if pool.spec.id == place), None)
        if declared.recovery.spare_nodes <= 0 or number is None:
            continue
        had: Terms = [
            (column, -float(instance.pools[number].count))
            for column, _ in (*form.owned_terms(number, period), *form.commit_terms(number, period))
        ]
        held = _standby_terms(form, firm.get(number, []), period)
        for block in instance.blocks:
            rent = form.rent.get((number, period, block))
            form.builder.row(
                "spare",
                f"spare nodes ({declared.recovery.spare_nodes}) for `{declared.id}` at {place}",
                [
                    *_use_terms(form, firm.get(number, []), period, block),
                    *held,
                    (there, float(declared.recovery.spare_nodes)),
                    *had,
                    *([] if rent is None else [(rent, -1.0)]),
                ],
                upper=form.signed_nodes(number, period),
            )


def _firm_lanes(form: Formulation) -> dict[int, list[int]]:
    lanes: dict[int, list[int]] = {}
    for number, lane in enumerate(form.instance.lanes):
        if lane.kind is LaneKind.FIRM and lane.pool is not None:
            lanes.setdefault(lane.pool, []).append(number)
    return lanes


def _use_terms(form: Formulation, lanes: list[int], period: int, block: int) -> Terms:
    serve = form.serve
    return [
        (serve[number, period, block], form.nodes(number)[period][block])
        for number in lanes
        if (number, period, block) in serve
    ]


def standby_nodes_per_share(form: Formulation, lane_number: int, period: int) -> float:
    """Nodes kept running per unit of standby share: all of them when hot, a fraction when warm, none when cold.

    Where nodes cannot be rented in the hour of need, the whole capacity is held whatever the mode.
    """
    instance = form.instance
    lane = instance.lanes[lane_number]
    if lane.pool is None:
        return 0.0
    nodes = _whole_nodes(form, lane_number, period)
    mode = standby_mode(form, lane.workload)
    if mode == "hot" or not instance.pools[lane.pool].on_demand_hour:
        return nodes
    if mode == "cold":
        return 0.0
    return nodes * default_figure(instance.catalog, instance.estate.assumptions, "standby.warm_fraction").value


def _standby_terms(form: Formulation, lanes: list[int], period: int) -> Terms:
    return [
        (form.standby[number, period], standby_nodes_per_share(form, number, period))
        for number in lanes
        if (number, period) in form.standby
    ]


def _standby_to_rent(form: Formulation, lanes: list[int], period: int) -> Terms:
    terms: Terms = []
    for number in lanes:
        if (number, period) in form.standby:
            full = _whole_nodes(form, number, period)
            terms.append((form.standby[number, period], full - standby_nodes_per_share(form, number, period)))
    return terms


def _whole_nodes(form: Formulation, lane_number: int, period: int) -> float:
    """Nodes that carry the whole demand in its busiest block."""
    return max(form.nodes(lane_number)[period])


def burn(form: Formulation) -> None:
    """Own nodes draw what others do not take over: burn >= busy hours of all lanes - hours x (rented + committed).

    Only pools that can be both owned and rented have these rows; elsewhere busy hours are charged with the share.
    """
    instance = form.instance
    firm = _firm_lanes(form)
    for (number, period, block), column in form.burn.items():
        busy = [
            (form.serve[lane, period, block], busy_hours_per_share(instance, instance.lanes[lane], period, block))
            for lane in firm.get(number, [])
            if (lane, period, block) in form.serve
        ]
        label = f"node-hours worked by own nodes of {instance.pools[number].spec.id}"
        hours = instance.block_hours(block)
        others = [(form.rent[number, period, block], -hours)]
        others += [(c, -hours * instance.pools[number].count) for c, _ in form.commit_terms(number, period)]
        signed = form.signed_nodes(number, period) * hours
        form.builder.row("burn", label, [*busy, *others, (column, -1.0)], upper=signed)


def obtainable(form: Formulation) -> None:
    """Nobody sells more nodes than there are, standby that is to be rented in the hour of need included.

    owned + committed + rented + spot nodes + (standby in full - standby kept running) <= max_nodes x count, for each
    pool with a limit, period and block.
    """
    instance = form.instance
    firm = _firm_lanes(form)
    spot: dict[int, list[int]] = {}
    for number, lane in enumerate(instance.lanes):
        if lane.kind is LaneKind.SPOT and lane.pool is not None:
            spot.setdefault(lane.pool, []).append(number)
    for number, pool in enumerate(instance.pools):
        if math.isinf(pool.max_nodes):
            continue
        for period in instance.periods:
            had: Terms = [
                (column, float(pool.count))
                for column, _ in (*form.owned_terms(number, period), *form.commit_terms(number, period))
            ]
            had.extend(_standby_to_rent(form, firm.get(number, []), period))
            for block in instance.blocks:
                rent = form.rent.get((number, period, block))
                elastic: Terms = [] if rent is None else [(rent, 1.0)]
                elastic.extend(_use_terms(form, spot.get(number, []), period, block))
                limit = pool.max_nodes * pool.count - form.signed_nodes(number, period)
                label = f"{pool.max_nodes:g} node{'s' if pool.max_nodes != 1 else ''} obtainable of {pool.spec.id}"
                form.builder.row("obtainable", label, [*had, *elastic], upper=max(limit, 0.0))
                if not elastic:
                    break


def keep_order(form: Formulation) -> None:
    """Held nodes given up do not come back: keep[pool,p] <= keep[pool,p-1]."""
    for (pool, period), column in form.keep.items():
        if period and column != form.keep[pool, period - 1]:
            before = form.keep[pool, period - 1]
            form.builder.row("keep", "held nodes", [(column, 1.0), (before, -1.0)], upper=0.0)
