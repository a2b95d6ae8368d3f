"""`tripoint ledger report`: what was spent, as one page for people."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.settings import read_settings, store_url
from tripoint.apps.terminal.books import day_options, open_books, refuse_unknown
from tripoint.apps.terminal.desk import completes, local_user, open_desk, store_option
from tripoint.apps.terminal.flags import FileToRead, NamedPath
from tripoint.apps.terminal.progress import working_display

if TYPE_CHECKING:
    from tripoint.domain.tenancy import Budget


@click.command()
@click.option("--out", metavar="FILE", type=NamedPath(dir_okay=False), default="spend.html", show_default=True,
              help="Where the page is written.")  # fmt: skip
@click.option("--plan", "plan_file", metavar="PLAN.json", type=FileToRead(),
              help="Compare what was spent with this plan.")  # fmt: skip
@click.option("--tenant", metavar="ID", shell_complete=completes("tenant"), help="Only this tenant, without idle.")
@day_options
@store_option
@answering
def report(
    out: str, plan_file: str | None, tenant: str | None, since: str | None, until: str | None, store: str | None
) -> Answer:
    """Write what was spent as one HTML page that needs no network.

    By day, tenant, workload, model and site; idle capacity; savings against list prices; budgets; corrections. The last
    30 days when none are given. For example: tripoint ledger report --plan plan.json --out november.html
    """
    from tripoint.apps.render.html.spend.page import spend_html
    from tripoint.domain.money import usd
    from tripoint.domain.version import VERSION
    from tripoint.usecases.accounts.login import local_actor
    from tripoint.usecases.spend_report import ReportSpan, spend_report
    from tripoint.usecases.standing import standings

    now = time.time()
    plan = None if plan_file is None else wiring.read_plan(plan_file)
    with open_books(store) as ledger, working_display("adding up"):
        refuse_unknown(ledger, tenant, store)
        found = spend_report(
            ledger,
            local_actor(local_user()),
            ReportSpan(since, until, tenant),
            now,
            standings=standings(ledger, _budgets(store, tenant), now),
            plan=plan,
        )
    wiring.write_text(out, spend_html(found, version=VERSION))
    days = plural(len(found.days), "day")
    payload = {
        "file": out,
        "since": found.days[0][0] if found.days else None,
        "until": found.days[-1][0] if found.days else None,
        "usd": f"{usd(found.total.nano):f}",
        "idle_usd": f"{usd(found.idle_nano):f}",
        "list_usd": f"{usd(found.total.list_nano):f}",
        "planned_usd": None if found.expected is None else round(found.expected.total_usd, 6),
        "budgets": len(found.standings),
    }
    return Answer(text=f"wrote {out}: {usd(found.total.nano):,f} USD in {days}", payload=payload)


def _budgets(store: str | None, tenant: str | None) -> tuple[Budget, ...]:
    from tripoint.usecases.accounts.limits import list_budgets

    with open_desk(store or store_url(read_settings()), asks=True) as desk:
        found = list_budgets(desk.store, desk.actor)
    # A tenant of the estate's own keys is in the ledger without being in the accounts.
    return tuple(each for each in found if tenant is None or each.scope.tenant == tenant)
