"""Profiles of what was observed, and the estate with them in place of what it declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from tripoint.domain.demand import DemandProfile, DemandTaken
from tripoint.domain.source import LoadedEstate
from tripoint.domain.units import WorkloadId
from tripoint.engines.governance.observed.trace import Observation, Window, trace_of
from tripoint.engines.sizing.demand.profile import profile_of_requests

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
_LEAST_S: Final = _DAY_S
"""Shortest time observed that a plan for months may rest on: a day has its quiet and its busy hours."""


class Observed(NamedTuple):
    """What was asked of which workload."""

    profiles: Mapping[WorkloadId, DemandProfile]
    """Profiles by workload."""
    window: Window
    """The time observed."""
    sparse: tuple[str, ...]
    """Workloads with too few requests to tell a rate."""
    unanswered: Mapping[str, int]
    """Requests that no upstream answered, by workload: refused, shed or failed, and in no rate. An export has none."""

    @property
    def sure_s(self) -> float:
        """Time surely observed, s: of the first and the last hour or day of sums, any part may have been served."""
        return max(0.0, self.window.last_s - self.window.first_s - 2.0 * self.window.step_s)

    def refused(self, workload: str) -> str:
        """How many requests of a workload no upstream answered, as the end of a sentence; empty for none."""
        count = self.unanswered.get(workload, 0)
        were = "request was" if count == 1 else "requests were"
        return f"; {count:,} {were} answered by no upstream" if count else ""

    @property
    def doubt(self) -> str:
        """That too short a time was surely observed, with both numbers; empty where it was long enough."""
        if self.sure_s >= _LEAST_S:
            return ""
        most_s, step_s = self.window.last_s - self.window.first_s, self.window.step_s
        seen = f"{length_told(self.sure_s)} to {length_told(most_s)}" if step_s else length_told(most_s)
        return (
            f"warning: traffic of {seen} is too short to tell a rate for months, at least"
            f" {length_told(_LEAST_S)} are needed: {_rates_of(step_s)}"
        )


def profiles_of(
    seen: Sequence[Observation], window: Window, source: str, unanswered: Mapping[str, int] = MappingProxyType({})
) -> Observed:
    """Profiles of workloads over a window; `source` says in each where it is from.

    `unanswered` are requests of each workload that no upstream answered.
    """
    profiles: dict[WorkloadId, DemandProfile] = {}
    sparse = []
    for each in seen:
        trace = trace_of(each, window, source)
        if trace is None:
            sparse.append(each.workload)
        else:
            profiles[WorkloadId(each.workload)] = profile_of_requests(trace)
    return Observed(profiles, window, tuple(sparse), unanswered)


def on_observed(
    loaded: LoadedEstate,
    observed: Observed,
    digest: Callable[[LoadedEstate], str],
) -> tuple[LoadedEstate, tuple[str, ...]]:
    """The estate with observed demand in place of what it declares, and what was done with each workload.

    The share of input served from a cache is the observed one. A workload without traffic stays as declared.
    """
    told = [observed.doubt] if observed.doubt else []
    for workload in loaded.estate.workloads:
        profile = observed.profiles.get(workload.id)
        if profile is None:
            why = "too few requests to tell a rate" if workload.id in observed.sparse else "no traffic observed"
            told.append(f"`{workload.id}`: {why}, planned as declared{observed.refused(workload.id)}")
            continue
        told.append(
            f"`{workload.id}`: {profile.rows:,} requests observed, {profile.requests_per_s:.4g} a second,"
            f" {profile.cacheable_share or 0.0:.0%} of input from caches{observed.refused(workload.id)}"
        )
    others = sorted(set(observed.profiles) - {workload.id for workload in loaded.estate.workloads})
    told += [f"`{name}`: observed, but not in this estate{observed.refused(name)}" for name in others]
    taken = DemandTaken(
        source=next((each.source for each in observed.profiles.values()), ""), since=observed.window.first_s,
        until=observed.window.last_s, step_s=observed.window.step_s, declared_digest=loaded.digest,
        profiles=dict(observed.profiles),
    )  # fmt: skip
    changed = with_demand(loaded, taken)
    return replace(changed, digest=digest(changed)), tuple(told)


def with_demand(loaded: LoadedEstate, taken: DemandTaken) -> LoadedEstate:
    """The estate with that demand in it, under its old digest."""
    profiles = dict(loaded.profiles)
    workloads = []
    for workload in loaded.estate.workloads:
        profile = taken.profiles.get(workload.id)
        if profile is not None:
            profiles[workload.id] = profile
            share = profile.cacheable_share or 0.0
            workload = replace(workload, demand=replace(workload.demand, scale=1.0, cached_share=share))
        workloads.append(workload)
    estate = replace(loaded.estate, workloads=tuple(workloads))
    return replace(loaded, estate=estate, profiles=profiles, demand=taken)


def observed_again(taken: DemandTaken) -> Observed:
    """What a plan was made on, to plan on it once more."""
    return Observed(taken.profiles, Window(taken.since, taken.until, taken.step_s), (), {})


def length_told(seconds: float) -> str:
    """An amount of time in hours, or in seconds where it is short."""
    figure, unit = (seconds / _HOUR_S, "h") if seconds >= _HOUR_S else (seconds, "s")
    return f"{figure:,.0f} {unit}" if figure >= 100 else f"{figure:.3g} {unit}"


def _rates_of(step_s: float) -> str:
    """What rates are of, where the ends of the time observed are known by such steps."""
    if not step_s:
        return "rates are those from the first request to the last"
    unit, more = ("days", "; an export with `--hourly` tells more") if step_s > _HOUR_S else ("hours", "")
    return (
        f"the time is known by whole {unit} only, and the first and the last may be served in part,"
        f" so rates may be too low{more}"
    )
