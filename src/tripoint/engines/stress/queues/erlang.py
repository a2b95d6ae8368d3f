"""What theory says of c servers with Poisson arrivals and exponential service (M/M/c), to hold simulations against.

Offered load a = arrival rate x mean service time, in erlangs. Erlang's formulas (1917), computed by the recursion
B(k) = a B(k-1) / (k + a B(k-1)) that neither overflows nor cancels.
"""

from __future__ import annotations

from math import exp, log


def blocking(servers: int, erlangs: float) -> float:
    """Erlang B: share of arrivals that find all servers busy and are refused."""
    share = 1.0
    for server in range(1, servers + 1):
        share = erlangs * share / (server + erlangs * share)
    return share


def waiting(servers: int, erlangs: float) -> float:
    """Erlang C: share of arrivals that must wait; 1 from where the queue grows without end."""
    if erlangs >= servers:
        return 1.0
    blocked = blocking(servers, erlangs)
    return blocked / (1.0 - erlangs / servers * (1.0 - blocked))


def mean_wait_s(servers: int, erlangs: float, service_s: float) -> float:
    """Mean time in the queue, s, over all arrivals; infinite from where it grows without end."""
    if erlangs >= servers:
        return float("inf")
    return waiting(servers, erlangs) * service_s / (servers - erlangs)


def wait_quantile_s(servers: int, erlangs: float, service_s: float, share: float) -> float:
    """Time in the queue, s, that `share` of the arrivals do not exceed."""
    delayed = waiting(servers, erlangs)
    if erlangs >= servers:
        return float("inf")
    if 1.0 - share >= delayed:
        return 0.0
    return log(delayed / (1.0 - share)) * service_s / (servers - erlangs)


def waits_longer(servers: int, erlangs: float, service_s: float, than_s: float) -> float:
    """Share of arrivals that wait longer than `than_s`."""
    if erlangs >= servers:
        return 1.0
    return waiting(servers, erlangs) * exp(-(servers - erlangs) * than_s / service_s)
