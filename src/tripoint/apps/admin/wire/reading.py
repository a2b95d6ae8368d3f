"""Reads requests strictly: unknown fields are refused, sizes are bounded, and what is wrong is told with its place."""

from __future__ import annotations

import asyncio
import math
from types import NoneType
from typing import Any, get_args

import msgspec
from starlette.requests import ClientDisconnect, Request

from tripoint.apps.admin.wire.mistakes import MOST, Mistake, mistake_of, mistakes_in
from tripoint.apps.admin.wire.problems import RefusedError

MAX_BODY = 64 * 1024
"""Longest request body, bytes."""
MAX_QUERY = 4 * 1024
"""Longest query, bytes."""
BODY_S = 10.0
"""Longest time for a whole body, s."""
_MAX_SHOWN = 60


async def read_body(request: Request, kind: type[msgspec.Struct] | None) -> Any:
    """The body as `kind`; `None` where the operation takes none.

    Raises `RefusedError`: 413 too long, 415 not JSON, 400 not readable, 422 with a character no store keeps.
    """
    raw = await _whole(request)
    if kind is None:
        if raw:
            raise RefusedError(
                400, f"this operation takes no body, {len(raw):,} bytes were sent", hint="send none", place="body"
            )
        return None
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media != "application/json":
        shown = media[:60].encode("ascii", "replace").decode()
        raise RefusedError(415, f"the content type is `{shown}`, not `application/json`", place="header.content-type")
    body = _decoded(raw, kind)
    if _has_nul(msgspec.to_builtins(body)):
        raise RefusedError(422, "a text holds the character U+0000, which no store keeps", place="body")
    return body


def _decoded(raw: bytes, kind: type[msgspec.Struct]) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        loose = _loose(raw)
        try:
            return msgspec.convert(_whole_numbers(loose), type=kind, strict=True)
        except (msgspec.ValidationError, RecursionError):
            found = mistakes_in(_whole_numbers(loose), kind, "body") if isinstance(loose, dict) else ()
            raise _unreadable(found or (mistake_of(error, loose, "body"),)) from None


def read_query(request: Request, kind: type[msgspec.Struct]) -> Any:
    """The query as `kind`; a field of several values takes them divided by commas.

    Raises `RefusedError` for parameters that are unknown, given twice or not as they must be, all of them told.
    """
    length = len(request.scope.get("query_string", b""))
    if length > MAX_QUERY:
        raise RefusedError(400, f"the query has {length:,} bytes, at most {MAX_QUERY:,} are read", place="query")
    given: dict[str, Any] = {}
    wrong: list[Mistake] = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in request.query_params.multi_items():
        place = f"query.{name[:_MAX_SHOWN]}"
        if name not in fields:
            known = ", ".join(f"`{each}`" for each in fields) or "none"
            wrong.append(Mistake(f"there is no query parameter `{name[:_MAX_SHOWN]}`; known here: {known}", place))
        elif name in given:
            wrong.append(Mistake(f"the query parameter `{name}` is given twice", place))
        else:
            # No name holds U+0000, and PostgreSQL takes no text with it: a sign that no name has stands for it.
            given[name] = _value(name, value.replace("\0", "\ufffd"), fields[name].type)
            if isinstance(given[name], Mistake):
                wrong.append(given[name])
    if wrong:
        raise _unreadable(tuple(wrong[:MOST]))
    return kind(**given)


def _has_nul(content: Any) -> bool:
    if isinstance(content, dict):
        return any(_has_nul(value) for value in content.values())
    if isinstance(content, list):
        return any(_has_nul(value) for value in content)
    return isinstance(content, str) and "\0" in content


def _value(name: str, text: str, kind: Any) -> Any:
    """A parameter as its type, which may not be `null`: what is not given is left out; else what is wrong with it."""
    parts = tuple(each for each in get_args(kind) if each is not NoneType)
    wanted = parts[0] if len(parts) < len(get_args(kind)) else kind
    given = _listed(text) if _is_list(wanted) else text
    try:
        value = msgspec.convert(given, type=wanted, strict=False)
        if isinstance(value, float) and not math.isfinite(value):  # no bound holds against `nan`
            raise msgspec.ValidationError("expected a finite number")
        return value
    except msgspec.ValidationError as error:
        told = mistake_of(error, given, f"query.{name}")
        has_value = told.detail.endswith("`")
        return told if has_value else Mistake(f"{told.detail}, not `{text[:_MAX_SHOWN]}`", told.place)


def _listed(value: str) -> list[str]:
    return value.split(",") if value else []


def _is_list(kind: Any) -> bool:
    return getattr(getattr(kind, "__origin__", kind), "__origin__", getattr(kind, "__origin__", None)) is tuple


def _unreadable(wrong: tuple[Mistake, ...]) -> RefusedError:
    """A refusal for all of that, which is told by the first."""
    first, others = wrong[0], len(wrong) - 1
    more = f"; {others} more in `errors`" if others else ""
    return RefusedError(400, first.detail + more, place=first.place, errors=wrong)


def _loose(raw: bytes) -> Any:
    """The body as it is, to tell what stands at the place that is wrong; `None` for what is no JSON."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _whole_numbers(content: Any) -> Any:
    """The same with `3.0` as `3`: JSON knows one kind of number, and its schemas call that an integer."""
    if isinstance(content, float) and content.is_integer():
        return int(content)
    if isinstance(content, dict):
        return {name: _whole_numbers(value) for name, value in content.items()}
    return [_whole_numbers(value) for value in content] if isinstance(content, list) else content


async def _whole(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise RefusedError(
                        413, f"the body is longer than {MAX_BODY:,} bytes", hint="send less", place="body"
                    )
                parts.append(part)
    except TimeoutError:
        raise RefusedError(400, f"the body did not arrive within {BODY_S:g} s", place="body") from None
    except ClientDisconnect:
        raise RefusedError(400, "the caller left before the body was there", place="body") from None
    return b"".join(parts)
