"""What is leaned on over the periods of a plan: every single point of any, each at its worst."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st
from tests.factories.placement import chat, place, region
from tests.factories.recovering import planned
from tests.usecases.test_assess_dependencies import leaned, split

from tripoint.domain.cut import DependencyReport
from tripoint.engines.resilience.loss.periods import over_periods


@cache
def moved() -> tuple[DependencyReport, DependencyReport]:
    """The same workload in a hall of its own at first, and in a cloud region later."""
    here, away = split(), place(region(), workloads=(chat(rate=16.0),))
    return leaned(here, planned(here)), leaned(away, planned(away))


def test_single_points_of_every_period_are_found_and_say_when() -> None:
    """The hall at first, the region from then on; hours are those of the period that is down longest."""
    first, later = moved()
    found = over_periods({"2027-Q1": first, "2027-Q2": later, "2027-Q3": later})
    periods = {point.member: point.periods for point in found.points}
    assert periods["site:hall"] == ("2027-Q1",)
    assert periods["provider:aws"] == ("2027-Q2", "2027-Q3")
    (chats,) = found.reliances
    worst = max((first, later), key=lambda report: report.reliances[0].hours_per_year.value)
    assert chats.hours_per_year == worst.reliances[0].hours_per_year
    assert chats.period == ("2027-Q1" if worst is first else "2027-Q2")
    members = {cut.members[0] for cut in chats.singles}
    assert members == {cut.members[0] for report in (first, later) for cut in report.reliances[0].singles}
    assert all(not members.intersection(cut.members) for cut in chats.pairs)


@given(st.permutations([0, 0, 1]), st.floats(0.0, 3.0))
def test_no_period_is_worse_than_what_is_told(order: list[int], times: float) -> None:
    """In whatever order periods come, and however long one of them is down."""
    both = list(moved())
    each = both[1].reliances[0]
    hours = replace(each.hours_per_year, value=each.hours_per_year.value * times)
    both[1] = replace(both[1], reliances=(replace(each, hours_per_year=hours),))
    reports = [both[number] for number in order]
    found = over_periods({f"2027-Q{number + 1}": report for number, report in enumerate(reports)})
    for report in reports:
        assert found.reliances[0].hours_per_year.value >= report.reliances[0].hours_per_year.value
        assert found.reliances[0].largest_share >= report.reliances[0].largest_share
        assert {point.member for point in report.points} <= {point.member for point in found.points}


def test_one_period_is_itself() -> None:
    """Nothing is added but its label."""
    first, _ = moved()
    found = over_periods({"2027-Q1": first})
    assert found.reliances[0] == replace(first.reliances[0], period="2027-Q1")
    assert [replace(point, periods=()) for point in found.points] == [
        replace(point, periods=()) for point in first.points
    ]
