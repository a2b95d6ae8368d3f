"""What does an hour of a node cost, whether it works or not, and what does work add? The cost function's own rates.

    owned       amortisation, interest, upkeep, staff, space and idle power of a month / 730; work adds its energy
    committed   the month's rate / 730; work adds nothing
    rented      the hour's rate while the node is up; work adds nothing

Of owned nodes those held already cost what is left of their book value, the others the price of a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tripoint.domain.charge import Rate
from tripoint.domain.purchase import Offer, PurchaseOption
from tripoint.domain.units import HOURS_PER_MONTH
from tripoint.engines.costing.rates import (
    committed_node_month,
    elastic_node_hour,
    held_node_month,
    owned_busy_hour,
    owned_node_month,
)
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.figures import NodeFigures, SiteFigures, node_figures, site_figures
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.facts.prices.offers import commitment_offer, pool_offers
from tripoint.engines.gateway.table.ground import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHour:
    """An hour of a node, USD, at own prices and at list prices."""

    firm: float
    """Paid whether it works or not."""
    firm_list: float
    """The same at list prices."""
    busy: float = 0.0
    """What an hour of work adds."""
    busy_list: float = 0.0
    """The same at list prices."""
    rework: float = 1.0
    """Hours paid for one hour of useful work: nodes that are taken back lose some."""
    basis: tuple[str, ...] = ()
    """Keys of the figures it rests on."""

    @property
    def useful(self) -> float:
        """An hour of useful work, everything included."""
        return self.firm * self.rework + self.busy

    @property
    def useful_list(self) -> float:
        """The same at list prices."""
        return self.firm_list * self.rework + self.busy_list


def node_hour(ground: Ground, pool: PoolSpec, option: PurchaseOption) -> NodeHour | None:
    """An hour of one of the pool's nodes, bought so; `None` without a price."""
    overrides = ground.estate.assumptions
    node = node_figures(pool, ground.catalog, overrides)
    place = site_figures(pool.site, ground.catalog, overrides)
    if option is PurchaseOption.OWNED:
        return _owned(ground, pool, node, place)
    if option is PurchaseOption.COMMITTED:
        rates = _committed(ground, pool, node, place)
        return None if rates is None else _hour(rates, 1.0 / HOURS_PER_MONTH)
    offer = _offer(ground, pool, option)
    if offer is None:
        return None
    return replace(_hour(elastic_node_hour(offer, node, place), 1.0), rework=rework(ground, option))


def rework(ground: Ground, option: PurchaseOption) -> float:
    """Hours paid for one of useful work: the planner's figure for spot nodes, 1 for all others."""
    if option is not PurchaseOption.SPOT:
        return 1.0
    return 1.0 + default_figure(ground.catalog, ground.estate.assumptions, "spot.lost_work_share").value


def _owned(ground: Ground, pool: PoolSpec, node: NodeFigures, place: SiteFigures) -> NodeHour:
    gpus, finance = pool.node.gpus, ground.finance
    kept = _held_share(ground, pool)
    is_written_off = pool.declared.held_until is None or pool.declared.held_until < f"{ground.today:%Y-%m}"
    held = held_node_month(node, gpus, place, finance, is_written_off=is_written_off) if kept > 0.0 else ()
    bought = owned_node_month(node, gpus, place, finance) if kept < 1.0 else ()
    old, new = _hour(held, kept / HOURS_PER_MONTH), _hour(bought, (1.0 - kept) / HOURS_PER_MONTH)
    work = _hour(owned_busy_hour(node, place, finance), 1.0)
    return NodeHour(
        firm=old.firm + new.firm,
        firm_list=old.firm_list + new.firm_list,
        busy=work.firm,
        busy_list=work.firm_list,
        basis=tuple(dict.fromkeys((*old.basis, *new.basis, *work.basis))),
    )


def _held_share(ground: Ground, pool: PoolSpec) -> float:
    """Share of the nodes behind the pool's upstreams that are held already, 0 to 1; all the rest is bought new."""
    held = pool.declared.held * pool.site.count
    upstreams = ground.estate.serving.upstreams
    behind = sum(
        each.nodes for each in upstreams if each.site == pool.site.id and ground.node_type_of(each) == pool.node.id
    )
    return min(1.0, held / behind) if behind > 0.0 else float(held > 0)


def _committed(ground: Ground, pool: PoolSpec, node: NodeFigures, place: SiteFigures) -> tuple[Rate, ...] | None:
    """Month of a committed node: the mean of the commitments that run, else a new one of the shortest term."""
    month = f"{ground.today:%Y-%m}"
    running = [each for each in pool.declared.commitments if each.ends >= month]
    found = [(commitment_offer(pool, each, ground.estate, ground.catalog)[0], each.nodes) for each in running]
    signed = [(offer, float(nodes)) for offer, nodes in found if offer is not None and nodes > 0]
    if not signed:
        offer = _offer(ground, pool, PurchaseOption.COMMITTED)
        return None if offer is None else committed_node_month(offer, node, place)
    total = sum(nodes for _, nodes in signed)
    mean = replace(
        signed[0][0],
        price_usd=sum(offer.price_usd * nodes for offer, nodes in signed) / total,
        list_usd=sum(offer.list_usd * nodes for offer, nodes in signed) / total,
        basis=tuple(dict.fromkeys(key for offer, _ in signed for key in offer.basis)),
    )
    return committed_node_month(mean, node, place)


def _offer(ground: Ground, pool: PoolSpec, option: PurchaseOption) -> Offer | None:
    offers, _ = pool_offers(replace(pool, options=(option,)), ground.estate, ground.catalog)
    alike = [offer for offer in offers if offer.option is option]
    return min(alike, key=lambda offer: offer.term_months or 0, default=None)


def _hour(rates: Sequence[Rate], part: float) -> NodeHour:
    """Rates times `part`, all of it firm."""
    return NodeHour(
        firm=sum(rate.effective_usd for rate in rates) * part,
        firm_list=sum(rate.list_usd for rate in rates) * part,
        basis=tuple(dict.fromkeys(key for rate in rates for key in rate.basis)),
    )
