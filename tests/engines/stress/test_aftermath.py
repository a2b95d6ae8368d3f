"""What befalls a workload itself: restores, and services it cannot do without."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from tests.engines.stress.summary.test_verdicts import WELL
from tests.factories.tried import FRAGILE, tried

from tripoint.domain.fault import Fault, FaultKind
from tripoint.engines.stress.aftermath import after

GROUND = tried(FRAGILE).ground
HOUR = 3600.0


def fault(kind: FaultKind, *on: str, at: float = 0.0, until: float = inf, size: float = 1.0) -> Fault:
    """A fault over some seconds."""
    return Fault(kind=kind, on=on, at_s=at, until_s=until, size=size)


def test_a_restore_takes_its_bytes_over_their_rate_and_the_wait_for_a_person() -> None:
    """40 TB at 0.25 GB/s are 160,000 s; what was asked meanwhile is lost, and the data is as old as the clean copy."""
    faults = (
        fault(FaultKind.DATA_LOST, "notes", "desk", at=100_000.0, size=30.0),
        fault(FaultKind.APPROVAL, "people", at=100_000.0, size=2.0),
    )
    (found,) = after((WELL,), faults, GROUND, 400_000.0)
    assert found.outage_s == pytest.approx(160_000.0 + 2 * HOUR)
    assert found.stale_s == 30 * HOUR
    assert found.lost == pytest.approx(1000.0 * found.outage_s / 400_000.0)
    assert found.answered + found.lost == pytest.approx(1000.0)
    assert found.first_limit == "its data has to be restored"


def test_outages_that_touch_are_one_and_end_with_the_trial() -> None:
    """Two services away one after the other are one outage."""
    faults = (fault(FaultKind.DOWN, "desk", at=10.0, until=60.0), fault(FaultKind.DOWN, "desk", "cage", at=60.0))
    (found,) = after((WELL,), faults, GROUND, 100.0)
    assert found.outage_s == 90.0
    assert found.lost == pytest.approx(900.0)


def test_others_are_left_as_they_are() -> None:
    """Faults of places are the simulators' business."""
    faults = (fault(FaultKind.DOWN, "cage"), fault(FaultKind.DOWN, "desk"))
    other = replace(WELL, workload="write")
    assert after((other,), faults, GROUND, 100.0) == (other,)
