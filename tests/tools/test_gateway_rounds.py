"""The benchmark of the gateway: who is started anew for a round, and that nothing it started outlives it."""

from __future__ import annotations

import http.server
import sys
import threading
from pathlib import Path

import pytest
from benchmarks.gateway import entrants, rounds
from benchmarks.gateway.entrants import Entrant, started
from benchmarks.gateway.peers import Ground, Peer, Start
from benchmarks.gateway.rounds import MODES, Mode, Upstream, measure

pytestmark = pytest.mark.enable_socket

ANSWERS = """
import http.server, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = b'{"usage": {"total_tokens": 2}}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""
BEHIND = Upstream(1, 1)


def stub(ground: Ground) -> Start:
    """A gateway of one answer."""
    return Start(command=(sys.executable, "-c", ANSWERS, str(ground.port)))


STUB = Peer(name="stub", version=lambda: "1", start=stub)


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was done to which process, in place of loading it."""
    done: list[tuple[str, int]] = []

    def note(what: str) -> object:
        def noted(mode: Mode, entrant: Entrant, behind: Upstream, retakes: int = 0) -> tuple[str, int]:
            done.append((what, entrant.running.pids[0]))
            return done[-1]

        return noted

    monkeypatch.setattr(entrants, "WORK", tmp_path)
    monkeypatch.setattr(rounds, "_warm", note("warm"))
    monkeypatch.setattr(rounds, "_undisturbed", note("sample"))
    return done


def test_each_round_has_a_process_of_its_own_that_was_warmed(seen: list[tuple[str, int]]) -> None:
    """One process for all rounds would have the luck of its start judged; and no more than one of them lives."""
    with started([STUB], 1) as found:
        first = found[0].running
        assert len(measure([MODES["streams"]], found, 3, BEHIND, 0)) == 3
        assert first.has_ended
        last = found[0].running
    assert [what for what, _ in seen] == ["warm", "sample"] * 3
    pids = [pid for _, pid in seen]
    assert pids[::2] == pids[1::2]
    assert len(set(pids)) == 3
    assert last.has_ended


def test_a_mode_may_ask_for_those_that_have_run(seen: list[tuple[str, int]]) -> None:
    """What memory a process holds, it does not hold at once."""
    with started([STUB], 1) as found:
        measure([MODES["memory"]], found, 2, BEHIND, 0)
        assert {pid for _, pid in seen} == {found[0].running.pids[0]}


def test_the_upstream_keeps_the_pace_of_each_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """In step means at the same instants: else what a gateway is given depends on how quickly it passed requests on."""
    asked: list[str] = []

    class Told(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Says nothing."""

    monkeypatch.setattr(rounds, "_driver", lambda mode, entrant, port: [sys.executable, "-c", "print('{}')"])
    with http.server.HTTPServer(("127.0.0.1", 0), Told) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("streams", "streams-begun", "streams-apart", "saturation"):
            assert rounds._drive(MODES[name], None, Upstream(server.server_port, 1)) == {}
        server.shutdown()
    assert asked == ["/pace/step", "/pace/own", "/pace/own", "/pace/own"]


def test_who_starts_slowly_is_started_once_and_told(
    seen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its start in each round would take longer than all samples."""
    monkeypatch.setattr(entrants, "RENEWED_S", 0.0)
    with started([STUB], 1) as found:
        measure([MODES["streams"]], found, 2, BEHIND, 0)
        assert {pid for _, pid in seen} == {found[0].running.pids[0]}
    assert "slow to start: one process for all rounds" in capsys.readouterr().out


def test_one_that_answers_no_more_ends_the_run(seen: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A round without it would be compared with nothing."""
    with started([STUB], 1) as found:
        monkeypatch.setattr(entrants, "START_LIMIT_S", 0.0)
        found[0].peer = Peer(name="stub", version=lambda: "1", start=lambda ground: Start(command=("false",)))
        with pytest.raises(RuntimeError, match="stub 1: does not answer"):
            measure([MODES["streams"]], found, 1, BEHIND, 0)
    assert not seen
