"""The family that only the baseline `today` has: where things run now, and what of it is rented by the hour."""

from __future__ import annotations

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.workload import TodayShare
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.instance.instance import Lane, LaneKind

_OTHER_LANES = (PurchaseOption.SPOT, PurchaseOption.PER_TOKEN)


def pin_today(form: Formulation) -> None:
    """Fixes shares and ways of buying to today's, so that the baseline signs and buys nothing for what is rented.

    Interactive: sum over the site's lanes of serve = declared share, per block. Energy kinds: sum over the site's lanes
    and blocks of serve = declared share; in which hours the work is done stays free.
    Declared on demand: sum over the pool's lanes of rented part x nodes[l,p,b] serve[l,p,b] <= rented + nodes signed or
    held that the others leave idle, for each pool, period and block: what is paid anyway carries it first.
    """
    instance = form.instance
    for number, workload in enumerate(instance.estate.workloads):
        shares: dict[str, float] = {}
        for part in workload.today:
            shares[part.site] = shares.get(part.site, 0.0) + part.share
        for site, share in shares.items():
            _pin_site(form, number, site, share)
    _pin_rented(form)


def _pin_site(form: Formulation, number: int, site: str, share: float) -> None:
    instance = form.instance
    lanes = [index for index, lane in form.lanes_of(number) if instance.sites[lane.site].site.id == site]
    is_one = is_energy(instance.estate.workloads[number])
    for period in instance.periods:
        for blocks in [tuple(instance.blocks)] if is_one else [(block,) for block in instance.blocks]:
            keys = [(lane, period, block) for lane in lanes for block in blocks]
            terms = [(form.serve[key], 1.0) for key in keys if key in form.serve]
            if terms:
                label = f"`{form.workload_id(number)}` as today at `{site}`"
                form.builder.row("today", label, terms, lower=share, upper=share)


def _pin_rented(form: Formulation) -> None:
    pools: dict[int, dict[int, float]] = {}
    for index, lane in enumerate(form.instance.lanes):
        if lane.kind is LaneKind.FIRM and lane.pool is not None:
            pools.setdefault(lane.pool, {})[index] = _rented_part(form, lane)
    for (pool, period, block), rent in form.rent.items():
        parts = pools.get(pool, {})
        use: Terms = [
            (form.serve[lane, period, block], part * form.nodes(lane)[period][block])
            for lane, part in parts.items()
            if part > 0 and (lane, period, block) in form.serve
        ]
        if use:
            model = form.instance.pools[pool]
            paid = form.signed_nodes(pool, period) + model.held * model.count
            left = max(0.0, paid - _others(form, parts, period, block))
            form.builder.row("today", f"rented as today at `{model.spec.id}`", [*use, (rent, -1.0)], upper=left)


def _others(form: Formulation, parts: dict[int, float], period: int, block: int) -> float:
    """Nodes in use by what is not declared on demand, by today's shares; batch and training in even hours."""
    needs: dict[int, float] = {}
    for index, part in parts.items():
        lane = form.instance.lanes[index]
        weight = form.instance.grid.blocks[block].weight if is_energy(form.instance.workload(lane)) else 1.0
        here = _declared(form, lane)
        share = sum(each.share for each in here) if here else 1.0
        nodes = (1.0 - part) * share * weight * form.nodes(index)[period][block]
        needs[lane.workload] = max(needs.get(lane.workload, 0.0), nodes)
    return sum(needs.values())


def _declared(form: Formulation, lane: Lane) -> list[TodayShare]:
    site = form.instance.sites[lane.site].site.id
    return [
        part
        for part in form.instance.workload(lane).today
        if part.site == site and part.node_type in (None, lane.fit.node_type) and part.option not in _OTHER_LANES
    ]


def _rented_part(form: Formulation, lane: Lane) -> float:
    """Share of what runs on the lane's nodes today that is declared on demand, 0 to 1."""
    here = _declared(form, lane)
    rented = [part for part in here if part.option is PurchaseOption.ON_DEMAND]
    if len(rented) == len(here):
        return 1.0 if here else 0.0
    total = sum(part.share for part in here)
    return sum(part.share for part in rented) / total if total > 0 else 0.0
