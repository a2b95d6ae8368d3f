"""The store's side of a budget: how much of what is left does a worker get, and what does an entry change?

The rule that everything keeps: spent + held by all leases <= limit. A slice is taken only out of what is left of that;
an entry moves its cost from its worker's slice to spent, which changes the sum by nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from tripoint.domain.budget import Charge, Lease, Tally, Threshold, Wish
from tripoint.domain.tenancy import WARN_AT

_SHARE = 2
"""What is asked ahead of need gets at most one part in so many times the workers of what is left."""
_LEAST_PART = 32
"""Slices smaller than such a part of what was asked ahead are not worth their transaction."""


def outstanding(leases: Iterable[Lease]) -> int:
    """What may still be spent from slices already given, nano-dollars; an overdrawn one gives others nothing."""
    return sum([max(0, lease.held) for lease in leases])


def room(tally: Tally, leases: Iterable[Lease]) -> int:
    """What is neither spent nor leased, nano-dollars; never negative, though a limit may be lowered below both."""
    return max(0, tally.limit_nano - tally.spent_nano - outstanding(leases))


def slice_for(wish: Wish, granted: int, left: int, holders: int) -> int:
    """How much more a worker gets, nano-dollars, at most `left`; 0 too when that would not serve who waits.

    `granted` is its total so far, `holders` how many workers share the budget. What waits is served in full; beyond,
    a slice is a share of what is left: large in the beginning, small near the end, so that little lies idle then.
    """
    more = wish.wanted - granted
    if more <= 0:
        return 0
    need = max(0, wish.least - granted)
    if need > left:
        return 0
    ahead = min(more, left // (_SHARE * max(1, holders)))
    if not need and ahead * _LEAST_PART < more:
        return 0
    return max(need, ahead)


def returned(lease: Lease, wish: Wish) -> Lease:
    """The lease after what its worker says has come back; nothing it says can raise what it holds."""
    back = min(max(lease.returned, wish.returned), max(lease.returned, lease.granted - lease.charged))
    return lease._replace(returned=back)


def suspended(lease: Lease, at: float) -> Lease:
    """The lease of a budget that is removed: no request that begins at `at` (seconds since 1970) or later reserves.

    To be kept before the worker hears of it, so that nothing it serves without the budget is taken for reserved.
    """
    if not lease.is_open or lease.since == inf:
        return lease
    return lease._replace(gaps=(*lease.gaps, (max(at, lease.resumed), inf)))


def resumed(lease: Lease, since: float) -> Lease:
    """The lease once its worker reserves again, from `since` on, in seconds since 1970; older words change nothing."""
    if not lease.is_open:
        gone_at = lease.gaps[-1][0]
        return lease if since <= gone_at else lease._replace(gaps=(*lease.gaps[:-1], (gone_at, since)))
    if since > lease.resumed:  # begun anew without the store's knowing: what was reserved before stays held
        return lease._replace(since=since, gaps=())
    return lease


def charged(lease: Lease, charges: Iterable[Charge]) -> Lease:
    """The lease after entries of its worker; those that did not reserve from it do not count."""
    cost = sum([charge.nano_where(lease.reserves) for charge in charges])
    return lease._replace(charged=lease.charged + cost)


def buried(lease: Lease) -> Lease:
    """The lease of a worker that is dead and whose every cost was charged.

    What it has not spent comes back, and it gets no more.
    """
    return lease._replace(returned=lease.returned + max(0, lease.held), since=inf, gaps=())


def limited(tally: Tally, limit_nano: int, revision: int) -> Tally:
    """With the limit of a newer revision; an older one changes nothing, so that two nodes never disagree for long."""
    if revision <= tally.revision:
        return tally
    return tally._replace(limit_nano=limit_nano, revision=revision)


def warned(tally: Tally) -> tuple[Tally, tuple[Threshold, ...]]:
    """The thresholds reached and not yet told; each is told once for a window, whatever the limit does later."""
    reached = [
        percent
        for percent in WARN_AT
        if percent > tally.warned and tally.spent_nano * 100 >= tally.limit_nano * percent
    ]
    if not reached:
        return tally, ()
    told = tuple(
        Threshold(tally.budget, tally.window, percent, tally.spent_nano, tally.limit_nano) for percent in reached
    )
    return tally._replace(warned=reached[-1]), told
