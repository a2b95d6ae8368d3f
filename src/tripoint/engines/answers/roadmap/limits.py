"""Which limits does the plan press against? Power, racks, nodes, GPUs, links and budget, as series over the periods.

Power counts the nameplate of nodes in service, as the program does; racks count by how far nodes fill them. Sites that
stand for several identical ones are told per site; rented ones have no power or racks of ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tripoint.domain.charge import Charge
from tripoint.domain.decision import ExpansionDecision, PoolState, PurchaseAction
from tripoint.domain.policy import CostView
from tripoint.domain.site import ExpansionStep
from tripoint.domain.units import LinkId
from tripoint.engines.answers.roadmap.limit_book import Book, book_of
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.families.facility import nodes_per_rack
from tripoint.engines.placement.instance.instance import Instance, PoolModel, SiteModel

Series = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit and how the plan fills it."""

    resource: str
    """`power`, `racks`, `nodes`, `gpus`, `link` or `budget`."""
    name: str
    """What is limited, e.g. `colo-ams power`."""
    site: str
    """Site id; empty for links and budget."""
    unit: str
    """Unit of both series."""
    used: Series
    """[period] used."""
    limit: Series
    """[period] limit."""
    lead_months: float | None
    """Months from order to service; `None` where nothing can be ordered."""
    remedy: str
    """What can be ordered, or what the limit is."""
    step: float = 0.0
    """Least that can be added at once, e.g. one node's draw."""
    pressed: tuple[bool, ...] = ()
    """[period] whether more would be used if there were more; always when empty."""
    planned: tuple[ExpansionDecision, ...] = ()
    """Steps the plan orders, which raise the limit."""
    is_chosen: bool = False
    """True where the limit is what the plan chose to order, and more could be: that it is full is its own choice."""


def limits(
    instance: Instance,
    decisions: Decisions,
    charges: tuple[Charge, ...],
    traffic: Mapping[LinkId, Series],
) -> tuple[Limit, ...]:
    """Every limit the estate declares, in its order."""
    book = book_of(instance, decisions)
    found: list[Limit] = []
    for number, site in enumerate(instance.sites):
        found.extend(_site_limits(book, number, site))
    found.extend(_links(book, traffic))
    found.extend(_budget(instance, charges))
    return tuple(found)


def _site_limits(book: Book, number: int, site: SiteModel) -> Iterator[Limit]:
    pools = book.pools_at(number)
    if not site.site.kind.is_rented and pools:
        if math.isfinite(site.usable_kw) and site.usable_kw > 0:
            yield _power(book, site, pools)
        if math.isfinite(site.racks) and site.racks > 0:
            yield _racks(book, site, pools)
        yield from _gpus(book, site, pools)
    for pool in pools:
        if math.isfinite(pool.max_nodes) and pool.max_nodes > 0:
            yield _nodes(book, site, pool)


def _power(book: Book, site: SiteModel, pools: list[PoolModel]) -> Limit:
    periods = book.instance.periods
    left = [step for step in book.steps_left(site) if step.adds_kw > 0]
    lead, remedy = _soonest(left, "kW", [step.adds_kw for step in left]) or _new_hall(book, "power")
    return Limit(
        resource="power",
        name=f"{site.site.id} power",
        site=site.site.id,
        unit="kW",
        used=tuple(sum(book.owned(pool, p) * pool.node_kw for pool in pools) for p in periods),
        limit=tuple(site.usable_kw + sum(step.adds_kw for step in book.steps_in_service(site, p)) for p in periods),
        lead_months=lead,
        remedy=_each(site, f"nameplate power of owned nodes; {remedy}"),
        step=min((pool.node_kw for pool in pools if pool.owned_month), default=0.0),
        pressed=book.pressed(pools),
        planned=_raising(book, site, [step.id for step in site.steps if step.adds_kw > 0]),
    )


def _racks(book: Book, site: SiteModel, pools: list[PoolModel]) -> Limit:
    periods = book.instance.periods
    left = [step for step in book.steps_left(site) if step.adds_racks > 0]
    lead, remedy = _soonest(left, "racks", [float(step.adds_racks) for step in left]) or _new_hall(book, "racks")
    part = {pool.spec.id: 1.0 / nodes_per_rack(site, pool) for pool in pools}
    return Limit(
        resource="racks",
        name=f"{site.site.id} racks",
        site=site.site.id,
        unit="racks",
        used=tuple(sum(book.owned(pool, p) * part[pool.spec.id] for pool in pools) for p in periods),
        limit=tuple(site.racks + sum(step.adds_racks for step in book.steps_in_service(site, p)) for p in periods),
        lead_months=lead,
        remedy=_each(site, f"racks that nodes fill; {remedy}"),
        step=min((part[pool.spec.id] for pool in pools if pool.owned_month), default=0.0),
        pressed=book.pressed(pools),
        planned=_raising(book, site, [step.id for step in site.steps if step.adds_racks > 0]),
    )


