"""`tripoint ledger`: sums, entries and the recount, as people and programs meet them."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.apps.cli import cli
from tripoint.domain.ledger import EntryKind, PriceRow
from tripoint.domain.money import Tariff
from tripoint.domain.record import Ending
from tripoint.engines.governance.ledger.cubes import COARSE
from tripoint.testing.ledger_conformance import NOON, idle, piece, usage_record

DAY = "2026-11-18"


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are as wide as where there is no terminal, also where the tests run side by side."""
    monkeypatch.setenv("COLUMNS", "140")


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with three tenants, of whom each spends ten times what the one before does, and an idle hour."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    ledger = SqlLedger(connect(url), lambda: NOON)
    records = [
        usage_record(
            number, tenant=f"tenant-{number % 3}", nano=7 * 10 ** (number % 3), list_nano=10_000, at=NOON + number
        )
        for number in range(9)
    ]
    ledger.load([piece(records)], [idle()])
    ledger.close()
    return url


def ran(*arguments: str, code: int = 0) -> str:
    """What a command printed; it must end with the code."""
    found = CliRunner().invoke(cli, ["ledger", *arguments])
    assert found.exit_code == code, found.output
    return found.output


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    """Its one JSON document."""
    found: dict[str, Any] = json.loads(ran(*arguments, "--json", code=code))
    return found


def test_the_dearest_come_first_and_the_rest_is_one_row(store: str) -> None:
    """Exact to the nano-dollar, whatever is shown."""
    found = document("top", "--since", DAY, "--store", store, "--rows", "2", "--kind", "usage")
    assert [(row["tenant"], row["nano"], row["usd"]) for row in found["rows"]] == [
        ("tenant-2", 2_100, "0.0000021"), ("tenant-1", 210, "0.00000021"),
    ]  # fmt: skip
    assert (found["others"], found["rest"]["nano"], found["total"]["nano"]) == (1, 21, 2_331)
    text = ran("top", "--since", DAY, "--store", store, "--rows", "2")
    assert "2 more" in text
    assert text.splitlines()[-1].startswith("all")
    text = ran("top", "--since", DAY, "--store", store, "--rows", "1")
    assert "3 more" in text
    assert text.splitlines()[-1].startswith("all")
    text = ran("top", "--since", DAY, "--store", store, "--tenant", "tenant-1")
    assert not text.splitlines()[-1].startswith("all")


def test_parts_are_chosen_by_flags(store: str) -> None:
    """Several dimensions, one tenant, and days on which there was nothing."""
    found = document("top", "--by", "day,site", "--tenant", "tenant-1", "--since", DAY, "--store", store)
    assert [(row["day"], row["site"], row["requests"]) for row in found["rows"]] == [(DAY, "site-a", 3)]
    assert "nothing was entered for 2026-11-17" in ran("top", "--until", "2026-11-17", "--store", store)
    assert document("top", "--until", "2026-11-17", "--store", store)["total"]["nano"] == 0


def test_a_tenant_nobody_knows_is_refused(store: str) -> None:
    """A typing error is not an answer of nothing; a tenant without entries on those days is."""
    for verb in ("top", "show", "report"):
        told = ran(verb, "--tenant", "nobody", "--store", store, code=2)
        assert "no tenant `nobody` is known here" in told
    assert "nothing was entered" in ran("top", "--tenant", "tenant-1", "--until", "2026-11-17", "--store", store)


def test_days_that_end_before_they_begin_are_refused(store: str, tmp_path: Path) -> None:
    """By every verb that takes days, before anything is written."""
    bill = tmp_path / "bill.csv"
    flags = ("--since", "2026-11-30", "--until", "2026-11-01", "--store", store)
    for verb in (("top",), ("show",), ("check",), ("demand",), ("export", str(bill))):
        assert "`--since 2026-11-30` is after `--until 2026-11-01`" in ran(*verb, *flags, code=2)
    assert "no tenant `nobody`" in ran("export", str(bill), "--tenant", "nobody", "--store", store, code=2)
    assert not bill.exists()


