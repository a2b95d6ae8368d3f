"""Requests of trials: as many as asked for, the same in every plan, from traces, and more of them in a burst."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.factories.worlds import demanded, world

from tripoint.engines.sizing.demand.trace import TraceRows
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.arrivals import Arrivals, amplified, arrivals_of
from tripoint.engines.stress.world import Callers, World

HOUR = 3600.0


def asked(made: World, *, seconds: float = HOUR, start_hour: int = 0) -> Arrivals:
    """Arrivals of one seed."""
    return arrivals_of(made, start_hour=start_hour, seconds=seconds, draws=Streams(3, 0))


def test_as_many_come_as_are_asked_for_hour_by_hour() -> None:
    """Twice a second, three times that in the second hour: within four standard deviations of Poisson."""
    weights = (1.0, 3.0, *(1.0,) * 166)
    found = asked(world(asked=[demanded(hour_of_week=weights)]), seconds=2 * HOUR)
    first, second = int((found.at < HOUR).sum()), int((found.at >= HOUR).sum())
    assert abs(first - 7200) < 4 * 7200**0.5
    assert abs(second - 21_600) < 4 * 21_600**0.5
    assert bool((np.diff(found.at) >= 0.0).all())


def test_a_workload_more_changes_nothing_of_the_others() -> None:
    """Draws belong to a workload's name."""
    alone = asked(world(asked=[demanded("chat")]))
    both = asked(world(asked=[demanded("other"), demanded("chat")]))
    mine = both.workload == 1
    assert both.at[mine].tolist() == alone.at.tolist()
    assert both.tokens_in[mine].tolist() == alone.tokens_in.tolist()


def test_tokens_have_their_mean_and_vary_only_where_that_is_known() -> None:
    """Lognormal with the variation given; exactly the mean without any."""
    varied = asked(world(asked=[demanded(tokens_in=400.0, tokens_in_cv=0.8)]))
    assert float(varied.tokens_in.mean()) == pytest.approx(400.0, rel=0.05)
    assert float(varied.tokens_in.std() / varied.tokens_in.mean()) == pytest.approx(0.8, rel=0.1)
    assert set(asked(world(asked=[demanded(tokens_in=400.0, tokens_in_cv=0.0)])).tokens_in.tolist()) == {400}
    assert set(asked(world(asked=[demanded(tokens_out=0.0)])).tokens_out.tolist()) == {0}


def test_callers_come_by_their_shares() -> None:
    """A quarter from one place, the rest from another."""
    callers = tuple(Callers(place=name, share=share, rtt_ms={}, links={}) for name, share in (("NL", 1.0), ("US", 3.0)))
    found = asked(world(asked=[demanded(callers=callers)]))
    assert float((found.caller == 1).mean()) == pytest.approx(0.75, abs=0.03)


def test_a_trace_gives_how_requests_come_and_the_demand_how_many() -> None:
    """Pairs of requests of two sizes stay pairs, at the rate asked for; it begins anew where it ends."""
    times = tuple(float(pair * 10 + offset) for pair in range(50) for offset in (0.0, 0.001))
    rows = TraceRows(at_s=times, input_tokens=(10, 20) * 50, output_tokens=(0, 7) * 50)
    made = world(asked=[demanded(requests_per_s=2.0)])
    found = asked(replace(made, traces={"chat": rows}))
    assert len(found) == pytest.approx(7200, rel=0.02)
    gaps = np.diff(found.at)
    assert float(np.median(gaps[gaps > 0.01])) == pytest.approx(1.0, rel=0.05)
    assert set(found.tokens_in.tolist()) == {10, 20}
    assert set(found.tokens_out.tolist()) == {1, 7}
    assert asked(replace(made, traces={"other": rows})).at.tolist() == asked(made).at.tolist()


def test_a_burst_adds_requests_and_keeps_those_of_the_plain_demand() -> None:
    """Three and a half times from the tenth minute on; half of them from the fortieth on."""
    plain = asked(world())
    found = amplified(plain, [demanded()], {"chat": [(600.0, 3.5), (2400.0, 0.5)]}, Streams(3, 0))
    kept = {(at, number) for at, number in zip(found.at.tolist(), found.number.tolist(), strict=True)}
    before = [(at, number) for at, number in zip(plain.at.tolist(), plain.number.tolist(), strict=True) if at < 2400.0]
    assert kept.issuperset(before)
    during = int(((plain.at >= 600.0) & (plain.at < 2399.0)).sum())
    more = int(((found.at >= 600.0) & (found.at < 2399.0)).sum())
    assert more == pytest.approx(3.5 * during, rel=0.03)
    after = int((plain.at >= 2402.0).sum())
    assert int((found.at >= 2402.0).sum()) == pytest.approx(0.5 * after, rel=0.1)
    assert amplified(plain, [demanded()], {}, Streams(3, 0)) is plain
    assert len(set(found.number.tolist())) == len(found)


def test_a_burst_is_the_same_whoever_else_is_asked() -> None:
    """Which requests come again, and when, belongs to the workload's name and not to its place among the others."""
    chat = demanded("chat")
    alone, both = asked(world(asked=[chat])), asked(world(asked=[demanded("other"), chat]))
    burst = {"chat": [(0.0, 2.5)]}
    mine = amplified(alone, [chat], burst, Streams(3, 0))
    beside = amplified(both, [demanded("other"), chat], burst, Streams(3, 0))
    assert beside.at[beside.workload == 1].tolist() == mine.at.tolist()
    assert int((beside.workload == 0).sum()) == int((both.workload == 0).sum())


def test_of_an_hour_only_the_part_that_is_tried_counts() -> None:
    """An hour at once a second and half an hour at nine times that: the second counts for half."""
    rows = TraceRows(at_s=tuple(map(float, range(100))), input_tokens=(1,) * 100, output_tokens=(1,) * 100)
    made = world(asked=[demanded(requests_per_s=1.0, hour_of_week=(1.0, 9.0, *(1.0,) * 166))])
    found = asked(replace(made, traces={"chat": rows}), seconds=1.5 * HOUR)
    assert len(found) == pytest.approx(3600 + 16_200, abs=2)
    assert len(asked(replace(made, traces={"chat": rows}), seconds=0.0)) == 0


def test_requests_that_all_came_at_once_come_at_once_again() -> None:
    """A log of one moment tells no gaps: its ten come together, as often as the demand asks."""
    rows = TraceRows(at_s=(0.0,) * 10, input_tokens=(5,) * 10, output_tokens=(5,) * 10)
    found = asked(replace(world(asked=[demanded(requests_per_s=2.0)]), traces={"chat": rows}))
    assert len(found) == pytest.approx(7200, abs=10)
    assert len(set(found.at.tolist())) == pytest.approx(720, abs=1)


def test_nothing_asked_is_nothing() -> None:
    """A rate of nothing, and a world without workloads."""
    assert len(asked(world(asked=[demanded(requests_per_s=0.0)]))) == 0
    assert len(asked(replace(world(), demanded=()))) == 0
