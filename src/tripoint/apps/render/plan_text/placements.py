"""Who lives where, on what kind of money, and what holds them there."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from tripoint.apps.render.plan_text.layout import NOTHING, lines, table, titled
from tripoint.apps.render.reading.amounts import money_of
from tripoint.apps.render.reading.residence import TENURES, Stay, residence, sites_of, tenure_shares
from tripoint.domain.plan import Plan

_COLUMNS = (
    ("Workload", "l"),
    ("Where most of it runs", "f"),
    ("Own/commit/elastic", "r"),
    ("Cost", "r"),
    ("Per Mtok used", "r"),
    ("held", "r"),
)
_KEY = (
    "the main site in the first → the last period, +n others in the last;",
    "shares of demand on owned, committed and elastic capacity over the horizon;",
    "cost per million tokens as used (idle left out) and as held (idle included)",
)


def placements(plan: Plan) -> Group:
    """One row per workload, then one sentence per workload on what holds it there."""
    if not plan.workloads:
        return NOTHING
    money, homes = money_of(plan), residence(plan)
    rows = [
        (
            workload.id,
            _where(homes.get(workload.id, ())),
            _shares(tenure_shares(homes.get(workload.id, ()))),
            money.short(workload.cost_usd),
            money.rate(workload.usd_per_mtok_usage),
            money.rate(workload.usd_per_mtok_reserved),
        )
        for workload in plan.workloads
    ]
    reasons = [f"{workload.id}: {workload.why}" for workload in plan.workloads if workload.why]
    why = (Text(), titled("Why there", lines(reasons))) if reasons else ()
    return titled("Where each workload lives", table(_COLUMNS, rows), lines(_KEY), *why)


def _where(stays: tuple[tuple[Stay, ...], ...]) -> str:
    """Main site in the first and in the last period, and how many others help in the last."""
    placed = [period for period in stays if period]
    if not placed:
        return "nowhere"
    first, last = (sites_of(period) for period in (placed[0], placed[-1]))
    others = f" +{len(last) - 1}" if len(last) > 1 else ""
    return f"{last[0]}{others}" if first[0] == last[0] else f"{first[0]} → {last[0]}{others}"


def _shares(shares: dict[str, float]) -> str:
    return " / ".join(f"{shares[tenure] * 100:.0f}" for tenure in TENURES) + " %"
