"""Observed demand: from the ledger, or from an export of it, to the profiles the planner reads.

`tripoint ledger demand` writes them; `tripoint plan --demand ledger` plans on them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tripoint.domain.bill import BillRow
from tripoint.domain.demand import DemandProfile
from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Dimension, EntryKind, EntryQuery, SpendQuery
from tripoint.domain.source import LoadedEstate
from tripoint.domain.tenancy import Actor
from tripoint.domain.units import WorkloadId
from tripoint.engines.governance.focus.restore import restore
from tripoint.engines.governance.observed.trace import Bin, Observation, Sighting, Window, sample_sizes, trace_of
from tripoint.engines.sizing.demand.profile import profile_of_requests
from tripoint.ports import Ledger
from tripoint.usecases.spend import see_entries, see_spend

SAMPLE: Final = 100_000
"""Requests of a workload looked at singly, unless told otherwise."""
_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_LEAST_S: Final = _DAY_S
"""Shortest time observed that a plan for months may rest on: a day has its quiet and its busy hours."""


class Span(NamedTuple):
    """Which days."""

    since: str | None = None
    """First day, `YYYY-MM-DD`, UTC; the ledger's first when `None`."""
    until: str | None = None
    """Last day, inclusive; the ledger's last when `None`."""


ALL_DAYS: Final = Span()
"""Every day there is."""


class Observed(NamedTuple):
    """What was asked of which workload."""

    profiles: Mapping[WorkloadId, DemandProfile]
    """Profiles by workload."""
    window: Window
    """The time observed."""
    sparse: tuple[str, ...]
    """Workloads with too few requests to tell a rate."""

    @property
    def doubt(self) -> str:
        """That too short a time was observed, with both numbers; empty where it was long enough."""
        seen_s = self.window.last_s - self.window.first_s
        if seen_s >= _LEAST_S:
            return ""
        return (
            f"warning: traffic of {_length(seen_s)} is too short to tell a rate for months, at least"
            f" {_length(_LEAST_S)} are needed: rates are those from the first request to the last"
        )


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
    seen = [
        _sighted(ledger, actor, Observation(name, tuple(found), _HOUR_S, (), False, unanswered.get(name, 0),
                                            len(tenants.get(name, ()))), sample)
        for name, found in bins.items()
    ]  # fmt: skip
    window = _window(seen)
    return _profiles(seen, window, f"ledger ({_day(window.first_s)} to {_day(window.last_s)})")


def observe_export(rows: Iterable[BillRow], name: str) -> Observed:
    """Profiles from an export of ours, by hour or by day; only sums are known then. Raises `FileError`."""
    widths: set[float] = set()

    def noted() -> Iterable[BillRow]:
        for row in rows:
            if row.custom.get("x_EntryKind") == EntryKind.USAGE:
                widths.add(row.end - row.start)
            yield row

    spends = restore(noted(), hourly=True)
    width = max(widths, default=_HOUR_S)
    grouped: dict[str, dict[float, list[int]]] = {}
    tenants: dict[str, set[str]] = {}
    for spend in spends:
        time, kind, tenant, _, workload, _, _, upstream, *_ = spend.by
        if kind != EntryKind.USAGE or not workload or not upstream:
            continue
        sums = grouped.setdefault(workload, {}).setdefault(_at(time), [0] * 4)
        for place, amount in enumerate((spend.requests, spend.tokens_in, spend.cached, spend.tokens_out)):
            sums[place] += amount
        tenants.setdefault(workload, set()).add(tenant)
    seen = [
        Observation(workload, _ordered(by_time), width, (), False, 0, len(tenants[workload]))
        for workload, by_time in grouped.items()
    ]
    if not seen:
        raise OptionError(f"`{name}` holds no answered request", hint="export days with traffic")
    times = [each.at for one in seen for each in one.bins]
    return _profiles(seen, Window(min(times), max(times) + width), name)


