"""`tripoint principal`: who acts in the admin interface."""

from __future__ import annotations

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.desk import completes, open_desk, store_option
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.domain.tenancy import Principal, Role

_ID = click.argument("principal", shell_complete=completes("principal"))
_ROLES = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([str(role) for role in Role]),
    help="What it may do; repeatable.",
)
_SUBJECT = "`issuer#subject` in an identity provider's tokens."


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Manage who may use the admin interface, and with which roles.

    A principal is a person or a program; bound to a tenant, it sees and changes only that one.
    """


@command.command()
@click.argument("principal")
@_ROLES
@click.option(
    "--tenant", metavar="ID", shell_complete=completes("tenant"), help="The only tenant it may see and change."
)
@click.option("--subject", metavar="TEXT", help=_SUBJECT)
@store_option
@answering
def add(principal: str, roles: tuple[str, ...], tenant: str | None, subject: str | None, store: str | None) -> Answer:
    """Add a principal.

    For example: tripoint principal add ann --role finance --tenant acme
    """
    from tripoint.usecases.accounts.principals import add_principal

    with open_desk(store) as desk:
        wanted = [Role(role) for role in roles]
        row = add_principal(desk.store, desk.turn, principal, roles=wanted, tenant=tenant, subject=subject)
    hint = "" if row.subject else f"; `tripoint key create --principal {row.id}` makes it a key"
    return _one(row, f"principal `{row.id}` added: {', '.join(row.roles)}{hint}")


@command.command("list")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only those bound to this tenant.")
@store_option
@answering
def list_all(tenant: str | None, store: str | None) -> Answer:
    """List principals.

    For example: tripoint principal list
    """
    from tripoint.apps.render.accounts import principal_table, row_payload
    from tripoint.usecases.accounts.principals import list_principals

    with open_desk(store, asks=True) as desk:
        rows = list_principals(desk.store, desk.actor, tenant=tenant)
    text = principal_table(rows) if rows else "no principal yet; `tripoint admin init` makes the first admin"
    return Answer(text=text, payload={"principals": [row_payload(row) for row in rows]})


@command.command()
@_ID
@store_option
@answering
def show(principal: str, store: str | None) -> Answer:
    """Show one principal.

    For example: tripoint principal show ana
    """
    from tripoint.apps.render.accounts import principal_table
    from tripoint.usecases.accounts.principals import show_principal

    with open_desk(store, asks=True) as desk:
        row = show_principal(desk.store, desk.actor, principal)
    return _one(row, principal_table([row]))


@command.command()
@_ID
@_ROLES
@store_option
@answering
def roles(principal: str, roles: tuple[str, ...], store: str | None) -> Answer:
    """Replace the roles of a principal.

    For example: tripoint principal roles ana --role finance
    """
    from tripoint.usecases.accounts.principals import set_roles

    with open_desk(store) as desk:
        row = set_roles(desk.store, desk.turn, principal, roles=[Role(role) for role in roles])
    return _one(row, f"principal `{row.id}` has the roles {', '.join(row.roles)}")


@command.command()
@_ID
@click.option("--subject", metavar="TEXT", help=f"{_SUBJECT[:-1]}; none any more when not given.")
@store_option
@answering
def subject(principal: str, subject: str | None, store: str | None) -> Answer:
    """Bind a principal to a subject of an identity provider.

    For example: tripoint principal subject ana --subject https://issuer.example,ana@example.com
    """
    from tripoint.usecases.accounts.principals import set_subject

    with open_desk(store) as desk:
        row = set_subject(desk.store, desk.turn, principal, subject=subject)
    return _one(row, f"principal `{row.id}` is meant by {row.subject or 'no subject'}")


@command.command()
@_ID
@store_option
@answering
def suspend(principal: str, store: str | None) -> Answer:
    """Refuse a principal from now on.

    For example: tripoint principal suspend ana
    """
    return _suspended(principal, store, is_suspended=True)


@command.command()
@_ID
@store_option
@answering
def resume(principal: str, store: str | None) -> Answer:
    """Accept a suspended principal again.

    For example: tripoint principal resume ana
    """
    return _suspended(principal, store, is_suspended=False)


def _suspended(principal: str, store: str | None, *, is_suspended: bool) -> Answer:
    from tripoint.usecases.accounts.principals import suspend_principal

    with open_desk(store) as desk:
        row = suspend_principal(desk.store, desk.turn, principal, is_suspended=is_suspended)
    return _one(row, f"principal `{row.id}` is {'refused' if row.is_suspended else 'let in again'}")


def _one(row: Principal, text: str) -> Answer:
    from tripoint.apps.render.accounts import row_payload

    return Answer(text=text, payload={"principal": row_payload(row)})
