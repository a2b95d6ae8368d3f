"""Files of outlooks: read whole, or refused with every mistake at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.apps.planner import read_outlooks
from tripoint.domain.errors import EstateError
from tripoint.domain.outlook import Outlook, PriceFactors

GOOD = """\
apiVersion: tripoint/outlooks/v1
outlooks:
  - {id: as-expected, weight: 5}
  - {id: boom, weight: 3, demand: 1.5, demand_of: {chat: 2.5}, since: 2028-Q1}
  - {id: glut, weight: 2, prices: {on_demand: 0.6}}
"""


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    """Every field, and defaults for those that are left out."""
    path = tmp_path / "outlooks.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert read_outlooks(path)[0] == (
        Outlook(id="as-expected", weight=5.0),
        Outlook(id="boom", weight=3.0, demand=1.5, demand_of={"chat": 2.5}, since="2028-Q1"),
        Outlook(id="glut", weight=2.0, prices=PriceFactors(on_demand=0.6)),
    )


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        (GOOD.replace("outlooks/v1", "outlooks/v9"), 1, "tripoint/outlooks/v1"),
        (GOOD.replace("weight: 3", "wieght: 3"), 4, "weight"),
        (GOOD.replace("demand: 1.5", "demand: much"), 4, "number"),
        (GOOD.replace("{on_demand: 0.6}", "{ondemand: 0.6}"), 5, "on_demand"),
        ("apiVersion: tripoint/outlooks/v1\n", 1, "outlooks"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, wrong: str, line: int, said: str) -> None:
    """A version, a key, a type, a purchase option, a missing list."""
    path = tmp_path / "outlooks.yaml"
    path.write_text(wrong, encoding="utf-8")
    with pytest.raises(EstateError) as refused:
        read_outlooks(path)
    found = refused.value.findings[0]
    assert found.line == line
    assert said in f"{found.message} {found.hint}"
