"""Synthetic single-period estates of any size: the same family the research before this product used, drawn anew.

Half of the sites are large clouds, the rest GPU clouds, halls one rents space in, own halls and branches. Clouds sell
on demand without limit and committed nodes with one; private sites hold about 60 % of all demand, have power for 70 %
of what their nodes draw, and cost a fixed sum once they are used. Workloads are lognormal in size; a fifth needs large
memory, 45 % must stay in one of three jurisdictions, 12 % may not run in rented clouds. Applications are six workloads
that send each other a few TB a month. Same seed, same estate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tripoint.engines.placement.assignment.problem import GPUS_PER_NODE, Assignment

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

CLOUD, GPU_CLOUD, COLO, OWN_HALL, BRANCH = range(5)
ON_DEMAND, COMMITTED, OWNED = range(3)
APPLICATION = 6
SPEED = np.array([1.0, 0.45, 0.35, 0.12])
"""Of an H100, an A100, an L40S and an L4, relative to the first."""
GPU_KW = np.array([1.3, 0.75, 0.55, 0.12])
"""kW per GPU, its part of the host included."""
USD_PER_GPU_HOUR = np.array([3.2, 1.9, 1.2, 0.6])
HOURS = 730.0
EGRESS = np.array([0.07, 0.01, 0.005, 0.005, 0.02])
USER_GB_PER_GBPS = 2000.0
_SHELVES = {
    CLOUD: ((0, ON_DEMAND), (0, COMMITTED), (1, ON_DEMAND), (2, COMMITTED), (3, ON_DEMAND)),
    COLO: ((0, OWNED), (1, OWNED), (2, OWNED), (3, OWNED), (0, OWNED)),
    BRANCH: ((3, OWNED), (2, OWNED), (3, OWNED), (2, OWNED), (3, OWNED)),
}
"""What a kind of site offers: (GPU, how it is bought)."""


@dataclass(frozen=True, slots=True)
class _Market:
    """Sites and what they sell."""

    kind: Ints
    jurisdiction: Ints
    site: Ints
    gpu: Ints
    bought: Ints
    node_usd: Floats


def draw(workloads: int, offers: int, seed: int = 0) -> Assignment:
    """An estate of `workloads` x `offers`."""
    random = np.random.default_rng(seed)
    market = _market(random, offers)
    size = random.lognormal(0.2, 1.1, workloads)
    gpus = (size[:, None] / (SPEED * random.lognormal(0.0, 0.25, (workloads, 4))))[:, market.gpu]
    allowed = _allowed(random, market, gpus)
    most = _most_nodes(random, market, float(size.sum()), gpus)
    sites = len(market.kind)
    is_private = market.kind >= COLO
    full_kw = np.bincount(market.site, most * GPUS_PER_NODE * GPU_KW[market.gpu], sites)
    gbps = random.lognormal(-1.0, 1.0, workloads)
    room = np.where(is_private, 1.2, 5.0) * gbps.sum() / sites
    uplink = room * random.uniform(0.8, 1.4, sites)
    opening = random.uniform(15e3, 40e3, sites)
    owner, offer = np.nonzero(allowed)
    egress = EGRESS[market.kind]
    sender, receiver, volume = _pairs(random, workloads)
    return Assignment(
        starts=np.concatenate([[0], np.cumsum(allowed.sum(1))]).astype(np.int32),
        offer=offer.astype(np.int32),
        gpus=gpus[owner, offer],
        usd=gbps[owner] * egress[market.site[offer]] * USER_GB_PER_GBPS,
        gbps=gbps,
        site=market.site.astype(np.int32),
        node_usd=market.node_usd,
        node_kw=GPUS_PER_NODE * GPU_KW[market.gpu],
        most_nodes=most,
        open_usd=np.where(is_private, opening, 0.0),
        power_kw=np.where(is_private, 0.7 * full_kw, np.inf),
        uplink_gbps=uplink,
        egress_usd=egress,
        sender=sender.astype(np.int32),
        receiver=receiver.astype(np.int32),
        pair_gb=volume,
        held_gpus=np.zeros(len(market.site)),
    )


def _market(random: np.random.Generator, offers: int) -> _Market:
    sites = max(4, offers // 5)
    shelf = offers // sites
    kind = random.choice(5, size=sites, p=[0.5, 0.15, 0.15, 0.1, 0.1])
    kind[:5] = np.array([CLOUD, COLO, CLOUD, GPU_CLOUD, OWN_HALL])[: min(5, sites)]
    jurisdiction = random.integers(0, 3, size=sites)
    jurisdiction[:3] = np.arange(3)
    site = np.repeat(np.arange(sites), shelf)
    stock = [
        _SHELVES[CLOUD if k <= GPU_CLOUD else COLO if k <= OWN_HALL else BRANCH][n % 5]
        for k in kind
        for n in range(shelf)
    ]
    gpu, bought = np.array([row[0] for row in stock]), np.array([row[1] for row in stock])
    at = kind[site]
    price = USD_PER_GPU_HOUR[gpu] * HOURS * GPUS_PER_NODE * random.uniform(0.85, 1.25, len(site))
    price *= np.array([1.0, 0.62, 0.42])[bought]
    price *= np.where(at == GPU_CLOUD, 0.7, np.where(at == BRANCH, 1.6, 1.0))
    electricity = GPU_KW[gpu] * GPUS_PER_NODE * 1.35 * HOURS * 0.09
    node_usd = price + np.where(bought == OWNED, electricity, 0.0)
    return _Market(kind=kind, jurisdiction=jurisdiction, site=site, gpu=gpu, bought=bought, node_usd=node_usd)


def _allowed(random: np.random.Generator, market: _Market, gpus: Floats) -> Flags:
    """[workloads, offers] what memory, residency, tenancy and the size of branches leave."""
    count = len(gpus)
    kind = market.kind[market.site]
    needs_memory = random.random(count) < 0.2
    home = np.where(random.random(count) < 0.45, random.integers(0, 3, count), -1)
    stays_private = random.random(count) < 0.12
    random.random(count)  # keeps the draws below where the research had them: its instances had one flag more
    allowed = ~(needs_memory[:, None] & (market.gpu >= 2)[None, :])
    allowed &= (home[:, None] < 0) | (market.jurisdiction[market.site][None, :] == home[:, None])
    allowed &= ~(stays_private[:, None] & (kind <= GPU_CLOUD)[None, :])
    allowed &= (kind != BRANCH)[None, :] | (gpus < 64.0)
    stranded = ~allowed.any(axis=1)
    allowed[stranded] = (market.gpu < 2) & (market.bought != COMMITTED)
    return allowed


def _most_nodes(random: np.random.Generator, market: _Market, demand: float, gpus: Floats) -> Floats:
    """[offers] whole nodes; what is not bought on demand adds up to about 60 % of demand."""
    is_limited = market.bought != ON_DEMAND
    worth = np.where(is_limited, SPEED[market.gpu] * GPUS_PER_NODE, 0.0) * random.uniform(0.5, 1.5, len(market.gpu))
    share = 0.6 * demand / worth[is_limited].sum()
    at_branch = np.where(market.kind[market.site] == BRANCH, 0.3, 1.0)
    limited = np.ceil(share * random.uniform(0.5, 1.5, len(market.gpu)) * at_branch)
    most = np.where(is_limited, limited, np.ceil(gpus.sum(axis=0) / GPUS_PER_NODE) + 1.0)
    return np.asarray(most, dtype=np.float64)


def _pairs(random: np.random.Generator, workloads: int) -> tuple[Ints, Ints, Floats]:
    count = int(1.5 * workloads)
    sender = random.integers(0, workloads, count)
    receiver = sender // APPLICATION * APPLICATION + random.integers(0, APPLICATION, count)
    receiver = np.minimum(receiver, workloads - 1)
    apart = sender != receiver
    sender, receiver = sender[apart], receiver[apart]
    return sender, receiver, random.lognormal(8.0, 1.2, len(sender))
