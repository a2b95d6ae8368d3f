"""`tripoint ledger alerts`: rules by which Prometheus tells somebody."""

from __future__ import annotations

import click

from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import FiniteRange


@click.command()
@click.option("--daily-usd", metavar="USD", type=FiniteRange(min=0), help="Alert when a day costs more than this.")
@click.option("--lag-s", metavar="S", type=FiniteRange(min=1), default=60.0, show_default=True,
              help="Alert when the ledger is this far behind, seconds.")  # fmt: skip
@click.option("--unusual", metavar="TIMES", type=FiniteRange(min=1), default=2.0, show_default=True,
              help="Alert when a day's spend is this many times its usual.")  # fmt: skip
@answering
def alerts(daily_usd: float | None, lag_s: float, unusual: float) -> Answer:
    """Print alert rules for Prometheus: budgets, spend, the ledger's lag, the gateway's parts.

    Printed as a rule file. For example: tripoint ledger alerts --daily-usd 500 > tripoint.rules.yml
    """
    from tripoint.engines.gateway.alerts.document import rules_document
    from tripoint.engines.gateway.alerts.rules import Thresholds, alert_rules

    rules = alert_rules(Thresholds(daily_usd=daily_usd, lag_s=lag_s, anomaly_ratio=unusual))
    return Answer(text=rules_document(rules).rstrip("\n"), payload={"rules": [rule._asdict() for rule in rules]})
