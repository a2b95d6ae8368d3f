"""The ledger's words: entries that are only ever added, and what is spent, summed up over chosen dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class EntryKind(StrEnum):
    """What an entry stands for."""

    USAGE = "usage"
    """A request, as the gateway recorded it."""
    IDLE = "idle"
    """Capacity that was paid for in an hour and not used by any request."""
    UNCONFIRMED = "unconfirmed"
    """Money held for requests that were under way when a worker died without a word."""
    CORRECTION = "correction"
    """A difference to what was entered before; entries are never edited."""


class Adjustment(NamedTuple):
    """An entry that no request made: idle capacity, money unconfirmed, a correction."""

    id: str
    """Unique; made from what it is about, so that it cannot be entered twice."""
    kind: str
    """An `EntryKind`, not `usage`."""
    at: float
    """Which time it is about, seconds since 1970."""
    tenant: str
    """Who pays; empty for idle capacity."""
    key: str
    """Key id, empty when none."""
    workload: str
    """Workload id, empty when none."""
    model: str
    """Model spec id, empty when none."""
    site: str
    """Site id, empty when none."""
    upstream: str
    """Upstream id, empty when none."""
    nano: int
    """Effective cost, nano-dollars; negative where a correction takes back."""
    list_nano: int
    """The same at list prices."""
    tokens_in: int
    """Input tokens; 0 for idle capacity."""
    tokens_out: int
    """Output tokens; 0 for idle capacity."""
    prices: str
    """Price version it was computed by, empty when none."""
    corrects: str
    """Id of the entry it corrects, empty when none."""
    reason: str
    """Why, for people."""


class Dimension(StrEnum):
    """What spend can be told apart by."""

    DAY = "day"
    KIND = "kind"
    TENANT = "tenant"
    KEY = "key"
    WORKLOAD = "workload"
    MODEL = "model"
    SITE = "site"
    UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendQuery:
    """Which part of the ledger, summed up by what."""

    by: tuple[Dimension, ...]
    """Dimensions of the answer, in order; one row of sums when empty."""
    since: str | None = None
    """First day, `YYYY-MM-DD`, UTC; from the beginning when `None`."""
    until: str | None = None
    """Last day, inclusive; to the end when `None`."""
    tenant: str | None = None
    """Only this tenant; all when `None`. Never widened by what a caller asks: the door sets it."""
    workload: str | None = None
    """Only this workload."""
    model: str | None = None
    """Only this model."""
    site: str | None = None
    """Only this site."""
    kinds: tuple[EntryKind, ...] = ()
    """Only these kinds; all when empty."""


class Spend(NamedTuple):
    """A row of sums."""

    by: tuple[str, ...]
    """Values of the query's dimensions, in its order."""
    requests: int
    """Requests, however they ended."""
    failed: int
    """Requests among them that brought no whole answer."""
    estimated: int
    """Requests among them whose tokens were counted here, since the upstream did not report."""
    tokens_in: int
    """Input tokens, cached ones included."""
    cached: int
    """Input tokens read from a cache."""
    tokens_out: int
    """Output tokens, reasoning included."""
    reasoning: int
    """Output tokens spent on reasoning."""
    nano: int
    """Effective cost, nano-dollars."""
    list_nano: int
    """Cost at list prices, nano-dollars."""
    marginal_nano: int
    """What routing compared: the cost of one more request, nano-dollars."""


class Loaded(NamedTuple):
    """What one load brought into the ledger."""

    added: int
    """Entries that were new."""
    repeated: int
    """Entries that were there already and changed nothing."""
