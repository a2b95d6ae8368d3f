"""The access log: lines handed to a thread that writes them, so that a full pipe or disk holds up no request."""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress

_MOST_WAITING = 32_768


class AccessLog:
    """Appends lines to a file, or to standard output for `-`."""

    def __init__(self, path: str, every_s: float = 0.05) -> None:
        self._path = path
        self._every_s = every_s
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING)
        self._stop = threading.Event()
        self._file = -1
        self.fault = ""
        """Why lines cannot be written now; empty when they can."""
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Takes a line; the oldest are lost where thousands wait."""
        self._waiting.append(line)

    def close(self) -> None:
        """Writes what waits and stops."""
        self._stop.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stop.wait(self._every_s)
            count = len(self._waiting)
            lines = [self._waiting.popleft() for _ in range(count)]
            if lines:
                self._write(b"".join(lines))
        if self._file > 2:
            os.close(self._file)

    def _write(self, content: bytes) -> None:
        try:
            if self._file < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._file = 1 if self._path == "-" else os.open(self._path, flags, 0o640)
            view = memoryview(content)
            while view:
                view = view[os.write(self._file, view) :]
            self.fault = ""
        except OSError as error:
            self.fault = error.strerror or type(error).__name__
            if self._file > 2:
                with suppress(OSError):
                    os.close(self._file)
            self._file = -1
