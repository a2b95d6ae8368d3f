"""What prices are when some of them change: in the catalogue, in the estate, and in the charges of a plan.

The three agree: a plan's rows are repriced by the same factors that the prices they come from are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from tripoint.domain.catalog import Catalog, ComputePrice, PriceRatio
from tripoint.domain.charge import Charge, ChargeKind
from tripoint.domain.estate import Estate
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.purchase import NodePool, OwnPrice, PurchaseOption
from tripoint.domain.site import Site

Factors = dict[str, float]
"""Price -> how many times it is what it was; of `spot`, `on_demand`, `token`, `egress`, `energy`."""
NAMES = ("spot", "on_demand", "token", "egress", "energy")


def factors_of(faults: Iterable[Fault]) -> Factors:
    """How many times each price is what it was; changes of the same price multiply."""
    factors = dict.fromkeys(NAMES, 1.0)
    for fault in faults:
        if fault.kind is FaultKind.PRICE:
            for name in fault.on:
                factors[name] = factors.get(name, 1.0) * fault.size
    return factors


def factor_of(charge: Charge, factors: Factors) -> float:
    """How many times a row of a statement costs what it did."""
    if charge.kind is ChargeKind.COMPUTE:
        return factors.get(charge.option, 1.0)
    name = {ChargeKind.API_TOKENS: "token", ChargeKind.EGRESS: "egress", ChargeKind.ENERGY: "energy"}.get(charge.kind)
    return factors[name] if name else 1.0


def effective_usd(charges: Iterable[Charge], factors: Factors) -> float:
    """Effective cost of a statement at changed prices, USD."""
    return math.fsum(charge.effective_usd * factor_of(charge, factors) for charge in charges)


def repriced_catalog(catalog: Catalog, factors: Factors) -> Catalog:
    """The catalogue at changed prices."""
    return replace(
        catalog,
        compute_prices=tuple(_compute(row, factors) for row in catalog.compute_prices),
        price_ratios=tuple(_ratio(row, factors) for row in catalog.price_ratios),
        api_prices=tuple(
            replace(
                row,
                usd_in_per_mtok=row.usd_in_per_mtok * factors["token"],
                usd_out_per_mtok=row.usd_out_per_mtok * factors["token"],
                usd_cached_per_mtok=_times(row.usd_cached_per_mtok, factors["token"]),
                usd_batch_in_per_mtok=_times(row.usd_batch_in_per_mtok, factors["token"]),
                usd_batch_out_per_mtok=_times(row.usd_batch_out_per_mtok, factors["token"]),
            )
            for row in catalog.api_prices
        ),
        egress=tuple(replace(row, usd_per_gb=row.usd_per_gb * factors["egress"]) for row in catalog.egress),
        electricity=tuple(
            replace(
                row,
                low=row.low * factors["energy"],
                typical=row.typical * factors["energy"],
                high=row.high * factors["energy"],
            )
            for row in catalog.electricity
        ),
    )


def repriced_estate(estate: Estate, factors: Factors) -> Estate:
    """The estate with its own prices changed in the same way."""
    return replace(
        estate,
        sites=tuple(_site(site, factors) for site in estate.sites),
        links=tuple(replace(link, usd_per_gb=_times(link.usd_per_gb, factors["egress"])) for link in estate.links),
        prices=tuple(_own(row, factors) for row in estate.prices),
    )


def _compute(row: ComputePrice, factors: Factors) -> ComputePrice:
    return replace(row, usd_per_hour=row.usd_per_hour * factors.get(str(row.option), 1.0))


def _ratio(row: PriceRatio, factors: Factors) -> PriceRatio:
    """Ratios are over on-demand: where that rises alone, what is signed or spot does not."""
    times = factors.get(str(row.option), 1.0) / factors["on_demand"]
    return replace(row, low=row.low * times, typical=row.typical * times, high=row.high * times)


def _site(site: Site, factors: Factors) -> Site:
    power = site.power
    if power is not None:
        power = replace(power, energy_usd_per_kwh=_times(power.energy_usd_per_kwh, factors["energy"]))
    pools = None if site.pools is None else tuple(_pool(pool, factors) for pool in site.pools)
    return replace(site, power=power, pools=pools)


def _pool(pool: NodePool, factors: Factors) -> NodePool:
    return replace(
        pool,
        usd_per_hour=_times(pool.usd_per_hour, factors["on_demand"]),
        spot_usd_per_hour=_times(pool.spot_usd_per_hour, factors["spot"]),
    )


def _own(row: OwnPrice, factors: Factors) -> OwnPrice:
    option = row.option or PurchaseOption.ON_DEMAND
    return replace(
        row,
        usd_per_hour=_times(row.usd_per_hour, factors.get(str(option), 1.0)),
        usd_in_per_mtok=_times(row.usd_in_per_mtok, factors["token"]),
        usd_out_per_mtok=_times(row.usd_out_per_mtok, factors["token"]),
        usd_cached_per_mtok=_times(row.usd_cached_per_mtok, factors["token"]),
    )


def _times(usd: float | None, factor: float) -> float | None:
    return None if usd is None else usd * factor
