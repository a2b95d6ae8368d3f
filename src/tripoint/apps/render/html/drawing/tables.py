"""HTML tables that scroll inside their own box, so that the page never does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join, prose

Column = tuple[str, str]
"""(heading, kind).

Kinds are `l` words that do not break, `w` words that do, `p` sentences, `r` numbers, `q` numbers whose unit breaks.
"""

_CLASSES = {"r": "num", "p": "prose", "w": "wrap", "q": "num wrap"}

_BLANK = ("", "–", None)
"""What a cell holds that tells nothing."""


def table(columns: Sequence[Column], rows: Iterable[Sequence[Content]], caption: str = "") -> Markup:
    """A table with a row of headings; the first cell of each row heads the row.

    One with sentences in it becomes a list of its rows on phones, where a sentence would end beyond the screen.
    """
    is_list = any(kind == "p" for _, kind in columns)
    head = el("tr", [el("th", name, scope="col", class_=_CLASSES.get(kind)) for name, kind in columns])
    body = [el("tr", [_cell(index, columns, cell, is_list) for index, cell in enumerate(row)]) for row in rows]
    content = el("table", el("thead", head), el("tbody", body), class_="listed" if is_list else None)
    return scrolling(content, caption or _spoken(columns), caption)


def scrolling(content: Markup, spoken: str, caption: str = "") -> Markup:
    """Anything wide, in a box that scrolls by itself and can be reached by keyboard, under its caption."""
    box = el("div", content, class_="scroll", tabindex=0, role="region", aria_label=spoken)
    return join(el("p", caption, class_="caption") if caption else None, box)


def fallback(
    columns: Sequence[Column], rows: Iterable[Sequence[Content]], words: str = "The numbers as a table"
) -> Markup:
    """A table folded away under a picture."""
    return el("details", el("summary", words), table(columns, rows), class_="numbers")


def _cell(index: int, columns: Sequence[Column], cell: Content, is_list: bool) -> Markup:
    name, kind = columns[index] if index < len(columns) else ("", "l")
    content = prose(cell) if kind == "p" and isinstance(cell, str) and not isinstance(cell, Markup) else cell
    if index == 0:
        return el("th", content, scope="row", class_=_CLASSES.get(kind))
    classes = " ".join(filter(None, (_CLASSES.get(kind), "none" if is_list and content in _BLANK else "")))
    return el("td", content, class_=classes or None, data_label=name if is_list and name else None)


def _spoken(columns: Sequence[Column]) -> str:
    return f"table: {', '.join(name for name, _ in columns if name)}"
