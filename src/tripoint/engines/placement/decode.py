"""From column values back to decisions: the inverse of `formulate`, without prices."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tripoint.domain.decision import (
    CopyDecision,
    ExpansionDecision,
    Placement,
    PoolState,
    Purchase,
    PurchaseAction,
    StandbyDecision,
    TransferRow,
)
from tripoint.domain.plan import Plan
from tripoint.engines.placement.columns.coefficients import nodes_per_share, volume_share
from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.columns.serving import standby_mode
from tripoint.engines.placement.families.serving import standby_nodes_per_share
from tripoint.engines.placement.instance.instance import LaneKind, PoolModel
from tripoint.engines.placement.milp.program import FloatArray

_TINY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Everything decided, in the plan's words."""

    placements: tuple[Placement, ...]
    pools: tuple[PoolState, ...]
    purchases: tuple[Purchase, ...]
    expansions: tuple[ExpansionDecision, ...]
    copies: tuple[CopyDecision, ...]
    standby: tuple[StandbyDecision, ...]
    transfers: tuple[TransferRow, ...]

    def in_place_of(self, plan: Plan) -> Plan:
        """The plan with these decisions; what was worked out from its own is left as it was."""
        return replace(
            plan,
            placements=self.placements,
            pools=self.pools,
            purchases=self.purchases,
            expansions=self.expansions,
            copies=self.copies,
            standby=self.standby,
            transfers=self.transfers,
        )


def decode(form: Formulation, values: FloatArray) -> Decisions:
    """Reads decisions off the column values."""
    placements = _placements(form, values)
    standby = _standby(form, values)
    return Decisions(
        placements=placements,
        pools=_pool_states(form, values, placements, standby),
        purchases=_purchases(form, values),
        expansions=_expansions(form, values),
        copies=_copies(form, values),
        standby=standby,
        transfers=_transfers(form, values),
    )


def total(terms: Terms, values: FloatArray) -> float:
    """Value of a sum of columns."""
    return sum(float(values[column]) * factor for column, factor in terms)


def _placements(form: Formulation, values: FloatArray) -> tuple[Placement, ...]:
    instance = form.instance
    found: list[Placement] = []
    for (number, period, block), column in form.serve.items():
        share = float(values[column])
        if share <= _TINY:
            continue
        lane = instance.lanes[number]
        nodes = 0.0
        if lane.kind is not LaneKind.API:
            nodes = share * nodes_per_share(instance, lane, period, block)
        found.append(
            Placement(
                workload=instance.workload(lane).id,
                site=lane.fit.site,
                pool=lane.fit.pool,
                node_type=lane.fit.node_type,
                lane=lane.kind.value,
                period=period,
                block=block,
                share=share,
                nodes=nodes,
            )
        )
    return tuple(sorted(found, key=lambda row: (row.period, row.block, row.workload, row.pool, row.lane)))


def _standby(form: Formulation, values: FloatArray) -> tuple[StandbyDecision, ...]:
    instance = form.instance
    rows: list[StandbyDecision] = []
    for (number, period), column in form.standby.items():
        share = float(values[column])
        if share <= _TINY:
            continue
        lane = instance.lanes[number]
        rows.append(
            StandbyDecision(
                workload=instance.workload(lane).id,
                site=lane.fit.site,
                pool=lane.fit.pool,
                mode=standby_mode(form, lane.workload),
                period=period,
                share=share,
                nodes=share * standby_nodes_per_share(form, number, period),
            )
        )
    return tuple(rows)


def _pool_states(
    form: Formulation,
    values: FloatArray,
    placements: tuple[Placement, ...],
    standby: tuple[StandbyDecision, ...],
) -> tuple[PoolState, ...]:
    used: dict[tuple[str, int, int, str], float] = {}
    for row in placements:
        key = (row.pool, row.period, row.block, row.lane)
        used[key] = used.get(key, 0.0) + row.nodes
    waiting: dict[tuple[str, int], float] = {}
    for kept in standby:
        waiting[kept.pool, kept.period] = waiting.get((kept.pool, kept.period), 0.0) + kept.nodes
    states: list[PoolState] = []
    for number, pool in enumerate(form.instance.pools):
        for period in form.instance.periods:
            owned = total(form.owned_terms(number, period), values) * pool.count
            committed = total(form.commit_terms(number, period), values) * pool.count
            committed += form.signed_nodes(number, period)
            for block in form.instance.blocks:
                rent = form.rent.get((number, period, block))
                name = pool.spec.id
                spot = used.get((name, period, block, LaneKind.SPOT.value), 0.0)
                firm = used.get((name, period, block, LaneKind.FIRM.value), 0.0)
                states.append(
                    PoolState(
                        pool=name,
                        site=pool.spec.site.id,
                        node_type=pool.spec.node.id,
                        period=period,
                        block=block,
                        owned=owned,
                        committed=committed,
                        on_demand=0.0 if rent is None else float(values[rent]),
                        spot=spot,
                        used=firm + spot + waiting.get((name, period), 0.0),
                        gpus_per_node=pool.gpus,
                    )
                )
    return tuple(states)


