"""What became of the requests: counts, waits, money and outages of each workload, and its course over time."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import TYPE_CHECKING, Final

import numpy as np

from tripoint.domain.money import usd
from tripoint.domain.record import Ending, UsageRecord, portions
from tripoint.domain.stress import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tripoint.engines.stress.spending import Spends
    from tripoint.engines.stress.trial.calls import Call
    from tripoint.engines.stress.world import Demanded

_NO_ROOM: Final = (429, 503)
_TOLD: Final = {
    "no_capacity": "no upstream has room",
    "no_healthy_upstream": "every upstream is down",
    "upstream_limited": "every upstream refuses more",
    "upstream_timeout": "no upstream answers in time",
    "upstream_failed": "no upstream can answer",
    "upstream_lost": "upstreams break off",
    "deadline_exceeded": "the deadline passes",
    "insufficient_quota": "the budget is spent",
    "rate_limit_exceeded": "a quota or budget is taken",
    "budget_unavailable": "the ledger does not answer",
    "no_permitted_site": "policy permits no site",
    "client_closed": "callers do not wait longer",
}
_LATE: Final = "the first token comes late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A workload over time, by when its requests arrived."""

    workload: str
    """Workload id."""
    bin_s: float
    """Width of a bin, s."""
    offered: tuple[int, ...]
    """Requests that arrived in each bin."""
    answered: tuple[int, ...]
    """Of those: answered whole, late ones included."""
    late: tuple[int, ...]
    """Of those: answered after the objective."""
    shed: tuple[int, ...]
    """Refused for want of room."""
    lost: tuple[int, ...]
    """Failed in any other way."""


class Course:
    """One workload's counts; lists are by bin."""

    __slots__ = (
        "answered", "bad_from", "bad_to", "first_limit", "late", "lost", "margin", "nano", "offered", "outside", "shed",
        "shed_lately", "ttfts", "waits",
    )  # fmt: skip

    def __init__(self, bins: int) -> None:
        self.offered = [0] * bins
        self.answered = [0] * bins
        self.late = [0] * bins
        self.shed = [0] * bins
        self.lost = [0] * bins
        self.bad_from = [inf] * bins
        self.bad_to = [-inf] * bins
        self.ttfts: list[float] = []
        self.waits: list[float] = []
        self.nano = 0
        self.outside = 0
        self.margin = 1.0
        self.shed_lately = 0
        self.first_limit: tuple[float, str] = (inf, "")


