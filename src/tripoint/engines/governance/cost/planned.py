"""What did the plan expect these days to cost, at each site and for each workload?

    expected of a day = effective charges of the period the day lies in / days of a period

Only what requests are billed for is compared: nodes with all they need, tokens bought by the million, egress. Storage,
ports, moving data and building sites are in the plan and in no ledger of requests; their sum is told beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from tripoint.domain.charge import Charge, ChargeKind
from tripoint.domain.plan import Plan

BILLED: Final = frozenset((
    ChargeKind.COMPUTE, ChargeKind.AMORTISATION, ChargeKind.CAPITAL, ChargeKind.MAINTENANCE, ChargeKind.STAFF,
    ChargeKind.ENERGY, ChargeKind.FACILITY, ChargeKind.API_TOKENS, ChargeKind.EGRESS,
))  # fmt: skip
"""Kinds of charges that prices of tokens and idle hours are made of."""
_HOURS_A_DAY: Final = 24.0


class Expected(NamedTuple):
    """What a plan expects of a span of days."""

    by_site: dict[str, float]
    """Effective cost by site, USD."""
    by_workload: dict[str, float]
    """Of it, what workloads cause, USD; idle and shared capacity is nobody's."""
    other_usd: float
    """Effective cost of what no request is billed for, USD."""
    outside: int
    """Days among them that lie outside the horizon: the nearest period stands in for theirs."""

    @property
    def total_usd(self) -> float:
        """All that is compared, USD."""
        return sum(self.by_site.values())


def expected(plan: Plan, days: Sequence[tuple[str, float]]) -> Expected:
    """What a plan expects of `days`: dates `YYYY-MM-DD`, each with the part of it that is over, from 0 to 1."""
    weights: dict[int, float] = {}
    outside = 0
    for day, part in days:
        period, is_inside = _period(plan, day)
        outside += not is_inside
        weights[period] = weights.get(period, 0.0) + part * _HOURS_A_DAY / plan.period_hours
    billed = [charge for charge in plan.charges if charge.kind in BILLED]
    others = (charge for charge in plan.charges if charge.kind not in BILLED)
    return Expected(
        by_site=_summed(billed, weights, lambda charge: charge.site),
        by_workload=_summed(billed, weights, lambda charge: charge.workload),
        other_usd=sum(_summed(others, weights, lambda charge: "").values()),
        outside=outside,
    )


def _period(plan: Plan, day: str) -> tuple[int, bool]:
    """The period a day lies in, and whether it lies in the horizon at all."""
    months = _months(day) - _months(plan.start)
    period = months // plan.period_months
    last = len(plan.periods) - 1
    return min(max(period, 0), last), 0 <= period <= last


def _months(date: str) -> int:
    return int(date[:4]) * 12 + int(date[5:7])


def _summed(
    charges: Iterable[Charge], weights: dict[int, float], name: Callable[[Charge], str | None]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for charge in charges:
        weight, key = weights.get(charge.period, 0.0), name(charge)
        if weight and key is not None:
            found[key] = found.get(key, 0.0) + weight * charge.effective_usd
    return found
