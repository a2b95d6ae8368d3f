"""The pepper: the key of the keyed hash that a store keeps of every API key. Whoever steals the store lacks it."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from tripoint.adapters.signing.secret_file import read, read_or_make
from tripoint.domain.errors import FileError
from tripoint.engines.governance.access.keys import PEPPER_BYTES

_HEX = re.compile(rb"[0-9a-f]{%d}" % (2 * PEPPER_BYTES))


def read_pepper(path: Path) -> bytes:
    """The pepper in a file. Raises `FileError` when there is none."""
    return _decoded(path, read(path))


def open_pepper(path: Path) -> bytes:
    """The pepper in a file, made when there is no such file. Raises `FileError`."""
    return _decoded(path, read_or_make(path, lambda: f"{secrets.token_hex(PEPPER_BYTES)}\n".encode()))


def _decoded(path: Path, content: bytes) -> bytes:
    text = content.strip()
    if not _HEX.fullmatch(text):
        raise FileError(
            f"`{path}` is not a pepper: {len(text)} characters, where {2 * PEPPER_BYTES} hexadecimal ones belong",
            hint="put back the file that was made with the store; a new one would make every key useless",
        )
    return bytes.fromhex(text.decode())
