"""`tripoint tenant`: who pays."""

from __future__ import annotations

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.desk import completes, open_desk, store_option
from tripoint.apps.terminal.groups import NearestNameGroup

_ID = click.argument("tenant", shell_complete=completes("tenant"))


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Create, rename, suspend and resume tenants.

    A tenant is who pays. Tenants are never removed, since the ledger refers to them.
    """


@command.command()
@click.argument("tenant")
@click.option("--name", metavar="TEXT", default="", help="What people call it; its id when not given.")
@store_option
@answering
def create(tenant: str, name: str, store: str | None) -> Answer:
    """Create a tenant.

    TENANT is its id: lower-case letters, digits and hyphens. Creates the store if there is none.

    For example: tripoint tenant create acme --name Acme
    """
    from tripoint.apps.render.accounts import row_payload
    from tripoint.usecases.accounts.tenants import create_tenant

    with open_desk(store, makes=True) as desk:
        row = create_tenant(desk.store, desk.turn, tenant, name=name)
    return Answer(text=f"tenant `{row.id}` created", payload={"tenant": row_payload(row)})


@command.command("list")
@store_option
@answering
def list_all(store: str | None) -> Answer:
    """List all tenants.

    For example: tripoint tenant list
    """
    from tripoint.apps.render.accounts import row_payload, tenant_table
    from tripoint.usecases.accounts.tenants import list_tenants

    with open_desk(store, asks=True) as desk:
        rows = list_tenants(desk.store, desk.actor)
    text = tenant_table(rows) if rows else "no tenant yet; `tripoint tenant create` makes one"
    return Answer(text=text, payload={"tenants": [row_payload(row) for row in rows]})


@command.command()
@_ID
@store_option
@answering
def show(tenant: str, store: str | None) -> Answer:
    """Show one tenant.

    For example: tripoint tenant show acme
    """
    from tripoint.apps.render.accounts import row_payload, tenant_table
    from tripoint.usecases.accounts.tenants import show_tenant

    with open_desk(store, asks=True) as desk:
        row = show_tenant(desk.store, desk.actor, tenant)
    return Answer(text=tenant_table([row]), payload={"tenant": row_payload(row)})


@command.command()
@_ID
@click.option("--name", metavar="TEXT", required=True, help="What people call it from now on.")
@store_option
@answering
def rename(tenant: str, name: str, store: str | None) -> Answer:
    """Rename a tenant; its id stays.

    For example: tripoint tenant rename acme --name "Acme Ltd"
    """
    from tripoint.apps.render.accounts import row_payload
    from tripoint.usecases.accounts.tenants import rename_tenant

    with open_desk(store) as desk:
        row = rename_tenant(desk.store, desk.turn, tenant, name=name)
    return Answer(text=f"tenant `{row.id}` is called {row.name}", payload={"tenant": row_payload(row)})


@command.command()
@_ID
@store_option
@answering
def suspend(tenant: str, store: str | None) -> Answer:
    """Refuse all keys of a tenant from now on.

    For example: tripoint tenant suspend acme
    """
    return _suspended(tenant, store, is_suspended=True)


@command.command()
@_ID
@store_option
@answering
def resume(tenant: str, store: str | None) -> Answer:
    """Accept the keys of a suspended tenant again.

    For example: tripoint tenant resume acme
    """
    return _suspended(tenant, store, is_suspended=False)


def _suspended(tenant: str, store: str | None, *, is_suspended: bool) -> Answer:
    from tripoint.apps.render.accounts import row_payload
    from tripoint.usecases.accounts.tenants import suspend_tenant

    with open_desk(store) as desk:
        row = suspend_tenant(desk.store, desk.turn, tenant, is_suspended=is_suspended)
    told = "its keys are refused" if row.is_suspended else "its keys open again"
    return Answer(text=f"tenant `{row.id}`: {told}", payload={"tenant": row_payload(row)})
