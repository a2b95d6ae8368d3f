"""Model files, made once and kept: named by what they are made from, whole or absent."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tripoint.adapters.local_models.chat_gguf import write_chat_model
from tripoint.adapters.local_models.minilm import minilm_weights, write_embedding_model
from tripoint.domain.errors import FileError

_FORMAT: Final = 1
"""Raised whenever the same weights give another file."""
_CHUNK: Final = 1 << 20


def cache_folder() -> Path:
    """Where made models are kept: `tripoint/models` in the user's cache folder (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "tripoint" / "models"


def chat_model(folder: Path, name: str) -> Path:
    """The chat model called `name`, made anew in `folder`: the name is its seed, so all sites have the same weights."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    path = folder / f"chat-{seed:016x}.gguf"
    _make(path, lambda part: write_chat_model(part, seed=seed))
    return path


def embedding_model(folder: Path) -> Path:
    """MiniLM as GGUF in `folder`, made unless it is there; a file cut short is made again.

    Raises `MissingExtraError` where the weights are not installed.
    """
    digest = _digest(minilm_weights())
    path = folder / f"minilm-v{_FORMAT}-{digest[:16]}.gguf"
    seal = path.with_suffix(".sha256")
    if not (path.is_file() and seal.is_file() and seal.read_text(encoding="ascii") == _digest(path)):
        _make(path, write_embedding_model)
        _make(seal, lambda part: _write(part, _digest(path)))
    return path


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="ascii")


def _digest(path: Path) -> str:
    running = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            running.update(chunk)
    return running.hexdigest()


def _make(path: Path, write: Callable[[Path], None]) -> None:
    """Has `write` make the file beside its place and moves it there; two at once do not harm each other."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(descriptor)
        try:
            write(Path(name))
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise FileError(
            f"cannot write `{path}`: {error.strerror or type(error).__name__}",
            hint="free space, or name another cache folder with XDG_CACHE_HOME",
        ) from error
