"""The ledger's words: entries that are only ever added, and what is spent, summed up over chosen dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from tripoint.domain.money import Tariff
from tripoint.domain.record import AttemptRecord, UsageRecord


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
    HOUR = "hour"
    KIND = "kind"
    TENANT = "tenant"
    KEY = "key"
    WORKLOAD = "workload"
    MODEL = "model"
    SITE = "site"
    UPSTREAM = "upstream"
    TARIFF = "tariff"
    PRICES = "prices"


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
    key: str | None = None
    """Only this key."""
    workload: str | None = None
    """Only this workload."""
    model: str | None = None
    """Only this model."""
    site: str | None = None
    """Only this site."""
    upstream: str | None = None
    """Only this upstream."""
    kinds: tuple[EntryKind, ...] = ()
    """Only these kinds; all when empty."""
    most: int | None = None
    """Only so many rows, those with the most money, the dearest first; all in the order of `by` when `None`."""


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


class Damage(NamedTuple):
    """A stretch of a segment that holds no record any more."""

    source: str
    """Segment, by its file's name."""
    offset: int
    """Its first byte."""
    size: int
    """How long it is, bytes."""
    reason: str
    """What is wrong there."""


class Piece(NamedTuple):
    """What was read from one segment in one go: everything between two places in it."""

    source: str
    """Segment, by its file's name; no two ever have the same."""
    holder: str
    """Incarnation of the worker that wrote it: whose leases its records are charged to."""
    start: int
    """Where the ledger stands in it, bytes; 0 when it has nothing of it yet."""
    end: int
    """Where it will stand, bytes."""
    records: Sequence[UsageRecord]
    """Records between the two."""
    damage: tuple[Damage, ...] = ()
    """What lies between the two and could not be read."""


class Loaded(NamedTuple):
    """What one load brought into the ledger."""

    added: int
    """Entries that were new."""
    repeated: int
    """Entries that were there already and changed nothing."""
    moved: tuple[str, ...] = ()
    """Segments in which the ledger stood elsewhere than their piece began: nothing of those was loaded."""


class PriceRow(NamedTuple):
    """One row of a price version: what is charged, what is compared with it, and where both come from."""

    tariff: Tariff
    """What is charged; its id is the row's."""
    listed: Tariff
    """What the same would cost at list prices."""
    marginal: Tariff
    """What routing compares: the cost of one more request."""
    firm: Tariff
    """The part of `tariff` that pays for capacity which is paid whether it works or not."""
    basis: str
    """Where the prices come from."""


class EntryQuery(NamedTuple):
    """Which entries, in which order."""

    since: float | None = None
    """Not before, seconds since 1970."""
    until: float | None = None
    """Before, seconds since 1970."""
    tenant: str | None = None
    """Only this tenant; all when `None`. Never widened by what a caller asks: the door sets it."""
    key: str | None = None
    """Only this key."""
    workload: str | None = None
    """Only this workload."""
    model: str | None = None
    """Only this model."""
    site: str | None = None
    """Only this site."""
    kinds: tuple[EntryKind, ...] = ()
    """Only these kinds; all when empty."""
    is_newest_first: bool = False
    """True for the newest first; else in the order in which they came."""
    after: int | None = None
    """Only entries behind the one of this number, in that order: for the next page."""
    limit: int | None = None
    """At most so many."""


class Entry(NamedTuple):
    """One line of the ledger, in full: a request as it was recorded, or an adjustment."""

    number: int
    """Its place in the ledger: later ones have higher numbers."""
    kind: str
    """An `EntryKind`."""
    id: str
    """Request id, with `/1` and so on for what further upstreams billed for it; or what an adjustment is about."""
    at: float
    """When the request began, or which time an adjustment is about, seconds since 1970."""
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
    tariff: str
    """Price row it was computed by, empty when none."""
    prices: str
    """Price version it was computed by, empty when none."""
    api: str
    """Interface used, empty when none."""
    status: int
    """HTTP status sent, 0 when none."""
    ending: str
    """How the request ended, empty when there was none."""
    error: str
    """Error code sent, empty when none."""
    is_stream: bool
    """True for a streamed answer."""
    is_estimated: bool
    """True when the upstream did not report tokens and they were counted here."""
    reason: str
    """Why the answering candidate was chosen; for an adjustment, why it was made."""
    requests: int
    """1 for a request, 0 for an adjustment and for what a further upstream billed for the same request."""
    tokens_in: int
    """Input tokens, cached ones included."""
    cached: int
    """Input tokens read from a cache."""
    tokens_out: int
    """Output tokens, reasoning included."""
    reasoning: int
    """Output tokens spent on reasoning."""
    nano: int
    """Effective cost, nano-dollars; negative where a correction takes back."""
    list_nano: int
    """The same at list prices."""
    marginal_nano: int
    """What routing compared, nano-dollars."""
    ttft_s: float
    """Time to first token, s; 0 when none came."""
    tpot_s: float
    """Mean time per output token after the first, s."""
    total_s: float
    """From the request's last byte to the answer's last, s."""
    own_s: float
    """Part of it spent in the gateway before the first attempt was sent, s."""
    trace_id: str
    """W3C trace id, empty when none."""
    corrects: str
    """Id of the entry it corrects, empty when none."""
    attempts: tuple[AttemptRecord, ...]
    """Every attempt in order."""


class Mismatch(NamedTuple):
    """Entries that do not add up to their sums: never seen unless somebody edited the store."""

    by: tuple[Dimension, ...]
    """What the sums tell apart."""
    line: tuple[str, ...]
    """Which of them it is."""
    entries: Spend
    """What the entries add up to."""
    sums: Spend
    """What is kept as their sum."""
