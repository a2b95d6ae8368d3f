"""The first admin: a token shown once, good for a short time and for one use, made by who sits at the machine."""

from __future__ import annotations

from tripoint.domain.errors import AccessError, ConflictError, IdentityError
from tripoint.domain.tenancy import Actor, ApiKey, OneTimeToken, Principal, Role
from tripoint.engines.governance.access.keys import KeyKind, is_same_digest, key_digest, make_key, read_key
from tripoint.engines.governance.access.names import good_id
from tripoint.engines.governance.access.roles import Action
from tripoint.engines.governance.audit.rows import difference, said
from tripoint.ports import AccountBook, AccountStore
from tripoint.usecases.accounts.keys import Secrets, Shown
from tripoint.usecases.accounts.turn import Turn, act_of, acting, fresh

LIFE_S = 900.0
"""How long a token is good, seconds."""
_NOBODY = Actor("one-time token", frozenset(Role))


def issue_token(store: AccountStore, turn: Turn, secrets: Secrets) -> tuple[OneTimeToken, str]:
    """A token that makes the first admin, and its text for the one time it is shown; older ones end.

    Raises `ConflictError` when there is an admin already, `AccessError` for who does not act on the machine itself.
    """
    if not turn.actor.id.startswith("local:"):
        raise AccessError("a one-time token is made on the machine itself", hint="run `tripoint admin init` there")
    made = make_key(KeyKind.ONE_TIME, secrets.entropy)
    row = OneTimeToken(
        id=made.id,
        digest=key_digest(secrets.pepper, made.text),
        created_at=turn.now,
        expires_at=turn.now + LIFE_S,
    )
    with acting(store, turn) as book:
        _refuse_second(book)
        fresh(book, row)
        older = tuple(each for each in book.rows(OneTimeToken) if each.used_at is None)
        detail = {**said(row), "ended": [each.id for each in older]}
        book.change(act_of(turn, Action.PRINCIPAL_CREATE, row, detail), put=(row,), drop=older, request=turn.request)
    return row, made.text


def redeem_token(
    store: AccountStore, text: str, principal: str, secrets: Secrets, *, now: float
) -> tuple[Principal, Shown]:
    """Makes the first admin, for all tenants, and its first key; the token is used up in the same transaction.

    Raises `IdentityError` for a token that is not good (any more), `ConflictError` when there is an admin already,
    `OptionError` for an id that cannot be used.
    """
    token = read_key(text)
    if token is None or token.kind is not KeyKind.ONE_TIME:
        raise _no_token()
    row = Principal(id=good_id(principal, "principal"), roles=(Role.ADMIN,), tenant=None, created_at=now)
    made = make_key(KeyKind.ADMIN, secrets.entropy)
    turn = Turn(_NOBODY._replace(id=f"token:{token.id}"), now)
    key = ApiKey(
        id=made.id,
        digest=key_digest(secrets.pepper, made.text),
        name="first key",
        tenant="",
        created_at=now,
        principal=row.id,
    )
    with acting(store, turn) as book:
        kept = book.find(OneTimeToken, token.id)
        digest = key_digest(secrets.pepper, text)
        if (
            kept is None
            or not is_same_digest(kept.digest, digest)
            or kept.used_at is not None
            or kept.expires_at <= now
        ):
            raise _no_token()
        _refuse_second(book)
        fresh(book, row)
        used = _used(kept, now)
        detail = {**said(row), "token": difference(kept, used), "key": said(key)}
        book.change(act_of(turn, Action.PRINCIPAL_CREATE, row, detail), put=(row, key, used))
    return row, Shown(key, made.text)


def _used(token: OneTimeToken, now: float) -> OneTimeToken:
    return OneTimeToken(
        id=token.id, digest=token.digest, created_at=token.created_at, expires_at=token.expires_at, used_at=now
    )


def _refuse_second(book: AccountBook) -> None:
    admins = [row for row in book.rows(Principal) if Role.ADMIN in row.roles and row.tenant is None]
    if any(not row.is_suspended for row in admins):
        raise ConflictError(
            f"there is an admin already: `{admins[0].id}`",
            hint="it adds others; on the machine itself, `tripoint key create --principal` makes it a new key",
        )


def _no_token() -> IdentityError:
    return IdentityError(
        "this token is not valid: it is unknown, used already, or expired",
        hint="run `tripoint admin init` for a new one",
    )
