"""Gather what a report of spend tells: sums of a span of days, budgets, what was held against a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Dimension, Entry, EntryKind, EntryQuery, Spend, SpendQuery
from tripoint.domain.plan import Plan
from tripoint.domain.tenancy import Actor
from tripoint.engines.governance.cost.planned import Expected, expected
from tripoint.engines.governance.cost.tokens import ModelCost, Part, model_costs
from tripoint.engines.governance.ledger.days import DAY_S, day_number, day_text
from tripoint.ports import Ledger
from tripoint.usecases.spend import Dearest, Spent, corrections_in, dearest, see_entries, see_spend
from tripoint.usecases.standing import Standing

MOST_DAYS: Final = 400
"""Most days in one report."""
_USUAL_DAYS: Final = 30
_ROWS: Final = 25
_SERIES: Final = 6
_ENTRIES: Final = 30


class ReportSpan(NamedTuple):
    """Which days, of whom."""

    since: str | None = None
    """First day, `YYYY-MM-DD`, UTC; a month before the last when `None`."""
    until: str | None = None
    """Last day, inclusive; today when `None`."""
    tenant: str | None = None
    """Only this tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendReport:
    """What a report of spend tells; sums in nano-dollars."""

    now: float
    """When it was made, seconds since 1970."""
    tenant: str | None
    """The only tenant it is about."""
    days: tuple[tuple[str, float], ...]
    """Days from the first with an entry on, each with the part of it that is over; none when nothing was entered."""
    total: Spend
    """All of it."""
    kinds: dict[str, Spend]
    """By kind of entry."""
    series: dict[str, tuple[int, ...]]
    """[tenant][day] nano-dollars, the dearest first; last and with an empty name, capacity nobody used."""
    others: tuple[int, ...]
    """[day] nano-dollars of all further tenants."""
    tops: dict[Dimension, Dearest]
    """The dearest tenants, workloads, models and sites; idle capacity has an empty name."""
    tokens: tuple[ModelCost, ...]
    """What a million tokens cost, by site and model."""
    standings: tuple[Standing, ...]
    """Budgets in the windows that run now."""
    adjustments: tuple[Entry, ...]
    """The newest corrections and sums unconfirmed."""
    prices: tuple[Spend, ...]
    """By price version."""
    expected: Expected | None
    """What the plan expected; `None` without one."""
    first_hour: int = 0
    """Hour of the first day, UTC, of its first entry."""

    @property
    def idle_nano(self) -> int:
        """Paid for capacity nobody used, nano-dollars, its corrections left out."""
        return self.kinds[EntryKind.IDLE].nano if EntryKind.IDLE in self.kinds else 0

    @property
    def corrected_nano(self) -> int:
        """What corrections among the entries come to, nano-dollars."""
        return self.kinds[EntryKind.CORRECTION].nano if EntryKind.CORRECTION in self.kinds else 0

    @property
    def spent(self) -> Spent:
        """All of it, its corrections left out: what is held against list prices and a plan."""
        found = self.tops[Dimension.TENANT]
        return found.uncorrected(found.total)


def spend_report(
    ledger: Ledger, actor: Actor, span: ReportSpan, now: float, *, standings: Sequence[Standing], plan: Plan | None
) -> SpendReport:
    """Everything of it, as the actor may see it.

    Raises `AccessError`, `MissingError` for another's tenant, `OptionError` for days that cannot be, `StoreError`.
    """
    first, last = _days(span, now)
    asked = _Asked(ledger, actor, span.tenant, first, last)
    by_day = {row.by[0]: row for row in asked.sums(Dimension.DAY)}
    if by_day:
        asked = asked._replace(first=min(by_day))
    days = tuple(_part(day, now) for day in range(day_number(asked.first), day_number(last) + 1)) if by_day else ()
    tops = {
        each: dearest(asked.sums(each), _ROWS, asked.corrections(each))
        for each in (Dimension.TENANT, Dimension.WORKLOAD, Dimension.MODEL, Dimension.SITE)
    }
    payers = [row.by[0] for row in tops[Dimension.TENANT].rows]
    shown = [name for name in payers if name][:_SERIES] + [name for name in payers if not name]
    series = {name: asked.daily(name, len(days)) for name in shown}
    whole = [by_day[day].nano if day in by_day else 0 for day, _ in days]
    return SpendReport(
        now=now,
        tenant=span.tenant,
        days=days,
        total=tops[Dimension.TENANT].total,
        kinds={row.by[0]: row for row in asked.sums(Dimension.KIND)},
        series=series,
        others=tuple(nano - sum(one[place] for one in series.values()) for place, nano in enumerate(whole)),
        tops=tops,
        tokens=model_costs(_parts(asked)),
        standings=tuple(standings),
        adjustments=asked.adjustments(),
        prices=asked.sums(Dimension.PRICES),
        expected=expected(plan, days) if plan is not None and days else None,
        first_hour=asked.first_hour() if days else 0,
    )


