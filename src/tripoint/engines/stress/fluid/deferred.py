"""Work nobody waits for: it takes what capacity remains, keeps what is not done for later, and has a deadline.

The backlog follows Lindley's recursion, B' = max(0, B + arriving - possible), solved for all pieces of time at once:
with X the running sum of arriving - possible, B = X - min(0, least X so far). Work is done in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.stress import Outcome
from tripoint.domain.units import MS_PER_S, SECONDS_PER_HOUR
from tripoint.engines.stress.fluid.filling import OUTSIDE, USD, Setting
from tripoint.engines.stress.fluid.layout import Layout
from tripoint.engines.stress.fluid.outcomes import Tried, stale_s
from tripoint.engines.stress.fluid.pieces import ASKED, Usual
from tripoint.engines.stress.fluid.spans import Key
from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.kernel.arrivals import clock_times

_SLACK = 1e-9
_LEAST_NEED = 1e-12


class Course(NamedTuple):
    """What became of deferred work; L pieces of time."""

    done: Floats
    """[L] amount done in each piece."""
    backlog: Floats
    """[L] amount left at the end of each piece."""
    waits_s: Floats
    """[L] time until all that arrived in a piece was done, s, from the end of it; infinite where it never was."""


def catch_up(edges_s: Floats, arriving: Floats, possible: Floats) -> Course:
    """The course of work; `arriving` and `possible` are amounts per piece between neighbouring `edges_s`."""
    balance = np.cumsum(arriving - possible)
    backlog = balance - np.minimum(np.minimum.accumulate(balance), 0.0)
    before = np.concatenate(([0.0], backlog[:-1]))
    done = np.clip(arriving + before - backlog, 0.0, possible)
    arrived, finished = np.cumsum(arriving), np.concatenate(([0.0], np.cumsum(done)))
    slack = _SLACK * float(arrived[-1])
    waits = np.where(arrived > finished[-1] + slack, np.inf, 0.0)
    held = np.flatnonzero((backlog > slack) & np.isfinite(waits))
    at = clock_times(np.maximum(np.minimum(arrived[held], finished[-1]) - slack, 0.0), edges_s, finished)
    waits[held] = np.maximum(at - edges_s[1:][held], 0.0)
    return Course(done=done, backlog=backlog, waits_s=waits)


class _Sums(NamedTuple):
    """What one flow of deferred work amounts to."""

    offered: float
    late: float
    shed: float
    outside: float
    usd: float
    behind_s: float
    wait_s: float
    margin: float


def spread_over(done: Floats, rooms: Floats) -> Floats:
    """[K, L] the work done at each of K places, first one first; `rooms` are the amounts possible there."""
    taken = np.zeros_like(rooms)
    rest = done.copy()
    for place, room in enumerate(rooms):
        if rest.max(initial=0.0) <= 0.0:
            break
        np.minimum(rest, room, out=taken[place])
        rest -= taken[place]
    return taken


class _Usually(NamedTuple):
    """How a flow of deferred work is usually done; H hours."""

    free: Floats
    """[P, H] what the flows before it leave of the places."""
    room: Floats
    """[H] requests per second possible."""
    done: Floats
    """[H] requests per second done, mean of the hour."""
    usd: Floats
    """[H] cost at the margin, USD per second."""
    outside: Floats
    """[H] done where policy forbids, requests per second."""


class Deferred:
    """The usual course of all deferred work of a layout; answers for trials that depart from it."""

    def __init__(self, layout: Layout, course: Usual, setting_of: Callable[[Key], Setting]) -> None:
        self._layout, self._course, self._setting_of = layout, course, setting_of
        self._flows = [flow for flow in layout.order if not layout.is_waited_for[flow]]
        self._usually: dict[int, _Usually] = {}
        free = course.filled.free
        for flow in self._flows:
            self._usually[flow], free = self._usual(flow, free)

    def outcomes(self, tried: Tried, usual_usd: Sequence[float]) -> list[Outcome]:
        """Outcomes of the workloads nobody waits for; flows take what remains in the order of their priority."""
        sums: dict[int, list[_Sums]] = {}
        touched = np.flatnonzero(tried.is_departing)
        free = tried.filled.free.copy()
        for flow in self._flows:
            part, touched, free = self._one(tried, flow, touched, free)
            sums.setdefault(self._layout.workload_of[flow], []).append(part)
        return [_outcome(self._layout, number, parts, tried, usual_usd) for number, parts in sums.items()]

    def _usual(self, flow: int, free: Floats) -> tuple[_Usually, Floats]:
        """The usual course of one flow, and what it leaves."""
        setting, ways = self._setting_of(()), list(self._layout.ways[flow])
        need = np.maximum(self._layout.need[flow, ways], _LEAST_NEED)[:, None]
        rooms = free[ways] / need
        room = rooms.sum(axis=0)
        arriving = self._course.rates[ASKED, flow]
        hours = SECONDS_PER_HOUR
        done = catch_up(self._course.edges_s, arriving * hours, room * hours).done / hours
        taken = spread_over(done, rooms)
        left = free.copy()
        left[ways] = np.maximum(free[ways] - taken * need, 0.0)
        usd, outside = ((taken * setting.counted[kind, flow, ways][:, None]).sum(axis=0) for kind in (USD, OUTSIDE))
        return _Usually(free=free, room=room, done=done, usd=usd, outside=outside), left

    def _one(
        self, tried: Tried, flow: int, touched: NDArray[np.int64], free: Floats
    ) -> tuple[_Sums, NDArray[np.int64], Floats]:
        """One flow of a trial: its sums, and the pieces [T] that are not as usual with what is free there [P, T]."""
        layout, usually = self._layout, self._usually[flow]
        pieces, spans, ways = tried.all_pieces, tried.spans, list(layout.ways[flow])
        need = np.maximum(layout.need[flow, ways], _LEAST_NEED)[:, None]
        which, settings = spans.key, [self._setting_of(key) for key in spans.keys]
        allowed = np.array([setting.allowed[flow, ways] for setting in settings], dtype=np.float64).T
        arriving = self._course.rates[ASKED, flow][pieces.hour] * spans.demand[flow, pieces.span] * pieces.length_s
        possible = usually.room[pieces.hour] * pieces.length_s
        possible[touched] = (
            _rooms(free, ways, need, _at(allowed, which[pieces.span[touched]])) * pieces.length_s[touched]
        )
        edges = np.concatenate((pieces.start_s, [self._course.edges_s[-1]]))
        course = catch_up(edges, arriving, possible)
        # Where more or less is done than usually, what is left for the next flow is not as usual either.
        expected = usually.done[pieces.hour] * pieces.length_s
        is_other = np.abs(course.done - expected) > _SLACK * (1.0 + expected)
        is_other[touched] = False
        more = np.flatnonzero(is_other)
        touched = np.concatenate((touched, more))
        free = np.concatenate((free, usually.free[:, pieces.hour[more]]), axis=1)
        lengths, where = pieces.length_s[touched], which[pieces.span[touched]]
        rooms = free[ways]
        rooms *= 1.0 / need
        rooms *= _at(allowed, where)
        taken = spread_over(course.done[touched] / lengths, rooms)
        free[ways] = np.maximum(free[ways] - taken * need, 0.0)
        is_usual = np.ones(pieces.hour.size, dtype=bool)
        is_usual[touched] = False
        seconds = np.bincount(pieces.hour[is_usual], pieces.length_s[is_usual], minlength=usually.usd.size)
        amounts = [float((rates * seconds).sum()) for rates in (usually.usd, usually.outside)]
        for index, kind in enumerate((USD, OUTSIDE)):
            per_request = np.array([setting.counted[kind, flow, ways] for setting in settings]).T
            if per_request.any():
                amounts[index] += float((taken * lengths * _at(per_request, where)).sum())
        held = np.array([(layout.held_part[flow] * layout.held_usd * setting.held).sum() for setting in settings])
        amounts[0] += float((held[which] * np.diff(spans.edges)).sum())
        limit_hours = layout.world.demanded[layout.workload_of[flow]].deadline_hours
        return _sums(course, (edges, arriving, possible), limit_hours, amounts), touched, free


def _at(columns: Floats, which: NDArray[np.int64]) -> Floats:
    """The columns for each piece; a single one stands for all."""
    return columns if columns.shape[1] == 1 else columns[:, which]


def _rooms(free: Floats, ways: list[int], need: Floats, allowed: Floats) -> Floats:
    """[T] requests per second possible at all ways together."""
    total = np.zeros(free.shape[1])
    for row, at in enumerate(ways):
        total += free[at] * (allowed[row] / need[row, 0])
    return total


def _sums(
    course: Course, pieces: tuple[Floats, Floats, Floats], limit_hours: float | None, amounts: Sequence[float]
) -> _Sums:
    edges, arriving, possible = pieces
    limit_s = np.inf if limit_hours is None else limit_hours * SECONDS_PER_HOUR
    is_done = np.isfinite(course.waits_s)
    age = np.where(is_done, course.waits_s, edges[-1] - edges[1:])
    is_over = age > limit_s
    offered, room = float(arriving.sum()), float(possible.sum())
    return _Sums(
        offered=offered,
        late=float(arriving[is_over & is_done].sum()),
        shed=float(arriving[is_over & ~is_done].sum()),
        outside=amounts[1],
        usd=amounts[0],
        behind_s=max(0.0, float((age - limit_s).max(initial=0.0))),
        wait_s=_quantile(age, arriving, 0.99),
        margin=(room - offered) / max(room, offered) if max(room, offered) > 0.0 else 1.0,
    )


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """Value, not negative, that this share of the weight does not exceed."""
    above = np.flatnonzero(values > 0.0)
    beyond = (1.0 - share) * float(weights.sum())
    order = above[np.argsort(-values[above], kind="stable")]
    total = np.cumsum(weights[order])
    if not total.size or total[-1] <= beyond:
        return 0.0
    return float(values[order[int(np.searchsorted(total, beyond, side="right"))]])


def _outcome(layout: Layout, number: int, parts: Sequence[_Sums], tried: Tried, usual_usd: Sequence[float]) -> Outcome:
    each = layout.world.demanded[number]
    usd, shed = sum(part.usd for part in parts), sum(part.shed for part in parts)
    offered, behind = sum(part.offered for part in parts), max(part.behind_s for part in parts)
    return Outcome(
        workload=each.workload,
        offered=offered,
        answered=offered - shed,
        late=sum(part.late for part in parts),
        shed=shed,
        lost=0.0,
        outside=sum(part.outside for part in parts),
        outage_s=behind,
        stale_s=stale_s(layout, number, tried.faults),
        ttft_p99_ms=0.0,
        wait_p99_ms=max(part.wait_s for part in parts) * MS_PER_S,
        usd=usd,
        usual_usd=usual_usd[number] if usual_usd else usd,
        margin=min(part.margin for part in parts),
        first_limit=f"deadline of {each.deadline_hours:g} h"
        if behind > 0.0 and each.deadline_hours is not None
        else "",
    )
