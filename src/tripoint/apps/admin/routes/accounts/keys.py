"""Operations on keys, and the one that makes the first admin."""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec

from tripoint.apps.admin.contract import Call, Operation, Reply
from tripoint.apps.admin.routes.accounts.principals import TenantPageQuery
from tripoint.apps.admin.routes.accounts.views import Id, KeyPage, KeyView, Name, Names, ShownKey, key_view
from tripoint.apps.admin.routes.acts import checked, created, last_of, tagged, turn_of
from tripoint.apps.admin.wire.tags import refuse_stale, tag_of
from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.usecases.accounts import bootstrap, keys
from tripoint.usecases.accounts.turn import Turn

PrincipalId = Annotated[str, msgspec.Meta(min_length=1, max_length=127, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
"""Id of a principal, which begins with its tenant and a dot when it is bound to one."""
Instant = Annotated[float, msgspec.Meta(ge=0, le=253402300799)]
"""Seconds since 1970, up to the year 9999."""


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be: of a tenant, for the gateway; or of a principal, for the admin interface."""

    name: Name
    """What people call it."""
    tenant: Id | None = None
    """Who pays, for a key of the gateway."""
    principal: PrincipalId | None = None
    """For whom it speaks in the admin interface; then without tenant, workloads and places."""
    workloads: Names = ()
    """Workloads it may call; all when empty."""
    only_at: Names = ()
    """Sites, layers or kinds its requests are confined to; anywhere policy allows when empty."""
    expires_at: Instant | None = None
    """Seconds since 1970, a future time; never when `null`."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a key is replaced."""

    overlap_s: Annotated[float, msgspec.Meta(ge=0, le=7776000)]
    """How long the old key still opens what it did, s; 0 refuses it at once, 90 days at most."""
    expires_at: Instant | None = None
    """When the new key ends, seconds since 1970; never when `null`."""


class FirstAdmin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to be the first admin."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    """The one-time token that `tripoint admin init` showed."""
    principal: Id
    """Id of the principal to be made."""


def _secrets(call: Call) -> keys.Secrets:
    return keys.Secrets(call.stores.pepper, secrets.token_bytes(ID_BYTES + SECRET_BYTES))


def _shown(made: keys.Shown) -> ShownKey:
    return ShownKey(**msgspec.structs.asdict(key_view(made.key)), secret=made.text)


def _list(call: Call) -> Reply:
    query: TenantPageQuery = call.query
    rows = keys.list_keys(
        call.stores.accounts, call.actor, tenant=query.tenant, after=query.after, limit=query.limit + 1
    )
    page, more = last_of(rows, query.limit, lambda row: row.id)
    return Reply(KeyPage(items=tuple(key_view(row) for row in page), next=more))


def _show(call: Call, key: str = "") -> KeyView:
    return key_view(keys.show_key(call.stores.accounts, call.actor, key or call.path["key"]))


def _again(call: Call, key: str) -> ShownKey:
    return ShownKey(**msgspec.structs.asdict(_show(call, key)), secret=None)


def _create(call: Call) -> Reply:
    body: NewKey = call.body
    wanted = Wanted(
        name=body.name,
        tenant=body.tenant or "",
        principal=body.principal,
        workloads=body.workloads,
        only_at=body.only_at,
        expires_at=body.expires_at,
    )

    def make(turn: Turn) -> ShownKey:
        return _shown(keys.create_key(call.stores.accounts, turn, wanted, _secrets(call)))

    return created(call, "/v1/keys", make, lambda made: _again(call, made))


def _rotate(call: Call) -> Reply:
    body: Rotation = call.body
    key = call.path["key"]

    def act(turn: Turn) -> ShownKey:
        made = keys.rotate_key(
            call.stores.accounts,
            turn,
            key,
            _secrets(call),
            overlap_s=body.overlap_s,
            expires_at=body.expires_at,
        )
        return _shown(made)

    def make(_: Turn) -> ShownKey:
        return checked(call, lambda: refuse_stale(_show(call), call.given.tag), act)

    return created(call, "/v1/keys", make, lambda made: _again(call, made))


def _revoke(call: Call) -> Reply:
    return tagged(key_view(keys.revoke_key(call.stores.accounts, turn_of(call), call.path["key"])))


def _first(call: Call) -> Reply:
    body: FirstAdmin = call.body
    _, made = bootstrap.redeem_token(call.stores.accounts, body.token, body.principal, _secrets(call), now=call.now)
    view = _shown(made)
    return Reply(view, tag=tag_of(key_view(made.key)), location=f"/v1/keys/{view.id}")


OPERATIONS = (
    Operation(id="listKeys", method="GET", path="/v1/keys", summary="The keys you see, by id; never their secrets.",
              group="keys", right="key.read", run=_list, answer=KeyPage, query=TenantPageQuery, refusals=(404,)),
    Operation(id="createKey", method="POST", path="/v1/keys", summary="Creates a key, and shows it once.",
              group="keys", right="key.create", run=_create, answer=ShownKey, status=201, body=NewKey,
              refusals=(404, 409), is_tagged=True, can_repeat=True),
    Operation(id="showKey", method="GET", path="/v1/keys/{key}", summary="One key, without its secret.",
              group="keys", right="key.read", run=lambda call: tagged(_show(call)), answer=KeyView, is_tagged=True),
    Operation(id="rotateKey", method="POST", path="/v1/keys/{key}/rotation",
              summary="Replaces a key with one of the same limits, shown once; the old one ends after the overlap.",
              group="keys", right="key.rotate", run=_rotate, answer=ShownKey, status=201, body=Rotation,
              refusals=(409,), is_tagged=True, needs_tag=True, can_repeat=True),
    Operation(id="revokeKey", method="POST", path="/v1/keys/{key}/revocation",
              summary="Revokes a key for good.", group="keys", right="key.revoke", run=_revoke,
              answer=KeyView, is_tagged=True),
    Operation(id="makeFirstAdmin", method="POST", path="/v1/first-admin",
              summary="Creates the first admin and its key, by the one-time token of `tripoint admin init`.",
              group="keys", right=None, run=_first, answer=ShownKey, status=201, body=FirstAdmin,
              refusals=(401, 409), is_tagged=True),
)  # fmt: skip
"""Rows of the route table."""
