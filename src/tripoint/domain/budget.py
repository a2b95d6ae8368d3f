"""Words of spending under a limit: what is spent in a window, slices leased to workers, what each side tells the other.

All sums that travel are totals since a lease began and only ever grow, so that a message lost, repeated or overtaken
by a later one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Final, NamedTuple

from tripoint.domain.tenancy import Scope

NEWEST: Final = 2**62
"""A revision of accounts above all others."""


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

    def nano_where(self, counts: Callable[[float], bool]) -> int:
        """Cost of the requests among them that count by when they began (seconds since 1970), nano-dollars."""
        ats, nanos = self.each
        if not ats:
            return self.nano if counts(self.at) else 0
        return sum([nano for at, nano in zip(ats, nanos, strict=True) if counts(at)])


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
    """Cost of the holder's entries that were loaded, of requests that reserved from it."""
    gaps: tuple[tuple[float, float], ...] = ()
    """While its budget was removed nothing reserved: from when until when, seconds since 1970, the end not included;
    of the last `inf` until the worker has told since when it reserves again."""

    @property
    def is_open(self) -> bool:
        """False from when its budget is removed until its worker reserves again."""
        return not self.gaps or self.gaps[-1][1] < inf

    @property
    def resumed(self) -> float:
        """Since when the holder reserves from it without a break, seconds since 1970; `inf` while it does not."""
        return self.gaps[-1][1] if self.gaps else self.since

    def reserves(self, at: float) -> bool:
        """True for requests of its holder that reserved from it, by when they began, seconds since 1970."""
        return at >= self.since and not any(gone <= at < back for gone, back in self.gaps)

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
    """Since when the worker reserves from it without a break, seconds since 1970: see `Lease.resumed`."""
    returned: int
    """See `Lease`."""
    wanted: int
    """What `granted` should be for some time of work ahead; the present total when nothing more is wanted."""
    least: int = 0
    """What `granted` must be for the smallest request that waits; 0 when none does."""
    revision: int = NEWEST
    """Of the accounts the worker goes by."""


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
    since: float = 0.0
    """See `Lease.resumed`; 0 where it tells of no lease."""
    gone_at: float = 0.0
    """From when on no request counts as reserved, as its budget was removed, seconds since 1970; 0 where they do."""


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
