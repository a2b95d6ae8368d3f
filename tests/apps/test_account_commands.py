"""`tripoint tenant|principal|key|quota|budget|audit` and `admin init`: from a fresh store to a proof."""

from __future__ import annotations

import datetime
import json
import sqlite3
import stat
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from tests.apps.conftest import SMALL_ESTATE, RunCli

from tripoint.apps.cli import cli
from tripoint.apps.stores import CHECKPOINT_EVERY_S, checkpoint_if_due, open_accounts, read_witness
from tripoint.engines.governance.access.keys import read_key


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store that is in force, not there yet."""
    path = tmp_path / "accounts" / "store.db"
    monkeypatch.setenv("TRIPOINT_STORE", f"sqlite:///{path}")
    for name in ("TRIPOINT_WITNESS", "TRIPOINT_PEPPER_FILE", "TRIPOINT_AUDIT_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return path


@pytest.fixture
def acme(run: RunCli) -> str:
    """A tenant."""
    assert run("tenant", "create", "acme", "--name", "Acme Research").code == 0
    return "acme"


def made_key(run: RunCli, *flags: str) -> tuple[str, str]:
    """A new key's id and text."""
    made = run("key", "create", *flags, "--json")
    assert made.code == 0, made.out
    document = made.document()
    return document["key"]["id"], document["secret"]


