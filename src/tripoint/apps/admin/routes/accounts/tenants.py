"""Operations on tenants."""

from __future__ import annotations

from tripoint.apps.admin.contract import Call, Operation, PageQuery, Reply
from tripoint.apps.admin.routes.accounts.views import (
    NewName,
    NewTenant,
    Suspension,
    TenantPage,
    TenantView,
    tenant_view,
)
from tripoint.apps.admin.routes.acts import changed, created, last_of, tagged
from tripoint.usecases.accounts import tenants
from tripoint.usecases.accounts.turn import Turn


def _list(call: Call) -> Reply:
    query: PageQuery = call.query
    rows = tenants.list_tenants(call.stores.accounts, call.actor, after=query.after, limit=query.limit + 1)
    page, more = last_of(rows, query.limit, lambda row: row.id)
    return Reply(TenantPage(items=tuple(tenant_view(row) for row in page), next=more))


def _show(call: Call, tenant: str = "") -> TenantView:
    return tenant_view(tenants.show_tenant(call.stores.accounts, call.actor, tenant or call.path["tenant"]))


def _create(call: Call) -> Reply:
    body: NewTenant = call.body
    return created(
        call,
        "/v1/tenants",
        lambda turn: tenant_view(tenants.create_tenant(call.stores.accounts, turn, body.id, name=body.name)),
        lambda made: _show(call, made),
    )


def _rename(call: Call) -> Reply:
    body: NewName = call.body

    def act(turn: Turn) -> TenantView:
        return tenant_view(tenants.rename_tenant(call.stores.accounts, turn, call.path["tenant"], name=body.name))

    return changed(call, lambda: _show(call), act)


def _suspend(call: Call) -> Reply:
    body: Suspension = call.body

    def act(turn: Turn) -> TenantView:
        tenant = call.path["tenant"]
        return tenant_view(tenants.suspend_tenant(call.stores.accounts, turn, tenant, is_suspended=body.is_suspended))

    return changed(call, lambda: _show(call), act)


OPERATIONS = (
    Operation(id="listTenants", method="GET", path="/v1/tenants", summary="The tenants you see, by id.",
              group="tenants", right="tenant.read", run=_list, answer=TenantPage, query=PageQuery),
    Operation(id="createTenant", method="POST", path="/v1/tenants", summary="Creates a tenant.",
              group="tenants", right="tenant.create", run=_create, answer=TenantView, status=201, body=NewTenant,
              refusals=(409,), is_tagged=True, can_repeat=True),
    Operation(id="showTenant", method="GET", path="/v1/tenants/{tenant}", summary="One tenant.",
              group="tenants", right="tenant.read", run=lambda call: tagged(_show(call)), answer=TenantView,
              is_tagged=True),
    Operation(id="renameTenant", method="PUT", path="/v1/tenants/{tenant}/name",
              summary="Renames a tenant; its id stays.", group="tenants", right="tenant.change", run=_rename,
              answer=TenantView, body=NewName, is_tagged=True, needs_tag=True),
    Operation(id="suspendTenant", method="PUT", path="/v1/tenants/{tenant}/suspension",
              summary="Suspends or resumes a tenant.", group="tenants",
              right="tenant.suspend", run=_suspend, answer=TenantView, body=Suspension, is_tagged=True,
              needs_tag=True),
)  # fmt: skip
"""Rows of the route table."""
