"""The obvious alternatives, priced by the same function and shown in the same table."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.domain.charge import Charge, carbon_unknown_usd
from tripoint.domain.plan import Baseline, ConflictSet, PlanStatus
from tripoint.domain.units import seconds_told
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.answers.summary.summaries import bills
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.restrict import Alternative
from tripoint.engines.placement.milp.program import SolutionStatus
from tripoint.engines.placement.outcome import Outcome

_UNPROTECTED = "does not survive the loss of a site: priced without recovery objectives"
_NO_CARBON = "CO2e of token APIs is not known, for their vendors publish none"
TOKEN_KINDS = (WorkloadKind.INFERENCE, WorkloadKind.BATCH_INFERENCE, WorkloadKind.EMBEDDING)


def baseline(
    name: str, label: str, outcome: Outcome, exempt: tuple[str, ...] = (), *, unprotected: bool = False
) -> Baseline:
    """Totals of a solved instance; `unprotected` when it only exists without the estate's recovery objectives."""
    assert outcome.summary is not None
    instance, charges = outcome.instance, outcome.charges
    by_period = [0.0] * len(instance.periods)
    by_layer: dict[str, float] = {}
    for row in charges:
        by_period[row.period] += row.effective_usd
        by_layer[row.layer] = by_layer.get(row.layer, 0.0) + row.effective_usd
    unknown = carbon_unknown_usd(charges)
    is_proven = outcome.solution.status is SolutionStatus.OPTIMAL
    return Baseline(
        name=name,
        label=label,
        status=PlanStatus.OPTIMAL if is_proven else PlanStatus.FEASIBLE,
        total_usd=sum(by_period),
        npv_usd=outcome.summary.incumbent_usd,
        billed_usd=sum(row.billed_usd for row in charges),
        by_period_usd=tuple(by_period),
        by_layer_usd=by_layer,
        carbon_kg=sum(row.carbon_kg for row in charges),
        usd_per_mtok=_usd_per_mtok(instance, charges),
        gap=outcome.solution.gap,
        note="; ".join(
            filter(
                None,
                (
                    _UNPROTECTED * unprotected,
                    _exempt_note(exempt, len(instance.estate.workloads), name),
                    _NO_CARBON * (unknown > 0),
                ),
            )
        ),
        carbon_unknown_usd=unknown,
    )


def _usd_per_mtok(instance: Instance, charges: tuple[Charge, ...]) -> float:
    """As the workloads' own bills: with their part of idle nodes, or rows that hold nodes and rows that rent differ."""
    tokens = {w.id for w in instance.estate.workloads if w.kind in TOKEN_KINDS}
    mtok = sum(
        sum(demand.mtok_in) + sum(demand.mtok_out) for demand in instance.grid.workloads if demand.workload in tokens
    )
    cost = sum(bill.total_usd for workload, bill in bills(charges).items() if workload in tokens)
    return cost / mtok if mtok > 0 else 0.0


def _exempt_note(exempt: tuple[str, ...], workloads: int, name: str) -> str:
    if not exempt:
        return ""
    listed = ", ".join(f"`{workload}`" for workload in exempt[:6])
    more = f" and {len(exempt) - 6} more" if len(exempt) > 6 else ""
    what = "have no declared placement today" if name == "today" else "cannot run this way"
    return f"{len(exempt)} of {workloads} workloads {what}, so the planner is free to place them: {listed}{more}"


def missing_baseline(
    alternative: Alternative, outcome: Outcome, conflict: ConflictSet | None, crowded: Sequence[str] = ()
) -> Baseline:
    """An alternative that does not exist, or that was not found in time, and why; `crowded` are who it cannot place."""
    if conflict is None:
        note = f"no plan found within {seconds_told(outcome.solution.seconds)}"
    else:
        families = ", ".join(conflict.families)
        first = f": {conflict.details[0]}" if conflict.details else ""
        whom = ", ".join(f"`{name}`" for name in crowded)
        note = f"{families} cannot hold together{f', with no room for {whom}' if whom else ''}{first}"
    return _absent(alternative, note)


def empty_baseline(alternative: Alternative) -> Baseline:
    """An alternative nobody could take: with every workload free it would be the plan itself."""
    what = "can stay where it runs today" if alternative.pins_today else "can run this way"
    return _absent(alternative, f"no workload {what}")


def _absent(alternative: Alternative, note: str) -> Baseline:
    return Baseline(
        name=alternative.name,
        label=alternative.label,
        status=PlanStatus.INFEASIBLE,
        total_usd=0.0,
        npv_usd=0.0,
        billed_usd=0.0,
        by_period_usd=(0.0,) * len(alternative.instance.periods),
        by_layer_usd={},
        carbon_kg=0.0,
        usd_per_mtok=0.0,
        gap=0.0,
        note=note,
    )
