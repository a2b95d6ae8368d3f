"""What can be read of a document with mistakes of form: something stands in for each value that cannot.

So its other values can be asked whether they make sense, and all mistakes are told at once.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_origin

from pydantic import ValidationError

from tripoint.adapters.estate_yaml.document import Document
from tripoint.adapters.estate_yaml.schema import allowed_values, bare, hints, type_at, validator
from tripoint.domain.findings import STAND_IN

_T = TypeVar("_T")
_ROUNDS = 3
"""Readings before it is given up: one repairs everything, unless a repair brings a mistake to light."""
_HARMLESS = ("TP1009", "TP1013", "TP1014", "TP1101", "TP1102", "TP1103", "TP1104")
"""Mistakes that leave the rest of a document as it is: none that a file, or half of one, was lost by."""


def read_about(document: Document, kind: type[_T]) -> _T | None:
    """The document as `kind` with stand-ins at its mistakes; `None` where too much of it is missing."""
    if any(said.code not in _HARMLESS for said in document.findings):
        return None
    value: Any = copy.deepcopy(document.value)
    for _ in range(_ROUNDS):
        try:
            return validator(kind).validate_json(json.dumps([value], allow_nan=True))[0]
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                steps = tuple(step for step in detail["loc"][1:] if step != "[key]")
                if not steps:
                    return None
                _repair(value, steps, kind, is_known=detail["type"] != "unexpected_keyword_argument")
    return None


def _repair(value: Any, steps: Sequence[str | int], kind: type, *, is_known: bool) -> None:
    """Puts a stand-in at a place, or takes out a key that is not known there."""
    *above, last = steps
    for step in above:
        value = value[step]
    if is_known:
        value[last] = _stand_in(type_at(kind, steps))
    else:
        del value[last]


def _stand_in(expected: Any) -> object:
    """A value of that type, as JSON has it."""
    expected = bare(expected)
    if is_dataclass(expected):
        types = hints(expected)  # type: ignore[arg-type]  # `is_dataclass` admits instances too
        required = [each.name for each in fields(expected) if each.default is MISSING]
        return {name: _stand_in(types[name]) for name in required}
    if get_origin(expected) is tuple:
        return []
    if get_origin(expected) is dict:
        return {}
    allowed = allowed_values(expected)
    return allowed[0] if allowed else {str: STAND_IN, bool: False}.get(expected, 1)
