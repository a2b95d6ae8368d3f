"""Reads requests strictly: unknown fields are refused, sizes are bounded, and what is wrong is told with its place."""

from __future__ import annotations

import asyncio
import math
import re
from types import NoneType
from typing import Any, get_args

import msgspec
from starlette.requests import ClientDisconnect, Request

from tripoint.apps.admin.wire.problems import RefusedError

MAX_BODY = 64 * 1024
"""Longest request body, bytes."""
MAX_QUERY = 4 * 1024
"""Longest query, bytes."""
BODY_S = 10.0
"""Longest time for a whole body, s."""
_SECRET = "token"
_MAX_SHOWN = 60
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_PLACE = re.compile(r" - at `\$(.*)`$")


async def read_body(request: Request, kind: type[msgspec.Struct] | None) -> Any:
    """The body as `kind`; `None` where the operation takes none.

    Raises `RefusedError`: 413 too long, 415 not JSON, 400 not readable, 422 with a character no store keeps.
    """
    raw = await _whole(request)
    if kind is None:
        if raw:
            raise RefusedError(
                400, f"this operation takes no body, {len(raw):,} bytes came", hint="send none", place="body"
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
            raise _unreadable(error, "body", loose) from None


def read_query(request: Request, kind: type[msgspec.Struct]) -> Any:
    """The query as `kind`; a field of several values takes them divided by commas.

    Raises `RefusedError` for a parameter that is unknown, given twice or not as it must be.
    """
    length = len(request.scope.get("query_string", b""))
    if length > MAX_QUERY:
        raise RefusedError(400, f"the query has {length:,} bytes, at most {MAX_QUERY:,} are read", place="query")
    given: dict[str, Any] = {}
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, value in request.query_params.multi_items():
        if name not in fields:
            known = ", ".join(f"`{each}`" for each in fields) or "none"
            raise RefusedError(
                400, f"there is no query parameter `{name[:60]}`; known here: {known}", place=f"query.{name[:60]}"
            )
        if name in given:
            raise RefusedError(400, f"the query parameter `{name}` is given twice", place=f"query.{name}")
        # Names never hold U+0000, and PostgreSQL takes no text with it: another sign that no name has stands for it.
        given[name] = _value(name, value.replace("\0", "\ufffd"), fields[name].type)
    return kind(**given)


def _has_nul(content: Any) -> bool:
    if isinstance(content, dict):
        return any(_has_nul(value) for value in content.values())
    if isinstance(content, list):
        return any(_has_nul(value) for value in content)
    return isinstance(content, str) and "\0" in content


def _value(name: str, text: str, kind: Any) -> Any:
    """A parameter as its type, which may not be `null`: what is not given is left out."""
    parts = tuple(each for each in get_args(kind) if each is not NoneType)
    wanted = parts[0] if len(parts) < len(get_args(kind)) else kind
    given = _listed(text) if _is_list(wanted) else text
    try:
        value = msgspec.convert(given, type=wanted, strict=False)
        if isinstance(value, float) and not math.isfinite(value):  # no bound holds against `nan`
            raise msgspec.ValidationError("expected a finite number")
        return value
    except msgspec.ValidationError as error:
        told = _unreadable(error, f"query.{name}", given)
        told.detail = told.detail if told.detail.endswith("`") else f"{told.detail}, not `{text[:_MAX_SHOWN]}`"
        raise told from None


def _listed(value: str) -> list[str]:
    return value.split(",") if value else []


def _is_list(kind: Any) -> bool:
    return getattr(getattr(kind, "__origin__", kind), "__origin__", getattr(kind, "__origin__", None)) is tuple


def _unreadable(error: Exception, part: str, content: Any) -> RefusedError:
    text = str(error) if isinstance(error, msgspec.MsgspecError) else "it is nested too deeply, or no UTF-8"
    found = _PLACE.search(text)
    path = found[1] if found else ""
    reason = _lowered(_PLACE.sub("", text))
    given = _shown(content, path)
    return RefusedError(400, f"the {part} cannot be used: {reason}{given}", place=(part + path)[:200])


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


def _shown(content: Any, path: str) -> str:
    """The short value at a place, for the message; never one that may be secret."""
    steps = _STEP.findall(path)
    if not steps or _SECRET in path:
        return ""
    for name, index in steps:
        try:
            content = content[name] if name else content[int(index)]
        except (LookupError, TypeError):
            return ""
    if not isinstance(content, (str, int, float, bool)) or len(str(content)) > _MAX_SHOWN:
        return ""
    return f", not `{content}`" if str(content).isprintable() else ""


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:400] if text else "it cannot be read"


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
        raise RefusedError(400, f"the body did not come within {BODY_S:g} s", place="body") from None
    except ClientDisconnect:
        raise RefusedError(400, "the caller left before the body was there", place="body") from None
    return b"".join(parts)
