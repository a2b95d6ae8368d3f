"""Progress on standard error: a live line on a terminal, a line per phase elsewhere, nothing when quiet.

A live line shows the phase, the seconds, the best plan so far, the proven bound and the gap between them,
with a bar that fills as the gap closes on its target (on a logarithmic scale, since that is how gaps close).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from tripoint.usecases.plan import ProgressState

_BAR_WIDTH = 20
_WIDEST_GAP = 1.0

Show = Callable[["ProgressState"], None]


@contextmanager
def progress_display(*, target_gap: float, is_quiet: bool, stream: TextIO | None = None) -> Iterator[Show]:
    """A function to call with each state; what it shows depends on where standard error goes."""
    target = stream or sys.stderr
    if is_quiet:
        yield _show_nothing
    elif target.isatty():
        with _live_display(target_gap, target) as show:
            yield show
    else:
        yield _phase_lines(target)


@contextmanager
def working_display(told: str) -> Iterator[None]:
    """A turning sign beside `told` on a terminal, for work whose end is not known; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False).status(told):
        yield


Count = Callable[[str, int, int], None]


@contextmanager
def counting_display(*, is_quiet: bool, stream: TextIO | None = None) -> Iterator[Count]:
    """A function to call with a phase, how much is done and how much there is (0 where nobody knows)."""
    target = stream or sys.stderr
    if is_quiet:
        yield lambda phase, done, of_all: None
    elif target.isatty():
        with _counting_bars(target) as count:
            yield count
    else:
        yield _counted_lines(target)


@contextmanager
def _counting_bars(stream: TextIO) -> Iterator[Count]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream, highlight=False), transient=True) as progress:
        task = progress.add_task("", total=None)

        def count(phase: str, done: int, of_all: int) -> None:
            progress.update(task, description=phase, completed=done, total=of_all or None)

        yield count


def _counted_lines(stream: TextIO) -> Count:
    """A line where a phase begins, and one at each tenth of it."""
    last: tuple[str, int] = ("", -1)

    def count(phase: str, done: int, of_all: int) -> None:
        nonlocal last
        now = (phase, done * 10 // of_all if of_all else 0)
        if now != last:
            last = now
            stream.write(f"{phase}: {done:,} of {of_all:,}\n" if of_all else f"{phase}\n")
            stream.flush()

    return count


def progress_line(state: ProgressState, target_gap: float) -> str:
    """One line of plain text for a state."""
    parts = [state.phase, f"{state.seconds:.1f} s"]
    if state.incumbent is not None:
        parts.append(f"best {_money(state.incumbent)}")
    if state.bound is not None:
        parts.append(f"bound {_money(state.bound)}")
    if state.gap is not None:
        bar = "█" * round(_BAR_WIDTH * closed_share(state.gap, target_gap))
        parts.append(f"gap {state.gap:.2%} {bar:░<{_BAR_WIDTH}}")
    return " · ".join(parts)


def closed_share(gap: float, target_gap: float) -> float:
    """How far a gap has closed from 100 % to its target, 0 to 1, on a logarithmic scale."""
    floor = max(target_gap, 1e-9)
    if gap <= floor:
        return 1.0
    return max(0.0, math.log(_WIDEST_GAP / gap) / math.log(_WIDEST_GAP / floor)) if gap < _WIDEST_GAP else 0.0


def _show_nothing(state: ProgressState) -> None:
    """Quiet runs show nothing."""


@contextmanager
def _live_display(target_gap: float, stream: TextIO) -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    with Live(console=console, transient=True, refresh_per_second=8) as live:
        yield lambda state: live.update(Text(progress_line(state, target_gap), no_wrap=True, overflow="crop"))


def _phase_lines(stream: TextIO) -> Show:
    last = ""

    def show(state: ProgressState) -> None:
        nonlocal last
        if state.phase != last:
            last = state.phase
            stream.write(f"{state.phase}\n")
            stream.flush()

    return show


def _money(usd: float) -> str:
    """USD in three significant steps: `$12.3M`, `$45.6k`, `$789`."""
    for size, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(usd) >= size:
            return f"${usd / size:,.2f}{suffix}"
    return f"${usd:,.0f}"
