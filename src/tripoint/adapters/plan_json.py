"""Plans as JSON: an exact round trip, and the JSON Schema of the file.

Floats are written in the shortest form that reads back to the same bits, so a plan read back equals the one
written; an infinite limit is the string `"Infinity"`, since JSON has no such number. Reading is forward
compatible within one schema version: fields a later tripoint added are ignored, fields an older file lacks take
their defaults. Another version, or another kind of file, is refused with the place and what was found.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from tripoint.adapters.plan_figures import impossible_figures
from tripoint.domain.decision import Placement, PoolState, Purchase, StandbyDecision
from tripoint.domain.errors import EstateError, Finding, OptionError, Severity
from tripoint.domain.findings import clip, did_you_mean, quoted
from tripoint.domain.plan import PLAN_SCHEMA, Plan

SCHEMA_ID = "urn:tripoint:plan:v1"
NOT_JSON = "TP1901"
NOT_A_PLAN = "TP1902"
OTHER_VERSION = "TP1903"
FIELD_REFUSED = "TP1904"

_FAMILY = PLAN_SCHEMA.rsplit("/", 1)[0] + "/"
_SHOWN_PROBLEMS = 50
_MISSING = ("missing", "missing_keyword_only_argument")
_MOST_MISSING = 3
"""Missing fields told one by one; more are one finding."""
_API = "api"
_SAME = 1e-9
"""Relative difference of totals that is rounding."""
_CENT = 0.01
_PLACED = ("charges", "placements", "pools", "standby", "transfers")
_NAMED = ("placements", "standby", "pools", "purchases", "expansions", "copies", "charges")
_IN_POOLS = (Placement, StandbyDecision, Purchase, PoolState)
_REPLAN = "write the plan again with `tripoint plan --out DIR`"


def plan_file(path: Path) -> Path:
    """The file of the plan at a path: itself, or `plan.json` in a folder.

    Raises `OptionError` for a folder that is there and holds none.
    """
    if not path.is_dir():
        return path
    file = path / "plan.json"
    if not file.exists():
        raise OptionError(f"there is no `plan.json` in `{path}`", hint=_REPLAN)
    return file


def plan_to_json(plan: Plan) -> str:
    """The plan as one JSON document, ending in a newline."""
    content = _adapter().dump_python(plan, mode="json")
    try:
        return _dump(content)
    except ValueError:
        return _dump(_spelled_out(content))


def plan_from_json(text: str, *, file: str = "plan.json") -> Plan:
    """The plan a JSON document holds.

    Raises `EstateError` with findings (`TP1901` to `TP1904`) placed by `file`, line and path of the field.
    """
    content = _parse(text, file)
    _check_schema(content, file)
    try:
        found = _adapter().validate_python(content)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise EstateError(_field_findings(problems, file)) from error
    misplaced = (*_misplaced(found, file), *_unnamed(found, file))
    # Where rows are of no period or of nobody, sums tell nothing more.
    wrong = misplaced or (*_impossible(found, file), *_unequal(found, file))
    if wrong:
        raise EstateError(wrong[:_SHOWN_PROBLEMS])
    return found


def plan_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `plan.json`, every field with its description."""
    # The list is what carries the setting down to plain dataclasses; it is taken off again.
    listed = TypeAdapter(list[Plan], config=ConfigDict(use_attribute_docstrings=True)).json_schema()
    schema = listed["$defs"].pop("Plan")
    schema["properties"]["schema"]["const"] = PLAN_SCHEMA
    header = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    return {**header, **schema, "$defs": listed["$defs"]}


@cache
def _adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)


