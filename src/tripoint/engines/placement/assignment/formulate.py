"""The program of an assignment, built row block by row block with arrays: a million columns in about a second."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.placement.assignment.layout import Layout, ranges
from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE
from tripoint.engines.placement.milp.names import Numbered
from tripoint.engines.placement.milp.program import INFINITY, FloatArray, IntArray, Program

AnyInts = NDArray[np.signedinteger[Any]]


class _Rows(NamedTuple):
    """Rows of one family, in compressed form."""

    family: str
    sizes: AnyInts
    columns: AnyInts
    value: FloatArray
    lower: FloatArray
    upper: FloatArray


def formulate(layout: Layout, copies: IntArray | None = None) -> Program:
    """The whole program; its columns stand as the layout says. `copies` is [workloads] how many are alike; one each."""
    problem = layout.problem
    times = np.ones(problem.workloads) if copies is None else copies.astype(np.float64)
    blocks = (
        _one_choice(layout, times),
        _gpus(layout),
        _opening(layout),
        _power(layout),
        _uplink(layout),
        _egress(layout),
    )
    counts = np.concatenate([block.sizes for block in blocks])
    upper = np.ones(layout.columns)
    upper[: layout.nodes_at] = times[layout.owner]
    upper[layout.nodes_at : layout.open_at] = problem.most_nodes
    return Program(
        cost=np.concatenate([layout.usd, problem.node_usd, problem.open_usd, layout.apart_usd]),
        lower=np.zeros(layout.columns),
        upper=upper,
        is_integer=np.arange(layout.columns) < layout.apart_at,
        row_lower=np.concatenate([block.lower for block in blocks]),
        row_upper=np.concatenate([block.upper for block in blocks]),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        index=np.concatenate([block.columns for block in blocks]).astype(np.int32),
        value=np.concatenate([block.value for block in blocks]),
        column_names=Numbered(
            ("choice", problem.choices), ("nodes", problem.offers), ("open", problem.sites), ("apart", len(layout.pair))
        ),
        row_names=Numbered(*((block.family, len(block.sizes)) for block in blocks)),
        row_families=Numbered(*((block.family, len(block.sizes)) for block in blocks), is_numbered=False),
    )


def _one_choice(layout: Layout, times: FloatArray) -> _Rows:
    """Each workload runs on one offer: sum of its choices = 1, or as many as are alike."""
    problem = layout.problem
    every = np.arange(problem.choices, dtype=np.int32)
    return _Rows("demand", np.diff(problem.starts), every, np.ones(problem.choices), times, times)


def _gpus(layout: Layout) -> _Rows:
    """GPUs used on an offer fit its nodes: sum of GPUs x choice - 8 nodes <= -held."""
    problem = layout.problem
    offers = problem.offers
    order = np.argsort(problem.offer, kind="stable")
    counts = np.bincount(problem.offer, minlength=offers) + 1
    is_node = np.zeros(problem.choices + offers, dtype=np.bool_)
    is_node[np.cumsum(counts) - 1] = True
    index = np.empty(len(is_node), dtype=np.int32)
    value = np.empty(len(is_node))
    index[is_node] = layout.nodes_at + np.arange(offers)
    value[is_node] = -GPUS_PER_NODE
    index[~is_node] = order
    value[~is_node] = problem.gpus[order]
    return _Rows("capacity", counts, index, value, np.full(offers, -INFINITY), -problem.held_gpus)


def _opening(layout: Layout) -> _Rows:
    """Nodes stand in open sites only: nodes <= most_nodes x open."""
    problem = layout.problem
    offers = np.flatnonzero(problem.open_usd[problem.site] > 0)
    index = np.stack([layout.nodes_at + offers, layout.open_at + problem.site[offers]], axis=1)
    value = np.stack([np.ones(len(offers)), -problem.most_nodes[offers]], axis=1)
    full = np.full(len(offers), 2)
    return _Rows("opening", full, index.ravel(), value.ravel(), np.full(len(offers), -INFINITY), np.zeros(len(offers)))


def _power(layout: Layout) -> _Rows:
    """Nodes draw no more than an open site has: sum of kW x nodes <= power x open.

    Whether `open` stands on the right makes no difference to whole decisions, and half a percent to the relaxation:
    a site whose power is used up counts as open.
    """
    problem = layout.problem
    is_limited = np.isfinite(problem.power_kw)
    sites = np.flatnonzero(is_limited)
    offers = np.flatnonzero(is_limited[problem.site])
    counts = np.bincount(problem.site, minlength=problem.sites)[sites] + 1
    is_open = np.zeros(len(offers) + len(sites), dtype=np.bool_)
    is_open[np.cumsum(counts) - 1] = True
    index = np.empty(len(is_open), dtype=np.int32)
    value = np.empty(len(is_open))
    index[is_open] = layout.open_at + sites
    value[is_open] = -problem.power_kw[sites]
    index[~is_open] = layout.nodes_at + offers
    value[~is_open] = problem.node_kw[offers]
    return _Rows("power", counts, index, value, np.full(len(sites), -INFINITY), np.zeros(len(sites)))


def _uplink(layout: Layout) -> _Rows:
    """Traffic fits each site's uplink: sum of Gbit/s x choice <= uplink."""
    problem = layout.problem
    site = problem.site[problem.offer]
    order = np.argsort(site, kind="stable")
    counts = np.bincount(site, minlength=problem.sites)
    value = problem.gbps[layout.owner[order]]
    return _Rows("links", counts, order, value, np.full(problem.sites, -INFINITY), problem.uplink_gbps)


