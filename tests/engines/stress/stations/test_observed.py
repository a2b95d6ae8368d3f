"""Paces are found again from what replicas answered, without knowing how many were present."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.stations import answered_by
from tests.factories.worlds import demanded, place, world

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.observed import Answered, measurements, present, remeasured
from tripoint.engines.stress.stations.pace import Pace, stay_of
from tripoint.engines.stress.stations.timing import BatchTiming
from tripoint.engines.stress.world import World

TRUE = Pace(base_s=0.015, sequence_s=0.0002, context_s=2e-8, prefill_s=6e-5, overhead_s=0.06, max_sequences=128)
LISTED = Pace(base_s=0.01, sequence_s=0.0001, context_s=1e-8, prefill_s=4e-5, overhead_s=0.02, max_sequences=128)
SHAPE = Shape(input_tokens=1000, output_tokens=200)
HERE = ("site-a", "llama")


def listed_world(replicas: float = 1.0) -> World:
    """One place by the planner's figures and one of a token API's steady times."""
    rate = stay_of(LISTED, SHAPE).most_per_s * replicas
    timing = BatchTiming(pace=LISTED, replicas=replicas, typical=SHAPE)
    served = place("a", timings={"llama": timing}, slots=timing.slots, rates={"chat": rate})
    return world((served, place("b")), (demanded(tokens_in=1000.0, tokens_out=200.0),))


def pace_at(found: World) -> Pace:
    """The pace at the first place."""
    timing = found.places[0].timings["llama"]
    assert isinstance(timing, BatchTiming)
    return timing.pace


def test_quiet_and_busy_hours_give_a_pace_of_their_own() -> None:
    """Answers from nearly idle to nearly full: the stay at any number present is within a tenth of the true one."""
    found, (told,) = remeasured(listed_world(), {HERE: answered_by(TRUE, (0.02, 0.1, 0.3, 0.6, 0.9), 400)})
    assert (told.site, told.model, told.answers, told.is_own) == ("site-a", "llama", 2000, True)
    assert 1.3 < told.ratio < 1.8
    assert told.error < 0.05
    for sequences in (1, 10, 50, 100):
        true, mine = stay_of(TRUE, SHAPE).total_s(sequences), stay_of(pace_at(found), SHAPE).total_s(sequences)
        assert mine == pytest.approx(true, rel=0.1)


def test_a_steady_load_says_how_much_slower_a_place_is() -> None:
    """Nothing was seen of a full batch, so the planner's figures keep their form and are made slower as a whole."""
    found, (told,) = remeasured(listed_world(), {HERE: answered_by(TRUE, (0.05,), 300)})
    assert not told.is_own
    assert 1.3 < told.ratio < 1.8
    assert pace_at(found) == LISTED.slower(told.ratio)


def test_what_a_place_carries_follows_its_pace() -> None:
    """The rate that flows are filled up to is that of the pace; slots and all that is not measured stay."""
    before = listed_world()
    after, _ = remeasured(before, {HERE: answered_by(TRUE, (0.02, 0.1, 0.3, 0.6, 0.9), 200)})
    assert after.places[0].rates["chat"] == pytest.approx(stay_of(pace_at(after), SHAPE).most_per_s)
    assert after.places[0].slots == before.places[0].slots
    assert after.places[1] == before.places[1]


def test_few_answers_say_nothing() -> None:
    """Nor do answers of a place or a model nobody planned."""
    before, answers = listed_world(), answered_by(TRUE, (0.3,), 100)
    for given_answers in ({HERE: answers[:40]}, {("elsewhere", "llama"): answers}, {("site-a", "other"): answers}):
        assert remeasured(before, given_answers) == (before, ())


def test_steady_times_are_replaced_by_mean_ones() -> None:
    """Behind a token API nobody knows how many replicas there are: its times do not depend on who else is there."""
    answers = [Answered(float(number), 0.3, 0.02 + 0.01 * (number % 2), 3.0, 100.0, 100.0) for number in range(100)]
    found, (told,) = remeasured(listed_world(), {("site-b", "llama"): answers})
    assert found.places[1].timings["llama"].times(1, 500, 101) == pytest.approx((0.3, 2.5))
    assert told.is_own
    assert told.ratio == pytest.approx(0.025 / 0.009)
    assert told.error == pytest.approx(0.208, abs=0.001)
    assert found.places[0] == listed_world().places[0]


def test_answers_without_times_count_as_present_only() -> None:
    """Those that were not streamed fill the batch all the same."""
    answers = answered_by(TRUE, (0.5,), 400)
    half = [answer._replace(per_token_s=0.0) if place % 2 else answer for place, answer in enumerate(answers)]
    all_groups, half_groups = measurements(answers, 1.0), measurements(half, 1.0)
    assert len(half_groups) <= len(all_groups)
    most = max(group.sequences for group in all_groups)
    assert max(group.sequences for group in half_groups) == pytest.approx(most, rel=0.3)


def test_replicas_share_who_is_present() -> None:
    """On two replicas each sees half."""
    answers = answered_by(TRUE, (0.9,), 400)
    one, two = measurements(answers, 1.0), measurements(answers, 2.0)
    assert max(each.sequences for each in two) == pytest.approx(max(each.sequences for each in one) / 2, rel=0.2)


LIVES = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 400)), min_size=1, max_size=30)


@given(LIVES)
def test_present_is_the_mean_over_a_life(lives: list[tuple[int, int]]) -> None:
    """Against counting second by second, for lives of whole seconds."""
    answers = [Answered(float(began), 0.0, 0.1, float(lasted), 1.0, 1.0) for began, lasted in lives]
    counted = []
    for began, lasted in lives:
        moments = range(began, began + lasted)
        others = sum(sum(b <= moment < b + length for moment in moments) for b, length in lives)
        counted.append(others / lasted)
    assert present(answers) == pytest.approx(counted)
