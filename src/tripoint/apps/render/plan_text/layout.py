"""Small pieces of the printed page: headings, tables, sentences; estate names are never read as markup."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDTH = 100
NOTHING = Group()
"""A part that is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Most rows of each part, so that the whole answer is read in two screens; the report always has all."""

    workloads: int = 24
    """Dearest workloads with their homes."""
    reasons: int = 6
    """Dearest workloads with what holds them there."""
    decisions: int = 8
    """First things to do."""
    limits: int = 6
    """First limits reached."""
    thresholds: int = 8
    """Break-even points of workloads, and half as many of pools."""
    assumptions: int = 4
    """Figures most money rests on."""


BRIEF = Rows()
"""What fits two screens."""
_ALL = 10**9
FULL = Rows(workloads=_ALL, reasons=_ALL, decisions=_ALL, limits=_ALL, thresholds=_ALL, assumptions=_ALL)
"""Everything."""


def printed(parts: Iterable[RenderableType], *, width: int = WIDTH, is_coloured: bool = False) -> str:
    """The parts as text with an empty line after each; with terminal colours only where asked."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=is_coloured, no_color=not is_coloured, highlight=False,
        color_system="standard" if is_coloured else None, legacy_windows=False, emoji=False,
    )  # fmt: skip
    for part in parts:
        console.print(part)
        console.print()
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


def titled(title: str, *body: RenderableType) -> Group:
    """A part of the page under its heading."""
    return Group(Text(title, style="bold"), *body)


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]]) -> Table:
    """A table without outer lines; a column is (heading, kind): `l` left, `r` right, `f` left and folding."""
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), collapse_padding=True)
    for heading, kind in columns:
        found.add_column(
            Text(heading), justify="right" if kind == "r" else "left", no_wrap=kind != "f",
            overflow="fold" if kind == "f" else "ellipsis",
        )  # fmt: skip
    for row in rows:
        found.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return found


def lines(sentences: Iterable[str | Text]) -> Group:
    """Sentences, one under the other, the wrapped ones indented."""
    return Group(
        *(Padding(sentence if isinstance(sentence, Text) else Text(sentence), (0, 0, 0, 2)) for sentence in sentences)
    )


def more(shown: int, total: int) -> list[str]:
    """A last line that says how much was left out, if anything, and where it is."""
    return [f"... {total - shown:,} more in the report, or with `--full`"] if total > shown else []
