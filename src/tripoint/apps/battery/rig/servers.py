"""Model servers of our own, a child process each: killed, stopped, started again and told to misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field

from tripoint.apps.battery.load import sent
from tripoint.apps.battery.place import Place
from tripoint.apps.battery.rig.estate import NAME_THERE
from tripoint.apps.battery.wire.raw import request
from tripoint.domain.errors import PlatformError

START_S = 60.0
_TOLD = 3


def free_port() -> int:
    """A TCP port of the loopback nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class ModelProcess:
    """One model server on a port of its own, which it keeps over restarts."""

    seed: int = 7
    """Decides the words; servers of one seed are reproducible."""
    secret: str = ""
    """Credential it asks for, none when empty."""
    fingerprint: str = ""
    """What it says beside every word, so that callers can tell whose word it is."""
    port: int = field(default_factory=free_port)
    """Its port."""
    process: subprocess.Popen[bytes] | None = None
    """The child, when one runs."""

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def place(self) -> Place:
        """The same for our own client."""
        return Place(host="127.0.0.1", port=self.port, base_path="", key=self.secret)

    async def start(self, **behaviour: object) -> None:
        """Starts it, behaving so from the first request on; raises `PlatformError` when it does not come up."""
        command = [sys.executable, "-m", "tripoint.testing.model_server", "--port", str(self.port)]
        command += ["--seed", str(self.seed), "--model", NAME_THERE, "--behave", json.dumps(behaviour)]
        command += ["--secret", self.secret] if self.secret else []
        command += ["--fingerprint", self.fingerprint] if self.fingerprint else []
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not await listens(self.port, START_S, self.process):
            raise PlatformError(f"the model server on port {self.port} did not start")

    async def behave(self, **behaviour: object) -> None:
        """Changes how it answers from now on; what is not named goes back to its default."""
        body = json.dumps(behaviour).encode()
        status = 0
        for _ in range(_TOLD):  # a server that has just been reset by its callers may lose one word of ours
            status = (await sent(self.place, request(self.place, path="/_behave", body=body), patience_s=10)).status
            if status == 200:
                return
        raise PlatformError(f"the model server on port {self.port} does not obey (status {status}, told {_TOLD} times)")

    async def counts(self) -> dict[str, int]:
        """Requests, probes, connections and the most it ever answered at once, since it was started."""
        outcome = await sent(self.place, request(self.place, method="GET", path="/_seen"), patience_s=10)
        return {str(name): int(value) for name, value in json.loads(outcome.body or b"{}").items()}

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, waited for; nothing happens when it does not run."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None


async def listens(port: int, within_s: float, process: subprocess.Popen[bytes]) -> bool:
    """True once somebody accepts on the port; False when that takes too long or the child ends before."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            # A port nobody listens on yet may be given to our own end of the connection, which then talks to itself.
            is_another = writer.get_extra_info("sockname") != writer.get_extra_info("peername")
            writer.transport.abort()
            if is_another:
                return True
        await asyncio.sleep(0.02)
    return False
