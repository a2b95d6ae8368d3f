"""One period of an estate as arrays: workloads run on one offer each, offers share nodes, sites power and uplinks.

    minimise    sum usd x  +  sum node_usd n  +  sum open_usd y  +  sum of egress over pairs whose ends are apart
    subject to  each workload on one of its offers;  GPUs used <= node_gpus n <= node_gpus most_nodes y;
                kW of the nodes <= power;  Gbit/s of the workloads <= uplink, at each site

A pair sends its volume from the site of its sender when its receiver is elsewhere, at the price of that site.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripoint.engines.placement.milp.program import FloatArray, IntArray

GPUS_PER_NODE = 8.0
_ROUNDING = 1e-9
_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What has to be placed where; a *choice* is an offer that a workload may run on."""

    starts: IntArray
    """[workloads + 1] offsets of each workload's choices; every workload has at least one."""
    offer: IntArray
    """[choices] offer of each choice, ascending within a workload."""
    gpus: FloatArray
    """[choices] GPUs the workload takes there."""
    usd: FloatArray
    """[choices] what the choice costs beside nodes: traffic with users, USD per month."""
    gbps: FloatArray
    """[workloads] load on the uplink of whichever site it runs at, Gbit/s."""
    site: IntArray
    """[offers] site of each offer, ascending."""
    node_usd: FloatArray
    """[offers] USD per node and month."""
    node_kw: FloatArray
    """[offers] kW per node."""
    most_nodes: FloatArray
    """[offers] whole nodes there are at most."""
    open_usd: FloatArray
    """[sites] USD per month of a site that is used at all."""
    power_kw: FloatArray
    """[sites] kW at most; infinite where power is no limit."""
    uplink_gbps: FloatArray
    """[sites] Gbit/s at most."""
    egress_usd: FloatArray
    """[sites] USD per GB that leaves."""
    sender: IntArray
    """[pairs] workload that sends."""
    receiver: IntArray
    """[pairs] workload that receives."""
    pair_gb: FloatArray
    """[pairs] GB per month."""
    held_gpus: FloatArray
    """[offers] GPUs taken beside the workloads, by those already placed."""

    @property
    def workloads(self) -> int:
        """Number of workloads."""
        return len(self.starts) - 1

    @property
    def offers(self) -> int:
        """Number of offers."""
        return len(self.site)

    @property
    def sites(self) -> int:
        """Number of sites."""
        return len(self.open_usd)

    @property
    def choices(self) -> int:
        """Number of choices."""
        return len(self.offer)

    def owner(self) -> IntArray:
        """[choices] workload of each choice."""
        counts = np.diff(self.starts)
        return np.repeat(np.arange(self.workloads, dtype=np.int32), counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a full assignment costs and how far it is from allowed."""

    usd: float
    """USD per month."""
    nodes: FloatArray
    """[offers] whole nodes it takes."""
    excess: float
    """Largest excess over any limit, as a share of that limit; 0 when the assignment is allowed."""


def bill(problem: Assignment, chosen: IntArray) -> Bill:
    """The cost of running every workload on its chosen choice ([workloads], index into choices); nodes are whole."""
    offer = problem.offer[chosen]
    used = problem.held_gpus + np.bincount(offer, problem.gpus[chosen], problem.offers)
    nodes = np.ceil(used / GPUS_PER_NODE - _ROUNDING)
    at = problem.site[offer]
    is_open = np.bincount(problem.site, nodes, problem.sites) > 0
    kw = np.bincount(problem.site, nodes * problem.node_kw, problem.sites)
    gbps = np.bincount(at, problem.gbps, problem.sites)
    apart = at[problem.sender] != at[problem.receiver]
    moved = float((problem.pair_gb * problem.egress_usd[at[problem.sender]])[apart].sum())
    usd = problem.usd[chosen].sum() + nodes @ problem.node_usd + problem.open_usd[is_open].sum() + moved
    limits: tuple[tuple[FloatArray, FloatArray], ...] = (
        (np.asarray(nodes, dtype=np.float64), problem.most_nodes),
        (np.asarray(kw, dtype=np.float64), problem.power_kw),
        (np.asarray(gbps, dtype=np.float64), problem.uplink_gbps),
    )
    excess = max(_beyond(taken, limit) for taken, limit in limits)
    return Bill(usd=float(usd), nodes=nodes, excess=excess if excess > _TOLERANCE else 0.0)


def _beyond(taken: FloatArray, limit: FloatArray) -> float:
    """How far the worst is beyond its limit, as a share of it; infinite beyond a limit of nothing."""
    over = taken > limit
    if not over.any():
        return 0.0
    taken, limit = taken[over], limit[over]
    shares = np.full(len(taken), np.inf)
    np.divide(taken - limit, limit, out=shares, where=limit > 0)
    return float(shares.max())
