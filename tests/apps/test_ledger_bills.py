"""`tripoint ledger export`, `demand`, `reconcile` and `tripoint plan --demand`, as people and programs meet them."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.factories.spending import ledger_of, price_row, priced_record

from tripoint.apps.cli import cli
from tripoint.domain.record import Usage
from tripoint.testing.ledger_conformance import NOON, idle

PRICE = price_row("assistant/a/llama", (200_000, 20_000, 800_000, 0))
HOURS = 48


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Two days of one workload, a request every 20 s, and an idle hour."""
    records = [
        priced_record(number, PRICE, Usage(500, 100, 125, 0), at=NOON + 20 * number, workload="assistant")
        for number in range(HOURS * 180)
    ]
    ledger_of(tmp_path / "store.db", [PRICE], records, [idle()]).close()
    return f"sqlite:///{tmp_path / 'store.db'}"


def ran(*arguments: str, code: int = 0) -> Result:
    """A command that must end with the code."""
    found = CliRunner().invoke(cli, list(arguments))
    assert found.exit_code == code, found.output
    return found


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Its one JSON document."""
    found: dict[str, Any] = json.loads(ran(*arguments, "--json", code=code).stdout)
    return found


def test_an_export_says_what_it_holds(store: str, tmp_path: Path) -> None:
    """As text and JSON; the format follows the file's ending; both hold the ledger's money."""
    told = ran("ledger", "export", str(tmp_path / "bill.csv"), "--store", store).stdout
    assert told == f"wrote {tmp_path / 'bill.csv'}: 13 rows of 3 days, 1.360805 USD\n"
    found = document("ledger", "export", str(tmp_path / "bill.parquet"), "--store", store)
    assert (found["format"], found["rows"], found["usd"]) == ("focus-parquet", 13, "1.360805")
    assert (tmp_path / "bill.parquet").read_bytes()[:4] == b"PAR1"


def test_a_sub_account_has_the_name_people_call_it_by(store: str, tmp_path: Path) -> None:
    """Its id stays its id; a tenant of the estate's own keys, which no account is of, is called by its id."""
    for names in (("acme", "acme"), ("acme", "Acme Research")):
        ran("ledger", "export", str(tmp_path / "bill.csv"), "--store", store)
        with (tmp_path / "bill.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert {(row["SubAccountId"], row["SubAccountName"]) for row in rows} == {names, ("", "")}
        if names == ("acme", "acme"):
            ran("tenant", "create", "acme", "--name", "Acme Research", "--store", store)


def test_an_ending_that_says_nothing_is_asked_about(store: str, tmp_path: Path) -> None:
    """Nothing is written by guess; told the format, any name will do."""
    told = ran("ledger", "export", str(tmp_path / "bill.txt"), "--store", store, code=2)
    assert "ends neither in `.csv` nor in `.parquet`" in told.stderr
    assert "--format focus-csv" in told.stderr
    assert not (tmp_path / "bill.txt").exists()
    ran("ledger", "export", str(tmp_path / "bill.txt"), "--store", store, "--format", "focus-csv")
    assert (tmp_path / "bill.txt").exists()


def test_an_export_that_cannot_be_written_leaves_nothing(store: str, tmp_path: Path) -> None:
    """Exit code 3, and the place."""
    (tmp_path / "file").write_text("")
    told = ran("ledger", "export", str(tmp_path / "file" / "bill.csv"), "--store", store, code=3)
    assert "cannot write" in told.stderr
    ran("ledger", "export", str(tmp_path / "bill.csv"), "--store", store, "--since", "11/2026", code=2)
    assert not (tmp_path / "bill.csv").exists()


def test_profiles_are_written_and_usable(store: str, tmp_path: Path) -> None:
    """One for each workload, by its name, which `tripoint demand show` reads."""
    told = ran("ledger", "demand", "--store", store, "--out", str(tmp_path / "profiles")).stdout
    assert "warning" not in told
    assert told.startswith("assistant: 8,640 requests in 48 h, 0.05001 a second, 500 tokens in and 100 out, 25%")
    shown = document("demand", "show", str(tmp_path / "profiles" / "assistant.json"))
    assert shown["profile"]["cacheable_share"] == pytest.approx(0.25)


@pytest.mark.parametrize("source", ["ledger", "export"])
def test_a_plan_on_observed_traffic_is_one_flag(source: str, store: str, tmp_path: Path, repo_root: Path) -> None:
    """The plan is for the traffic that was seen, and says so; the estate itself says 1.5 requests a second."""
    shutil.copytree(repo_root / "examples" / "break-even", tmp_path / "estate")
    given = f"ledger:{store}"
    if source == "export":
        given = str(tmp_path / "bill.csv")
        ran("ledger", "export", given, "--store", store, "--hourly")
    declared = document("plan", str(tmp_path / "estate"), "--no-baselines", "--quiet")
    observed = document("plan", str(tmp_path / "estate"), "--no-baselines", "--quiet", "--demand", given)
    assert observed["is_feasible"]
    assert observed["demand"][0].startswith("`assistant`: 8,640 requests observed, 0.0")
    assert observed["estate_digest"] != declared["estate_digest"]
    assert observed["total_usd"] < declared["total_usd"] / 2


def test_a_short_time_is_told_in_seconds(tmp_path: Path) -> None:
    """Not as 0.00 h."""
    records = [priced_record(number, PRICE, Usage(500, 100), at=NOON + number, workload="chat") for number in range(9)]
    ledger_of(tmp_path / "short.db", [PRICE], records).close()
    told = ran("ledger", "demand", "--store", str(tmp_path / "short.db"), "--out", str(tmp_path / "profiles")).stdout
    assert told.startswith("chat: 9 requests in 8 s, 1.125 a second")


def test_a_plan_on_observed_traffic_is_asked_about_later(store: str, tmp_path: Path, repo_root: Path) -> None:
    """The plan keeps the demand it was made on: the ledger may be gone when somebody asks why, tries it, or replans."""
    estate, answer = str(tmp_path / "estate"), str(tmp_path / "answer")
    shutil.copytree(repo_root / "examples" / "break-even", estate)
    again = ("plan", estate, "--no-baselines", "--quiet", "--out")
    told = ran(*again, answer, "--demand", f"ledger:{store}").stdout
    assert "demand observed: ledger (" in told
    (tmp_path / "store.db").unlink()
    kept = json.loads((tmp_path / "answer" / "plan.json").read_text())
    assert kept["demand"]["source"].startswith("ledger (")
    assert list(kept["demand"]["profiles"]) == ["assistant"]
    assert "Demand observed" in (tmp_path / "answer" / "report.html").read_text()
    explained = document("explain", "assistant", estate, "--plan", answer, "--quiet")
    assert explained["workload"]["cost_usd"] == kept["workloads"][0]["cost_usd"]
    found = document("assess", "recovery", estate, "--plan", answer, "--quiet", "--no-prices")
    assert found["name"] == kept["name"]
    tried = ("--trials", "1", "--no-search", "--on", "here", "--only", "growth", "--out", answer)
    ran("stress", estate, "--plan", answer, "--quiet", *tried)
    stressed = json.loads((tmp_path / "answer" / "stress.json").read_text())
    assert stressed["estate_digest"] == kept["estate_digest"]
    ran("report", answer, "--recovery", estate, "--no-prices", "--stress", answer)
    warm = document(*again, str(tmp_path / "warm"), "--demand", answer, "--warm", answer)
    assert (warm["estate_digest"], warm["moved"]) == (kept["estate_digest"], [])
    assert warm["demand"][0].startswith("`assistant`: 8,640 requests observed, 0.0")
    told = ran(*again, str(tmp_path / "declared"), "--warm", answer).stdout
    assert "they are planned on other demand: ledger (" in told
    told = ran("compare", str(tmp_path / "declared"), answer).stdout
    assert "they are planned on other demand: as declared, and ledger (" in " ".join(told.split())
    told = ran("plan", estate, "--demand", str(tmp_path / "declared"), code=2).stderr
    assert "was made on the demand its estate declares" in told


def test_a_bill_is_compared_and_corrected(store: str, tmp_path: Path) -> None:
    """Our own export agrees; a doubled one does not, with exit code 1; a credit is settled by `--apply`."""
    bill = tmp_path / "bill.csv"
    ran("ledger", "export", str(bill), "--store", store)
    agreed = document("ledger", "reconcile", str(bill), "--store", store)
    assert agreed["open_usd"] == "0"
    doubled = tmp_path / "doubled.csv"
    header, *rows = bill.read_text().splitlines(keepends=True)
    doubled.write_text("".join((header, *rows, *rows)))
    told = ran("ledger", "reconcile", str(doubled), "--store", store, code=1).stdout
    assert "unexplained: Output Tokens" in told
    assert "above the tolerance" in told
    credit = tmp_path / "credit.csv"
    first = rows[0].replace(",Usage,,", ",Credit,,")
    credit.write_text("".join((header, *rows, first)))
    told = ran("ledger", "reconcile", str(credit), "--store", store).stdout
    assert "`--apply` enters 1 correction row, +0.162000000 USD" in told
    told = ran("ledger", "reconcile", str(credit), "--store", store, "--upstream", "nope", "--apply", code=2).stderr
    assert "no entry of an upstream `nope`" in told
    assert document("ledger", "reconcile", str(credit), "--store", store, "--apply")["entered"] == 1
    assert document("ledger", "reconcile", str(credit), "--store", store, "--apply")["entered"] == 0


def test_bad_flags_are_told(store: str, tmp_path: Path) -> None:
    """A bill that is none, a pair that is none, no ledger at all."""
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    told = ran("ledger", "reconcile", str(tmp_path / "other.csv"), "--store", store, code=3)
    assert "is not a FOCUS bill: it has no column ChargePeriodStart" in told.stderr
    told = ran("ledger", "reconcile", str(tmp_path / "other.csv"), "--store", store, "--model", "llama", code=2)
    assert "write it as THEIRS=OURS" in told.stderr
    told = ran("plan", "examples/break-even", "--demand", f"ledger:sqlite:///{tmp_path / 'none.db'}", code=2)
    assert "there is no store" in told.stderr
