"""Small pieces of the printed page: headings, tables, sentences; estate names are never read as markup."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDTH = 100
"""Columns of the page; fewer where the terminal has fewer."""
_LEAST_FOLDED = 12
"""Columns of a table that fold need so much room."""
_GAP = 2
"""Between two columns."""
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


def printed(parts: Iterable[RenderableType], *, width: int | None = None, is_coloured: bool = False) -> str:
    """The parts as text with an empty line after each; with terminal colours only where asked.

    `width` is in columns: where it is `None`, 100, or what the terminal has if that is less.
    """
    stream = io.StringIO()
    width = width or min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows under headings: a table where it fits, else each row as a few lines, so that no figure is ever cut."""

    columns: tuple[tuple[str, str], ...]
    """(heading, kind) as `table` takes them."""
    rows: tuple[tuple[Text, ...], ...]
    """Cells, the first of a row names it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The form there is room for."""
        widths = [
            max(cell_len(heading), *(row[place].cell_len for row in self.rows), 0)
            for place, (heading, _) in enumerate(self.columns)
        ]
        least = [
            min(width, _LEAST_FOLDED) if kind == "f" else width
            for width, (_, kind) in zip(widths, self.columns, strict=True)
        ]
        is_roomy = sum(least) + _GAP * (len(least) - 1) <= options.max_width
        yield self._table() if is_roomy else self._list()

    def _table(self) -> Table:
        found = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), collapse_padding=True)
        for heading, kind in self.columns:
            found.add_column(
                Text(heading), justify="right" if kind == "r" else "left", no_wrap=kind != "f",
                overflow="fold" if kind == "f" else "ellipsis",
            )  # fmt: skip
        for row in self.rows:
            found.add_row(*row)
        return found

    def _list(self) -> Group:
        return Group(*(part for row in self.rows for part in self._item(row)))

    def _item(self, row: tuple[Text, ...]) -> Iterator[RenderableType]:
        """A row by itself: what names it, then its other cells under their headings."""
        named = [
            Text.assemble(f"{heading}: " if heading else "", cell)
            for (heading, _), cell in zip(self.columns[1:], row[1:], strict=True)
            if cell.plain.strip() not in ("", "–")
        ]
        yield row[0]
        if named:
            yield Padding(Text("; ").join(named), (0, 0, 0, 2))


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]]) -> Sheet:
    """A table without outer lines; a column is (heading, kind): `l` left, `r` right, `f` left and folding."""
    return Sheet(
        tuple(columns), tuple(tuple(cell if isinstance(cell, Text) else Text(cell) for cell in row) for row in rows)
    )


def lines(sentences: Iterable[str | Text]) -> Group:
    """Sentences, one under the other, the wrapped ones indented."""
    return Group(
        *(Padding(sentence if isinstance(sentence, Text) else Text(sentence), (0, 0, 0, 2)) for sentence in sentences)
    )


def more(shown: int, total: int) -> list[str]:
    """A last line that says how much was left out, if anything, and where it is."""
    return [f"... {total - shown:,} more in the report, or with `--full`"] if total > shown else []
