"""The running gateway keeps its prices in the ledger and enters what was idle before: nodes are never free."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.factories.rigs import rig

from tripoint.adapters.price_lists import leave_price_list
from tripoint.apps import stores
from tripoint.domain.ledger import EntryKind, EntryQuery
from tripoint.domain.pricelist import Holding, PriceList

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

HOUR_NANO = 3_000_000_000
"""What the nodes of an earlier run cost an hour."""


def test_hours_of_an_earlier_run_that_was_killed_are_entered(tmp_path: Path) -> None:
    """It held nodes for three hours and ended without a word; the new run's own list is kept with its version."""
    began = float(int(time.time() - 120.0) // 3600 * 3600 - 3 * 3600)
    earlier = PriceList(began, "before", (), (Holding("dense-1", "dense", HOUR_NANO),))
    leave_price_list(tmp_path / "run" / "prices", earlier)
    with rig(tmp_path) as found:
        ledger = stores.open_ledger(f"sqlite:///{found.gateway.run_folder / 'store.db'}")
        version = json.loads((found.gateway.run_folder / "table.json").read_text(encoding="utf-8"))["prices"]
        idle = EntryQuery(kinds=(EntryKind.IDLE,))
        until = time.monotonic() + 60.0
        while len(list(ledger.entries(idle))) < 3 or not ledger.prices(version):
            assert time.monotonic() < until, "neither came"
            time.sleep(0.2)
        rows = list(ledger.entries(idle))
        ledger.close()
    assert [(each.at, each.nano, each.upstream, each.tenant) for each in rows] == [
        (began + 3600.0 * number, HOUR_NANO, "dense-1", "") for number in range(3)
    ]
