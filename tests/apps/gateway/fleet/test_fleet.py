"""The fleet as its operator meets it: start, drain, sudden death, reloads good and bad, and doors that stay shut."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.factories.rigs import Rig, rig
from tests.factories.shell import Answer, chat, get, is_closed, post, read_answer

from tripoint.apps.battery.rig.estate import KEY_VARIABLE, UpstreamAt, estate_text
from tripoint.apps.battery.rig.gateway import KEY
from tripoint.testing.model_server import Behaviour, ModelServer, serving

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

AUTH = f"Authorization: Bearer {KEY}"


def wait(is_so: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Waits for something to become true."""
    until = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """True while a process runs; one that waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def asked(port: int, request: bytes) -> Answer:
    """The answer to one request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        return read_answer(connection)


def ready(port: int) -> dict[str, Any]:
    """What `/readyz` says."""
    document: dict[str, Any] = json.loads(asked(port, get("/readyz")).body)
    return document


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Rig]:
    """A gateway with two workers before two servers."""
    with rig(tmp_path, workers=2) as found:
        yield found


def test_told_to_end_it_finishes_what_is_under_way(running: Rig) -> None:
    """The answer arrives whole, no further connection is taken, and nothing is left running."""
    for server in running.servers.values():
        server.behaviour = Behaviour(first_byte_s=0.5)
    family = running.gateway.pids()
    assert len(family) == 4  # supervisor, two workers, ledger
    with socket.create_connection(("127.0.0.1", running.gateway.port), timeout=20) as connection:
        connection.sendall(post(chat(), AUTH))
        wait(lambda: any(server.at_once for server in running.servers.values()))
        assert running.gateway.process is not None
        running.gateway.process.send_signal(signal.SIGTERM)
        answer = read_answer(connection)
        assert answer.status == 200
        assert is_closed(connection)
    assert running.gateway.process.wait(20) == 0
    wait(lambda: not any(is_alive(pid) for pid in family))


def test_workers_end_with_a_supervisor_that_was_killed(running: Rig) -> None:
    """Even `kill -9` leaves nothing running."""
    family = running.gateway.pids()
    assert running.gateway.process is not None
    running.gateway.process.kill()
    running.gateway.process.wait()
    wait(lambda: not any(is_alive(pid) for pid in family))


def test_a_bad_estate_is_told_and_the_old_one_serves_on(running: Rig) -> None:
    """With its findings; a good one is taken afterwards, and no connection is dropped."""
    text = running.gateway.estate.read_text(encoding="utf-8")
    with socket.create_connection(("127.0.0.1", running.gateway.port), timeout=20) as connection:
        connection.sendall(post(chat(), AUTH))
        assert read_answer(connection).status == 200
        running.gateway.reload(text.replace('"chat"', '"chat!"', 1).replace('"kind": "colo"', '"kind": "colour"'))
        wait(lambda: "not reloaded" in running.gateway.log.read_text(encoding="utf-8"))
        connection.sendall(post(chat(), AUTH))
        assert read_answer(connection).status == 200
        running.gateway.reload(text.replace('"name": "battery"', '"name": "another"'))
        wait(lambda: "reloaded `another`" in running.gateway.log.read_text(encoding="utf-8"))
        connection.sendall(post(chat(), AUTH))
        assert read_answer(connection).status == 200
    told = running.gateway.log.read_text(encoding="utf-8")
    assert "1 key of the estate and 0 of the store" in told
    assert "colour" in told
    assert ready(running.gateway.port)["estate"] == "another"


def test_a_file_that_changes_is_noticed_when_watching(tmp_path: Path) -> None:
    """Without a signal."""
    with rig(tmp_path, flags=["--watch"]) as found:
        text = found.gateway.estate.read_text(encoding="utf-8")
        found.gateway.estate.write_text(text.replace('"name": "battery"', '"name": "watched"'), encoding="utf-8")
        wait(lambda: ready(found.gateway.port)["estate"] == "watched")


