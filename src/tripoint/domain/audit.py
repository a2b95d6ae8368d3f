"""The audit log's words: who did what to what, each entry bound to the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An administrative act, about to be entered in the log."""

    at: float
    """Seconds since 1970."""
    actor: str
    """Principal id, or `local:USER` for who acts on the machine itself."""
    action: str
    """Verb and noun, e.g. `key.create`."""
    subject: str
    """Id of what it is done to."""
    tenant: str = ""
    """Tenant concerned; empty when none."""
    detail: Mapping[str, object]
    """What changes, as plain JSON values; never a secret."""


class AuditEntry(NamedTuple):
    """One administrative act; secrets are never part of it."""

    number: int
    """1 for the first; no number is left out."""
    at: float
    """Seconds since 1970."""
    actor: str
    """Principal id, or `local:USER` for who acted on the machine itself."""
    action: str
    """Verb and noun, e.g. `key.create`."""
    subject: str
    """Id of what it was done to."""
    tenant: str
    """Tenant concerned; empty when none."""
    detail: str
    """What changed, canonical JSON."""
    previous: str
    """Hash of the entry before, hexadecimal; of 64 zeros for the first."""
    hash: str
    """SHA-256 over everything above, hexadecimal."""


class Checkpoint(NamedTuple):
    """A signed statement of how long the log is and what its last hash is; to be kept where the log is not."""

    origin: str
    """Which log."""
    number: int
    """Number of the last entry it covers."""
    hash: str
    """Hash of that entry, hexadecimal."""
    at: float
    """Seconds since 1970."""
    key_id: str
    """Fingerprint of the public key, hexadecimal."""
    signature: str
    """Ed25519 signature over all of it, base64."""
