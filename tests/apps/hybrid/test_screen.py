from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console
from tests.apps.hybrid.views import view

from tripoint.apps.hybrid.screen.dashboard import clock, dashboard, spark
from tripoint.apps.hybrid.screen.keys import listening
from tripoint.apps.hybrid.screen.money import bar, usd
from tripoint.apps.hybrid.screen.plain import PlainLines, line
from tripoint.apps.hybrid.screen.show import shown
from tripoint.apps.hybrid.screen.view import View


def drawn(shown_view: View, width: int, height: int) -> str:
    """The dashboard as plain text."""
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, highlight=False)
    console.print(dashboard(shown_view, width=width, height=height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 24), (120, 40)])
def test_the_dashboard_looks_as_agreed(golden: Callable[[str, str], None], width: int, height: int) -> None:
    """The whole screen, compared with its golden text."""
    text = drawn(view(), width, height)
    assert len(text.splitlines()) == height
    assert max(len(row) for row in text.splitlines()) <= width
    golden(f"hybrid/dashboard-{width}x{height}.txt", "\n".join(row.rstrip() for row in text.splitlines()) + "\n")


def test_a_small_terminal_keeps_the_figures_and_the_newest_events() -> None:
    """Events give way first; what is left of them is the newest."""
    rows = drawn(view(events=22), 80, 20).splitlines()
    assert len(rows) == 20
    assert "took over 21 requests" in rows[-3]
    assert "took over 2 requests" not in "\n".join(rows)


def test_what_is_lost_and_what_is_asked_stand_out() -> None:
    """Losses, a gateway that is not ready and a question to the person are all on the screen."""
    text = drawn(view(lost=3, prompt="kill which site?   1 cloud"), 80, 24)
    assert "3 lost" in text
    assert "gateway not ready" in text
    assert text.rstrip().endswith("kill which site?   1 cloud")
    assert "k kill" not in text


@pytest.mark.parametrize(
    ("amount", "told"),
    [(0.0, "–"), (-1.0, "–"), (0.00000123, "$0.000001"), (0.0000002, "<$0.000001"), (0.00628, "$0.00628"),
     (0.1134, "$0.113"), (12.345, "$12.3"),
     (1234.5, "$1,234")],
)  # fmt: skip
def test_money_has_three_digits(amount: float, told: str) -> None:
    """However small or large."""
    assert usd(amount) == told


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0.0, "·····"), (0.1, "▌····"), (0.5, "██▌··"), (0.9999, "█████"), (1.0, "█████"),
     (1.7, "█████"), (-0.2, "·····")],
)  # fmt: skip
def test_a_budget_is_a_bar(share: float, drawn: str) -> None:
    """Full at its limit, never longer, whatever was spent."""
    assert bar(share, 5) == drawn


def test_before_the_ledger_tells_anything_the_money_says_so() -> None:
    """Nothing is drawn that is not known."""
    text = drawn(replace(view(), tenants=(), models=()), 80, 24)
    assert "nothing in the ledger yet" in text
    assert len(text.splitlines()) == 24


def test_bars_and_clock() -> None:
    """The tallest bar is the top, nothing is blank; minutes go on past an hour."""
    assert spark((0.0, 1.0, 8.0), 3, 8.0) == " ▂█"
    assert spark((1.0, 2.0), 5, 0.0) == ""
    assert clock(0.9) == "0:00"
    assert clock(3725) == "62:05"


def test_lines_tell_each_event_once_and_figures_every_two_seconds(golden: Callable[[str, str], None]) -> None:
    """What is printed where there is no terminal."""
    stream = io.StringIO()
    lines = PlainLines(stream)
    lines.show(view(events=2))
    lines.show(view(events=2))
    lines.show(view(events=4))
    lines.show(view(events=0))
    golden("hybrid/plain.txt", stream.getvalue())
    assert stream.getvalue().count(line(view())) == 1


def test_without_a_terminal_or_by_wish_there_are_lines() -> None:
    """A dashboard is drawn on terminals only, and not where it is not wanted."""
    stream = io.StringIO()
    with shown(True, stream) as show:
        show(view(events=1))
    assert "edge was killed" in stream.getvalue()


def test_on_a_terminal_the_dashboard_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a screen of its own, which is put back at the end."""
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]  # a terminal is played
    with shown(True, stream) as show:
        show(view())
    text = stream.getvalue()
    assert "\x1b[?1049h" in text
    assert "\x1b[?1049l" in text
    assert "dense-1" in text


def test_keys_are_read_from_a_terminal_that_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single keys without a line end; without a terminal nothing is read."""
    import os
    import termios

    master, slave = os.openpty()
    readers: list[Callable[[], None]] = []
    typed: list[str] = []
    with os.fdopen(slave, encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        before = termios.tcgetattr(slave)
        with listening(lambda number, read: readers.append(read), typed.append):
            assert not termios.tcgetattr(slave)[3] & termios.ICANON
            os.write(master, b"k3")
            readers[0]()
        assert termios.tcgetattr(slave) == before
    os.close(master)
    assert typed == ["k", "3"]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with listening(lambda number, read: readers.append(read), typed.append):
        assert len(readers) == 1
