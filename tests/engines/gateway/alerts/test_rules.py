"""The alert rules, judged by the real promtool: each fires on what it is about, and none on a quiet gateway."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import missing_component

from tripoint.engines.gateway.alerts.document import rules_document
from tripoint.engines.gateway.alerts.rules import AlertRule, Thresholds, alert_rules
from tripoint.engines.gateway.telemetry.meters import METERS

THRESHOLDS = Thresholds(daily_usd=500.0, lag_s=60.0)


class Case(NamedTuple):
    """Series by time that make a rule fire, and series just short of it."""

    loud: dict[str, str]
    quiet: dict[str, str]
    minutes: int = 10


BUDGET = '{tenant="acme", budget="acme.day"}'
CASES = {
    "TripointBudgetHalfSpent": Case(
        {f"tripoint_budget_spent_usd{BUDGET}": "5x60", f"tripoint_budget_limit_usd{BUDGET}": "10x60"},
        {f"tripoint_budget_spent_usd{BUDGET}": "4.99x60", f"tripoint_budget_limit_usd{BUDGET}": "10x60"},
    ),
    "TripointBudgetNearlySpent": Case(
        {f"tripoint_budget_spent_usd{BUDGET}": "8x60", f"tripoint_budget_limit_usd{BUDGET}": "10x60"},
        {f"tripoint_budget_spent_usd{BUDGET}": "7.99x60", f"tripoint_budget_limit_usd{BUDGET}": "10x60"},
    ),
    "TripointBudgetSpent": Case(
        {f"tripoint_budget_spent_usd{BUDGET}": "10x60", f"tripoint_budget_limit_usd{BUDGET}": "10x60"},
        {f"tripoint_budget_spent_usd{BUDGET}": "9.99x60", f"tripoint_budget_limit_usd{BUDGET}": "10x60"},
    ),
    "TripointBudgetRefuses": Case(
        {'tripoint_requests_total{tenant="acme", error="insufficient_quota"}': "0x5 1x60"},
        {'tripoint_requests_total{tenant="acme", error="overloaded"}': "0x5 9x60"},
    ),
    "TripointBoundOverdrawn": Case(
        {"tripoint_budget_overdrawn_requests_total": "0x5 1x60"}, {"tripoint_budget_overdrawn_requests_total": "7x60"}
    ),
    "TripointSpendUnusual": Case(
        {'tripoint_spend_anomaly_ratio{tenant="acme", model="m"}': "2x60"},
        {'tripoint_spend_anomaly_ratio{tenant="acme", model="m"}': "1.9x60"},
    ),
    "TripointSpendOfDay": Case(  # two nodes tell the same store's figures: counted once
        {
            'tripoint_spend_today_usd{tenant="a", instance="1"}': "400x60",
            'tripoint_spend_today_usd{tenant="b", instance="1"}': "101x60",
        },
        {
            'tripoint_spend_today_usd{tenant="a", instance="1"}': "400x60",
            'tripoint_spend_today_usd{tenant="a", instance="2"}': "400x60",
        },
    ),
    "TripointLedgerBehind": Case({"tripoint_ledger_lag_seconds": "61x60"}, {"tripoint_ledger_lag_seconds": "60x60"}),
    "TripointLedgerSilent": Case(  # promtool's clock begins at 0
        {"tripoint_ledger_told_timestamp_seconds": "0x60"}, {"tripoint_ledger_told_timestamp_seconds": "0+60x60"}
    ),
    "TripointLedgerRefused": Case({"tripoint_ledger_fault": "1x60"}, {"tripoint_ledger_fault": "0x60"}),
    "TripointRecordsLost": Case(
        {"tripoint_usage_records_lost_total": "0x5 3x60"}, {"tripoint_usage_records_lost_total": "3x60"}
    ),
    "TripointLedgerDamaged": Case(
        {"tripoint_ledger_damaged_stretches": "0x5 5x60"}, {"tripoint_ledger_damaged_stretches": "0x5 2x60"}
    ),
    "TripointDegraded": Case(
        {'tripoint_degraded{part="ledger"}': "1x60"}, {'tripoint_degraded{part="ledger"}': "0x60"}
    ),
    "TripointUpstreamDown": Case(
        {'tripoint_upstream_breaker_state{upstream="u", site="s", state="open"}': "1x60"},
        {'tripoint_upstream_breaker_state{upstream="u", site="s", state="open"}': "0x60"},
    ),
}


@pytest.fixture(scope="module")
def promtool() -> str:
    """The real promtool."""
    found = shutil.which("promtool")
    if found is None:
        missing_component("promtool is not on the PATH")
    assert found is not None
    return found


def written(folder: Path, rules: tuple[AlertRule, ...]) -> Path:
    """The rules as a file."""
    path = folder / "tripoint.rules.yml"
    path.write_text(rules_document(rules), encoding="utf-8")
    return path


def expecting_nothing(rule: AlertRule, series: dict[str, str], minutes: int) -> dict[str, object]:
    """One of promtool's tests: the rule has no alert."""
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": rule.name, "exp_alerts": []}],
    }


def judged(promtool: str, folder: Path, test: dict[str, object]) -> str:
    """What promtool says against one test; empty when it agrees."""
    path = folder / "test.yml"
    path.write_text(json.dumps({"rule_files": ["tripoint.rules.yml"], "tests": [test]}), encoding="utf-8")
    run = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_every_rule_has_a_case() -> None:
    """Whoever adds a rule adds what makes it fire."""
    assert {rule.name for rule in alert_rules(THRESHOLDS)} == set(CASES)


def test_the_spend_of_a_day_is_only_watched_when_a_most_is_told() -> None:
    """Nobody but its reader knows what is too much."""
    assert "TripointSpendOfDay" not in {rule.name for rule in alert_rules(Thresholds())}


def test_rules_watch_meters_there_are() -> None:
    """Every name in an expression is exposed."""
    names = {meter.name for meter in METERS}
    for rule in alert_rules(THRESHOLDS):
        words = "".join(sign if sign.isalnum() or sign == "_" else " " for sign in rule.expression).split()
        watched = {word for word in words if word.startswith("tripoint_")}
        assert watched
        assert watched <= names


def test_promtool_takes_the_rules(promtool: str, tmp_path: Path) -> None:
    """They are rules to Prometheus."""
    path = written(tmp_path, alert_rules(THRESHOLDS))
    run = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(CASES)} rules found" in run.stdout


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_rule_fires_on_what_it_is_about_and_not_short_of_it(promtool: str, tmp_path: Path, name: str) -> None:
    """Exactly one alert on the loud series, none on the quiet ones; its texts are filled in."""
    rules = alert_rules(THRESHOLDS)
    rule = next(each for each in rules if each.name == name)
    written(tmp_path, rules)
    case = CASES[name]
    assert judged(promtool, tmp_path, expecting_nothing(rule, case.quiet, case.minutes)) == ""
    # Told to expect no alert, promtool shows the one there is, texts and all.
    got = judged(promtool, tmp_path, expecting_nothing(rule, case.loud, case.minutes)).partition("got:")[2]
    assert got.count(f'alertname="{name}"') == 1, got
    assert f'severity="{rule.severity}"' in got
    assert "{{" not in got
    assert "error expanding" not in got
