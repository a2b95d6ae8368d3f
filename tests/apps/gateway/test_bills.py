"""Real traffic becomes a plan's demand and a bill: gateway, ledger process and commands together."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.factories.focus_rules import check_rows
from tests.factories.rigs import rig
from tests.factories.shell import chat, post, read_answer

from tripoint.adapters.focus_files.read import read_bill, read_texts
from tripoint.apps import stores
from tripoint.apps.battery.rig.gateway import KEY
from tripoint.apps.cli import cli
from tripoint.domain.ledger import Entry, EntryKind, EntryQuery
from tripoint.domain.money import nano_of, usd
from tripoint.engines.governance.focus.columns import columns_of

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

REQUESTS = 60


def test_served_traffic_is_planned_on_and_billed(tmp_path: Path, repo_root: Path) -> None:
    """The plan's demand is what the records say, the bill's money what they cost, and bill and ledger agree."""
    with rig(tmp_path) as found:
        body = post(chat(stream=True, max_tokens=8), f"Authorization: Bearer {KEY}")
        with socket.create_connection(("127.0.0.1", found.gateway.port), timeout=20) as connection:
            for _ in range(REQUESTS):
                connection.sendall(body)
                assert read_answer(connection).status == 200
        store = f"sqlite:///{found.gateway.run_folder / 'store.db'}"
        entries = entered(store)
        model = entries[0].model
    estate = tmp_path / "estate.yaml"
    text = next((repo_root / "examples" / "break-even").glob("*.yaml")).read_text(encoding="utf-8")
    estate.write_text(text.replace("id: assistant", "id: chat"), encoding="utf-8")

    demand = document("ledger", "demand", "--store", store)["profiles"]["chat"]
    window_s = entries[-1].at - entries[0].at
    assert demand["rows"] == REQUESTS
    assert demand["requests_per_s"] == pytest.approx(REQUESTS / window_s, rel=1e-6)
    assert demand["input_tokens"]["mean"] == pytest.approx(sum(each.tokens_in for each in entries) / REQUESTS)
    assert demand["output_tokens"]["mean"] == pytest.approx(sum(each.tokens_out for each in entries) / REQUESTS)
    flags = ("--no-baselines", "--quiet", "--gap", "0.05")
    planned = document("plan", str(estate), *flags, "--demand", f"ledger:{store}")
    assert planned["is_feasible"]
    doubt, rate = planned["demand"]
    assert doubt.startswith("warning: traffic of ")
    assert "too short" in doubt
    assert rate.startswith(f"`chat`: {REQUESTS} requests")

    bill = tmp_path / "bill.csv"
    document("ledger", "export", str(bill), "--store", store)
    texts = [row for _, row in read_texts(bill)]
    assert check_rows([column.name for column in columns_of("1.2")], texts) == ()
    tokens = {row["SkuMeter"]: 0.0 for row in texts}
    for row in texts:
        tokens[row["SkuMeter"]] += float(row["ConsumedQuantity"])
    assert tokens["Output Tokens"] == sum(each.tokens_out for each in entries)
    charged = sum((row.effective for row in read_bill(bill) if row.custom["x_EntryKind"] == "usage"), usd(0))
    assert nano_of(charged) == sum(each.nano for each in entries) > 0
    compared = document("ledger", "reconcile", str(bill), "--store", store)
    assert [one["causes"] for one in compared["differences"] if one["model"] == model] == [[]]


def entered(store: str) -> list[Entry]:
    """Every request, once the ledger has them all, by the time at which they began."""
    until = time.monotonic() + 60.0
    while True:
        ledger = stores.open_ledger(store)
        found = list(ledger.entries(EntryQuery(kinds=(EntryKind.USAGE,))))
        ledger.close()
        if len(found) >= REQUESTS:
            return sorted(found, key=lambda each: each.at)
        assert time.monotonic() < until, f"{len(found)} of {REQUESTS} came"
        time.sleep(0.2)


def document(*arguments: str) -> dict[str, Any]:
    """The one JSON document of a command that says yes."""
    done = CliRunner().invoke(cli, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found
