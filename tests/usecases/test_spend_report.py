"""What a report of spend gathers: every sum is the ledger's, to the nano-dollar."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.factories.plan import synthetic_plan
from tests.factories.spend_story import FIRST, story
from tests.factories.spending import ledger_of

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.errors import MissingError, OptionError
from tripoint.domain.ledger import Adjustment, Dimension, EntryKind, SpendQuery
from tripoint.domain.tenancy import Actor, Role
from tripoint.testing.ledger_conformance import NOON
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.spend_report import MOST_DAYS, ReportSpan, SpendReport, spend_report

LOCAL = local_actor("tests")
DAYS = 21


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[SqlLedger, float]:
    """Three weeks, and when they are over."""
    url = f"sqlite:///{tmp_path_factory.mktemp('spend') / 'store.db'}"
    now = story(url, DAYS)
    return SqlLedger(connect(url), lambda: now), now


def made(told: tuple[SqlLedger, float], span: ReportSpan | None = None, actor: Actor = LOCAL) -> SpendReport:
    """A report with no budgets and no plan."""
    return spend_report(told[0], actor, span or ReportSpan(), told[1], standings=(), plan=None)


def test_every_sum_is_the_ledgers(told: tuple[SqlLedger, float]) -> None:
    """By kind, tenant, workload, model, site, price version, day and token: all add up to the same whole."""
    report = made(told)
    (whole,) = told[0].spend(SpendQuery(by=()))
    assert report.total == whole
    assert sum(row.nano for row in report.kinds.values()) == whole.nano
    assert sum(row.nano for row in report.prices) == whole.nano
    assert sum(row.usage_nano + row.idle_nano + row.corrected_nano for row in report.tokens) == whole.nano
    assert {found.total.nano for found in report.tops.values()} == {whole.nano}
    assert sum(map(sum, report.series.values())) + sum(report.others) == whole.nano
    for place, (day, _) in enumerate(report.days):
        (on_day,) = told[0].spend(SpendQuery(by=(), since=day, until=day))
        assert sum(values[place] for values in report.series.values()) + report.others[place] == on_day.nano


def test_days_begin_with_the_first_entry_and_the_last_is_over_in_part(told: tuple[SqlLedger, float]) -> None:
    """A month was asked for, three weeks have entries; it is noon."""
    days = made(told).days
    assert (days[0], days[-1], len(days)) == ((FIRST, 1.0), ("2027-02-21", 0.5), DAYS)


def test_the_hour_of_the_first_entry_is_that_of_the_first_day(tmp_path: Path) -> None:
    """An evening, and the morning after: the morning is of another day."""
    made_at = [NOON + 10 * 3_600, NOON + 13 * 3_600]
    none = ("", "", "", "", "", "")
    credits_ = [Adjustment(f"c{at}", EntryKind.CORRECTION, at, *none, -5, 0, 0, 0, "", "", "made") for at in made_at]
    with closing(ledger_of(tmp_path / "store.db", [], [], credits_)) as ledger:
        report = spend_report(ledger, LOCAL, ReportSpan(), made_at[1], standings=(), plan=None)
        assert (len(report.days), report.first_hour) == (2, 22)


def test_capacity_nobody_used_is_a_series_of_its_own(told: tuple[SqlLedger, float]) -> None:
    """However little it is beside the dearest tenants."""
    report = made(told)
    assert list(report.series)[-1] == ""
    assert len(report.series) == 7
    assert sum(report.series[""]) == report.idle_nano == report.kinds[EntryKind.IDLE].nano


def test_who_is_bound_to_a_tenant_sees_nothing_else(told: tuple[SqlLedger, float]) -> None:
    """Neither others' money nor idle capacity, in no part of it; another tenant is not there."""
    bound = Actor("claims.finance", frozenset({Role.FINANCE}), "claims")
    report = made(told, actor=bound)
    assert set(report.series) == {"claims"}
    assert [row.by for row in report.tops[Dimension.TENANT].rows] == [("claims",)]
    assert {entry.tenant for entry in report.adjustments} == {"claims"}
    assert report.idle_nano == 0
    assert not any(report.others)
    assert report.total == made(told, ReportSpan(tenant="claims")).total
    with pytest.raises(MissingError):
        made(told, ReportSpan(tenant="web"), bound)


def test_a_plan_is_held_against_the_time_that_is_over(told: tuple[SqlLedger, float]) -> None:
    """Twenty days and a half of the first quarter."""
    plan = synthetic_plan()
    report = spend_report(told[0], LOCAL, ReportSpan(), told[1], standings=(), plan=plan)
    first = sum(charge.effective_usd for charge in plan.charges if charge.period == 0)
    assert report.expected is not None
    assert report.expected.total_usd + report.expected.other_usd == pytest.approx(first * 20.5 * 24 / plan.period_hours)


def test_nothing_entered_is_a_report_too(told: tuple[SqlLedger, float]) -> None:
    """Of days before the first."""
    report = made(told, ReportSpan("2026-01-01", "2026-01-31"))
    assert report.days == ()
    assert report.total.nano == report.total.requests == 0
    assert report.series == {}


def test_days_that_cannot_be_are_refused(told: tuple[SqlLedger, float]) -> None:
    """Turned around, or too many, with both numbers."""
    with pytest.raises(OptionError, match=r"2027-03-01.* after .*2027-02-21"):
        made(told, ReportSpan(since="2027-03-01"))
    with pytest.raises(OptionError, match=f"at most {MOST_DAYS}"):
        made(told, ReportSpan(since="2020-01-01"))


def test_a_credit_that_names_no_model_is_no_idle_capacity(tmp_path: Path) -> None:
    """Neither what tokens cost nor what was idle changes by it; a correction of idle capacity does change that."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    now = story(url, 3)
    ledger = SqlLedger(connect(url), lambda: now)
    before = spend_report(ledger, LOCAL, ReportSpan(), now, standings=(), plan=None).tokens
    idle = next(row for row in before if row.idle_nano and row.model)
    (upstream, *_) = [
        row.by[1]
        for row in ledger.spend(SpendQuery(by=(Dimension.SITE, Dimension.UPSTREAM), kinds=(EntryKind.IDLE,)))
        if row.by[0] == idle.site
    ]
    blank = Adjustment(
        id="manual/1", kind=EntryKind.CORRECTION, at=now - 3600, tenant="claims", key="", workload="", model="",
        site="", upstream="", nano=-12_500_000_000, list_nano=0, tokens_in=0, tokens_out=0, prices="", corrects="",
        reason="credit",
    )  # fmt: skip
    of_idle = blank._replace(id="idle/1", tenant="", site=idle.site, upstream=upstream, nano=7)
    ledger.load((), (blank, blank._replace(id="manual/2"), of_idle))
    after = spend_report(ledger, LOCAL, ReportSpan(), now, standings=(), plan=None).tokens
    known = {(row.site, row.model): row.corrected_nano for row in before}
    credited = {key: row.corrected_nano - known.get(key, 0) for row in after if (key := (row.site, row.model))}
    assert {key: nano for key, nano in credited.items() if nano} == {("", ""): -25_000_000_000}
    assert sum(row.idle_nano for row in after) == sum(row.idle_nano for row in before) + 7
    assert sum(row.usage_nano for row in after) == sum(row.usage_nano for row in before)
