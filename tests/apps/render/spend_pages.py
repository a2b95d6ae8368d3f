"""Reports of spend to be looked at: three weeks with a plan and budgets, a single day, and nothing at all."""

from __future__ import annotations

from pathlib import Path

from tests.factories.plan import synthetic_plan
from tests.factories.spend_story import FIRST, story

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.apps.render.html.spend.page import spend_html
from tripoint.domain.tenancy import Budget, Scope, Window
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.spend_report import ReportSpan, SpendReport, spend_report
from tripoint.usecases.standing import Standing

PAGES = {"three weeks": 21, "one day": 1, "nothing": 0}
"""Days of each."""
BUDGETS = (
    Standing(
        budget=Budget(id="claims.day", scope=Scope(tenant="claims"), window=Window.DAY, limit_nano=10**13),
        window="2027-02-21",
        spent_nano=9_300 * 10**9,
    ),
    Standing(
        budget=Budget(
            id="web.code-assistant.month", scope=Scope(tenant="web", workload="code-assistant"), window=Window.MONTH,
            limit_nano=5 * 10**13, is_enforced=False,
        ),
        window="2027-02",
        spent_nano=3_140 * 10**9,
    ),
)  # fmt: skip


def report_of(name: str, folder: Path) -> SpendReport:
    """One of the reports; its ledger is made in `folder`."""
    url = f"sqlite:///{folder / 'spend.db'}"
    days = PAGES[name]
    now = story(url, days)
    ledger = SqlLedger(connect(url), lambda: now)
    is_long = days > 1
    try:
        return spend_report(
            ledger,
            local_actor("tests"),
            ReportSpan() if days else ReportSpan(since=FIRST),
            now,
            standings=BUDGETS if is_long else (),
            plan=synthetic_plan() if is_long else None,
        )
    finally:
        ledger.close()


def page_of(name: str, folder: Path) -> str:
    """Its page."""
    return spend_html(report_of(name, folder), version="0.0.0")
