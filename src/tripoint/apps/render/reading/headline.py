"""The answer in four numbers: total, savings, first limit, first decision."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.apps.render.reading.amounts import gap_percent, money_of, month_key, months_on
from tripoint.apps.render.reading.decisions import Decision, decisions
from tripoint.apps.render.reading.money import alternatives, plan_line, total_usd
from tripoint.domain.charge import carbon_unknown_usd
from tripoint.domain.plan import Baseline, Headroom, Plan, PlanStatus

_NAMED = 2
"""So many limits that are full from the start are named beside the first one."""
_FILLED = 0.98
"""Share of a limit from which it is full by itself, as in the guide on reading a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """The plan against one alternative."""

    baseline: Baseline
    """The alternative."""
    usd: float
    """Effective cost it would add over the horizon, USD; negative when it is cheaper."""
    share: float
    """`usd` as a share of the alternative's cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What a board asks first."""

    total_usd: float
    """Effective cost over the horizon, USD."""
    months: int
    """Length of the horizon, months."""
    carbon_kg: float
    """Emissions, kgCO2e."""
    carbon_unknown_usd: float
    """Part of the cost whose emissions nobody publishes, USD."""
    savings: tuple[Saving, ...]
    """Against each alternative that exists, in the plan's order."""
    first_limit: Headroom | None
    """The limit reached first, if any is in sight."""
    first_decision: Decision | None
    """The first thing to do."""

    def against(self, name: str) -> Saving | None:
        """Saving against the alternative of that name."""
        return next((saving for saving in self.savings if saving.baseline.name == name), None)


def headline(plan: Plan) -> Headline:
    """The plan in four numbers."""
    total = total_usd(plan)
    own = plan_line(plan)
    todo = decisions(plan)
    return Headline(
        total_usd=total,
        months=len(plan.periods) * plan.period_months,
        carbon_kg=own.carbon_kg if own else sum(charge.carbon_kg for charge in plan.charges),
        carbon_unknown_usd=own.carbon_unknown_usd if own else carbon_unknown_usd(plan.charges),
        savings=tuple(
            _saving(baseline, total)
            for baseline in alternatives(plan)
            if baseline.status is not PlanStatus.INFEASIBLE and baseline.total_usd > 0
        ),
        first_limit=first_limit(plan),
        first_decision=todo[0] if todo else None,
    )


def roadmap(plan: Plan) -> tuple[Headroom, ...]:
    """Limits that are reached within sight, first reached first."""
    return tuple(sorted((row for row in plan.headroom if row.exhausted), key=lambda row: month_key(row.exhausted)))


def first_limit(plan: Plan) -> Headroom | None:
    """The limit that is news: reached first among those not full from the first period on.

    Accelerators in service follow the orders, so their being busy is no limit of the estate; they come last.
    """
    rows = roadmap(plan)
    limits = [row for row in rows if row.resource != "gpus"]
    news = [row for row in limits if not is_full_at_once(row, plan)]
    return next(iter((*news, *limits, *rows)), None)


def full_from_the_start(plan: Plan) -> str:
    """`edge-1 racks is full from the start` and alike, of what the first limit that is news leaves out; empty if none.

    Two are named, the others counted.
    """
    first = first_limit(plan)
    names = [
        row.name for row in roadmap(plan) if row.resource != "gpus" and row != first and is_full_at_once(row, plan)
    ]
    if not names:
        return ""
    told = names if len(names) <= _NAMED else [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    return f"{' and '.join(told)} {'is' if len(names) == 1 else 'are'} full from the start"


def is_full_at_once(row: Headroom, plan: Plan) -> bool:
    """Whether the limit is reached in the first period already."""
    return bool(row.exhausted and plan.periods) and month_key(row.exhausted) <= month_key(plan.periods[0])


def stopped_words(plan: Plan) -> str:
    """That the search ended before the gap asked for, with both gaps; empty where it did not.

    Planning again ends by itself, long before its time limit, so that it says what would prove more.
    """
    solve = plan.solve
    if solve is None or not solve.was_interrupted:
        return ""
    wanted = _gap_asked(plan.options.get("gap", ""))
    least = f"a plan may cost as little as {money_of(plan).short(solve.bound_usd)} discounted"
    if solve.strategy == "warm":
        end = "planning afresh, without `--warm`, may find and prove more"
        return f"planned again from an earlier plan: gap {gap_percent(solve.gap)}{wanted}; {least}; {end}"
    return f"search stopped early: gap {gap_percent(solve.gap)}{wanted}; {least}"


def _gap_asked(option: str) -> str:
    try:
        return f", {gap_percent(float(option))} was asked for"
    except ValueError:  # a plan of another program need not say, or may say it otherwise
        return ""


def leaves_a_rest(row: Headroom, plan: Plan) -> bool:
    """Whether the plan fills the limit with something left that no further node fits into."""
    if row.resource not in ("power", "racks") or row.exhausted not in plan.periods:
        return False
    period = plan.periods.index(row.exhausted)
    return row.used[period] < _FILLED * row.limit[period]


def order_words(row: Headroom, plan: Plan) -> str:
    """`order by 2028-04`; where that month is past, the month from which an order at the start serves; else empty."""
    if not row.order_by:
        return ""
    if month_key(row.order_by) >= month_key(plan.start):
        return f"order by {row.order_by}"
    if not math.isfinite(row.lead_time_months):
        return "too late to order in time"
    served = months_on(plan.start, math.ceil(row.lead_time_months))
    return f"too late to order in time: ordered in {plan.start}, more serves from {served}"


def _saving(baseline: Baseline, total: float) -> Saving:
    usd = baseline.total_usd - total
    return Saving(baseline=baseline, usd=usd, share=usd / baseline.total_usd)
