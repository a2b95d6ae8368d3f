"""A proven lower bound by prices: what it costs when every workload chooses alone and pays for what all share.

Lagrangian relaxation: GPUs of an offer, Gbit/s of a site and the egress rows get prices; each workload then takes its
cheapest choice, each site the nodes that pay for themselves, each pair is paid for at its price. Whatever the prices,
the sum is a lower bound (Geoffrion, Lagrangean relaxation for integer programming, 1974). They are moved along the
subgradient with Adam steps (Kingma and Ba, 2015), which settle where plain subgradient steps still swing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.placement.assignment.layout import Layout
from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, IntArray

_FIRST_STEP = 0.1
_NEAR_STEP = 0.01
_LAST_STEP = 0.0005
_SETTLED = 0.4
"""Visits are counted after this share of the steps: choices of the first prices mean nothing."""
_WHOLE_EVERY = 25
"""Steps between two looks at every choice; in between only promising ones are priced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What shared things cost."""

    gpu: FloatArray
    """[offers] USD per GPU and month."""
    gbps: FloatArray
    """[sites] USD per Gbit/s and month."""
    kw: FloatArray
    """[sites] USD per kW and month."""
    apart: FloatArray
    """[apart] part of the egress charge that the sender pays for itself, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DualBound:
    """The best bound met and what was learned on the way."""

    usd: float
    """Proven lower bound, USD per month."""
    prices: Prices
    """Those of the bound."""
    visits: FloatArray
    """[choices] how often a workload chose it once prices had settled, as a share of steps."""
    nodes: FloatArray
    """[offers] nodes for that use, on the mean."""
    opened: FloatArray
    """[sites] 1 where any of them stand."""


def reduced_costs(layout: Layout, prices: Prices) -> FloatArray:
    """[choices] USD per month of a choice when what it shares is paid at these prices."""
    problem = layout.problem
    return layout.usd + prices.gpu[problem.offer] * problem.gpus + _place_prices(layout, prices)[layout.at]


