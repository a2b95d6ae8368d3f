"""What the synthetic plan says of itself: alternatives, break-even points, limits, assumptions, refusals."""

from __future__ import annotations

import math
from collections import defaultdict

from tripoint.domain.charge import Charge
from tripoint.domain.errors import Finding, Severity
from tripoint.domain.fit import Refusal, RefusalReason
from tripoint.domain.plan import Baseline, Headroom, LapseAdvice, PlanStatus
from tripoint.domain.provenance import Assumption, Confidence, Figure, Origin, Provenance
from tripoint.domain.units import SiteId, WorkloadId

_PERIODS = 12


def baselines(charges: tuple[Charge, ...], mtok: float) -> tuple[Baseline, ...]:
    """The plan first, priced from its charges, then four alternatives as growing multiples of it."""
    by_period, by_layer = [0.0] * _PERIODS, dict.fromkeys(("public", "dense", "edge"), 0.0)
    for charge in charges:
        by_period[charge.period] += charge.effective_usd
        by_layer[charge.layer] += charge.effective_usd
    token_usd = math.fsum(charge.effective_usd for charge in charges if charge.workload)
    stories = (
        ("plan", "This plan", 1.0, 0.0, by_layer, 0.00082, "joint optimum over sites, purchases and time"),
        ("today", "Stay as today", 1.22, 0.012, None, 0.0, "declared placement; growth met on demand in place"),
        ("on_demand", "All public, on demand", 1.55, 0.035, None, 0.0004, "every workload that policy lets go there"),
        ("committed", "All public, best commitments", 1.21, 0.02, None, 0.0009, "one- and three-year terms"),
    )
    found = []
    for name, label, factor, slope, layers, gap, note in stories:
        series = tuple(usd * (factor + slope * period) for period, usd in enumerate(by_period))
        total = math.fsum(series)
        found.append(
            Baseline(
                name=name,
                label=label,
                status=PlanStatus.OPTIMAL if name == "plan" else PlanStatus.FEASIBLE,
                total_usd=total,
                npv_usd=total * 0.9,
                billed_usd=total * 1.04,
                by_period_usd=series,
                by_layer_usd=dict(layers)
                if layers
                else {"public": total * 0.9, "dense": total * 0.06, "edge": total * 0.04},
                carbon_kg=math.fsum(charge.carbon_kg for charge in charges) * (1 + slope * 6),
                usd_per_mtok=token_usd / mtok * factor if mtok else 0.0,
                gap=gap,
                note=note,
            )
        )
    found.append(
        Baseline(
            name="private",
            label="All private",
            status=PlanStatus.INFEASIBLE,
            total_usd=0.0,
            npv_usd=0.0,
            billed_usd=0.0,
            by_period_usd=(0.0,) * _PERIODS,
            by_layer_usd={},
            carbon_kg=0.0,
            usd_per_mtok=0.0,
            gap=0.0,
            note="`colo-ams` would draw 512 kW, limit 450 kW with every expansion step",
        )
    )
    return tuple(found)


def lapses() -> tuple[LapseAdvice, ...]:
    """One commitment to end, one to renew smaller."""
    return (
        LapseAdvice(
            pool="azure-west-europe/ND96isr_H100_v5",
            nodes=2,
            ends="2027-09",
            mean_use=0.71,
            unused_usd=214_000,
            renew_nodes=0,
            advice="let 2 nodes lapse in 2027-09; `colo-ams` takes over",
        ),
        LapseAdvice(
            pool="aws-virginia/g6e.12xlarge",
            nodes=6,
            ends="2028-03",
            mean_use=0.58,
            unused_usd=142_500,
            renew_nodes=3,
            advice="renew 3 of 6 nodes in 2028-03; 42 % stood idle",
        ),
    )


