"""Reads a LiteLLM price map, `model_prices_and_context_window.json`, entry by entry; numbers stay as written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tripoint.domain.errors import FileError
from tripoint.domain.quote import MapEntry

_HINT: Final = "name a `model_prices_and_context_window.json` of LiteLLM"


def read_price_map(path: Path) -> Iterator[MapEntry]:
    """The entries of the map in their order, repeated ones too.

    Raises `FileError` with line and column where the file cannot be read or is no such map.
    """
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=tuple, parse_float=str, parse_int=str)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"cannot read `{path}`: {reason}", hint="check the path and your rights to it") from error
    except json.JSONDecodeError as error:
        message = f"`{path}` line {error.lineno:,}, column {error.colno:,} is not JSON: {error.msg}"
        raise FileError(message, hint=_HINT) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise FileError(f"`{path}` is not JSON: {error}", hint=_HINT) from error
    if not isinstance(content, tuple):
        raise FileError(f"`{path}` is not a price map: it holds no object of models", hint=_HINT)
    seen: set[str] = set()
    for place, (name, value) in enumerate(content, 1):
        yield MapEntry(place, name, _fields(value), name in seen)
        seen.add(name)


def _fields(value: Any) -> dict[str, str] | None:
    """Single values as text; an object comes as pairs, and nested ones say nothing about tokens."""
    if not isinstance(value, tuple):
        return None
    return {name: each if isinstance(each, str) else str(each) for name, each in value if _is_single(each)}


def _is_single(value: Any) -> bool:
    return isinstance(value, (str, bool))
