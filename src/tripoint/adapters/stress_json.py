"""Stress reports as JSON: an exact round trip, refused with the reason where a file is something else."""

from __future__ import annotations

import json
from dataclasses import asdict

import msgspec

from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.stress import STRESS_SCHEMA, StressReport

NOT_A_REPORT = "TP1905"
_AGAIN = "write it again with `tripoint stress ESTATE --plan plan.json --out DIR`"


def stress_to_json(report: StressReport) -> str:
    """The report as one JSON document, ending in a newline."""
    return json.dumps(asdict(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def stress_from_json(text: str, *, file: str = "stress.json") -> StressReport:
    """The report a JSON document holds; raises `EstateError` with one finding where it holds none."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"it is not JSON: {error}", file) from error
    found = content.get("schema") if isinstance(content, dict) else None
    if found != STRESS_SCHEMA:
        raise _refused(f"it expects the schema `{STRESS_SCHEMA}`, found `{str(found)[:60]}`", file)
    try:
        return msgspec.convert(content, StressReport)
    except msgspec.ValidationError as error:
        raise _refused(str(error), file) from error


def _refused(reason: str, file: str) -> EstateError:
    said = Finding(
        code=NOT_A_REPORT,
        severity=Severity.ERROR,
        path="",
        message=f"the file holds no stress report: {reason}",
        hint=_AGAIN,
        file=file,
    )
    return EstateError((said,))
