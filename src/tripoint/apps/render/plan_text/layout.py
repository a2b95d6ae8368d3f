"""Small pieces of the printed page: headings, tables, sentences; estate names are never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NOTHING = Group()
"""A part that is left out."""


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


def more(shown: int, total: int, where: str) -> list[str]:
    """A last line that says how much was left out, if anything."""
    return [f"... {total - shown} more in {where}"] if total > shown else []
