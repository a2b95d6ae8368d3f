"""Ctrl-C in two steps: the first asks for the best answer so far, the second gives up.

Assumes the main thread, which is where Python delivers signals. The old handler is put back on leaving.
"""

from __future__ import annotations

import signal
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

    def was_asked(self) -> bool:
        """True after the first Ctrl-C."""
        return self._was_asked

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._old_handler = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._old_handler is not None:
            signal.signal(signal.SIGINT, self._old_handler)
            self._old_handler = None
        if self._has_given_up and kind is None:  # a solver's callback swallowed it
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._was_asked:
            self._has_given_up = True
            raise KeyboardInterrupt
        self._was_asked = True
        self._on_first()
