"""What is asked and what a second plan adds for it, in the estate's words."""

from __future__ import annotations

import math

from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Miss, Reached, cost_told

_TOLD = 0.05
"""Least share that moves worth a word."""


def added(before: Plan, after: Plan, workload: str) -> str:
    """Where the second plan serves more of the workload, keeps standby for it or makes copies; empty without any."""
    parts = [*_standby(before, after, workload), *_moved(before, after, workload), *_copies(before, after)]
    return ", ".join(parts)


def _moved(before: Plan, after: Plan, workload: str) -> list[str]:
    """Sites that serve at least a twentieth more of it than before, on the mean of periods and blocks."""
    old, new = _shares(before, workload), _shares(after, workload)
    rises = [site for site in new if new[site] >= old.get(site, 0.0) + _TOLD]
    return [f"{new[site]:.0%} of it served at `{site}` instead of {old.get(site, 0.0):.0%}" for site in sorted(rises)]


def _shares(plan: Plan, workload: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in plan.placements:
        if row.workload == workload:
            found[row.site] = found.get(row.site, 0.0) + row.share
    whole = sum(found.values())
    return {site: share / whole for site, share in found.items()} if whole > 0.0 else {}


def _standby(before: Plan, after: Plan, workload: str) -> list[str]:
    kept: dict[tuple[str, str, str], tuple[float, float]] = {}
    old = {(row.pool, row.period): row.share for row in before.standby if row.workload == workload}
    for row in after.standby:
        if row.workload == workload and row.share > old.get((row.pool, row.period), 0.0) + 1e-6:
            key = (row.mode, row.pool, row.site)
            nodes, share = kept.get(key, (0.0, 0.0))
            kept[key] = (max(nodes, row.nodes), max(share, row.share))
    told: list[str] = []
    for (mode, pool, site), (nodes, share) in sorted(kept.items()):
        node = pool.partition("/")[2]
        if nodes >= 0.05:
            told.append(f"{nodes:.1f} nodes of {node} kept {'' if mode == 'cold' else f'{mode} '}at `{site}`")
        else:
            told.append(f"{share:.0%} to rent at `{site}`")
    return told


def _copies(before: Plan, after: Plan) -> list[str]:
    old = {(row.dataset, row.site) for row in before.copies}
    new = dict.fromkeys((row.dataset, row.site) for row in after.copies if (row.dataset, row.site) not in old)
    return [f"a copy of `{dataset}` at `{site}`" for dataset, site in new]


def asked_of(reached: Reached) -> str:
    """An objective and whose it is: ``site-loss RTO 15 min for `fraud-scoring` ``."""
    objective = reached.objective
    asked: list[str] = []
    if objective is not None and objective.rto_minutes is not None:
        share = "" if reached.least_share >= 1.0 else f" at {reached.least_share:.0%}"
        asked.append(f"RTO {objective.rto_minutes:g} min{share}")
    elif objective is not None and objective.rpo_minutes is None and objective.highest_cost_factor is None:
        asked.append(f"at least {reached.least_share:.0%}")
    if objective is not None and objective.rpo_minutes is not None:
        asked.append(f"RPO {objective.rpo_minutes:g} min")
    if objective is not None and objective.highest_cost_factor is not None:
        asked.append(f"cost at most x{objective.highest_cost_factor:g}")
    return f"{reached.disruption.value.replace('_', '-')}-loss {', '.join(asked)} for `{reached.workload}`"


def short_of(reached: Reached) -> str:
    """How far a change falls short: `, back in 5.4 min`."""
    told: list[str] = []
    if Miss.TIME in reached.misses:
        told.append("never back" if math.isinf(reached.rta_s) else f"back in {reached.rta_s / 60:.1f} min")
    if Miss.POINT in reached.misses:
        told.append("all lost" if math.isinf(reached.rpa_s) else f"the last {reached.rpa_s / 60:.1f} min lost")
    if Miss.COST in reached.misses:
        told.append(cost_told(reached.cost_factor))
    return "".join(f", {each}" for each in told)
