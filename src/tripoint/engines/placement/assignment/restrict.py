"""Smaller problems out of a large one: fewer choices, or most workloads kept where they are.

Whatever a smaller problem finds is an answer of the large one; its bound says nothing about the large one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE, Assignment, Bill
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A smaller problem, and the way back."""

    problem: Assignment
    """The smaller problem."""
    workload: IntArray
    """[its workloads] workload of the large problem."""
    choice: IntArray
    """[its choices] choice of the large problem."""

    def inner(self, chosen: IntArray) -> IntArray:
        """[its workloads] what the large problem's workloads chose ([workloads]), as choices of this one."""
        return np.searchsorted(self.choice, chosen[self.workload]).astype(np.int32)


def with_choices(problem: Assignment, kept: BoolArray) -> Part:
    """The problem with some of its choices ([choices], at least one per workload)."""
    counts = np.add.reduceat(kept.astype(np.int32), problem.starts[:-1])
    choice = np.flatnonzero(kept).astype(np.int32)
    smaller = replace(
        problem,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        offer=problem.offer[choice],
        gpus=problem.gpus[choice],
        usd=problem.usd[choice],
    )
    return Part(problem=smaller, workload=np.arange(problem.workloads, dtype=np.int32), choice=choice)


def with_free(problem: Assignment, chosen: IntArray, free: BoolArray, kept: BoolArray) -> Part:
    """The problem of the free workloads ([workloads]), each with its kept choices, all others held where they are.

    `chosen` is [workloads] the choice each held workload keeps. What they take of nodes and uplinks is taken away;
    a pair with one held end becomes a cost of the free end's choices, one with two is left out.
    """
    workload = np.flatnonzero(free).astype(np.int32)
    owner = problem.owner()
    choice = np.flatnonzero(kept & free[owner]).astype(np.int32)
    number = np.full(problem.workloads, -1, dtype=np.int32)
    number[workload] = np.arange(len(workload))
    counts = np.bincount(number[owner[choice]], minlength=len(workload))
    still = ~free
    held = chosen[still]
    offer = problem.offer[held]
    both = free[problem.sender] & free[problem.receiver]
    smaller = replace(
        problem,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        offer=problem.offer[choice],
        gpus=problem.gpus[choice],
        usd=problem.usd[choice] + _towards_held(problem, chosen, free, choice, owner),
        gbps=problem.gbps[workload],
        uplink_gbps=_room(problem, offer, still),
        sender=number[problem.sender[both]],
        receiver=number[problem.receiver[both]],
        pair_gb=problem.pair_gb[both],
        held_gpus=problem.held_gpus + np.bincount(offer, problem.gpus[held], problem.offers),
    )
    return Part(problem=smaller, workload=workload, choice=choice)


def within(problem: Assignment, part: Part, chosen: IntArray, paid: Bill, own: BoolArray) -> Part:
    """The part with the nodes of all but its `own` sites ([sites]) left as they are.

    Elsewhere its workloads may take what they give up themselves, GPUs and Gbit/s alike, and no more. Parts that own
    no site together and free no two workloads of one pair may then be solved at once: put together they are allowed,
    and save no less than the sum of what each saves alone. `paid` is the bill of `chosen` ([workloads]).
    """
    mine = chosen[part.workload]
    offer = problem.offer[mine]
    taken = np.bincount(offer, problem.gpus[mine], problem.offers)
    gbps = np.bincount(problem.site[offer], problem.gbps[part.workload], problem.sites)
    is_own = own[problem.site]
    smaller = replace(
        part.problem,
        held_gpus=np.where(is_own, part.problem.held_gpus, GPUS_PER_NODE * paid.nodes - taken),
        most_nodes=np.where(is_own, problem.most_nodes, paid.nodes),
        uplink_gbps=np.where(own, part.problem.uplink_gbps, gbps),
    )
    return replace(part, problem=smaller)


def _room(problem: Assignment, offer: IntArray, still: BoolArray) -> FloatArray:
    taken = np.bincount(problem.site[offer], problem.gbps[still], problem.sites)
    return np.maximum(problem.uplink_gbps - taken, 0.0)


def _towards_held(
    problem: Assignment, chosen: IntArray, free: BoolArray, choice: IntArray, owner: IntArray
) -> FloatArray:
    """[choice] egress to and from held workloads, up to a constant."""
    sites = problem.sites
    at = problem.site[problem.offer[np.where(free, 0, chosen)]]
    usd = np.zeros(problem.workloads * sites)
    sends = free[problem.sender] & ~free[problem.receiver]
    sender, volume = problem.sender[sends], problem.pair_gb[sends]
    there = at[problem.receiver[sends]]
    np.add.at(usd.reshape(-1, sites), sender, volume[:, None] * problem.egress_usd[None, :])
    np.add.at(usd, sender * sites + there, -volume * problem.egress_usd[there])
    receives = ~free[problem.sender] & free[problem.receiver]
    receiver, volume = problem.receiver[receives], problem.pair_gb[receives]
    there = at[problem.sender[receives]]
    np.add.at(usd, receiver * sites + there, -volume * problem.egress_usd[there])
    return np.asarray(usd[owner[choice] * sites + problem.site[problem.offer[choice]]], dtype=np.float64)
