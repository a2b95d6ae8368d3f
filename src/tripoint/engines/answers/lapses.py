"""What to do with commitments already signed: how well the plan uses each until it ends, and how much of it to renew.

A commitment shares its pool's firm nodes with everything else there, so its use is the pool's: used over owned and
committed nodes, block by block. What it costs unused is sunk; what can still be decided is the day it ends.
"""

from __future__ import annotations

from tripoint.domain.decision import PoolState, Purchase, PurchaseAction
from tripoint.domain.plan import LapseAdvice
from tripoint.engines.answers.breakeven.ways import total
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance, PoolModel, SignedCommitment

_NEAR = 2
"""A new commitment renews an old one when it starts within so many periods of its end."""
_IDLE = 1e-3


def lapse_advice(instance: Instance, decisions: Decisions) -> tuple[LapseAdvice, ...]:
    """Every commitment that runs into the horizon, first to end first."""
    rows = [
        _advice(instance, decisions, pool, signed)
        for pool in instance.pools
        for signed in pool.signed
        if any(signed.months)
    ]
    return tuple(sorted(rows, key=lambda row: (row.ends, row.pool)))


def _advice(instance: Instance, decisions: Decisions, pool: PoolModel, signed: SignedCommitment) -> LapseAdvice:
    use = uses(instance, decisions.pools, pool.spec.id)
    months = sum(signed.months)
    mean = sum(use[period] * count for period, count in enumerate(signed.months)) / months
    unused = sum((1.0 - use[period]) * count for period, count in enumerate(signed.months))
    renewed = round(sum(row.nodes for row in _renewals(pool, signed, decisions.purchases)))
    return LapseAdvice(
        pool=pool.spec.id,
        nodes=signed.nodes,
        ends=signed.ends,
        mean_use=mean,
        unused_usd=total(signed.month_rates) * signed.nodes * unused,
        renew_nodes=renewed,
        advice=_sentence(instance, decisions, pool, signed, (mean, renewed)),
    )


def lapsing(instance: Instance, decisions: Decisions) -> tuple[Purchase, ...]:
    """What is let go as decisions on nodes: the part of each ending commitment that the plan does not renew."""
    rows: list[Purchase] = []
    for pool in instance.pools:
        for signed in pool.signed:
            if not any(signed.months) or runs_beyond(instance, signed):
                continue
            renewed = round(sum(row.nodes for row in _renewals(pool, signed, decisions.purchases)))
            if renewed < signed.nodes:
                rows.append(_lapse(pool, signed, signed.nodes - renewed))
    return tuple(rows)


def _lapse(pool: PoolModel, signed: SignedCommitment, nodes: int) -> Purchase:
    last = last_period(signed)
    return Purchase(
        pool=pool.spec.id,
        site=pool.spec.site.id,
        node_type=pool.spec.node.id,
        action=PurchaseAction.LAPSE,
        option="committed",
        nodes=float(nodes),
        order_period=last,
        service_period=0,
        until_period=last,
    )


def uses(instance: Instance, states: tuple[PoolState, ...], pool: str) -> tuple[float, ...]:
    """[period] share of a pool's owned and committed node-hours in use."""
    used, had = [0.0] * len(instance.periods), [0.0] * len(instance.periods)
    for state in states:
        if state.pool == pool:
            weight = instance.grid.blocks[state.block].weight
            firm = state.owned + state.committed
            had[state.period] += weight * firm
            used[state.period] += weight * min(firm, max(0.0, state.used - state.spot))
    return tuple(busy / held if held > 0 else 0.0 for busy, held in zip(used, had, strict=True))


def last_period(signed: SignedCommitment) -> int:
    """Last period it is paid in."""
    return max(period for period, months in enumerate(signed.months) if months)


def _renewals(pool: PoolModel, signed: SignedCommitment, purchases: tuple[Purchase, ...]) -> list[Purchase]:
    """New commitments in the pool that follow this one more closely than any other that ends."""
    ends = sorted({last_period(other) + 1 for other in pool.signed if any(other.months)})
    mine = last_period(signed) + 1
    first = next(s for s in pool.signed if any(s.months) and last_period(s) + 1 == mine)
    if first is not signed:
        return []
    return [
        row
        for row in purchases
        if row.pool == pool.spec.id and row.action is PurchaseAction.COMMIT
        if abs(row.order_period - mine) <= _NEAR
        and min(ends, key=lambda end: (abs(row.order_period - end), end)) == mine
    ]


def _sentence(
    instance: Instance,
    decisions: Decisions,
    pool: PoolModel,
    signed: SignedCommitment,
    found: tuple[float, int],
) -> str:
    mean, renewed = found
    whose = "its" if signed.nodes == 1 else "their"
    used = f"{mean:.0%} of {whose} hours are used until then".replace("%", " %", 1)
    nodes = _nodes(signed.nodes)
    if runs_beyond(instance, signed):
        runs = "runs" if signed.nodes == 1 else "run"
        return f"{nodes} {runs} until {signed.ends}, beyond the plan; {used.replace('until then', 'within it')}"
    if renewed == 0:
        every = "the node" if signed.nodes == 1 else f"all {nodes}"
        return f"let {every} lapse in {signed.ends}: {used}, and {_after(instance, decisions, pool, signed)}"
    if renewed < signed.nodes:
        rest = signed.nodes - renewed
        return f"renew {renewed} of {nodes} in {signed.ends} and let {rest} lapse: {used}"
    more = f" and add {renewed - signed.nodes}" if renewed > signed.nodes else ""
    every = "the node" if signed.nodes == 1 else f"all {nodes}"
    return f"renew {every} in {signed.ends}{more}: {used}"


def runs_beyond(instance: Instance, signed: SignedCommitment) -> bool:
    """True when it is still paid in the last month of the horizon."""
    return signed.months[-1] == instance.estate.horizon.period_months


def _after(instance: Instance, decisions: Decisions, pool: PoolModel, signed: SignedCommitment) -> str:
    """What the pool still has to do once the commitment is gone."""
    later = [s for s in decisions.pools if s.pool == pool.spec.id and s.period > last_period(signed)]
    peak = max((state.used for state in later), default=0.0)
    if peak <= _IDLE:
        return "the plan has no work for it afterwards"
    firm = max((state.owned + state.committed for state in later), default=0.0)
    how = "which other firm nodes carry" if firm >= peak - _IDLE else "rented when needed"
    return f"afterwards the busiest hours need {_nodes(peak)} here, {how}"


def _nodes(count: float) -> str:
    shown = f"{count:.2g}" if count % 1 and count < 10 else f"{count:,.0f}"
    return f"{shown} node{'' if count == 1 else 's'}"
