"""A gateway of our own as a child process, with everything it writes kept for the search for secrets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tripoint.apps.battery.load import sent
from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.estate import KEY_VARIABLE, UPSTREAM_KEY_VARIABLE
from tripoint.apps.battery.rig.servers import START_S, free_port, listens
from tripoint.apps.battery.wire.raw import request
from tripoint.domain.errors import PlatformError

KEY = "tp_verify_4d1f0c-key-canary"
UPSTREAM_KEY = "tp_verify_9b2e7a-upstream-canary"


@dataclass(slots=True)
class GatewayProcess:
    """`tripoint serve` on a port of its own."""

    folder: Path
    """Where its estate, its run folder and its output are."""
    workers: int = 1
    """Worker processes."""
    flags: tuple[str, ...] = ()
    """Further flags of `tripoint serve`."""
    ca_file: str = ""
    """Authority of its certificate where it speaks TLS (by `flags`); plain when empty."""
    port: int = field(default_factory=free_port)
    """Its port."""
    process: subprocess.Popen[bytes] | None = None
    """The child, when one runs."""
    ready_s: float = 0.0
    """From starting it to accepting, s."""

    @property
    def estate(self) -> Path:
        """Its estate file."""
        return self.folder / "estate.yaml"

    @property
    def run_folder(self) -> Path:
        """Where it keeps records and shared state."""
        return self.folder / "run"

    @property
    def log(self) -> Path:
        """Everything it says."""
        return self.folder / "gateway.log"

    def place(self, model: str = "chat") -> Place:
        """The gateway for our clients."""
        tls = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        return Place(host="127.0.0.1", port=self.port, key=KEY, model=model, tls=tls)

    async def start(self, estate: str, *, environment: Mapping[str, str] | None = None) -> None:
        """Writes the estate and serves it; raises `PlatformError` with its last words when it does not come up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.estate.write_text(estate, encoding="utf-8")
        command = [sys.executable, "-m", "tripoint.apps.cli", "serve", str(self.estate)]
        command += ["--port", str(self.port), "--workers", str(self.workers)]
        command += ["--store", f"sqlite:///{self.run_folder.absolute() / 'store.db'}"]
        command += ["--run-dir", str(self.run_folder), "--access-log", "-", "--drain-s", "2", *self.flags]
        secrets = {KEY_VARIABLE: KEY, UPSTREAM_KEY_VARIABLE: UPSTREAM_KEY, **(environment or {})}
        # How long it takes to start is measured as on any installation that has run once: with its bytecode kept.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**kept, **secrets})
        if not (await listens(self.port, START_S, self.process) and await self._is_ready(started + START_S)):
            words = self.log.read_text(encoding="utf-8", errors="replace")[-600:]
            self.stop()
            raise PlatformError(f"the gateway did not start: {words}")
        self.ready_s = time.monotonic() - started

    async def _is_ready(self, until: float) -> bool:
        """True once a worker says so: the socket listens a little before, and accounts may come a little later."""
        assert self.process is not None
        while time.monotonic() < until and self.process.poll() is None:
            status, _ = await self.get("/readyz")
            if status == 200:
                return True
            await asyncio.sleep(0.02)
        return False

    async def be_whole(self) -> None:
        """Waits for the process that is to follow an only worker: it comes up while that serves already."""
        until = time.monotonic() + START_S
        while self.workers == 1 and time.monotonic() < until and not any(map(_waits, self.pids())):
            await asyncio.sleep(0.02)

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a GET outside the interfaces, e.g. `/metrics`."""
        place = replace(self.place(), base_path="")
        outcome = await sent(place, request(place, method="GET", path=path), patience_s=10)
        return outcome.status, outcome.body

    def reload(self, estate: str) -> None:
        """Writes another estate and asks for it to be read."""
        assert self.process is not None
        self.estate.write_text(estate, encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)

    def limit_files(self, size: int) -> None:
        """Bounds every file it and its workers write to so many bytes, as a full disk does; -1 lifts that."""
        for pid in self.pids():
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size if size >= 0 else hard, hard))

    def pids(self) -> list[int]:
        """Its process and all below it."""
        return list(_family(self.process.pid)) if self.process is not None else []

    def memory_mib(self, *, is_total: bool = False) -> float:
        """Resident memory of its largest process or of all, MiB; 0 where this machine does not tell."""
        sizes = [0.0]
        for pid in self.pids():
            try:
                lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
            except OSError:
                continue
            sizes += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")]
        return sum(sizes) if is_total else max(sizes)

    def open_files(self) -> int:
        """Files and sockets all its processes hold; 0 where this machine does not tell."""
        count = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):  # it may end while it is asked about
                count += len(os.listdir(f"/proc/{pid}/fd"))
        return count

    def stop(self) -> None:
        """Ends it: politely, then at once; its workers with it."""
        if self.process is None:
            return
        family = self.pids()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for pid in family:
                _kill(pid)
            self.process.wait()
        self.process = None
        for pid in family[1:]:
            _kill(pid)

    def access_lines(self) -> dict[str, dict[str, object]]:
        """Its access log so far, by request id."""
        lines = [
            line for line in self.log.read_bytes().splitlines() if line.startswith(b'{"at":') and line.endswith(b"}")
        ]
        return {str(line["id"]): line for line in map(json.loads, lines)}

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Everything it has written: its output and each file of its run folder."""
        yield self.log.name, self.log.read_bytes()
        for path in sorted(self.run_folder.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _waits(pid: int) -> bool:
    """True for a worker that waits to be needed."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii") == "tripoint-waits\n"
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
