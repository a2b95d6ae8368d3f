"""Constraint families about moving bytes: link bandwidth by block, and egress with tiers."""

from __future__ import annotations

import math

from tripoint.domain.units import GB_PER_TB
from tripoint.engines.costing.transfer import Tariff, egress_gb
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation, Terms, activity_at

_TINY_GB = 1e-6


def links(form: Formulation, network: Network) -> None:
    """Traffic fits the link in every block and direction: sum of gbps x column <= bandwidth x identical ends.

    Interactive traffic counts at its busiest hour of the block, data transfers at their monthly mean; a site entry
    that stands for many identical sites has as many identical links.
    """
    estate = form.instance.estate
    copies = {model.site.id: model.site.count for model in form.instance.sites}
    for link in estate.links:
        if link.bandwidth_gbps is None:
            continue
        ends = max(copies.get(link.source, 1), copies.get(link.target, 1))
        for period in form.instance.periods:
            for block in form.instance.blocks:
                for forward in (True, False):
                    terms = network.loads.get((link.id, forward, period, block), [])
                    if terms:
                        label = f"link `{link.id}`, {link.bandwidth_gbps:g} Gbit/s"
                        form.builder.row("links", label, terms, upper=link.bandwidth_gbps * ends)


def egress(form: Formulation, network: Network) -> None:
    """Egress is priced on the aggregate monthly volume per charging site and tariff.

    sum over tiers of width[k] x tier[k] = sum of TB x column; 0 <= tier[k] <= 1. Where a later tier is cheaper (the
    cost is concave there) order binaries fill tiers from below: tier[k] <= z[k], tier[k-1] >= z[k]. Only tiers the
    largest possible volume can reach exist. A tier is a part of its width, so that no yes or no stands beside a width.
    """
    months = form.instance.estate.horizon.period_months
    for (site, key, period), terms in network.volumes.items():
        tariff = network.tariffs[site, key]
        top = sum(gb * min(form.builder.upper_of(column), 1e12) for column, gb in terms if gb > 0)
        tiers = _reachable(tariff, top)
        if top <= _TINY_GB or all(price == 0.0 for _, _, price in tiers):
            continue
        columns = _tier_columns(form, (site, key, period), tariff, tiers, months)
        total: Terms = [(column, width / GB_PER_TB) for column, (_, width, _) in zip(columns, tiers, strict=True)]
        label = f"egress of `{form.instance.sites[site].site.id}` ({key})"
        form.builder.row("egress", label, [*total, *((c, -gb / GB_PER_TB) for c, gb in terms)], lower=0.0, upper=0.0)
        _order_tiers(form, label, columns, tiers)


def _reachable(tariff: Tariff, volume: float) -> list[tuple[float, float, float]]:
    tiers: list[tuple[float, float, float]] = []
    for start, end, price in tariff.tiers:
        if start < volume or not tiers:
            width = (math.inf if end is None else end) - start
            tiers.append((start, width, price))
    start, _, price = tiers[-1]
    tiers[-1] = (start, max(volume - start, 0.0) + 1.0, price)
    return tiers


def _tier_columns(
    form: Formulation,
    key: tuple[int, str, int],
    tariff: Tariff,
    tiers: list[tuple[float, float, float]],
    months: int,
) -> list[int]:
    site, path, period = key
    columns: list[int] = []
    for number, (_, width, _) in enumerate(tiers):
        column = form.builder.column(f"tier[{form.instance.sites[site].site.id},{path},p{period},t{number}]", upper=1.0)
        form.tier[site, path, period, number] = column
        form.tier_gb[column] = width
        activity = activity_at(
            form, period=period, site=site, resource=path, option="", rates=egress_gb(tariff, number)
        )
        form.charge(column, activity, months * width)
        columns.append(column)
    return columns


def _order_tiers(form: Formulation, label: str, columns: list[int], tiers: list[tuple[float, float, float]]) -> None:
    for number in range(1, len(tiers)):
        if tiers[number][2] >= tiers[number - 1][2]:
            continue
        opened = form.builder.column(f"open[{label},t{number}]", upper=1.0, integer=True)
        form.builder.row("egress", label, [(columns[number], 1.0), (opened, -1.0)], upper=0.0)
        form.builder.row("egress", label, [(columns[number - 1], 1.0), (opened, -1.0)], lower=0.0)
