"""HTML tables that scroll inside their own box, so that the page never does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tripoint.apps.render.html.markup import Content, Markup, el

Column = tuple[str, str]
"""(heading, kind): `l` words, `r` numbers."""


def table(columns: Sequence[Column], rows: Iterable[Sequence[Content]], caption: str = "") -> Markup:
    """A table with a row of headings; the first cell of each row heads the row."""
    head = el("tr", [el("th", name, scope="col", class_=_class(kind)) for name, kind in columns])
    body = [el("tr", [_cell(index, columns, cell) for index, cell in enumerate(row)]) for row in rows]
    title = el("caption", caption) if caption else None
    return el(
        "div",
        el("table", title, el("thead", head), el("tbody", body)),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label=caption or f"table: {', '.join(name for name, _ in columns if name)}",
    )


def fallback(
    columns: Sequence[Column], rows: Iterable[Sequence[Content]], words: str = "The numbers as a table"
) -> Markup:
    """A table folded away under a picture."""
    return el("details", el("summary", words), table(columns, rows), class_="numbers")


def _cell(index: int, columns: Sequence[Column], cell: Content) -> Markup:
    kind = columns[index][1] if index < len(columns) else "l"
    if index == 0:
        return el("th", cell, scope="row", class_=_class(kind))
    return el("td", cell, class_=_class(kind))


def _class(kind: str) -> str | None:
    return "num" if kind == "r" else None
