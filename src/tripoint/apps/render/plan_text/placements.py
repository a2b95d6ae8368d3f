"""Who lives where, on what kind of money, and what holds them there."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from tripoint.apps.render.plan_text.layout import NOTHING, Rows, lines, more, table, titled
from tripoint.apps.render.reading.amounts import money_of
from tripoint.apps.render.reading.residence import TENURES, Stay, residence, sites_of, tenure_shares
from tripoint.domain.plan import Plan, WorkloadSummary
from tripoint.engines.answers.summary.summaries import shared_usd

_COLUMNS = (
    ("Workload", "l"),
    ("Where most of it runs", "f"),
    ("Own/commit/elastic", "r"),
    ("Cost", "r"),
    ("Mtok used", "r"),
    ("held", "r"),
)
_KEY = (
    "main site in the first → the last period, +n others in the last; % of demand on owned, committed "
    "and elastic capacity, all hours counting alike; "
    "cost per million tokens as used (what is planned for the workload, standby and headroom too) "
    "and as held (with its part of idle capacity)"
)

SHARED = "shared by all"
"""Name of the row of what no workload's use explains."""
_LEAST_USD = 0.5
"""Less is not told."""


def placements(plan: Plan, most: Rows) -> Group:
    """One row per workload, then one sentence for each of the dearest on what holds it there."""
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
        for workload in _dearest(plan.workloads, most.workloads)
    ]
    told = [workload for workload in plan.workloads if workload.why]
    reasons = [f"{workload.id}: {workload.why}" for workload in _dearest(told, most.reasons)]
    why = (
        (Text(), titled("Why there, shares by volume", lines(reasons + more(len(reasons), len(told)))))
        if reasons
        else ()
    )
    rest = more(len(rows), len(plan.workloads))
    shared = {kind: usd for kind, usd in shared_usd(plan.charges).items() if usd >= _LEAST_USD}
    if shared:
        rows.append((SHARED, "", "", money.short(sum(shared.values())), "", ""))
        kinds = ", ".join(f"{kind} {money.short(usd)}" for kind, usd in shared.items())
        rest.append(f"{SHARED}: {kinds}, which no workload's own use explains")
    return titled("Where each workload lives", table(_COLUMNS, rows), lines((*rest, _KEY)), *why)


def _dearest(workloads: Sequence[WorkloadSummary], most: int) -> list[WorkloadSummary]:
    """Those that cost most, in the plan's own order."""
    kept = {each.id for each in sorted(workloads, key=lambda each: -each.cost_usd)[:most]}
    return [each for each in workloads if each.id in kept]


def _where(stays: tuple[tuple[Stay, ...], ...]) -> str:
    """Main site in the first and in the last period, and how many others help in the last."""
    placed = [period for period in stays if period]
    if not placed:
        return "nowhere"
    first, last = (sites_of(period) for period in (placed[0], placed[-1]))
    others = f" +{len(last) - 1}" if len(last) > 1 else ""
    return f"{last[0]}{others}" if first[0] == last[0] else f"{first[0]} → {last[0]}{others}"


def _shares(shares: dict[str, float]) -> str:
    return "/".join(f"{shares[tenure] * 100:.0f}" for tenure in TENURES)
