"""What happened to a request: usage, attempts and the record that metrics, log and ledger are made from."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Ending(StrEnum):
    """How a request ended; offered = the sum over all of these."""

    OK = "ok"
    REFUSED = "refused"
    SHED = "shed"
    FAILED = "failed"
    CUT = "cut"
    CANCELLED = "cancelled"


class Failure(StrEnum):
    """Why an attempt failed."""

    CONNECT = "connect"
    TIMEOUT = "timeout"
    STALL = "stall"
    RESET = "reset"
    STATUS = "status"
    LIMITED = "limited"
    CREDENTIAL = "credential"
    ABSENT = "absent"
    ANSWER = "answer"
    LOST = "lost"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a candidate was chosen."""

    PLAN = "plan"
    CHEAPEST = "cheapest"
    SHIFTED = "shifted"
    AFFINITY = "affinity"
    SLO = "slo"
    SPILL = "spill"
    RETRY = "retry"
    FAILOVER = "failover"
    FALLBACK = "fallback"
    HEDGE = "hedge"
    PANIC = "panic"
    RESUME = "resume"


class Usage(NamedTuple):
    """Tokens of one request."""

    tokens_in: int
    """Input tokens, cached ones included."""
    tokens_out: int
    """Output tokens, reasoning included."""
    cached: int = 0
    """Input tokens read from the upstream's cache."""
    reasoning: int = 0
    """Output tokens spent on reasoning."""
    is_estimated: bool = False
    """True when the upstream did not report and we counted."""


class AttemptRecord(NamedTuple):
    """One attempt."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    model: str
    """Model spec id."""
    reason: str
    """Why it was chosen, a `Reason`."""
    started_s: float
    """When it began, s after the request."""
    took_s: float
    """How long it lasted, s."""
    status: int
    """HTTP status, 0 when none came."""
    failure: str
    """A `Failure`, empty when it succeeded."""


class Bill(NamedTuple):
    """What an attempt that did not give the answer had delivered, or was let go with, and costs all the same."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    model: str
    """Model spec id."""
    tariff: str
    """Price row."""
    prices: str
    """Price version it belongs to."""
    usage: Usage
    """Tokens."""
    nano: int
    """Effective cost, nano-dollars."""
    list_nano: int
    """The same at list prices."""
    marginal_nano: int
    """What routing compared, nano-dollars."""


class UsageRecord(NamedTuple):
    """One request, complete; prompt and answer text are never part of it."""

    id: str
    """Request id."""
    at: float
    """When it began, seconds since the epoch."""
    tenant: str
    """Who pays."""
    key: str
    """Key id."""
    workload: str
    """Workload id; empty when refused before it was known."""
    model: str
    """Model spec id that answered."""
    api: str
    """Interface used, an `Api`."""
    site: str
    """Site that answered."""
    upstream: str
    """Upstream that answered."""
    status: int
    """HTTP status sent."""
    ending: str
    """An `Ending`."""
    error: str
    """Error code sent, empty when none."""
    is_stream: bool
    """True for a streamed answer."""
    usage: Usage
    """Tokens."""
    ttft_s: float
    """Time to first token, s; 0 when none came."""
    tpot_s: float
    """Mean time per output token after the first, s."""
    total_s: float
    """From the request's last byte to the answer's last, s."""
    own_s: float
    """Part of it spent here before the first attempt was sent, s."""
    reason: str
    """Why the answering candidate was chosen, a `Reason`."""
    nano: int
    """Effective cost, nano-dollars, everything in `billed` included."""
    list_nano: int
    """The same at list prices."""
    marginal_nano: int
    """What routing compared: the cost of one more request, nano-dollars."""
    tariff: str
    """Price row of the answer; empty when no upstream answered."""
    prices: str
    """Price version that row belongs to."""
    trace_id: str
    """W3C trace id, 32 hexadecimal digits."""
    attempts: tuple[AttemptRecord, ...]
    """Every attempt in order."""
    billed: tuple[Bill, ...] = ()
    """What other attempts than the answering one cost; empty for nearly all."""


def portions(record: UsageRecord) -> tuple[Bill, ...]:
    """The record's tokens and money by who served them: the answer first, then what else was billed.

    They add up to the record's costs exactly; none when nothing was delivered by anybody.
    """
    if not record.upstream:
        return record.billed
    nano, list_nano, marginal_nano = record.nano, record.list_nano, record.marginal_nano
    for bill in record.billed:
        nano -= bill.nano
        list_nano -= bill.list_nano
        marginal_nano -= bill.marginal_nano
    answer = Bill(
        record.upstream, record.site, record.model, record.tariff, record.prices, record.usage, nano, list_nano,
        marginal_nano,
    )  # fmt: skip
    return (answer, *record.billed)


class ShiftRecord(NamedTuple):
    """A move of traffic away from, or back to, the plan's shares."""

    at: float
    """When, on the caller's clock, s."""
    workload: str
    """Workload id."""
    source: str
    """Upstream it leaves."""
    target: str
    """Upstream it goes to."""
    share: float
    """Share of the workload's traffic moved."""
    reason: str
    """Why, with both numbers."""