def _purchases(form: Formulation, values: FloatArray) -> tuple[Purchase, ...]:
    rows: list[Purchase] = []
    last = len(form.instance.periods) - 1
    for (number, order), column in form.buy.items():
        pool = form.instance.pools[number]
        if values[column] > _TINY:
            service = order + pool.lead_periods
            nodes = float(values[column]) * pool.count
            rows.append(_purchase(pool, PurchaseAction.BUY, "owned", nodes, (order, service, last)))
    for (number, index, start), column in form.commit.items():
        pool = form.instance.pools[number]
        if values[column] > _TINY:
            term = pool.terms[index]
            until = min(last, start + term.periods - 1)
            nodes = float(values[column]) * pool.count
            rows.append(
                _purchase(
                    pool,
                    PurchaseAction.COMMIT,
                    "committed",
                    nodes,
                    (start, start, until),
                    term.offer.term_months,
                )
            )
    for number, pool in enumerate(form.instance.pools):
        rows.extend(_standing(form, values, number, pool))
    return tuple(sorted(rows, key=lambda row: (row.order_period, row.pool, row.action)))


def _standing(form: Formulation, values: FloatArray, number: int, pool: PoolModel) -> list[Purchase]:
    """Held nodes kept or retired, signed commitments, and what is rented on top."""
    rows: list[Purchase] = []
    last = len(form.instance.periods) - 1
    before = float(pool.held)
    for period in form.instance.periods if pool.held else ():
        now = float(values[form.keep[number, period]])
        if before - now > _TINY:
            gone = (before - now) * pool.count
            # They are gone from this period on: neither counted nor charged in it.
            rows.append(_purchase(pool, PurchaseAction.RETIRE, "owned", gone, (period, 0, period - 1)))
        before = now
    if before > _TINY:
        rows.append(_purchase(pool, PurchaseAction.KEEP, "owned", before * pool.count, (-1, 0, last)))
    for signed in pool.signed:
        active = [period for period in form.instance.periods if signed.months[period]]
        if active:
            span = (-1, 0, active[-1])
            rows.append(_purchase(pool, PurchaseAction.KEEP, "committed", float(signed.nodes), span))
    for period in form.instance.periods:
        rented = sum(
            float(values[form.rent[number, period, block]]) * form.instance.grid.blocks[block].weight
            for block in form.instance.blocks
            if (number, period, block) in form.rent
        )
        if rented > 1e-3:
            span = (period, period, period)
            rows.append(_purchase(pool, PurchaseAction.BURST, "on_demand", rented, span))
    return rows


def _purchase(
    pool: PoolModel,
    action: PurchaseAction,
    option: str,
    nodes: float,
    span: tuple[int, int, int],
    term_months: int | None = None,
) -> Purchase:
    order, service, until = span
    return Purchase(
        pool=pool.spec.id,
        site=pool.spec.site.id,
        node_type=pool.spec.node.id,
        action=action,
        option=option,
        nodes=nodes,
        order_period=order,
        service_period=service,
        until_period=until,
        term_months=term_months,
    )


def _expansions(form: Formulation, values: FloatArray) -> tuple[ExpansionDecision, ...]:
    rows = [
        ExpansionDecision(
            site=form.instance.sites[site].site.id,
            step=form.instance.sites[site].steps[step].id,
            order_period=order,
            service_period=order + form.instance.sites[site].expansion_lead[step],
            adds_kw=form.instance.sites[site].steps[step].adds_kw,
        )
        for (site, step, order), column in form.expand.items()
        if values[column] > 0.5
    ]
    return tuple(sorted(rows, key=lambda row: (row.order_period, row.site, row.step)))


def _copies(form: Formulation, values: FloatArray) -> tuple[CopyDecision, ...]:
    rows: list[CopyDecision] = []
    for number, dataset in enumerate(form.instance.estate.datasets):
        for site in sorted({s for (d, s, _) in form.copy if d == number}):
            kept = [p for p in form.instance.periods if values[form.copy[number, site, p]] > 0.5]
            if not kept:
                continue
            name = form.instance.sites[site].site.id
            rows.append(
                CopyDecision(
                    dataset=dataset.id,
                    site=name,
                    from_period=kept[0],
                    to_period=kept[-1],
                    is_new=name not in dataset.copies,
                )
            )
    return tuple(rows)


def _transfers(form: Formulation, values: FloatArray) -> tuple[TransferRow, ...]:
    instance = form.instance
    months = instance.estate.horizon.period_months
    volumes: dict[tuple[str, str, str, int], float] = {}

    def add(source: str, target: str, purpose: str, period: int, gb: float) -> None:
        if source != target and gb > _TINY:
            key = (source, target, purpose, period)
            volumes[key] = volumes.get(key, 0.0) + gb

    for (number, period, block), column in form.serve.items():
        if values[column] <= _TINY:
            continue
        lane = instance.lanes[number]
        wire = instance.demand(lane).gb_wire[period] * float(values[column])
        wire *= volume_share(instance, lane.workload, period, block)
        for caller in instance.workload(lane).callers:
            add(caller.place, instance.sites[lane.site].site.id, "callers", period, wire * caller.share)
    for (number, source, target, period), column in form.read.items():
        ends = instance.sites[source].site.id, instance.sites[target].site.id
        add(*ends, "reads", period, float(values[column]) * form.read_gb[number] * months)
    for (number, site, period), column in form.copy.items():
        dataset = instance.estate.datasets[number]
        if dataset.copies and instance.sites[site].site.id != dataset.copies[0]:
            gb = dataset.change_gb_per_month * months * float(values[column])
            add(dataset.copies[0], instance.sites[site].site.id, "sync", period, gb)
    return tuple(
        TransferRow(source=s, target=t, purpose=why, period=p, gb=gb)
        for (s, t, why, p), gb in sorted(volumes.items())
        if math.isfinite(gb)
    )
