"""What an hour of work on a pool's firm nodes costs in this plan, idle hours included.

All charges of the pool's owned (or committed) nodes over the node-hours of work they did: the figure that a rented
hour of the same work is compared with. Firm nodes are filled before rented ones, owned and committed alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.domain.charge import Charge
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmCost:
    """One pool, one firm way."""

    usd_per_used_hour: float
    """Effective cost of a node-hour of work, USD."""
    use: float
    """Share of the node-hours held that did work."""


def firm_costs(
    instance: Instance, decisions: Decisions, charges: tuple[Charge, ...]
) -> Mapping[tuple[str, str], FirmCost]:
    """[pool, `owned` or `committed`] cost and use, for those that did any work."""
    used: dict[tuple[str, str], float] = {}
    had: dict[tuple[str, str], float] = {}
    for state in decisions.pools:
        hours = instance.block_hours(state.block)
        firm = state.owned + state.committed
        part = min(1.0, max(0.0, state.used - state.spot) / firm) if firm > 0 else 0.0
        for way, nodes in (("owned", state.owned), ("committed", state.committed)):
            key = (state.pool, way)
            had[key] = had.get(key, 0.0) + nodes * hours
            used[key] = used.get(key, 0.0) + nodes * part * hours
    spent: dict[tuple[str, str], float] = {}
    for row in charges:
        key = (f"{row.site}/{row.resource}", row.option)
        spent[key] = spent.get(key, 0.0) + row.effective_usd
    return {
        key: FirmCost(usd_per_used_hour=spent.get(key, 0.0) / hours, use=hours / had[key])
        for key, hours in used.items()
        if hours > 0
    }
