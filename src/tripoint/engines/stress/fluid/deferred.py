"""Work nobody waits for: it takes what capacity remains, keeps what is not done for later, and has a deadline.

The backlog follows Lindley's recursion, B' = max(0, B + arriving - possible), solved for all pieces of time at once:
with X the running sum of arriving - possible, B = X - min(0, least X so far). Work is done in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

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
    at = clock_times(np.maximum(np.minimum(arrived, finished[-1]) - slack, 0.0), edges_s, finished)
    waits = np.where(arrived > finished[-1] + slack, np.inf, np.maximum(at - edges_s[1:], 0.0))
    return Course(done=done, backlog=backlog, waits_s=waits)


def spread_over(done: Floats, rooms: Floats) -> Floats:
    """[K, L] the work done at each of K places, first one first; `rooms` are the amounts possible there."""
    taken = np.zeros_like(rooms)
    rest = done.copy()
    for place, room in enumerate(rooms):
        taken[place] = np.minimum(rest, room)
        rest -= taken[place]
    return taken


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


def outcomes_deferred(
    layout: Layout, tried: Tried, course: Usual, usual: tuple[Callable[[Key], Setting], Sequence[float]]
) -> list[Outcome]:
    """Outcomes of the workloads nobody waits for; flows take what remains in the order of their priority."""
    flows = [flow for flow in layout.order if not layout.is_waited_for[flow]]
    if not flows:
        return []
    setting_of, usual_usd = usual
    pieces = tried.all_pieces
    edges = np.concatenate((pieces.start_s, [course.edges_s[-1]]))
    free = course.filled.free[:, pieces.hour]
    free[:, tried.is_departing] = tried.filled.free
    sums: dict[int, list[_Sums]] = {}
    for flow in flows:
        sums.setdefault(layout.workload_of[flow], []).append(
            _one(layout, tried, (flow, course.rates[ASKED, flow]), (edges, free), setting_of)
        )
    return [_outcome(layout, number, parts, tried, usual_usd) for number, parts in sums.items()]


def _one(
    layout: Layout,
    tried: Tried,
    who: tuple[int, Floats],
    room: tuple[Floats, Floats],
    setting_of: Callable[[Key], Setting],
) -> _Sums:
    """Serves one flow from what is free, and takes that away."""
    flow, usually = who
    edges, free = room
    pieces, spans, ways = tried.all_pieces, tried.spans, list(layout.ways[flow])
    lengths = pieces.length_s
    arriving = usually[pieces.hour] * spans.demand[pieces.span, flow] * lengths
    need = np.maximum(layout.need[flow, ways], _LEAST_NEED)[:, None]
    keys = list(dict.fromkeys(spans.keys))
    number_by_key = {key: number for number, key in enumerate(keys)}
    which = np.array([number_by_key[key] for key in spans.keys])[pieces.span]
    settings = [setting_of(key) for key in keys]
    allowed = np.array([setting.allowed[flow, ways] for setting in settings])[which].T
    rooms = free[ways] / need * lengths * allowed
    done = catch_up(edges, arriving, rooms.sum(axis=0))
    taken = spread_over(done.done, rooms)
    free[ways] = np.maximum(free[ways] - taken * need / lengths, 0.0)
    costs = np.array([setting.counted[:, flow, ways] for setting in settings])[which]
    limit_s = layout.world.demanded[layout.workload_of[flow]].deadline_hours
    allowed_s = np.inf if limit_s is None else limit_s * SECONDS_PER_HOUR
    age = np.where(np.isfinite(done.waits_s), done.waits_s, edges[-1] - edges[1:])
    is_over = age > allowed_s
    is_done = np.isfinite(done.waits_s)
    held = np.array([(layout.held_part[flow] * layout.held_usd * setting.held).sum() for setting in settings])
    possible = float(rooms.sum())
    offered = float(arriving.sum())
    return _Sums(
        offered=offered,
        late=float(arriving[is_over & is_done].sum()),
        shed=float(arriving[is_over & ~is_done].sum()),
        outside=float((taken.T * costs[:, OUTSIDE]).sum()),
        usd=float((taken.T * costs[:, USD]).sum() + (held[which] * lengths).sum()),
        behind_s=max(0.0, float((age - allowed_s).max(initial=0.0))) if limit_s is not None else 0.0,
        wait_s=_quantile(age, arriving, 0.99),
        margin=(possible - offered) / max(possible, offered) if max(possible, offered) > 0.0 else 1.0,
    )


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """Value that this share of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    if not total.size or total[-1] <= 0.0:
        return 0.0
    return float(values[order][min(int(np.searchsorted(total, share * total[-1])), total.size - 1)])


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
