"""`tripoint verify gateway` as a command: addresses, keys, the table as text and JSON, and its exit codes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.rigs import rig

from tripoint.apps.battery import examination
from tripoint.apps.battery.rig.gateway import KEY
from tripoint.apps.battery.verdict import Report, Row, Verdict, judged, skipped
from tripoint.apps.battery.wire import battery


def rows(*, passed: bool) -> list[Row]:
    """A table of two rows."""
    return [judged("R1", "a deed", "a bar", passed=passed, seen="3 of 4"), skipped("R15", "budgets", "0 %", "later")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftp://x"], "not an http or https address"),
        (["http://127.0.0.1:1", "--key-env", "NO_SUCH_KEY"], "is not set"),
        (["--model", "m"], "need a URL"),
    ],
)
def test_flags_that_cannot_be_used(run: RunCli, arguments: list[str], words: str) -> None:
    """Exit code 2, and what to do."""
    done = run("verify", "gateway", *arguments)
    assert done.code == 2
    assert words in done.err
    assert "hint" in done.err


@pytest.mark.enable_socket
def test_a_deployment_that_does_not_answer(run: RunCli) -> None:
    """Exit code 3: the world outside."""
    done = run("verify", "gateway", "http://127.0.0.1:1", "--quiet")
    assert done.code == 3
    assert "does not answer" in done.err


def test_the_table_is_told_with_every_missed_bar(run: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text shows what was seen, and the bar where it was missed; JSON holds every row; the exit code says no."""

    async def examined(tell: object, *, is_quick: bool, workers: int) -> Report:
        assert callable(tell)
        tell("a stage")
        return Report(target="a rig", rows=tuple(rows(passed=not is_quick)), took_s=float(workers))

    monkeypatch.setattr(examination, "examine_own", examined)
    missed = run("verify", "gateway", "--quick")
    assert missed.code == 1
    assert "bar: a bar" in missed.out
    assert "a stage" in missed.err
    met = run("verify", "gateway", "--quiet", "--json", "--workers", "2")
    assert met.code == 0
    document = met.document()
    assert document["schema"] == "tripoint/cli/verify-gateway/v1"
    assert [row["verdict"] for row in document["rows"]] == ["pass", "skip"]
    assert document["took_s"] == 2.0
    assert met.err == ""


def test_the_whole_examination_is_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults by their number, then the wire; a quick run leaves stages out."""

    async def second() -> list[Row]:
        return [judged("R2", "", "", passed=True, seen="")]

    async def first() -> list[Row]:
        return rows(passed=True)[:1]

    async def wired(tell: object, *, is_quick: bool, workers: int) -> list[Row]:
        del tell, is_quick, workers
        return [judged("W1", "", "", passed=True, seen="")]

    heard: list[str] = []
    monkeypatch.setattr(examination, "STAGES", (("both", (second, first)), *[("more", (first,))] * 5))
    monkeypatch.setattr(examination, "own_wire_rows", wired)
    quick = asyncio.run(examination.examine_own(heard.append, is_quick=True))
    assert [row.id for row in quick.rows] == ["R1", "R1", "R1", "R1", "R2", "W1"]
    assert heard == ["both", "more", "more", "more"]
    assert quick.is_safe


@pytest.mark.slow
@pytest.mark.enable_socket
def test_a_deployment_of_ones_own_is_examined_with_its_key(
    tmp_path: Path, run: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is found, the key taken from the environment; without it the battery has nothing to ask for."""

    async def unlimited(*_: object, **__: object) -> list[Row]:
        return []  # ten seconds of patience that the table's own test spends already

    monkeypatch.setattr(battery, "limit_rows", unlimited)
    with rig(tmp_path) as found:
        monkeypatch.setenv("MY_KEY", KEY)
        done = run("verify", "gateway", f"{found.url}/v1", "--key-env", "MY_KEY", "--quick", "--json")
        keyless = run("verify", "gateway", found.url, "--quiet")
    document = done.document()
    assert [row for row in document["rows"] if row["verdict"] == Verdict.FAIL] == []
    assert done.code == 0
    assert document["target"] == f"{found.url}/v1"
    assert keyless.code == 3
    assert "--key-env" in keyless.err


def test_the_battery_is_not_loaded_to_show_its_help() -> None:
    """Help stays quick."""
    script = "import sys, tripoint.apps.commands.verify; print(*sys.modules)"
    run_ = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "tripoint.apps.battery" not in run_.stdout.split()