def test_a_run_folder_that_cannot_be_written_stops_no_request(tmp_path: Path) -> None:
    """Requests are answered, and what is missing is said."""
    (tmp_path / "run" / "table.json" / "taken").mkdir(parents=True)
    for name in ("usage", "metrics"):
        (tmp_path / "run" / name).write_text("a file where a folder should be", encoding="utf-8")
    with rig(tmp_path) as found:
        assert asked(found.gateway.port, post(chat(), AUTH)).status == 200
        wait(lambda: "usage_records" in ready(found.gateway.port)["degraded"])
        assert ready(found.gateway.port)["status"] == "degraded"
        assert "cannot be written" in found.gateway.log.read_text(encoding="utf-8")


def test_a_missing_credential_is_told_and_its_upstream_not_used(tmp_path: Path) -> None:
    """It is never called without one; the others serve."""
    members = {"dense-1": {"secret": "env:TRIPOINT_TEST_NO_SUCH_SECRET", "usd_in_per_mtok": 0.01}, "cloud-1": {}}
    with rig(tmp_path, upstreams=members) as found:
        for _ in range(5):
            answer = asked(found.gateway.port, post(chat(), AUTH))
            assert answer.headers["x-tripoint-upstream"] == "cloud-1"
        assert not found.servers["dense-1"].seen
        assert "dense-1" in ready(found.gateway.port)["degraded"]["secrets"]
        assert "env:TRIPOINT_TEST_NO_SUCH_SECRET" in found.gateway.log.read_text(encoding="utf-8")


def test_the_worker_loads_nothing_of_the_planner_and_stays_small(running: Rig) -> None:
    """With four hundred open streams, too."""
    for server in running.servers.values():
        server.behaviour = Behaviour(words=3_000, between_s=0.05)
    children = running.gateway.pids()[1:]
    workers = [pid for pid in children if b"tripoint.apps.gateway.worker.main" in _command(pid)]
    ledgers = [pid for pid in children if b"tripoint.apps.ledger.main" in _command(pid)]
    assert sorted([*workers, *ledgers]) == sorted(children)
    assert workers
    assert len(ledgers) == 1
    for pid in workers:
        assert _loaded(pid, "numpy", "pydantic", "yaml", "highspy", "duckdb") == []
    assert _loaded(ledgers[0], "pydantic", "yaml", "highspy", "duckdb") == []  # it groups what it enters with numpy
    streams = [socket.create_connection(("127.0.0.1", running.gateway.port), timeout=20) for _ in range(400)]
    try:
        for stream in streams:
            stream.sendall(post(chat(stream=True), AUTH))
        for stream in streams:
            assert stream.recv(100).startswith(b"HTTP/1.1 200")
        sizes = [_pss_mib(pid) for pid in children]
        assert max(sizes) < 45.0
    finally:
        for stream in streams:
            stream.close()


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _loaded(pid: int, *names: str) -> list[str]:
    """Which of these packages a process has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="ascii", errors="replace")
    return [name for name in names if f"/{name}" in maps]


def _pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def serve(tmp_path: Path, *flags: str, serving_section: Mapping[str, object] | None = None) -> tuple[int, str]:
    """Exit code and words of a `tripoint serve` that must not come up."""
    estate = tmp_path / "estate.yaml"
    upstream = UpstreamAt(id="dense-1", url="http://127.0.0.1:1/v1")
    estate.write_text(estate_text([upstream], serving=serving_section), encoding="utf-8")
    command = [sys.executable, "-m", "tripoint.apps.cli", "serve", str(estate), "--run-dir", str(tmp_path / "run")]
    run = subprocess.run(
        [*command, "--port", "0", *flags], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, KEY_VARIABLE: KEY},
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def test_a_public_address_needs_a_certificate_and_keys(tmp_path: Path) -> None:
    """Either missing is told, and nothing listens."""
    code, words = serve(tmp_path, "--host", "0.0.0.0")
    assert code == 2
    assert "certificate" in words
    assert "keys" not in words.split("hint")[0]
    code, words = serve(tmp_path, "--host", "0.0.0.0", serving_section={"keys": []})
    assert code == 2
    assert "no certificate" in words
    assert "no client keys" in words


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """Also when another gateway has it: connections are shared among our own workers only."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, words = serve(tmp_path, "--port", str(other.getsockname()[1]))
    assert code == 3
    assert "cannot listen" in words


