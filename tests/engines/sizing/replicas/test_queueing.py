"""Queueing against closed formulas, published tables, and a simulation of the same queue."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.engines.sizing.replicas.queueing import (
    MAX_SERVERS,
    QueueTarget,
    capacity_of,
    erlang_b,
    is_inside,
    replicas_for,
    tail_share,
    waiting_share,
)

RATES = st.floats(0.01, 200.0)
TARGETS = st.builds(
    QueueTarget,
    service_rate=st.floats(0.1, 20.0),
    wait_budget_s=st.one_of(st.none(), st.floats(0.0, 5.0)),
    quantile=st.floats(0.5, 0.99),
    arrival_cv=st.floats(0.5, 4.0),
    utilisation_cap=st.floats(0.4, 0.95),
)


def summed_erlang_c(servers: int, offered: float) -> float:
    """Erlang C from its definition as a sum."""
    head = sum(offered**n / math.factorial(n) for n in range(servers))
    tail = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return tail / (head + tail)


def erlang_c(servers: int, offered: float) -> float:
    """Erlang C as the module composes it."""
    return waiting_share(erlang_b(servers, offered), servers, offered)


def wait_exceeds(target: QueueTarget, servers: int, rate: float, seconds: float) -> float:
    """P(W > seconds): the share that waits times the share of those who wait longer."""
    return erlang_c(servers, rate / target.service_rate) * tail_share(target, servers, rate, seconds)


def simulated_waits(servers: int, rate: float, mu: float, requests: int) -> np.ndarray:
    """Waits of an M/M/c queue, first come first served, simulated event by event."""
    draw = np.random.default_rng(20261121)
    arrivals = np.cumsum(draw.exponential(1 / rate, requests))
    services = draw.exponential(1 / mu, requests)
    free_at = [0.0] * servers
    waits = np.empty(requests)
    for index, (arrival, service) in enumerate(zip(arrivals, services, strict=True)):
        start = max(arrival, heapq.heappop(free_at))
        waits[index] = start - arrival
        heapq.heappush(free_at, start + service)
    return waits[requests // 10 :]


@pytest.mark.parametrize(
    ("servers", "offered", "blocking"),
    [(1, 1.0, 0.5), (2, 1.0, 0.2), (5, 3.0, 0.11005), (10, 5.0, 0.018385), (20, 12.0, 0.00980)],
)
def test_blocking_agrees_with_the_printed_erlang_b_tables(servers: int, offered: float, blocking: float) -> None:
    """Values as in any teletraffic table."""
    assert erlang_b(servers, offered) == pytest.approx(blocking, rel=2e-3)


@given(servers=st.integers(1, 40), load=st.floats(0.01, 0.99))
def test_waiting_probability_is_the_erlang_c_sum(servers: int, load: float) -> None:
    """The recurrence and the definition are the same number."""
    assert erlang_c(servers, servers * load) == pytest.approx(summed_erlang_c(servers, servers * load), rel=1e-9)


def test_one_server_waits_with_the_probability_of_its_utilisation() -> None:
    """M/M/1: P(W > t) = rho exp(-(mu - lambda) t)."""
    target = QueueTarget(service_rate=2.0)
    assert wait_exceeds(target, 1, 1.5, 3.0) == pytest.approx(0.75 * math.exp(-0.5 * 3.0))


@pytest.mark.parametrize(("servers", "rate"), [(1, 0.7), (4, 3.4), (12, 10.5)])
def test_a_simulated_queue_waits_as_the_formula_says(servers: int, rate: float) -> None:
    """Share waiting at all and share waiting longer than half a service, within two points of a percent."""
    waits = simulated_waits(servers, rate, 1.0, 200_000)
    target = QueueTarget(service_rate=1.0)
    assert np.mean(waits > 0) == pytest.approx(erlang_c(servers, rate), abs=0.02)
    assert np.mean(waits > 0.5) == pytest.approx(wait_exceeds(target, servers, rate, 0.5), abs=0.02)


def test_burstier_arrivals_stretch_waits_by_the_mean_of_the_squared_variations() -> None:
    """Allen and Cunneen: (3^2 + 1) / 2 = 5 times as long."""
    poisson = QueueTarget(service_rate=1.0)
    bursty = QueueTarget(service_rate=1.0, arrival_cv=3.0)
    for seconds in (0.5, 2.0, 8.0):
        assert wait_exceeds(bursty, 3, 2.7, 5 * seconds) == pytest.approx(wait_exceeds(poisson, 3, 2.7, seconds))


@given(target=TARGETS, rate=RATES)
def test_replicas_are_enough_and_one_fewer_is_not(target: QueueTarget, rate: float) -> None:
    """The number found is the least that meets the target."""
    replicas = replicas_for(target, rate)
    assert is_inside(target, replicas, rate)
    assert replicas == 1 or not is_inside(target, replicas - 1, rate)


@given(target=TARGETS, rate=RATES, more=st.floats(1.0, 3.0))
def test_more_demand_never_needs_fewer_replicas(target: QueueTarget, rate: float, more: float) -> None:
    """Monotone in the rate."""
    assert replicas_for(target, rate * more) >= replicas_for(target, rate)


@given(target=TARGETS, rate=RATES, unit=st.floats(0.001, 1000.0))
def test_the_unit_of_time_does_not_matter(target: QueueTarget, rate: float, unit: float) -> None:
    """Requests per second or per hour: the same replicas, but for rounding at a step."""
    budget = None if target.wait_budget_s is None else target.wait_budget_s * unit
    scaled = QueueTarget(
        service_rate=target.service_rate / unit,
        wait_budget_s=budget,
        quantile=target.quantile,
        arrival_cv=target.arrival_cv,
        utilisation_cap=target.utilisation_cap,
    )
    assert abs(replicas_for(scaled, rate / unit) - replicas_for(target, rate)) <= 1


@given(target=TARGETS, servers=st.integers(1, 60))
def test_capacity_is_the_rate_that_still_needs_no_further_replica(target: QueueTarget, servers: int) -> None:
    """`capacity_of` inverts `replicas_for`."""
    rate = capacity_of(target, servers)
    assert replicas_for(target, rate * (1 - 1e-9)) <= servers
    assert replicas_for(target, rate * (1 + 1e-6) + 1e-9) > servers or rate == 0.0


def test_no_demand_needs_no_replica() -> None:
    """Zero is zero."""
    assert replicas_for(QueueTarget(service_rate=1.0), 0.0) == 0


@pytest.mark.parametrize("budget", [None, 0.5])
def test_beyond_the_most_servers_searched_for_need_grows_with_the_rate(budget: float | None) -> None:
    """Ten times what a million carry takes ten million, never the million the search ends at; and they carry it."""
    target = QueueTarget(service_rate=2.0, wait_budget_s=budget, utilisation_cap=0.8)
    most = capacity_of(target, MAX_SERVERS)
    needed = replicas_for(target, most * 10.0)
    assert needed == 10 * MAX_SERVERS
    assert capacity_of(target, needed) == pytest.approx(most * 10.0)
    assert capacity_of(target, needed) <= needed * 2.0 * 0.8
