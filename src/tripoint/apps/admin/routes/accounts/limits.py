"""Operations on quotas and budgets; a budget is told with what is spent of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from tripoint.apps.admin.contract import Call, Nothing, Operation, Reply
from tripoint.apps.admin.routes.accounts.principals import TenantPageQuery
from tripoint.apps.admin.routes.accounts.views import Id
from tripoint.apps.admin.routes.acts import changed, checked, created, last_of, tagged
from tripoint.apps.admin.routes.money import Usd, nano_in, usd_text
from tripoint.apps.admin.wire.tags import refuse_stale
from tripoint.domain.errors import ConflictError, MissingError
from tripoint.domain.tenancy import Budget, Quota, Scope, Window
from tripoint.engines.governance.access import limits as rules
from tripoint.usecases.accounts import limits
from tripoint.usecases.accounts.turn import Turn

KeyId = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]
Workload = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Rate = Annotated[int, msgspec.Meta(ge=0, le=rules.MAX_RATE)]


class QuotaView(msgspec.Struct, frozen=True, kw_only=True):
    """A quota: rates a scope may not exceed."""

    id: str
    """Unique name."""
    tenant: str
    """Whose requests."""
    key: str | None
    """Only those of this key; every key's when `null`."""
    workload: str | None
    """Only those for this workload; for every one when `null`."""
    requests_per_min: int | None
    """Requests begun in a minute; no limit when `null`."""
    tokens_per_min: int | None
    """Tokens in a minute; no limit when `null`."""
    concurrency: int | None
    """Requests under way at once; no limit when `null`."""


