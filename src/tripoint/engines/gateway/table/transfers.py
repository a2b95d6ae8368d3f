"""What moving a request's bytes costs: the answer out of the serving site, the request out of its caller's site.

Volume tiers are marginal: the price is that of the tier the workload's own monthly volume on that path ends in.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.engines.costing.transfer import RESPONSE_SHARE, Tariff, tariff
from tripoint.engines.gateway.table.ground import Asked, Ground
from tripoint.engines.sizing.paths import path_between


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Transfer charges of a mean request."""

    usd_per_request: float
    """USD, both ways."""
    basis: tuple[str, ...] = ()
    """Keys of the tariffs."""

    @property
    def told(self) -> str:
        """The tariffs for a price's basis; empty where nothing is charged."""
        return f"; egress {', '.join(self.basis)}" if self.usd_per_request > 0 else ""


def egress_of(ground: Ground, asked: Asked, site: str) -> Egress:
    """Transfer charges of a workload's mean request when it is served at a site."""
    usd = 0.0
    basis: list[str] = []
    for caller in asked.workload.callers:
        ways = ((site, caller.place, RESPONSE_SHARE), (caller.place, site, 1.0 - RESPONSE_SHARE))
        for source, target, part in ways:
            priced = _tariff(ground, source, target)
            if priced is not None:
                usd_per_gb = marginal(priced, asked.gb_per_month * caller.share * part)
                usd += asked.gb_per_request * caller.share * part * usd_per_gb
                basis += priced.basis
    return Egress(usd_per_request=usd, basis=tuple(dict.fromkeys(basis)))


def marginal(priced: Tariff, gb_per_month: float) -> float:
    """USD per GB of the tier a monthly volume ends in."""
    reached = [usd for start, _, usd in priced.tiers if start < gb_per_month]
    return reached[-1] if reached else priced.tiers[0][2]


def _tariff(ground: Ground, source: str, target: str) -> Tariff | None:
    """Charged at the source when it is a site of the estate."""
    site = ground.sites.get(source)
    if site is None or source == target:
        return None
    path = path_between(ground.estate, ground.catalog, source, target)
    priced, _ = tariff(site, path.transfer_class, ground.estate, ground.catalog, path.charging_link)
    return priced
