"""How often cut sets occur: on paper, and by playing years."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.provenance import Figure, Origin
from tripoint.engines.resilience.loss.draws import drawn, interval
from tripoint.engines.resilience.loss.frequency import Occurrence, felt, shortened, together

HOURS = 8760.0
rates = st.floats(0.001, 40.0)
lengths = st.floats(0.1, 200.0)


def once(per_year: float, hours: float, grace: float = 0.0) -> Occurrence:
    """One value of each."""
    return felt(Occurrence(np.array([per_year]), np.array([hours])), grace)


def test_two_things_are_down_together_as_on_paper() -> None:
    """Ten times a year for 8.76 hours is 1 % of the time; two such are down together 0.01 % of it."""
    both = together([once(10.0, 8.76), once(10.0, 8.76)])
    assert float(both.hours_per_year[0]) == pytest.approx(1e-4 * HOURS)
    assert float(both.hours[0]) == pytest.approx(8.76 / 2)


@given(a=rates, b=lengths, c=rates, d=lengths)
def test_the_length_of_both_down_is_that_of_the_sooner_repaired(a: float, b: float, c: float, d: float) -> None:
    """r1 r2 / (r1 + r2) as both repairs race, whatever the rates."""
    both = together([once(a, b), once(c, d)])
    assert float(both.hours[0]) == pytest.approx(b * d / (b + d))
    assert float(both.hours_per_year[0]) <= min(a * b, c * d) + 1e-9


def test_grace_takes_the_short_ones() -> None:
    """With mean length 2 h and 2 h of grace, e^-1 of the failures are felt, each 2 h as before."""
    felt_ones = once(10.0, 2.0, 2.0)
    assert float(felt_ones.per_year[0]) == pytest.approx(10.0 * np.exp(-1))
    assert float(felt_ones.hours[0]) == 2.0


@given(hours=lengths, within=st.floats(0.0, 100.0))
def test_taking_over_never_lengthens(hours: float, within: float) -> None:
    """The shorter of repair and taking over, on average: below both."""
    found = float(shortened(once(1.0, hours), within).hours[0])
    assert found <= min(hours, within) + 1e-9


def test_playing_many_years_gives_the_same_hours() -> None:
    """Alternating up and down times drawn one after the other agree with the formula within 3 %."""
    rng = np.random.Generator(np.random.Philox(7))
    per_year, hours = (6.0, 9.0), (200.0, 150.0)
    years = 4000.0

    def spells(rate: float, length: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        count = int(years * rate * 1.5)
        ups, downs = rng.exponential(HOURS / rate - length, count), rng.exponential(length, count)
        begins = np.cumsum(ups) + np.concatenate(([0.0], np.cumsum(downs)[:-1]))
        return np.stack([begins, begins + downs], axis=1)

    first, second = (spells(rate, length) for rate, length in zip(per_year, hours, strict=True))
    horizon = years * HOURS
    overlap, begun, at = 0.0, 0, 0
    for start, end in first:
        if start > horizon:
            break
        while at < len(second) and second[at][1] <= start:
            at += 1
        look = at
        while look < len(second) and second[look][0] < end:
            overlap += min(end, second[look][1]) - max(start, second[look][0])
            begun += 1
            look += 1
    both = together([once(per_year[0], hours[0]), once(per_year[1], hours[1])])
    assert overlap / years == pytest.approx(float(both.hours_per_year[0]), rel=0.03)
    assert begun / years == pytest.approx(float(both.per_year[0]), rel=0.03)


def figure(key: str, value: float, low: float | None = None, high: float | None = None) -> Figure:
    """A figure with a range."""
    return Figure(key=key, value=value, unit="1/year", origin=Origin.DEFAULT, low=low, high=high)


def test_draws_have_the_range_they_were_given() -> None:
    """Median, 5th and 95th percentile of 2,000 stratified draws are those of the figure within 1 %."""
    draws = drawn([figure("a", 2.0, 1.0, 4.0)], 2000, 0)
    values = draws.of(figure("a", 2.0))
    assert float(np.median(values)) == pytest.approx(2.0, rel=0.01)
    assert interval(values) == pytest.approx((1.0, 4.0), rel=0.01)


def test_one_key_is_one_draw_and_a_declared_figure_is_none() -> None:
    """Figures of one key move together; what has no range does not move."""
    draws = drawn([figure("a", 2.0, 1.0, 4.0), figure("b", 2.0, 1.0, 4.0), figure("c", 5.0)], 500, 1)
    a, b, c = (draws.of(figure(key, 5.0)) for key in "abc")
    assert a is draws.of(figure("a", 1.0))
    assert abs(float(np.corrcoef(np.log(a), np.log(b))[0, 1])) < 0.2
    assert set(c.tolist()) == {5.0}


def test_the_same_seed_draws_the_same() -> None:
    """And another seed another order."""
    asked = [figure("a", 2.0, 1.0, 4.0)]
    first, again, other = (drawn(asked, 100, seed).by_key["a"].tolist() for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert sorted(first) == pytest.approx(sorted(other))
