"""`tripoint ledger report` and `reprice`: a page for people, and the way to put wrong prices right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.factories.plan import small_plan
from tests.factories.spend_story import story
from tests.factories.spending import VERSION, price_row, priced_record

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.apps import stores, wiring
from tripoint.apps.cli import cli
from tripoint.domain.record import Usage
from tripoint.domain.tenancy import Accounts, Budget, Scope, Window
from tripoint.testing.ledger_conformance import NOON, piece

ROW = price_row("chat/a/llama", (2_000_000, 1_000_000, 4_000_000, 0))
DEARER = price_row("chat/a/llama", (3_000_000, 1_000_000, 4_000_000, 0))
USAGE = Usage(1_000, 100, 0, 0)
DAY = "2026-11-18"
FIRST, LAST = "2026-01-05", "2026-01-25"
"""Days that are over whenever this runs."""


def ran(*arguments: str, code: int = 0) -> str:
    """What a command printed; it must end with the code."""
    found = CliRunner().invoke(cli, ["ledger", *arguments])
    assert found.exit_code == code, found.output
    return found.output


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Its one JSON document."""
    found: dict[str, Any] = json.loads(ran(*arguments, "--json", code=code))
    return found


def test_a_report_is_one_file_with_the_ledgers_own_sums(tmp_path: Path) -> None:
    """Held against a plan; nothing in it is fetched from anywhere."""
    store = f"sqlite:///{tmp_path / 'store.db'}"
    story(store, 21, FIRST)
    wiring.write_plan(small_plan(), tmp_path / "plan")
    out = tmp_path / "spend.html"
    flags = ("--since", FIRST, "--until", LAST, "--store", store)
    found = document("report", *flags, "--plan", str(tmp_path / "plan"), "--out", str(out))
    whole = document("top", *flags)["total"]
    assert (found["usd"], found["list_usd"]) == (whole["usd"], whole["list_usd"])
    assert (found["since"], found["until"]) == (FIRST, LAST)
    assert found["planned_usd"] > 0
    text = out.read_text(encoding="utf-8")
    assert "Planned against actual" in text
    assert "retail-eu" in text
    assert "http:" not in text
    assert "https:" not in text
    one = document("report", *flags, "--tenant", "claims", "--out", str(out))
    assert one["usd"] == document("top", *flags, "--tenant", "claims")["total"]["usd"]
    assert "retail-eu" not in out.read_text(encoding="utf-8")


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    """Of days without an entry; a store that is not there is told before anything is written."""
    store, out = f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "spend.html"
    assert "no store" in ran("report", "--store", store, "--out", str(out), code=2)
    assert not out.exists()
    story(store, 1)
    found = document("report", "--since", FIRST, "--until", LAST, "--store", store, "--out", str(out))
    assert (found["usd"], found["since"]) == ("0", None)
    assert "Nothing was entered" in out.read_text(encoding="utf-8")


@pytest.fixture
def mispriced(tmp_path: Path) -> str:
    """A store with ten requests by prices that were too low, the right prices, and a budget that counts."""
    store = f"sqlite:///{tmp_path / 'store.db'}"
    leases = stores.open_leases(store, None, charger := stores.make_charger())
    budget = Budget(id="acme.month", scope=Scope(tenant="acme"), window=Window.MONTH, limit_nano=10**12)
    leases.adopt(Accounts(revision=1, budgets=(budget,)))
    leases.close()
    ledger = SqlLedger(connect(store), lambda: NOON, charger.charge)
    ledger.keep_prices(VERSION, [ROW], NOON)
    ledger.keep_prices("p2", [DEARER], NOON)
    ledger.load([piece([priced_record(number, ROW, USAGE, at=NOON + number) for number in range(10)])])
    ledger.close()
    return store


def test_wrong_prices_are_put_right_by_rows_once(mispriced: str) -> None:
    """A thousandth of a cent a token for a thousand tokens, ten times; the entries stay as they were."""
    flags = ("--since", DAY, "--store", mispriced)
    before = document("top", *flags)["total"]["nano"]
    found = document("reprice", "p2", *flags)
    assert (found["looked_at"], found["corrected"], found["unpriced"]) == (10, 10, 0)
    assert found["nano"] == 10 * 1_000 * 1_000
    assert document("top", *flags)["total"]["nano"] == before + found["nano"]
    assert document("top", *flags, "--kind", "usage")["total"]["nano"] == before
    assert document("top", *flags, "--kind", "correction")["total"]["usd"] == found["usd"] == "0.01"
    assert document("reprice", "p2", *flags)["corrected"] == 0
    assert ran("reprice", "p2", *flags).strip().endswith("looked at, nothing to correct")
    assert "agree" in ran("check", "--store", mispriced)
    assert document("reprice", VERSION, *flags)["nano"] == -found["nano"]


def test_a_correction_counts_against_budgets(mispriced: str) -> None:
    """In the window of the request it corrects, also of a budget that is in no account any more."""
    ran("reprice", "p2", "--everything", "--store", mispriced)
    with connect(mispriced).read() as session:
        rows = list(session.execute("SELECT budget, span, spent_nano FROM budget_tally"))
    cost = 10 * (1_000 * 3_000 + 100 * 4_000)
    assert [tuple(row) for row in rows] == [("acme.month", "2026-11", cost)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("p2",), "nothing says which requests"),
        (("p9", "--everything"), "no price version `p9`"),
        (("p9", "--everything"), "`tripoint ledger top --by prices --since DAY`"),
        (("p2", "--since", "soon"), "`soon` is not a day"),
    ],
)
def test_what_cannot_be_repriced_is_told(mispriced: str, arguments: tuple[str, ...], words: str) -> None:
    """Nothing is entered."""
    assert words in ran("reprice", *arguments, "--store", mispriced, code=2)
    assert document("top", "--since", DAY, "--kind", "correction", "--store", mispriced)["rows"] == []