class QuotaPage(msgspec.Struct, frozen=True, kw_only=True):
    """Quotas by id."""

    items: tuple[QuotaView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of a quota; one at least."""

    requests_per_min: Rate | None = None
    """Requests begun in a minute; no limit when `null`."""
    tokens_per_min: Rate | None = None
    """Tokens in a minute; no limit when `null`."""
    concurrency: Rate | None = None
    """Requests under way at once; no limit when `null`."""


class NewQuota(Rates, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A quota to be; its id is made from its scope."""

    tenant: Id
    """Whose requests."""
    key: KeyId | None = None
    """Only those of this key; every key's when `null`."""
    workload: Workload | None = None
    """Only those for this workload; for every one when `null`."""


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """A budget: money a scope may spend in a window."""

    id: str
    """Unique name."""
    tenant: str
    """Whose requests."""
    key: str | None
    """Only those of this key; every key's when `null`."""
    workload: str | None
    """Only those for this workload; for every one when `null`."""
    window: Window
    """Window, UTC."""
    limit_usd: str
    """Most that may be spent in a window, exact dollars of effective cost."""
    is_enforced: bool
    """False when it only warns."""


class BudgetPage(msgspec.Struct, frozen=True, kw_only=True):
    """Budgets by id."""

    items: tuple[BudgetView, ...]
    """The page."""
    next: str | None
    """What the next page begins after; `null` when there is none."""


class NewLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another limit of a budget."""

    limit_usd: Usd
    """Most that may be spent in a window, dollars as a decimal in text."""
    is_enforced: bool = True
    """False to warn only."""


class NewBudget(NewLimit, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A budget to be; its id is made from its scope and window."""

    tenant: Id
    """Whose requests."""
    key: KeyId | None = None
    """Only those of this key; every key's when `null`."""
    workload: Workload | None = None
    """Only those for this workload; for every one when `null`."""
    window: Window
    """Window, UTC."""


def quota_view(row: Quota) -> QuotaView:
    """A quota as it is answered."""
    return QuotaView(id=row.id, tenant=row.scope.tenant, key=row.scope.key, workload=row.scope.workload,
                     requests_per_min=row.requests_per_min, tokens_per_min=row.tokens_per_min,
                     concurrency=row.concurrency)  # fmt: skip


def budget_view(row: Budget) -> BudgetView:
    """A budget as it is answered."""
    return BudgetView(id=row.id, tenant=row.scope.tenant, key=row.scope.key, workload=row.scope.workload,
                      window=row.window, limit_usd=usd_text(row.limit_nano), is_enforced=row.is_enforced)  # fmt: skip


def _list_quotas(call: Call) -> Reply:
    query: TenantPageQuery = call.query
    rows = limits.list_quotas(
        call.stores.accounts, call.actor, tenant=query.tenant, after=query.after, limit=query.limit + 1
    )
    page, more = last_of(rows, query.limit, lambda row: row.id)
    return Reply(QuotaPage(items=tuple(quota_view(row) for row in page), next=more))


def _show_quota(call: Call, quota: str = "") -> QuotaView:
    return quota_view(limits.show_quota(call.stores.accounts, call.actor, quota or call.path["quota"]))


def _create_quota(call: Call) -> Reply:
    body: NewQuota = call.body
    scope = Scope(tenant=body.tenant, key=body.key, workload=body.workload)
    made = rules.scope_id(scope)

    def act(turn: Turn) -> QuotaView:
        return quota_view(limits.set_quota(call.stores.accounts, turn, scope, _rates(body)))

    return created(
        call,
        "/v1/quotas",
        lambda _: checked(call, lambda: _refuse_second(lambda: _show_quota(call, made)), act),
        lambda before: _show_quota(call, before),
    )


def _set_quota(call: Call) -> Reply:
    body: Rates = call.body

    def act(turn: Turn) -> QuotaView:
        row = limits.show_quota(call.stores.accounts, call.actor, call.path["quota"])
        chosen = "" if row.id == rules.scope_id(row.scope) else row.id
        return quota_view(limits.set_quota(call.stores.accounts, turn, row.scope, _rates(body), quota=chosen))

    return changed(call, lambda: _show_quota(call), act)


def _remove_quota(call: Call) -> Reply:
    checked(
        call,
        lambda: refuse_stale(_show_quota(call), call.given.tag),
        lambda turn: limits.remove_quota(call.stores.accounts, turn, call.path["quota"]),
    )
    return Reply(Nothing())


def _list_budgets(call: Call) -> Reply:
    query: TenantPageQuery = call.query
    rows = limits.list_budgets(
        call.stores.accounts, call.actor, tenant=query.tenant, after=query.after, limit=query.limit + 1
    )
    page, more = last_of(rows, query.limit, lambda row: row.id)
    return Reply(BudgetPage(items=tuple(budget_view(row) for row in page), next=more))


def _show_budget(call: Call, budget: str = "") -> BudgetView:
    return budget_view(limits.show_budget(call.stores.accounts, call.actor, budget or call.path["budget"]))


def _create_budget(call: Call) -> Reply:
    body: NewBudget = call.body
    scope = Scope(tenant=body.tenant, key=body.key, workload=body.workload)
    money = rules.Money(limit_nano=nano_in(body.limit_usd), window=body.window, is_enforced=body.is_enforced)
    made = f"{rules.scope_id(scope)}.{body.window}"

    def act(turn: Turn) -> BudgetView:
        return budget_view(limits.set_budget(call.stores.accounts, turn, scope, money))

    return created(
        call,
        "/v1/budgets",
        lambda _: checked(call, lambda: _refuse_second(lambda: _show_budget(call, made)), act),
        lambda before: _show_budget(call, before),
    )


def _set_budget(call: Call) -> Reply:
    body: NewLimit = call.body

    def act(turn: Turn) -> BudgetView:
        row = limits.show_budget(call.stores.accounts, call.actor, call.path["budget"])
        money = rules.Money(limit_nano=nano_in(body.limit_usd), window=row.window, is_enforced=body.is_enforced)
        chosen = "" if row.id == f"{rules.scope_id(row.scope)}.{row.window}" else row.id
        return budget_view(limits.set_budget(call.stores.accounts, turn, row.scope, money, budget=chosen))

    return changed(call, lambda: _show_budget(call), act)


def _remove_budget(call: Call) -> Reply:
    checked(
        call,
        lambda: refuse_stale(_show_budget(call), call.given.tag),
        lambda turn: limits.remove_budget(call.stores.accounts, turn, call.path["budget"]),
    )
    return Reply(Nothing())


def _refuse_second(show: Callable[[], QuotaView | BudgetView]) -> None:
    """Raises `ConflictError` where the scope has one, as far as the caller may know."""
    try:
        found = show()
    except MissingError:
        return
    raise ConflictError(f"there is `{found.id}` already", hint="read it, and change it with its `ETag`")


def _rates(body: Rates) -> rules.Rates:
    return rules.Rates(
        requests_per_min=body.requests_per_min, tokens_per_min=body.tokens_per_min, concurrency=body.concurrency
    )


OPERATIONS = (
    Operation(id="listQuotas", method="GET", path="/v1/quotas", summary="The quotas you see, by id.",
              group="limits", right="quota.read", run=_list_quotas, answer=QuotaPage, query=TenantPageQuery,
              refusals=(404,)),
    Operation(id="createQuota", method="POST", path="/v1/quotas", summary="Gives a scope its first quota.",
              group="limits", right="quota.set", run=_create_quota, answer=QuotaView, status=201, body=NewQuota,
              refusals=(404, 409), is_tagged=True, can_repeat=True),
    Operation(id="showQuota", method="GET", path="/v1/quotas/{quota}", summary="One quota.", group="limits",
              right="quota.read", run=lambda call: tagged(_show_quota(call)), answer=QuotaView, is_tagged=True),
    Operation(id="setQuota", method="PUT", path="/v1/quotas/{quota}", summary="Sets all rates of a quota.",
              group="limits", right="quota.set", run=_set_quota, answer=QuotaView, body=Rates, refusals=(409,),
              is_tagged=True, needs_tag=True),
    Operation(id="removeQuota", method="DELETE", path="/v1/quotas/{quota}", summary="Removes a quota.",
              group="limits", right="quota.set", run=_remove_quota, answer=Nothing, status=204, needs_tag=True),
    Operation(id="listBudgets", method="GET", path="/v1/budgets", summary="The budgets you see, by id.",
              group="limits", right="budget.read", run=_list_budgets, answer=BudgetPage, query=TenantPageQuery,
              refusals=(404,)),
    Operation(id="createBudget", method="POST", path="/v1/budgets",
              summary="Gives a scope its first budget of a window.", group="limits", right="budget.set",
              run=_create_budget, answer=BudgetView, status=201, body=NewBudget, refusals=(404, 409),
              is_tagged=True, can_repeat=True),
    Operation(id="showBudget", method="GET", path="/v1/budgets/{budget}", summary="One budget.", group="limits",
              right="budget.read", run=lambda call: tagged(_show_budget(call)), answer=BudgetView, is_tagged=True),
    Operation(id="setBudget", method="PUT", path="/v1/budgets/{budget}", summary="Sets the limit of a budget.",
              group="limits", right="budget.set", run=_set_budget, answer=BudgetView, body=NewLimit,
              refusals=(409,), is_tagged=True, needs_tag=True),
    Operation(id="removeBudget", method="DELETE", path="/v1/budgets/{budget}", summary="Removes a budget.",
              group="limits", right="budget.set", run=_remove_budget, answer=Nothing, status=204, needs_tag=True),
)  # fmt: skip
"""Rows of the route table."""