def piped(text: str | bytes, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a command with something on standard input."""
    result = CliRunner().invoke(cli, list(arguments), input=text, prog_name="tripoint")
    return result.exit_code, result.stdout


def test_there_is_no_store_before_somebody_makes_one(run: RunCli, store: Path) -> None:
    """A mistyped place is told rather than begun."""
    told = run("tenant", "list")
    assert told.code == 2
    assert str(store) in told.err
    assert "--store" in told.err
    assert not store.exists()


def test_a_tenant_from_beginning_to_end(run: RunCli, acme: str) -> None:
    """Every command tells a person and a machine."""
    assert "Acme Research" in run("tenant", "list").out
    assert run("tenant", "show", acme, "--json").document()["tenant"]["name"] == "Acme Research"
    assert "is called Acme" in run("tenant", "rename", acme, "--name", "Acme").out
    assert "refused" in run("tenant", "suspend", acme).out
    assert "suspended" in run("tenant", "show", acme).out
    assert "open again" in run("tenant", "resume", acme).out
    told = run("tenant", "create", acme)
    assert told.code == 2
    assert "`acme` already" in told.err
    told = run("tenant", "show", "acne")
    assert told.code == 2
    assert "did you mean `acme`" in told.err
    assert run("tenant", "show", "acne", "--json").document()["error"]["code"] == "TP3002"


@pytest.mark.parametrize("name", ["\udcff", "a\0b", "'; --", "😀", "a" * 10_000])
def test_no_argument_breaks_a_command(run: RunCli, acme: str, name: str) -> None:
    """Also bytes that are no text, as shells pass them on."""
    for words in (("tenant", "show"), ("tenant", "create"), ("key", "revoke"), ("budget", "remove")):
        told = run(*words, name)
        assert told.code == 2, told.err
    assert run("key", "create", "--tenant", name).code == 2
    assert run("audit", "show", "--tenant", name).code == 2
    assert run("quota", "set", "--tenant", acme, "--workload", name, "--concurrency", "1").code in (0, 2)


def test_a_key_is_shown_once_and_kept_nowhere(run: RunCli, acme: str, store: Path) -> None:
    """Neither in the files beside the store, nor in any later answer."""
    key, text = made_key(run, "--tenant", acme, "--workload", "chat", "--only-at", "dense", "--expires", "30d")
    parts = read_key(text)
    assert parts is not None
    assert parts.id == key
    later = [run("key", "list"), run("key", "show", key, "--json"), run("audit", "show", "--json")]
    secret = text.split("_")[2]
    assert all(each.code == 0 and secret not in each.out for each in later)
    for path in store.parent.iterdir():
        assert secret.encode() not in path.read_bytes(), path
    assert stat.S_IMODE((store.parent / "store.db.pepper").stat().st_mode) == 0o600


def test_a_key_is_rotated_and_revoked(run: RunCli, acme: str) -> None:
    """The old one stays for the overlap; what has ended is listed when asked for."""
    old, _ = made_key(run, "--tenant", acme)
    told = run("key", "rotate", old, "--overlap", "0s")
    assert told.code == 0
    assert f"replaces `{old}`" in told.out
    listed = run("key", "list")
    assert old not in listed.out
    assert "1 that ended" in listed.out
    everything = run("key", "list", "--all", "--tenant", acme, "--json").document()["keys"]
    assert len(everything) == 2
    new = next(row["id"] for row in everything if row["id"] != old)
    assert everything[0]["replaces"] in (None, old)
    assert "is revoked" in run("key", "revoke", new).out
    assert run("key", "list").out.startswith("no key")
    assert run("key", "rotate", old, "--overlap", "soon").code == 2


def test_a_key_that_was_found_is_told_without_being_typed(run: RunCli, acme: str) -> None:
    """Good, mistyped, unknown, revoked."""
    key, text = made_key(run, "--tenant", acme, "--name", "ci")
    code, told = piped(f"{text}\n", "key", "which")
    assert code == 0
    assert f"key `{key}` (ci) of the tenant `acme`: good" in told
    code, told = piped(text[:-1] + ("b" if text[-1] == "a" else "a"), "key", "which")
    assert code == 1
    assert "its checksum does not fit" in told
    assert text[:20] not in told
    run("key", "revoke", key)
    code, told = piped(text, "key", "which", "--json")
    assert code == 1
    assert json.loads(told)["key"]["id"] == key
    assert piped(b"\xff\n", "key", "which")[0] == 1


def test_limits_are_set_listed_and_removed(run: RunCli, acme: str) -> None:
    """Money is exact; spent and limit stand side by side."""
    assert run("quota", "set", "--tenant", acme, "--tokens-per-min", "200000").code == 0
    assert "200,000" in run("quota", "list").out
    assert run("quota", "show", "acme", "--json").document()["quota"]["tokens_per_min"] == 200_000
    assert run("quota", "remove", "acme").code == 0
    assert run("quota", "list", "--tenant", acme).out.startswith("no quota")
    assert run("quota", "set", "--tenant", acme).code == 2
    told = run("budget", "set", "--usd", "50", "--per", "day", "--tenant", acme)
    assert "budget `acme.day` allows 50.00 USD per day" in told.out
    run(
        "budget", "set", "--usd", "0.000000001", "--per", "month", "--tenant", acme, "--workload", "chat", "--warn-only"
    )
    listed = run("budget", "list", "--json").document()["budgets"]
    assert [(row["id"], row["limit_usd"], row["spent_usd"], row["is_enforced"]) for row in listed] == [
        ("acme.day", "50", "0", True),
        ("acme.workload.chat.month", "0.000000001", "0", False),
    ]
    shown = run("budget", "list")
    assert "50.00" in shown.out
    assert "0.000000001" in shown.out
    assert "acme.day" in run("budget", "show", "acme.day").out
    assert run("budget", "remove", "acme.day").code == 0
    assert "acme.day" not in run("budget", "list", "--tenant", acme).out


@pytest.mark.parametrize("amount", ["", "x", "5x", "-1", "nan", "inf", "1e-10", "0.0000000001", "1e400", "1e12", "5,0"])
def test_an_amount_that_is_none_is_refused(run: RunCli, acme: str, amount: str) -> None:
    """Nothing is rounded, nothing guessed."""
    told = run("budget", "set", f"--usd={amount}", "--per", "day", "--tenant", acme)
    assert told.code == 2
    assert "not an amount in dollars" in told.err or "cannot be a budget" in told.err
    assert run("budget", "list").out.startswith("no budget")


def test_names_of_an_estate_are_held_to(run: RunCli, acme: str, tmp_path: Path) -> None:
    """Once an estate was named, a mistyped workload is told with the nearest."""
    (tmp_path / "estate.yaml").write_text(SMALL_ESTATE, encoding="utf-8")
    estate = str(tmp_path / "estate.yaml")
    assert run("key", "create", "--tenant", acme, "--workload", "chat", "--estate", estate).code == 0
    told = run("key", "create", "--tenant", acme, "--workload", "caht")
    assert told.code == 2
    assert "did you mean `chat`" in told.err
    told = run("budget", "set", "--usd", "1", "--per", "day", "--tenant", acme, "--workload", "caht")
    assert told.code == 2
    assert run("key", "create", "--tenant", acme, "--only-at", "public").code == 0
    assert run("key", "create", "--tenant", acme, "--only-at", "moon").code == 2


@pytest.mark.parametrize("when", ["tomorrow", "2020-01-01", "0s", "9999-99-99", "1e9d", "-5d"])
def test_an_end_that_cannot_be_is_refused(run: RunCli, acme: str, when: str) -> None:
    """What is no time, and what is over."""
    assert run("key", "create", "--tenant", acme, f"--expires={when}").code == 2
    assert run("key", "list", "--all").out.startswith("no key")


@pytest.mark.parametrize("when", ["2999-01-31", "2999-01-31T18:00", "2999-01-31T18:00+02:00", "1.5h", "90s", "15m"])
def test_an_end_may_be_written_in_several_ways(run: RunCli, acme: str, when: str) -> None:
    """Days, each to its end, and times are UTC unless they say otherwise."""
    made_key(run, "--tenant", acme, "--expires", when)
    made = run("key", "list", "--json").document()["keys"][0]
    if when.startswith("2999"):
        hours = {"2999-01-31": 24, "2999-01-31T18:00": 18, "2999-01-31T18:00+02:00": 16}[when]
        wanted = datetime.datetime(2999, 1, 31, tzinfo=datetime.UTC) + datetime.timedelta(hours=hours)
        assert made["expires_at"] == wanted.timestamp()
    else:
        assert made["expires_at"] > made["created_at"] + 80
    assert "good until" in run("key", "list").out


def test_principals_are_added_and_changed(run: RunCli, acme: str) -> None:
    """One bound to a tenant is named after it."""
    assert run("principal", "add", "ann", "--role", "admin").code == 0
    told = run("principal", "add", "bob", "--role", "finance", "--role", "developer", "--tenant", acme)
    assert "`acme.bob` added: finance, developer" in told.out
    assert "has the roles auditor" in run("principal", "roles", "acme.bob", "--role", "auditor").out
    subject = "https://id.example#7"
    assert subject in run("principal", "subject", "acme.bob", "--subject", subject).out
    assert "let in again" in run("principal", "resume", "acme.bob").out
    assert "is refused" in run("principal", "suspend", "acme.bob").out
    assert len(run("principal", "list", "--json").document()["principals"]) == 2
    assert "suspended" in run("principal", "show", "acme.bob").out
    told = run("principal", "suspend", "ann")
    assert told.code == 2
    assert "the last admin" in told.err
    _, text = made_key(run, "--principal", "acme.bob")
    assert text.startswith("tpa_")
    assert "acme.bob (admin)" in run("key", "list").out


def test_the_log_is_witnessed_and_verified(run: RunCli, acme: str, store: Path, tmp_path: Path) -> None:
    """Cut off behind tripoint's back, it is found with the witness's file and the key kept elsewhere."""
    witness, public = tmp_path / "elsewhere", tmp_path / "public.pem"
    run("tenant", "rename", acme, "--name", "Acme")
    alone = run("audit", "checkpoint")
    assert "in the store only" in alone.out
    made = run("audit", "checkpoint", "--witness", witness, "--json").document()["checkpoint"]
    assert made["number"] == 2
    public.write_text(run("audit", "key").out, encoding="utf-8")
    good = run("audit", "verify", "--witness", witness, "--public-key", public)
    assert good.code == 0
    assert "nothing was edited, inserted, moved or lost" in good.out
    assert "note:" not in good.out
    assert "came from the store itself" in run("audit", "verify").out
    assert "beside the store" in run("audit", "verify", "--witness", witness).out
    run("tenant", "suspend", acme)
    assert "covers the last 1" in run("audit", "verify", "--witness", witness).out
    with sqlite3.connect(store) as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_entry_no_{verb}")
        connection.execute("DELETE FROM audit_entry WHERE number >= 2")
    connection.close()
    bad = run("audit", "verify", "--witness", witness, "--public-key", public, "--json")
    assert bad.code == 1
    faults = bad.document()["faults"]
    assert faults[0]["flaw"] == "truncated"
    assert faults[0]["entry"] == 2
    assert "truncated:" in run("audit", "verify", "--witness", witness).out


def test_entries_are_shown_the_last_ones_first_asked(run: RunCli, acme: str) -> None:
    """By number, by tenant, so many."""
    for number in range(3):
        run("tenant", "rename", acme, "--name", f"Acme {number}")
    run("tenant", "create", "other")
    assert [row["number"] for row in run("audit", "show", "--limit", "2", "--json").document()["entries"]] == [4, 5]
    shown = run("audit", "show", "--after", "1", "--limit", "2", "--json").document()["entries"]
    assert [row["number"] for row in shown] == [2, 3]
    assert shown[0]["detail"]["name"] == {"from": "Acme Research", "to": "Acme 0"}
    mine = run("audit", "show", "--tenant", acme, "--limit", "2", "--json").document()["entries"]
    assert [row["number"] for row in mine] == [3, 4]
    assert "tenant.create" in run("audit", "show").out
    assert run("audit", "show", "--tenant", "nobody").code == 2


def test_checkpoints_come_by_themselves(
    run: RunCli, acme: str, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process that runs on calls: signed when due, and left with the witness of the settings."""
    monkeypatch.setenv("TRIPOINT_WITNESS", str(tmp_path / "witness"))
    url = f"sqlite:///{store}"
    accounts = open_accounts(url)
    now = 2e9
    first = checkpoint_if_due(accounts, url, now)
    assert first is not None
    assert checkpoint_if_due(accounts, url, now + 1) is None
    run("tenant", "rename", acme, "--name", "Acme")
    assert checkpoint_if_due(accounts, url, now + 1) is None
    second = checkpoint_if_due(accounts, url, now + CHECKPOINT_EVERY_S)
    assert second is not None
    accounts.close()
    assert read_witness(tmp_path / "witness") == (first, second)
    assert run("audit", "verify").code == 0


def test_the_first_admins_token_is_made_until_there_is_one(run: RunCli) -> None:
    """Shown once; refused when there is an admin."""
    made = run("admin", "init", "--json")
    assert made.code == 0
    parts = read_key(made.document()["token"])
    assert parts is not None
    assert parts.kind == "tpi"
    assert "first-admin" in run("admin", "init").out
    run("principal", "add", "ann", "--role", "admin")
    told = run("admin", "init")
    assert told.code == 2
    assert "an admin already: `ann`" in told.err


def test_a_pepper_that_is_gone_is_not_made_anew(run: RunCli, acme: str, store: Path) -> None:
    """A new one would make every key useless without a word."""
    made_key(run, "--tenant", acme)
    pepper = store.parent / "store.db.pepper"
    kept = pepper.read_bytes()
    pepper.unlink()
    assert run("key", "create", "--tenant", acme).code == 3
    assert not pepper.exists()
    pepper.write_bytes(b"ab" * 32)
    pepper.chmod(0o600)
    told = run("key", "create", "--tenant", acme)
    assert told.code == 3
    assert "is not the one this store's keys were made with" in told.err
    pepper.write_bytes(kept)
    assert run("key", "create", "--tenant", acme).code == 0


def test_ids_are_completed(run: RunCli, acme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the store in force, or the one named; nothing where there is none."""
    key, _ = made_key(run, "--tenant", acme, "--name", "ci")
    run("tenant", "create", "other")

    def completed(*words: str, typed: str = "") -> list[str]:
        found = ShellComplete(cli, {}, "tripoint", "_TRIPOINT_COMPLETE").get_completions(list(words), typed)
        return [item.value for item in found]

    assert completed("tenant", "show") == ["acme", "other"]
    assert completed("tenant", "show", typed="o") == ["other"]
    assert completed("key", "revoke") == [key]
    assert completed("key", "create", "--tenant") == ["acme", "other"]
    assert completed("key", "create", "--workload") == []
    monkeypatch.setenv("TRIPOINT_STORE", str(tmp_path / "nowhere.db"))
    assert completed("tenant", "show") == []


@pytest.mark.enable_socket
def test_the_store_may_be_a_server(
    run: RunCli, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same commands; its secrets are in this user's state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TRIPOINT_STORE", postgres_url)
    assert run("tenant", "create", "acme").code == 0
    made_key(run, "--tenant", "acme")
    run("audit", "checkpoint")
    assert run("audit", "verify").code == 0
    assert run("budget", "set", "--usd", "5", "--per", "month", "--tenant", "acme").code == 0
    assert "5.00" in run("budget", "list").out
    endings = sorted(path.suffix for path in (tmp_path / "state" / "tripoint").iterdir())
    assert endings == [".audit-key", ".pepper"]
