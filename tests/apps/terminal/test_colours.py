"""Colour on a terminal: where it is welcome, and never where `NO_COLOR` is set."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest
from rich.text import Text

from tripoint.apps.render.plan_text.layout import printed, titled

EXPLAINED = ("tripoint", "explain", "nobody", str(Path(__file__).parents[3] / "examples" / "break-even"))


def shown(no_color: str) -> str:
    """What a failing command writes to a terminal."""
    pid, screen = pty.fork()
    if pid == 0:
        os.environ["NO_COLOR"] = no_color
        os.execv(sys.executable, [sys.executable, "-m", *EXPLAINED])
    told = b""
    while True:
        try:
            read = os.read(screen, 65536)
        except OSError:  # Linux says so that the other end has gone
            break
        if not read:
            break
        told += read
    os.close(screen)
    os.waitpid(pid, 0)
    return told.decode()


def test_failures_are_coloured_on_a_terminal_unless_no_color_is_set() -> None:
    """The word `error` is red; with `NO_COLOR` it is a word."""
    assert "\x1b[31m" in shown("")
    told = shown("1")
    assert "error: the estate has no workload `nobody`" in told
    assert "\x1b" not in told


def test_headings_are_bold_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a pipe, not with `NO_COLOR`."""
    parts = [titled("Scenarios", Text("rows"))]
    assert printed(parts) == "Scenarios\nrows\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert printed(parts) == "\x1b[1mScenarios\x1b[0m\nrows\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert printed(parts) == "Scenarios\nrows\n"
