"""The estate's types as pydantic reads them: validator, what stands at a path, JSON Schema for editors."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter

from tripoint.domain.estate import Estate

SCHEMA_ID = "urn:tripoint:estate:v1"
_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)
# Docstrings are parsed from the source files, a tenth of the time of a check: only editors need them.
_DESCRIBED = ConfigDict(use_attribute_docstrings=True, **_CONFIG)
_T = TypeVar("_T")


@cache
def _validator(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(list[kind], config=_CONFIG)  # type: ignore[valid-type]  # a list type made at run time


def validator(kind: type[_T]) -> TypeAdapter[list[_T]]:
    """Validator of a list of `kind`; the list carries our strictness down to plain dataclasses."""
    return _validator(kind)  # type: ignore[arg-type]  # a dataclass type is hashable


@cache
def hints(kind: type) -> Mapping[str, Any]:
    """Field name to resolved type."""
    return get_type_hints(kind)


def bare(annotation: Any) -> Any:
    """The type without `| None` and without `NewType`."""
    if isinstance(annotation, NewType):
        return bare(annotation.__supertype__)
    if get_origin(annotation) in (types.UnionType, Union):
        options = [option for option in get_args(annotation) if option is not type(None)]
        return bare(options[0])
    return annotation


def type_at(kind: Any, steps: Sequence[str | int]) -> Any:
    """Type that stands at a path below `kind`; `None` where the path leaves the schema."""
    current = bare(kind)
    for step in steps:
        if is_dataclass(current) and isinstance(step, str):
            current = bare(hints(current).get(step))  # type: ignore[arg-type]  # `is_dataclass` admits instances too
        elif get_origin(current) is tuple and isinstance(step, int):
            current = bare(get_args(current)[0])
        elif get_origin(current) is dict:
            current = bare(get_args(current)[1])
        else:
            return None
    return current


def known_keys(kind: Any) -> tuple[str, ...]:
    """Keys a mapping of this type may have."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()


def allowed_values(kind: Any) -> tuple[str, ...]:
    """Values an enumeration or literal may have."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return tuple(member.value for member in kind)
    return tuple(str(value) for value in get_args(kind)) if get_origin(kind) is Literal else ()


def estate_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of an estate file, with every field's description, for editors."""
    return schema_of(Estate, SCHEMA_ID, "tripoint estate")


def schema_of(kind: type, name: str, title: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of a file whose whole is a `kind`, with every field's description."""
    listed = TypeAdapter(list[kind], config=_DESCRIBED).json_schema()  # type: ignore[valid-type]  # made at run time
    definitions: dict[str, Any] = listed["$defs"]
    whole = definitions.pop(kind.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": name,
        **whole,
        "title": title,
        "$defs": definitions,
    }
