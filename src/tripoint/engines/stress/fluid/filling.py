"""Who is served when all ask at once? Flows fill places in the order of their priority, within policy.

A flow goes first where the plan puts it; what finds no room there goes to its other ways, cheapest first, and then to
capacity that was asked for because of the fault. Every moment is filled by itself, so thousands are filled at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tripoint.engines.stress.fluid.layout import Flags, Layout
from tripoint.engines.stress.kernel.arithmetic import Floats

TINY = 1e-12
LATE, USD, OUTSIDE = range(3)
"""What is counted of a request besides that it was served."""
COUNTED = 3


class Setting(NamedTuple):
    """What holds for all moments filled together."""

    allowed: Flags
    """[F, P] where policy and links let it go."""
    counted: Floats
    """[COUNTED, F, P] what a request served there adds: 1 where it is late, its cost in USD, 1 where it may not be."""
    held: Floats
    """[P] times what its nodes cost, asked for or standing."""


class Filled(NamedTuple):
    """N moments filled."""

    served: Floats
    """[F, N] requests per second served."""
    counted: Floats
    """[COUNTED, F, N] the same late, in USD per second (nodes that were asked for included), and out of place."""
    margin: Floats
    """[F, N] free share of the capacity it may use; negative when more is asked than there is."""
    free: Floats
    """[P, N] capacity left."""


def empty(layout: Layout, moments: int) -> Filled:
    """Room for the results of so many moments."""
    shape, width = (len(layout.workload_of), moments), len(layout.world.places)
    return Filled(np.zeros(shape), np.zeros((COUNTED, *shape)), np.ones(shape), np.zeros((width, moments)))


def fill(layout: Layout, setting: Setting, asked: Floats, capacity: Floats, spare: Floats) -> Filled:
    """Serves `asked` [F, N] requests per second from `capacity` [P, N] and `spare` [G, N], shares of places.

    Flows that nobody waits for are left out: they take what remains (`deferred`).
    """
    filled = empty(layout, asked.shape[1])
    filled.free[:] = capacity
    more = spare.copy() if bool(spare.any()) else None
    wholes: dict[tuple[int, ...], Floats] = {}
    touched: dict[int, bool] = {}
    for flow in layout.order:
        if layout.is_waited_for[flow]:
            ways = [at for at in layout.ways[flow] if setting.allowed[flow, at]]
            rest = _serve(layout, setting, (flow, ways), asked[flow], (filled, more, touched))
            like = layout.alike[flow]
            key = (like, *sorted(ways))
            if key not in wholes:
                wholes[key] = _whole(layout.need[like], ways, capacity)
            taken = [(capacity[at], filled.free[at], layout.need[flow, at]) for at in ways if at in touched]
            whole = wholes[key] * _times(layout.need[like], layout.need[flow], ways)
            filled.margin[flow] = _margin(whole, taken, asked[flow], rest)
    return filled


def _serve(
    layout: Layout,
    setting: Setting,
    who: tuple[int, list[int]],
    asked: Floats,
    into: tuple[Filled, Floats | None, dict[int, bool]],
) -> Floats:
    """Serves one flow at its ways in turn; what found no room."""
    flow, ways = who
    filled, more, touched = into
    rest = asked.copy()
    for at in ways:
        if layout.share[flow, at] > 0.0:
            touched[at] = True
            wanted = np.minimum(asked * layout.share[flow, at], rest)
            rest -= _pour(layout, setting, (flow, at), wanted, (filled, filled.free[at]))[0]
    for at in ways:
        if rest.max(initial=0.0) <= TINY:
            return rest
        touched[at] = True
        rest -= _pour(layout, setting, (flow, at), rest, (filled, filled.free[at]))[0]
    if more is not None and rest.max(initial=0.0) > TINY:
        for at in ways:
            if at not in layout.growing:
                continue
            amount, taken = _pour(layout, setting, (flow, at), rest, (filled, more[layout.growing[at]]))
            rest -= amount
            filled.counted[USD, flow] += taken * (layout.spare_usd[at] * setting.held[at])
    return rest


def _pour(
    layout: Layout, setting: Setting, way: tuple[int, int], wanted: Floats, into: tuple[Filled, Floats]
) -> tuple[Floats, Floats]:
    """Serves what there is room for at one place: requests per second, and the share of the place they take."""
    flow = way[0]
    filled, free = into
    need = layout.need[way]
    if need > 0.0:
        taken = np.minimum(wanted * need, free)
        free -= taken
        # Back from shares of the place to requests, without making more of them than were wanted.
        amount = np.minimum(taken / need, wanted)
    else:
        amount = np.where(free > 0.0, wanted, 0.0)
        taken = np.zeros_like(amount)
    filled.served[flow] += amount
    for kind in range(COUNTED):
        if each := setting.counted[kind][way]:
            filled.counted[kind, flow] += amount * each
    return amount, taken


def _whole(need: Floats, ways: Sequence[int], capacity: Floats) -> Floats:
    """[N] requests per second possible at all of the ways together; infinite where one is without limits."""
    whole = np.zeros(capacity.shape[1])
    for at in ways:
        whole += capacity[at] / need[at] if need[at] > 0.0 else np.where(capacity[at] > 0.0, np.inf, 0.0)
    return whole


def _times(alike: Floats, need: Floats, ways: Sequence[int]) -> float:
    """How many times the requests of one flow are possible where those of another like it are."""
    return next((float(alike[at] / need[at]) for at in ways if need[at] > 0.0), 1.0)


def _margin(whole: Floats, taken: Sequence[tuple[Floats, Floats, float]], asked: Floats, rest: Floats) -> Floats:
    """[N] free share of what a flow may use, in its own requests per second; -1 when there is nothing to use at all.

    `taken` are places that it and those before it use: capacity, what is free of it, and what its own requests take.
    """
    left, used = whole - rest, np.empty_like(whole)
    for capacity, free, need in taken:
        if need > 0.0:
            np.subtract(capacity, free, out=used)
            used *= 1.0 / need
            left -= used
    base = np.maximum(whole, asked)
    is_limited = (base > 0.0) & np.isfinite(base)
    margin: Floats = np.where(is_limited, left, 1.0) / np.where(is_limited, base, 1.0)
    return margin
