"""What a trial amounts to for each workload: sums of its flows, longest outage, least margin, first limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.stress import Outcome
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.stress.fluid.filling import LATE, OUTSIDE, USD, Filled
from tripoint.engines.stress.fluid.layout import Flags, Layout
from tripoint.engines.stress.fluid.pieces import ASKED, COUNTS, SERVED, Pieces, Usual, short
from tripoint.engines.stress.fluid.spans import Spans, Struck
from tripoint.engines.stress.kernel.arithmetic import Floats

_LOSING = (FaultKind.DOWN, FaultKind.HANG)
_TINY_SHARE = 1e-9


class Tried(NamedTuple):
    """One trial, filled."""

    faults: Sequence[Fault]
    """What happened."""
    spans: Spans
    """When."""
    pieces: Pieces
    """N pieces that depart from the usual course."""
    all_pieces: Pieces
    """L pieces: all of it."""
    is_departing: Flags
    """[L] which of them the N are."""
    amounts: Floats
    """[QUANTITIES, F] over the whole trial."""
    asked: Floats
    """[F, N] requests per second."""
    filled: Filled
    """[., N]."""


def longest_s(starts: Floats, lengths: Floats, is_bad: Flags) -> float:
    """Longest stretch of neighbouring bad pieces, s."""
    chosen = np.flatnonzero(is_bad)
    if not chosen.size:
        return 0.0
    begin, end = starts[chosen], starts[chosen] + lengths[chosen]
    is_new = np.concatenate(([True], begin[1:] > end[:-1]))
    first = np.maximum.accumulate(np.where(is_new, np.arange(chosen.size), 0))
    return float((end - begin[first]).max())


def in_flight(layout: Layout, struck: Struck, faults: Sequence[Fault], course: Usual) -> Floats:
    """[F] requests lost because they were at a place when it went down: what Little's law says is there."""
    lost = np.zeros(len(layout.workload_of))
    staying = layout.share * layout.stay_s
    for fault in faults:
        if fault.kind in _LOSING and fault.at_s < course.edges_s[-1]:
            rate = course.filled.served[:, int(fault.at_s / SECONDS_PER_HOUR)]
            for at in struck.places(fault):
                lost += rate * staying[:, at]
    return lost


def outcomes_of(
    layout: Layout, struck: Struck, tried: Tried, course: Usual, usual_usd: Sequence[float]
) -> list[Outcome]:
    """Outcomes of the workloads somebody waits for, in the world's order."""
    lost = np.minimum(in_flight(layout, struck, tried.faults, course), tried.amounts[SERVED])
    is_short = short(layout, tried.asked, tried.filled.served)
    margins = _margins(layout, tried, course)
    found: list[Outcome] = []
    for number, each in enumerate(layout.world.demanded):
        flows = [flow for flow, of in enumerate(layout.workload_of) if of == number]
        if not each.is_interactive:
            continue
        amounts = tried.amounts[:, flows].sum(axis=1)
        gone = float(lost[flows].sum())
        shed = unserved(float(amounts[ASKED]), float(amounts[SERVED]))
        found.append(
            Outcome(
                workload=each.workload,
                offered=float(amounts[ASKED]),
                answered=max(0.0, float(amounts[ASKED]) - shed - gone),
                late=max(0.0, float(amounts[COUNTS + LATE])),
                shed=shed,
                lost=gone,
                outside=float(amounts[COUNTS + OUTSIDE]),
                outage_s=longest_s(tried.pieces.start_s, tried.pieces.length_s, is_short[number]),
                stale_s=stale_s(layout, number, tried.faults),
                ttft_p99_ms=0.0,
                wait_p99_ms=0.0,
                usd=float(amounts[COUNTS + USD]),
                usual_usd=usual_usd[number] if usual_usd else float(amounts[COUNTS + USD]),
                margin=float(margins[flows].min()),
                first_limit=_first_limit(layout, flows, tried, shed > 0.0),
            )
        )
    return found


