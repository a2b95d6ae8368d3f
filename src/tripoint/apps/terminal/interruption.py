"""Ctrl-C in two steps: the first asks for the best answer so far, the second gives up.

Assumes the main thread, which is where Python delivers signals. The old handler is put back on leaving. Presses are
counted as they come: while a solver holds the main thread Python notes only that there was one, and two are twice.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """While entered, `was_asked()` tells whether Ctrl-C was pressed; again raises `KeyboardInterrupt`."""

    def __init__(self, on_first: Callable[[], None]) -> None:
        """`on_first` tells the user what the first press does."""
        self._on_first = on_first
        self._was_asked = False
        self._has_given_up = False
        self._old_handler: Any = None
        self._old_wakeup = -1
        self._presses: tuple[socket.socket, socket.socket] | None = None

    def was_asked(self) -> bool:
        """True after the first Ctrl-C."""
        return self._was_asked

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._presses = socket.socketpair()
            for end in self._presses:
                end.setblocking(False)
            self._old_wakeup = signal.set_wakeup_fd(self._presses[1].fileno(), warn_on_full_buffer=False)
            self._old_handler = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._old_handler is not None:
            # A shell's background job ignores Ctrl-C; who was told to press again is heard until the answer is shown.
            is_deaf = self._was_asked and self._old_handler == signal.SIG_IGN
            signal.signal(signal.SIGINT, signal.default_int_handler if is_deaf else self._old_handler)
            self._old_handler = None
        if self._presses is not None:
            signal.set_wakeup_fd(self._old_wakeup)
            for end in self._presses:
                end.close()
            self._presses = None
        if self._has_given_up and kind is None:  # a solver's callback swallowed it
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        pressed = self._pressed()
        if self._has_given_up and not pressed:  # all were counted in the call before
            return
        if self._was_asked or pressed > 1:
            self._was_asked = self._has_given_up = True
            raise KeyboardInterrupt
        self._was_asked = True
        self._on_first()

    def _pressed(self) -> int:
        """How often Ctrl-C was pressed since it was last looked."""
        with contextlib.suppress(BlockingIOError):
            if self._presses is not None:
                return self._presses[0].recv(4096).count(signal.SIGINT)
        return 0
