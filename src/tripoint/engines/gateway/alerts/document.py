"""The rules as a file Prometheus reads."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tripoint.engines.gateway.alerts.rules import AlertRule

_HEAD = """# Alert rules for Prometheus, made by `tripoint ledger alerts`; name this file under `rule_files`.
groups:
  - name: tripoint
    rules:
"""


def rules_document(rules: Sequence[AlertRule]) -> str:
    """YAML; texts are quoted as JSON, which YAML reads alike."""
    return _HEAD + "".join(_entry(rule) for rule in rules)


def _entry(rule: AlertRule) -> str:
    return (
        f"      - alert: {rule.name}\n"
        f"        expr: {json.dumps(rule.expression)}\n"
        f"        for: {rule.lasting}\n"
        f"        labels: {{severity: {rule.severity}}}\n"
        "        annotations:\n"
        f"          summary: {json.dumps(rule.summary)}\n"
        f"          description: {json.dumps(rule.description)}\n"
    )
