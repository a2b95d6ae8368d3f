"""`tripoint ledger correct`: what was entered wrongly is put right by a row of its own."""

from __future__ import annotations

from contextlib import closing

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.desk import completes, open_desk, store_option
from tripoint.apps.terminal.flags import UsdDifference


@click.command()
@click.option("--usd", metavar="AMOUNT", type=UsdDifference(), required=True,
              help="Difference of the effective cost, dollars, exact; negative is a credit.")  # fmt: skip
@click.option("--reason", metavar="TEXT", required=True, help="Why, for people.")
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Who pays; nobody when not given.")
@click.option("--day", metavar="DAY", help="Which day it is about, YYYY-MM-DD, UTC; now when not given.")
@click.option("--list-usd", metavar="AMOUNT", type=UsdDifference(), default="0", help="The same at list prices.")
@click.option("--key", metavar="ID", default="", shell_complete=completes("key"), help="Of this key.")
@click.option("--workload", metavar="ID", default="", shell_complete=completes("workload"), help="Of this workload.")
@click.option("--model", metavar="ID", default="", help="Of this model.")
@click.option("--site", metavar="ID", default="", shell_complete=completes("place"), help="Of this site.")
@click.option("--upstream", metavar="ID", default="", help="Of this upstream.")
@click.option("--entry", metavar="ID", default="", help="Id of the entry it corrects.")
@click.option("--force", is_flag=True, help="Enter a credit also where it is more than was ever spent.")
@store_option
@answering
def correct(
    usd: int, list_usd: int, reason: str, tenant: str | None, day: str | None, entry: str, force: bool,
    store: str | None, **named: str,
) -> Answer:  # fmt: skip
    """Enter a correction, as a row of its own and an act in the audit log.

    For example: tripoint ledger correct --usd -12.50 --tenant acme --reason "credit for 3 November" --day 2026-11-03
    """
    from tripoint.apps.stores import make_charger, open_ledger
    from tripoint.domain.money import usd as dollars
    from tripoint.engines.governance.ledger.days import DAY_S, day_number
    from tripoint.usecases.correct import Correction, alike
    from tripoint.usecases.correct import correct as enter

    at = None if day is None else float(day_number(day) * DAY_S)
    wanted = Correction(
        nano=usd, list_nano=list_usd, reason=reason, tenant=tenant or "", at=at, corrects=entry, **named
    )
    with open_desk(store) as desk, closing(open_ledger(desk.url, None, make_charger())) as ledger:
        row, _ = enter(desk.store, ledger, desk.turn, wanted, is_forced=force)
        before = alike(ledger, row)
    amount = f"{dollars(row.nano):+f}".rstrip("0").rstrip(".")
    text = f"correction `{row.id}` of {amount} USD is entered" + (f" for `{tenant}`" if tenant else "")
    if before:
        text += (
            f"\nthe same was entered before, as `{before}`; if once was meant, take this one back: --usd with the other"
        )
        text += f" sign and --entry {row.id}"
    payload = {**row._asdict(), "usd": f"{dollars(row.nano):f}", "list_usd": f"{dollars(row.list_nano):f}"}
    return Answer(text=text, payload={"correction": payload, "same_as": before})
