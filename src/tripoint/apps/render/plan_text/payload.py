"""The printed answer for a machine: the same numbers, unrounded, in the plan's own words.

The complete plan is `plan.json`; this is the summary a script reads after a run.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tripoint.apps.render.reading.decisions import decisions
from tripoint.apps.render.reading.headline import headline, roadmap
from tripoint.apps.render.reading.residence import residence, tenure_shares
from tripoint.domain.plan import Baseline, Plan, PlanStatus


def plan_payload(plan: Plan) -> dict[str, Any]:
    """Members of the JSON document of `tripoint plan --json` and `tripoint report --json`."""
    found = headline(plan)
    first = found.first_limit
    return {
        "name": plan.name,
        "status": str(plan.status),
        "is_feasible": plan.status is not PlanStatus.INFEASIBLE,
        "currency": plan.currency,
        "usd_per_unit": plan.usd_per_unit,
        "periods": list(plan.periods),
        "total_usd": found.total_usd,
        "carbon_kg": _known_kg(found.carbon_kg, found.carbon_unknown_usd),
        "carbon_unknown_usd": found.carbon_unknown_usd,
        "baselines": [_baseline(row) for row in plan.baselines],
        "near": [asdict(row) for row in plan.near],
        "weighed": asdict(plan.weighed) if plan.weighed else None,
        "savings_usd": {saving.baseline.name: saving.usd for saving in found.savings},
        "first_limit": {"name": first.name, "exhausted": first.exhausted, "order_by": first.order_by}
        if first
        else None,
        "decisions": [asdict(decision) for decision in decisions(plan)],
        "limits": [
            {"name": row.name, "resource": row.resource, "exhausted": row.exhausted, "order_by": row.order_by}
            for row in roadmap(plan)
        ],
        "workloads": _workloads(plan),
        "breakevens": [_breakeven(row) for row in plan.breakevens],
        "lapses": [asdict(row) for row in plan.lapses],
        "assumptions": len(plan.assumptions),
        "refusals": len(plan.refusals),
        "conflict": asdict(plan.conflict) if plan.conflict else None,
        "solve": asdict(plan.solve) if plan.solve else None,
        "estate_digest": plan.estate_digest,
        "catalog_digest": plan.catalog_digest,
        "tripoint_version": plan.tripoint_version,
    }


def _baseline(row: Baseline) -> dict[str, Any]:
    return {**asdict(row), "status": str(row.status), "carbon_kg": _known_kg(row.carbon_kg, row.carbon_unknown_usd)}


def _known_kg(kg: float, unknown_usd: float) -> float | None:
    """Null where no figure is published for any of it; a lower bound where `carbon_unknown_usd` is above 0."""
    return None if kg <= 0 and unknown_usd > 0 else kg


def _breakeven(row: Any) -> dict[str, Any]:
    """Without the curves, which are pictures."""
    return {name: value for name, value in asdict(row).items() if name != "curves"}


def _workloads(plan: Plan) -> list[dict[str, Any]]:
    homes = residence(plan)
    return [
        {
            **asdict(workload),
            "carbon_kg": _known_kg(workload.carbon_kg, workload.carbon_unknown_usd),
            "share_by_tenure": tenure_shares(homes.get(workload.id, ())),
        }
        for workload in plan.workloads
    ]
