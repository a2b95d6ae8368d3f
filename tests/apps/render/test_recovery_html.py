"""The page of an assessment: its parts, its numbers, and that it needs nothing from elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from tests.factories.leaning import shared
from tests.factories.placement import chat as served
from tests.factories.placement import hall, place, region, servers
from tests.factories.recovering import TODAY, loaded, planned, recovering_catalog

from tripoint.apps.render.html.resilience.page import recovery_html, resilience_sections
from tripoint.domain.cut import Spread
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.recovery import Impact, Objective, Part, RecoveryRules, Remedy, Step, Term, Tolerance
from tripoint.usecases.assess_recovery import Assessment, assess_recovery

SITE = DisruptionClass.SITE
DETECT = Term(
    part=Part.DETECT, seconds=60.0, low_s=30.0, high_s=90.0, source=TermSource.ASSUMED, as_of="", basis="a default"
)
STEP = Step(at_s=60.0, share=1.0, how="standby", site="hall", pool="", terms=(DETECT,))


@cache
def assessment() -> Assessment:
    """A hall and a cloud, one objective, hours that cost something, names in a circle with themselves."""
    rules = RecoveryRules(
        objectives=(Objective(after=(SITE,), rto_minutes=1000.0),),
        impacts=(Impact(usd_per_hour=1000.0),),
        tolerances=(Tolerance(annual_loss_usd=10.0),),
    )
    names = shared("names", needs=("names",), needed_by=("all",))
    asked = place(
        region(), hall(pool=servers(held=2)), workloads=(served(rate=16.0),), recovery=rules, dependencies=(names,)
    )
    return assess_recovery(loaded(asked), recovering_catalog(), planned(asked), today=TODAY)


def test_the_page_has_every_part_in_its_order() -> None:
    """Next first, since that is what a reader is here for."""
    page = recovery_html(assessment())
    ids = re.findall(r'<section id="(\w+)"', page)
    assert ids == [part.id for part in resilience_sections(assessment())]
    assert ids[:4] == ["next", "objectives", "points", "hours"]
    assert "Met by fresh drill" in page
    assert "0\u00a0% of objectives are met by simulation: nothing was tried</h1>" in page
    assert ">not tried</td>" in page
    assert "more than the tolerance of 10 USD" in page
    assert "none can start first: dns names" in page


def test_the_page_is_one_file_that_asks_nobody() -> None:
    """No script, no address, the same text for the same assessment."""
    page = recovery_html(assessment())
    assert page == recovery_html(assessment())
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)


def test_the_picture_says_in_words_what_it_shows() -> None:
    """The interval and the typical value of every workload, for those who cannot see it."""
    found = assessment().dependencies.reliances[0].hours_per_year
    assert isinstance(found, Spread)
    page = recovery_html(assessment())
    assert re.search(r'aria-label="Hours down in a year\. [\w-]+: ', page)


def test_names_are_never_markup() -> None:
    """An estate's name with signs of HTML in it is shown, not obeyed."""
    page = recovery_html(replace(assessment(), name="<b>bold</b>"))
    assert "<b>bold</b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_one_spelling_no_backticks_and_what_time_is_made_of() -> None:
    """Things are named alike in every part, code is set as code, and each time has its sum."""
    found = assessment()
    row = replace(found.asked[0], rta_s=60.0, steps=(STEP,))
    unpriced = replace(found.dependencies.bearings[0], found=None)
    page = recovery_html(replace(found, reached=(row,), dependencies=replace(found.dependencies, bearings=(unpriced,))))
    assert "dns:names" not in page
    assert "as <code>recovery.impacts</code> do not price" in page
    assert "`" not in page
    assert "What the time is made of" in page
    assert "= detect 60 s; all assumed" in page
    assert "Workload-hours a year" in page


def test_a_shared_service_that_takes_a_workload_down_alone_is_no_row_without_a_break() -> None:
    """The row leads to the single points."""
    found = assessment()
    row = replace(found.asked[0], disruption=DisruptionClass.SHARED_SERVICE, rta_s=0.0, misses=())
    graded = tuple(replace(each, disruption=row.disruption) for each in found.scores.design.graded)
    scores = replace(
        found.scores,
        **{name: replace(getattr(found.scores, name), graded=graded) for name in ("design", "simulation", "drill")},
    )
    page = recovery_html(replace(found, reached=(row,), scores=scores))
    assert "no break" not in page
    assert "within grace" in page
    assert "dns names takes it down alone" in page


def test_what_is_missed_is_told_with_its_remedy() -> None:
    """The lines of a remedy stand under the objectives."""
    remedy = Remedy(
        workload="chat", disruption=SITE, asked="site-loss RTO 3 min for `chat`", does="standby: warm",
        usd_per_month=4100.0, rta_s=60.0, rpa_s=0.0, is_possible=True,
    )  # fmt: skip
    page = recovery_html(replace(assessment(), remedies=(remedy,)))
    assert "standby: warm (4,100 USD a month more)" in page


def test_an_estate_that_asks_nothing_has_no_score() -> None:
    """The heading says so, and no table is empty."""
    asked = place(region(), hall(pool=servers(held=2)), workloads=(served(rate=16.0),))
    found = assess_recovery(loaded(asked), recovering_catalog(), planned(asked), today=TODAY)
    page = recovery_html(found)
    assert "No recovery objective is declared" in page
    assert "not known" in page
