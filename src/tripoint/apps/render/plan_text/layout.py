"""Small pieces of the printed page: headings, tables, sentences; estate names are never read as markup."""

from __future__ import annotations

import io
import os
import shutil
import sys
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
Columns = tuple[tuple[str, str], ...]
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


def printed(parts: Iterable[RenderableType], *, width: int | None = None, is_coloured: bool | None = None) -> str:
    """The parts as text with an empty line after each; bold and coloured where a terminal shows it.

    `width` is in columns: where it is `None`, 100, or what the terminal has if that is less.
    """
    stream = io.StringIO()
    is_coloured = _shows_colour() if is_coloured is None else is_coloured
    width = width or min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    console = Console(
        file=stream, width=width, force_terminal=is_coloured, no_color=not is_coloured, highlight=False,
        color_system="standard" if is_coloured else None, legacy_windows=False, emoji=False,
    )  # fmt: skip
    for part in parts:
        console.print(part)
        console.print()
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()).strip("\n") + "\n"


def _shows_colour() -> bool:
    """Whether standard output is a terminal and `NO_COLOR` is not set to anything (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def titled(title: str, *body: RenderableType) -> Group:
    """A part of the page under its heading."""
    return Group(Text(title, style="bold"), *body)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows under headings: a table where it fits, else each row as a few lines, so that no figure is ever cut.

    Where room is short, headings go over two lines first, then cells break between words.
    """

    columns: Columns
    """(heading, kind) as `table` takes them."""
    rows: tuple[tuple[Text, ...], ...]
    """Cells, the first of a row names it, or the second after a number."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The widest form there is room for."""
        room = options.max_width - _GAP * (len(self.columns) - 1)
        tall = tuple((_on_two_lines(heading), kind) for heading, kind in self.columns)
        for columns in (self.columns, tall):
            folding = [kind == "f" for _, kind in columns]
            widths = self._widths(columns)
            if sum(min(width, _LEAST_FOLDED) if is_folding else width
                   for width, is_folding in zip(widths, folding, strict=True)) <= room:  # fmt: skip
                yield self._table(columns, [None] * len(columns), folding)
                return
        least = self._least(tall)
        if sum(least) <= room:
            yield self._table(tall, _narrowed(self._widths(tall), least, room), [True] * len(tall))
        else:
            yield self._list()

    def _widths(self, columns: Columns) -> list[int]:
        """Widths at which no cell breaks."""
        return [
            max([cell_len(line) for line in heading.split("\n")] + [row[place].cell_len for row in self.rows])
            for place, (heading, _) in enumerate(columns)
        ]

    def _least(self, columns: Columns) -> list[int]:
        """Widths at which no word breaks."""
        return [
            max(cell_len(word) for words in (heading, *(row[place].plain for row in self.rows))
                for word in words.split() or [""])
            for place, (heading, _) in enumerate(columns)
        ]  # fmt: skip

    def _table(self, columns: Columns, widths: Sequence[int | None], folding: Sequence[bool]) -> Table:
        found = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), collapse_padding=True)
        for (heading, kind), width, is_folding in zip(columns, widths, folding, strict=True):
            found.add_column(
                Text(heading), justify="right" if kind == "r" else "left", no_wrap=not is_folding, width=width,
                overflow="fold" if is_folding else "ellipsis",
            )  # fmt: skip
        for row in self.rows:
            found.add_row(*row)
        return found

    def _list(self) -> Group:
        return Group(*(part for row in self.rows for part in self._item(row)))

    def _item(self, row: tuple[Text, ...]) -> Iterator[RenderableType]:
        """A row by itself: what names it, then its other cells under their headings."""
        name = 1 if self.columns[0][0] == "#" else 0  # a number names nothing
        named = [
            Text.assemble(f"{heading}: " if heading else "", cell)
            for (heading, _), cell in zip(self.columns[name + 1 :], row[name + 1 :], strict=True)
            if cell.plain.strip() not in ("", "–", "-")
        ]
        yield row[name]
        if named:
            yield Padding(Text("; ").join(named), (0, 0, 0, 2))


def table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]]) -> Sheet:
    """A table without outer lines; a column is (heading, kind): `l` left, `r` right, `f` left and folding."""
    return Sheet(
        tuple(columns), tuple(tuple(cell if isinstance(cell, Text) else Text(cell) for cell in row) for row in rows)
    )


def _on_two_lines(heading: str) -> str:
    """A heading broken at the space that leaves the longer half shortest."""
    breaks = [place for place, letter in enumerate(heading) if letter == " "]
    if not breaks:
        return heading
    best = min(breaks, key=lambda place: max(place, len(heading) - place - 1))
    return f"{heading[:best]}\n{heading[best + 1 :]}"


def _narrowed(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit the room, the widest column giving way first and none below its least."""
    found = list(widths)
    while sum(found) > room:
        widest = max((place for place in range(len(found)) if found[place] > least[place]), key=lambda at: found[at])
        found[widest] -= 1
    return found


def lines(sentences: Iterable[str | Text]) -> Group:
    """Sentences, one under the other, the wrapped ones indented."""
    return Group(
        *(Padding(sentence if isinstance(sentence, Text) else Text(sentence), (0, 0, 0, 2)) for sentence in sentences)
    )


def more(shown: int, total: int) -> list[str]:
    """A last line that says how much was left out, if anything, and where it is."""
    return [f"... {total - shown:,} more in the report, or with `--full`"] if total > shown else []
