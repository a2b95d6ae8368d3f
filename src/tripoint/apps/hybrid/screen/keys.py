"""The keys of the dashboard: `k` or `r` and then a site, `q` to end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_ACTS: Final = {"k": "kill", "r": "revive"}


class Keys:
    """Turns single keys into commands; a question stands in `prompt` while a site is to be named."""

    def __init__(self, sites: tuple[str, ...], act: Callable[[str, str], None]) -> None:
        """`act` is called with `kill` or `revive` and a site, or with `quit` and nothing."""
        self._sites = sites
        self._act = act
        self._verb = ""
        self.prompt = ""

    def press(self, key: str) -> None:
        """Takes one key."""
        if self._verb:
            verb, self._verb, self.prompt = self._verb, "", ""
            chosen = self._site(key)
            if chosen:
                self._act(verb, chosen)
            return
        if key == "q":
            self._act("quit", "")
        elif key in _ACTS:
            self._verb = _ACTS[key]
            choices = "   ".join(f"{number} {site}" for number, site in enumerate(self._sites, start=1))
            self.prompt = f"{self._verb} which site?   {choices}   any other key: none"

    def _site(self, key: str) -> str:
        if key.isdigit() and 1 <= int(key) <= len(self._sites):
            return self._sites[int(key) - 1]
        named = [site for site in self._sites if site.startswith(key)]
        return named[0] if len(named) == 1 else ""


@contextmanager
def listening(add_reader: Callable[[int, Callable[[], None]], None], press: Callable[[str], None]) -> Iterator[None]:
    """Calls `press` for each key typed while entered; does nothing where standard input is no terminal.

    `add_reader` watches a descriptor. The terminal is put back on leaving; Ctrl-C stays a signal.
    """
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)

    def read() -> None:
        for key in os.read(number, 64).decode("ascii", "ignore"):
            press(key)

    add_reader(number, read)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
