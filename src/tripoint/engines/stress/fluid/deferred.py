"""Work nobody waits for: it takes what capacity remains, keeps what is not done for later, and may have a deadline.

With a deadline it is out of service while it is behind it; without one, while nothing of it can be done.

The backlog follows Lindley's recursion, B' = max(0, B + arriving - possible), solved for all pieces of time at once:
with X the running sum of arriving - possible, B = X - min(0, least X so far). Work is done in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

Way = tuple[int, float, Floats | None]
"""A place, what a unit of work takes of it, and [T] 1 where it may be there, 0 elsewhere; `None` for everywhere."""

_SLACK = 1e-9
_LEAST_NEED = 1e-12


class Course(NamedTuple):
    """What became of deferred work; L pieces of time."""

    done: Floats
    """[L] amount done in each piece."""
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
    return Course(done=done, waits_s=waits)


class _Sums(NamedTuple):
    """What one flow of deferred work amounts to."""

    offered: float
    late: float
    shed: float
    outside: float
    usd: float
    behind_s: float
    stopped_s: float
    wait_s: float
    margin: float


def spread_over(rates: Floats, ways: Sequence[Way], free: Floats) -> Iterator[tuple[int, Floats]]:
    """Does work at `rates` [T] at one place after another until it is done, and takes it from what is `free` [P, T].

    Gives places and rates [T] done there.
    """
    rest = rates.copy()
    for at, need, allowed in ways:
        if rest.max(initial=0.0) <= 0.0:
            return
        room = free[at] * (1.0 / need)
        here = np.minimum(rest, room if allowed is None else room * allowed)
        rest -= here
        np.maximum(free[at] - here * need, 0.0, out=free[at])
        yield at, here


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
        setting = self._setting_of(())
        ways = self._ways(flow, [setting])
        room, left, hour = _rooms(free, ways), free.copy(), SECONDS_PER_HOUR
        done = catch_up(self._course.edges_s, self._course.rates[ASKED, flow] * hour, room * hour).done / hour
        usd, outside = np.zeros_like(done), np.zeros_like(done)
        for at, here in spread_over(done, ways, left):
            usd += here * setting.counted[USD, flow, at]
            outside += here * setting.counted[OUTSIDE, flow, at]
        return _Usually(free=free, room=room, done=done, usd=usd, outside=outside), left

    def _ways(self, flow: int, settings: Sequence[Setting], which: NDArray[np.int64] | None = None) -> list[Way]:
        """Places, what a request takes of each, and 1 in the pieces where it may be there; `None` for all of them."""
        found: list[Way] = []
        for at in self._layout.ways[flow]:
            allowed = [bool(setting.allowed[flow, at]) for setting in settings]
            need = max(float(self._layout.need[flow, at]), _LEAST_NEED)
            if all(allowed):
                found.append((at, need, None))
            elif which is not None and any(allowed):
                found.append((at, need, np.array(allowed, dtype=np.float64)[which]))
        return found

    def _one(
        self, tried: Tried, flow: int, touched: NDArray[np.int64], free: Floats
    ) -> tuple[_Sums, NDArray[np.int64], Floats]:
        """One flow of a trial: its sums, and the pieces [T] that are not as usual with what is free there [P, T]."""
        layout, usually = self._layout, self._usually[flow]
        pieces, spans = tried.all_pieces, tried.spans
        settings = [self._setting_of(key) for key in spans.keys]
        lengths = pieces.length_s
        arriving = self._course.rates[ASKED, flow][pieces.hour] * spans.demand[flow, pieces.span] * lengths
        possible = usually.room[pieces.hour] * lengths
        ways = self._ways(flow, settings, spans.key[pieces.span[touched]])
        possible[touched] = _rooms(free, ways) * lengths[touched]
        edges = np.concatenate((pieces.start_s, [self._course.edges_s[-1]]))
        course = catch_up(edges, arriving, possible)
        # Where more or less is done than usually, what is left for the next flow is not as usual either.
        expected = usually.done[pieces.hour] * lengths
        is_other = np.abs(course.done - expected) > _SLACK * (1.0 + expected)
        is_other[touched] = False
        if (more := np.flatnonzero(is_other)).size:
            touched = np.concatenate((touched, more))
            free = np.concatenate((free, usually.free[:, pieces.hour[more]]), axis=1)
            ways = self._ways(flow, settings, spans.key[pieces.span[touched]])
        is_usual = np.ones(pieces.hour.size, dtype=bool)
        is_usual[touched] = False
        seconds = np.bincount(pieces.hour[is_usual], lengths[is_usual], minlength=usually.usd.size)
        amounts = [float((rates * seconds).sum()) for rates in (usually.usd, usually.outside)]
        own, where = lengths[touched], spans.key[pieces.span[touched]]
        for at, here in spread_over(course.done[touched] / own, ways, free):
            for index, kind in enumerate((USD, OUTSIDE)):
                each = [float(setting.counted[kind, flow, at]) for setting in settings]
                if not any(each):
                    continue
                if len(each) == 1:
                    amounts[index] += each[0] * float((here * own).sum())
                else:
                    amounts[index] += float((here * own * np.array(each)[where]).sum())
        held = np.array([(layout.held_part[flow] * layout.held_usd * setting.held).sum() for setting in settings])
        amounts[0] += float((held[spans.key] * np.diff(spans.edges)).sum())
        limit_hours = layout.world.demanded[layout.workload_of[flow]].deadline_hours
        stopped = 0.0
        if limit_hours is None and float(arriving.sum()) > 0.0:
            stopped = stopped_s(edges, possible, usually.room[pieces.hour] * lengths)
        return _sums(course, (edges, arriving, possible), limit_hours, (*amounts, stopped)), touched, free


def _rooms(free: Floats, ways: Sequence[Way]) -> Floats:
    """[T] requests per second possible at all ways together."""
    total = np.zeros(free.shape[1])
    for at, need, allowed in ways:
        room = free[at] * (1.0 / need)
        total += room if allowed is None else room * allowed
    return total


def stopped_s(edges: Floats, possible: Floats, usual: Floats) -> float:
    """Longest time in which nothing can be done though it usually can, s; L amounts between `edges` [L + 1].

    Hours in which nothing is done on usual days neither end such a time nor begin it.
    """
    is_stopped = (usual > 0.0) & (possible <= _SLACK * usual)
    chosen = np.flatnonzero(is_stopped)
    if not chosen.size:
        return 0.0
    runs = np.cumsum(~is_stopped & (usual > 0.0))[chosen]
    first = np.searchsorted(runs, runs, side="left")
    return float((edges[1:][chosen] - edges[:-1][chosen[first]]).max())


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
        stopped_s=amounts[2],
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
    stopped = max(part.stopped_s for part in parts)
    return Outcome(
        workload=each.workload,
        offered=offered,
        answered=offered - shed,
        late=sum(part.late for part in parts),
        shed=shed,
        lost=0.0,
        outside=sum(part.outside for part in parts),
        outage_s=max(behind, stopped),
        stale_s=stale_s(layout, number, tried.faults),
        ttft_p99_ms=0.0,
        wait_p99_ms=max(part.wait_s for part in parts) * MS_PER_S,
        usd=usd,
        usual_usd=usual_usd[number] if usual_usd else usd,
        margin=min(part.margin for part in parts),
        first_limit=_first_limit(each.deadline_hours if behind > 0.0 else None, stopped),
    )


def _first_limit(missed_hours: float | None, stopped: float) -> str:
    """The deadline that was missed, or that work without one had no place; empty where neither."""
    if missed_hours is not None:
        return f"deadline of {missed_hours:g} h"
    return "no place could do it" if stopped > 0.0 else ""
