"""Demand profiles as JSON (schema `tripoint/demand/v1`): written by `tripoint demand fit`, read by estates.

Reading checks shape and values and gives all findings with their paths; unknown keys are refused with the
nearest known one, so a hand-edited profile cannot lose a figure silently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields, replace
from functools import cache
from itertools import pairwise
from math import isclose, isfinite
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tripoint.adapters.atomic_file import read_text, write_text
from tripoint.domain.demand import PROFILE_SCHEMA, CurveBlock, DemandProfile, Distribution
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.findings import did_you_mean, finding
from tripoint.domain.units import HOURS_PER_WEEK

KINDS = ("requests", "gpu_jobs")
REFIT = "write it again with `tripoint demand fit FILE --out PROFILE`"
LARGEST = 1e18
"""No figure of a profile is larger; a whole number may be too large to be printed."""
Findings = Iterator[Finding]


def profile_to_json(profile: DemandProfile) -> str:
    """The profile as one JSON document ending in a newline; equal profiles give equal text."""
    return json.dumps(asdict(profile), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def profile_from_json(text: str, source: str) -> DemandProfile:
    """The profile a document holds; raises `EstateError` with every finding, each naming `source` and the
    path.
    """
    content = _parsed(text, source)
    _refuse([*_schema_findings(content)], source)
    _refuse([*_key_findings(content)], source)
    try:
        profile = _adapter().validate_python(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        said = [finding("TP1153", _path(problem["loc"]), _lowered(str(problem["msg"])), REFIT) for problem in problems]
        _refuse(said, source, error)
        raise
    _refuse([*_value_findings(profile)], source)
    return profile


def write_profile(path: Path, profile: DemandProfile) -> None:
    """Write the profile whole or not at all; raises `FileError`."""
    write_text(path, profile_to_json(profile))


def read_profile(path: Path) -> DemandProfile:
    """Read a profile; raises `FileError` or `EstateError`."""
    return profile_from_json(read_text(path), str(path))


@cache
def _adapter() -> TypeAdapter[DemandProfile]:
    return TypeAdapter(DemandProfile)


def _parsed(text: str, source: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        said = finding("TP1152", "", f"not a JSON document: {error.msg} at column {error.colno}", REFIT)
        raise EstateError((replace(said, file=source, line=error.lineno, column=error.colno),)) from error
    except (RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        _refuse([finding("TP1152", "", f"not a demand profile: {reason}", REFIT)], source, error)
        raise


def _no_constant(name: str) -> float:
    raise ValueError(f"it holds `{name}`, which is not a number")


def _refuse(said: list[Finding], source: str, cause: Exception | None = None) -> None:
    """Raise `EstateError` when there is anything to say, every finding naming the source."""
    if said:
        raise EstateError(tuple(replace(each, file=source) for each in said)) from cause


def _schema_findings(content: Any) -> Findings:
    if not isinstance(content, dict):
        yield finding("TP1153", "", "the document is not one JSON object", REFIT)
        return
    found = content.get("schema")
    if found != PROFILE_SCHEMA:
        shown = f"found `{str(found)[:60]}`" if found is not None else "found none"
        yield finding("TP1153", "schema", f"schema `{PROFILE_SCHEMA}` expected, {shown}", REFIT)


def _key_findings(content: dict[str, Any]) -> Findings:
    """Unknown keys of the document and of its parts."""
    yield from _unknown(content, DemandProfile, "")
    for name in ("input_tokens", "output_tokens", "job_hours"):
        yield from _unknown(content.get(name), Distribution, f"{name}.")
    curve = content.get("curve")
    for at, block in enumerate(curve if isinstance(curve, list) else ()):
        yield from _unknown(block, CurveBlock, f"curve[{at}].")


def _unknown(part: Any, words: type[Any], prefix: str) -> Findings:
    known = [each.name for each in fields(words)]
    for key in part if isinstance(part, dict) else ():
        if key not in known:
            yield finding("TP1101", f"{prefix}{key}", f"unknown key `{str(key)[:60]}`", did_you_mean(key, known))


def _value_findings(profile: DemandProfile) -> Findings:
    """What the types do not say."""
    if profile.kind not in KINDS:
        yield finding("TP1104", "kind", f"`{profile.kind[:60]}` is not one of {', '.join(KINDS)}", REFIT)
    yield from _range_findings(profile)
    for name in ("input_tokens", "output_tokens", "job_hours"):
        yield from _distribution_findings(name, getattr(profile, name))
    yield from _curve_findings(profile.curve)
    yield from _shape_findings(profile.hour_of_week)


def _range_findings(profile: DemandProfile) -> Findings:
    rules: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        ("window_s", lambda value: value > 0, "above 0 s"),
        ("rows", lambda value: value >= 0, "0 or more"),
        ("requests_per_s", lambda value: value >= 0, "0 per second or more"),
        ("burstiness_cv", lambda value: value >= 0, "0 or more"),
        ("peak_to_mean", lambda value: value >= 1, "1 or more"),
        ("cacheable_share", lambda value: 0 <= value <= 1, "from 0 to 1"),
        ("tenants", lambda value: value >= 0, "0 or more"),
        ("gpu_hours", lambda value: value >= 0, "0 h or more"),
        ("gang_gpus", lambda value: value >= 1, "1 GPU or more"),
    )
    for name, is_sound, wanted in rules:
        value = getattr(profile, name)
        if value is None or (abs(value) < LARGEST and is_sound(value)):
            continue
        shown = f"{value:g}" if abs(value) < LARGEST else "not a usable number"
        yield finding("TP1302", name, f"`{name}` is {shown}, {wanted} expected", REFIT)


def _distribution_findings(name: str, said: Distribution | None) -> Findings:
    if said is None:
        return
    figures = (said.p50, said.p95, said.p99)
    if not all(isfinite(value) and value >= 0 for value in (said.mean, *figures)):
        yield finding("TP1302", name, f"`{name}` holds a figure below 0 or not finite", REFIT)
    elif list(figures) != sorted(figures):
        shown = ", ".join(f"{value:g}" for value in figures)
        yield finding("TP1302", name, f"p50, p95 and p99 of `{name}` are {shown}, ascending expected", REFIT)


def _curve_findings(curve: tuple[CurveBlock, ...]) -> Findings:
    if not curve:
        return
    if not all(isfinite(block.level) and block.level >= 0 and 0 < block.weight <= 1 + 1e-9 for block in curve):
        yield finding("TP1302", "curve", "a block has a weight outside 0 to 1 or a level below 0", REFIT)
        return
    total = sum(block.weight for block in curve)
    mean = sum(block.weight * block.level for block in curve)
    if not isclose(total, 1.0, abs_tol=1e-6):
        yield finding("TP1303", "curve", f"weights sum to {total:.6g}, 1 expected", REFIT)
    if not isclose(mean, 1.0, abs_tol=1e-3):
        yield finding("TP1302", "curve", f"the weighted mean level is {mean:.6g}, 1 expected", REFIT)
    if any(later.level > earlier.level for earlier, later in pairwise(curve)):
        yield finding("TP1302", "curve", "levels rise from one block to the next, the busiest first expected", REFIT)


def _shape_findings(shape: tuple[float, ...] | None) -> Findings:
    if shape is None:
        return
    if len(shape) != HOURS_PER_WEEK:
        yield finding("TP1316", "hour_of_week", f"{len(shape)} hours given, {HOURS_PER_WEEK} expected", REFIT)
    elif not all(isfinite(value) and value >= 0 for value in shape) or sum(shape) <= 0:
        yield finding("TP1302", "hour_of_week", "a weight is below 0 or not finite, or all are 0", REFIT)


def _path(place: tuple[int | str, ...]) -> str:
    """`curve[2].level`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]