def test_what_has_no_room_is_left_out_and_named(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No figure is broken over lines at 80 columns; all of them are there where there is room."""
    for columns in ("80", "140"):
        monkeypatch.setenv("COLUMNS", columns)
        text = ran("top", "--by", "tenant,model", "--since", DAY, "--store", store)
        assert max(map(len, text.splitlines())) <= int(columns)
        assert ("left out for lack of room: cached" in text) == (columns == "80")
        assert "USD" in text
        assert len([line for line in text.splitlines() if "tenant-2" in line]) == 1
        rows = ran("show", "--rows", "5", "--store", store).splitlines()
        assert max(map(len, rows)) <= int(columns)
        assert len([line for line in rows if line.split()[0].isdigit()]) == 5
        assert ("left out for lack of room: id" in rows[-1]) == (columns == "80")
        assert rows[0].split()[-1] == ("USD" if columns == "80" else "id")


def test_nothing_is_cut_where_there_is_little_room(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry as a few lines: its amount, its time and its names whole, and nothing left out."""
    ledger = SqlLedger(connect(store), lambda: NOON)
    ledger.load([], [idle("idle/b/1", 456_266_399, NOON + 60)._replace(reason="nodes cost 0.456280155 USD")])
    ledger.close()
    monkeypatch.setenv("COLUMNS", "44")
    text = ran("show", "--store", store)
    assert max(map(len, text.splitlines())) <= 44
    words = text.split()
    for whole in ("0.456266399;", "12:01:00;", "tenant-2;", "req-8", "idle/b/1"):
        assert whole in words, whole
    assert "left out" not in text


def test_small_sums_are_never_shown_as_nothing(store: str) -> None:
    """21 nano-dollars have their place in the table; only nothing is 0.00."""
    rows = ran("top", "--since", DAY, "--store", store, "--kind", "usage").splitlines()
    assert [line.split()[1] for line in rows if line.startswith("tenant-0")] == ["0.000000021"]


def test_entries_are_shown_newest_first(store: str) -> None:
    """Page by page; JSON has every field."""
    found = document("show", "--rows", "3", "--tenant", "tenant-0", "--store", store)["entries"]
    assert [each["id"] for each in found] == ["req-6", "req-3", "req-0"]
    assert found[0]["attempts"][0]["upstream"] == "a"
    older = document("show", "--after", str(found[1]["number"]), "--tenant", "tenant-0", "--store", store)["entries"]
    assert [each["id"] for each in older] == ["req-0"]
    assert "not used" in ran("show", "--kind", "idle", "--store", store)
    assert "no entry matches" in ran("show", "--until", "2026-11-17", "--store", store)


def test_a_recount_agrees_until_somebody_edits(store: str) -> None:
    """One nano-dollar is found, with the line it is in."""
    assert "agree" in ran("check", "--store", store)
    with sqlite3.connect(store.removeprefix("sqlite:///")) as hand:
        hand.execute("UPDATE ledger_entry SET nano = nano + 1 WHERE id = 'req-4'")
    hand.close()
    found = document("check", "--store", store, code=1)
    assert len(found["mismatches"]) == 1 + len(COARSE)  # the entry is in one line of every cube
    assert all(("tenant-1" in each["line"]) == ("tenant" in each["by"]) for each in found["mismatches"])
    assert "entries and sums differ" in ran("check", "--store", store, code=1)


def test_a_long_recount_tells_how_far_it_is_and_leaves_no_day_out(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some days at a time; what was edited is found once, also on a day of which no sum is kept."""
    ledger = SqlLedger(connect(store), lambda: NOON)
    for back in range(1, 6):
        ledger.load([piece([usage_record(100 + back, at=NOON - 86_400 * back)], source=f"day-{back}")])
    ledger.close()
    whole = checked(store)
    monkeypatch.setattr("tripoint.usecases.ledger.CHECKED_AT_ONCE", 2)
    done = CliRunner().invoke(cli, ["ledger", "check", "--store", store, "--json"])
    assert json.loads(done.stdout) == whole
    assert done.stderr.splitlines()[0] == "checking: 2 of 14"
    with sqlite3.connect(store.removeprefix("sqlite:///")) as hand:
        hand.execute("UPDATE ledger_entry SET nano = nano + 1 WHERE id = 'req-103'")
        of_day = "SELECT at_us / 86400000000 FROM ledger_entry WHERE id = 'req-104'"
        hand.execute(f"DELETE FROM ledger_spend WHERE slot IN ({of_day})")
    hand.close()
    found = checked(store)["mismatches"]
    days = [each["line"][0] for each in found if each["by"][:2] == ["day", "kind"]]
    assert set(days) == {"2026-11-15", "2026-11-14"}
    assert len(found) == len({(tuple(each["by"]), tuple(each["line"])) for each in found})


def checked(store: str) -> dict[str, Any]:
    """The document of a recount, whatever was told beside it."""
    found: dict[str, Any] = json.loads(CliRunner().invoke(cli, ["ledger", "check", "--store", store, "--json"]).stdout)
    return found


def test_a_dear_day_is_told_with_what_is_usual(store: str) -> None:
    """Exit code 1, so that a script can act on it."""
    ledger = SqlLedger(connect(store), lambda: NOON)
    days = [usage_record(100 + back, at=NOON - 86_400 * back, nano=10_000_000_000 + back) for back in range(1, 15)]
    ledger.load([piece([*days, usage_record(99, nano=90_000_000_000)], source="more")])
    ledger.close()
    (found,) = document("anomalies", "--day", DAY, "--store", store, code=1)["anomalies"]
    assert (found["tenant"], found["model"], found["usd"]) == ("acme", "llama", "90")
    assert found["usual_usd"].startswith("10.0")
    assert "acme" in ran("anomalies", "--day", DAY, "--tenant", "acme", "--store", store, code=1)
    assert "nothing stands out" in ran("anomalies", "--day", DAY, "--tenant", "tenant-1", "--store", store)


def test_closed_days_are_in_files_and_their_sums_stay(store: str, tmp_path: Path) -> None:
    """Every field of every entry; what comes late gets a file of its own; nothing is closed twice."""
    duckdb = pytest.importorskip("duckdb")
    out = tmp_path / "closed"
    before = document("top", "--since", DAY, "--store", store)
    (shown,) = document("show", "--rows", "1", "--tenant", "tenant-2", "--store", store)["entries"]
    (day,) = document("close", "--before", "2026-11-19", "--out", str(out), "--store", store)["closed"]
    assert (day["day"], day["entries"], day["requests"]) == (DAY, 10, 9)
    assert document("top", "--since", DAY, "--store", store) == before
    assert "the store has no entries" in ran("show", "--store", store)
    assert "agree" in ran("check", "--store", store)
    found = duckdb.sql(f"SELECT * FROM read_parquet('{out / day['file']}') WHERE number = {shown['number']}")
    kept = dict(zip(found.columns, found.fetchall()[0], strict=True))
    assert json.loads(kept.pop("attempts")) == [list(each.values()) for each in shown["attempts"]]
    assert kept == {name: shown[name] for name in kept}
    ledger = SqlLedger(connect(store), lambda: NOON)
    ledger.load([piece([usage_record(77)], source="late")])
    ledger.close()
    (late,) = document("close", "--before", "2026-11-19", "--out", str(out), "--store", store)["closed"]
    assert (late["entries"], late["file"]) == (1, f"entries-{DAY}-1.parquet")
    assert "nothing to close" in ran("close", "--before", "2026-11-19", "--out", str(out), "--store", store)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("top", "--by", "colour"), "there is no `colour`"),
        (("top", "--by", "site,site"), "twice"),
        (("top", "--since", "yesterday"), "`yesterday` is not a day"),
        (("top", "--since", "2026-11-19", "--until", DAY), "is after"),
        (("close", "--before", "2999-01-01", "--out", "unused"), "after today"),
        (("top", "--by", "hour,tenant", "--since", "2026-11-01", "--until", DAY), "at most 7 days"),
    ],
)
def test_what_cannot_be_asked_is_told(store: str, arguments: tuple[str, ...], words: str) -> None:
    """With what was asked and what to do."""
    assert words in ran(*arguments, "--store", store, code=2)


def test_no_store_is_begun_by_looking(tmp_path: Path) -> None:
    """A mistyped path is told, and nothing is made there."""
    assert "there is no store" in ran("top", "--store", str(tmp_path / "none.db"), code=2)
    assert list(tmp_path.iterdir()) == []


def test_the_dearest_are_shown_again_as_they_change(store: str) -> None:
    """Until Ctrl-C, which is no failure; one JSON document is not many."""
    command = [sys.executable, "-m", "tripoint", "ledger", "top", "--until", DAY, "--every", "0.1", "--store", store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        try:
            assert run.stdout.readline().startswith(DAY)
            ledger = SqlLedger(connect(store), lambda: NOON)
            ledger.load([piece([usage_record(500, tenant="new", nano=9_000_000_000)], source="later")])
            ledger.close()
            assert any(row.startswith("new ") for row in run.stdout)
            run.send_signal(signal.SIGINT)
            rest = run.stdout.read()
            assert run.wait(30) == 0
            assert "\nall " in rest
        finally:
            run.kill()
    assert "exactly one document" in ran("top", "--every", "1", "--json", "--store", store, code=2)


def acts(store: str) -> list[dict[str, Any]]:
    """What the audit log has."""
    found = CliRunner().invoke(cli, ["audit", "show", "--store", store, "--json"])
    assert found.exit_code == 0, found.output
    entries: list[dict[str, Any]] = json.loads(found.output)["entries"]
    return entries


def test_a_correction_is_entered_and_noted(store: str) -> None:
    """For nobody in particular here; exact, with its reason, and in the audit log."""
    told = ran("correct", "--usd", "-0.000000007", "--model", "llama", "--reason", "counted twice", "--store", store)
    assert "of -0.000000007 USD is entered" in told
    (entry,) = document("show", "--kind", "correction", "--store", store)["entries"]
    assert entry["usd"] == "-0.000000007"
    (act,) = acts(store)
    assert (act["action"], act["subject"]) == ("ledger.correct", entry["id"])
    assert act["detail"]["reason"] == "counted twice"
    ran("check", "--store", store)
    again = ran("correct", "--usd", "-0.000000007", "--model", "llama", "--reason", "counted twice", "--store", store)
    assert f"the same was entered before, as `{entry['id']}`" in again
    assert "entered before" not in told


def test_costs_of_entries_stand_under_each_other(store: str) -> None:
    """7, 70 and 700 nano-dollars: each digit below its like."""
    costs = re.findall(r"0\.\d+", ran("show", "--kind", "usage", "--store", store))
    assert set(costs) == {"0.000000007", "0.000000070", "0.000000700"}


def test_a_credit_above_all_that_was_spent_takes_a_flag(store: str) -> None:
    """Some nano-dollars were; the refusal tells both."""
    credit = ("correct", "--usd", "-25", "--reason", "a slip", "--store", store)
    told = ran(*credit, code=2)
    spent = document("top", "--since", DAY, "--store", store)["total"]["usd"]
    assert f"a credit of 25 USD is more than the {spent} USD ever spent there, earlier credits taken off" in told
    assert "`--force`" in told
    assert document("show", "--kind", "correction", "--store", store)["entries"] == []
    assert "of -25 USD is entered" in ran(*credit, "--force")


def test_a_correction_is_no_saving(store: str, tmp_path: Path) -> None:
    """What is saved is of usage: a credit, large against a day's use, changes no percentage and no claim."""
    flags = ("--since", DAY, "--store", store)
    before = {line.split()[0]: line for line in ran("top", *flags).splitlines()}
    assert "93 %" in before["tenant-2"]
    credit = idle("credit", 0)._replace(kind=EntryKind.CORRECTION, tenant="tenant-2", nano=-12_500_000_000)
    ledger = SqlLedger(connect(store), lambda: NOON)
    ledger.load((), [credit])
    ledger.close()
    after = {line.split()[0]: line for line in ran("top", *flags).splitlines()}
    assert "-12.499998" in after["tenant-2"]
    assert "93 %" in after["tenant-2"]
    out = tmp_path / "spend.html"
    ran("report", *flags, "--out", str(out))
    text = out.read_text(encoding="utf-8")
    assert "before corrections" in text
    assert "USD of it corrections" in text
    assert "tenant-2 spent most: $" in text


def test_repricing_is_noted_before_it_is_done(store: str) -> None:
    """What was asked, once for each time; of a version nobody knows nothing is noted."""
    ran("reprice", "nobody-knows", "--everything", "--store", store, code=2)
    assert acts(store) == []
    ledger = SqlLedger(connect(store), lambda: NOON)
    row = Tariff("chat/a/llama", 1, 1, 1)
    ledger.keep_prices("p9", [PriceRow(row, row, row, row, "test")], NOON)
    ledger.close()
    ran("reprice", "p9", "--tenant", "tenant-1", "--store", store)
    ran("reprice", "p9", "--everything", "--store", store)
    assert [(act["subject"], act["detail"]) for act in acts(store)] == [
        ("prices:p9", {"tenant": "tenant-1"}),
        ("prices:p9", {"everything": True}),
    ]


def test_refusals_are_not_called_failures(tmp_path: Path) -> None:
    """The sums know only that there was no whole answer; the column says just that, and entries say why."""
    url = f"sqlite:///{tmp_path / 'refused.db'}"
    ledger = SqlLedger(connect(url), lambda: NOON)
    endings = (Ending.OK, Ending.REFUSED, Ending.FAILED, Ending.CANCELLED)
    ledger.load([piece([usage_record(number, at=NOON, ending=each) for number, each in enumerate(endings)])])
    ledger.close()
    head, row = ran("top", "--since", DAY, "--store", url).splitlines()[1:3]
    assert "incomplete" in head.split()
    assert "failed" not in head
    assert row.split()[7:9] == ["4", "3"]
    shown = ran("show", "--store", url)
    assert all(str(each) in shown for each in endings)
