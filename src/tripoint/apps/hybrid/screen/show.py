"""Where views go: a dashboard on a terminal, lines of text elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tripoint.apps.hybrid.screen.plain import PlainLines
from tripoint.apps.hybrid.screen.view import View

Show = Callable[[View], None]


@contextmanager
def shown(is_dashboard: bool, stream: TextIO) -> Iterator[Show]:
    """A function to call with each view."""
    if not (is_dashboard and stream.isatty()):
        yield PlainLines(stream).show
        return
    from rich.console import Console
    from rich.live import Live

    from tripoint.apps.hybrid.screen.dashboard import dashboard

    console = Console(file=stream, highlight=False)
    with Live(console=console, screen=True, auto_refresh=False) as live:

        def show(view: View) -> None:
            live.update(dashboard(view, width=console.width, height=console.height), refresh=True)

        yield show
