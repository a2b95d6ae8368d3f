"""The page of a stress test as text: what it says in every state, and that strangers' names stay text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.stress_story import mended, scenario, story, verdict

from tripoint.apps.render.html.stress.change import changed
from tripoint.apps.render.html.stress.page import stress_html
from tripoint.apps.render.html.stress.reading import State, by_cell, state_of, unbroken, weakest
from tripoint.apps.render.stress.text import stress_text
from tripoint.domain.stress import Remeasured, StressReport


def told(report: StressReport, before: StressReport | None = None) -> str:
    """The page's words, without its pictures' tooltips."""
    text = stress_html(report, before)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<title>.*?</title>|<style>.*?</style>", "", text)))


def test_cells_stand_as_their_objectives_do() -> None:
    """Broken, near, held, and nothing asked beyond residency."""
    states = {cell: state_of(each) for cell, each in by_cell(story()).items()}
    assert states == {
        ("site-loss", "chat"): State.BROKEN,
        ("site-loss", "index"): State.PLAIN,
        ("power-cap", "chat"): State.NEAR,
        ("budget-cut", "chat"): State.MET,
    }


def test_a_request_served_outside_policy_breaks_a_cell_whatever_is_asked() -> None:
    """One is enough."""
    only = replace(by_cell(story())["site-loss", "index"], outside=1.0)
    assert state_of(only) is State.BROKEN


def test_the_first_screen_counts() -> None:
    """One of three scenarios breaks; six of eight objectives are met, one is not judged; the nearest edge is named."""
    words = told(story())
    assert "Objectives break under 1 of 3 scenarios" in words
    assert "6 of 8" in words
    assert "1 could not be judged" in words
    assert "First to break: site-loss 2 h" in words
    assert "availability of chat; the usual is 4 h" in words
    assert "chat under site-loss" in words


def test_what_was_struck_is_told_on_page_and_in_text() -> None:
    """The site that was lost has a name; a report of before says nothing of it."""
    assert "Struck, as the worst of several Scenario Struck site-loss colo" in told(story())
    assert "site-loss: `colo`" in stress_text(story())
    before = replace(story(), struck=())
    assert "as the worst of several" not in told(before) + stress_text(before)


def test_the_loss_of_a_year_is_told_with_its_interval_on_page_and_in_text() -> None:
    """As a tile, as a section with a row per scenario, in the summary; and who counts for nothing in it."""
    page, text = told(story()), re.sub(r"\s+", " ", stress_text(story(), is_full=True))
    assert "Expected annual loss $4.50k 90 % interval of rates and trials: $750 to $18.0k" in page
    assert "site-loss 0.50 (0.10 .. 2.00) 3.00 (0.50 .. 12.0) 4,500 (750 .. 18,000) +20" in page
    assert "site-loss 0.50 (0.10 .. 2.00) 3.00 (0.50 .. 12.0) 4,500 (750 .. 18,000) +20" in text
    for words in (page, text):
        assert "nothing is counted for index: no impact declared" in words
    assert "; expected annual loss 4,500 (750 .. 18,000) USD" in text
    unknown = replace(story(), usd_per_year=None, losses=tuple(replace(each, usd=None) for each in story().losses))
    assert "Expected annual loss" not in told(unknown).replace("Expected annual loss: not known", "")
    assert "not known, as no `recovery.impacts` say what an hour costs" in stress_text(unknown)


def test_what_was_not_judged_is_listed_and_stays_in_the_denominator() -> None:
    """On the page and in the text."""
    assert "power-cap chat recovery time 30 min asked; its trials can show no more than 2.5 min" in told(story())
    text = re.sub(r"\s+", " ", stress_text(story()))
    assert "power-cap, chat: recovery time 30 min asked; its trials can show no more than 2.5 min" in text
    assert "6 of 8 objectives met (1 not judged)" in text


def waiting() -> StressReport:
    """The story, with batch work under `site-loss` that nobody holds to anything and that waits through all of it."""
    report = story()
    idle = verdict("site-loss", "index", 0.2)
    line = replace(report.courses[0], workload="index", answered=(0.0, 0.0, 0.0), late=(0.0, 0.0, 0.0))
    others = tuple(each for each in report.verdicts if (each.scenario, each.workload) != ("site-loss", "index"))
    return replace(report, verdicts=(idle, *others), courses=(line, *report.courses))


def test_work_that_can_wait_does_not_hide_who_is_worst_off() -> None:
    """Tiles, cards and table name the chat that missed its objective, not the index that waited."""
    words = told(waiting())
    assert "Least answered in time 90.0 % chat under site-loss" in words
    assert "Longest outage 6 min chat under site-loss" in words
    assert words.index("chat, per 1 min") < words.index("index, per 1 min")
    assert re.search(r"site-loss +chat +90.0 %", stress_text(waiting()))


def test_where_nobody_asks_for_anything_all_are_ranked() -> None:
    """Only the index is left: it is the worst off."""
    report = waiting()
    alone = replace(report, verdicts=report.verdicts[:1])
    assert "Least answered in time 20.0 % index under site-loss" in told(alone)
    assert re.search(r"site-loss +index +20.0 %", stress_text(alone))


def test_the_period_is_told_where_it_is_known() -> None:
    """Above the heading; of two periods in one comparison both."""
    later = replace(story(), period="2028-Q1")
    assert "60 trials in 2028-Q1, seed 7" in told(later)
    assert "60 trials, seed 7" in told(story())
    assert "The periods of the plan differ (not given before, 2028-Q1 after)." in told(later, story())
    assert "differ (" not in told(later, later)


def test_the_nearest_scenario_comes_first_whichever_way_its_knob_gets_worse() -> None:
    """2 h of 0 to 10 is nearer than 0.3 left of 0.9 down to 0.1; without a knob there is no distance."""
    found = weakest(story())
    assert [(each.scenario.id, each.held.breaks_at) for each in found] == [("site-loss", 2.0), ("power-cap", 0.3)]
    assert unbroken(story()) == ()
    words = told(story())
    assert "1 scenario breaks something at or before the usual value" in words
    assert words.index("2 h: availability of chat") < words.index("0.3 left: availability of chat")


def test_a_plan_that_holds_as_usual_says_so() -> None:
    """In a whole sentence, with the nearest edge and its knob named once."""
    words = told(mended())
    assert "No scenario breaks anything at or before the usual value; nearest is power-cap" in words
    assert "availability of chat breaks at 0.3 left." in words


def test_without_a_search_nothing_is_claimed_of_edges() -> None:
    """Neither bars nor words about what would break."""
    words = told(replace(story(), is_searched=False))
    assert "It was not looked for where objectives break." in words
    assert "harder was not tried" in words


def test_a_course_shows_what_became_of_every_request() -> None:
    """Five of 31 answered late, refused or lost beyond two late: 7 of 31 missed; a course without harm is not drawn."""
    page = stress_html(story())
    assert page.count('class="demand"') == 1
    assert "site-loss, chat: 22.6 % not answered in time" in page
    assert "In the first trials, 1 of 2 courses had" in told(story())


@pytest.mark.parametrize(("bin_s", "unit"), [(5.0, "min"), (3_600.0, "h"), (86_400.0, "d")])
def test_the_time_of_a_course_is_told_in_a_unit_that_fits(bin_s: float, unit: str) -> None:
    """Three bins of seconds, hours, days."""
    only = replace(story().courses[0], bin_s=bin_s)
    page = stress_html(replace(story(), courses=(only,)))
    assert re.search(rf"<text[^>]*>[0-9.]+ {unit}</text>", page)


def test_plans_made_anew_and_what_was_not_tried_are_listed() -> None:
    """With the regret of holding on, and the reason."""
    words = told(story())
    assert "holding on to the plan costs most under budget-cut (+300 USD)" in words
    assert "colo power 2028-Q1" in words
    assert "no spot nodes in the plan" in words


def test_a_change_is_told_by_what_differs() -> None:
    """Only the mended cell; the shares before and after; no word of chance where the draws were the same."""
    assert [(each.after.scenario, round(each.gain, 9)) for each in changed(mended(), story())] == [("site-loss", 0.1)]
    words = told(mended(), story())
    assert "1 cell answered more in time, 0 less" in words
    assert "part of it is chance" not in words
    assert "What the change does" not in told(story())


def test_differences_nobody_can_see_are_left_out() -> None:
    """A change in the twelfth digit of a cell is no change of the page."""
    first, *rest = story().verdicts
    moved = replace(first, cost_delta_usd=replace(first.cost_delta_usd, mean=5.000_000_000_1))
    assert changed(replace(story(), verdicts=(moved, *rest)), story()) == []


def test_times_by_what_was_answered_are_told() -> None:
    """Which model where, from how many answers, against the catalogue."""
    seen = Remeasured(site="colo", model="llama", answers=1234, is_own=True, ratio=1.25, error=0.034)
    words = told(replace(story(), remeasured=(seen,)))
    assert "llama colo 1,234 1.25 times as long 3.4 %" in words


def test_a_change_under_other_draws_is_said_to_be_partly_chance() -> None:
    """Seeds, trials and scenarios of one report only."""
    more = (*story().scenarios, scenario("own", "My own"))
    words = told(replace(mended(), seed=8, trials=5, scenarios=more), story())
    assert "The seeds differ (7 before, 8 after): part of it is chance." in words
    assert "20 trials a scenario before, 5 after." in words
    assert "left out here: own." in words


def test_nothing_tried_and_nothing_broken_are_said_as_such() -> None:
    """No claim of holding where nothing was tried."""
    nothing = replace(story(), scenarios=(), verdicts=(), replanned=(), untried=(), courses=(), played=0)
    assert "Nothing was tried" in told(nothing)
    assert "Every objective holds under all 3 scenarios" in told(replace(mended(), unjudged=()))
    assert "Every objective that could be judged holds under all 3 scenarios" in told(mended())


@given(st.text(min_size=1, max_size=40))
def test_names_are_text(name: str) -> None:
    """Whatever an estate or a scenario of one's own is called."""
    hostile = f"<script>{name}</script>"
    ours = scenario("site-loss", hostile, number=2)
    page = stress_html(replace(story(), name=hostile, scenarios=(ours, *story().scenarios[1:])))
    assert "<script" not in page
