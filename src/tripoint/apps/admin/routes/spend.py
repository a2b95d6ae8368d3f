"""Operations on the ledger: sums, entries, idle capacity, and how far budgets are used."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tripoint.apps.admin.contract import MAX_PAGE, Call, Operation, Reply
from tripoint.apps.admin.routes.acts import last_of
from tripoint.apps.admin.routes.entries import EntryPage, EntryPageQuery, entry_view
from tripoint.apps.admin.routes.money import usd_text
from tripoint.domain.ledger import Dimension, EntryKind, EntryQuery, Spend, SpendQuery
from tripoint.domain.tenancy import Window
from tripoint.engines.governance.budget.windows import begins_at, ends_at
from tripoint.usecases.accounts import limits
from tripoint.usecases.spend import see_entries, see_spend
from tripoint.usecases.standing import Standing, standings

Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", extra_json_schema={"format": "date"})]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_MAX_ROWS = 5_000


class IdleQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Idle capacity of which days."""

    since: Day | None = None
    """First day, `YYYY-MM-DD`, UTC; from the beginning when left out."""
    until: Day | None = None
    """Last day, inclusive; to the end when left out."""
    site: Word | None = None
    """Only this site."""
    model: Word | None = None
    """Only this model."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=_MAX_ROWS)] = 1_000
    """Most rows of the page."""
    after: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
    """`next` of the page before."""


class SpendPageQuery(IdleQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the ledger, summed up by what."""

    by: Annotated[tuple[Dimension, ...], msgspec.Meta(max_length=11)] = ()
    """Dimensions divided by commas, in the order of the answer; one row of sums when left out."""
    tenant: Word | None = None
    """Only this tenant; all you see when left out."""
    key: Word | None = None
    """Only this key, by its id."""
    workload: Word | None = None
    """Only this workload."""
    upstream: Word | None = None
    """Only this upstream."""
    kinds: Annotated[tuple[EntryKind, ...], msgspec.Meta(max_length=4)] = ()
    """Only these kinds, divided by commas; all when left out."""


class SpendRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of sums."""

    by: dict[str, str]
    """Values of the dimensions asked for."""
    requests: int
    """Requests, however they ended."""
    failed: int
    """Requests among them that brought no whole answer."""
    estimated: int
    """Requests among them whose tokens were counted here."""
    tokens_in: int
    """Input tokens, cached ones included."""
    cached: int
    """Input tokens read from a cache."""
    tokens_out: int
    """Output tokens, reasoning included."""
    reasoning: int
    """Output tokens spent on reasoning."""
    usd: str
    """Effective cost, exact dollars."""
    list_usd: str
    """Cost at list prices, exact dollars."""
    marginal_usd: str
    """What routing compared, exact dollars."""


class SpendPage(msgspec.Struct, frozen=True, kw_only=True):
    """Sums, in the order of their dimensions."""

    items: tuple[SpendRow, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class UsedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Budgets of whom."""

    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=63)] | None = None
    """Only this tenant's; all you see when left out."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = 100
    """Most budgets of the page."""
    after: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """`next` of the page before."""


class UsedView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a budget is used in its present window."""

    budget: str
    """Budget id."""
    tenant: str
    """Whose."""
    window: Window
    """Window, UTC."""
    begins_at: float
    """First moment of the window, seconds since 1970."""
    ends_at: float
    """First moment after it."""
    limit_usd: str
    """Most that may be spent in it, exact dollars."""
    spent_usd: str
    """What is spent, exact dollars of effective cost, as far as the ledger is loaded."""
    held_usd: str
    """Held by workers: reserved for requests under way, or at hand for the next ones; exact dollars."""
    is_given_out: bool
    """True when a worker that asks for more gets nothing, as spent and held come to the limit."""
    percent: int
    """Share of the limit that is spent, in whole percent, rounded down."""
    warning: int
    """The highest of 50, 80 and 100 that is reached; 0 when none is."""


class UsedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Budgets by id."""

    items: tuple[UsedView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


def _spend(call: Call) -> Reply:
    query: SpendPageQuery = call.query
    asked = SpendQuery(
        by=tuple(dict.fromkeys(query.by)), since=query.since, until=query.until, tenant=query.tenant, key=query.key,
        workload=query.workload, model=query.model, site=query.site, upstream=query.upstream, kinds=query.kinds,
    )  # fmt: skip
    return _page(call, asked, query)


def _idle(call: Call) -> Reply:
    query: IdleQuery = call.query
    by = (Dimension.DAY, Dimension.SITE, Dimension.UPSTREAM, Dimension.MODEL)
    asked = SpendQuery(
        by=by, since=query.since, until=query.until, model=query.model, site=query.site, kinds=(EntryKind.IDLE,)
    )
    return _page(call, asked, query)


def _page(call: Call, asked: SpendQuery, query: IdleQuery) -> Reply:
    rows = see_spend(call.stores.ledger, call.actor, asked)
    page = rows[query.after : query.after + query.limit]
    end = query.after + query.limit
    names = [str(dimension) for dimension in asked.by]
    return Reply(SpendPage(items=tuple(_row(names, row) for row in page), next=str(end) if end < len(rows) else None))


def _row(names: list[str], row: Spend) -> SpendRow:
    return SpendRow(by=dict(zip(names, row.by, strict=True)), requests=row.requests, failed=row.failed,
                    estimated=row.estimated, tokens_in=row.tokens_in, cached=row.cached, tokens_out=row.tokens_out,
                    reasoning=row.reasoning, usd=usd_text(row.nano), list_usd=usd_text(row.list_nano),
                    marginal_usd=usd_text(row.marginal_nano))  # fmt: skip


def _entries(call: Call) -> Reply:
    query: EntryPageQuery = call.query
    asked = EntryQuery(
        since=query.since, until=query.until, tenant=query.tenant, key=query.key, workload=query.workload,
        model=query.model, site=query.site, kinds=query.kinds, is_newest_first=query.newest_first,
        after=query.after, limit=query.limit + 1,
    )  # fmt: skip
    rows = see_entries(call.stores.ledger, call.actor, asked)
    page, more = last_of(rows, query.limit, lambda row: str(row.number))
    return Reply(EntryPage(items=tuple(entry_view(row) for row in page), next=more))


def _used(call: Call) -> Reply:
    query: UsedQuery = call.query
    rows = limits.list_budgets(
        call.stores.accounts, call.actor, tenant=query.tenant, after=query.after, limit=query.limit + 1
    )
    page, more = last_of(rows, query.limit, lambda row: row.id)
    found = standings(call.stores.ledger, page, call.now, call.stores.held())
    return Reply(UsedPage(items=tuple(_used_view(each) for each in found), next=more))


def _used_one(call: Call) -> Reply:
    row = limits.show_budget(call.stores.accounts, call.actor, call.path["budget"])
    return Reply(_used_view(standings(call.stores.ledger, (row,), call.now, call.stores.held())[0]))


def _used_view(standing: Standing) -> UsedView:
    row = standing.budget
    return UsedView(budget=row.id, tenant=row.scope.tenant, window=row.window, begins_at=begins_at(standing.window),
                    ends_at=ends_at(standing.window), limit_usd=usd_text(row.limit_nano),
                    spent_usd=usd_text(standing.spent_nano), held_usd=usd_text(standing.held_nano),
                    is_given_out=standing.is_given_out, percent=int(standing.percent),
                    warning=standing.warned_at)  # fmt: skip


OPERATIONS = (
    Operation(id="showSpend", method="GET", path="/v1/spend",
              summary="What was spent, by day, tenant, model, site, key, workload and so on.", group="ledger",
              right="spend.read", run=_spend, answer=SpendPage, query=SpendPageQuery, refusals=(404, 422),
              is_slow=True),
    Operation(id="showIdle", method="GET", path="/v1/idle",
              summary="Capacity that was paid for and not used, by day, site, upstream and model.", group="ledger",
              right="spend.read", run=_idle, answer=SpendPage, query=IdleQuery, refusals=(404, 422), is_slow=True),
    Operation(id="listEntries", method="GET", path="/v1/entries", summary="Single entries of the ledger.",
              group="ledger", right="entry.read", run=_entries, answer=EntryPage, query=EntryPageQuery,
              refusals=(404, 422), is_slow=True),
    Operation(id="listUsed", method="GET", path="/v1/used", summary="How much of the budgets you see is used.",
              group="ledger", right="budget.read", run=_used, answer=UsedPage, query=UsedQuery, refusals=(404,),
              is_slow=True),
    Operation(id="showUsed", method="GET", path="/v1/budgets/{budget}/used", summary="How much of one budget is used.",
              group="ledger", right="budget.read", run=_used_one, answer=UsedView, is_slow=True),
)  # fmt: skip
"""Rows of the route table."""