def headroom() -> tuple[Headroom, ...]:
    """Every kind of limit, first exhausted first."""

    def ramp(start: float, end: float) -> tuple[float, ...]:
        return tuple(start + (end - start) * index / (_PERIODS - 1) for index in range(_PERIODS))

    return (
        Headroom(
            resource="power",
            name="colo-ams power",
            site="colo-ams",
            unit="kW",
            used=ramp(76, 428),
            limit=(330.0,) * 4 + (450.0,) * 8,
            exhausted="2030-Q2",
            order_by="2029-01",
            lead_time_months=15,
            note="draw of nodes in service at nameplate x PUE 1.3; `third-row` adds 160 kW",
        ),
        Headroom(
            resource="racks",
            name="dc-frankfurt racks",
            site="dc-frankfurt",
            unit="racks",
            used=ramp(7, 11.4),
            limit=(12.0,) * 12,
            exhausted="2030-Q4",
            order_by="2029-10",
            lead_time_months=12,
            note="two DGX per rack at 17 kW",
        ),
        Headroom(
            resource="nodes",
            name="colo-ams/dgx-h100",
            site="colo-ams",
            unit="nodes",
            used=ramp(6, 44),
            limit=(48.0,) * 12,
            exhausted="2031-Q1",
            order_by="2030-07",
            lead_time_months=6,
            note="declared `max_nodes`",
        ),
        Headroom(
            resource="link",
            name="fra-ams",
            site="",
            unit="Gbit/s",
            used=ramp(1.2, 6.9),
            limit=(10.0,) * 12,
            exhausted="2032-Q3",
            order_by="2032-04",
            lead_time_months=3,
            note="busiest block; port of 100 Gbit/s is sold",
        ),
        Headroom(
            resource="power",
            name="dc-frankfurt power",
            site="dc-frankfurt",
            unit="kW",
            used=ramp(98, 152),
            limit=(210.0,) * 12,
            exhausted="",
            order_by="",
            lead_time_months=18,
            note="not in sight",
        ),
        Headroom(
            resource="power",
            name="stores-eu power",
            site="stores-eu",
            unit="kW",
            used=ramp(0.06, 0.12),
            limit=(0.9,) * 12,
            exhausted="",
            order_by="",
            lead_time_months=2,
            note="per store",
        ),
        Headroom(
            resource="budget",
            name="AI budget",
            site="",
            unit="USD",
            used=ramp(1.9e6, 4.4e6),
            limit=(5.0e6,) * 12,
            exhausted="2030-Q1",
            order_by="2029-10",
            lead_time_months=3,
            note="per quarter, billed",
        ),
    )


def assumptions(total: float) -> tuple[Assumption, ...]:
    """Figures of every origin and grade, most money first."""

    def cited(confidence: Confidence, as_of: str, source: str) -> Provenance:
        return Provenance(source=source, as_of=as_of, confidence=confidence)

    rows = (
        (
            "price.dgx-h100.purchase_usd",
            330_000,
            "USD/node",
            Origin.CATALOGUE,
            0.41,
            280_000,
            400_000,
            cited(Confidence.ESTIMATE, "2026-09", "trade-press-dgx"),
            False,
        ),
        ("growth.customer-chat-eu", 0.6, "per year", Origin.DECLARED, 0.22, 0.3, 0.9, None, False),
        (
            "price.gd-8xh100.committed_36",
            29.5,
            "USD/h",
            Origin.CATALOGUE,
            0.19,
            27,
            33,
            cited(Confidence.PUBLISHED, "2026-10-10", "coreweave-pricing"),
            False,
        ),
        (
            "throughput.llama-70b.h100.fp8",
            2_150,
            "tok/s/GPU",
            Origin.CATALOGUE,
            0.17,
            1_700,
            2_500,
            cited(Confidence.MEASURED, "2025-09", "mlperf-5.1"),
            True,
        ),
        (
            "default.finance.discount_rate",
            0.08,
            "per year",
            Origin.DEFAULT,
            0.12,
            0.06,
            0.11,
            cited(Confidence.ESTIMATE, "2026", "own-judgement"),
            False,
        ),
        (
            "site.colo-ams.colo_usd_per_kw_month",
            205,
            "USD/kW/month",
            Origin.CATALOGUE,
            0.05,
            170,
            240,
            cited(Confidence.RECALLED, "2025-12", "cbre-h2-2025"),
            True,
        ),
        (
            "egress.aws.internet",
            0.08,
            "USD/GB",
            Origin.CATALOGUE,
            0.021,
            None,
            None,
            cited(Confidence.PUBLISHED, "2026-10", "aws-egress"),
            False,
        ),
        ("site.dc-frankfurt.energy_usd_per_kwh", 0.21, "USD/kWh", Origin.DECLARED, 0.018, None, None, None, False),
    )
    return tuple(
        Assumption(
            figure=Figure(key=key, value=value, unit=unit, origin=origin, low=low, high=high, provenance=source),
            money_usd=share * total,
            is_stale=is_stale,
        )
        for key, value, unit, origin, share, low, high, source, is_stale in rows
    )