def _dump(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _spelled_out(content: Any) -> Any:
    """The same content with numbers JSON lacks as strings, which the reader turns back into floats."""
    if isinstance(content, dict):
        return {key: _spelled_out(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_spelled_out(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return "NaN" if math.isnan(content) else "Infinity" if content > 0 else "-Infinity"
    return content


def _parse(text: str, file: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except _NotANumberError as error:
        message = f"not a JSON document: it holds `{error}`, which is not a number"
        finding = _finding(NOT_JSON, "", message, _REPLAN, file)
        raise EstateError((finding,)) from error
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        cause = f"the file ends in the middle of a value, after {len(text)} characters" if is_cut else error.msg
        finding = _finding(NOT_JSON, "", f"not a JSON document: {cause}", _REPLAN, file)
        raise EstateError((replace(finding, line=error.lineno, column=error.colno),)) from error
    except RecursionError as error:
        message = "nested deeper than any plan is"
        raise EstateError((_finding(NOT_A_PLAN, "", message, "name a plan.json written by tripoint", file),)) from error


class _NotANumberError(ValueError):
    """A word such as `NaN` where JSON has numbers."""


def _no_constant(word: str) -> float:
    raise _NotANumberError(word)


def _misplaced(plan: Plan, file: str) -> Iterator[Finding]:
    """Rows that speak of a period or a block the plan has not."""
    sizes = {"period": len(plan.periods), "block": len(plan.blocks)}
    for part in _PLACED:
        for index, row in enumerate(getattr(plan, part)):
            for axis, size in sizes.items():
                at = getattr(row, axis, 0)
                if not 0 <= at < max(size, 1):
                    message = f"is {axis} {at}, the plan has {size} {axis}s, counted from 0"
                    yield _finding(FIELD_REFUSED, f"{part}[{index}].{axis}", message, _REPLAN, file)


def _impossible(plan: Plan, file: str) -> Iterator[Finding]:
    """Figures that no plan can have."""
    for path, message in impossible_figures(plan):
        yield _finding(FIELD_REFUSED, path, message, _REPLAN, file)


def _unnamed(plan: Plan, file: str) -> Iterator[Finding]:
    """Rows of a workload, a site or a pool the plan does not list; each wrong name once, where it comes first."""
    pools = {each.pool for each in plan.pools}
    known = {"workload": {each.id for each in plan.workloads}, "site": {each.id for each in plan.sites}}
    told: set[tuple[str, str]] = set()
    # An estate without sites has no statement, and nothing but placements to be held to names.
    for part in _NAMED if plan.sites else _NAMED[:1]:
        for index, row in enumerate(getattr(plan, part)):
            # A charge without a workload is one that several share.
            names = {field: name for field in known if (name := getattr(row, field, None)) is not None}
            wrong = [field for field, name in names.items() if name not in known[field]]
            if "site" not in wrong and isinstance(row, _IN_POOLS) and not _has_pool(row, pools):
                wrong.append("pool")
            for field in wrong:
                name = getattr(row, field)
                if (field, name) not in told:
                    told.add((field, name))
                    there = known.get(field) or {each for each in pools if each.startswith(f"{row.site}/")}
                    yield _unknown(f"{part}[{index}].{field}", name, f" of `{row.site}`", sorted(there), file)


def _unknown(path: str, name: str, where: str, names: list[str], file: str) -> Finding:
    field = path.rpartition(".")[2]
    near = did_you_mean(name, names) or f"known: {quoted(names) if names else 'none'}"
    message = f"is `{clip(name)}`, the plan has no such {field}{where if field == 'pool' else ''}"
    return _finding(FIELD_REFUSED, path, message, f"{near}; {_REPLAN}", file)


def _has_pool(row: Placement | StandbyDecision | Purchase | PoolState, pools: Collection[str]) -> bool:
    """Whether the pool is one of the row's site; of a token API the plan lists no nodes."""
    holds_none = row.lane == _API if isinstance(row, Placement) else isinstance(row, StandbyDecision) and not row.nodes
    return row.pool.startswith(f"{row.site}/") and (holds_none or row.pool in pools)


def _unequal(plan: Plan, file: str) -> Iterator[Finding]:
    """Totals that are not the sum of the statement's rows, to the cent."""
    if not plan.sites:
        return  # an estate without sites has no statement
    by_site: defaultdict[str, list[float]] = defaultdict(list)
    by_workload: defaultdict[str | None, list[float]] = defaultdict(list)
    for row in plan.charges:
        by_site[row.site].append(row.effective_usd)
        by_workload[row.workload].append(row.effective_usd)
    totals = [
        (f"workloads[{index}].cost_usd", each.cost_usd, math.fsum((*by_workload[each.id], each.idle_usd)))
        for index, each in enumerate(plan.workloads)
    ]
    totals += [
        (f"sites[{index}].cost_usd", each.cost_usd, math.fsum(by_site[each.id]))
        for index, each in enumerate(plan.sites)
    ]
    if plan.solve is not None:
        told, summed = plan.solve.undiscounted_usd, math.fsum(row.effective_usd for row in plan.charges)
        totals.append(("solve.undiscounted_usd", told, summed))
    for path, told, summed in totals:
        if not math.isclose(told, summed, rel_tol=_SAME, abs_tol=_CENT):
            idle = ", its `idle_usd` included" if path.startswith("workloads") else ""
            message = f"is {told:,.2f} USD, the plan's `charges` for it add up to {summed:,.2f} USD{idle}"
            yield _finding(FIELD_REFUSED, path, message, _REPLAN, file)


def _check_schema(content: Any, file: str) -> None:
    found = content.get("schema") if isinstance(content, dict) else None
    if found == PLAN_SCHEMA:
        return
    if isinstance(found, str) and found.startswith(_FAMILY):
        message = f"plan of schema `{found}`, this tripoint reads `{PLAN_SCHEMA}`"
        hint = "plan again with this version, or read it with the `tripoint_version` the file names"
        raise EstateError((_finding(OTHER_VERSION, "schema", message, hint, file),))
    shown = f"schema `{found}`" if isinstance(found, str) else f"a JSON {_json_type(content)} without a `schema`"
    message = f"not a tripoint plan: found {shown}, expected schema `{PLAN_SCHEMA}`"
    raise EstateError((_finding(NOT_A_PLAN, "schema", message, "name a plan.json written by `tripoint plan`", file),))


def _field_findings(problems: list[ErrorDetails], file: str) -> tuple[Finding, ...]:
    missing = [_path(problem["loc"]) for problem in problems if problem["type"] in _MISSING]
    gone: tuple[Finding, ...] = ()
    if len(missing) > _MOST_MISSING:
        problems = [problem for problem in problems if problem["type"] not in _MISSING]
        message = f"fields are missing: {quoted(missing)}"
        gone = (_finding(FIELD_REFUSED, "", message, _REPLAN, file),)
    found = [
        _finding(FIELD_REFUSED, _path(problem["loc"]), _wording(problem), _REPLAN, file)
        for problem in problems[:_SHOWN_PROBLEMS]
    ]
    if len(problems) > _SHOWN_PROBLEMS:
        rest = f"{len(problems) - _SHOWN_PROBLEMS} more fields cannot be read, {_SHOWN_PROBLEMS} are shown"
        found.append(_finding(FIELD_REFUSED, "", rest, _REPLAN, file))
    return (*gone, *found)


def _wording(problem: ErrorDetails) -> str:
    if problem["type"] in _MISSING:
        return "the field is missing"
    given = json.dumps(problem["input"], default=str)
    shown = given if len(given) <= 60 else given[:57] + "..."
    return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, found `{shown}`"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _finding(code: str, path: str, message: str, hint: str, file: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, path=path, message=message, hint=hint, file=file)


def _json_type(content: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(content), "number")
