"""`tripoint ledger reprice`: prices were wrong; the difference is entered, row by row."""

from __future__ import annotations

import click

from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.terminal.books import Part, note_corrections, open_books, part_options
from tripoint.apps.terminal.desk import store_option
from tripoint.apps.terminal.progress import working_display
from tripoint.domain.errors import OptionError


@click.command()
@click.argument("version", metavar="PRICES")
@click.option("--everything", is_flag=True, help="All days and everybody, where neither is named.")
@part_options
@store_option
@answering
def reprice(version: str, everything: bool, store: str | None, *, part: Part) -> Answer:
    """Reprice requests by another price version.

    PRICES is a version the ledger keeps, as `tripoint ledger top --by prices` names them. Nothing is edited: for each
    request that costs something else by it, the difference is entered as a correction. Run again, it changes nothing.
    For example: tripoint ledger reprice 3f9c21d0a4be --since 2026-11-01 --site dense
    """
    from tripoint.domain.money import usd
    from tripoint.usecases.reprice import reprice as run

    if not (everything or any(part)):
        raise OptionError(
            "nothing says which requests to reprice",
            hint="name days, a tenant, a key, a workload, a model or a site; `--everything` is all of them",
        )
    with open_books(store, charges=True) as ledger, working_display("comparing prices"):
        if ledger.prices(version):  # what is not known is refused below
            asked = {name: each for name, each in part._asdict().items() if each}
            note_corrections(store, f"prices:{version}", asked or {"everything": True})
        done = run(ledger, part.entries(), version)
    told = f"{done.corrected:,} corrected by {usd(done.nano):+f} USD in all" if done.corrected else "nothing to correct"
    text = f"{plural(done.looked_at, 'request')} looked at, {told}"
    if done.unpriced:
        text += f"\n{done.unpriced:,} have a price row that `{version}` does not have; they are left as they are"
    return Answer(text=text, payload={**done._asdict(), "prices": version, "usd": f"{usd(done.nano):f}"})
