"""`tripoint budget`: money a tenant, a key or a workload may spend in a day or a month."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.desk import Desk, completes, estate_option, open_desk, scope_options, store_option
from tripoint.apps.terminal.flags import UsdAmount
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.domain.tenancy import Window

if TYPE_CHECKING:
    from tripoint.domain.tenancy import Budget, Scope
    from tripoint.usecases.standing import Standing

_ID = click.argument("budget", shell_complete=completes("budget"))


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Set and remove budgets, and see how much of them is spent.

    Money is reserved before a request is sent and settled when it ends, so a budget is never overspent.
    """


@command.command("set")
@click.option(
    "--usd", metavar="AMOUNT", type=UsdAmount(), required=True, help="Most that may be spent, dollars, exact."
)
@click.option("--per", type=click.Choice([str(window) for window in Window]), required=True, help="Window, UTC.")
@scope_options
@click.option("--warn-only", is_flag=True, help="Warn at 50, 80 and 100 %, but refuse nothing.")
@click.option(
    "--name", metavar="TEXT", default="", help="Its id within the tenant; made from the scope when not given."
)
@estate_option
@store_option
@answering
def set_one(
    usd: int,
    per: str,
    warn_only: bool,
    name: str,
    estate: str | None,
    store: str | None,
    *,
    scope: Scope,
) -> Answer:
    """Set a budget, replacing the one of the same scope and window.

    For example: tripoint budget set --usd 50 --per day --tenant acme --workload chat
    """
    from tripoint.apps.render.accounts import dollars
    from tripoint.engines.governance.access.limits import Money
    from tripoint.usecases.accounts.limits import set_budget

    money = Money(limit_nano=usd, window=Window(per), is_enforced=not warn_only)
    with open_desk(store) as desk:
        desk.note_estate(estate)
        row = set_budget(desk.store, desk.turn, scope, money, budget=name)
    told = "warns" if warn_only else "allows"
    return _one(row, f"budget `{row.id}` {told} {dollars(row.limit_nano)} USD per {row.window}")


@command.command("list")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only budgets of this tenant.")
@store_option
@answering
def list_all(tenant: str | None, store: str | None) -> Answer:
    """List budgets, and how much of them is spent now.

    For example: tripoint budget list --tenant acme
    """
    from tripoint.apps.render.accounts import budget_table, standing_payload
    from tripoint.usecases.accounts.limits import list_budgets

    with open_desk(store, asks=True) as desk:
        rows = _standings(desk, list_budgets(desk.store, desk.actor, tenant=tenant))
    text = budget_table(rows) if rows else "no budget"
    return Answer(text=text, payload={"budgets": [standing_payload(row) for row in rows]})


@command.command()
@_ID
@store_option
@answering
def show(budget: str, store: str | None) -> Answer:
    """Show one budget, and how much of it is spent now.

    For example: tripoint budget show BUDGET
    """
    from tripoint.apps.render.accounts import budget_table, standing_payload
    from tripoint.usecases.accounts.limits import show_budget

    with open_desk(store, asks=True) as desk:
        rows = _standings(desk, [show_budget(desk.store, desk.actor, budget)])
    return Answer(text=budget_table(rows), payload={"budget": standing_payload(rows[0])})


@command.command()
@_ID
@store_option
@answering
def remove(budget: str, store: str | None) -> Answer:
    """Remove a budget.

    For example: tripoint budget remove BUDGET
    """
    from tripoint.usecases.accounts.limits import remove_budget

    with open_desk(store) as desk:
        row = remove_budget(desk.store, desk.turn, budget)
    return _one(row, f"budget `{row.id}` is removed")


def _standings(desk: Desk, rows: Sequence[Budget]) -> tuple[Standing, ...]:
    from tripoint.apps.stores import make_charger, open_leases, open_ledger
    from tripoint.usecases.standing import standings

    if not rows:
        return ()
    with (
        closing(open_ledger(desk.url, asks=True)) as ledger,
        closing(open_leases(desk.url, None, make_charger(), asks=True)) as leases,
    ):
        return standings(ledger, rows, desk.turn.now, leases.held())


def _one(row: Budget, text: str) -> Answer:
    from tripoint.apps.render.accounts import row_payload

    return Answer(text=text, payload={"budget": row_payload(row)})
