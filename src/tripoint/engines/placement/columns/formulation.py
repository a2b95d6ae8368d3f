"""The columns of the program, and what each unit of them costs.

Every column that costs money names the activities it causes; the objective is their effective cost, discounted.
That is how the statement and the optimiser cannot disagree: both price the same activities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from tripoint.domain.charge import Rate
from tripoint.domain.units import WorkloadId
from tripoint.engines.costing.statement import Activity, effective_usd
from tripoint.engines.placement.columns.coefficients import Table, share_nodes, share_volumes
from tripoint.engines.placement.instance.instance import Instance, Lane, PoolModel
from tripoint.engines.placement.instance.outlook import dearer
from tripoint.engines.placement.milp.program import FloatArray, Program, ProgramBuilder

Terms = list[tuple[int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTerm:
    """A quantity of an activity caused by one unit of a column."""

    column: int
    """Which column."""
    activity: Activity
    """What is consumed."""
    quantity: float
    """How much of it per unit of the column."""
    usd: float
    """Effective cost of that, undiscounted USD per unit of the column: summed once, since four parts ask for it."""


@dataclass(slots=True, kw_only=True)
class Formulation:
    """Columns by meaning, while the program is being built and when its solution is read back."""

    instance: Instance
    """What is formulated."""
    builder: ProgramBuilder = field(default_factory=ProgramBuilder)
    """Where columns and rows go."""
    costs: list[CostTerm] = field(default_factory=list)
    """All cost terms."""
    serve: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(lane, period, block) -> share served."""
    present: dict[tuple[int, str, int], int] = field(default_factory=dict)
    """(workload, place, period) -> 1 when it runs there at all."""
    gathered: dict[tuple[int, str, int], int] = field(default_factory=dict)
    """(workload, place, period) -> 1 when runs that may be divided use their gang there."""
    enter: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(workload, site, period) -> 1 when it moves in."""
    buy: dict[tuple[int, int], int] = field(default_factory=dict)
    """(pool, period) -> nodes ordered, per site."""
    keep: dict[tuple[int, int], int] = field(default_factory=dict)
    """(pool, period) -> held nodes kept, per site."""
    commit: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(pool, term, period) -> nodes committed from the period, per site."""
    rent: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(pool, period, block) -> mean on-demand nodes, all sites of the entry."""
    burn: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(pool, period, block) -> node-hours own nodes work, in pools that can be rented as well."""
    expand: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(site, step, period) -> 1 when ordered."""
    slack_kw: dict[tuple[int, int], int] = field(default_factory=dict)
    """(site, period) -> contracted power not drawn, per site, kW."""
    copy: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(dataset, site, period) -> 1 when a copy is kept."""
    seed: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(dataset, site, period) -> 1 when the copy is made."""
    read: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    """(dataset, source, target, period) -> read remotely, as a part of all that is read of the dataset."""
    read_gb: dict[int, float] = field(default_factory=dict)
    """By dataset: GB per month that all workloads together read of it."""
    tier: dict[tuple[int, str, int, int], int] = field(default_factory=dict)
    """(site, path, period, tier) -> charged in the tier, as a part of its width."""
    tier_gb: dict[int, float] = field(default_factory=dict)
    """By column of a tier: its width, GB per month; the last one holds the largest possible volume."""
    standby: dict[tuple[int, int], int] = field(default_factory=dict)
    """(lane, period) -> share of the peak that can be taken over."""

    spend: dict[tuple[str, str, int], int] = field(default_factory=dict)
    """(cost view, provider, period) -> what the provider is paid, USD; only where a rule asks."""
    penalties: list[tuple[int, float]] = field(default_factory=list)
    """Columns that cost nothing but should stay at 0 without a reason, and a token price, USD per unit."""
    _lanes: dict[int, list[tuple[int, Lane]]] = field(default_factory=dict, repr=False)
    """Lanes by workload, made when first asked for: standby asks once per loss, period and block."""

    _nodes: dict[int, Table] = field(default_factory=dict, repr=False)
    """What a share of a lane takes, by lane, made when first asked for: capacity, presence and spare ask alike."""
    _volumes: dict[int, Table] = field(default_factory=dict, repr=False)
    """What part of a period's volume a share is, by workload, likewise."""

    def nodes(self, lane: int) -> Table:
        """[period][block] nodes occupied per unit of a lane's share."""
        if lane not in self._nodes:
            self._nodes[lane] = share_nodes(self.instance, self.instance.lanes[lane])
        return self._nodes[lane]

    def volumes(self, workload: int) -> Table:
        """[period][block] part of the period's volume that one unit of share stands for."""
        if workload not in self._volumes:
            self._volumes[workload] = share_volumes(self.instance, workload)
        return self._volumes[workload]

    def charge(self, column: int, activity: Activity, quantity: float) -> None:
        """Says what one unit of the column consumes."""
        factor = self.instance.price_factors.get(activity.option)
        if factor is not None and factor != 1.0 and activity.period >= self.instance.prices_from:
            activity = replace(activity, rates=dearer(activity.rates, factor))
        if quantity and activity.rates:
            usd = effective_usd(activity) * quantity
            self.costs.append(CostTerm(column=column, activity=activity, quantity=quantity, usd=usd))

    def lanes_of(self, workload: int) -> Iterator[tuple[int, Lane]]:
        """Lanes of a workload with their index."""
        if not self._lanes:
            for number, lane in enumerate(self.instance.lanes):
                self._lanes.setdefault(lane.workload, []).append((number, lane))
        return iter(self._lanes.get(workload, ()))

    def workload_id(self, workload: int) -> WorkloadId:
        """Id by index."""
        return self.instance.estate.workloads[workload].id

    def owned_terms(self, pool: int, period: int) -> Terms:
        """Owned nodes in service, per site: held ones kept and those bought long enough ago."""
        model = self.instance.pools[pool]
        terms: Terms = []
        if (pool, period) in self.keep:
            terms.append((self.keep[pool, period], 1.0))
        terms.extend(
            (self.buy[pool, order], 1.0)
            for order in range(period - model.lead_periods + 1)
            if (pool, order) in self.buy
        )
        return terms

    def commit_terms(self, pool: int, period: int) -> Terms:
        """Newly committed nodes running in the period, per site."""
        model = self.instance.pools[pool]
        return [
            (self.commit[pool, number, start], 1.0)
            for number, term in enumerate(model.terms)
            for start in range(max(0, period - term.periods + 1), period + 1)
            if (pool, number, start) in self.commit
        ]

    def signed_nodes(self, pool: int, period: int) -> float:
        """Nodes of commitments already signed, all sites; a part-month commitment counts in proportion."""
        months = self.instance.estate.horizon.period_months
        return sum(signed.nodes * signed.months[period] / months for signed in self.instance.pools[pool].signed)

    def objective(self) -> FloatArray:
        """[columns] discounted effective cost."""
        cost = np.zeros(self.builder.size)
        for term in self.costs:
            cost[term.column] += self.instance.discount[term.activity.period] * term.usd
        for column, usd in self.penalties:
            cost[column] += usd
        return cost

    def program(self) -> Program:
        """The program as it stands."""
        return self.builder.build(self.objective())


def activity_at(
    form: Formulation,
    *,
    period: int,
    site: int,
    resource: str,
    option: str,
    rates: tuple[Rate, ...],
    workload: int | None = None,
) -> Activity:
    """An activity at a site of the instance."""
    model = form.instance.sites[site]
    return Activity(
        period=period,
        provider=model.site.provider,
        site=model.site.id,
        layer=model.layer,
        resource=resource,
        option=option,
        workload=None if workload is None else form.workload_id(workload),
        status=None,
        rates=rates,
    )


def pool_activity(form: Formulation, pool: PoolModel, period: int, option: str, rates: tuple[Rate, ...]) -> Activity:
    """An activity of a pool's nodes, not yet allocated to workloads."""
    return activity_at(form, period=period, site=pool.site, resource=pool.spec.node.id, option=option, rates=rates)
