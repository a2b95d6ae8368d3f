"""Where the columns of an assignment stand in its program, and the program itself, built with arrays alone.

Columns: one per choice, one per offer (nodes), one per site (open), one per (pair, site) whose ends may be apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tripoint.engines.placement.assignment.problem import Assignment
from tripoint.engines.placement.milp.program import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is looked up again and again: choices by site, pairs by site, and costs that need no column."""

    problem: Assignment
    """What is laid out."""
    owner: IntArray
    """[choices] workload."""
    at: IntArray
    """[choices] workload x sites + site: the place of the choice, as one number."""
    first: IntArray
    """[workloads x sites + 1] first choice of each place; choices of one place stand together."""
    usd: FloatArray
    """[choices] cost with the egress that is certain: to receivers that cannot be at the site."""
    pair: IntArray
    """[apart] pair of each egress column."""
    pair_site: IntArray
    """[apart] site of each egress column."""
    from_place: IntArray
    """[apart] place of the sender at the site."""
    to_place: IntArray
    """[apart] place of the receiver at the site."""
    apart_usd: FloatArray
    """[apart] USD per month when the sender is at the site and the receiver is not."""

    @property
    def nodes_at(self) -> int:
        """First column of the nodes."""
        return self.problem.choices

    @property
    def open_at(self) -> int:
        """First column of the opened sites."""
        return self.nodes_at + self.problem.offers

    @property
    def apart_at(self) -> int:
        """First column of egress."""
        return self.open_at + self.problem.sites

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.apart_at + len(self.pair)


def lay_out(problem: Assignment) -> Layout:
    """The layout of a problem."""
    owner = problem.owner()
    at = owner * np.int32(problem.sites) + problem.site[problem.offer]
    places = problem.workloads * problem.sites
    counts = np.bincount(at, minlength=places)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    may_be = (counts > 0).reshape(problem.workloads, problem.sites)
    sends = may_be[problem.sender] & (problem.egress_usd > 0)[None, :]
    certain = np.zeros(places)
    pair, site = np.nonzero(sends & ~may_be[problem.receiver])
    np.add.at(certain, problem.sender[pair] * problem.sites + site, problem.pair_gb[pair] * problem.egress_usd[site])
    pair, site = np.nonzero(sends & may_be[problem.receiver])
    return Layout(
        problem=problem,
        owner=owner,
        at=at,
        first=first,
        usd=problem.usd + certain[at],
        pair=pair.astype(np.int32),
        pair_site=site.astype(np.int32),
        from_place=(problem.sender[pair] * problem.sites + site).astype(np.int32),
        to_place=(problem.receiver[pair] * problem.sites + site).astype(np.int32),
        apart_usd=problem.pair_gb[pair] * problem.egress_usd[site],
    )


def ranges(starts: IntArray, counts: IntArray) -> IntArray:
    """The numbers of several ranges, one after the other: starts[0], starts[0] + 1, ..., starts[1], ..."""
    ends = np.cumsum(counts)
    offsets = np.repeat(starts - (ends - counts), counts)
    return (offsets + np.arange(ends[-1] if len(ends) else 0)).astype(np.int32)
