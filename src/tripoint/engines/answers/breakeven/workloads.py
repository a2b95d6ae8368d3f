"""When does holding capacity beat renting it? Per workload here, per pool in `pools`; both in one table.

A workload's firm ways meet its elastic ways, all taken from its own lanes, so policy has removed what is not allowed
before a price is looked at. The firm way named is the plan's own where it uses one for the workload, else the cheapest
that pays at today's demand, else the first to pay as demand grows; the elastic way named is the cheapest at the
threshold (at today's demand where there is none). The workload is looked at on its own; the plan may do better by
letting several share nodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tripoint.domain.decision import PurchaseAction
from tripoint.domain.plan import BreakEven, CostCurve, CostPoint
from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.answers.breakeven.appetite import Appetite, appetite
from tripoint.engines.answers.breakeven.contest import Contest, Elastic, End, Firm, contests
from tripoint.engines.answers.breakeven.pools import pool_break_evens, stated, use_words
from tripoint.engines.answers.breakeven.ways import (
    Market,
    market_of,
    node_of,
    term_words,
    token_usd,
    words_of,
)
from tripoint.engines.answers.hindrances import NOTHING_IN_THE_WAY, Hindrances
from tripoint.engines.answers.homes import OWNED, TOLD, Served, homes_of, served
from tripoint.engines.costing.breakeven.curves import Way, by_tokens
from tripoint.engines.costing.breakeven.threshold import ALREADY, BEYOND, HORIZON_YEARS, Crossing, Range, crossing
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind

_POINTS = 32
_WIDEST = 50.0
"""A picture reaches at most this many times today's demand, so that today can still be seen."""


def break_evens(
    instance: Instance,
    decisions: Decisions,
    found: Sequence[tuple[Contest, ...]],
    hindered: Hindrances = NOTHING_IN_THE_WAY,
    market: Market | None = None,
) -> tuple[BreakEven, ...]:
    """Workloads in the estate's order, then pools, those the plan uses most first; a price out of reach says so.

    `market` is that of the instance, where somebody has priced it already.
    """
    plan = served(decisions)
    told = [own_contest(instance, number, decisions, plan, each) for number, each in enumerate(found) if each]
    return (
        *(_row(instance, each, hindered) for each in told),
        *pool_break_evens(instance, decisions, market or market_of(instance)),
    )


def own_contest(
    instance: Instance, number: int, decisions: Decisions, plan: Served, found: Sequence[Contest]
) -> Contest:
    """The contest of the firm way that carries most of a workload in the plan; the first where none does."""
    for home in homes_of(instance, number, plan):
        if not home.is_firm or home.share < TOLD:
            continue
        kinds = ("owned", "held") if home.way == OWNED else _signed_words(decisions, home.pool)
        mine = [each for each in found if each.firm.label in [f"{home.pool} {kind}" for kind in kinds]]
        if mine:
            return min(mine, key=lambda each: kinds.index(each.firm.option))
    return found[0]


def _signed_words(decisions: Decisions, pool: str) -> tuple[str, ...]:
    """Terms the plan signs for a pool, most nodes first: `committed 3y`."""
    nodes: dict[str, float] = {}
    for row in decisions.purchases:
        if row.pool == pool and row.action is PurchaseAction.COMMIT and row.term_months:
            words = term_words(row.term_months)
            nodes[words] = nodes.get(words, 0.0) + row.nodes
    return tuple(sorted(nodes, key=lambda words: -nodes[words]))


def all_contests(instance: Instance, market: Market | None = None) -> tuple[tuple[Contest, ...], ...]:
    """[workload] its firm ways against its elastic ways, first the one that pays first; none where one side lacks.

    `market` is that of the instance, where somebody has priced it already.
    """
    priced = market or market_of(instance)
    lanes: list[list[Lane]] = [[] for _ in instance.estate.workloads]
    for lane in instance.lanes:
        lanes[lane.workload].append(lane)
    return tuple(_contests_of(instance, priced, number, mine) for number, mine in enumerate(lanes))


def _contests_of(instance: Instance, market: Market, number: int, lanes: list[Lane]) -> tuple[Contest, ...]:
    asked = appetite(instance, number)
    if asked is None:
        return ()
    return contests(_firm_sides(instance, market, lanes), _elastic_sides(instance, market, lanes), asked)


def _firm_sides(instance: Instance, market: Market, lanes: list[Lane]) -> list[Firm]:
    """Every firm way of some lanes."""
    sides: list[Firm] = []
    for lane in lanes:
        if lane.kind is not LaneKind.FIRM or lane.pool is None:
            continue
        pool = instance.pools[lane.pool]
        sides.extend(
            Firm(
                label=f"{pool.spec.id} {way.option}",
                option=way.option,
                site=pool.spec.site.id,
                fit=lane.fit,
                lot=pool.count,
                month_usd=way.month_usd,
                busy_hour_usd=way.busy_hour_usd,
            )
            for way in market.firm[lane.pool]
        )
    return sides


