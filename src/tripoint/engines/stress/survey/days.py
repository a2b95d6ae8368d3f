"""Which day of a plan is tried."""

from __future__ import annotations

from datetime import date

from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.units import MONTHS_PER_YEAR
from tripoint.engines.gateway.table.shares import period_at


def day_tried(plan: Plan, label: str, today: date) -> date:
    """A day of the plan's period of that label: `today` where it names that of today or none, else its first day.

    Raises `OptionError` for a label the plan does not have.
    """
    if not label:
        return today
    if label not in plan.periods:
        known = ", ".join(plan.periods)
        raise OptionError(f"the plan has no period `{label}`", hint=f"name one of {known}" if known else "it has none")
    period = plan.periods.index(label)
    if period == period_at(plan, today):
        return today
    year, month = (int(part) for part in plan.start.split("-")[:2])
    years, months = divmod(month - 1 + period * plan.period_months, MONTHS_PER_YEAR)
    return date(year + years, months + 1, 1)
