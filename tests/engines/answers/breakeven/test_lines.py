"""Holding and renting as lines: what they say is what the appetite says, and where they meet is found in few looks."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.answers.breakeven.test_contest import exactly, flat, held, one, rented, tokens, waiting

from tripoint.engines.answers.breakeven.contest import End
from tripoint.engines.answers.breakeven.lines import Lines, node_bends

_MOST_LOOKS = 20
"""Halving a bracket of a quarter down to the last digit takes 51."""


@given(
    st.floats(0.0, 5.0),
    st.floats(1e-4, 1.0),
    st.floats(0.0, 1.0),
    st.floats(1.0, 4.0),
    st.floats(1e-3, 1e5),
    st.integers(1, 3),
)
def test_lines_say_what_the_appetite_says(
    fixed: float, slope: float, busy: float, peak: float, mtok: float, lots: int
) -> None:
    """Nodes, and both costs with their parts, hour by hour as the demand model has them."""
    asked = waiting(peak=peak)
    firm = held(exactly(7300.0), busy_usd=5.0, busy_nodes=busy, nodes_per_unit=slope, fixed=fixed, lot=2)
    rival = rented(exactly(20.0), nodes_per_unit=slope * 1.3, fixed=fixed)
    lines = one(firm, rival, tokens(exactly(2.0)), asked=asked).lines(End.USED)
    nodes = asked.nodes(firm.fit, mtok)
    assert [bend.at(mtok) for bend in node_bends(asked, firm.fit)] == pytest.approx(nodes)
    covered = [min(1.0, 2 * lots / each) if each > 0 else 1.0 for each in nodes]
    by_node = [20.0 * each.hours * n for each, n in zip(asked.stretches, asked.nodes(rival.fit, mtok), strict=True)]
    by_token = [2.0 * mtok * each.volume for each in asked.stretches]
    busy_usd = sum(5.0 * hours * part for hours, part in zip(asked.busy_hours(firm.fit, mtok), covered, strict=True))
    rest = min(sum(usd * (1 - part) for usd, part in zip(way, covered, strict=True)) for way in (by_node, by_token))
    assert lines.elastic(mtok) == pytest.approx(min(sum(by_node), sum(by_token)))
    assert lines.firm(mtok, lots) == pytest.approx(2 * lots * 7300.0 + busy_usd + rest)
    assert lines.saved(mtok) == pytest.approx(lines.elastic(mtok) - lines.firm(mtok, 1), abs=1e-6)


@given(st.floats(100.0, 14_000.0), st.floats(1.0, 4.0), st.floats(0.0, 2.0), st.floats(0.1, 30.0))
def test_a_threshold_is_the_first_digit_that_pays(
    month_usd: float, peak: float, fixed: float, token_usd: float
) -> None:
    """One digit less does not pay, whatever kinks lie between."""
    firm = held(exactly(month_usd), nodes_per_unit=1.0, fixed=fixed)
    elastics = (rented(exactly(20.0), nodes_per_unit=1.0, fixed=fixed), tokens(exactly(token_usd)))
    lines = one(firm, *elastics, asked=waiting(peak=peak)).lines(End.USED)
    above = next((x for x in (1e-3 * 1.25**n for n in range(120)) if lines.saved(x) >= 0.0), None)
    if above is None or lines.saved(above / 1.25) >= 0.0:
        return
    found = lines.meet(above / 1.25, above)
    assert lines.saved(found) >= 0.0
    assert lines.saved(math.nextafter(found, 0.0)) < 0.0
    assert above / 1.25 < found <= above


@pytest.mark.parametrize("month_usd", [900.0, 5_000.0, 7_300.0, 9_990.0])
@pytest.mark.parametrize("token_usd", [14.0, 30.0])
def test_a_threshold_is_found_in_few_looks(month_usd: float, token_usd: float) -> None:
    """On both sides of a kink, where tokens are the rival and where nodes are."""
    firm = held(exactly(month_usd), nodes_per_unit=1.0, fixed=0.3)
    elastics = (rented(exactly(20.0), nodes_per_unit=1.0, fixed=0.3), tokens(exactly(token_usd)))
    lines = one(firm, *elastics, asked=waiting(peak=2.5)).lines(End.USED)
    above = next(x for x in (1e-3 * 1.25**n for n in range(120)) if lines.saved(x) >= 0.0)
    counted = _Counted(lines.lot, lines.month_usd, lines.nodes, lines.busy_usd, lines.rents, looks=[])
    counted.meet(above / 1.25, above)
    assert 2 <= len(counted.looks) <= _MOST_LOOKS


def test_flat_work_has_no_replicas_of_its_own() -> None:
    """Nodes in proportion to demand, whatever the sizing says a server would keep running."""
    firm = held(exactly(7300.0), nodes_per_unit=0.01, fixed=3.0)
    (bend,) = node_bends(flat(), firm.fit)
    assert (bend.fixed, bend.least) == (0.0, 0.0)
    assert bend.at(73_000.0) == pytest.approx(1.0)
    assert node_bends(replace(flat(), stretches=()), firm.fit) == ()


class _Counted(Lines):
    """Lines that note where they are looked at."""

    def __init__(self, *figures: object, looks: list[float]) -> None:
        super().__init__(*figures)  # type: ignore[arg-type]  # the figures of other lines, in their order
        object.__setattr__(self, "looks", looks)

    looks: list[float]

    def saved(self, mtok: float) -> float:
        self.looks.append(mtok)
        return super().saved(mtok)
