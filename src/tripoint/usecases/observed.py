"""Observed demand: from the ledger, or from an export of it, to the profiles the planner reads.

`tripoint ledger demand` writes them; `tripoint plan --demand ledger` plans on them at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tripoint.domain.bill import BillRow
from tripoint.domain.errors import AccessError, OptionError
from tripoint.domain.ledger import Dimension, EntryKind, EntryQuery, Spend, SpendQuery
from tripoint.domain.tenancy import Actor
from tripoint.domain.units import SECONDS_PER_MINUTE
from tripoint.engines.governance.focus.restore import restore
from tripoint.engines.governance.observed.profiles import Observed, profiles_of
from tripoint.engines.governance.observed.sums import bins_of, window_of
from tripoint.engines.governance.observed.trace import Bin, Observation, Sighting, Window, sample_sizes
from tripoint.ports import Ledger
from tripoint.usecases.spend import see_entries, see_spend

SAMPLE: Final = 100_000
"""Requests of a workload looked at singly, unless told otherwise."""
_HOUR_S = 3_600.0
_SINCE, _UNTIL = "x_ObservedSince", "x_ObservedUntil"
"""Columns of an export that tell when its first and its last answered request began."""


class Span(NamedTuple):
    """Which days."""

    since: str | None = None
    """First day, `YYYY-MM-DD`, UTC; the ledger's first when `None`."""
    until: str | None = None
    """Last day, inclusive; the ledger's last when `None`."""


ALL_DAYS: Final = Span()
"""Every day there is."""


def observe_ledger(ledger: Ledger, actor: Actor, span: Span = ALL_DAYS, sample: int = SAMPLE) -> Observed:
    """Profiles of every workload with traffic in the ledger.

    The window is from the first request of those days to the last, for all workloads alike, so that one that was asked
    for an hour only does not seem to be asked all day. Raises `OptionError` where there is no traffic.
    """
    bins, unanswered = _bins(ledger, actor, span)
    tenants = _tenants(ledger, actor, span)
    if not bins:
        raise OptionError(
            f"the ledger holds no answered request {_said(span)}", hint="ask for other days, or serve traffic first"
        )
    plain = [
        Observation(name, found, _HOUR_S, (), False, unanswered.get(name, 0), len(tenants.get(name, ())))
        for name, found in bins.items()
    ]
    seen = [_sighted(ledger, actor, each, sample) for each in plain]
    window = window_of(seen)
    if window.step_s and (ends := _ends(ledger, actor, bins.values())):
        window = Window(*ends)
    return profiles_of(seen, window, f"ledger ({_day(window.first_s)} to {_day(window.last_s)})", unanswered)


def observe_export(rows: Iterable[BillRow], name: str) -> Observed:
    """Profiles from an export of ours, by hour or by day: sums, and when its first and its last request began.

    Raises `FileError` for rows that cannot be read back, `OptionError` where there is no traffic.
    """
    widths: set[float] = set()
    ends: set[tuple[str, str]] = set()

    def noted() -> Iterable[BillRow]:
        for row in rows:
            if row.custom.get("x_EntryKind") == EntryKind.USAGE:
                widths.add(row.end - row.start)
                ends.add((row.custom.get(_SINCE, ""), row.custom.get(_UNTIL, "")))
            yield row

    spends = restore(noted(), hourly=True)
    width = max(widths, default=_HOUR_S)
    answered: list[tuple[str, str, Spend]] = []
    tenants: dict[str, set[str]] = {}
    for spend in spends:
        time, kind, tenant, _, workload, _, _, upstream, *_ = spend.by
        if kind == EntryKind.USAGE and workload and upstream:
            answered.append((workload, time, spend))
            tenants.setdefault(workload, set()).add(tenant)
    seen = [
        Observation(workload, bins, width, (), False, 0, len(tenants[workload]))
        for workload, bins in bins_of(answered).items()
    ]
    if not seen:
        raise OptionError(f"`{name}` holds no answered request", hint="export days with traffic")
    return profiles_of(seen, _told(ends) or window_of(seen), name)


def observed_between(ledger: Ledger, actor: Actor, span: Span, tenant: str | None = None) -> tuple[str, str] | None:
    """When the first and the last answered request of those days began, ISO 8601 in UTC.

    `None` where there was none, where the actor may not see single entries, or where those have left the store.
    """
    by = (Dimension.DAY, Dimension.WORKLOAD, Dimension.UPSTREAM)
    query = SpendQuery(by=by, since=span.since, until=span.until, tenant=tenant, kinds=(EntryKind.USAGE,))
    days = sorted(spend.by[0] for spend in see_spend(ledger, actor, query) if all(spend.by))
    bins = [each for day in (days[:1], days[-1:]) for each in _bins(ledger, actor, Span(*day * 2), tenant)[0].values()]
    try:
        ends = _ends(ledger, actor, bins, tenant) if days else None
    except AccessError:
        return None
    return None if ends is None else (_instant(ends[0]), _instant(ends[1]))