def refusals() -> tuple[Refusal, ...]:
    """Policy and physics, with and without numbers."""
    reasons = (
        (
            "health-triage",
            "aws-virginia",
            "*",
            RefusalReason.RESIDENCY,
            "must stay in `DE`; the site is in `US`",
            None,
            None,
            "",
        ),
        (
            "health-triage",
            "azure-west-europe",
            "*",
            RefusalReason.CERTIFICATION,
            "needs `c5`; the site holds `iso27001`, `soc2`",
            None,
            None,
            "",
        ),
        (
            "customer-chat-eu",
            "aws-virginia",
            "*",
            RefusalReason.RESIDENCY,
            "must stay in the EEA; the site is in `US`",
            None,
            None,
            "",
        ),
        (
            "customer-chat-eu",
            "dc-frankfurt",
            "l40s-8",
            RefusalReason.MEMORY,
            "needs 164 GB per replica, 4 x 48 GB hold 153 GB after KV cache",
            164.0,
            153.0,
            "GB",
        ),
        (
            "store-assistant",
            "colo-ams",
            "dgx-h100",
            RefusalReason.LATENCY,
            "round trip 31 ms, limit 22 ms",
            31.0,
            22.0,
            "ms",
        ),
        ("shelf-vision", "colo-ams", "*", RefusalReason.LATENCY, "round trip 31 ms, limit 15 ms", 31.0, 15.0, "ms"),
        (
            "foundation-tune",
            "dc-frankfurt",
            "dgx-h100",
            RefusalReason.GANG,
            "needs 128 GPUs at once, at most 72 there",
            128.0,
            72.0,
            "GPUs",
        ),
        (
            "voice-agent",
            "plants",
            "l4-edge",
            RefusalReason.TPOT,
            "61 ms per output token, limit 45 ms",
            61.0,
            45.0,
            "ms",
        ),
        (
            "code-assistant",
            "coreweave-us",
            "gd-8xh100",
            RefusalReason.SPOT_NOT_ALLOWED,
            "interactive workloads may not use spot",
            None,
            None,
            "",
        ),
    )
    return tuple(
        Refusal(
            workload=WorkloadId(workload),
            site=SiteId(site),
            node_type=node,
            reason=reason,
            text=text,
            actual=actual,
            limit=limit,
            unit=unit,
        )
        for workload, site, node, reason, text, actual, limit, unit in reasons
    )


def findings() -> tuple[Finding, ...]:
    """One warning and one note."""
    return (
        Finding(
            code="TP1502",
            severity=Severity.WARNING,
            path="sites[4].power",
            file="estate.yaml",
            line=41,
            message="`colo_usd_per_kw_month` is taken from a catalogue row 340 days old, limit 180 days",
            hint="declare your contract's price",
        ),
        Finding(
            code="TP1610", severity=Severity.NOTE, path="links[2]", message="link `ams-paris` is not used by any path"
        ),
    )


def cost_by(charges: tuple[Charge, ...], field: str) -> dict[str, float]:
    """Effective cost by one field of the charges, USD."""
    found: dict[str, float] = defaultdict(float)
    for charge in charges:
        found[str(getattr(charge, field))] += charge.effective_usd
    return dict(found)
