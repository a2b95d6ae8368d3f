"""Text that is drawn anew again and again, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


def redrawn(text: Callable[[], str], every_s: float) -> str:
    """Shows `text()` every so many seconds: in place on a terminal, one below the other elsewhere.

    Ctrl-C ends it; what a terminal showed last is then the answer, since its screen is put back.
    """
    shown = text()
    try:
        with _drawing() as draw:
            while True:
                draw(shown)
                time.sleep(every_s)
                shown = text()
    except KeyboardInterrupt:
        return shown if sys.stdout.isatty() else ""


@contextmanager
def _drawing() -> Iterator[Callable[[str], None]]:
    if not sys.stdout.isatty():
        yield lambda shown: click.echo(f"{shown}\n")
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(highlight=False), screen=True, auto_refresh=False) as live:
        yield lambda shown: live.update(Text(shown, no_wrap=True, overflow="ellipsis"), refresh=True)
