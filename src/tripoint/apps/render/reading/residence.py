"""Who lives where: each workload's demand of a period, split by site and by how the capacity is paid.

Firm nodes of a pool are used in the order they are cheapest to use: owned first, then committed, then
on-demand; workloads sharing a pool in a block share that mix. Blocks weigh by their hours for interactive
workloads, whose shares sum to one in every block; work of the other kinds is already a share of the period.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.domain.decision import Placement, PoolState
from tripoint.domain.plan import Plan

TENURES = ("owned", "committed", "elastic")
"""How capacity is paid: bought, promised, or only while used (on-demand, spot, tokens)."""

Mix = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Part of a workload's demand in one period."""

    site: str
    """Site id."""
    layer: str
    """Layer of the site."""
    tenure: str
    """One of `TENURES`."""
    share: float
    """Share of the workload's demand in the period, 0 to 1."""


def residence(plan: Plan) -> dict[str, tuple[tuple[Stay, ...], ...]]:
    """[workload][period]: stays, largest first; the shares of a period sum to 1 unless nothing is placed."""
    layers = {site.id: site.layer for site in plan.sites}
    interactive = {workload.id for workload in plan.workloads if workload.kind == "inference"}
    mixes = {(state.pool, state.period, state.block): firm_mix(state) for state in plan.pools}
    weights: dict[str, list[dict[tuple[str, str], float]]] = {
        workload.id: [defaultdict(float) for _ in plan.periods] for workload in plan.workloads
    }
    for placement in plan.placements:
        weight = _weight(plan, placement, placement.workload in interactive)
        mix = _mix(placement, mixes)
        cell = weights.setdefault(placement.workload, [defaultdict(float) for _ in plan.periods])
        for tenure, share in mix.items():
            cell[placement.period][placement.site, tenure] += weight * share
    return {name: tuple(_stays(cell, layers) for cell in cells) for name, cells in weights.items()}


def tenure_shares(stays: tuple[tuple[Stay, ...], ...]) -> dict[str, float]:
    """Mean share by tenure over the periods in which the workload is placed."""
    placed = [period for period in stays if period]
    found = dict.fromkeys(TENURES, 0.0)
    for period in placed:
        for stay in period:
            found[stay.tenure] += stay.share / len(placed)
    return found


def sites_of(stays: tuple[Stay, ...]) -> tuple[str, ...]:
    """Sites of a period, most demand first."""
    sums: dict[str, float] = defaultdict(float)
    for stay in stays:
        sums[stay.site] += stay.share
    return tuple(sorted(sums, key=lambda site: (-sums[site], site)))


def firm_mix(state: PoolState) -> Mix:
    """How the firm nodes used in a pool split over tenures."""
    used = max(0.0, state.used - state.spot)
    if used <= 0:
        return {"elastic": 1.0}
    owned = min(state.owned, used)
    committed = min(state.committed, used - owned)
    shares = {
        "owned": owned / used,
        "committed": committed / used,
        "elastic": (used - owned - committed) / used,
    }
    return {tenure: share for tenure, share in shares.items() if share > 1e-9}


def _mix(placement: Placement, mixes: Mapping[tuple[str, int, int], Mix]) -> Mix:
    if placement.lane != "firm":
        return {"elastic": 1.0}
    return mixes.get((placement.pool, placement.period, placement.block), {"elastic": 1.0})


def _weight(plan: Plan, placement: Placement, is_interactive: bool) -> float:
    return placement.share * (plan.blocks[placement.block].weight if is_interactive else 1.0)


def _stays(cell: Mapping[tuple[str, str], float], layers: Mapping[str, str]) -> tuple[Stay, ...]:
    total = sum(cell.values())
    if total <= 0:
        return ()
    found = [
        Stay(site=site, layer=layers.get(site, ""), tenure=tenure, share=weight / total)
        for (site, tenure), weight in cell.items()
        if weight / total > 1e-6
    ]
    return tuple(sorted(found, key=lambda stay: (-stay.share, stay.site, TENURES.index(stay.tenure))))