def _egress(layout: Layout) -> _Rows:
    """A pair pays where its sender is and its receiver is not: sender at site - receiver at site <= apart."""
    count = len(layout.pair)
    first, last = layout.first[:-1], layout.first[1:]
    sent = last[layout.from_place] - first[layout.from_place]
    received = last[layout.to_place] - first[layout.to_place]
    own = layout.apart_at + np.arange(count, dtype=np.int32)
    starts = np.stack([first[layout.from_place], first[layout.to_place], own], axis=1).ravel()
    counts = np.stack([sent, received, np.ones(count, dtype=np.int32)], axis=1).ravel()
    value = np.repeat(np.tile([1.0, -1.0, -1.0], count), counts)
    none = np.full(count, -INFINITY)
    return _Rows("egress", sent + received + 1, ranges(starts, counts), value, none, np.zeros(count))


def values(layout: Layout, chosen: IntArray, owner: IntArray | None = None) -> FloatArray:
    """The columns of a full assignment ([workloads] choice): whole nodes, sites open where any stand, egress paid.

    Where a workload stands for several alike, `chosen` has a choice of each, and `owner` whose it is ([chosen]).
    """
    problem = layout.problem
    mine = np.arange(problem.workloads) if owner is None else owner
    offer = problem.offer[chosen]
    site = problem.site[offer]
    used = problem.held_gpus + np.bincount(offer, problem.gpus[chosen], problem.offers)
    nodes = np.ceil(used / GPUS_PER_NODE - 1e-9)
    columns = np.zeros(layout.columns)
    columns[: layout.nodes_at] = np.bincount(chosen, minlength=problem.choices)
    columns[layout.nodes_at : layout.open_at] = nodes
    columns[layout.open_at : layout.apart_at] = np.bincount(problem.site, nodes, problem.sites) > 0
    here = np.zeros(problem.workloads * problem.sites)
    here[mine * problem.sites + site] = 1.0
    columns[layout.apart_at :] = np.maximum(here[layout.from_place] - here[layout.to_place], 0.0)
    return columns


def chosen_of(layout: Layout, columns: FloatArray) -> IntArray:
    """[workloads] the choice that the columns of a solution take."""
    taken = np.flatnonzero(columns[: layout.problem.choices] > 0.5).astype(np.int32)
    chosen = np.empty(layout.problem.workloads, dtype=np.int32)
    chosen[layout.owner[taken]] = taken
    return chosen
