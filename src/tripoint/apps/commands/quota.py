"""`tripoint quota`: rates a tenant, a key or a workload may not exceed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.desk import completes, estate_option, open_desk, scope_options, store_option
from tripoint.apps.terminal.groups import NearestNameGroup

if TYPE_CHECKING:
    from tripoint.domain.tenancy import Quota, Scope

_ID = click.argument("quota", shell_complete=completes("quota"))


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Set and remove quotas: requests, tokens, concurrency.

    A quota covers all of a tenant's requests, or only those of one key or one workload.
    """


@command.command("set")
@scope_options
@click.option("--requests-per-min", metavar="N", type=click.IntRange(0), help="Requests started per minute.")
@click.option("--tokens-per-min", metavar="N", type=click.IntRange(0), help="Tokens per minute.")
@click.option("--concurrency", metavar="N", type=click.IntRange(0), help="Concurrent requests.")
@click.option(
    "--name", metavar="TEXT", default="", help="Its id within the tenant; made from the scope when not given."
)
@estate_option
@store_option
@answering
def set_one(
    requests_per_min: int | None,
    tokens_per_min: int | None,
    concurrency: int | None,
    name: str,
    estate: str | None,
    store: str | None,
    *,
    scope: Scope,
) -> Answer:
    """Set a quota, replacing the one of the same scope.

    For example: tripoint quota set --tenant acme --tokens-per-min 200000 --concurrency 40
    """
    from tripoint.engines.governance.access.limits import Rates
    from tripoint.usecases.accounts.limits import set_quota

    rates = Rates(requests_per_min=requests_per_min, tokens_per_min=tokens_per_min, concurrency=concurrency)
    with open_desk(store) as desk:
        desk.note_estate(estate)
        row = set_quota(desk.store, desk.turn, scope, rates, quota=name)
    return _one(row, f"quota `{row.id}` is set")


@command.command("list")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only quotas of this tenant.")
@store_option
@answering
def list_all(tenant: str | None, store: str | None) -> Answer:
    """List quotas.

    For example: tripoint quota list --tenant acme
    """
    from tripoint.apps.render.accounts import quota_table, row_payload
    from tripoint.usecases.accounts.limits import list_quotas

    with open_desk(store, asks=True) as desk:
        rows = list_quotas(desk.store, desk.actor, tenant=tenant)
    text = quota_table(rows) if rows else "no quota"
    return Answer(text=text, payload={"quotas": [row_payload(row) for row in rows]})


@command.command()
@_ID
@store_option
@answering
def show(quota: str, store: str | None) -> Answer:
    """Show one quota.

    For example: tripoint quota show QUOTA
    """
    from tripoint.apps.render.accounts import quota_table
    from tripoint.usecases.accounts.limits import show_quota

    with open_desk(store, asks=True) as desk:
        row = show_quota(desk.store, desk.actor, quota)
    return _one(row, quota_table([row]))


@command.command()
@_ID
@store_option
@answering
def remove(quota: str, store: str | None) -> Answer:
    """Remove a quota.

    For example: tripoint quota remove QUOTA
    """
    from tripoint.usecases.accounts.limits import remove_quota

    with open_desk(store) as desk:
        row = remove_quota(desk.store, desk.turn, quota)
    return _one(row, f"quota `{row.id}` is removed")


def _one(row: Quota, text: str) -> Answer:
    from tripoint.apps.render.accounts import row_payload

    return Answer(text=text, payload={"quota": row_payload(row)})
