"""Constraint families about buildings: power, racks, expansion steps and contracted power."""

from __future__ import annotations

import math

from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.instance.instance import PoolModel, SiteModel


def pools_at(form: Formulation, site: int) -> list[tuple[int, PoolModel]]:
    """Pools of a site whose nodes draw the site's own power."""
    if form.instance.sites[site].site.kind.is_rented:
        return []
    return [(number, pool) for number, pool in enumerate(form.instance.pools) if pool.site == site]


def expansion_terms(form: Formulation, site: int, period: int, amounts: tuple[float, ...]) -> Terms:
    """What the steps in service by `period` add, as terms of their order columns."""
    model = form.instance.sites[site]
    return [
        (form.expand[site, step, order], amounts[step])
        for step in range(len(model.steps))
        for order in range(period - model.expansion_lead[step] + 1)
        if (site, step, order) in form.expand and amounts[step]
    ]


def power(form: Formulation) -> None:
    """IT load never exceeds what survives the loss of a feed.

    sum over pools of nameplate_kw x nodes in the hall (owned, committed, rented) <= usable_kw + sum of steps in
    service, for each site and period (each block where nodes can be rented in). usable_kw = envelope (contracted
    after redundancy), envelope x (feeds - 1) / feeds under N+1, half under 2N. PUE multiplies energy and its cost,
    not the IT envelope.
    """
    for site, model in enumerate(form.instance.sites):
        pools = pools_at(form, site)
        if math.isinf(model.usable_kw) or not pools:
            continue
        adds = tuple(step.adds_kw for step in model.steps)
        for period in form.instance.periods:
            grown = [(column, -kw) for column, kw in expansion_terms(form, site, period, adds)]
            label = f"power of `{model.site.id}`, {model.usable_kw:g} kW, in {_label(form, period)}"
            per_node = {number: pool.node_kw for number, pool in pools}
            for load, held in _loads(form, pools, period, per_node):
                form.builder.row("power", label, [*load, *grown], upper=model.usable_kw - held)


def contracted(form: Formulation) -> None:
    """Contracted power is paid whether drawn or not: slack_kw >= contracted_kw - load, per site and period."""
    for site, model in enumerate(form.instance.sites):
        if model.site.power is None or model.site.power.contracted_kw <= 0:
            continue
        for period in form.instance.periods:
            pools = pools_at(form, site)
            load, held = _loads(form, pools, period, {number: pool.node_kw for number, pool in pools})[-1]
            terms = [(form.slack_kw[site, period], 1.0), *load]
            label = f"contracted power of `{model.site.id}`"
            form.builder.row("contracted", label, terms, lower=model.site.power.contracted_kw - held)


def racks(form: Formulation) -> None:
    """Racks hold few dense nodes.

    sum over pools of nodes in service / nodes_per_rack <= racks + steps in service, for each site and period;
    nodes_per_rack = floor(rack_density_kw / nameplate_kw), and no more than the rack's units allow. Nodes of
    different types may share a rack.
    """
    instance = form.instance
    for site, model in enumerate(instance.sites):
        pools = pools_at(form, site)
        if math.isinf(model.racks) or not pools:
            continue
        adds = tuple(float(step.adds_racks) for step in model.steps)
        for period in instance.periods:
            grown = [(column, -add) for column, add in expansion_terms(form, site, period, adds)]
            per_node = {number: 1.0 / nodes_per_rack(model, pool) for number, pool in pools}
            label = (
                f"{model.racks:g} rack{'s' if model.racks != 1 else ''} at `{model.site.id}` in {_label(form, period)}"
            )
            for load, held in _loads(form, pools, period, per_node):
                form.builder.row("racks", label, [*load, *grown], upper=model.racks - held)


def nodes_per_rack(site: SiteModel, pool: PoolModel) -> int:
    """Whole nodes one rack can power, cool and hold; at least 1 (denser nodes were refused before)."""
    density = None if site.site.power is None else site.site.power.rack_density_kw
    by_power = math.inf if density is None or pool.node_kw <= 0 else density / pool.node_kw
    units = pool.spec.node.rack_units
    by_height = math.inf if not units else _RACK_UNITS / units
    return max(1, math.floor(min(by_power, by_height, 999.0) + 1e-9))


_RACK_UNITS = 42.0


def expansion(form: Formulation) -> None:
    """A step is taken once: sum over periods of expand[site,step,p] <= 1."""
    orders: dict[tuple[int, int], Terms] = {}
    for (site, step, _), column in form.expand.items():
        orders.setdefault((site, step), []).append((column, 1.0))
    for (site, step), terms in orders.items():
        name = form.instance.sites[site].steps[step].id
        form.builder.row("expansion", f"step `{name}` once", terms, upper=1.0)


def _loads(
    form: Formulation, pools: list[tuple[int, PoolModel]], period: int, per_node: dict[int, float]
) -> list[tuple[Terms, float]]:
    """What the nodes in the hall take per site, as terms and a constant: one row, or one per block where some are
    rented in; the last block is the quietest."""
    steady = [
        (column, per_node[number] * factor)
        for number, _ in pools
        for column, factor in (*form.owned_terms(number, period), *form.commit_terms(number, period))
    ]
    held = sum(form.signed_nodes(number, period) / pool.count * per_node[number] for number, pool in pools)
    rented = [
        [
            (form.rent[number, period, block], per_node[number] / pool.count)
            for number, pool in pools
            if (number, period, block) in form.rent
        ]
        for block in form.instance.blocks
    ]
    if not any(rented):
        return [(steady, held)]
    return [([*steady, *terms], held) for terms in rented]


def _label(form: Formulation, period: int) -> str:
    return form.instance.grid.periods[period]
