"""What changes have in common: nothing is overwritten unseen, nothing is created twice, lists come in pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from tripoint.apps.admin.contract import Call, Reply
from tripoint.apps.admin.wire.problems import RefusedError
from tripoint.apps.admin.wire.tags import refuse_stale, tag_of
from tripoint.domain.errors import ConflictError
from tripoint.usecases.accounts.turn import Turn

Row = TypeVar("Row")
Result = TypeVar("Result")
_TRIES = 8


def turn_of(call: Call, revision: int | None = None) -> Turn:
    """Who acts, when, and on which condition."""
    return Turn(actor=call.actor, now=call.now, revision=revision, request=call.given.repeat)


def tagged(view: msgspec.Struct) -> Reply:
    """An answer with its version."""
    return Reply(view, tag=tag_of(view))


def changed(call: Call, show: Callable[[], msgspec.Struct], act: Callable[[Turn], msgspec.Struct]) -> Reply:
    """Does a change if what is there is still what the caller read; `act` answers with what it has become."""
    return tagged(checked(call, lambda: refuse_stale(show(), call.given.tag), act))


def checked(call: Call, check: Callable[[], object], act: Callable[[Turn], Result]) -> Result:
    """Does an act that `check` lets go on.

    The store refuses the act when anything changed after the check, and then both are tried again: so the two are one.
    """
    for _ in range(_TRIES):
        revision = call.stores.accounts.revision()
        check()
        try:
            return act(turn_of(call, revision))
        except ConflictError:
            if call.stores.accounts.revision() == revision:
                raise
    raise RefusedError(503, f"the accounts changed {_TRIES} times while this was tried", hint="try again")


def created(
    call: Call, location: str, make: Callable[[Turn], msgspec.Struct], again: Callable[[str], msgspec.Struct]
) -> Reply:
    """Creates, or answers with what the same `Idempotency-Key` created before (`again`, by its id)."""
    if call.given.repeat:
        before = _made(call)
        if before is not None:
            return _repeated(call, location, before, again)
    try:
        view = make(turn_of(call))
    except ConflictError:
        before = _made(call) if call.given.repeat else None
        if before is None:
            raise
        return _repeated(call, location, before, again)
    return Reply(view, tag=tag_of(view), location=f"{location}/{_id_of(view)}")


def last_of(rows: Sequence[Row], limit: int, mark: Callable[[Row], str]) -> tuple[Sequence[Row], str | None]:
    """A page of `limit` from one row more, and what the next page begins after; `None` when there is none."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], mark(rows[limit - 1])


def _made(call: Call) -> str | None:
    with call.stores.accounts.read() as book:
        return book.made_by(call.given.repeat)


def _repeated(call: Call, location: str, made: str, again: Callable[[str], msgspec.Struct]) -> Reply:
    view = again(made)
    asked = msgspec.to_builtins(call.body)
    there = msgspec.to_builtins(view)
    for name, value in asked.items():
        is_same = value in (there.get(name), None, "", []) or (name == "id" and made.endswith(f".{value}"))
        if name in there and not is_same:
            raise RefusedError(
                422, f"this `Idempotency-Key` made `{made}`, whose `{name}` is not what this request asks for",
                hint="use a new key for a new request", place="header.idempotency-key",
            )  # fmt: skip
    return Reply(view, tag=tag_of(view), location=f"{location}/{made}", is_repeat=True)


def _id_of(view: msgspec.Struct) -> str:
    named: Any = view
    return str(named.id)
