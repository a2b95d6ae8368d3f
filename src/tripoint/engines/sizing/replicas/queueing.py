"""How many replicas a rate needs so that few requests wait too long.

One replica is one server: continuous batching shares it among requests, but its long-run service rate `mu` is
the derated throughput in requests per second, and that is all the model uses. Replicas behind one balancer
are then an M/M/c queue (Erlang, 1917): the blocking probability by the recurrence B(n) = a B(n-1) / (n + a
B(n-1)), the waiting probability C = B / (1 - rho (1 - B)), and P(W > t) = C exp(-(c mu - lambda) t). Arrivals
burstier than Poisson and service more (or less) variable than exponential stretch the time axis by (ca^2 +
cs^2) / 2 (Allen and Cunneen, 1978). The wait is queueing before service; the caller adds network and prefill.
Everything is monotone in the rate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_SERVERS = 1_000_000
"""Where the search ends. More are counted in proportion: together servers carry more each, so that is never too few."""

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTarget:
    """What the queue in front of identical replicas must achieve."""

    service_rate: float
    """Requests per second one replica sustains."""
    wait_budget_s: float | None = None
    """Longest wait before service at the quantile, seconds; only the utilisation cap binds when `None`."""
    quantile: float = 0.95
    """Share of requests that must wait no longer."""
    arrival_cv: float = 1.0
    """Coefficient of variation of inter-arrival times; 1 is Poisson."""
    service_cv: float = 1.0
    """Coefficient of variation of service times; 1 is exponential."""
    utilisation_cap: float = 1.0
    """Highest utilisation planned for, 0 to 1."""

    @property
    def stretch(self) -> float:
        """Allen-Cunneen factor on waiting times."""
        return (self.arrival_cv**2 + self.service_cv**2) / 2


def erlang_b(servers: int, offered: float) -> float:
    """Blocking probability of M/M/c/c with `offered` Erlangs (arrival rate over service rate)."""
    blocking = 1.0
    for n in range(1, servers + 1):
        blocking = offered * blocking / (n + offered * blocking)
    return blocking


def replicas_for(target: QueueTarget, rate: float) -> int:
    """Fewest replicas that carry `rate` requests per second inside the target; 0 for no demand.

    The Erlang-B recurrence does not depend on the final number of servers, so one pass finds the answer.
    """
    if rate <= 0:
        return 0
    offered = rate / target.service_rate
    blocking, servers = 1.0, 0
    most = MAX_SERVERS if offered <= MAX_SERVERS * target.utilisation_cap else 0
    while servers < most:
        servers += 1
        blocking = offered * blocking / (servers + offered * blocking)
        if _meets(target, servers, rate, blocking):
            return servers
    return math.ceil(rate / capacity_of(target, MAX_SERVERS) * MAX_SERVERS * (1 - _ROUNDING))


def capacity_of(target: QueueTarget, servers: int) -> float:
    """Highest rate `servers` replicas carry inside the target, requests per second (inverse of `replicas_for`)."""
    if servers > MAX_SERVERS:
        return capacity_of(target, MAX_SERVERS) / MAX_SERVERS * servers
    ceiling = servers * target.service_rate * target.utilisation_cap
    if servers <= 0 or target.wait_budget_s is None:
        return max(0.0, ceiling)
    if is_inside(target, servers, ceiling):
        return ceiling
    low, high = 0.0, ceiling
    for _ in range(44):
        middle = (low + high) / 2
        low, high = (middle, high) if is_inside(target, servers, middle) else (low, middle)
    return low


def is_inside(target: QueueTarget, servers: int, rate: float) -> bool:
    """True when `servers` replicas carry `rate` within both the utilisation cap and the wait budget."""
    return _meets(target, servers, rate, erlang_b(servers, rate / target.service_rate))


def _meets(target: QueueTarget, servers: int, rate: float, blocking: float) -> bool:
    ceiling = servers * target.service_rate * target.utilisation_cap
    if rate > ceiling * (1 + 1e-12):
        return False
    if target.wait_budget_s is None:
        return True
    if rate >= servers * target.service_rate:
        return False
    waiting = waiting_share(blocking, servers, rate / target.service_rate)
    return waiting * tail_share(target, servers, rate, target.wait_budget_s) <= 1 - target.quantile


def waiting_share(blocking: float, servers: int, offered: float) -> float:
    """Erlang C from Erlang B: probability that an arrival waits in a stable M/M/c queue."""
    utilisation = offered / servers
    return blocking / (1 - utilisation * (1 - blocking))


def tail_share(target: QueueTarget, servers: int, rate: float, seconds: float) -> float:
    """Share of those who wait that wait longer than `seconds`, with the Allen-Cunneen stretch."""
    drain = servers * target.service_rate - rate
    if drain <= 0:
        return 1.0
    return math.exp(-drain * max(0.0, seconds) / target.stretch) if target.stretch > 0 else float(seconds <= 0)