def above_least(layout: Layout, prices: Prices, costs: FloatArray, chosen: IntArray) -> FloatArray:
    """[workloads] USD per month by which each one's choice ([workloads]) is above the bound at these prices.

    `costs` is [choices] reduced costs. Each end of a pair counts half of what the pair pays beyond its price.
    """
    problem = layout.problem
    regret = costs[chosen] - np.minimum.reduceat(costs, problem.starts[:-1])
    here = np.zeros(problem.workloads * problem.sites)
    here[layout.at[chosen]] = 1.0
    apart = here[layout.from_place] - here[layout.to_place]
    half = layout.apart_usd * (np.maximum(apart, 0.0) - prices.apart * apart) / 2.0
    for place in (layout.from_place, layout.to_place):
        regret += np.bincount(place // problem.sites, half, problem.workloads)
    return np.maximum(regret, 0.0)


def _place_prices(layout: Layout, prices: Prices) -> FloatArray:
    """[workloads x sites] what being at a site costs a workload: its uplink, and its part of the pairs."""
    problem = layout.problem
    size = problem.workloads * problem.sites
    paid = prices.apart * layout.apart_usd
    pairs = np.bincount(layout.from_place, paid, size) - np.bincount(layout.to_place, paid, size)
    uplink = problem.gbps[:, None] * prices.gbps[None, :]
    return np.asarray(pairs + uplink.ravel(), dtype=np.float64)


def _nodes(layout: Layout, prices: Prices) -> tuple[FloatArray, BoolArray, float]:
    """[offers] nodes that pay for themselves at these prices, [sites] those opened, and what both add to the bound."""
    problem = layout.problem
    kw = np.where(np.isfinite(problem.power_kw), problem.power_kw, 0.0)
    gain = problem.node_usd + prices.kw[problem.site] * problem.node_kw - GPUS_PER_NODE * prices.gpu
    nodes = np.where(gain < 0, problem.most_nodes, 0.0)
    worth = problem.open_usd - prices.kw * kw + np.bincount(problem.site, gain * nodes, problem.sites)
    opened = worth < 0
    return nodes * opened[problem.site], opened, float(worth[opened].sum() + prices.gpu @ problem.held_gpus)


def bound_at(layout: Layout, prices: Prices) -> float:
    """The lower bound that these prices prove, USD per month; any prices that are not negative prove one."""
    least = np.minimum.reduceat(reduced_costs(layout, prices), layout.problem.starts[:-1])
    _, _, worth = _nodes(layout, prices)
    return float(least.sum()) + worth - float(prices.gbps @ layout.problem.uplink_gbps)


def prices_of(layout: Layout, kernel: Layout, duals: FloatArray, otherwise: Prices) -> Prices:
    """Row duals of a kernel's relaxation as prices of the whole; egress that has no row there is priced otherwise."""
    problem = layout.problem
    opening = int((problem.open_usd[problem.site] > 0).sum())
    is_limited = np.isfinite(problem.power_kw)
    counts = (problem.workloads, problem.offers, opening, int(is_limited.sum()), problem.sites, len(kernel.pair))
    _, gpu, _, power, gbps, apart = np.split(np.maximum(-duals, 0.0), np.cumsum(counts)[:-1])
    kw = np.zeros(problem.sites)
    kw[is_limited] = power
    shares = otherwise.apart.copy()
    shares[shared_pairs(layout, kernel)] = np.clip(apart / np.maximum(kernel.apart_usd, 1e-9), 0.0, 1.0)
    # Nodes nobody runs on have no price there: what they cost is the most that leaves them unbought.
    own = (problem.node_usd + kw[problem.site] * problem.node_kw) / GPUS_PER_NODE
    return Prices(gpu=np.maximum(gpu, own), gbps=gbps, kw=kw, apart=shares)


def shared_pairs(layout: Layout, kernel: Layout) -> NDArray[np.intp]:
    """[apart of the kernel] where the layout of the whole has the same pair at the same site."""
    return np.searchsorted(_pair_key(layout), _pair_key(kernel))


def _pair_key(layout: Layout) -> NDArray[np.int64]:
    return layout.pair.astype(np.int64) * layout.problem.sites + layout.pair_site


@dataclass(slots=True)
class _Adam:
    """Step sizes by coordinate: the mean of past slopes over the root of their mean square."""

    mean: FloatArray
    square: FloatArray
    steps: int = 0

    def step(self, slope: FloatArray, rate: float) -> FloatArray:
        self.steps += 1
        self.mean *= 0.9
        self.mean += 0.1 * slope
        self.square *= 0.99
        self.square += 0.01 * slope * slope
        forward = self.mean / (1.0 - 0.9**self.steps)
        return rate * forward / (np.sqrt(self.square / (1.0 - 0.99**self.steps)) + 1e-9)


@dataclass(slots=True)
class DualAscent:
    """The walk uphill; prices are kept in units of their usual size, so that one step size fits all."""

    layout: Layout
    """What is bounded."""

    def run(self, steps: int, near: Prices | None = None) -> DualBound:
        """The best bound of `steps` steps, begun afresh or near prices that are good already."""
        layout, problem = self.layout, self.layout.problem
        units, top = self._units()
        theta = self._first() if near is None else self._units_of(near, units)
        first = _FIRST_STEP if near is None else _NEAR_STEP
        adam = _Adam(np.zeros(len(theta)), np.zeros(len(theta)))
        visits = np.zeros(problem.choices)
        best, best_theta = -np.inf, theta
        promising: tuple[IntArray, IntArray] | None = None
        for number in range(steps):
            rate = first * (_LAST_STEP / first) ** (number / steps)
            prices = self._prices(theta * units)
            whole = promising is None or number % _WHOLE_EVERY == 0 or number == steps - 1
            if whole:
                chosen, least, promising = self._choose(prices, 0.05 + 12.0 * rate)
            else:
                assert promising is not None
                chosen, least = self._choose_near(prices, promising)
            nodes, opened, worth = _nodes(layout, prices)
            if whole:
                usd = least + worth - float(prices.gbps @ problem.uplink_gbps)
                if usd > best:
                    best, best_theta = usd, theta
            if number >= steps * _SETTLED:
                visits[chosen] += 1.0
            theta = np.clip(theta + adam.step(self._slope(chosen, nodes, opened) * units, rate), 0.0, top)
        settled = max(1.0, steps * (1.0 - _SETTLED))
        visits /= settled
        used = np.bincount(problem.offer, visits * problem.gpus, problem.offers) + problem.held_gpus
        nodes = used / GPUS_PER_NODE
        return DualBound(
            usd=float(best),
            prices=self._prices(best_theta * units),
            visits=visits,
            nodes=nodes,
            opened=np.asarray(np.bincount(problem.site, nodes, problem.sites) > 0, dtype=np.float64),
        )

    def _sizes(self) -> tuple[int, int, int]:
        problem = self.layout.problem
        return problem.offers, problem.offers + problem.sites, problem.offers + 2 * problem.sites

    def _units(self) -> tuple[FloatArray, FloatArray]:
        problem = self.layout.problem
        gpu = problem.node_usd / GPUS_PER_NODE
        gbps = float(gpu.mean() / max(problem.gbps.mean(), 1e-9)) if problem.workloads else 1.0
        kw = float((problem.node_usd / problem.node_kw).mean())
        sites = problem.sites
        units = np.concatenate([gpu, np.full(sites, gbps), np.full(sites, kw), np.ones(len(self.layout.pair))])
        top = np.concatenate([np.full(problem.offers, 20.0), np.full(2 * sites, 50.0), np.ones(len(self.layout.pair))])
        is_unlimited = ~np.isfinite(problem.power_kw)
        top[problem.offers + sites : problem.offers + 2 * sites][is_unlimited] = 0.0
        return units, top

    def _first(self) -> FloatArray:
        problem = self.layout.problem
        pairs = np.full(len(self.layout.pair), 0.5)
        return np.concatenate([np.ones(problem.offers), np.zeros(2 * problem.sites), pairs])

    @staticmethod
    def _units_of(prices: Prices, units: FloatArray) -> FloatArray:
        return np.concatenate([prices.gpu, prices.gbps, prices.kw, prices.apart]) / units

    def _prices(self, values: FloatArray) -> Prices:
        gpu, gbps, kw = self._sizes()
        return Prices(gpu=values[:gpu], gbps=values[gpu:gbps], kw=values[gbps:kw], apart=values[kw:])

    def _choose(self, prices: Prices, reach: float) -> tuple[IntArray, float, tuple[IntArray, IntArray]]:
        """Every workload's cheapest choice, what all of them cost, and the choices that are not far from it."""
        layout, problem = self.layout, self.layout.problem
        cost = reduced_costs(layout, prices)
        least = np.minimum.reduceat(cost, problem.starts[:-1])
        spread = self._weights() * reach
        near = np.flatnonzero(cost <= (least + spread)[layout.owner]).astype(np.int32)
        starts = np.searchsorted(near, problem.starts[:-1]).astype(np.int32)
        tied = near[cost[near] <= least[layout.owner[near]]]
        chosen = np.empty(problem.workloads, dtype=np.int32)
        chosen[layout.owner[tied][::-1]] = tied[::-1]
        return chosen, float(least.sum()), (near, starts)

    def _choose_near(self, prices: Prices, near: tuple[IntArray, IntArray]) -> tuple[IntArray, float]:
        layout, problem = self.layout, self.layout.problem
        choices, starts = near
        places = _place_prices(layout, prices)
        cost = layout.usd[choices] + prices.gpu[problem.offer[choices]] * problem.gpus[choices]
        cost += places[layout.at[choices]]
        least = np.minimum.reduceat(cost, starts)
        owner = layout.owner[choices]
        tied = choices[cost <= least[owner]]
        chosen = np.empty(problem.workloads, dtype=np.int32)
        chosen[layout.owner[tied][::-1]] = tied[::-1]
        return chosen, float(least.sum())

    def _weights(self) -> FloatArray:
        """[workloads] USD per month that move when prices do: nodes at the cheapest choice, and all pairs."""
        problem, layout = self.layout.problem, self.layout
        nodes = problem.gpus * problem.node_usd[problem.offer] / GPUS_PER_NODE
        pairs = np.zeros(problem.workloads)
        for place in (layout.from_place, layout.to_place):
            np.maximum.at(pairs, place // problem.sites, layout.apart_usd)
        return np.minimum.reduceat(nodes, problem.starts[:-1]) + pairs

    def _slope(self, chosen: IntArray, nodes: FloatArray, opened: BoolArray) -> FloatArray:
        layout, problem = self.layout, self.layout.problem
        offer = problem.offer[chosen]
        site = problem.site[offer]
        gpus = problem.held_gpus + np.bincount(offer, problem.gpus[chosen], problem.offers) - GPUS_PER_NODE * nodes
        gbps = np.bincount(site, problem.gbps, problem.sites) - problem.uplink_gbps
        limit = np.where(np.isfinite(problem.power_kw) & opened, problem.power_kw, 0.0)
        kw = np.bincount(problem.site, nodes * problem.node_kw, problem.sites) - limit
        here = np.zeros(problem.workloads * problem.sites)
        here[layout.at[chosen]] = 1.0
        apart = (here[layout.from_place] - here[layout.to_place]) * layout.apart_usd
        return np.concatenate([gpus, gbps, kw, apart])