def _told(ends: Collection[tuple[str, str]]) -> Window | None:
    """The window that every row of an export tells; `None` where one tells none."""
    if not ends or not all(since and until for since, until in ends):
        return None
    since, until = min(each[0] for each in ends), max(each[1] for each in ends)
    return Window(datetime.fromisoformat(since).timestamp(), datetime.fromisoformat(until).timestamp())


def _ends(
    ledger: Ledger, actor: Actor, bins: Iterable[Sequence[Bin]], tenant: str | None = None
) -> tuple[float, float] | None:
    """When the first and the last answered request of these hours began; `None` without their entries."""
    hours = [each.at for one in bins for each in one]
    if not hours:
        return None
    minutes = range(round(_HOUR_S / SECONDS_PER_MINUTE))
    first = _met(ledger, actor, tenant, (min(hours) + SECONDS_PER_MINUTE * minute for minute in minutes))
    last = _met(ledger, actor, tenant, (max(hours) + SECONDS_PER_MINUTE * minute for minute in reversed(minutes)))
    return (min(first), max(last)) if first and last else None


def _met(ledger: Ledger, actor: Actor, tenant: str | None, minutes: Iterable[float]) -> list[float]:
    """When the answered requests began in the first of these minutes that has any."""
    for minute in minutes:
        query = EntryQuery(
            since=minute, until=minute + SECONDS_PER_MINUTE, tenant=tenant, kinds=(EntryKind.USAGE,)
        )  # fmt: skip
        found = [
            each.at for each in see_entries(ledger, actor, query) if each.requests and each.upstream and each.workload
        ]
        if found:
            return found
    return []


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _bins(
    ledger: Ledger, actor: Actor, span: Span, tenant: str | None = None
) -> tuple[dict[str, tuple[Bin, ...]], dict[str, int]]:
    """Workload -> what it was asked hour by hour, and how many requests no upstream answered."""
    by = (Dimension.WORKLOAD, Dimension.HOUR, Dimension.UPSTREAM)
    query = SpendQuery(by=by, since=span.since, until=span.until, tenant=tenant, kinds=(EntryKind.USAGE,))
    answered: list[tuple[str, str, Spend]] = []
    unanswered: dict[str, int] = {}
    for spend in see_spend(ledger, actor, query):
        workload, hour, upstream = spend.by
        if workload and upstream:
            answered.append((workload, hour, spend))
        elif workload:
            unanswered[workload] = unanswered.get(workload, 0) + spend.requests
    return bins_of(answered), unanswered


def _tenants(ledger: Ledger, actor: Actor, span: Span) -> dict[str, set[str]]:
    by = (Dimension.WORKLOAD, Dimension.TENANT)
    found: dict[str, set[str]] = {}
    query = SpendQuery(by=by, since=span.since, until=span.until, kinds=(EntryKind.USAGE,))
    for spend in see_spend(ledger, actor, query):
        found.setdefault(spend.by[0], set()).add(spend.by[1])
    return found


def _sighted(ledger: Ledger, actor: Actor, seen: Observation, sample: int) -> Observation:
    """The observation with single requests, as many of each hour as the sample allows."""
    counts = [each.requests for each in seen.bins]
    sizes = sample_sizes(counts, sample)
    found: list[Sighting] = []
    for each, size in zip(seen.bins, sizes, strict=True):
        # What answered nothing and what further upstreams billed comes along and is passed over.
        limit = None if size == each.requests else 2 * size + 100
        query = EntryQuery(
            since=each.at, until=each.at + _HOUR_S, workload=seen.workload, kinds=(EntryKind.USAGE,), limit=limit
        )
        entries = (entry for entry in see_entries(ledger, actor, query) if entry.requests and entry.upstream)
        found += [Sighting(e.at, e.tokens_in, e.tokens_out) for e, _ in zip(entries, range(size), strict=False)]
    return seen._replace(sightings=tuple(found), is_whole=len(found) == sum(counts))


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _said(span: Span) -> str:
    if span.since is None and span.until is None:
        return "at all"
    return f"from {span.since or 'its first day'} to {span.until or 'its last'}"
