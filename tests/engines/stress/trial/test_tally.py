"""How long the longest outage was, by what became of the requests that arrived."""

from __future__ import annotations

import pytest

from tripoint.engines.stress.trial.tally import Course, outage_s

BIN_S = 10.0


def course(*bins: tuple[int, int, tuple[float, ...]]) -> Course:
    """Offered and answered of each bin, and when those came that were not answered."""
    made = Course(len(bins))
    for at, (offered, answered, bad) in enumerate(bins):
        made.offered[at], made.answered[at] = offered, answered
        if bad:
            made.bad_from[at], made.bad_to[at] = min(bad), max(bad)
    return made


def test_an_outage_runs_from_the_first_request_not_answered_to_the_last() -> None:
    """Over neighbouring bins, to the second."""
    found = course((10, 10, ()), (10, 2, (13.0, 19.0)), (10, 0, (20.0, 29.5)), (10, 9, (31.0,)), (10, 10, ()))
    assert outage_s(found, 0.9, BIN_S) == pytest.approx(16.5)


def test_bins_without_requests_belong_to_what_is_around_them() -> None:
    """Silence is no recovery."""
    assert outage_s(course((5, 0, (1.0, 9.0)), (0, 0, ()), (5, 0, (21.0, 28.0))), 0.9, BIN_S) == 27.0
    assert outage_s(course((0, 0, ()), (5, 5, ())), 0.9, BIN_S) == 0.0


def test_what_is_above_the_least_share_is_no_outage() -> None:
    """Half may be lost where half is enough; the longest of several counts."""
    bins = ((10, 5, (1.0, 9.0)), (10, 4, (11.0, 14.0)), (10, 10, ()), (10, 0, (31.0, 39.0)))
    assert outage_s(course(*bins), 0.5, BIN_S) == 8.0
    assert outage_s(course(*bins), 0.4, BIN_S) == 8.0
    assert outage_s(course(*bins[:3]), 0.4, BIN_S) == 0.0
