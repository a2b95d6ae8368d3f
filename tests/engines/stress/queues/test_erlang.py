"""Erlang's formulas against tables, identities and the event list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.queues.chain import Station, play_chain
from tripoint.engines.stress.queues.erlang import blocking, mean_wait_s, wait_quantile_s, waiting, waits_longer

SERVICE_NS = 1_000_000


def test_blocking_equals_the_sum_it_stands_for() -> None:
    """B = (a^c / c!) / sum of a^k / k!."""
    for servers, erlangs in ((1, 0.5), (5, 3.0), (20, 18.0)):
        terms = [1.0]
        for server in range(1, servers + 1):
            terms.append(terms[-1] * erlangs / server)
        assert blocking(servers, erlangs) == pytest.approx(terms[-1] / sum(terms))


def test_one_server_waits_as_often_as_it_is_busy() -> None:
    """M/M/1: the share that waits is the load, the mean wait rho s / (1 - rho)."""
    assert waiting(1, 0.7) == pytest.approx(0.7)
    assert mean_wait_s(1, 0.7, 2.0) == pytest.approx(0.7 * 2.0 / 0.3)


@given(st.integers(1, 200), st.floats(0.01, 0.99), st.floats(0.5, 0.999))
def test_quantile_and_tail_are_each_others_inverse(servers: int, load: float, share: float) -> None:
    """P(wait > quantile) = 1 - share wherever anybody waits at all."""
    erlangs = servers * load
    quantile = wait_quantile_s(servers, erlangs, 1.0, share)
    if quantile > 0.0:
        assert waits_longer(servers, erlangs, 1.0, quantile) == pytest.approx(1.0 - share)
    else:
        assert waiting(servers, erlangs) <= 1.0 - share + 1e-12


def test_an_overloaded_queue_grows_for_ever() -> None:
    """From a load of 1 on."""
    assert waiting(3, 3.0) == 1.0
    assert mean_wait_s(3, 3.0, 1.0) == wait_quantile_s(3, 3.5, 1.0, 0.5) == float("inf")
    assert waits_longer(3, 3.0, 1.0, 100.0) == 1.0


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (4, 0.7), (16, 0.85)])
def test_the_event_list_agrees_with_erlang(servers: int, load: float) -> None:
    """Share that waits and mean wait over a long run, within what its length allows."""
    count, streams = 120_000, Streams(2026, servers)
    gaps = streams.named("gaps").exponentials(0, count) * (SERVICE_NS / servers / load)
    arrivals = np.cumsum(gaps).astype(np.int64)
    services = np.maximum(1, streams.named("services").exponentials(0, count) * SERVICE_NS).astype(np.int64)
    served = play_chain(arrivals.tolist(), [0] * count, [services.tolist()], [Station(servers, count)])
    waits = np.array(served.start) - arrivals
    kept = waits[count // 20 :]
    assert (kept > 0).mean() == pytest.approx(waiting(servers, servers * load), rel=0.08)
    assert kept.mean() / SERVICE_NS == pytest.approx(mean_wait_s(servers, servers * load, 1.0), rel=0.15)


@pytest.mark.parametrize(("servers", "erlangs"), [(1, 0.8), (8, 9.0)])
def test_a_station_without_a_queue_refuses_as_erlang_says(servers: int, erlangs: float) -> None:
    """Erlang B, whatever the law of the service times; here they are all alike."""
    count = 100_000
    gaps = Streams(7, servers).named("gaps").exponentials(0, count) * (SERVICE_NS / erlangs)
    arrivals = np.cumsum(gaps).astype(np.int64)
    served = play_chain(arrivals.tolist(), [0] * count, [[SERVICE_NS] * count], [Station(servers, 0)])
    refused = sum(station < 0 for station in served.station) / count
    assert refused == pytest.approx(blocking(servers, erlangs), rel=0.03)


def test_little_holds_exactly() -> None:
    """Mean number present x time = sum of stays, counted along the run from empty to empty."""
    count, streams = 5_000, Streams(3, 0)
    arrivals = np.cumsum(streams.named("gaps").exponentials(0, count) * 400_000).astype(np.int64)
    services = np.maximum(1, streams.named("services").exponentials(0, count) * SERVICE_NS).astype(np.int64)
    served = play_chain(arrivals.tolist(), [0] * count, [services.tolist()], [Station(3, count)])
    ends = np.array(served.end)
    moments = np.sort(np.concatenate((arrivals, ends)))
    present = np.searchsorted(np.sort(arrivals), moments[:-1], "right") - np.searchsorted(
        np.sort(ends), moments[:-1], "right"
    )
    assert int((present * np.diff(moments)).sum()) == int((ends - arrivals).sum())
