"""What the roadmap's limits are read from: nodes by pool and period, who runs where, expansion steps.

A site is pressed in a period when its GPUs are busy and part of a workload that runs there runs elsewhere too: only
then would more be used if there were more. Figures are per site where an entry stands for several identical ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.domain.decision import ExpansionDecision, Placement, PoolState
from tripoint.domain.site import ExpansionStep
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance, PoolModel, SiteModel

FULL = 0.98
"""Share of a limit at which it counts as full: whole nodes and feeds rarely fit better."""


_TOLD = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What limits are read from."""

    instance: Instance
    """Everything resolved."""
    decisions: Decisions
    """What the plan decided."""
    states: Mapping[tuple[str, int], list[PoolState]]
    """(pool, period) -> [block] nodes."""
    placements: Mapping[int, list[Placement]]
    """[period] parts of workloads large enough to tell."""
    patient: Mapping[tuple[str, int, int], float]
    """(pool, period, block) -> nodes of work that can wait, all sites of the entry."""

    def pools_at(self, site: int) -> list[PoolModel]:
        """Pools of a site."""
        return [pool for pool in self.instance.pools if pool.site == site]

    def busy(self, pools: list[PoolModel], period: int) -> float:
        """GPUs at work in a period's busiest block, per site."""
        return max(
            sum(self.states[pool.spec.id, period][block].used * pool.gpus / pool.count for pool in pools)
            for block in self.instance.blocks
        )

    def needed(self, pools: list[PoolModel], period: int) -> float:
        """GPUs that must work at once in a period, per site, with the work that can wait spread over all hours.

        In which block a plan has such work done is often all the same to it, so that its peaks there tell nothing: the
        most that callers take in a block, or the mean of everything where that is more.
        """
        callers, mean = [0.0] * len(self.instance.blocks), 0.0
        for pool in pools:
            for block in self.instance.blocks:
                used = self.states[pool.spec.id, period][block].used
                each = pool.gpus / pool.count
                callers[block] += (used - self.patient.get((pool.spec.id, period, block), 0.0)) * each
                mean += used * each * self.instance.grid.blocks[block].weight
        return max(*callers, mean)

    def in_service(self, pools: list[PoolModel], period: int) -> float:
        """Owned and committed GPUs, per site."""
        first = [(self.states[pool.spec.id, period][0], pool) for pool in pools]
        return sum((state.owned + state.committed) * pool.gpus / pool.count for state, pool in first)

    def pressed(self, pools: list[PoolModel]) -> tuple[bool, ...]:
        """[period] whether the GPUs in service are busy and work that runs on them overflows to another site."""
        return tuple(
            self.busy(pools, period) >= FULL * self.in_service(pools, period)
            and bool(self._split(period) & {row.workload for row in self._at(pools, period)})
            for period in self.instance.periods
        )

    def _at(self, pools: list[PoolModel], period: int) -> list[Placement]:
        names = {pool.spec.id for pool in pools}
        return [row for row in self.placements.get(period, ()) if row.pool in names]

    def _split(self, period: int) -> set[str]:
        """Workloads that run at two sites or more."""
        sites: dict[str, set[str]] = {}
        for row in self.placements.get(period, ()):
            sites.setdefault(row.workload, set()).add(row.site)
        return {workload for workload, places in sites.items() if len(places) > 1}

    def planned(self, site: SiteModel) -> tuple[ExpansionDecision, ...]:
        """Steps the plan orders at a site."""
        return tuple(row for row in self.decisions.expansions if row.site == site.site.id)

    def owned(self, pool: PoolModel, period: int) -> float:
        """Owned nodes in service, per site."""
        return self.states[pool.spec.id, period][0].owned / pool.count

    def steps_in_service(self, site: SiteModel, period: int) -> list[ExpansionStep]:
        """Expansion steps that count in a period."""
        taken = {row.step for row in self.planned(site) if row.service_period <= period}
        return [step for step in site.steps if step.id in taken]

    def steps_left(self, site: SiteModel) -> list[ExpansionStep]:
        """Steps the plan does not take."""
        taken = {row.step for row in self.planned(site)}
        return [step for step in site.steps if step.id not in taken]

    def default(self, key: str) -> float:
        """A default of the catalogue."""
        return default_figure(self.instance.catalog, self.instance.estate.assumptions, key).value


def book_of(instance: Instance, decisions: Decisions) -> Book:
    """The book of a plan."""
    states: dict[tuple[str, int], list[PoolState]] = {}
    for state in decisions.pools:
        states.setdefault((state.pool, state.period), []).append(state)
    placements: dict[int, list[Placement]] = {}
    patient: dict[tuple[str, int, int], float] = {}
    waits = {str(workload.id): not workload.kind.is_interactive for workload in instance.estate.workloads}
    for row in decisions.placements:
        if waits[row.workload]:
            where = (row.pool, row.period, row.block)
            patient[where] = patient.get(where, 0.0) + row.nodes
        if row.share >= _TOLD:
            placements.setdefault(row.period, []).append(row)
    return Book(instance=instance, decisions=decisions, states=states, placements=placements, patient=patient)
