"""Plain values to domain dataclasses, with every mistake told in the author's terms.

pydantic validates strictly (no text to number, no number to text) and collects all errors; the messages are
ours: what was found, what is expected, and the nearest known name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tripoint.adapters.estate_yaml.document import Document
from tripoint.adapters.estate_yaml.schema import allowed_values, bare, known_keys, type_at, validator
from tripoint.domain.errors import Finding
from tripoint.domain.estate import API_VERSION
from tripoint.domain.findings import clip, did_you_mean, finding, quoted
from tripoint.domain.source import Positions, join_path

_T = TypeVar("_T")
_MONTHS = ("start", "held_until", "ends")
"""Fields that hold a month, `YYYY-MM`."""
_WORDS = "write one of these values, spelled exactly so"
_FIGURES = "write it in figures"
_NO_LIMIT = ", or remove the key where it stands for no limit"


def decode(value: object, kind: type[_T]) -> tuple[_T | None, list[Finding]]:
    """The value as `kind`, or everything that keeps it from being one."""
    try:
        return validator(kind).validate_json(json.dumps([value], allow_nan=True))[0], []
    except ValidationError as error:
        details = error.errors(include_url=False)
    return None, _findings(details, kind)


def decode_document(document: Document, kind: type[_T]) -> _T | None:
    """What a document holds, or `None` when the document has findings; those of decoding are added at their places."""
    if not document.value and document.findings:
        return None
    positions = document.positions
    value, findings = decode(document.value, kind)
    document.findings += [_placed(positions, said) for said in findings]
    return None if document.findings else value


def _placed(positions: Positions, said: Finding) -> Finding:
    """Unknown keys are told at the key, everything else at the value."""
    place = positions.of_key(said.path) if said.code == "TP1101" else None
    return place.mark(said) if place else positions.locate(said)


def _findings(details: Iterable[ErrorDetails], kind: type) -> list[Finding]:
    found = [_finding(detail, kind) for detail in details]
    version = [said for said in found if said.code == "TP1012" and "found" in said.message]
    return version or found


def _finding(detail: ErrorDetails, kind: type) -> Finding:
    steps = tuple(step for step in detail["loc"][1:] if step != "[key]")
    path = _path(steps)
    if path == "apiVersion":
        return _version(detail, allowed_values(type_at(kind, steps)))
    if detail["type"] == "missing":
        return _missing(path, kind, steps)
    if detail["type"] == "unexpected_keyword_argument":
        return _unknown_key(path, kind, steps)
    if detail["type"] == "finite_number":
        message = f"expects a finite number, found {_number(detail['input'])}"
        is_endless = isinstance(detail["input"], float) and math.isinf(detail["input"])
        return finding("TP1014", path, message, f"write a finite number{_NO_LIMIT if is_endless else ''}")
    expected = type_at(kind, steps)
    allowed = allowed_values(expected)
    if allowed and isinstance(detail["input"], str):
        return _not_allowed(path, detail["input"], allowed)
    return _wrong_type(path, expected, detail["input"])


def _path(steps: Sequence[str | int]) -> str:
    path = ""
    for step in steps:
        path = join_path(path, step)
    return path


def _version(detail: ErrorDetails, known: Sequence[str]) -> Finding:
    wanted = known[0] if known else API_VERSION
    hint = f"start the file with `apiVersion: {wanted}`"
    if detail["type"] == "missing":
        return finding("TP1012", "apiVersion", "the key `apiVersion` is missing", hint)
    found = describe(detail["input"])
    message = f"expects `{wanted}`, the only version this release reads, found {found}"
    return finding("TP1012", "apiVersion", message, hint)


def _missing(path: str, kind: type, steps: Sequence[str | int]) -> Finding:
    expected = type_at(kind, steps)
    message = f"the key `{steps[-1]}` is missing; it expects {expectation(expected)}"
    allowed = allowed_values(expected)
    example = f"`{steps[-1]}: {allowed[0]}`, or another of these values" if allowed else f"`{steps[-1]}: ...`"
    return finding("TP1102", path, message, f"add {example}")


def _unknown_key(path: str, kind: type, steps: Sequence[str | int]) -> Finding:
    known = known_keys(type_at(kind, steps[:-1]))
    key = str(steps[-1])
    hint = did_you_mean(key, known) or f"known keys here: {quoted(known)}"
    return finding("TP1101", path, f"the key `{clip(key)}` is not known here", hint)


def _not_allowed(path: str, text: str, allowed: Sequence[str]) -> Finding:
    message = f"expects one of {quoted(allowed)}, found `{clip(text)}`"
    return finding("TP1104", path, message, did_you_mean(text, allowed) or _WORDS)


def _wrong_type(path: str, expected: Any, found: object) -> Finding:
    message = f"expects {expectation(expected)}, found {describe(found)}"
    return finding("TP1103", path, message, _month_hint(path, found) or _type_hint(bare(expected), found))


def _month_hint(path: str, found: object) -> str:
    """A bare year where a month is wanted: quotes would not make it one."""
    is_month = path.rpartition(".")[2] in _MONTHS
    is_year = isinstance(found, int) and not isinstance(found, bool) and 1900 <= found <= 2199
    return f"name the month as well: `{found}-01`" if is_month and is_year else ""


def _type_hint(expected: Any, found: object) -> str:
    if isinstance(found, bool) and (expected is str or allowed_values(expected)):
        return "put it in quotes if you mean the word: YAML reads a bare `true` or `false` as a yes or no"
    if expected is str and isinstance(found, (int, float)):
        return "put it in quotes"
    if expected is bool and isinstance(found, str):
        return "write `true` or `false`, without quotes"
    if expected in (int, float) and isinstance(found, str):
        return _number_hint(found)
    if get_origin(expected) is tuple and found is None:
        return "remove the key, or write `[]`"
    if get_origin(expected) is tuple:
        return "write it as a list: `[...]`, or one line per item starting with `- `"
    return "remove the key to leave it undeclared" if found is None else _form(expected)


def _form(expected: Any) -> str:
    """How a value of that type is written, where what was found gives nothing to go by."""
    if allowed_values(expected):
        return _WORDS
    if expected in (str, int, float, bool):
        return f"write {expectation(expected)}{'' if expected is str else ', without quotes'}"
    return "write it as a mapping: `{key: value}`, or one `key: value` per line, indented below it"


def _number_hint(text: str) -> str:
    squeezed = text.replace("_", "").replace(",", "").replace(" ", "")
    try:
        number = float(squeezed)
    except ValueError:
        return _share_hint(squeezed) or ("write the number alone, without its unit" if text[:1].isdigit() else _FIGURES)
    return f"write `{squeezed}`, without quotes" if math.isfinite(number) else _FIGURES


def _share_hint(text: str) -> str:
    """`40%` is `0.4`: shares and growth are fractions everywhere in an estate."""
    try:
        share = float(text.removesuffix("%")) / 100 if text.endswith("%") else math.inf
    except ValueError:
        return ""
    return f"write the fraction `{share:g}`" if math.isfinite(share) else ""


def expectation(kind: Any) -> str:
    """What a type expects, in words."""
    kind = bare(kind)
    if kind is None:
        return "no such value"
    if is_dataclass(kind):
        return f"a mapping with keys such as {quoted(known_keys(kind)[:3])}"
    if get_origin(kind) is tuple:
        return f"a list, each item {expectation(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"a mapping, each value {expectation(get_args(kind)[1])}"
    allowed = allowed_values(kind)
    if allowed:
        return f"one of {quoted(allowed)}"
    return {str: "text", int: "a whole number", float: "a number", bool: "`true` or `false`"}[kind]


def describe(found: object) -> str:
    """What was found, in words, short."""
    if found is None:
        return "nothing"
    if isinstance(found, bool):
        return f"`{str(found).lower()}`"
    if isinstance(found, str):
        return f"the text `{clip(found)}`" if found.strip() else "empty text"
    if isinstance(found, (int, float)):
        return f"the number {_number(found)}"
    sort = "list" if isinstance(found, list) else "mapping"
    size = len(found) if isinstance(found, (list, dict)) else 0
    return f"a {sort} of {size}" if size else f"an empty {sort}"


def _number(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "`.nan`" if math.isnan(value) else "infinity (`.inf`, or a number beyond 1e308)"
    shown = f"{value:g}" if isinstance(value, float) and not value.is_integer() else clip(str(value))
    return f"`{shown}`"
