"""How long the longest outage was, and what was first in the way, by what became of the requests that arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from tests.factories.records import record
from tests.factories.worlds import demanded

from tripoint.domain.record import Ending
from tripoint.engines.stress.trial.calls import Call
from tripoint.engines.stress.trial.tally import Course, Tally, outage_s

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
    assert outage_s(found, 0.9) == pytest.approx(16.5)


def test_bins_without_requests_belong_to_what_is_around_them() -> None:
    """Silence is no recovery."""
    assert outage_s(course((5, 0, (1.0, 9.0)), (0, 0, ()), (5, 0, (21.0, 28.0))), 0.9) == 27.0
    assert outage_s(course((0, 0, ()), (5, 5, ())), 0.9) == 0.0


def test_what_is_above_the_least_share_is_no_outage() -> None:
    """Half may be lost where half is enough; the longest of several counts."""
    bins = ((10, 5, (1.0, 9.0)), (10, 4, (11.0, 14.0)), (10, 10, ()), (10, 0, (31.0, 39.0)))
    assert outage_s(course(*bins), 0.5) == 8.0
    assert outage_s(course(*bins), 0.4) == 8.0
    assert outage_s(course(*bins[:3]), 0.4) == 0.0


def test_one_request_alone_that_was_not_answered_tells_no_time() -> None:
    """It is lost, and no outage: a second one makes it one."""
    assert outage_s(course((1, 1, ()), (1, 0, (13.0,)), (1, 1, ())), 0.9) == 0.0
    assert outage_s(course((1, 0, (3.0,)), (1, 0, (13.5,))), 0.9) == 10.5


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a call what is counted."""

    arrived_at: float
    """When it was first asked, s."""
    began_at: float = 0.0
    """When it was asked last, s."""
    workload: int = 0
    """Index of its workload."""
    is_stream: bool = True
    """True where somebody waits for its first token."""


@pytest.mark.parametrize("is_late_counted_first", [True, False])
def test_what_was_first_in_the_way_is_by_when_requests_arrived(is_late_counted_first: bool) -> None:
    """A late answer of the tenth second comes before a refusal of the twentieth, whichever of them ended first."""
    tally = Tally([demanded(ttft_ms=500.0)], 60.0, BIN_S, {})
    late, refused = cast(Call, Asked(10.0, 10.0)), cast(Call, Asked(20.0, 20.0))
    no_room = record(status=503, ending=Ending.SHED, error="no_capacity", upstream="")
    if is_late_counted_first:
        tally.answered(late, "a", 0, 11.0)
    tally.counted(refused, no_room)
    if not is_late_counted_first:
        tally.answered(late, "a", 0, 11.0)
    (found,) = tally.outcomes({})
    assert (found.first_limit, found.late, found.shed) == ("the first token comes late", 1, 1)