class _Asked(NamedTuple):
    """Questions over the same days, of the same tenant."""

    ledger: Ledger
    actor: Actor
    tenant: str | None
    first: str
    last: str

    def sums(self, *by: Dimension) -> tuple[Spend, ...]:
        return see_spend(self.ledger, self.actor, self._query(by))

    def corrections(self, *by: Dimension) -> tuple[Spend, ...]:
        return corrections_in(self.ledger, self.actor, self._query(by))

    def _query(self, by: tuple[Dimension, ...]) -> SpendQuery:
        return SpendQuery(by=by, since=self.first, until=self.last, tenant=self.tenant)

    def daily(self, tenant: str, days: int) -> tuple[int, ...]:
        """[day] nano-dollars of a tenant."""
        begin = day_number(self.first)
        found = [0] * days
        query = SpendQuery(by=(Dimension.DAY,), since=self.first, until=self.last, tenant=tenant)
        for row in see_spend(self.ledger, self.actor, query):
            found[day_number(row.by[0]) - begin] += row.nano
        return tuple(found)

    def first_hour(self) -> int:
        """Hour of the first day, UTC, of its first entry."""
        first = self._query((Dimension.HOUR,))
        rows = see_spend(self.ledger, self.actor, replace(first, until=self.first))
        return min((int(row.by[0].partition("T")[2]) for row in rows), default=0)

    def adjustments(self) -> tuple[Entry, ...]:
        query = EntryQuery(
            since=float(day_number(self.first) * DAY_S),
            until=float((day_number(self.last) + 1) * DAY_S),
            tenant=self.tenant,
            kinds=(EntryKind.UNCONFIRMED, EntryKind.CORRECTION),
            is_newest_first=True,
            limit=_ENTRIES,
        )
        return see_entries(self.ledger, self.actor, query)


def _parts(asked: _Asked) -> list[Part]:
    place = (Dimension.SITE, Dimension.UPSTREAM, Dimension.MODEL)
    apart: dict[tuple[str, ...], int] = {}
    for row in asked.corrections(*place, Dimension.TENANT):
        site, _, model, tenant = row.by
        if not model and (tenant or not site):  # idle capacity is somewhere, and nobody's
            apart[row.by[:3]] = apart.get(row.by[:3], 0) + row.nano
    return [
        Part(row.by[0], row.by[1], row.by[2], row.tokens_in + row.tokens_out, row.nano, apart.get(row.by, 0))
        for row in asked.sums(*place)
    ]


def _days(span: ReportSpan, now: float) -> tuple[str, str]:
    last = day_number(span.until) if span.until else int(now // DAY_S)
    first = day_number(span.since) if span.since else last - _USUAL_DAYS + 1
    if first > last:
        raise OptionError(f"`--since {span.since}` is after the last day, {day_text(last)}", hint="both are inclusive")
    if last - first >= MOST_DAYS:
        raise OptionError(
            f"{last - first + 1:,} days from {day_text(first)} to {day_text(last)}, at most {MOST_DAYS} fit a report",
            hint="name a later --since",
        )
    return day_text(first), day_text(last)


def _part(day: int, now: float) -> tuple[str, float]:
    return day_text(day), min(1.0, max(0.0, now / DAY_S - day))
