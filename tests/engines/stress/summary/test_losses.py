"""Expected loss of a year: by hand, with intervals, and independent of the order of scenarios."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.stress.summary.test_verdicts import SITE_LOSS, WELL, trial
from tests.factories.tried import FRAGILE, shipped, tried

from tripoint.domain.scenario import Frequency, Pick, Scenario
from tripoint.domain.stress import Trial
from tripoint.engines.stress.aftermath import after
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.exposure import exposed
from tripoint.engines.stress.scenarios.knobs import usual
from tripoint.engines.stress.scenarios.resolve import faults_of
from tripoint.engines.stress.summary.losses import Harm, harm_of, hours_lost, hours_of, yearly_losses

SURE = Frequency(per_year=2.0, low=2.0, high=2.0)
DAY = replace(SITE_LOSS, minutes=1440.0, frequency=SURE)


def half_gone(number: int) -> Trial:
    """A day in which half of `desk` was refused or lost."""
    return trial(number, answered=500.0, shed=200.0, lost=300.0, usd=14.0)


def test_rate_times_hours_times_money() -> None:
    """Twice a year twelve hours of 100 USD, on three such sites; 4 USD more each time."""
    harm = harm_of(DAY, 3.0, [half_gone(0), half_gone(1)])
    (loss,), whole = yearly_losses([harm], {"desk": 100.0}, seed=0)
    assert (loss.per_year.value, loss.hours.value, loss.extra_usd) == pytest.approx((6.0, 72.0, 24.0))
    assert loss.usd is not None
    assert whole is not None
    assert (loss.usd.value, loss.usd.low, loss.usd.high) == pytest.approx((7200.0, 7200.0, 7200.0))
    assert whole == loss.usd


def test_uncertain_rates_and_few_trials_leave_an_interval() -> None:
    """Rates that differ by ten leave it tenfold wide; trials that differ widen it where rates are sure."""
    wide = replace(DAY, frequency=Frequency(per_year=2.0, low=0.6, high=6.0))
    (loss,), _ = yearly_losses([harm_of(wide, 1.0, [half_gone(0)])], {"desk": 100.0}, seed=0)
    assert loss.usd is not None
    assert loss.usd.high / loss.usd.low == pytest.approx(10.0, rel=0.02)
    mixed = [half_gone(0), trial(1), trial(2), trial(3)]
    (loss,), _ = yearly_losses([harm_of(DAY, 1.0, mixed)], {"desk": 100.0}, seed=0)
    assert loss.usd is not None
    assert loss.usd.value == pytest.approx(600.0)
    assert loss.usd.low < loss.usd.value < loss.usd.high


def test_without_a_price_hours_are_told_and_without_a_frequency_nothing() -> None:
    """An unpriced workload still loses hours."""
    (loss,), whole = yearly_losses([harm_of(DAY, 1.0, [half_gone(0)])], {}, seed=0)
    assert (loss.usd, whole) == (None, None)
    assert loss.hours.value == pytest.approx(24.0)
    assert yearly_losses([harm_of(replace(DAY, frequency=None), 1.0, [half_gone(0)])], {"desk": 1.0}, seed=0) == (
        (), None,
    )  # fmt: skip


def test_all_together_is_the_sum_and_its_interval_narrower_than_the_sum_of_intervals() -> None:
    """Rates of different scenarios are not all high in the same year of one's judgement."""
    wide = Frequency(per_year=2.0, low=0.6, high=6.0)
    harms = [harm_of(replace(DAY, id=name, frequency=wide), 1.0, [half_gone(0)]) for name in ("a", "b", "c")]
    losses, whole = yearly_losses(harms, {"desk": 100.0}, seed=3)
    assert whole is not None
    highs = [each.usd.high for each in losses if each.usd is not None]
    assert whole.value == pytest.approx(3 * 2400.0)
    assert whole.value < whole.high < sum(highs)


def test_a_restore_goes_on_after_the_trial() -> None:
    """Hours that were not watched count as well."""
    found = tried(FRAGILE)
    corrupt = next(each for each in shipped() if each.id == "silent-corruption")
    faults = faults_of(corrupt, usual(corrupt), found.ground, Streams(0, 0))
    kept = next(each for each in found.ground.kept if each.id == "notes")
    until_s = corrupt.minutes * 60.0
    (outcome,) = after([WELL], faults, found.ground, until_s)
    assert outcome.outage_s == pytest.approx(kept.restore_s)
    whole = hours_lost(outcome, corrupt.minutes)
    assert whole == pytest.approx(outcome.outage_s / 3600.0, rel=1e-6)
    short = after([WELL], faults, found.ground, faults[0].at_s + 60.0)[0]
    assert short.after_s == pytest.approx(kept.restore_s - 60.0)


def by_pick(scenario: Scenario, pick: Pick) -> Scenario:
    """The same with another pick of what its first strike hits."""
    return replace(scenario, strikes=(replace(scenario.strikes[0], pick=pick), *scenario.strikes[1:]))


def test_the_worst_stands_for_the_others_by_what_they_serve() -> None:
    """All at once is one event, one by chance is as many as there are, the worst lies between one and that."""
    ground = tried(FRAGILE).ground
    one, some, every = (exposed(by_pick(SITE_LOSS, pick), ground) for pick in (Pick.ALL, Pick.WORST, Pick.RANDOM))
    assert one == 1.0
    assert every == len(ground.sites) == 3
    assert 1.0 <= some < every
    least = max(ground.weight_by_site.values())
    assert some == pytest.approx(sum(ground.weight_by_site.values()) / least)


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=20), st.floats(0.01, 1e6))
def test_what_is_expected_lies_between_the_best_and_the_worst_trial(
    parts: list[tuple[float, float]], usd: float
) -> None:
    """Whatever the trials lost: the mean is within them, and the interval within the range of its draws."""
    trials = [
        trial(n, shed=1000.0 * a, lost=1000.0 * (1.0 - a) * b, answered=1000.0 * (1.0 - a) * (1.0 - b))
        for n, (a, b) in enumerate(parts)
    ]
    (loss,), _ = yearly_losses([harm_of(DAY, 1.0, trials)], {"desk": usd}, seed=1)
    hours = [hours_lost(each.outcomes[0], DAY.minutes) for each in trials]
    assert min(hours) * 2.0 - 1e-9 <= loss.hours.value <= max(hours) * 2.0 + 1e-9
    assert loss.usd is not None
    assert min(hours) * 2.0 * usd * (1 - 1e-9) - 1e-9 <= loss.usd.low <= loss.usd.high
    assert loss.usd.high <= max(hours) * 2.0 * usd * (1 + 1e-9) + 1e-9


def test_what_lasts_for_hours_outweighs_what_lasts_for_minutes() -> None:
    """A tenth of three days is more than all of three minutes, and two things that may be struck count twice."""
    by_id = {each.id: each for each in shipped()}
    brief = Harm(by_id["gray-slow"], 1.0, ({"desk": 0.05}, {"desk": 0.05}), (0.0, 0.0))
    lasting = Harm(by_id["site-loss"], 2.0, ({"desk": 6.0, "help": 1.0}, {"desk": 7.0, "help": 2.0}), (0.0, 0.0))
    assert hours_of((brief, lasting)) == pytest.approx({"gray-slow": 0.05, "site-loss": 16.0})
