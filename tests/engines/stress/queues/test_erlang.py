"""Stations of the event list against the formulas the planner sizes by: Erlang B and C, and Little's law."""

from __future__ import annotations

import numpy as np
import pytest

from tripoint.engines.sizing.replicas.queueing import erlang_b, waiting_share
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.queues.chain import Station, play_chain

SERVICE_NS = 1_000_000


@pytest.mark.no_cover
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
    waiting = waiting_share(erlang_b(servers, servers * load), servers, servers * load)
    assert (kept > 0).mean() == pytest.approx(waiting, rel=0.08)
    assert kept.mean() / SERVICE_NS == pytest.approx(waiting / (servers * (1.0 - load)), rel=0.15)


@pytest.mark.parametrize(("servers", "erlangs"), [(1, 0.8), (8, 9.0)])
def test_a_station_without_a_queue_refuses_as_erlang_says(servers: int, erlangs: float) -> None:
    """Erlang B, whatever the law of the service times; here they are all alike."""
    count = 100_000
    gaps = Streams(7, servers).named("gaps").exponentials(0, count) * (SERVICE_NS / erlangs)
    arrivals = np.cumsum(gaps).astype(np.int64)
    served = play_chain(arrivals.tolist(), [0] * count, [[SERVICE_NS] * count], [Station(servers, 0)])
    refused = sum(station < 0 for station in served.station) / count
    assert refused == pytest.approx(erlang_b(servers, erlangs), rel=0.03)


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
