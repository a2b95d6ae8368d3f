"""Trials over processes: the same answer as on one, whatever dies on the way."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.factories.trials import Deadly, Line, Refusing, orders

from tripoint.adapters import trials_process
from tripoint.adapters.trial_file import TrialFile
from tripoint.adapters.trials_process import ProcessTrials
from tripoint.apps.trials import PROCESSES, play_trials, trials_on
from tripoint.domain.errors import InternalError, OptionError, PlatformError
from tripoint.domain.stress import Trial

ROOT = Path(__file__).resolve().parents[2]
LONG_S = 300.0
"""Generous bound on what is waited for on a busy machine, s."""


def played_on(processes: int, play: Line | Deadly | Refusing, count: int) -> list[Trial]:
    """Trials in order."""
    found = dict(ProcessTrials(processes).played(play, orders(count), lambda: False))
    assert sorted(found) == list(range(count))
    return [found[place] for place in range(count)]


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hands trials out from the second one on."""
    monkeypatch.setattr(trials_process, "ALONE_S", 0.0)
    monkeypatch.setattr(trials_process, "WORTH_S", 0.0)


@pytest.mark.usefixtures("_at_once")
def test_two_processes_find_what_one_finds() -> None:
    """Where a trial is played changes nothing, to the last bit."""
    assert played_on(2, Line(), 150) == played_on(1, Line(), 150)
    assert multiprocessing.active_children() == []


def test_short_runs_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done before a process would be there is done here."""
    monkeypatch.setattr(trials_process, "_Crew", None)
    assert len(played_on(8, Line(requests=3), 5)) == 5


@pytest.mark.usefixtures("_at_once")
@pytest.mark.slow
def test_a_process_that_is_killed_costs_no_trial(tmp_path: Path) -> None:
    """Its batch is played again elsewhere."""
    assert played_on(2, Deadly(tmp_path, at=11, times=2), 30) == played_on(1, Line(), 30)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("_at_once")
@pytest.mark.slow
def test_a_trial_that_ends_every_process_is_told(tmp_path: Path) -> None:
    """After three processes the trial is named, with how the last one ended."""
    with pytest.raises(PlatformError, match=r"`burst#3\?times=1.5` ended 3 processes, the last with exit code -9"):
        played_on(2, Deadly(tmp_path, at=3, times=99), 8)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("processes", [1, 2])
def test_errors_come_back(processes: int) -> None:
    """An error of ours arrives as it is, with its hint; a bug names the trial."""
    with pytest.raises(OptionError, match="no such place") as ours:
        played_on(processes, Refusing(at=4, is_bug=False), 8)
    assert ours.value.hint == "name another"
    with pytest.raises(InternalError, match=r"trial `burst#4\?times=1.5` failed: ZeroDivisionError: a bug"):
        played_on(processes, Refusing(at=4, is_bug=True), 8)
    assert multiprocessing.active_children() == []


@pytest.mark.usefixtures("_at_once")
def test_stopping_ends_the_processes() -> None:
    """Nothing runs on after the caller has had enough."""
    seen: list[int] = []
    for place, _ in ProcessTrials(2).played(Line(pause_s=0.01), orders(500), lambda: len(seen) >= 20):
        seen.append(place)
    assert 20 <= len(seen) < 500
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """kill -9 in the middle: what was finished is kept, the rest is played, and the answer is the same."""
    script = (
        "from pathlib import Path\n"
        "from tests.factories.trials import Line, orders\n"
        "from tripoint.apps.trials import play_trials, trials_on\n"
        "if __name__ == '__main__':\n"
        f"    keep = (Path({str(tmp_path)!r}), 'd1' * 32)\n"
        "    play_trials(Line(pause_s=0.03), orders(400), trials_on('processes', processes=2), keep=keep)\n"
    )
    program = tmp_path / "program.py"
    program.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([sys.executable, str(program)], cwd=ROOT, env=environment, start_new_session=True)
    file = TrialFile(tmp_path, "d1" * 32)
    deadline = time.monotonic() + LONG_S
    while len(file.finished()) < 60:
        assert run.poll() is None, "the run ended by itself"
        assert time.monotonic() < deadline, "no trial was kept"
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    _wait_until_alone(run.pid, deadline)

    kept = len(file.finished())
    assert 60 <= kept < 400
    told: list[tuple[int, int]] = []
    trials = play_trials(
        Line(),
        orders(400),
        trials_on(PROCESSES, processes=1),
        keep=(tmp_path, "d1" * 32),
        progress=lambda done, whole: told.append((done, whole)),
    )
    assert told[0] == (kept, 400)
    assert told[-1] == (400, 400)
    assert list(trials) == played_on(1, Line(), 400)


def _wait_until_alone(session: int, deadline: float) -> None:
    """Returns once no process of a killed run is left: they end when their pipes close."""
    while _session_lives(session):
        assert time.monotonic() < deadline, "processes outlive the run that started them"
        time.sleep(0.05)


def _session_lives(session: int) -> bool:
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return any(state != "Z" for state in _states(session))


def _states(group: int) -> list[str]:
    """States of the processes of a group, as Linux tells them; `?` elsewhere, where zombies cannot be told apart."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found.append(fields[0])
    return found