def _raising(book: Book, site: SiteModel, steps: list[str]) -> tuple[ExpansionDecision, ...]:
    """Orders of those steps."""
    return tuple(row for row in book.planned(site) if row.step in steps)


def _gpus(book: Book, site: SiteModel, pools: list[PoolModel]) -> Iterator[Limit]:
    """GPUs that must work at once against those in service; a limit only where no more can be had."""
    periods = book.instance.periods
    limit = tuple(book.in_service(pools, period) for period in periods)
    if max(limit) <= 0:
        return
    leads = [pool.lead_months for pool in pools if pool.owned_month]
    bought = [row for row in book.decisions.purchases if row.action is PurchaseAction.BUY]
    orders = sum(row.nodes for row in bought if row.site == site.site.id) / site.site.count
    more = f"{orders:g} more node{'' if orders == 1 else 's'}" if orders else "no more nodes"
    yield Limit(
        resource="gpus",
        name=f"{site.site.id} GPUs",
        site=site.site.id,
        unit="GPUs",
        used=tuple(book.needed(pools, period) for period in periods),
        limit=limit,
        lead_months=min(leads) if leads else None,
        remedy=_each(
            site,
            f"GPUs needed at once of those in service, with work that can wait spread evenly; the plan orders {more}",
        ),
        pressed=book.pressed(pools),
        is_chosen=any(pool.owned_month or pool.terms for pool in pools),
    )


def _nodes(book: Book, site: SiteModel, pool: PoolModel) -> Limit:
    periods, is_rented = book.instance.periods, site.site.kind.is_rented

    def had(state: PoolState) -> float:
        return (state.owned + state.committed + state.on_demand + state.spot) / pool.count

    return Limit(
        resource="nodes",
        name=pool.spec.id,
        site=site.site.id,
        unit="nodes",
        used=tuple(max(had(state) for state in book.states[pool.spec.id, p]) for p in periods),
        limit=(pool.max_nodes,) * len(periods),
        lead_months=0.0 if is_rented else pool.lead_months,
        remedy=_each(site, f"declared `max_nodes` of {pool.max_nodes:g}; raise it where more can be had"),
        pressed=() if is_rented else book.pressed([pool]),
    )


def _links(book: Book, traffic: Mapping[LinkId, Series]) -> Iterator[Limit]:
    counts = {model.site.id: model.site.count for model in book.instance.sites}
    for link in book.instance.estate.links:
        if link.bandwidth_gbps is None or link.id not in traffic:
            continue
        alike = max(counts.get(link.source, 1), counts.get(link.target, 1))
        yield Limit(
            resource="link",
            name=link.id,
            site="",
            unit="Gbit/s",
            used=tuple(gbps / alike for gbps in traffic[link.id]),
            limit=(link.bandwidth_gbps,) * len(book.instance.periods),
            lead_months=book.default("lead_time.circuit_months"),
            remedy="busiest hours, the busier direction; a larger port or a second circuit can be ordered"
            + (f"; each of {alike} alike" if alike > 1 else ""),
        )


def _budget(instance: Instance, charges: tuple[Charge, ...]) -> Iterator[Limit]:
    budget = instance.estate.policies.budget
    if budget is None:
        return
    is_billed = budget.view is CostView.BILLED
    spent = [0.0] * len(instance.periods)
    for row in charges:
        spent[row.period] += row.billed_usd if is_billed else row.effective_usd
    yield Limit(
        resource="budget",
        name="budget",
        site="",
        unit="USD",
        used=tuple(spent),
        limit=(budget.usd_per_period,) * len(spent),
        lead_months=None,
        remedy=f"{budget.view.value} cost per period",
    )


def _soonest(steps: list[ExpansionStep], unit: str, adds: list[float]) -> tuple[float, str] | None:
    """The step that is there first, the larger of two equal ones."""
    if not steps:
        return None
    step, added = min(zip(steps, adds, strict=True), key=lambda each: (each[0].lead_time_months, -each[1]))
    return float(step.lead_time_months), f"`{step.id}` would add {added:g} {unit}"


def _new_hall(book: Book, what: str) -> tuple[float, str]:
    return book.default("lead_time.colo_months"), f"no declared expansion adds {what}, so new space is needed"


def _each(site: SiteModel, text: str) -> str:
    return text if site.site.count == 1 else f"per site, {site.site.count} alike; {text}"
