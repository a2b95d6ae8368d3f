"""Quotas and budgets: set and remove what a tenant, a key or a workload may ask and spend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from tripoint.domain.errors import ConflictError, OptionError
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Actor, ApiKey, Budget, Quota, Scope, Window
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountBook, AccountRow, AccountStore
from tripoint.usecases.accounts.served import WORKLOAD, check_served
from tripoint.usecases.accounts.turn import (
    Turn,
    absent,
    act_of,
    acting,
    found,
    good_id,
    good_name,
    listed,
    require_somewhere,
    tenant_for,
)

MAX_RATE = 10**12
"""Highest limit of a quota: beyond anything, and safe in any arithmetic."""
MAX_LIMIT_NANO = 10**18
"""Highest limit of a budget, nano-dollars: a thousand million dollars."""

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Limits of a quota; `None` where there is none."""

    requests_per_min: int | None = None
    """Requests started per minute."""
    tokens_per_min: int | None = None
    """Tokens per minute."""
    concurrency: int | None = None
    """Concurrent requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The limit of a budget."""

    limit_nano: int
    """Most that may be spent in a window, nano-dollars."""
    window: Window
    """Over which time."""
    is_enforced: bool = True
    """False when it only warns."""


def set_quota(store: AccountStore, turn: Turn, scope: Scope, rates: Rates, *, quota: str = "") -> Quota:
    """Sets the quota of a scope, in place of one it had; `quota` names it within the tenant, else the scope does.

    Raises `AccessError`, `MissingError` for a tenant or key the actor does not see, `OptionError` for values that
    cannot be used, `ConflictError` when the id is another scope's.
    """
    _check_rates(rates)
    _check_workload(scope)
    row = Quota(
        id=_limit_id(scope, scope_id(scope), quota, "quota"),
        scope=scope,
        requests_per_min=rates.requests_per_min,
        tokens_per_min=rates.tokens_per_min,
        concurrency=rates.concurrency,
    )
    return _set(store, turn, Action.QUOTA_SET, row)


def set_budget(store: AccountStore, turn: Turn, scope: Scope, money: Money, *, budget: str = "") -> Budget:
    """Sets the budget of a scope and window, in place of one it had; raises as `set_quota`."""
    if not 0 <= money.limit_nano <= MAX_LIMIT_NANO:
        raise OptionError(
            f"{usd(money.limit_nano):f} USD cannot be a budget: it is from 0 to {usd(MAX_LIMIT_NANO):,f} USD",
            hint="0 refuses everything that costs",
        )
    _check_workload(scope)
    row = Budget(
        id=_limit_id(scope, f"{scope_id(scope)}.{money.window}", budget, "budget"),
        scope=scope,
        window=money.window,
        limit_nano=money.limit_nano,
        is_enforced=money.is_enforced,
    )
    return _set(store, turn, Action.BUDGET_SET, row)


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


def scope_id(scope: Scope) -> str:
    """An id made from whose requests are meant: `acme`, `acme.key.k7…`, `acme.workload.chat`.

    The dots keep it apart from chosen ids; a workload whose name would not do in an address is told by a digest.
    """
    parts = [scope.tenant]
    if scope.key is not None:
        parts += ["key", scope.key]
    if scope.workload is not None:
        is_plain = _PLAIN.fullmatch(scope.workload)
        parts += ["workload", scope.workload if is_plain else sha256(scope.workload.encode()).hexdigest()[:12]]
    return ".".join(parts)


def _limit_id(scope: Scope, made: str, chosen: str, what: str) -> str:
    """The id of a limit: always named after its tenant, so that no tenant's choice touches another's."""
    if chosen in ("", made):
        return made
    return f"{scope.tenant}.{good_id(chosen.removeprefix(f'{scope.tenant}.'), what)}"


def _set(store: AccountStore, turn: Turn, action: Action, row: AccountRow) -> AccountRow:
    assert isinstance(row, (Quota, Budget))  # for the type checker: the callers above
    require_somewhere(turn.actor, action)
    if row.scope.workload is not None:
        check_served(store.served(), WORKLOAD, (row.scope.workload,))
    with acting(store, turn) as book:
        _check_scope(book, turn.actor, action, row.scope)
        before = book.find(type(row), row.id)
        if before is not None:
            _refuse_another(before, row)
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


def _check_workload(scope: Scope) -> None:
    if scope.workload is not None:
        good_name(scope.workload, "workload")


def _refuse_another(before: Quota | Budget, row: Quota | Budget) -> None:
    """An id stays what it was about: else the past of one scope would become another's."""
    is_same = before.scope == row.scope
    if isinstance(before, Budget) and isinstance(row, Budget):
        is_same = is_same and before.window == row.window
    if not is_same:
        raise ConflictError(
            f"`{row.id}` is about {scope_words(before.scope)} already",
            hint="choose another id, or remove that one first",
        )


def scope_words(scope: Scope) -> str:
    """Whose requests are meant, for people."""
    parts = [f"tenant `{scope.tenant}`"]
    if scope.key is not None:
        parts.append(f"key `{scope.key}`")
    if scope.workload is not None:
        parts.append(f"workload `{scope.workload}`")
    return ", ".join(parts)


def _check_rates(rates: Rates) -> None:
    limits = {
        "requests per minute": rates.requests_per_min,
        "tokens per minute": rates.tokens_per_min,
        "concurrency": rates.concurrency,
    }
    if all(limit is None for limit in limits.values()):
        raise OptionError("a quota without any limit limits nothing", hint=f"set {' or '.join(limits)}")
    for name, limit in limits.items():
        if limit is not None and not 0 <= limit <= MAX_RATE:
            raise OptionError(f"{name}: {limit:,} cannot be: it is from 0 to {MAX_RATE:,}", hint="0 refuses everything")
