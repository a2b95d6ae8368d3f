"""Which workloads are decided anew: the first time, and in every round after it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.assignment.alike import Counted
from tripoint.engines.placement.assignment.layout import Layout
from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE, Assignment
from tripoint.engines.placement.assignment.restrict import Part, with_free
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray, Program

_WHOLE = 0.999
_FEWEST_SMALL = 4
_TINY = 1e-6


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


def neighbourhoods(
    layout: Layout,
    chosen: IntArray,
    costs: FloatArray,
    allowed: BoolArray,
    draw: np.random.Generator,
    size: int,
    groups: int,
) -> list[Part]:
    """Parts that share nothing: sites are dealt into groups, and each group's workloads stay within it.

    A pair across two groups costs what it costs wherever its ends move within theirs, so the parts may be solved at
    once and put together. Workloads are drawn more often the more their place costs above their cheapest at the
    prices of the bound (`costs`, [choices]): that is where the gap is.
    """
    problem = layout.problem
    dealt = np.empty(problem.sites, dtype=np.int32)
    dealt[draw.permutation(problem.sites)] = np.arange(problem.sites) % groups
    at = dealt[problem.site[problem.offer[chosen]]]
    least = np.minimum.reduceat(costs, problem.starts[:-1])
    regret = np.maximum(costs[chosen] - least, 0.0)
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
        kept = allowed & (dealt[problem.site[problem.offer]] == group)
        kept[chosen[drawn]] = True
        parts.append(with_free(problem, chosen, free, kept))
    return parts
