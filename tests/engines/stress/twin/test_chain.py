"""The twin gives the event list's answers, request for request."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.queues.chain import NOWHERE, Change, Station, play_chain
from tripoint.engines.stress.twin import chain
from tripoint.engines.stress.twin.chain import Ints, answers


@st.composite
def stations(draw: st.DrawFn) -> Station:
    """A few servers, little or endless room, a few changes."""
    moments = sorted(draw(st.lists(st.integers(1, 400), max_size=4, unique=True)))
    changes = tuple(Change(at, draw(st.integers(0, 3)), draw(st.booleans())) for at in moments)
    return Station(draw(st.integers(0, 3)), draw(st.sampled_from((0, 1, 3, 1000))), changes)


def same(arrivals: Ints, first: Ints, services: list[Ints], chained: list[Station]) -> None:
    """Both answers, compared."""
    told = play_chain(arrivals.tolist(), first.tolist(), [each.tolist() for each in services], chained)
    found = answers(arrivals, first, services, chained)
    assert (found.station.tolist(), found.start.tolist(), found.end.tolist()) == tuple(told)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 60), st.integers(1, 60), st.integers(0, 1)), max_size=60),
    st.lists(stations(), min_size=1, max_size=2),
)
def test_any_small_chain(requests: list[tuple[int, int, int, int]], chained: list[Station]) -> None:
    """Ties, refusals, spills, losses and changes alike."""
    arrivals = np.array(list(accumulate(gap for gap, *_ in requests)), dtype=np.int64)
    first = np.array([min(each[3], len(chained) - 1) for each in requests], dtype=np.int64)
    services = [np.array([each[1 + number] for each in requests], dtype=np.int64) for number in range(len(chained))]
    same(arrivals, first, services, chained)


def test_who_waits_where_nothing_serves_any_more_never_begins() -> None:
    """Servers that leave finish what they began; the queue behind them has no end."""
    arrivals, first = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    leaving = Station(1, 3, (Change(1, 0),))
    same(arrivals, first, [np.ones(3, dtype=np.int64)], [leaving])
    found = answers(arrivals, first, [np.ones(3, dtype=np.int64)], [leaving])
    assert found.end.tolist() == [1, 2, NOWHERE]


@pytest.mark.no_cover
@pytest.mark.parametrize("load", [0.3, 0.8, 0.97, 1.3])
@pytest.mark.parametrize("room", [0, 20, 1_000_000])
def test_long_runs(load: float, room: int) -> None:
    """Thirty thousand requests over two stations of 1 and 8 servers: all three ways of working are used."""
    count, streams = 30_000, Streams(11, 0)
    arrivals = np.cumsum(streams.named("gaps").exponentials(0, count) * (1e6 / 9 / load)).astype(np.int64)
    first = (streams.named("first").uniforms(0, count) < 8 / 9).astype(np.int64)
    drawn = [np.maximum(1, streams.named(f"s{n}").exponentials(0, count) * 1e6).astype(np.int64) for n in range(2)]
    half = int(arrivals[count // 2])
    chained = [Station(1, room), Station(8, room, (Change(half, 0, loses=True), Change(half + 10**7, 8)))]
    same(arrivals, first, drawn, chained)


def test_stretches_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many requests are tried at once."""
    count, streams = 2_000, Streams(12, 0)
    arrivals = np.cumsum(streams.named("gaps").exponentials(0, count) * 3e5).astype(np.int64)
    services = np.maximum(1, streams.named("s").exponentials(0, count) * 1e6).astype(np.int64)
    for stretch in (1, 7, 100):
        monkeypatch.setattr(chain, "_STRETCH", stretch)
        same(arrivals, np.zeros(count, dtype=np.int64), [services], [Station(4, 3)])
