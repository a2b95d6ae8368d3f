"""Routing tables as JSON: an exact round trip, written by the process that compiles and read by every worker.

Light on purpose: a worker imports this and nothing of the planner. Reading is strict: every field of the schema is
there and of its type, or the table is refused with the place, since half a table could send a request where it must
not go.
"""

from __future__ import annotations

import msgspec

from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.table import TABLE_SCHEMA, RoutingTable

REFUSED = "TP1911"
OTHER_VERSION = "TP1912"


class _Header(msgspec.Struct):
    schema: str = ""


def table_to_json(table: RoutingTable) -> bytes:
    """The table as one JSON document; the same table gives the same bytes."""
    return msgspec.json.encode(table, order="deterministic")


def table_from_json(text: bytes | str, *, file: str = "table.json") -> RoutingTable:
    """The table a JSON document holds.

    Raises `EstateError` with one finding: `TP1911` for what is no table, `TP1912` for one of another version.
    """
    try:
        found = msgspec.json.decode(text, type=_Header).schema
        if found != TABLE_SCHEMA:
            raise EstateError((_other_schema(found, file),))
        return msgspec.json.decode(text, type=RoutingTable, strict=True)
    except msgspec.DecodeError as error:
        message = f"not a routing table: {str(error)[0].lower()}{str(error)[1:]}"
        raise EstateError((_refusal(REFUSED, message, file),)) from error


def _other_schema(found: str, file: str) -> Finding:
    family = TABLE_SCHEMA.rsplit("/", 1)[0]
    if found.startswith(f"{family}/"):
        return _refusal(OTHER_VERSION, f"table of schema `{found[:60]}`, this tripoint reads `{TABLE_SCHEMA}`", file)
    shown = f"schema `{found[:60]}`" if found else "no `schema`"
    return _refusal(REFUSED, f"not a routing table: found {shown}, expected `{TABLE_SCHEMA}`", file)


def _refusal(code: str, message: str, file: str) -> Finding:
    hint = "compile it again from the estate"
    return Finding(code=code, severity=Severity.ERROR, path="", message=message, hint=hint, file=file)
