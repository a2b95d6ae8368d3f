"""Bottom lines: what each workload and each site costs, idle capacity included and told apart.

Idle rows of a pool are borne by its users in proportion to their use over the horizon; a pool nobody uses is borne
by nobody and stays visible as its site's cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tripoint.domain.charge import Charge, carbon_unknown_usd
from tripoint.domain.decision import Placement
from tripoint.domain.plan import SiteSummary, WorkloadSummary
from tripoint.domain.workload import Workload
from tripoint.engines.answers.summary.reasons import Evidence, reason
from tripoint.engines.costing.tokens import token_cost
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a workload costs over the horizon."""

    used_usd: float = 0.0
    """Its own charges, USD."""
    idle_usd: float = 0.0
    """Its part of idle rows, USD."""
    carbon_kg: float = 0.0
    """Emissions of both, kgCO2e."""

    @property
    def total_usd(self) -> float:
        """Both."""
        return self.used_usd + self.idle_usd


def bills(charges: tuple[Charge, ...]) -> dict[str, Bill]:
    """The bill of every workload that has charges."""
    users = users_of(charges)
    parts = {
        where: [(workload, usd / total) for workload, usd in sharing.items()]
        for where, sharing in users.items()
        for total in [sum(sharing.values())]
    }
    used: dict[str, float] = {}
    idle: dict[str, float] = {}
    carbon: dict[str, float] = {}
    for row in charges:
        if row.workload is not None:
            used[row.workload] = used.get(row.workload, 0.0) + row.effective_usd
            carbon[row.workload] = carbon.get(row.workload, 0.0) + row.carbon_kg
    for row in charges:
        for workload, part in () if row.workload is not None else parts.get((row.site, row.resource), ()):
            idle[workload] = idle.get(workload, 0.0) + row.effective_usd * part
            carbon[workload] += row.carbon_kg * part
    return {
        workload: Bill(used_usd=usd, idle_usd=idle.get(workload, 0.0), carbon_kg=carbon[workload])
        for workload, usd in used.items()
    }


def users_of(charges: Iterable[Charge]) -> dict[tuple[str, str], dict[str, float]]:
    """[site, resource][workload] own effective cost, of resources that somebody paid to use."""
    use: dict[tuple[str, str], dict[str, float]] = {}
    for row in charges:
        if row.workload is not None and row.effective_usd > 0:
            pool = use.setdefault((row.site, row.resource), {})
            pool[row.workload] = pool.get(row.workload, 0.0) + row.effective_usd
    return use


def shared_usd(charges: tuple[Charge, ...]) -> dict[str, float]:
    """[kind] effective cost over the horizon that is in no workload's bill, USD, the largest first."""
    users = users_of(charges)
    found: dict[str, float] = {}
    for row in charges:
        if row.workload is None and (row.site, row.resource) not in users:
            found[row.kind.value] = found.get(row.kind.value, 0.0) + row.effective_usd
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def site_summaries(instance: Instance, decisions: Decisions, charges: tuple[Charge, ...]) -> tuple[SiteSummary, ...]:
    """Every site of the estate, used or not."""
    cost: dict[str, float] = {}
    for row in charges:
        cost[row.site] = cost.get(row.site, 0.0) + row.effective_usd
    gpus = gpus_in_last_period(instance, decisions)
    return tuple(
        SiteSummary(
            id=model.site.id,
            kind=model.site.kind.value,
            layer=model.layer,
            provider=model.site.provider,
            country=model.figures.country or "",
            count=model.site.count,
            cost_usd=cost.get(model.site.id, 0.0),
            gpus_last=gpus.get(model.site.id, 0.0),
            region=model.site.region or "",
        )
        for model in instance.sites
    )


def gpus_in_last_period(instance: Instance, decisions: Decisions) -> dict[str, float]:
    """[site] accelerators in use in the site's busiest block of the last period."""
    last = len(instance.periods) - 1
    used: dict[tuple[str, int], float] = {}
    for state in decisions.pools:
        if state.period == last:
            key = (state.site, state.block)
            used[key] = used.get(key, 0.0) + state.used * state.gpus_per_node
    return {site: max(gpus for (where, _), gpus in used.items() if where == site) for site, _ in used}


def workload_summaries(evidence: Evidence, charges: tuple[Charge, ...]) -> tuple[WorkloadSummary, ...]:
    """Every workload of the estate."""
    owed = bills(charges)
    own: dict[str | None, list[Charge]] = {}
    for row in charges:
        own.setdefault(row.workload, []).append(row)
    return tuple(
        _workload(evidence, number, owed.get(workload.id, Bill()), own.get(workload.id, []))
        for number, workload in enumerate(evidence.instance.estate.workloads)
    )


def _workload(evidence: Evidence, number: int, bill: Bill, charges: Sequence[Charge]) -> WorkloadSummary:
    instance = evidence.instance
    workload = instance.estate.workloads[number]
    demand = instance.grid.workloads[number]
    mtok = sum(demand.mtok_in) + sum(demand.mtok_out)
    tokens = token_cost(bill.used_usd, bill.idle_usd, mtok)
    mine = evidence.served.rows.get(workload.id, ())
    homes = [sites_in(mine, period) for period in instance.periods]
    return WorkloadSummary(
        id=workload.id,
        kind=workload.kind.value,
        cost_usd=bill.total_usd,
        idle_usd=bill.idle_usd,
        mtok=mtok,
        usd_per_mtok_usage=None if tokens is None else tokens.usage,
        usd_per_mtok_reserved=None if tokens is None else tokens.reserved,
        carbon_kg=bill.carbon_kg,
        carbon_unknown_usd=carbon_unknown_usd(charges),
        sites_first=homes[0],
        sites_last=homes[-1],
        why=reason(evidence, number),
        moves=_moves(workload, homes),
    )


def sites_in(placements: Iterable[Placement], period: int) -> tuple[str, ...]:
    """Sites that serve in a period, most share first."""
    shares: dict[str, float] = {}
    for row in placements:
        if row.period == period:
            shares[row.site] = shares.get(row.site, 0.0) + row.share
    return tuple(sorted(shares, key=lambda site: (-shares[site], site)))


def _moves(workload: Workload, homes: list[tuple[str, ...]]) -> int:
    before: set[str] = {share.site for share in workload.today} or set(homes[0])
    moves = 0
    for home in homes:
        moves += len(set(home) - before)
        before = set(home)
    return moves
