"""Who is served when all ask at once? Flows fill places in the order of their priority, within policy.

A flow goes first where the plan puts it; what finds no room there goes to its other ways, cheapest first, and then to
capacity that was asked for because of the fault. Every moment is filled by itself, so thousands are filled at once.
"""

from __future__ import annotations

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
    """Serves `asked` [F, N] requests per second from `capacity` and `spare` [P, N], shares of places.

    Flows that nobody waits for are left out: they take what remains (`deferred`).
    """
    filled = empty(layout, asked.shape[1])
    filled.free[:] = capacity
    more = spare.copy() if bool(spare.any()) else None
    for flow in layout.order:
        if layout.is_waited_for[flow]:
            ways = [at for at in layout.ways[flow] if setting.allowed[flow, at]]
            rest = _serve(layout, setting, (flow, ways), asked[flow], (filled, more))
            _keep_margin(layout, (flow, ways), (capacity, filled.free, asked[flow], rest), filled.margin[flow])
    return filled


def _serve(
    layout: Layout, setting: Setting, who: tuple[int, list[int]], asked: Floats, into: tuple[Filled, Floats | None]
) -> Floats:
    """Serves one flow at its ways in turn; what found no room."""
    flow, ways = who
    filled, more = into
    rest = asked.copy()
    for at in ways:
        if layout.share[flow, at] > 0.0:
            wanted = np.minimum(asked * layout.share[flow, at], rest)
            rest -= _pour(layout, setting, (flow, at), wanted, (filled, filled.free[at]))[0]
    for at in ways:
        if rest.max(initial=0.0) <= TINY:
            return rest
        rest -= _pour(layout, setting, (flow, at), rest, (filled, filled.free[at]))[0]
    if more is not None and rest.max(initial=0.0) > TINY:
        for at in ways:
            amount, taken = _pour(layout, setting, (flow, at), rest, (filled, more[at]))
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


def _keep_margin(
    layout: Layout, who: tuple[int, list[int]], levels: tuple[Floats, Floats, Floats, Floats], margin: Floats
) -> None:
    """Free share of what the flow may use, in its own requests per second; -1 when there is nothing to use at all."""
    flow, ways = who
    capacity, free, asked, rest = levels
    need = layout.need[flow, ways]
    if not ways or not need.all():
        margin[:] = np.where(rest > TINY, -1.0, 1.0)
        return
    whole, left, each = np.zeros_like(asked), np.zeros_like(asked), np.empty_like(asked)
    for at, per_unit in zip(ways, 1.0 / need, strict=True):
        whole += np.multiply(capacity[at], per_unit, out=each)
        left += np.multiply(free[at], per_unit, out=each)
    base = np.maximum(whole, asked)
    margin[:] = np.where(base > 0.0, (left - rest) / np.where(base > 0.0, base, 1.0), 1.0)
