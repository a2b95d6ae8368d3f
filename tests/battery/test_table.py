"""The battery against a gateway of its own: the functions are those `tripoint verify gateway` calls."""

from __future__ import annotations

import asyncio

import pytest

from tripoint.apps.battery.examination import STAGES, Act, own_fault_rows, own_wire_rows
from tripoint.apps.battery.faults.answers import bad_answers
from tripoint.apps.battery.faults.budgets import budgeted
from tripoint.apps.battery.faults.capacity import spilled
from tripoint.apps.battery.faults.loss import killed_unary
from tripoint.apps.battery.faults.recovery import cold_start
from tripoint.apps.battery.verdict import Row, Verdict

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


def quiet(line: str) -> None:
    """Progress nobody watches."""
    del line


def missed(rows: list[Row]) -> list[str]:
    """Rows whose bar was missed, with what was seen."""
    return [f"{row.id} {row.what}: {row.seen}" for row in rows if row.verdict is not Verdict.PASS]


ALONE = (killed_unary, spilled, cold_start, bad_answers, budgeted)
"""What is timed to milliseconds, or has its servers in this process."""
TOGETHER = tuple(act for _, acts in STAGES for act in acts if act not in ALONE)


@pytest.mark.parametrize("acts", [*((act,) for act in ALONE), TOGETHER], ids=[*(a.__name__ for a in ALONE), "the rest"])
def test_the_faults_meet_their_bars(acts: tuple[Act, ...]) -> None:
    """Every row of the table that concerns the data path; each act has a rig of its own, so most run at once."""
    rows = asyncio.run(own_fault_rows(quiet, [("", acts)]))
    assert rows
    assert missed(rows) == []


def test_hostile_bytes_are_refused() -> None:
    """The wire battery, slow and endless bodies and ten thousand idle connections included."""
    rows = asyncio.run(own_wire_rows(quiet, is_quick=False, workers=2))
    assert [row.id for row in rows] == [*(f"W{number}" for number in range(18)), "W99"]
    assert missed(rows) == []
