"""How many nodes does a workload occupy as its demand grows, hour of the week by hour of the week?

Demand keeps the shape it has in the first period and is counted in million tokens per month. Interactive workloads
occupy the line the sizing found (`fixed + slope x rate`, never less than the busy nodes over the planned utilisation
cap); the others fill whatever hours they are given and occupy the same nodes all month.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.fit import Fit
from tripoint.domain.units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.placement.columns.coefficients import volume_share
from tripoint.engines.placement.instance.instance import Instance

TOKEN_KINDS = (WorkloadKind.INFERENCE, WorkloadKind.BATCH_INFERENCE, WorkloadKind.EMBEDDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Hours of the month in which demand is alike."""

    hours: float
    """Hours per month."""
    rate_per_mtok: float
    """Requests per second to size for, per million tokens a month; 0 for workloads that do not wait."""
    mean_rate_per_mtok: float
    """Mean requests per second, likewise: what draws active power."""
    volume: float
    """Part of the month's tokens, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appetite:
    """Demand of one workload in million tokens per month."""

    mtok: float
    """Demand at the start of the horizon, million tokens per month."""
    growth_per_year: float
    """Growth per year."""
    is_waiting: bool
    """True where capacity follows the peak."""
    stretches: tuple[Stretch, ...]
    """Blocks, as hours of a month."""
    utilisation_cap: float
    """Most average use planned for."""

    def nodes(self, fit: Fit, mtok: float) -> tuple[float, ...]:
        """[stretch] nodes occupied at a demand, all identical sites together."""
        if not self.is_waiting:
            return (fit.nodes_per_unit * mtok / HOURS_PER_MONTH,) * len(self.stretches)
        rates = [stretch.rate_per_mtok * mtok for stretch in self.stretches]
        least = fit.busy_nodes_per_unit / self.utilisation_cap
        return tuple(max(fit.fixed_nodes + fit.nodes_per_unit * rate, least * rate) for rate in rates)

    def busy_hours(self, fit: Fit, mtok: float) -> tuple[float, ...]:
        """[stretch] node-hours a month under load at a demand, by the statement's rule: of the mean, not the peak."""
        if not self.is_waiting:
            return tuple(fit.busy_nodes_per_unit * mtok * each.hours / HOURS_PER_MONTH for each in self.stretches)
        return tuple(fit.busy_nodes_per_unit * mtok * each.mean_rate_per_mtok * each.hours for each in self.stretches)

    def busy_share(self, fit: Fit) -> float:
        """Part of a further node-hour that is under load where nodes are filled."""
        hours = self.node_hours_per_mtok(fit)
        return sum(self.busy_hours(fit, 1.0)) / hours if hours > 0 else 0.0

    def node_hours_per_mtok(self, fit: Fit) -> float:
        """Node-hours a further million tokens takes where nodes are filled."""
        if not self.is_waiting:
            return fit.nodes_per_unit
        slope = max(fit.nodes_per_unit, fit.busy_nodes_per_unit / self.utilisation_cap)
        return slope * sum(stretch.hours * stretch.rate_per_mtok for stretch in self.stretches)


def appetite(instance: Instance, number: int) -> Appetite | None:
    """Appetite of a token workload with demand; `None` for training and for workloads that ask for nothing."""
    workload = instance.estate.workloads[number]
    demand = instance.grid.workloads[number]
    months = instance.estate.horizon.period_months
    first = (demand.mtok_in[0] + demand.mtok_out[0]) / months
    if workload.kind not in TOKEN_KINDS or first <= 0:
        return None
    # The first period is taken at its middle; months are counted from its start.
    growth_so_far = max(0.0, 1.0 + workload.growth_per_year) ** (0.5 * months / MONTHS_PER_YEAR)
    cap = default_figure(instance.catalog, instance.estate.assumptions, "sizing.utilisation_cap")
    is_waiting = workload.kind.is_interactive
    return Appetite(
        mtok=first / growth_so_far if growth_so_far > 0 else first,
        growth_per_year=workload.growth_per_year,
        is_waiting=is_waiting,
        stretches=tuple(
            Stretch(
                hours=block.weight * HOURS_PER_MONTH,
                rate_per_mtok=demand.peak_rate[0][index] / first,
                mean_rate_per_mtok=demand.mean_rate[0][index] / first,
                volume=volume_share(instance, number, 0, index) if is_waiting else block.weight,
            )
            for index, block in enumerate(instance.grid.blocks)
        ),
        utilisation_cap=cap.value,
    )
