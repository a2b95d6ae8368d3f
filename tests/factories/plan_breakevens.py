"""Break-even points of the synthetic plan, with curves that cross where they say."""

from __future__ import annotations

import math

from tests.factories.plan_story import Job

from tripoint.domain.plan import BreakEven, CostCurve, CostPoint


def breakevens(jobs: tuple[Job, ...]) -> tuple[BreakEven, ...]:
    """One per token workload that fills nodes, and two for pools."""
    found = [_workload_breakeven(job) for job in jobs if job.mtok and job.nodes][:12]
    return (
        *found,
        _pool_breakeven("colo-ams/dgx-h100", 15_900, 55.04),
        _pool_breakeven("coreweave-us/gd-8xh100", 21_500, 49.24),
    )


def _workload_breakeven(job: Job) -> BreakEven:
    firm, hourly = 15_900 * max(1, round(job.nodes)), 55.04
    per_mtok = job.nodes * 730 * hourly / job.mtok
    at = firm / per_mtok
    top = 2.2 * max(at, job.mtok)
    years = math.log(max(at / job.mtok, 1.0001)) / math.log(1 + job.growth)
    is_past = job.mtok >= at
    return BreakEven(
        subject=job.id,
        kind="workload",
        firm="colo-ams/dgx-h100 owned",
        elastic="aws-frankfurt/p5.48xlarge on_demand",
        firm_usd_per_node_month=15_900,
        elastic_usd_per_node_hour=hourly,
        utilisation=15_900 / 730 / hourly,
        utilisation_low=0.33,
        utilisation_high=0.49,
        mtok_per_month=at,
        mtok_low=at * 0.83,
        mtok_high=at * 1.24,
        month="already" if is_past else f"{2027 + int(years)}-{int(years % 1 * 12) + 1:02d}",
        month_early="already" if is_past else "2027-02",
        month_late="beyond" if not is_past else "2027-09",
        demand_mtok_per_month=job.mtok,
        curves=(
            CostCurve(
                label="owned", points=tuple(CostPoint(x=top * i / 10, usd=firm * (1 + 0.02 * i)) for i in range(11))
            ),
            CostCurve(
                label="committed 3y",
                points=tuple(
                    CostPoint(x=top * i / 10, usd=firm * 1.25 + top * i / 10 * per_mtok * 0.08) for i in range(11)
                ),
            ),
            CostCurve(
                label="on_demand",
                points=tuple(CostPoint(x=top * i / 10, usd=top * i / 10 * per_mtok) for i in range(11)),
            ),
        ),
        note=f"owning beats on-demand above {at:,.0f} Mtok per month; today {job.mtok:,.0f}",
    )


def _pool_breakeven(pool: str, firm: float, hourly: float) -> BreakEven:
    at = firm / 730 / hourly
    return BreakEven(
        subject=pool,
        kind="pool",
        firm=f"{pool} owned",
        elastic="aws-virginia/p5.48xlarge on_demand",
        firm_usd_per_node_month=firm,
        elastic_usd_per_node_hour=hourly,
        utilisation=at,
        utilisation_low=at * 0.8,
        utilisation_high=at * 1.25,
        mtok_per_month=None,
        mtok_low=None,
        mtok_high=None,
        month="",
        month_early="",
        month_late="",
        demand_mtok_per_month=None,
        curves=(
            CostCurve(label="owned", points=(CostPoint(x=0, usd=firm * 0.93), CostPoint(x=1, usd=firm))),
            CostCurve(label="on_demand", points=(CostPoint(x=0, usd=0), CostPoint(x=1, usd=hourly * 730))),
        ),
        note=f"a node of `{pool}` pays above {at:.0%} utilisation",
    )