class Tally:
    """Counts of one trial."""

    __slots__ = ("_bin_s", "_demanded", "_last", "_limits", "_spends", "courses", "prices")

    def __init__(self, demanded: Sequence[Demanded], until_s: float, bin_s: float, spends: Spends) -> None:
        self._demanded = demanded
        self._bin_s = bin_s
        self._limits = [inf if each.ttft_ms is None else each.ttft_ms for each in demanded]
        bins = max(1, int(np.ceil(until_s / bin_s)))
        self._last = bins - 1
        self.courses = [Course(bins) for _ in demanded]
        self.prices: dict[str, float] = {}
        """Upstream id -> times what it costs now; only where it is not as usual."""
        self._spends = spends

    def paid(self, workload: int, record: UsageRecord) -> None:
        """What a try cost, whether it answered or not."""
        course = self.courses[workload]
        for part in portions(record):
            spend = self._spends.get((workload, part.upstream, part.model))
            nano = 0 if spend is None or not any(part.usage) else spend.nano(*part.usage[:3])
            factor = self.prices.get(part.upstream)
            course.nano += nano if factor is None else round(nano * factor)

    def answered(self, call: Call, upstream: str, nano: int, ttft_s: float) -> None:
        """A request was answered whole, its first token `ttft_s` after it was last asked."""
        course = self.courses[call.workload]
        if self.prices and (factor := self.prices.get(upstream)) is not None:
            nano = round(nano * factor)
        course.nano += nano
        self._well(call, course, ttft_s)

    def counted(self, call: Call, record: UsageRecord) -> None:
        """The last try of a request ended."""
        course = self.courses[call.workload]
        self.paid(call.workload, record)
        if record.ending == Ending.OK:
            self._well(call, course, record.ttft_s)
            return
        arrived_at = call.arrived_at
        at = min(int(arrived_at / self._bin_s), self._last)
        course.offered[at] += 1
        if record.status in _NO_ROOM and record.ending in (Ending.SHED, Ending.REFUSED):
            course.shed[at] += 1
            course.shed_lately += 1
        else:
            course.lost[at] += 1
        course.bad_from[at] = min(course.bad_from[at], arrived_at)
        course.bad_to[at] = max(course.bad_to[at], arrived_at)
        if arrived_at < course.first_limit[0]:
            course.first_limit = (arrived_at, _TOLD.get(record.error, record.error))

    def _well(self, call: Call, course: Course, ttft_s: float) -> None:
        arrived_at = call.arrived_at
        at = int(arrived_at / self._bin_s)
        if at > self._last:
            at = self._last
        course.offered[at] += 1
        course.answered[at] += 1
        ttft_ms = (call.began_at - arrived_at + ttft_s) * 1e3
        course.ttfts.append(ttft_ms)
        if ttft_ms > self._limits[call.workload] and call.is_stream:
            course.late[at] += 1
            if arrived_at < course.first_limit[0]:
                course.first_limit = (arrived_at, _LATE)

    def timelines(self) -> tuple[Timeline, ...]:
        """Courses over time."""
        return tuple(
            Timeline(
                workload=asked.workload, bin_s=self._bin_s, offered=tuple(course.offered),
                answered=tuple(course.answered), late=tuple(course.late), shed=tuple(course.shed),
                lost=tuple(course.lost),
            )
            for asked, course in zip(self._demanded, self.courses, strict=True)
        )  # fmt: skip

    def outcomes(self, usual: Mapping[str, float]) -> tuple[Outcome, ...]:
        """What came of each workload; `usual` is what the same costs without faults, USD."""
        found = []
        for asked, course in zip(self._demanded, self.courses, strict=True):
            money = float(usd(course.nano))
            found.append(
                Outcome(
                    workload=asked.workload,
                    offered=sum(course.offered),
                    answered=sum(course.answered),
                    late=sum(course.late),
                    shed=sum(course.shed),
                    lost=sum(course.lost),
                    outside=course.outside,
                    outage_s=outage_s(course, asked.least_share),
                    stale_s=0.0,
                    ttft_p99_ms=_p99(course.ttfts),
                    wait_p99_ms=_p99(course.waits, sum(course.offered)),
                    usd=money,
                    usual_usd=usual.get(asked.workload, money),
                    margin=course.margin,
                    first_limit=course.first_limit[1],
                )
            )
        return tuple(found)


def outage_s(course: Course, least_share: float) -> float:
    """Longest time in which less than the least share was answered, s.

    Bins that nothing arrived in belong to what is before and after them; the time runs from the first request that
    was not answered to the last. One request alone tells no time: it counts as lost, and is an outage of 0 s.
    """
    longest = 0.0
    began = ended = inf
    for at, offered in enumerate(course.offered):
        if not offered:
            continue
        if course.answered[at] < least_share * offered - 1e-9:
            began = min(began, course.bad_from[at])
            ended = course.bad_to[at]
            longest = max(longest, ended - began)
        else:
            began = inf
    return longest


def _p99(values: Sequence[float], total: int | None = None) -> float:
    """The 99th percentile by nearest rank of `total` values, those not given being 0; 0 of nothing."""
    count = len(values) if total is None else max(total, len(values))
    place = len(values) - 1 - (count - ceil(0.99 * count))
    return float(np.sort(np.array(values))[place]) if count and place >= 0 else 0.0
