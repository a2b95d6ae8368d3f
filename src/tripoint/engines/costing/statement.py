"""What does a quantity of an activity cost? THE cost function: the plan, the bill and the ledger price with it.

An activity is one thing consumed (a node-month of a pool, a GB over a link, a million tokens); its rates
are the unit prices that one unit causes. Charges are rates times quantity: linear, without any price of
their own, so what the optimiser minimises (`effective_usd`) and what a report sums (`price`) cannot
differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.charge import Charge, CommitmentStatus, Rate
from tripoint.domain.errors import InternalError

_SOLVER_NOISE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One thing consumed in one period, and what a unit of it causes to be paid."""

    period: int
    """Index of the planning period."""
    provider: str
    """Who is paid."""
    site: str
    """Where."""
    layer: str
    """`public`, `dense` or `edge`."""
    resource: str
    """SKU, system, link, dataset or API model."""
    option: str
    """Purchase option; empty where none applies."""
    workload: str | None
    """Who causes it; `None` for pool-level and shared activities."""
    status: CommitmentStatus | None
    """Used or Unused, where capacity is held firm and the split is known."""
    rates: tuple[Rate, ...]
    """Unit prices."""


def effective_usd(activity: Activity) -> float:
    """Effective cost of one unit, USD: the objective coefficient."""
    return sum(rate.effective_usd for rate in activity.rates)


def price(activity: Activity, quantity: float) -> tuple[Charge, ...]:
    """Charge rows of `quantity` units; none for a quantity of 0."""
    if not quantity >= -_SOLVER_NOISE:
        raise InternalError(f"cannot price {quantity:g} units of `{activity.resource}` at `{activity.site}`")
    if quantity <= 0:
        return ()
    return tuple(_charge(activity, rate, quantity) for rate in activity.rates)


def _charge(activity: Activity, rate: Rate, quantity: float) -> Charge:
    return Charge(
        period=activity.period,
        kind=rate.kind,
        provider=activity.provider,
        site=activity.site,
        layer=activity.layer,
        resource=activity.resource,
        option=activity.option,
        workload=activity.workload,
        status=activity.status,
        quantity=quantity,
        unit=rate.unit,
        list_usd=rate.list_usd * quantity,
        contracted_usd=rate.contracted_usd * quantity,
        billed_usd=rate.billed_usd * quantity,
        effective_usd=rate.effective_usd * quantity,
        carbon_kg=rate.carbon_kg * quantity,
        basis=rate.basis,
    )
