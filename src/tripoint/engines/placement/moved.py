"""What two plans decide differently: shares by pool, nodes by pool and period, and what it means in money."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tripoint.domain.decision import PurchaseAction
from tripoint.domain.plan import Plan

_SHARE = 0.05
"""Smaller shifts of a workload's demand are not worth a sentence."""
_NODES = 0.5
_DECIDED = (PurchaseAction.BUY, PurchaseAction.COMMIT, PurchaseAction.RETIRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One difference between two plans."""

    what: str
    """Workload or pool id."""
    where: str
    """Pool of a workload's share; what happens to the nodes of a pool and when."""
    before: float
    """Share of the workload's demand over the horizon, or nodes."""
    after: float
    """Likewise, in the later plan."""
    unit: str
    """`share` or `nodes`."""

    def __str__(self) -> str:
        """As a person reads it."""
        if self.unit == "share":
            return f"{self.what}: {self.where} {self.before * 100:.0f} % -> {self.after * 100:.0f} %"
        return f"{self.what}: {self.where} {self.before:g} -> {self.after:g} nodes"


def moved(before: Plan, after: Plan) -> tuple[Moved, ...]:
    """Differences worth telling, workloads first, the largest first."""
    return (*_shares(before, after), *_purchases(before, after))


def _shares(before: Plan, after: Plan) -> list[Moved]:
    old, new = _by_pool(before), _by_pool(after)
    rows = [
        Moved(what=workload, where=pool, before=old[workload, pool], after=new[workload, pool], unit="share")
        for workload, pool in {**old, **new}
        if abs(new.get((workload, pool), 0.0) - old.get((workload, pool), 0.0)) >= _SHARE
    ]
    return sorted(rows, key=lambda row: (-abs(row.after - row.before), row.what, row.where))


def _by_pool(plan: Plan) -> defaultdict[tuple[str, str], float]:
    """(workload, pool) -> share of its demand, mean over periods; blocks by the hours they last where callers wait."""
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    totals: defaultdict[str, float] = defaultdict(float)
    for row in plan.placements:
        part = row.share * plan.blocks[row.block].weight
        sums[row.workload, row.pool] += part
        totals[row.workload] += part
    return defaultdict(float, {key: value / totals[key[0]] for key, value in sums.items() if totals[key[0]] > 0})


def _purchases(before: Plan, after: Plan) -> list[Moved]:
    old, new = _decided(before), _decided(after)
    rows = [
        Moved(
            what=pool,
            where=f"{action} in {when}",
            before=old[pool, action, when],
            after=new[pool, action, when],
            unit="nodes",
        )
        for pool, action, when in {**old, **new}
        if abs(new.get((pool, action, when), 0.0) - old.get((pool, action, when), 0.0)) >= _NODES
    ]
    return sorted(rows, key=lambda row: (row.what, row.where))


def _decided(plan: Plan) -> defaultdict[tuple[str, str, str], float]:
    nodes: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for row in plan.purchases:
        if row.action in _DECIDED and 0 <= row.order_period < len(plan.periods):
            nodes[row.pool, str(row.action), plan.periods[row.order_period]] += row.nodes
    return nodes
