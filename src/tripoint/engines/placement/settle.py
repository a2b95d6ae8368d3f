"""The statement of a plan: price the activities of every column used, then let workloads and idle rows bear pools.

The rows sum to the optimiser's objective before discounting, by construction: both come from the same cost terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tripoint.domain.charge import Charge, CommitmentStatus
from tripoint.domain.decision import Placement, StandbyDecision
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.costing.allocate import allocate
from tripoint.engines.costing.statement import Activity, price
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.milp.program import FloatArray

_TINY = 1e-9
_FIRM = (PurchaseOption.OWNED.value, PurchaseOption.COMMITTED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """Who used a pool in a period, node-hours."""

    firm_hours: Mapping[str, float]
    """By workload, on owned and committed nodes."""
    elastic_hours: Mapping[str, float]
    """By workload, on rented nodes."""
    firm_capacity: float
    """Node-hours of owned and committed nodes."""


def quantities(form: Formulation, values: FloatArray) -> dict[Activity, float]:
    """How much of each activity the solution consumes."""
    amounts: dict[Activity, float] = {}
    taken = values.tolist()
    for term in form.costs:
        amount = taken[term.column] * term.quantity
        if abs(amount) > _TINY:
            amounts[term.activity] = amounts.get(term.activity, 0.0) + amount
    return amounts


def undiscounted_usd(form: Formulation, values: FloatArray) -> float:
    """The objective before discounting."""
    amounts: list[float] = values.tolist()
    return sum([term.usd * amounts[term.column] for term in form.costs])


def statement(form: Formulation, values: FloatArray, decisions: Decisions) -> tuple[Charge, ...]:
    """All charge rows; pool rows are split by use, what nobody used is a row of its own."""
    uses = pool_uses(form, decisions)
    rows: list[Charge] = []
    pooled: dict[tuple[str, int, bool], list[Charge]] = {}
    worked: dict[tuple[str, int], list[Charge]] = {}
    for activity, amount in quantities(form, values).items():
        charges = price(activity, max(amount, 0.0))
        pool = f"{activity.site}/{activity.resource}"
        if activity.status is CommitmentStatus.USED:
            worked.setdefault((pool, activity.period), []).extend(charges)
        elif activity.workload is None and activity.option and (pool, activity.period) in uses:
            key = (pool, activity.period, activity.option in _FIRM)
            pooled.setdefault(key, []).extend(charges)
        else:
            rows.extend(charges)
    for (pool, period, is_firm), bill in pooled.items():
        use = uses[pool, period]
        if is_firm:
            rows.extend(allocate(bill, use.firm_hours, use.firm_capacity))
        else:
            rows.extend(_unmarked(allocate(bill, use.elastic_hours, 0.0)))
    for place, bill in worked.items():
        rows.extend(allocate(bill, uses[place].firm_hours, 0.0))
    return tuple(sorted(rows, key=_order))


def _unmarked(charges: Iterable[Charge]) -> Iterable[Charge]:
    """Rented nodes are no commitment: the Used and Unused marks do not apply to them."""
    return [replace(charge, status=None) for charge in charges]


def _order(row: Charge) -> tuple[int, str, str, str, str, str]:
    return (row.period, row.site, row.resource, row.option, row.kind.value, row.workload or "~")


def pool_uses(form: Formulation, decisions: Decisions) -> dict[tuple[str, int], PoolUse]:
    """Node-hours by workload of every pool and period; firm nodes are filled first."""
    by_block = _nodes_by_block(decisions.placements, decisions.standby, form.instance.blocks)
    firm = {(s.pool, s.period, s.block): s.owned + s.committed for s in decisions.pools}
    uses: dict[tuple[str, int], PoolUse] = {}
    for state in decisions.pools:
        if state.block:
            continue
        firm_hours: dict[str, float] = {}
        elastic_hours: dict[str, float] = {}
        for block in form.instance.blocks:
            users = by_block.get((state.pool, state.period, block), {})
            used = sum(users.values())
            part = min(1.0, firm[state.pool, state.period, block] / used) if used > 0 else 0.0
            hours = form.instance.block_hours(block)
            for workload, nodes in users.items():
                firm_hours[workload] = firm_hours.get(workload, 0.0) + nodes * part * hours
                elastic_hours[workload] = elastic_hours.get(workload, 0.0) + nodes * (1 - part) * hours
        uses[state.pool, state.period] = PoolUse(
            firm_hours=firm_hours,
            elastic_hours=elastic_hours,
            firm_capacity=firm[state.pool, state.period, 0] * form.instance.grid.period_hours,
        )
    return uses


def _nodes_by_block(
    placements: tuple[Placement, ...], standby: tuple[StandbyDecision, ...], blocks: range
) -> dict[tuple[str, int, int], dict[str, float]]:
    users: dict[tuple[str, int, int], dict[str, float]] = {}

    def add(pool: str, period: int, block: int, workload: str, nodes: float) -> None:
        here = users.setdefault((pool, period, block), {})
        here[workload] = here.get(workload, 0.0) + nodes

    for row in placements:
        if row.lane == "firm":
            add(row.pool, row.period, row.block, row.workload, row.nodes)
    for kept in standby:
        for block in blocks:
            add(kept.pool, kept.period, block, kept.workload, kept.nodes)
    return users
