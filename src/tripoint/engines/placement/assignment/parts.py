"""Which workloads are decided anew: the first time, and in every round after it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.assignment.alike import Counted
from tripoint.engines.placement.assignment.dual import Prices, above_least
from tripoint.engines.placement.assignment.layout import Layout
from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE, Assignment, bill
from tripoint.engines.placement.assignment.restrict import Part, with_free, within
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray, Program

_WHOLE = 0.999
_FEWEST_SMALL = 4
_TINY = 1e-6
_CLUSTER = 30
"""Most workloads of a cluster."""
_FILLERS = 2
"""Of each offer that a part owns."""
_OF_NODE = 0.1
"""What a filler's GPUs count beside its pairs: volume that goes astray costs more than a place."""
_EVEN_SO = 0.05
"""How often clusters are drawn that are where the bound has them, beside one with a mean excess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Most workloads fixed, the rest a smaller problem."""

    chosen: IntArray
    """[workloads] choice of the fixed ones; anything for the others."""
    part: Part
    """The others."""

    def bounded(self, counted: Counted, relaxed: Relaxed, slack: float) -> Program:
        """The part's program with nodes within `slack` of the relaxation's, rounded down and up, and its sites open.

        What is left to decide is who fills the nodes; a solver finds good answers to that many times sooner.
        """
        program, laid = counted.program(), counted.layout
        lower, upper = program.lower.copy(), program.upper.copy()
        nodes = slice(laid.nodes_at, laid.open_at)
        lower[nodes] = np.maximum(np.floor(relaxed.nodes + _TINY) - slack, 0.0)
        upper[nodes] = np.minimum(upper[nodes], np.ceil(relaxed.nodes - _TINY) + slack)
        sites = np.flatnonzero(np.abs(relaxed.opened - np.round(relaxed.opened)) < _TINY)
        lower[laid.open_at + sites] = upper[laid.open_at + sites] = np.round(relaxed.opened[sites])
        return replace(program, lower=lower, upper=upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxed:
    """What the relaxation says."""

    shares: FloatArray
    """[choices] how much of a workload runs there."""
    nodes: FloatArray
    """[offers] nodes."""
    opened: FloatArray
    """[sites] 1 where open."""


def fix_most(layout: Layout, shares: FloatArray, allowed: BoolArray, freed_nodes: float) -> Draft:
    """Fixes workloads whose share ([choices]) is whole, but for the smallest of each offer, so many nodes' worth.

    Small workloads are what fills nodes to the brim; a few on every offer make nodes come out whole. Where
    the relaxation splits a workload, as much again as that one needs is freed: it has to find room somewhere.
    """
    problem = layout.problem
    fixed = np.flatnonzero(shares > _WHOLE).astype(np.int32)
    chosen = problem.starts[:-1].copy()
    chosen[layout.owner[fixed]] = fixed
    free = np.ones(problem.workloads, dtype=np.bool_)
    free[layout.owner[fixed]] = False
    order = fixed[np.lexsort((problem.gpus[fixed], problem.offer[fixed]))]
    offer = problem.offer[order]
    begins = np.searchsorted(offer, offer)
    taken = np.concatenate([[0.0], np.cumsum(problem.gpus[order])])
    before = taken[:-1] - taken[begins]
    room = np.zeros(problem.offers)
    split = np.flatnonzero((shares > _TINY) & (shares <= _WHOLE))
    np.maximum.at(room, problem.offer[split], problem.gpus[split])
    small = (before < freed_nodes * GPUS_PER_NODE + room[offer]) | (np.arange(len(order)) - begins < _FEWEST_SMALL)
    free[layout.owner[order[small]]] = True
    return Draft(chosen=chosen, part=with_free(problem, chosen, free, allowed))


def roomy(problem: Assignment, relaxed: Relaxed, costs: FloatArray) -> BoolArray:
    """[choices] of each workload that the relaxation splits, the cheapest choice (`costs`, [choices]) with room for all
    of it: nodes beyond those of the relaxation, where power is no limit. Nothing else may have room for it whole."""
    owner = problem.owner()
    is_split = np.zeros(problem.workloads, dtype=np.bool_)
    is_split[owner[(relaxed.shares > _TINY) & (relaxed.shares <= _WHOLE)]] = True
    is_split[owner[relaxed.shares > _WHOLE]] = False
    left = GPUS_PER_NODE * (problem.most_nodes - relaxed.nodes)
    has_room = (left[problem.offer] >= problem.gpus) & ~np.isfinite(problem.power_kw)[problem.site[problem.offer]]
    asked = np.flatnonzero(is_split[owner] & has_room)
    order = asked[np.lexsort((costs[asked], owner[asked]))]
    _, first = np.unique(owner[order], return_index=True)
    found = np.zeros(problem.choices, dtype=np.bool_)
    found[order[first]] = True
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """What says which workloads are worth deciding anew, and which choices are worth a look."""

    layout: Layout
    """What is searched."""
    prices: Prices
    """Those of the bound, for this layout."""
    costs: FloatArray
    """[choices] reduced costs at these prices."""
    rank: IntArray
    """[choices] how many choices of the workload are cheaper by reduced cost."""
    shares: FloatArray
    """[choices] how much of a workload the relaxation runs there."""
    together: IntArray
    """[workloads] number of the cluster: workloads that pairs connect, directly or by others."""


def guide_to(layout: Layout, prices: Prices, costs: FloatArray, shares: FloatArray) -> Guide:
    """The guide to a layout."""
    rank, together = ranked(layout, costs), clusters(layout.problem)
    return Guide(layout=layout, prices=prices, costs=costs, rank=rank, shares=shares, together=together)


def ranked(layout: Layout, costs: FloatArray) -> IntArray:
    """[choices] how many of the same workload's choices come before it in the order of `costs` ([choices])."""
    problem = layout.problem
    rank = np.empty(problem.choices, dtype=np.int32)
    rank[np.lexsort((costs, layout.owner))] = np.arange(problem.choices) - problem.starts[:-1][layout.owner]
    return rank


def clusters(problem: Assignment) -> IntArray:
    """[workloads] number of the cluster of each, from 0: what pairs connect, cut up by number where that is large."""
    label = np.arange(problem.workloads)
    while True:
        least = np.minimum(label[problem.sender], label[problem.receiver])
        lower = label.copy()
        np.minimum.at(lower, problem.sender, least)
        np.minimum.at(lower, problem.receiver, least)
        lower = lower[lower]
        if np.array_equal(lower, label):
            break
        label = lower
    order = np.argsort(label, kind="stable")
    nth = np.empty(problem.workloads, dtype=np.int64)
    nth[order] = np.arange(problem.workloads) - np.searchsorted(label[order], label[order])
    _, number = np.unique(label * problem.workloads + nth // _CLUSTER, return_inverse=True)
    return np.asarray(number, dtype=np.int32)


def within_sites(guide: Guide, chosen: IntArray, draw: np.random.Generator, size: int, groups: int) -> list[Part]:
    """Parts that share nothing: sites are dealt into groups, and each group's workloads stay within it.

    A pair across two groups costs what it costs wherever its ends move within theirs, so the parts may be solved at
    once and put together. Workloads are drawn one by one, more often the more their place costs above their cheapest
    at the prices of the bound, and may make any choice within their group: where all there is are some ten sites,
    whole nodes matter more than pairs do.
    """
    problem, costs = guide.layout.problem, guide.costs
    dealt = np.empty(problem.sites, dtype=np.int32)
    dealt[draw.permutation(problem.sites)] = np.arange(problem.sites) % groups
    at = dealt[problem.site[problem.offer[chosen]]]
    regret = costs[chosen] - np.minimum.reduceat(costs, problem.starts[:-1])
    weight = np.sqrt(0.3 + regret / max(float(regret.mean()), 1e-9)) / (1.0 + 0.02 * problem.gpus[chosen])
    lots = draw.random(problem.workloads) * weight
    parts: list[Part] = []
    for group in range(groups):
        mine = np.flatnonzero(at == group)
        if not len(mine):
            continue
        drawn = mine[np.argsort(-lots[mine])[:size]]
        free = np.zeros(problem.workloads, dtype=np.bool_)
        free[drawn] = True
        kept = dealt[problem.site[problem.offer]] == group
        kept[chosen[drawn]] = True
        parts.append(with_free(problem, chosen, free, kept))
    return parts


def of_clusters(
    guide: Guide, chosen: IntArray, draw: np.random.Generator, size: int, near: int, groups: int
) -> list[Part]:
    """Parts that may be solved at once: each owns the sites dealt to it and frees clusters of its own.

    About `size` workloads are drawn, whole clusters at a time, more often the more their place costs above the bound:
    that is where the gap is, and what sends to each other has to move together. On each own offer a few more that
    hardly matter to others are freed, so that nodes come out whole. Every free workload may go where the relaxation
    has it, to its `near` cheapest choices by reduced cost, or stay: few choices make a solver quick.
    """
    layout, together = guide.layout, guide.together
    problem, counts = layout.problem, np.bincount(together)
    above = np.bincount(together, above_least(layout, guide.prices, guide.costs, chosen))
    lots = draw.random(len(counts)) * np.sqrt(_EVEN_SO + above / max(float(above.mean()), 1e-9))
    dealt = np.empty(problem.sites, dtype=np.int32)
    dealt[draw.permutation(problem.sites)] = np.arange(problem.sites) % groups
    home = _homes(guide, chosen, dealt, groups)
    matters = _mattering(problem, guide, chosen) * draw.uniform(0.3, 1.7, problem.workloads)
    kept = (guide.shares > _TINY) | (guide.rank < near)
    kept[chosen] = True
    paid = bill(problem, chosen)
    offer = problem.offer[chosen]
    at = dealt[problem.site[offer]]
    is_open = np.ones(problem.workloads, dtype=np.bool_)
    parts: list[Part] = []
    for group in range(groups):
        mine = np.flatnonzero(home == group)
        order = mine[np.argsort(-lots[mine])]
        is_drawn = np.zeros(len(counts), dtype=np.bool_)
        is_drawn[order[np.cumsum(counts[order]) - counts[order] < size]] = True
        free = is_drawn[together] & is_open
        fillers = np.flatnonzero((home[together] == group) & (at == group) & ~free & is_open).astype(np.int32)
        free[_first_of_each(fillers, offer, matters)] = True
        if not free.any():
            continue
        is_open &= ~free & ~_paired_with(problem, free)
        parts.append(within(problem, with_free(problem, chosen, free, kept), chosen, paid, dealt == group))
    return parts


def _homes(guide: Guide, chosen: IntArray, dealt: IntArray, groups: int) -> IntArray:
    """[clusters] the group that has most of the sites where its workloads are, and where the relaxation has them."""
    problem = guide.layout.problem
    order = np.lexsort((guide.shares, guide.layout.owner))
    wanted = order[problem.starts[1:] - 1]
    votes = sum(
        np.bincount(
            guide.together * groups + dealt[problem.site[problem.offer[choice]]],
            minlength=(int(guide.together.max()) + 1) * groups,
        )
        for choice in (chosen, wanted)
    )
    return np.asarray(np.argmax(np.reshape(votes, (-1, groups)), axis=1), dtype=np.int32)


def _mattering(problem: Assignment, guide: Guide, chosen: IntArray) -> FloatArray:
    """[workloads] USD per month: some of what its GPUs cost, and what all of its pairs would pay apart, on the mean."""
    gb = np.bincount(problem.sender, problem.pair_gb, problem.workloads)
    gb += np.bincount(problem.receiver, problem.pair_gb, problem.workloads)
    node_usd = problem.node_usd[problem.offer[chosen]]
    own = _OF_NODE * problem.gpus[chosen] * node_usd / GPUS_PER_NODE
    return np.asarray(own + gb * problem.egress_usd.mean(), dtype=np.float64)


def _first_of_each(workloads: IntArray, offer: IntArray, matters: FloatArray) -> IntArray:
    """Of these workloads, on each offer ([all workloads]) those that matter least ([all workloads])."""
    order = workloads[np.lexsort((matters[workloads], offer[workloads]))]
    nth = np.arange(len(order)) - np.searchsorted(offer[order], offer[order])
    return np.asarray(order[nth < _FILLERS], dtype=np.int32)


def _paired_with(problem: Assignment, free: BoolArray) -> BoolArray:
    """[workloads] those that a pair connects with a free one ([workloads])."""
    found = np.zeros(problem.workloads, dtype=np.bool_)
    found[problem.sender[free[problem.receiver]]] = True
    found[problem.receiver[free[problem.sender]]] = True
    return found
