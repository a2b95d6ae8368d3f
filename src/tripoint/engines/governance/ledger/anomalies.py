"""Which spend stands out: a tenant's day with a model against its own recent days.

The median says what is usual, the median distance from it (MAD) how much days differ; neither is moved by the few days
that stood out before. 1.4826 makes the MAD an estimate of a standard deviation where days vary normally (Leys et al.,
2013, doi 10.1016/j.jesp.2013.03.013). A day under way is judged by what it has cost already, so it is found early and
never for being young.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from tripoint.domain.ledger import Dimension, Spend, SpendQuery
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.governance.ledger.days import day_number, day_text

DAYS_BACK: Final = 28
"""Days before the one judged that say what is usual."""
_LEAST_DAYS: Final = 7
"""Fewer with any spend say too little."""
_SIGMAS: Final = 4.0
_SIGMA_OF_MAD: Final = 1.4826
_LEAST_RATIO: Final = 1.5
"""Over the usual day by so much at least: a steady tenant's small change is no news."""
_LEAST_NANO: Final = NANO_PER_USD
"""Beyond the usual by a dollar at least."""


class Anomaly(NamedTuple):
    """A day that stands out."""

    tenant: str
    """Who pays."""
    model: str
    """Model spec id."""
    day: str
    """Day, `YYYY-MM-DD`, UTC."""
    nano: int
    """Cost of the day so far, nano-dollars."""
    usual_nano: int
    """Median of its recent days, nano-dollars."""
    limit_nano: int
    """What it would have to stay below, nano-dollars."""

    @property
    def ratio(self) -> float:
        """Cost over the usual; over a dollar where nothing was usual."""
        return self.nano / max(self.usual_nano, NANO_PER_USD)


def history_query(day: str, tenant: str | None = None) -> SpendQuery:
    """What must be asked of the ledger to judge a day."""
    return SpendQuery(
        by=(Dimension.DAY, Dimension.TENANT, Dimension.MODEL),
        since=day_text(day_number(day) - DAYS_BACK),
        until=day,
        tenant=tenant,
    )


def anomalies_of(day: str, rows: Iterable[Spend]) -> tuple[Anomaly, ...]:
    """Days that stand out among the answer to `history_query`, the dearest excess first."""
    by_line: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        when, tenant, model = row.by
        by_line.setdefault((tenant, model), {})[when] = row.nano
    found = [
        anomaly
        for (tenant, model), costs in by_line.items()
        if tenant and (anomaly := _judged(tenant, model, day, costs)) is not None
    ]
    return tuple(sorted(found, key=lambda each: (each.usual_nano - each.nano, each.tenant, each.model)))


def _judged(tenant: str, model: str, day: str, costs: Mapping[str, int]) -> Anomaly | None:
    now = costs.get(day, 0)
    before = [nano for when, nano in costs.items() if when != day]
    if len(before) < _LEAST_DAYS:
        return None
    # Days without any spend count as such: somebody who comes once a week is not at home every day.
    first = min(when for when in costs if when != day)
    silent = day_number(day) - day_number(first) - len(before)
    usual, limit = limit_of([*before, *([0] * silent)])
    return Anomaly(tenant, model, day, now, usual, limit) if now > limit else None


def limit_of(days: Sequence[int]) -> tuple[int, int]:
    """What is usual on such days, and what a day must pass to stand out; nano-dollars."""
    usual = median(days)
    spread = _SIGMA_OF_MAD * median(abs(nano - usual) for nano in days)
    limit = max(usual + _SIGMAS * spread, usual * _LEAST_RATIO, usual + _LEAST_NANO)
    return round(usual), round(limit)
