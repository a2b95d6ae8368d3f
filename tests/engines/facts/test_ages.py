"""When a catalogue figure is too old."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.errors import InternalError
from tripoint.domain.provenance import Confidence, Provenance
from tripoint.engines.facts.ages import STALE_AFTER_DAYS, age_days, is_stale, last_day


def dated(as_of: str) -> Provenance:
    """Provenance of that date."""
    return Provenance(source="derived", as_of=as_of, confidence=Confidence.DERIVED)


@pytest.mark.parametrize(
    ("as_of", "last"),
    [("2025", "2025-12-31"), ("2024-02", "2024-02-29"), ("2026-11", "2026-11-30"), ("2026-10-10", "2026-10-10")],
)
def test_a_partial_date_stands_for_the_end_of_its_period(as_of: str, last: str) -> None:
    """Year, month and day."""
    assert last_day(as_of) == datetime.date.fromisoformat(last)


def test_the_day_after_180_days_is_stale() -> None:
    """180 days are fresh, 181 are not."""
    made = datetime.date(2026, 1, 1)
    assert not is_stale(dated("2026-01-01"), made + datetime.timedelta(days=STALE_AFTER_DAYS))
    assert is_stale(dated("2026-01-01"), made + datetime.timedelta(days=STALE_AFTER_DAYS + 1))


def test_a_period_that_has_not_ended_has_no_age() -> None:
    """`2026` read in November 2026 is not older than today."""
    assert age_days(dated("2026"), datetime.date(2026, 11, 21)) == 0


@given(st.dates(datetime.date(2000, 1, 1), datetime.date(2090, 12, 31)), st.integers(0, 4000))
def test_coarser_dates_are_never_older(day: datetime.date, later: int) -> None:
    """Day <= month <= year: less precision never makes a figure older."""
    today = day + datetime.timedelta(days=later)
    ages = [age_days(dated(day.isoformat()[:length]), today) for length in (10, 7, 4)]
    assert ages == sorted(ages, reverse=True)
    assert ages[0] == later


@pytest.mark.parametrize("as_of", ["", "26", "2026-13", "2026-02-30", "2026-1", "2025-2026", "yesterday", "٢٠٢٦"])
def test_what_is_no_date_is_refused(as_of: str) -> None:
    """The text is quoted."""
    with pytest.raises(InternalError, match=r"is not a date of the form YYYY, YYYY-MM or YYYY-MM-DD"):
        last_day(as_of)