def unserved(asked: float, served: float) -> float:
    """What was not served; nothing where sums differ in their last digits only."""
    return asked - served if asked - served > _TINY_SHARE * asked else 0.0


class Hourly(NamedTuple):
    """One workload somebody waits for, over the hours of a trial: requests of each hour."""

    workload: str
    """Workload id."""
    offered: Floats
    """[H] asked."""
    served: Floats
    """[H] served, late ones included."""
    late: Floats
    """[H] of those late."""


def hourly(layout: Layout, tried: Tried, course: Usual) -> list[Hourly]:
    """The trial over time, in the world's order of workloads."""
    usually = course.rates[[ASKED, SERVED, COUNTS + LATE]] * SECONDS_PER_HOUR
    pieces, filled = tried.pieces, tried.filled
    rates = np.stack((tried.asked, filled.served, filled.counted[LATE]))
    found: list[Hourly] = []
    for number, each in enumerate(layout.world.demanded):
        flows = [flow for flow, of in enumerate(layout.workload_of) if of == number]
        if not each.is_interactive:
            continue
        amounts = usually[:, flows].sum(axis=1)
        taken = np.bincount(pieces.hour, pieces.length_s, minlength=amounts.shape[1])
        amounts *= 1.0 - taken / SECONDS_PER_HOUR
        for kind, own in enumerate(rates[:, flows].sum(axis=1)):
            amounts[kind] += np.bincount(pieces.hour, own * pieces.length_s, minlength=amounts.shape[1])
        found.append(Hourly(each.workload, *np.maximum(amounts, 0.0)))
    return found


def stale_s(layout: Layout, number: int, faults: Sequence[Fault]) -> float:
    """Age of the newest data left to a workload, s: it is named itself, or a place where the plan puts it."""
    losses = [fault for fault in faults if fault.kind is FaultKind.DATA_LOST]
    if not losses:
        return 0.0
    flow = layout.workload_of.index(number)
    places = [layout.world.places[at] for at in layout.ways[flow] if layout.share[flow, at] > 0.0]
    names = {layout.world.demanded[number].workload, *(place.site for place in places), *(p.pool for p in places)}
    return max((fault.size * SECONDS_PER_HOUR for fault in losses if names.intersection(fault.on)), default=0.0)


def _margins(layout: Layout, tried: Tried, course: Usual) -> Floats:
    """[F] least margin over the hours that no piece takes up whole, and over the pieces."""
    own: Floats = tried.filled.margin.min(axis=1, initial=1.0)
    above = np.flatnonzero(own > course.margin)
    if not above.size:
        return own
    taken = np.bincount(tried.pieces.hour, tried.pieces.length_s, minlength=course.edges_s.size - 1)
    left = taken < SECONDS_PER_HOUR * (1.0 - _TINY_SHARE)
    own[above] = np.minimum(own[above], course.filled.margin[above][:, left].min(axis=1, initial=1.0))
    return own


def _first_limit(layout: Layout, flows: Sequence[int], tried: Tried, is_limited: bool) -> str:
    """The place that first had no room for what was meant for it, in the estate's words."""
    if not is_limited:
        return ""
    rest = tried.asked[flows].sum(axis=0) - tried.filled.served[flows].sum(axis=0)
    short_at = np.flatnonzero(rest > _TINY_SHARE * tried.asked[flows].sum(axis=0))
    if not short_at.size or not layout.ways[flows[0]]:
        return "no place may serve it"
    first = int(short_at[0])
    capacity = tried.spans.capacity[:, tried.pieces.span[first]]
    meant = [(layout.share[flow, at], at) for flow in flows for at in layout.ways[flow]]
    hurt = [(share, at) for share, at in meant if capacity[at] < 1.0] or meant
    at = max(hurt, key=lambda each: each[0])[1]
    place = layout.world.places[at]
    if capacity[at] <= 0.0:
        return f"{place.site} is out"
    return f"{place.pool} has {capacity[at]:.0%} of its capacity" if capacity[at] < 1.0 else f"{place.pool} is full"
