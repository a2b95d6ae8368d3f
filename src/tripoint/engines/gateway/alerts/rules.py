"""The alert rules: what each watches, how long it must last, and what whoever is called needs to know.

Metric names are taken from the meters themselves, so that a rule cannot watch a name that is no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tripoint.engines.gateway.telemetry import meters


class AlertRule(NamedTuple):
    """One alert."""

    name: str
    """Unique name."""
    expression: str
    """PromQL that is true, or gives series, while it should be told."""
    lasting: str
    """How long it must be true first, a Prometheus duration."""
    severity: str
    """`page`: somebody must act now; `ticket`: within days."""
    summary: str
    """One line, with the labels and the value."""
    description: str
    """What it means and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What only the people who are told can decide."""

    daily_usd: float | None = None
    """Most that a day may cost in all, USD; no rule about it when `None`."""
    lag_s: float = 60.0
    """Longest the ledger may be behind what is on disk, s."""
    anomaly_ratio: float = 2.0
    """How many times its usual a day's spend must be to be told."""


def alert_rules(thresholds: Thresholds) -> tuple[AlertRule, ...]:
    """Every rule, money first."""
    return (*_budgets(), *_spend(thresholds), *_ledger(thresholds), *_gateway())


def _budgets() -> tuple[AlertRule, ...]:
    # Every node of a shared store tells the same figures: the largest of them, never their sum.
    spent, limit = (f"max by (tenant, budget) ({meter.name})" for meter in (meters.BUDGET_SPENT, meters.BUDGET_LIMIT))
    share = f"{spent} / {limit}"
    told = "{{ $labels.budget }} of {{ $labels.tenant }} is spent to {{ $value | humanizePercentage }}"
    # The same thresholds, 50, 80 and 100 %, that the ledger writes down when a budget reaches them.
    return (
        AlertRule(
            "TripointBudgetHalfSpent", f"{share} >= 0.5 < 0.8", "0s", "ticket", told,
            "Half of the budget of this window is gone. Compare with how much of the window is.",
        ),
        AlertRule(
            "TripointBudgetNearlySpent", f"{share} >= 0.8 < 1", "0s", "ticket", told,
            "Requests will be refused once it is spent, if the budget is enforced. `tripoint budget list` shows all.",
        ),
        AlertRule(
            # An enforced budget never reaches its limit: what is left of it is less than one more request may cost.
            "TripointBudgetRefuses",
            f'sum by (tenant) (increase({meters.REQUESTS.name}{{error="insufficient_quota"}}[5m])) > 0', "0s", "page",
            "{{ $value | humanize }} requests of {{ $labels.tenant }} were refused within 5 minutes: a budget is spent",
            "Requests are refused until the window of the budget ends or its limit is raised with `tripoint budget"
            " set`; `tripoint budget list` shows which it is.",
        ),
        AlertRule(
            "TripointBudgetSpent", f"{share} >= 1", "0s", "ticket", told,
            "A budget that only warns is exceeded, or an enforced one is spent to the last.",
        ),
        AlertRule(
            "TripointBoundOverdrawn", f"increase({meters.OVERDRAWN.name}[1h]) > 0", "0s", "ticket",
            "{{ $value | humanize }} requests in an hour cost more than their upper bound",
            "Their cost is counted in full, but a budget may be overspent by it. An upstream did not keep to the limit"
            " of output it was given, or a request held more input than its bytes can tell.",
        ),
    )  # fmt: skip


def _spend(thresholds: Thresholds) -> tuple[AlertRule, ...]:
    unusual = AlertRule(
        "TripointSpendUnusual",
        f"max by (tenant, model) ({meters.ANOMALY.name}) >= {thresholds.anomaly_ratio:g}",
        "5m",
        "ticket",
        "{{ $labels.tenant }} spends {{ $value | humanize }} times its usual on {{ $labels.model }}",
        "Today's spend stands out from that of the days before. `tripoint ledger top --by key,workload` shows who"
        " spends it.",
    )
    if thresholds.daily_usd is None:
        return (unusual,)
    of_day = AlertRule(
        "TripointSpendOfDay",
        f"sum(max by (tenant) ({meters.SPEND_TODAY.name})) > {thresholds.daily_usd:g}",
        "0s",
        "page",
        f"{{{{ $value | humanize }}}} USD were spent today, more than {thresholds.daily_usd:g}",
        "Effective cost of the day in UTC, idle capacity included. `tripoint ledger top` shows who spends it.",
    )
    return unusual, of_day


def _ledger(thresholds: Thresholds) -> tuple[AlertRule, ...]:
    silence = max(120.0, 2 * thresholds.lag_s)
    return (
        AlertRule(
            "TripointLedgerBehind", f"{meters.LEDGER_LAG.name} > {thresholds.lag_s:g}", "1m", "page",
            "the ledger is {{ $value | humanizeDuration }} behind",
            "Usage records are safe on disk but not in the ledger, so that budgets lend out no more money than is known"
            " to be there. Is the store reachable and its disk fast enough?",
        ),
        AlertRule(
            "TripointLedgerSilent", f"time() - {meters.LEDGER_TOLD.name} > {silence:g}", "1m", "page",
            "the ledger process has said nothing for {{ $value | humanizeDuration }}",
            "It is not running or hangs. Requests are served and recorded on disk; enforced budgets only spend what was"
            " lent before.",
        ),
        AlertRule(
            "TripointLedgerRefused", f"{meters.LEDGER_FAULT.name} > 0", "1m", "page",
            "the ledger's store takes nothing",
            "Disk full, server gone, or rights changed; the log of the gateway has the store's own words.",
        ),
        AlertRule(
            "TripointRecordsLost", f"increase({meters.RECORDS_LOST.name}[1h]) > 0", "0s", "page",
            "{{ $value | humanize }} usage records were lost within an hour",
            "The disk took none for so long that memory for them ran out. What they cost is in no budget and no bill of"
            " ours; reconcile with the providers' bills.",
        ),
        AlertRule(
            "TripointLedgerDamaged", f"increase({meters.LEDGER_DAMAGED.name}[1d]) > 3", "0s", "ticket",
            "{{ $value | humanize }} stretches of usage records could not be read within a day",
            "A killed worker leaves one torn end; more means that the disk or somebody changed the files.",
        ),
    )  # fmt: skip


def _gateway() -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            "TripointDegraded", f"{meters.DEGRADED.name} > 0", "1m", "ticket",
            "the gateway serves without its {{ $labels.part }}",
            "Requests are answered, but a part that should be there is not; `/readyz` has the reason.",
        ),
        AlertRule(
            "TripointUpstreamDown", f'{meters.BREAKER.name}{{state="open"}} > 0', "1m", "ticket",
            "{{ $labels.upstream }} has been left alone for a minute",
            "Its breaker is open: it failed, and is asked now and then whether it is back. Others answer meanwhile.",
        ),
    )  # fmt: skip
