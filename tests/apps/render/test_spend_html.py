"""The report of spend as text: what it says, and that strangers' names stay text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.apps.render.spend_pages import report_of

from tripoint.apps.render.html.spend.daily import daily
from tripoint.apps.render.html.spend.figures import amount, barred, saved, share
from tripoint.apps.render.html.spend.page import spend_html
from tripoint.apps.render.html.spend.rankings import places
from tripoint.domain.ledger import Dimension, Spend
from tripoint.domain.money import usd
from tripoint.usecases.spend_report import SpendReport


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> SpendReport:
    """Three weeks."""
    return report_of("three weeks", tmp_path_factory.mktemp("spend"))


def told(report: SpendReport) -> str:
    """The page's words, without its pictures' tooltips."""
    text = spend_html(report, version="0.0.0")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<title>.*?</title>|<style>.*?</style>", "", text)))


def test_every_part_is_there_with_its_message(report: SpendReport) -> None:
    """Days, tenants, places, tokens, the plan, budgets, corrections; the exact sum once."""
    words = told(report)
    for title in (
        "What each day cost", "Whose money it was", "Where it was spent", "What a million tokens cost",
        "Planned against actual", "Budgets", "What the sums are made of",
    ):  # fmt: skip
        assert title in words
    assert f"{usd(report.total.nano):,f} USD exactly" in words
    assert "claims.day has reached 93 %" in words
    assert "idle capacity" in words
    assert "its worker died without a word" in words
    assert "computed by price version p2 instead of p1" in words
    for place in ("retail-eu", "colo-ams", "llama-70b", "code-assistant"):
        assert place in words


def test_without_a_plan_savings_head_the_page(report: SpendReport) -> None:
    """And nothing is said of a plan."""
    words = told(replace(report, expected=None))
    assert "below list prices" in words
    assert "lanned" not in words


def test_one_day_and_nothing_are_said_as_such(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No average of one day, no table of nothing."""
    words = told(report_of("one day", tmp_path_factory.mktemp("one")))
    assert "Only 2027-02-01 has entries" in words
    assert "No budget is set." in words
    assert "in 1 day:" in words
    empty = told(report_of("nothing", tmp_path_factory.mktemp("none")))
    assert "Nothing was entered in these days" in empty
    assert "What each day cost" not in empty


def test_names_are_text_whatever_they_are(report: SpendReport) -> None:
    """A tenant called like a script is one in no way."""
    name = '<script>alert("x")</script>'
    tops = dict(report.tops)
    found = tops[Dimension.TENANT]
    tops[Dimension.TENANT] = found._replace(rows=(found.rows[0]._replace(by=(name,)), *found.rows[1:]))
    series = {name: next(iter(report.series.values()))}
    text = spend_html(replace(report, tops=tops, series=series), version="0.0.0")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_day_of_corrections_draws_nothing_and_says_so(report: SpendReport) -> None:
    """Bars have no negative height."""
    series = {"web": (-5, *([10**9] * (len(report.days) - 1)))}
    text = spend_html(replace(report, series=series, others=(0,) * len(report.days)), version="0.0.0")
    assert "took back more than was spent" in text
    assert not re.search(r'height="-', text)


@pytest.mark.parametrize(
    ("requests", "nano", "corrected", "name"),
    [
        (0, 700, 0, "idle capacity"),
        (0, -300, -300, "corrections"),
        (0, 400, -300, "idle capacity, corrections"),
        (3, 0, 0, "not known"),
        (3, -300, -300, "not known, corrections"),
    ],
)
def test_a_row_without_a_name_says_what_it_is(
    report: SpendReport, requests: int, nano: int, corrected: int, name: str
) -> None:
    """A credit to a tenant names no site: no node stood idle for it."""
    found = report.tops[Dimension.SITE]
    row = found.total._replace(by=("",), nano=nano, requests=requests)
    corrections: dict[tuple[str, ...], Spend] = {("",): row._replace(nano=corrected)} if corrected else {}
    site = found._replace(rows=(*found.rows[:1], row), others=0, rest=None, corrections=corrections)
    text = str(places(replace(report, tops={**report.tops, Dimension.SITE: site})).body)
    assert f">{name}<" in text.partition("By model")[0]


@pytest.mark.parametrize(
    ("nano", "words"),
    [(0, "$0"), (661_000, "$0.000661"), (-661_000, "-$0.000661"), (999_000_000, "$0.999"),
     (38_120_000_000_000, "$38.1k"), (-2_500_000_000, "-$2.50")],
)  # fmt: skip
def test_money_has_three_digits(nano: int, words: str) -> None:
    """However small or large, given or taken."""
    assert amount(nano) == words


def test_shares_of_nothing_are_dashes() -> None:
    """And bars end at the column's end."""
    assert (share(1, 0), saved(1, 0)) == ("–", "–")
    assert "width:100.0%" in barred("x", 7.0)
    assert "width:0.0%" in barred("x", -1.0)


def test_the_average_of_days_leaves_corrections_out(report: SpendReport) -> None:
    """The whole of a correction stands in one day: the average is of what was spent, and says so."""
    assert report.corrected_nano
    average = amount(round(report.spent.nano / len(report.days)))
    told = f"21 days cost {average} a day on average, {amount(report.corrected_nano)} of corrections left out; the"
    assert told in str(daily(report).message)
    assert "on average; the dearest was " in str(daily(replace(report, kinds={})).message)


def test_a_plan_is_drawn_beside_what_was_spent(report: SpendReport) -> None:
    """A line across the days; a bar and a frame for every site and workload, with the share they differ by."""
    text = spend_html(report, version="0.0.0")
    assert report.expected is not None
    assert re.search(r">planned: \$[\d.]+k a day</text>", text)
    for name in report.expected.by_site:
        assert re.search(rf"<title>{name}: \$[\d.,kM]+ of \$[\d.,kM]+, [−+]?[\d.]+ %</title>", text), name
    assert re.search(r'class="limit-words" text-anchor="end">\$150k of \$71\.0k, \+111 %<', text)
    assert "planned:" not in spend_html(replace(report, expected=None), version="0.0.0")


def test_a_first_day_says_since_when_it_has_entries(report: SpendReport) -> None:
    """The plan counts a day from midnight: where nothing was entered before the evening, the difference is that."""
    assert report.expected is not None
    begun = replace(report, days=(("2027-02-01", 0.93),), first_hour=22, expected=report.expected._replace(outside=1))
    words = told(begun)
    assert "What was planned counts from midnight, entries begin at 22:00 UTC." in words
    assert "1 day of 1 lies outside the plan" in words
    assert "entries begin at" not in told(replace(begun, first_hour=0))
    several = replace(begun, days=report.days, expected=report.expected._replace(outside=2))
    assert "entries begin at" not in told(several)
    assert "2 days of 21 lie outside" in told(several)


def test_planned_and_actual_say_what_each_of_them_counts(report: SpendReport) -> None:
    """Headroom and standby are a workload's in the plan and idle hours in the ledger: the reader is told beside it."""
    text = spend_html(report, version="0.0.0")
    assert "planned: the capacity planned for it, standby and headroom too; actual: what its requests" in text
    assert "includes its standby and headroom; in the ledger these are idle hours. Sites compare in full." in text
