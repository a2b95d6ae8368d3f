"""Processes under test: pinned to a core, stopped while another is measured, and what they used.

CPU time is the scheduler's own account of every thread, in nanoseconds: on a shared machine it says what a request
costs, where wall-clock rates say how busy the neighbours are.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_LEDGER = b"tripoint.apps.ledger"
_PSS = re.compile(r"^Pss:\s+(\d+)", re.MULTILINE)
PATIENCE_S = 5.0


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command confined to one core, where the machine has more than one and `taskset`."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", str(core), *command]


class Running:
    """A process with all its children."""

    def __init__(self, command: Sequence[str], core: int, log: Path, env: Mapping[str, str] | None = None) -> None:
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                pinned(command, core),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=log.parent,
                start_new_session=True,
            )

    @property
    def pids(self) -> list[int]:
        """It and every process it started that is still there, it first."""
        found: list[int] = []
        waiting = [self._process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    waiting += [int(word) for word in (task / "children").read_text().split()]
        return found

    @property
    def has_ended(self) -> bool:
        """True when it is no longer there."""
        return self._process.poll() is not None

    def cpu_s(self) -> tuple[float, float]:
        """CPU time used so far, s: of all its processes, and of those that carry requests.

        The process that enters records into the ledger carries none; who watches over the workers is counted with them.
        """
        total = path = 0.0
        for pid in self.pids:
            with contextlib.suppress(OSError):
                spent = _spent_s(pid)[0]
                total += spent
                path += 0.0 if _is_ledger(pid) else spent
        return total, path

    def memory_mib(self) -> tuple[float, float]:
        """Proportional set size of its largest worker and of all its processes together, MiB.

        Workers are those started by the first process, which only watches over them; it is one where it is alone.
        The process that enters records into the ledger is none: it carries no request.
        """
        sizes, workers = [], []
        for pid in self.pids:
            with contextlib.suppress(OSError, AttributeError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                sizes.append(int(_PSS.search(text).group(1)) / 1024)  # type: ignore[union-attr]  # no match: suppressed
                if pid != self._process.pid and not _is_ledger(pid):
                    workers.append(sizes[-1])
        return max(workers or sizes, default=0.0), sum(sizes)

    def pause(self) -> None:
        """Stops all of it, parents first, so that none takes a stopped child for a dead one."""
        self._signal(signal.SIGSTOP, self.pids)

    def go_on(self) -> None:
        """Lets it run again, children first."""
        self._signal(signal.SIGCONT, list(reversed(self.pids)))

    def end(self) -> None:
        """Asks it to end, and ends what is left."""
        pids = self.pids
        self.go_on()
        with contextlib.suppress(OSError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE_S)
        self._signal(signal.SIGKILL, [pid for pid in pids if _is_alive(pid)])
        self._process.wait(PATIENCE_S)

    def _signal(self, number: signal.Signals, pids: Sequence[int]) -> None:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, number)


def _is_ledger(pid: int) -> bool:
    return _LEDGER in Path(f"/proc/{pid}/cmdline").read_bytes()


def _spent_s(pid: int) -> tuple[float, float]:
    """CPU time of a process, s, and that of its children who have ended: by the scheduler for threads that live, by
    the kernel's ticks where they do not.
    """
    tick = 1 / os.sysconf("SC_CLK_TCK")
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks_s = (int(fields[11]) + int(fields[12])) * tick
    tasks = Path(f"/proc/{pid}/task").iterdir()
    threads_s = sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    return max(threads_s, ticks_s - tick), (int(fields[13]) + int(fields[14])) * tick


class Neighbours:
    """What all other processes of the machine take from now on, and what its host takes from it.

    Counted process by process: the machine's own account of busy time is sampled by a tick, with which a load on a
    fixed schedule may beat in time.
    """

    def __init__(self, ours: Sequence[int]) -> None:
        self._ours = frozenset(ours)
        self._began = time.perf_counter()
        self._spent = self._look()
        self._stolen = _stolen_s()

    def share(self) -> float:
        """Share of the machine's processor time since it was made, 0 to 1."""
        took = time.perf_counter() - self._began
        before, after = self._spent, self._look()
        more = sum(max(0.0, now[0] - before.get(pid, _NOTHING)[0]) for pid, now in after.items())
        # Who ended meanwhile is counted with its parent, with all it ever took: what it had taken before is taken off.
        of_ended = sum(max(0.0, now[1] - before.get(pid, now)[1]) for pid, now in after.items())
        of_ended -= sum(sum(spent) for pid, spent in before.items() if pid not in after)
        return (more + max(0.0, of_ended) + _stolen_s() - self._stolen) / (took * (os.cpu_count() or 1))

    def _look(self) -> dict[int, tuple[float, float]]:
        found: dict[int, tuple[float, float]] = {}
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) not in self._ours:
                with contextlib.suppress(OSError):  # it has just ended
                    found[int(name)] = _spent_s(int(name))
        return found


_NOTHING = (0.0, 0.0)


def _stolen_s() -> float:
    """What the host of a virtual machine has given to others, s."""
    numbers = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(numbers[8]) / os.sysconf("SC_CLK_TCK")


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(holds: Callable[[], str], limit_s: float) -> str:
    """Asks `holds` until it answers with an empty text or the time is over; its last answer."""
    over = time.monotonic() + limit_s
    answer = holds()
    while answer and time.monotonic() < over:
        time.sleep(0.2)
        answer = holds()
    return answer
