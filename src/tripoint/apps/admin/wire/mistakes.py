"""Everything that is wrong with a request's content, not only what a decoder meets first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from types import NoneType
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

MOST: Final = 20
"""Mistakes told at once: an answer stays short, whatever is sent."""
_SECRET = "token"
_MAX_SHOWN = 60
_STEP = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")
_PLACE = re.compile(r" - at `\$(.*)`$")


class Mistake(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request."""

    detail: str
    """What is wrong, with what came and what was expected."""
    place: str = ""
    """Where in the request, e.g. `body.limit_usd`."""


def mistakes_in(content: Any, kind: Any, part: str) -> tuple[Mistake, ...]:
    """What keeps a content from being one of that kind, the first `MOST`, in the order of its fields; `part` is what
    the content is, e.g. `body`. Empty where only its decoder can tell.
    """
    try:
        found = [_told(reason, part, content, path) for path, reason in islice(_walk(content, kind, ""), MOST)]
    except RecursionError:
        return ()
    return tuple(found)


def mistake_of(error: Exception, content: Any, part: str) -> Mistake:
    """What a decoder says, with the value at the place it means."""
    text = str(error) if isinstance(error, msgspec.MsgspecError) else "it is nested too deeply, or no UTF-8"
    found = _PLACE.search(text)
    return _told(_PLACE.sub("", text), part, content, found[1] if found else "")


def _walk(content: Any, kind: Any, path: str) -> Iterator[tuple[str, str]]:
    """Place and reason of each mistake."""
    kind = _of_given(content, kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(content, dict):
        yield from _walk_fields(content, kind, path)
        return
    item = _item_of(kind)
    if item is not None and isinstance(content, list):
        found = False
        for place, each in enumerate(content):
            for told in _walk(each, item, f"{path}[{place}]"):
                found = True
                yield told
        if found:
            return
    try:
        msgspec.convert(content, type=kind, strict=True)
    except msgspec.ValidationError as error:
        text = str(error)
        inner = _PLACE.search(text)
        yield path + (inner[1] if inner else ""), _PLACE.sub("", text)


def _walk_fields(content: dict[str, Any], kind: type[msgspec.Struct], path: str) -> Iterator[tuple[str, str]]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    if kind.__struct_config__.forbid_unknown_fields:
        for name in content:
            if name not in fields:
                yield path, f"Object contains unknown field `{name[:_MAX_SHOWN]}`"
    for name, field in fields.items():
        if name in content:
            yield from _walk(content[name], field.type, f"{path}.{name}")
        elif field.required:
            yield path, f"Object missing required field `{name}`"


def _of_given(content: Any, kind: Any) -> Any:
    """The kind without `null`, where something else came."""
    parts = [each for each in get_args(kind) if each is not NoneType]
    if content is not None and NoneType in get_args(kind) and len(parts) == 1:
        return parts[0]
    return kind


def _item_of(kind: Any) -> Any:
    """What a list of that kind holds; `None` for what is no list."""
    plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    is_list = get_origin(plain) in (list, tuple) and get_args(plain)
    return get_args(plain)[0] if is_list else None


def _told(reason: str, part: str, content: Any, path: str) -> Mistake:
    lowered = reason[:1].lower() + reason[1:400] if reason else "it cannot be read"
    return Mistake(f"the {part} cannot be used: {lowered}{_shown(content, path)}", (part + path)[:200])


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