def test_a_run_folder_that_cannot_be_written_at_the_start_is_refused(tmp_path: Path) -> None:
    """In one sentence; nothing is started that could fail again and again, and nothing is said to serve."""
    (tmp_path / "file").touch()
    code, words = serve(tmp_path, "--run-dir", str(tmp_path / "file" / "run"))
    assert code == 3
    told = f"error: the run folder `{tmp_path / 'file' / 'run'}` cannot be written: Not a directory"
    assert words.splitlines() == [told, "hint: check your rights to it, or name another with `--run-dir`"]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_store_that_is_no_database_is_refused(tmp_path: Path, is_told: bool) -> None:
    """In the words of every other command, whether it was named or lies in the run folder."""
    (tmp_path / "run").mkdir()
    store = tmp_path / ("other.db" if is_told else "run/store.db")
    store.write_text("no database", encoding="utf-8")
    code, words = serve(tmp_path, *(["--store", f"sqlite:///{store}"] if is_told else []))
    assert code == 3
    command = [sys.executable, "-m", "tripoint.apps.cli", "budget", "list", "--store", f"sqlite:///{store}"]
    other = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (code, words) == (other.returncode, other.stdout + other.stderr)
    assert "file is not a database" in words


def test_an_estate_with_mistakes_is_not_served(tmp_path: Path) -> None:
    """All of them are told, those of form and those of names and figures."""
    code, words = serve(tmp_path, serving_section={"retry_share": 7, "upstreams": [{"id": "x", "site": "nowhere"}]})
    assert code == 2
    assert "4 errors" in words
    for each in ("`models` is missing", "`url` is missing", "no site is called `nowhere`", "is 7, expects 0 to 1"):
        assert each in words


def test_one_document_and_a_log_do_not_share_standard_output(tmp_path: Path) -> None:
    """One of them must go elsewhere."""
    code, words = serve(tmp_path, "--json", "--access-log", "-")
    assert code == 2
    assert "both want standard output" in words


def test_it_says_when_it_serves_as_one_document(tmp_path: Path) -> None:
    """With `--json`: the address, what is behind it, and what is missing."""
    with serving(ModelServer(models=())) as server:
        estate = tmp_path / "estate.yaml"
        estate.write_text(estate_text([UpstreamAt(id="dense-1", url=f"http://127.0.0.1:{server.port}/v1")]))
        command = [sys.executable, "-m", "tripoint.apps.cli", "serve", str(estate), "--run-dir", str(tmp_path / "run")]
        process = subprocess.Popen(
            [*command, "--port", "0", "--workers", "1", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**os.environ, KEY_VARIABLE: KEY},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            parts: list[str] = []
            reader = threading.Thread(target=lambda: parts.extend(process.stdout or ()), daemon=True)
            reader.start()
            wait(lambda: "".join(parts).rstrip().endswith("\n}"))
            document = json.loads("".join(parts))
            port = int(document["address"].rsplit(":", 1)[1])
            assert asked(port, post(chat(), AUTH)).status == 200
            assert (document["ok"], document["workers"], document["upstreams"]) == (True, 1, ["dense-1"])
            assert document["degraded"] == []
        finally:
            process.terminate()
            assert process.wait(20) == 0
            reader.join(5)
            if process.stdout is not None:
                process.stdout.close()
