"""`tripoint up` for real: model servers, gateway and callers; a site dies and nobody loses anything."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from tests.conftest import missing_component

from tripoint.apps.cli import cli
from tripoint.apps.hybrid.run import HybridOptions, run_hybrid

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Caches and run folders of each test are its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    if sys.platform != "linux":
        missing_component("processes are looked up in /proc")


def kin(folder: Path) -> dict[int, str]:
    """Processes whose command names the folder, with their commands; those that ended do not count."""
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != os.getpid():
            try:
                command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if str(folder) in command:
                found[int(place.name)] = command
    return found


def until_none(folder: Path, seconds: float = 15.0) -> dict[int, str]:
    """What is left of them in the end, after a while at most."""
    until = time.monotonic() + seconds
    while (left := kin(folder)) and time.monotonic() < until:
        time.sleep(0.05)
    return left


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process group of its own that callers have begun to call."""
    command = [sys.executable, "-m", "tripoint", "up", "--no-dashboard", *flags]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=dict(os.environ)
    ) as run:
        try:
            assert run.stderr is not None
            told = []
            for row in run.stderr:
                told.append(row)
                if " answered " in row and " 0/0 answered" not in row:
                    break
            assert run.poll() is None, "".join(told)
            assert len(kin(folder)) >= 7, "five model servers, the gateway and a worker"
            yield run
        finally:
            run.kill()
            until_none(folder)


def test_a_killed_site_costs_nobody_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost, nothing strays, the others serve on; what is Europe's never goes to the cloud."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["up", "--seconds", "8", "--kill", "edge-1", "--kill-after", "4", "--rate", "7", "--json"])
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert ended.value.code == 0, found
    assert found["ok"]
    requests = found["requests"]
    assert requests["sent"] == requests["answered"] == found["records"] > 25
    assert sum(Decimal(each["usd"]) for name, each in found["spent"].items() if name != "idle") > 0
    assert requests["lost"] == requests["strayed"] == 0
    assert found["by_site"]["before"]["edge"] > 0
    assert "edge" not in found["by_site"]["after"]
    assert sum(found["by_site"]["after"].values()) > 10
    assert "cloud" not in found["by_workload"]["claims-eu"].keys() | found["by_workload"]["search"].keys()
    assert "cloud" in found["by_workload"]["assistant"]
    assert found["kills"][0]["site"] == "edge"
    assert "edge was killed" in output.err
    assert until_none(tmp_path) == {}
    assert not list(tmp_path.glob("tripoint-up-*"))


def test_keys_kill_revive_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site dies by key and comes back by key; a server that dies by itself is told; `q` ends the run."""

    @contextmanager
    def typing(add_reader: object, press: Callable[[str], None]) -> Iterator[None]:
        del add_reader
        loop = asyncio.get_running_loop()
        for at, key in ((1.5, "k"), (1.6, "2"), (3.0, "r"), (3.1, "2"), (6.0, "q")):
            loop.call_later(at, press, key)
        loop.call_later(5.0, lambda: os.kill(next(pid for pid, run in kin(tmp_path).items() if "server" in run), 9))
        yield

    monkeypatch.setattr("tripoint.apps.hybrid.run.listening", typing)
    steps: list[str] = []
    summary = run_hybrid(HybridOptions(is_dashboard=False, rate=6.0), steps.append)
    assert steps[-1].startswith("answering at http://127.0.0.1:")
    assert [(kill.site, kill.is_revived) for kill in summary.kills] == [("dense", True)]
    assert summary.failovers.requests >= 1
    assert summary.tally.lost == 0
    assert len(summary.fallen) == 1
    assert summary.fallen[0].startswith("the model server of ")
    assert not summary.ok
    assert until_none(tmp_path) == {}


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    """After Ctrl-C to the whole group: a summary, no process, no folder, and the port is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(tmp_path, "--port", str(port), "--workers", "2") as run:
        os.killpg(run.pid, signal.SIGINT)
        out, _ = run.communicate(timeout=30)
        assert run.returncode == 0
        assert " 0 lost" in out
        assert kin(tmp_path) == {}
    assert not list(tmp_path.glob("tripoint-up-*"))
    with socket.socket() as again, pytest.raises(ConnectionRefusedError):
        again.connect(("127.0.0.1", port))


def test_a_death_without_notice_takes_all_along(tmp_path: Path) -> None:
    """Killed outright, the run leaves no process behind either."""
    with running(tmp_path) as run:
        run.kill()
        assert until_none(tmp_path) == {}


def test_what_cannot_be_done_is_said_before_anything_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A site that is none, a kill after the end, an extra that is not installed."""
    for flags, code, told in (
        (["--kill", "edgy"], 2, "`edgy` is not a site"),
        (["--kill", "edge", "--kill-after", "9", "--seconds", "5"], 2, "comes after the end"),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(["up", *flags])
        assert ended.value.code == code
        assert told in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["up"])
    assert ended.value.code == 3
    error = capsys.readouterr().err
    assert "is not installed" in error
    assert "make up" in error
    assert not list(tmp_path.glob("tripoint-up-*"))
