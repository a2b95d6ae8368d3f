"""Operations on principals, and what a caller is told of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from tripoint.apps.admin.contract import Call, Operation, PageQuery, Reply
from tripoint.apps.admin.routes.accounts.views import (
    NewPrincipal,
    NewRoles,
    NewSubject,
    PrincipalPage,
    PrincipalView,
    Suspension,
    principal_view,
)
from tripoint.apps.admin.routes.acts import changed, created, last_of, tagged
from tripoint.domain.tenancy import Principal, Role
from tripoint.engines.governance.access.roles import Action, allows
from tripoint.usecases.accounts import principals
from tripoint.usecases.accounts.turn import Turn


class TenantPageQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of a list, of which tenant."""

    tenant: Annotated[str, msgspec.Meta(min_length=1, max_length=63)] | None = None
    """Only this tenant's; all you see when left out."""


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling."""

    id: str
    """Principal id; `oidc:` and the subject when groups of the identity provider gave the roles."""
    roles: tuple[Role, ...]
    """What it may do."""
    tenant: str | None
    """The only tenant it sees and changes; all when `null`."""
    rights: tuple[str, ...]
    """Actions its roles allow."""


def _me(call: Call) -> Reply:
    actor = call.actor
    rights = tuple(str(action) for action in Action if allows(actor, action))
    roles = tuple(role for role in Role if role in actor.roles)
    return Reply(Me(id=actor.id, roles=roles, tenant=actor.tenant, rights=rights))


def _list(call: Call) -> Reply:
    query: TenantPageQuery = call.query
    rows = principals.list_principals(
        call.stores.accounts, call.actor, tenant=query.tenant, after=query.after, limit=query.limit + 1
    )
    page, more = last_of(rows, query.limit, lambda row: row.id)
    return Reply(PrincipalPage(items=tuple(principal_view(row) for row in page), next=more))


def _show(call: Call, principal: str = "") -> PrincipalView:
    return principal_view(
        principals.show_principal(call.stores.accounts, call.actor, principal or call.path["principal"])
    )


def _create(call: Call) -> Reply:
    body: NewPrincipal = call.body

    def make(turn: Turn) -> PrincipalView:
        return principal_view(
            principals.add_principal(
                call.stores.accounts, turn, body.id, roles=body.roles, tenant=body.tenant, subject=body.subject
            )
        )

    return created(call, "/v1/principals", make, lambda made: _show(call, made))


def _roles(call: Call) -> Reply:
    body: NewRoles = call.body
    return _changed(call, lambda turn, row: principals.set_roles(call.stores.accounts, turn, row, roles=body.roles))


def _subject(call: Call) -> Reply:
    body: NewSubject = call.body
    act = principals.set_subject
    return _changed(call, lambda turn, row: act(call.stores.accounts, turn, row, subject=body.subject))


def _suspend(call: Call) -> Reply:
    body: Suspension = call.body
    act = principals.suspend_principal
    return _changed(call, lambda turn, row: act(call.stores.accounts, turn, row, is_suspended=body.is_suspended))


def _changed(call: Call, act: Callable[[Turn, str], Principal]) -> Reply:
    return changed(call, lambda: _show(call), lambda turn: principal_view(act(turn, call.path["principal"])))


OPERATIONS = (
    Operation(id="whoAmI", method="GET", path="/v1/me", summary="Who you are here, and what you may do.",
              group="principals", right="", run=_me, answer=Me),
    Operation(id="listPrincipals", method="GET", path="/v1/principals", summary="The principals you see, by id.",
              group="principals", right="principal.read", run=_list, answer=PrincipalPage, query=TenantPageQuery,
              refusals=(404,)),
    Operation(id="createPrincipal", method="POST", path="/v1/principals",
              summary="Adds a principal, with no role that you have not.", group="principals",
              right="principal.create", run=_create, answer=PrincipalView, status=201, body=NewPrincipal,
              refusals=(404, 409), is_tagged=True, can_repeat=True),
    Operation(id="showPrincipal", method="GET", path="/v1/principals/{principal}", summary="One principal.",
              group="principals", right="principal.read", run=lambda call: tagged(_show(call)), answer=PrincipalView,
              is_tagged=True),
    Operation(id="setRoles", method="PUT", path="/v1/principals/{principal}/roles",
              summary="Replaces the roles of a principal.", group="principals",
              right="principal.change", run=_roles, answer=PrincipalView, body=NewRoles, refusals=(409,),
              is_tagged=True, needs_tag=True),
    Operation(id="setSubject", method="PUT", path="/v1/principals/{principal}/subject",
              summary="Binds this principal to a subject of the identity provider.", group="principals",
              right="principal.change", run=_subject, answer=PrincipalView, body=NewSubject, refusals=(409,),
              is_tagged=True, needs_tag=True),
    Operation(id="suspendPrincipal", method="PUT", path="/v1/principals/{principal}/suspension",
              summary="Suspends or resumes a principal.", group="principals",
              right="principal.change", run=_suspend, answer=PrincipalView, body=Suspension, refusals=(409,),
              is_tagged=True, needs_tag=True),
)  # fmt: skip
"""Rows of the route table."""
