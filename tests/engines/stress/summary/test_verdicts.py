"""Outcomes become verdicts: intervals, shares of trials, objectives in their own units."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.tried import FRAGILE, STURDY, shipped, tried

from tripoint.domain.stress import Aim, Outcome, Trial
from tripoint.engines.stress.summary.targets import Target, is_met, reached, targets_of, unjudged_of
from tripoint.engines.stress.summary.verdicts import HeldKey, interval, met_by, verdicts

SITE_LOSS = next(each for each in shipped() if each.id == "site-loss")
WELL = Outcome(
    workload="desk", offered=1000.0, answered=1000.0, late=0.0, shed=0.0, lost=0.0, outside=0.0, outage_s=0.0,
    stale_s=0.0, ttft_p99_ms=0.0, wait_p99_ms=0.0, usd=10.0, usual_usd=10.0, margin=0.5, first_limit="",
)  # fmt: skip


def trial(number: int, **fields: float | str) -> Trial:
    """A trial in which `desk` fared so."""
    return Trial(scenario="site-loss", number=number, magnitudes={}, outcomes=(replace(WELL, **fields),), events=0)  # type: ignore[arg-type]  # fields of an outcome


def test_an_outage_is_set_against_thirty_days() -> None:
    """Half of a trial of a day lost is a sixtieth of thirty days."""
    half = replace(WELL, answered=500.0, lost=500.0)
    assert reached(Aim.AVAILABILITY, half, 24 * 60.0) == pytest.approx(1 - 0.5 / 30)
    assert reached(Aim.AVAILABILITY, half, 60 * 24 * 60.0) == pytest.approx(0.5)


def test_each_aim_has_its_unit() -> None:
    """Late answers, outages, data, money, places."""
    bad = replace(WELL, late=100.0, outage_s=60.0, stale_s=30.0, usd=15.0, outside=2.0, answered=900.0)
    assert reached(Aim.TTFT, bad, 3.0) == pytest.approx(1 - 100 / 900)
    assert [reached(aim, bad, 3.0) for aim in (Aim.RTO, Aim.RPO, Aim.COST, Aim.RESIDENCY, Aim.CAPACITY)] == [
        60.0, 30.0, 1.5, 2.0, 0.9,
    ]  # fmt: skip
    nothing = replace(WELL, offered=0.0, answered=0.0, usual_usd=0.0)
    assert [reached(aim, nothing, 3.0) for aim in (Aim.AVAILABILITY, Aim.TTFT, Aim.CAPACITY, Aim.COST)] == [1.0] * 4


def test_what_is_asked_comes_from_the_estate_and_the_loss() -> None:
    """Of `desk` after the loss of a site: policy, availability, the objectives for that class; no latency in hours."""
    found = targets_of(tried(FRAGILE).loaded.estate, SITE_LOSS)
    asked = {target.aim: target.asked for target in found if target.workload == "desk"}
    assert asked == {
        Aim.RESIDENCY: 0.0, Aim.AVAILABILITY: 0.9999, Aim.RTO: pytest.approx(3.0), Aim.COST: 1.0001,
    }  # fmt: skip


def test_a_time_no_trial_could_miss_is_not_judged() -> None:
    """Asked for ten hours: three minutes of a dark site cannot tell, a week of it can; nor is it told as met."""
    estate = tried(STURDY).loaded.estate
    dark, loss = (next(each for each in shipped() if each.id == name) for name in ("site-dark", "site-loss"))
    assert not any(target.aim is Aim.RTO for target in targets_of(estate, dark))
    found = [each for each in unjudged_of(estate, dark) if each.workload == "desk"]
    assert [(each.aim, each.target, round(each.most, 6)) for each in found] == [(Aim.RTO, 36_000.0, 150.0)]
    assert not unjudged_of(estate, loss)
    assert any(target.aim is Aim.RTO for target in targets_of(estate, loss))


def test_a_restore_is_judged_however_long_it_takes() -> None:
    """Its time is summed up, not watched."""
    ransom = next(each for each in shipped() if each.id == "ransomware")
    assert not unjudged_of(tried(STURDY).loaded.estate, replace(ransom, minutes=1441.0))


def test_ninety_five_of_a_hundred_trials_are_enough_and_one_leak_is_too_many() -> None:
    """Residency asks for all."""
    targets = (Target("desk", Aim.RTO, 10.0), Target("desk", Aim.RESIDENCY, 0.0))
    trials = [trial(n, outage_s=20.0 if n < 5 else 0.0, outside=float(n == 0)) for n in range(100)]
    assert met_by(SITE_LOSS, trials, targets) == {HeldKey("desk", Aim.RTO): True, HeldKey("desk", Aim.RESIDENCY): False}
    worse = [trial(n, outage_s=20.0 if n < 6 else 0.0) for n in range(100)]
    assert not met_by(SITE_LOSS, worse, targets)[HeldKey("desk", Aim.RTO)]
    (verdict,) = verdicts(SITE_LOSS, worse, targets, {HeldKey("desk", Aim.RTO): 4.0})
    assert (verdict.held[0].met_share, verdict.held[0].breaks_at) == (0.94, 4.0)
    assert (verdict.outage_s.mean, verdict.outage_s.p95, verdict.outage_s.worst) == (1.2, 20.0, 20.0)


def test_parts_of_what_was_asked_are_told_apart() -> None:
    """Late, refused and failed requests as shares of what was asked; what is neither was answered in time."""
    trials = [trial(0, answered=700.0, late=200.0, shed=250.0, lost=50.0), trial(1)]
    (verdict,) = verdicts(SITE_LOSS, trials, (), {})
    assert verdict.late is not None
    parts = (verdict.availability.mean, verdict.late.mean, verdict.shed.mean, verdict.lost.mean)
    assert parts == pytest.approx((0.75, 0.1, 0.125, 0.025))
    assert sum(parts) == pytest.approx(1.0)
    assert verdict.late.worst == pytest.approx(0.2)


def test_the_limit_told_is_the_one_met_most() -> None:
    """Of equally frequent ones the first by name."""
    trials = [trial(0, first_limit="b"), trial(1, first_limit="a"), trial(2, first_limit="a"), trial(3)]
    assert verdicts(SITE_LOSS, trials, (), {})[0].first_limit == "a"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.randoms())
def test_intervals_hold_their_values_in_order_whatever_the_order_of_trials(values: list[float], random: object) -> None:
    """5th percentile <= 95th <= worst, the mean among them, and no dependence on the order."""
    found = interval(values)
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    assert interval(shuffled) == found
    assert found.p5 <= found.p95 <= found.worst == max(values)
    assert min(values) - 1e-6 <= found.mean <= max(values) + 1e-6
    assert interval(values, less_is_worse=True).worst == min(values)


@given(st.sampled_from(Aim), st.floats(0.0, 1.0))
def test_what_is_asked_is_met_by_itself(aim: Aim, asked: float) -> None:
    """An objective reached exactly is met."""
    assert is_met(Target("desk", aim, asked), asked)
