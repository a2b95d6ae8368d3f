"""One CSV cell to one typed value: what each column type of the catalogue accepts.

A converter raises `CellError` with what it needed; the row reader adds column, file and line.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from types import UnionType
from typing import Any, NewType, get_args

Converter = Callable[[str], Any]

LIST_SEPARATOR = ";"


class CellError(ValueError):
    """A cell that does not hold what its column needs; the text says what is needed."""


def text(cell: str) -> str:
    """The cell as it stands; a required text may not be empty."""
    if not cell:
        raise CellError("some text")
    return cell


def number(cell: str) -> float:
    """A finite number."""
    try:
        value = float(cell)
    except ValueError:
        raise CellError("a number") from None
    if not math.isfinite(value):
        raise CellError("a finite number")
    return value


def whole(cell: str) -> int:
    """A whole number."""
    try:
        return int(cell)
    except ValueError:
        raise CellError("a whole number") from None


def names(cell: str) -> tuple[str, ...]:
    """Names separated by `;`; none for an empty cell."""
    if not cell:
        return ()
    found = tuple(cell.split(LIST_SEPARATOR))
    if not all(found):
        raise CellError("names separated by single `;`")
    return found


def optional(inner: Converter) -> Converter:
    """The inner value, or `None` for an empty cell."""
    return lambda cell: inner(cell) if cell else None


def choice(kind: type[StrEnum]) -> Converter:
    """One of the values of an enumeration."""
    by_value = {member.value: member for member in kind}

    def convert(cell: str) -> StrEnum:
        if cell not in by_value:
            raise CellError("one of " + ", ".join(f"`{value}`" for value in by_value))
        return by_value[cell]

    return convert


def converter_for(hint: Any) -> Converter:
    """The converter of a dataclass field's type."""
    if isinstance(hint, NewType):
        return converter_for(hint.__supertype__)
    if isinstance(hint, UnionType):
        inner = [part for part in get_args(hint) if part is not type(None)]
        return optional(converter_for(inner[0]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return choice(hint)
    plain: dict[Any, Converter] = {str: text, float: number, int: whole, tuple[str, ...]: names}
    return plain[hint]
