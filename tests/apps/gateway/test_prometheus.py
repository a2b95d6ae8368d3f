"""A real Prometheus reads a gateway's page, and its own alerts tell that a tenant's budget is spent."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import missing_component
from tests.factories.rigs import Rig, rig
from tests.factories.shell import chat, post, read_answer

from tripoint.apps.battery.faults.budgets import set_budget, store_of
from tripoint.apps.battery.rig.gateway import KEY
from tripoint.apps.battery.rig.servers import free_port
from tripoint.engines.gateway.alerts.document import rules_document
from tripoint.engines.gateway.alerts.rules import Thresholds, alert_rules

_PATIENCE_S = 60.0
_CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: [tripoint.rules.yml]
scrape_configs:
  - job_name: tripoint
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[int]:
    """A Prometheus that reads one gateway; its port."""
    program = shutil.which("prometheus")
    if program is None:
        missing_component("prometheus is not on the PATH")
    assert program is not None
    folder.mkdir()
    (folder / "tripoint.rules.yml").write_text(rules_document(alert_rules(Thresholds())), encoding="utf-8")
    (folder / "prometheus.yml").write_text(_CONFIG.format(port=target), encoding="utf-8")
    port = free_port()
    flags = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([program, *flags, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield port
    finally:
        child.terminate()
        child.wait(30)


def asked(port: int, path: str) -> Any:
    """The data of an answer of its interface; `None` while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def until(is_so: Callable[[], bool], what: str) -> None:
    """Waits for it, with patience for a machine under load."""
    end = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, f"waited {_PATIENCE_S:.0f} s for {what}"
        time.sleep(0.25)


def one(found: Rig) -> str:
    """Asks once; the error's code, empty when answered."""
    with socket.create_connection(("127.0.0.1", found.gateway.port), timeout=30) as connection:
        connection.sendall(post(chat(max_tokens=4), f"Authorization: Bearer {KEY}"))
        answer = read_answer(connection)
    return "" if answer.status == 200 else str(json.loads(answer.body)["error"]["code"])


@pytest.mark.slow
@pytest.mark.enable_socket
def test_prometheus_tells_that_a_budget_is_spent(tmp_path: Path) -> None:
    """Scraped, evaluated and firing: the rules work on what the gateway really exposes."""
    with rig(tmp_path / "gateway") as found, prometheus(tmp_path / "prometheus", found.gateway.port) as port:
        until(lambda: bool(asked(port, "query?query=up==1") and asked(port, "query?query=up==1")["result"]), "a scrape")
        rules = asked(port, "rules")["groups"][0]["rules"]
        assert len(rules) == len(alert_rules(Thresholds()))
        assert one(found) == ""
        until(lambda: bool(series(port, "tripoint_spend_today_usd")), "the ledger's figures")
        assert firing(port).isdisjoint({"TripointBudgetRefuses", "TripointLedgerSilent", "TripointRecordsLost"})
        set_budget(store_of(found.gateway), 1)
        until(lambda: one(found) == "insufficient_quota", "the budget to refuse")
        until(lambda: bool(one(found)) and "TripointBudgetRefuses" in firing(port), "the alert")
        # The ledger process tells its figures once a second, workers theirs whenever they are asked.
        until(lambda: bool(series(port, "tripoint_budget_limit_usd")), "the budget's limit")


def series(port: int, query: str) -> list[Any]:
    """What a query gives now."""
    data = asked(port, f"query?query={query}")
    return [] if data is None else list(data["result"])


def firing(port: int) -> set[str]:
    """Names of alerts that fire."""
    data = asked(port, "alerts")
    return {each["labels"]["alertname"] for each in (data or {"alerts": []})["alerts"] if each["state"] == "firing"}
