"""JSON in one spelling only, as RFC 8785 has it: sorted names, no spaces, numbers as ECMAScript writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

_EXACT = 2**53
_WRITTEN = json.JSONEncoder(ensure_ascii=False).encode
_PLAIN_UP_TO = 21
_PLAIN_FROM = -6


def canonical(value: object) -> str:
    """The one text of a value of plain JSON types.

    Raises `ValueError` for what JSON cannot hold: other types, numbers that are not finite, whole numbers beyond
    2**53 (a reader that takes them for floats would see another number), lone surrogates.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            if abs(value) > _EXACT:
                raise ValueError(f"{value} is beyond 2**53: write it as text")
            return str(value)
        case float():
            return _number(value)
        case str():
            return _text(value)
        case Mapping():
            names = sorted(_names(value), key=lambda name: name.encode("utf-16-be", "surrogatepass"))
            return "{" + ",".join(f"{_text(name)}:{canonical(value[name])}" for name in names) + "}"
        case Sequence() if not isinstance(value, (bytes, bytearray)):
            return "[" + ",".join(canonical(each) for each in value) + "]"
        case _:
            raise ValueError(f"{type(value).__name__} is no type of JSON")


def _names(value: Mapping[object, object]) -> list[str]:
    names = [name for name in value if isinstance(name, str)]
    if len(names) != len(value):
        raise ValueError("a name in JSON is text")
    return names


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("a lone surrogate is no text") from error
    return _WRITTEN(value)


def _number(value: float) -> str:
    """The shortest digits that read back as the same number, laid out as ECMAScript does (7.1.12.1)."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    if value == 0:
        return "0"
    plain = repr(value)
    if "e" not in plain:  # Python's shortest digits are the same, and without an exponent so is their layout
        return plain.removesuffix(".0")
    sign, figures, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # finite, so a number
    digits = "".join(str(figure) for figure in figures)
    point = len(digits) + exponent  # the decimal point stands after so many digits
    if len(digits) <= point <= _PLAIN_UP_TO:
        text = digits.ljust(point, "0")
    elif 0 < point <= _PLAIN_UP_TO:
        text = f"{digits[:point]}.{digits[point:]}"
    elif _PLAIN_FROM < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{text}" if sign else text
