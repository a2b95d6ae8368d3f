"""Recognises who calls: by a key of a principal, or by a token of the declared identity provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import Request

from tripoint.apps.admin.identity.groups import GroupRule, actor_by_groups
from tripoint.apps.admin.identity.throttle import Throttle
from tripoint.apps.admin.wire.problems import RefusedError
from tripoint.domain.errors import IdentityError

if TYPE_CHECKING:
    from tripoint.adapters.oidc.tokens import Tokens
    from tripoint.apps.admin.stores import Stores, StoreThread
    from tripoint.domain.tenancy import Actor

_MAX_CREDENTIAL = 16 * 1024
_SENDS = "send `Authorization: Bearer` and an admin key (`tpa_…`) or a token of the identity provider"


class Recognise(NamedTuple):
    """How the stores know people."""

    by_key: Callable[[Stores, str, float], Actor]
    """Whose key it is, at that time; raises `IdentityError`."""
    by_subject: Callable[[Stores, str], Actor | None]
    """Who has that `issuer#subject`; `None` when nobody; raises `IdentityError` for one who is suspended."""
    is_open: Callable[[Stores, str], bool]
    """Whether there is a tenant of that id that is not suspended."""


class Doorman:
    """Turns credentials into actors."""

    def __init__(
        self, thread: StoreThread, recognise: Recognise, tokens: Tokens | None, rules: Sequence[GroupRule] = ()
    ) -> None:
        self._thread = thread
        self._recognise = recognise
        self._tokens = tokens
        self._rules = tuple(rules)
        self.throttle = Throttle()
        """Of failed log-ins; one-time tokens are counted here as well."""

    async def actor(self, request: Request) -> Actor:
        """Who calls.

        Raises `IdentityError` when that is not known, `RefusedError` (429) after too many failures, `UpstreamError`
        while the identity provider cannot be asked.
        """
        credential = _credential(request)
        address = request.client.host if request.client else ""
        self.refuse_busy(address, credential)
        try:
            actor = await self._found(credential)
        except IdentityError:
            self.throttle.failed(address, time.monotonic())
            raise
        self.throttle.passed(credential, time.monotonic())
        return actor

    def refuse_busy(self, address: str, credential: str) -> None:
        """Raises `RefusedError` (429) while an address has failed too often."""
        wait_s = self.throttle.wait_s(address, credential, time.monotonic())
        if wait_s <= 0:
            return
        seconds = max(1, round(wait_s + 0.5))
        refused = RefusedError(
            429, f"too many bad credentials came from this address; the next is checked in {seconds} s",
            hint="wait, and look where wrong credentials come from",
        )  # fmt: skip
        refused.headers["retry-after"] = str(seconds)
        raise refused

    async def _found(self, credential: str) -> Actor:
        if credential.count(".") != 2:
            return await self._thread.run(lambda stores: self._recognise.by_key(stores, credential, time.time()))
        if self._tokens is None:
            raise IdentityError("no identity provider is declared, so no token is accepted", hint="`--oidc-issuer URL`")
        identity = await self._tokens.identity(credential)
        known = await self._thread.run(lambda stores: self._recognise.by_subject(stores, identity.subject))
        if known is not None:
            return known
        actor = actor_by_groups(identity.subject, identity.groups, self._rules)
        tenant = actor.tenant if actor is not None else None
        if tenant is not None and not await self._thread.run(lambda stores: self._recognise.is_open(stores, tenant)):
            raise IdentityError(f"the token is valid, but the tenant `{tenant}` its groups are for is not open")
        if actor is None:
            raise IdentityError(
                f"the token is valid, but no principal has its subject `{identity.subject}` and no group gives a role",
                hint="`tripoint principal add --subject`, or `--oidc-role GROUP=ROLE`",
            )
        return actor


def _credential(request: Request) -> str:
    lines = request.headers.getlist("authorization")
    if not lines:
        raise IdentityError("no credential was sent", hint=_SENDS)
    if len(lines) > 1:
        raise RefusedError(400, f"{len(lines)} `Authorization` headers came, one is read", place="header.authorization")
    scheme, _, credential = lines[0].partition(" ")
    credential = credential.strip()
    is_sound = credential.isascii() and credential.isprintable() and 0 < len(credential) <= _MAX_CREDENTIAL
    if scheme.lower() != "bearer" or not is_sound or " " in credential:
        raise IdentityError("the credential is not a bearer token", hint=_SENDS)
    return credential
