"""Rich renderables as plain text: an answer is the same on a terminal, in a pipe and in a golden file."""

from __future__ import annotations

import io
import shutil

from rich.console import Console, RenderableType

WIDTH_WITHOUT_TERMINAL = 140


def plain_text(renderable: RenderableType, *, width: int | None = None) -> str:
    """The renderable as text of `width` columns: the terminal's, or 140 where there is none."""
    columns = width or shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
    stream = io.StringIO()
    console = Console(file=stream, width=columns, no_color=True, color_system=None, highlight=False, emoji=False)
    console.print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n")
