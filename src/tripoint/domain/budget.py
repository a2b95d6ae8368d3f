"""Words of spending under a limit: what is spent in a window, slices leased to workers, what each side tells the other.

All sums that travel are totals since a lease began and only ever grow, so that a message lost, repeated or overtaken
by a later one changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tripoint.domain.tenancy import Scope


class Charge(NamedTuple):
    """What new entries of the ledger cost, and whose slice it is taken from: one, or several of a caller and a day."""

    holder: str
    """Incarnation of the worker that recorded it; empty when no worker did."""
    at: float
    """When the request began, of several the first, seconds since 1970: decides the window."""
    tenant: str
    """Who pays."""
    key: str
    """Key id, empty when none."""
    workload: str
    """Workload id, empty when none."""
    nano: int
    """Effective cost, nano-dollars; negative where a correction takes back."""
    each: tuple[Sequence[float], Sequence[int]] = ((), ())
    """Of several entries when each request began and what it cost; nothing of one."""

    def nano_since(self, at: float) -> int:
        """Cost of the requests among them that began then or later, nano-dollars."""
        if self.at >= at:
            return self.nano
        return sum([nano for began, nano in zip(*self.each, strict=True) if began >= at])


class Tally(NamedTuple):
    """One budget in one window, as the store has it."""

    budget: str
    """Budget id."""
    window: str
    """`YYYY-MM-DD` or `YYYY-MM`, UTC."""
    scope: Scope
    """Whose requests; counted on while the budget is not declared, so that it is right when it is again."""
    limit_nano: int
    """Most that may be spent, as of `revision`."""
    revision: int
    """Revision of the accounts the limit is from."""
    spent_nano: int
    """Cost of everything loaded so far."""
    warned: int = 0
    """Highest percentage its owner was told of."""
    recalls: int = 0
    """How often unused slices were called back; nodes that share a store see by it that they must."""


class Lease(NamedTuple):
    """A slice of a budget that one worker may spend without asking; totals since it began."""

    budget: str
    """Budget id."""
    window: str
    """Window."""
    holder: str
    """Incarnation of the worker."""
    since: float
    """Requests that began from then on reserve from it, seconds since 1970; never again, once its worker is buried."""
    granted: int = 0
    """Nano-dollars ever given; only the store's side changes it."""
    returned: int = 0
    """Nano-dollars given back unused; only the worker changes it, or who buries it."""
    charged: int = 0
    """Cost of the holder's entries that were loaded."""

    @property
    def held(self) -> int:
        """What may still be spent from it, nano-dollars; negative where a request cost more than its upper bound."""
        return self.granted - self.returned - self.charged


class Wish(NamedTuple):
    """What a worker tells of one lease; an answer is due whenever it is sent."""

    budget: str
    """Budget id."""
    window: str
    """Window."""
    since: float
    """See `Lease`."""
    returned: int
    """See `Lease`."""
    wanted: int
    """What `granted` should be for some time of work ahead; the present total when nothing more is wanted."""
    least: int = 0
    """What `granted` must be for the smallest request that waits; 0 when none does."""
    used: int = 0
    """What requests had used of it by `since`, nano-dollars: not 0 where the budget was removed and set again."""


class Grant(NamedTuple):
    """What the ledger tells a worker of one lease."""

    budget: str
    """Budget id."""
    window: str
    """Window."""
    granted: int
    """See `Lease`."""
    returned: int
    """What it knows to have come back."""
    limit_nano: int
    """The budget's limit now."""
    spent_nano: int
    """What is spent of it."""


class Threshold(NamedTuple):
    """A share of a budget was reached; told once for each window."""

    budget: str
    """Budget id."""
    window: str
    """Window."""
    percent: int
    """One of `WARN_AT`."""
    spent_nano: int
    """Spent when it was reached."""
    limit_nano: int
    """Limit then."""
