"""Workloads that are alike as one integer, and choices that nobody needs: the same answer out of a smaller program.

Which of two like workloads goes where changes nothing, so a program that tells them apart proves each answer once for
every way to exchange them. Counted instead, they come apart again in the answer, in their own order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.assignment.formulate import chosen_of, formulate, values
from tripoint.engines.placement.assignment.layout import Layout, lay_out, ranges
from tripoint.engines.placement.assignment.problem import Assignment
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A problem whose like workloads are counted, and the way back."""

    layout: Layout
    """One workload for all that are alike."""
    copies: IntArray
    """[its workloads] how many there are of each."""
    member: IntArray
    """[all workloads] theirs, those of the first first, each in its own order."""
    starts: IntArray
    """[all workloads + 1] first choice of each, of all choices."""

    def program(self) -> Program:
        """The program: choices are whole numbers up to the copies, and add up to them."""
        if len(self.member) == len(self.copies):
            return formulate(self.layout)
        return formulate(self.layout, self.copies)

    def values(self, chosen: IntArray) -> FloatArray:
        """The columns of an assignment of all workloads ([all workloads] choice)."""
        if len(self.member) == len(self.copies):
            return values(self.layout, chosen)
        owner = np.repeat(np.arange(len(self.copies), dtype=np.int32), self.copies)
        taken = self.layout.problem.starts[owner] + chosen[self.member] - self.starts[self.member]
        return values(self.layout, taken, owner)

    def chosen(self, columns: FloatArray) -> IntArray:
        """[all workloads] the choice that the columns of a solution take."""
        if len(self.member) == len(self.copies):
            return chosen_of(self.layout, columns)
        problem = self.layout.problem
        counts = np.round(columns[: problem.choices]).astype(np.int32)
        taken = np.repeat(np.arange(problem.choices), counts)
        owner = np.repeat(np.arange(len(self.copies), dtype=np.int32), self.copies)
        chosen = np.empty(len(self.member), dtype=np.int32)
        chosen[self.member] = self.starts[self.member] + taken - problem.starts[owner]
        return chosen


def count(problem: Assignment) -> Counted:
    """Counts workloads without pairs that have the same choices, at the same cost, for the same GPUs and Gbit/s."""
    is_paired = np.zeros(problem.workloads, dtype=np.bool_)
    is_paired[problem.sender] = is_paired[problem.receiver] = True
    first: dict[bytes, int] = {}
    kind = np.empty(problem.workloads, dtype=np.int32)
    for workload in range(problem.workloads):
        key = b"%d" % workload if is_paired[workload] else _likeness(problem, workload)
        kind[workload] = first.setdefault(key, len(first))
    member = np.argsort(kind, kind="stable").astype(np.int32)
    copies = np.bincount(kind, minlength=len(first)).astype(np.int32)
    if len(first) == problem.workloads:
        return Counted(layout=lay_out(problem), copies=copies, member=member, starts=problem.starts)
    shown = member[np.cumsum(copies) - copies]
    counts = np.diff(problem.starts)[shown]
    choice = ranges(problem.starts[shown], counts)
    smaller = replace(
        problem,
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        offer=problem.offer[choice],
        gpus=problem.gpus[choice],
        usd=problem.usd[choice],
        gbps=problem.gbps[shown],
        sender=kind[problem.sender],
        receiver=kind[problem.receiver],
    )
    return Counted(layout=lay_out(smaller), copies=copies, member=member, starts=problem.starts)


def _likeness(problem: Assignment, workload: int) -> bytes:
    """What two workloads must have the same of."""
    mine = slice(problem.starts[workload], problem.starts[workload + 1])
    parts = (problem.offer[mine], problem.gpus[mine], problem.usd[mine], problem.gbps[workload : workload + 1])
    return b"|".join(part.tobytes() for part in parts)


def needed(problem: Assignment) -> BoolArray:
    """[choices] all but those that another choice of the workload at the same site makes pointless.

    Pairs and uplinks see the site alone, so a choice that takes no GPUs beats every one there that costs as much.
    """
    owner = problem.owner()
    place = owner * np.int64(problem.sites) + problem.site[problem.offer]
    order = np.lexsort((problem.gpus, problem.usd, place))
    least = np.full(problem.workloads * problem.sites, np.inf)
    free = problem.gpus == 0.0
    np.minimum.at(least, place[free], problem.usd[free])
    kept = problem.usd < least[place]
    ties = order[free[order] & (problem.usd[order] == least[place[order]])]
    _, first = np.unique(place[ties], return_index=True)
    kept[ties[first]] = True
    return np.asarray(kept, dtype=np.bool_)