def _elastic_sides(instance: Instance, market: Market, lanes: list[Lane]) -> list[Elastic]:
    """Every elastic way of some lanes: on demand where nodes are rented, spot and APIs where they are lanes."""
    sides: list[Elastic] = []
    for lane in lanes:
        site = lane.fit.site
        if lane.pool is None:
            usd = token_usd(instance, lane)
            label = f"{lane.fit.pool} per_token"
            sides.append(Elastic(label=label, option="per_token", site=site, fit=lane.fit, usd=usd))
            continue
        wanted = "spot" if lane.kind is LaneKind.SPOT else "on_demand"
        sides.extend(
            Elastic(
                label=f"{lane.fit.pool} {way.option}",
                option=way.option,
                site=site,
                fit=lane.fit,
                usd=way.hour_usd,
            )
            for way in market.elastic[lane.pool]
            if way.option == wanted
        )
    return sides


def _row(instance: Instance, held: Contest, hindered: Hindrances) -> BreakEven:
    asked, firm = held.appetite, held.firm
    demand = held.demand()
    rival = held.rival(demand.value if 0 < demand.value < math.inf else asked.mtok)
    use = held.utilisation(rival)
    in_the_way = hindered.link(firm.fit.workload, rival.site)
    when = crossing(asked.mtok, asked.growth_per_year, demand, instance.estate.horizon.start)
    return BreakEven(
        subject=firm.fit.workload,
        kind="workload",
        firm=firm.label,
        elastic=rival.label,
        firm_usd_per_node_month=firm.month_usd.value,
        elastic_usd_per_node_hour=held.node_hour(rival).value,
        utilisation=stated(use.utilisation),
        utilisation_low=stated(use.low),
        utilisation_high=stated(use.high),
        mtok_per_month=_finite(demand.value),
        mtok_low=_finite(demand.low),
        mtok_high=_finite(demand.high),
        month=when.month,
        month_early=when.early,
        month_late=when.late,
        demand_mtok_per_month=asked.mtok,
        curves=_curves(held, rival, demand),
        note="; but ".join(filter(None, (_note(held, rival, demand, when), in_the_way))),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _curves(held: Contest, rival: Elastic, demand: Range) -> tuple[CostCurve, ...]:
    """Monthly cost over demand: whole nodes where demand is flat, else firm nodes with the peaks rented."""
    asked, firm = held.appetite, held.firm
    top = 2.0 * asked.mtok
    if math.isfinite(demand.value):
        top = min(max(top, 1.6 * demand.value), _WIDEST * asked.mtok)
    if not asked.is_waiting:
        mtok_per_hour = firm.lot / asked.node_hours_per_mtok(firm.fit)
        usd = firm.month_usd.value * firm.lot, firm.occupied_hour_usd(asked).value * firm.lot
        owned = Way(label=firm.option, month_usd=usd[0], hour_usd=usd[1])
        rented = Way(label=rival.option, hour_usd=held.node_hour(rival).value * firm.lot)
        return by_tokens((owned, rented), mtok_per_hour, top)
    marks = {top * step / _POINTS for step in range(_POINTS + 1)} | {asked.mtok, min(demand.value, top)}
    steps, lines = sorted(marks), held.lines(End.USED)
    return (
        CostCurve(label=firm.option, points=tuple(CostPoint(x=x, usd=lines.best(x)) for x in steps)),
        CostCurve(label=rival.option, points=tuple(CostPoint(x=x, usd=lines.elastic(x)) for x in steps)),
    )


def _note(held: Contest, rival: Elastic, demand: Range, when: Crossing) -> str:
    firm, asked = held.firm, held.appetite
    node = f"{node_of(firm.option)} at `{firm.site}` ({firm.month_usd.value:,.0f} USD a month)"
    other = f"`{rival.fit.node_type}` {words_of(rival.option)} at `{rival.site}`"
    if not math.isfinite(demand.value):
        full = firm.month_usd.value + HOURS_PER_MONTH * firm.occupied_hour_usd(asked).value
        there = held.node_hour(rival).value * HOURS_PER_MONTH
        costs = f"always full costs {full:,.0f} USD a month for work that costs {there:,.0f} there"
        return f"{other} stays cheaper: {node_of(firm.option)} at `{firm.site}` {costs}"
    if demand.value <= 0:
        return f"{node} beats {other} from the first request, for the replicas kept running fill it"
    use = held.utilisation(rival).utilisation
    above = f" ({use_words(use)} use)" if use <= 1 else ""
    return f"{node} beats {other} above {_mtok(demand.value)}{above}; {_crossing_words(asked, when)}"


def _crossing_words(asked: Appetite, when: Crossing) -> str:
    spread = "" if when.early == when.late else f" ({when.early} to {when.late})"
    if when.month == ALREADY:
        return f"demand is {_mtok(asked.mtok)} already{spread}"
    if when.month == BEYOND:
        growth = f"growing {asked.growth_per_year:.0%} a year" if asked.growth_per_year > 0 else "without growth"
        return f"demand of {_mtok(asked.mtok)} {growth} stays below it for {HORIZON_YEARS} years{spread}"
    return f"demand of {_mtok(asked.mtok)} grows into it in {when.month}{spread}"


def _mtok(value: float) -> str:
    return f"{value:,.0f} Mtok a month" if value >= 10 else f"{value:,.2g} Mtok a month"
