"""What is still owed after an exit: commitments already signed, and those the plan signs at once."""

from __future__ import annotations

from tripoint.domain.decision import PurchaseAction
from tripoint.domain.plan import Plan
from tripoint.engines.placement.instance.instance import Instance, PoolModel
from tripoint.engines.resilience.lockin.subjects import Subject

_MONTHS_PER_YEAR = 12


def promised_usd(instance: Instance, plan: Plan, subject: Subject, months: float) -> float:
    """Effective cost of commitments after `months`, when nothing is left to use them for, USD."""
    start = _months(instance.estate.horizon.start)
    total = 0.0
    for pool in instance.pools:
        if str(pool.spec.site.id) not in subject.sites:
            continue
        for signed in pool.signed:
            left = _months(signed.ends) - start + 1 - months
            total += max(0.0, left) * signed.nodes * sum(rate.effective_usd for rate in signed.month_rates)
        total += _planned(plan, pool, months)
    return total


def _planned(plan: Plan, pool: PoolModel, months: float) -> float:
    """Commitments the plan signs for its first period."""
    total = 0.0
    for row in plan.purchases:
        if row.pool != pool.spec.id or row.action is not PurchaseAction.COMMIT or row.service_period != 0:
            continue
        term = next((each for each in pool.terms if each.offer.term_months == row.term_months), None)
        if term is not None and row.term_months is not None:
            owed = max(0.0, row.term_months - months)
            total += owed * row.nodes * sum(rate.effective_usd for rate in term.month_rates)
    return total


def _months(month: str) -> int:
    return int(month[:4]) * _MONTHS_PER_YEAR + int(month[5:7])
