"""The gateway of the local hybrid: `tripoint serve` as a child, as anybody would run it."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from tripoint.apps.hybrid.callers.client import ask
from tripoint.apps.hybrid.run_folder import RunFolder
from tripoint.domain.errors import PlatformError

_ERROR: Final = re.compile(r"(?:error|[\w.]+Error): ")
"""How a line begins that says what went wrong, in our words or in Python's."""
_LEASH: Final = "tripoint.apps.hybrid.children.leash"
_LONGEST_START_S: Final = 20.0
_LONGEST_END_S: Final = 10.0


class GatewayChild:
    """`tripoint serve` in a process of its own."""

    def __init__(self, run: RunFolder, *, port: int, workers: int) -> None:
        """Starts nothing yet; `port` 0 takes a free one."""
        self.port = port or _free_port()
        self.log = run.folder / "gateway.log"
        self.records = run.state
        self._command = [
            *(sys.executable, "-m", _LEASH, str(os.getpid())),
            *("serve", str(run.estate), "--plan", str(run.plan / "plan.json")),
            *("--port", str(self.port), "--workers", str(workers), "--run-dir", str(self.records)),
            *("--store", run.store, "--drain-s", "5"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process, 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Starts it and waits until it is ready; raises `PlatformError` with the end of its log where it is not."""
        with self.log.open("ab") as log:
            # A group of its own: Ctrl-C is ours to hear, and the gateway goes last, after its callers.
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + _LONGEST_START_S
        while time.monotonic() < until and self.is_running():
            if (await ask(self.port, "GET", "/readyz", head={}, patience_s=2.0)).status == 200:
                return
            await asyncio.sleep(0.05)
        self.stop()
        raise PlatformError(f"the gateway did not become ready: {last_words(self.log)}", hint=f"see `{self.log}`")

    def stop(self) -> None:
        """Ends it in order, by force where that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_LONGEST_END_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def last_words(log: Path) -> str:
    """The last error in a log, or the last line that says something."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if _ERROR.match(line)]
    return (errors or lines or ["it said nothing"])[-1][:200]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