def on_observed(
    loaded: LoadedEstate,
    observed: Observed,
    digest: Callable[[LoadedEstate], str],
) -> tuple[LoadedEstate, tuple[str, ...]]:
    """The estate with observed demand in place of what it declares, and what was done with each workload.

    The share of input served from a cache is the observed one. A workload without traffic stays as declared.
    """
    told = [observed.doubt] if observed.doubt else []
    workloads = []
    profiles = dict(loaded.profiles)
    for workload in loaded.estate.workloads:
        profile = observed.profiles.get(workload.id)
        if profile is None:
            why = "too few requests to tell a rate" if workload.id in observed.sparse else "no traffic observed"
            told.append(f"`{workload.id}`: {why}, planned as declared")
            workloads.append(workload)
            continue
        profiles[workload.id] = profile
        share = profile.cacheable_share or 0.0
        workloads.append(replace(workload, demand=replace(workload.demand, scale=1.0, cached_share=share)))
        told.append(
            f"`{workload.id}`: {profile.rows:,} requests observed, {profile.requests_per_s:.4g} a second,"
            f" {share:.0%} of input from caches"
        )
    others = sorted(set(observed.profiles) - {workload.id for workload in loaded.estate.workloads})
    told += [f"`{name}`: observed, but not in this estate" for name in others]
    changed = replace(loaded, estate=replace(loaded.estate, workloads=tuple(workloads)), profiles=profiles)
    return replace(changed, digest=digest(changed)), tuple(told)


def _bins(ledger: Ledger, actor: Actor, span: Span) -> tuple[dict[str, list[Bin]], dict[str, int]]:
    by = (Dimension.WORKLOAD, Dimension.HOUR, Dimension.UPSTREAM)
    query = SpendQuery(by=by, since=span.since, until=span.until, kinds=(EntryKind.USAGE,))
    sums: dict[str, dict[float, list[int]]] = {}
    unanswered: dict[str, int] = {}
    for spend in see_spend(ledger, actor, query):
        workload, hour, upstream = spend.by
        if not workload:
            continue
        if not upstream:
            unanswered[workload] = unanswered.get(workload, 0) + spend.requests
            continue
        into = sums.setdefault(workload, {}).setdefault(_at(hour), [0] * 4)
        for place, amount in enumerate((spend.requests, spend.tokens_in, spend.cached, spend.tokens_out)):
            into[place] += amount
    return {name: list(_ordered(by_time)) for name, by_time in sums.items()}, unanswered


def _ordered(by_time: Mapping[float, Sequence[int]]) -> tuple[Bin, ...]:
    return tuple(Bin(at, *sums) for at, sums in sorted(by_time.items()))


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


def _window(seen: Sequence[Observation]) -> Window:
    times = [each.at for one in seen for each in one.sightings]
    whole = all(one.is_whole for one in seen)
    if whole or not times:
        return Window(min(times), max(times))
    ends = [each.at + _HOUR_S for one in seen for each in one.bins]
    return Window(min(each.at for one in seen for each in one.bins), max(ends))


def _profiles(seen: Sequence[Observation], window: Window, source: str) -> Observed:
    profiles: dict[WorkloadId, DemandProfile] = {}
    sparse = []
    for each in seen:
        trace = trace_of(each, window, source)
        if trace is None:
            sparse.append(each.workload)
        else:
            profiles[WorkloadId(each.workload)] = profile_of_requests(trace)
    return Observed(profiles, window, tuple(sparse))


def _at(time: str) -> float:
    day, _, hour = time.partition("T")
    return datetime.fromisoformat(day).replace(hour=int(hour or 0), tzinfo=UTC).timestamp()


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _length(seconds: float) -> str:
    """An amount of time in hours, or in seconds where it is short."""
    return f"{seconds / _HOUR_S:.3g} h" if seconds >= _HOUR_S else f"{seconds:.3g} s"


def _said(span: Span) -> str:
    if span.since is None and span.until is None:
        return "at all"
    return f"from {span.since or 'its first day'} to {span.until or 'its last'}"
