"""One key takes the place of another: what the new one inherits, and how long the old one goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tripoint.domain.errors import ConflictError, OptionError
from tripoint.domain.tenancy import ApiKey

_MAX_OVERLAP_S: Final = 90 * 86400.0
"""Longest time a rotated key goes on beside its successor: 90 days, s."""


def check_overlap(overlap_s: float) -> None:
    """Raises `OptionError` for a time that a key cannot go on beside its successor, s."""
    if not 0 <= overlap_s <= _MAX_OVERLAP_S:
        raise OptionError(
            f"an overlap of {overlap_s:g} s cannot be: at most {_MAX_OVERLAP_S:g} s, 90 days",
            hint="0 refuses the old key at once",
        )


def leaving_at(old: ApiKey, until: float) -> ApiKey:
    """The old key, refused from `until` on (seconds since 1970), or sooner where it was to be."""
    return replace(old, revoked_at=until if old.revoked_at is None else min(old.revoked_at, until))


def successor(old: ApiKey, key_id: str, digest: str, now: float, expires_at: float | None) -> ApiKey:
    """A new key that may all the old one may."""
    return replace(
        old,
        id=key_id,
        digest=digest,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        replaces=old.id,
    )


def refuse_ended(key: ApiKey, now: float) -> None:
    """Raises `ConflictError` for a key that opens nothing any more."""
    if key.revoked_at is not None and key.revoked_at <= now:
        raise ConflictError(f"the key `{key.id}` was revoked already", hint="create a new one")
    if key.expires_at is not None and key.expires_at <= now:
        raise ConflictError(f"the key `{key.id}` has expired already", hint="create a new one")
