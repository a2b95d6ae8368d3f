"""Quotas and budgets: set and remove what a tenant, a key or a workload may ask and spend."""

from __future__ import annotations

from tripoint.domain.tenancy import Actor, ApiKey, Budget, Quota, Scope
from tripoint.engines.governance.access.limits import Money, Rates, budget_of, quota_of, refuse_another
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountBook, AccountRow, AccountStore
from tripoint.usecases.accounts.served import WORKLOAD, check_served
from tripoint.usecases.accounts.turn import Turn, absent, act_of, acting, found, listed, require_somewhere, tenant_for


def set_quota(store: AccountStore, turn: Turn, scope: Scope, rates: Rates, *, quota: str = "") -> Quota:
    """Sets the quota of a scope, in place of one it had; `quota` names it within the tenant, else the scope does.

    Raises `AccessError`, `MissingError` for a tenant or key the actor does not see, `OptionError` for values that
    cannot be used, `ConflictError` when the id is another scope's.
    """
    return _set(store, turn, Action.QUOTA_SET, quota_of(scope, rates, quota))


def set_budget(store: AccountStore, turn: Turn, scope: Scope, money: Money, *, budget: str = "") -> Budget:
    """Sets the budget of a scope and window, in place of one it had; raises as `set_quota`."""
    return _set(store, turn, Action.BUDGET_SET, budget_of(scope, money, budget))


def remove_quota(store: AccountStore, turn: Turn, quota: str) -> Quota:
    """Removes a quota. Raises `AccessError`, `MissingError`."""
    return _remove(store, turn, Action.QUOTA_SET, Quota, quota)


def remove_budget(store: AccountStore, turn: Turn, budget: str) -> Budget:
    """Removes a budget. Raises `AccessError`, `MissingError`."""
    return _remove(store, turn, Action.BUDGET_SET, Budget, budget)


def show_quota(store: AccountStore, actor: Actor, quota: str) -> Quota:
    """One quota. Raises `AccessError`, `MissingError`."""
    with store.read() as book:
        return found(book, actor, Action.QUOTA_READ, Quota, quota)


def show_budget(store: AccountStore, actor: Actor, budget: str) -> Budget:
    """One budget. Raises `AccessError`, `MissingError`."""
    with store.read() as book:
        return found(book, actor, Action.BUDGET_READ, Budget, budget)


def list_quotas(
    store: AccountStore, actor: Actor, *, tenant: str | None = None, after: str = "", limit: int | None = None
) -> tuple[Quota, ...]:
    """The quotas the actor sees, of one tenant when given, by id. Raises `AccessError`, `MissingError`."""
    return listed(store, actor, Action.QUOTA_READ, Quota, tenant=tenant, after=after, limit=limit)


def list_budgets(
    store: AccountStore, actor: Actor, *, tenant: str | None = None, after: str = "", limit: int | None = None
) -> tuple[Budget, ...]:
    """The budgets the actor sees, of one tenant when given, by id. Raises `AccessError`, `MissingError`."""
    return listed(store, actor, Action.BUDGET_READ, Budget, tenant=tenant, after=after, limit=limit)


def _set(store: AccountStore, turn: Turn, action: Action, row: AccountRow) -> AccountRow:
    assert isinstance(row, (Quota, Budget))  # for the type checker: the callers above
    require_somewhere(turn.actor, action)
    if row.scope.workload is not None:
        check_served(store.served(), WORKLOAD, (row.scope.workload,))
    with acting(store, turn) as book:
        _check_scope(book, turn.actor, action, row.scope)
        before = book.find(type(row), row.id)
        if before is not None:
            refuse_another(before, row)
        detail = said(row) if before is None else difference(before, row)
        if before != row:
            book.change(act_of(turn, action, row, detail), put=(row,), request=turn.request)
    return row


def _remove(store: AccountStore, turn: Turn, action: Action, kind: type[AccountRow], row_id: str) -> AccountRow:
    with acting(store, turn) as book:
        row = found(book, turn.actor, action, kind, row_id)
        book.change(act_of(turn, action, row, {"removed": said(row)}), drop=(row,), request=turn.request)
    return row


def _check_scope(book: AccountBook, actor: Actor, action: Action, scope: Scope) -> None:
    tenant_for(book, actor, action, scope.tenant)
    if scope.key is not None:
        key = book.find(ApiKey, scope.key)
        if key is None or key.tenant != scope.tenant or key.principal is not None:
            raise absent(book, ApiKey, scope.key, scope.tenant)
