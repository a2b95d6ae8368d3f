"""Every administrative act alike: who may, what if another was quicker, and the entry in the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from tripoint.domain.audit import Act
from tripoint.domain.errors import AccessError, ConflictError, MissingError
from tripoint.domain.findings import did_you_mean
from tripoint.domain.tenancy import Account, Actor, Tenant, tenant_of
from tripoint.engines.governance.access.roles import Action, Verdict, judge, roles_allowed
from tripoint.engines.governance.audit.rows import kind_of
from tripoint.ports import AccountBook, AccountRow, AccountStore


class Turn(NamedTuple):
    """Whose turn it is, when, and on which condition."""

    actor: Actor
    """Who acts."""
    now: float
    """Seconds since 1970."""
    revision: int | None = None
    """The revision the actor has seen: the act is refused when the store has moved on; any when `None`."""
    request: str = ""
    """Digest that names this request, so that a repetition makes nothing twice; empty when it has none."""


@contextmanager
def acting(store: AccountStore, turn: Turn) -> Iterator[AccountBook]:
    """The book, for an act of this turn. Raises `ConflictError` when the store has moved on."""
    with store.write() as book:
        if turn.revision is not None and (found := book.revision()) != turn.revision:
            raise ConflictError(
                f"the accounts have changed meanwhile: revision {found}, and you have seen {turn.revision}",
                hint="read it again, then decide",
            )
        yield book


def enter(book: AccountBook, turn: Turn, action: str, row: Account, detail: Mapping[str, object]) -> None:
    """Writes the row and the act that changed it; `action` is mostly the right it took."""
    book.change(act_of(turn, action, row, detail), put=(row,), request=turn.request)


def act_of(turn: Turn, action: str, row: Account, detail: Mapping[str, object]) -> Act:
    """The act of this turn on that row."""
    return Act(
        at=turn.now,
        actor=turn.actor.id,
        action=str(action),
        subject=row.id,
        tenant=tenant_of(row) or "",
        detail=detail,
    )


def require_somewhere(actor: Actor, action: Action) -> str | None:
    """Lets go on who may do it to anything: the tenant it is bound to, or `None` for all. Raises `AccessError`."""
    if judge(actor, action, actor.tenant) is not Verdict.ALLOWED:
        raise refusal(actor, action)
    return actor.tenant


def refusal(actor: Actor, action: Action) -> AccessError:
    """What is told to who may not."""
    held = ", ".join(f"`{role}`" for role in sorted(actor.roles)) or "no role"
    bound = f" and is bound to the tenant `{actor.tenant}`" if actor.tenant is not None else ""
    return AccessError(
        f"`{actor.id}` may not `{action}`: it has {held}{bound}",
        hint=f"that takes {roles_allowed(action)}; a principal bound to a tenant may only act within it",
    )


def found(book: AccountBook, actor: Actor, action: Action, kind: type[AccountRow], row_id: str) -> AccountRow:
    """The row of that id, for who may do `action` to it.

    Raises `AccessError` for want of a role, and `MissingError` in the same words when there is none and when it is
    another tenant's.
    """
    seen = require_somewhere(actor, action)
    row = book.find(kind, row_id)
    if row is None or judge(actor, action, tenant_of(row)) is not Verdict.ALLOWED:
        raise absent(book, kind, row_id, seen)
    return row


def listed(
    store: AccountStore, actor: Actor, action: Action, kind: type[AccountRow], *, tenant: str | None, after: str,
    limit: int | None,
) -> tuple[AccountRow, ...]:  # fmt: skip
    """The rows the actor may do `action` to, of one tenant when given, by id. Raises `AccessError`, `MissingError`."""
    bound = require_somewhere(actor, action)
    with store.read() as book:
        if tenant is not None:
            tenant_for(book, actor, action, tenant)
        return book.rows(kind, tenant=tenant or bound, after=after, limit=limit)


def absent(book: AccountBook, kind: type[AccountRow], row_id: str, tenant: str | None) -> MissingError:
    """What is told of an id that names nothing the asker may see, with the nearest that does."""
    rows = book.rows(kind, tenant=tenant, limit=_NEAREST_AMONG)
    what = _NOUNS[kind.__name__]
    near = did_you_mean(row_id, (row.id for row in rows))
    return MissingError(
        f"there is no {what} `{row_id}`",
        hint=f"{near}?" if near else f"`tripoint {_COMMANDS[kind.__name__]} list` shows all there are",
    )


def fresh(book: AccountBook, row: AccountRow) -> None:
    """Raises `ConflictError` when the id of a new row is taken."""
    if book.find(type(row), row.id) is not None:
        raise ConflictError(
            f"there is a {kind_of(row)} `{row.id}` already", hint="choose another id, or change that one"
        )


def tenant_for(book: AccountBook, actor: Actor, action: Action, tenant: str) -> Tenant:
    """The tenant something is made for; `MissingError` where the actor sees none of that id."""
    seen = require_somewhere(actor, action)
    row = book.find(Tenant, tenant)
    if row is None or judge(actor, action, tenant) is not Verdict.ALLOWED:
        raise absent(book, Tenant, tenant, seen)
    return row


_NEAREST_AMONG = 1000  # a mistyped id must stay cheap however many there are
_NOUNS = {
    "Tenant": "tenant", "Principal": "principal", "ApiKey": "key", "Quota": "quota", "Budget": "budget",
    "OneTimeToken": "one-time token",
}  # fmt: skip
_COMMANDS = {
    "Tenant": "tenant", "Principal": "principal", "ApiKey": "key", "Quota": "quota", "Budget": "budget",
    "OneTimeToken": "admin",
}  # fmt: skip
