"""A model server as a process of its own: started, killed, stopped and brought back on the same port."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from tripoint.adapters.local_models.extra import need
from tripoint.domain.errors import PlatformError

_MODULE: Final = "tripoint.adapters.local_models.server"
_LONGEST_START_S: Final = 30.0
_LONGEST_END_S: Final = 5.0


class ModelServer:
    """One model server on this machine."""

    def __init__(self, model: Path, name: str, *, is_embedding: bool, log: Path) -> None:
        """Starts nothing yet; raises `MissingExtraError` without the extra `local`."""
        need("xllamacpp")
        self._model = model
        self._name = name
        self._is_embedding = is_embedding
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1; 0 before the first start."""
        return self._port

    @property
    def pid(self) -> int:
        """Its process, 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def begin(self) -> None:
        """Starts the process without waiting for it; does nothing while it runs."""
        if self.is_running():
            return
        flags = ["--embedding"] if self._is_embedding else []
        command = [sys.executable, "-m", _MODULE, "--model", str(self._model), "--name", self._name]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port), *flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def wait_ready(self) -> None:
        """Waits until it answers; raises `PlatformError` naming its log where it does not within 30 s."""
        process = self._process
        assert process is not None  # `begin` comes first
        assert process.stdout is not None
        line = _line(process.stdout, time.monotonic() + _LONGEST_START_S)
        if not line:
            self.kill()
            raise PlatformError(
                f"the model server of `{self._name}` ended or did not answer within {_LONGEST_START_S:.0f} s",
                hint=f"see `{self._log}`",
            )
        self._port = urlsplit(json.loads(line)["ready"]).port or self._port

    def kill(self) -> None:
        """Ends the process at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def ask_to_stop(self) -> None:
        """Tells the process to end without waiting for it."""
        if self.is_running():
            assert self._process is not None
            self._process.terminate()

    def stop(self) -> None:
        """Ends the process and waits until it is gone."""
        self.ask_to_stop()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_LONGEST_END_S)
            self.kill()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def _line(stream: IO[bytes], until: float) -> bytes:
    """The first line of a pipe; empty where it ends or time is up before."""
    found = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                return b""
            piece = stream.read1(4096)  # type: ignore[attr-defined]  # a pipe of Popen is a BufferedReader
            if not piece:
                return b""
            found += piece
    return found
