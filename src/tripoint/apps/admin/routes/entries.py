"""A single entry of the ledger, as it is answered."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tripoint.apps.admin.contract import MAX_PAGE
from tripoint.apps.admin.routes.money import usd_text
from tripoint.domain.ledger import Entry, EntryKind

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Instant = Annotated[float, msgspec.Meta(ge=0, le=253402300799)]


class EntryPageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries, in which order."""

    since: Instant | None = None
    """Not before, seconds since 1970."""
    until: Instant | None = None
    """Before, seconds since 1970."""
    tenant: Word | None = None
    """Only this tenant; all you see when left out."""
    key: Word | None = None
    """Only this key, by its id."""
    workload: Word | None = None
    """Only this workload."""
    model: Word | None = None
    """Only this model."""
    site: Word | None = None
    """Only this site."""
    kinds: Annotated[tuple[EntryKind, ...], msgspec.Meta(max_length=4)] = ()
    """Only these kinds, divided by commas; all when left out."""
    newest_first: bool = True
    """False for the order in which they came."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = 100
    """Most entries of the page."""
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None
    """`next` of the page before."""


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a request."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    model: str
    """Model spec id."""
    reason: str
    """Why it was chosen."""
    started_s: float
    """When it began, s after the request."""
    took_s: float
    """How long it lasted, s."""
    status: int
    """HTTP status, 0 when none came."""
    failure: str
    """Why it failed, empty when it succeeded."""


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger: a request as it was recorded, or an adjustment; prompts and answers are never kept."""

    number: int
    """Its place in the ledger."""
    kind: EntryKind
    """What it stands for."""
    id: str
    """Request id, or what an adjustment is about."""
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
    """True when tokens were counted here."""
    reason: str
    """Why the answering candidate was chosen; for an adjustment, why it was made."""
    requests: int
    """1 for a request, 0 for everything else."""
    tokens_in: int
    """Input tokens, cached ones included."""
    cached: int
    """Input tokens read from a cache."""
    tokens_out: int
    """Output tokens, reasoning included."""
    reasoning: int
    """Output tokens spent on reasoning."""
    usd: str
    """Effective cost, exact dollars; negative where a correction takes back."""
    list_usd: str
    """The same at list prices."""
    marginal_usd: str
    """What routing compared."""
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
    attempts: tuple[AttemptView, ...]
    """Every attempt in order."""


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, in the order asked for."""

    items: tuple[EntryView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


_SAME = tuple(name for name in EntryView.__struct_fields__ if not name.endswith("usd") and name != "attempts")


def entry_view(row: Entry) -> EntryView:
    """An entry as it is answered."""
    told = {name: getattr(row, name) for name in _SAME}
    told["kind"] = EntryKind(row.kind)
    return EntryView(
        **told,
        usd=usd_text(row.nano),
        list_usd=usd_text(row.list_nano),
        marginal_usd=usd_text(row.marginal_nano),
        attempts=tuple(AttemptView(**each._asdict()) for each in row.attempts),
    )
