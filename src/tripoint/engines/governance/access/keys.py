"""The text of a key: `tp_<id>_<secret>_<checksum>`, its keyed hash, and what is wrong with one that was mistyped.

Ids and secrets are base32 (RFC 4648) in lower case. The checksum is the CRC-32 of all before it: any one wrong
character is a burst of at most eight bits, and CRC-32 finds every burst of up to 32. It keeps typing errors from
being counted as attacks and lets a scanner tell a leaked key from look-alikes; it protects nothing.
The secret has 256 random bits, so a keyed hash of one step is enough: nobody can try them out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import zlib
from enum import StrEnum
from typing import NamedTuple

ID_BYTES = 6
"""Random bytes of an id: 10 characters, 2 of the 50 bits unused."""
SECRET_BYTES = 32
"""Random bytes of a secret."""
PEPPER_BYTES = 32
"""Random bytes of the key of the keyed hash."""

_ID, _SECRET, _SUM = 10, 52, 7
_SHAPE = re.compile(rf"(tp|tpa|tpi)_([a-z2-7]{{{_ID}}})_([a-z2-7]{{{_SECRET}}})_([a-z2-7]{{{_SUM}}})")


class KeyKind(StrEnum):
    """What a key opens; it is part of the text, so that one never passes for another."""

    GATEWAY = "tp"
    ADMIN = "tpa"
    ONE_TIME = "tpi"


class KeyText(NamedTuple):
    """A key taken apart; `text` is secret."""

    kind: KeyKind
    """What it opens."""
    id: str
    """Its public id."""
    text: str
    """All of it."""


def kind_for(principal: str | None) -> KeyKind:
    """The kind of a tenant's key, or of a principal's."""
    return KeyKind.GATEWAY if principal is None else KeyKind.ADMIN


def make_key(kind: KeyKind, entropy: bytes) -> KeyText:
    """A new key from `ID_BYTES + SECRET_BYTES` random bytes.

    Raises `ValueError` for another number of them.
    """
    if len(entropy) != ID_BYTES + SECRET_BYTES:
        raise ValueError(f"a key is made from {ID_BYTES + SECRET_BYTES} random bytes, not {len(entropy)}")
    key_id = _base32(entropy[:ID_BYTES])
    body = f"{kind}_{key_id}_{_base32(entropy[ID_BYTES:])}"
    return KeyText(kind, key_id, f"{body}_{_checksum(body)}")


def read_key(text: str) -> KeyText | None:
    """The parts of a key; `None` when it is none of ours or was mistyped."""
    found = _SHAPE.fullmatch(text)
    if found is None or _checksum(text[: -_SUM - 1]) != found[4]:
        return None
    return KeyText(KeyKind(found[1]), found[2], text)


def key_fault(text: str) -> str:
    """What a person is told of a text that `read_key` does not take; never the text itself. Empty for a good one."""
    if read_key(text) is not None:
        return ""
    if not text.startswith(tuple(f"{kind}_" for kind in KeyKind)):
        return "it does not begin with `tp_`, `tpa_` or `tpi_`"
    lengths = {kind: len(f"{kind}_") + _ID + 1 + _SECRET + 1 + _SUM for kind in KeyKind}
    wanted = lengths[KeyKind(text.partition("_")[0])]
    if len(text) != wanted:
        return f"it has {len(text)} characters, a key has {wanted}"
    return "its checksum does not fit: a character was changed or swapped"


def key_digest(pepper: bytes, text: str) -> str:
    """What is kept of a key: its HMAC-SHA-256 (RFC 2104), hexadecimal."""
    return hmac.new(pepper, text.encode(), hashlib.sha256).hexdigest()


def is_same_digest(one: str, other: str) -> bool:
    """Compares without telling by the time how much was right."""
    return hmac.compare_digest(one.encode(), other.encode())


def pepper_check(pepper: bytes) -> str:
    """What a store keeps to know its pepper again: says nothing about it, and is no key's digest."""
    return hmac.new(pepper, b"tripoint pepper check", hashlib.sha256).hexdigest()


def _checksum(body: str) -> str:
    return _base32(zlib.crc32(body.encode()).to_bytes(4, "big"))


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
