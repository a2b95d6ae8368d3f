"""Versions of what is answered: an `ETag` is a digest of the answer itself, so that equal content has an equal tag."""

from __future__ import annotations

import hashlib

import msgspec

from tripoint.apps.admin.wire.problems import RefusedError


def tag_of(content: msgspec.Struct) -> str:
    """The strong tag of a representation."""
    return f'"{hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]}"'


def refuse_stale(current: msgspec.Struct, tag: str) -> None:
    """Raises `RefusedError` (412) where the caller wants to change another version than there is; `*` means any."""
    now = tag_of(current)
    if tag in ("*", now):
        return
    raise RefusedError(
        412, f"it has changed since it was read: its version is {now}, `If-Match` names {tag[:60]}",
        hint="read it again, and send the new `ETag`", place="header.if-match",
    )  # fmt: skip
