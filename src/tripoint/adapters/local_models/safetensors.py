"""Tensors of a safetensors file, read without any deep-learning library and without trusting what the file says.

The format: eight bytes with the length of a JSON header, the header, then the numbers. The header names each tensor's
type, shape and place among the numbers.
"""

from __future__ import annotations

import json
import math
import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tripoint.domain.errors import FileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PREFIX: Final = 8
_LONGEST_HEADER: Final = 16 * 1024 * 1024
_SIZES: Final = {"F32": 4, "F16": 2}


class Tensors:
    """The tensors of one file by name; each is read when asked for."""

    def __init__(self, path: Path) -> None:
        """Raises `FileError` where the file cannot be read or its header is not one."""
        self._path = path
        try:
            with path.open("rb") as stream:
                self._content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise self._refusal(str(error)) from error
        self._start, self._header = self._read_header()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all tensors."""
        return tuple(self._header)

    def read(self, name: str) -> NDArray[np.float32]:
        """The tensor of that name in single precision; raises `FileError` where it is absent or does not add up."""
        entry = self._header.get(name)
        if entry is None:
            raise self._refusal(f"there is no tensor `{name}`")
        kind, shape, begin, end = self._entry(name, entry)
        count = math.prod(shape)
        size = len(self._content) - self._start
        if not 0 <= begin <= end <= size or end - begin != count * _SIZES[kind]:
            raise self._refusal(f"`{name}` claims bytes {begin} to {end} of {size} for {count} numbers of {kind}")
        raw = self._content[self._start + begin : self._start + end]
        numbers = np.frombuffer(raw, dtype=np.dtype("<f4" if kind == "F32" else "<f2"))
        return numbers.reshape(shape).astype(np.float32)

    def _read_header(self) -> tuple[int, dict[str, Any]]:
        length = int.from_bytes(self._content[:_PREFIX], "little")
        if len(self._content) < _PREFIX or not 2 <= length <= min(_LONGEST_HEADER, len(self._content) - _PREFIX):
            raise self._refusal(f"its header of {length} bytes does not fit a file of {len(self._content)}")
        try:
            header = json.loads(self._content[_PREFIX : _PREFIX + length])
        except (ValueError, RecursionError) as error:
            raise self._refusal("its header is not JSON") from error
        if not isinstance(header, dict):
            raise self._refusal("its header is not a JSON object")
        return _PREFIX + length, {name: entry for name, entry in header.items() if name != "__metadata__"}

    def _entry(self, name: str, entry: object) -> tuple[str, tuple[int, ...], int, int]:
        if isinstance(entry, dict):
            kind, shape, place = entry.get("dtype"), _whole(entry.get("shape")), _whole(entry.get("data_offsets"))
            if kind in _SIZES and shape is not None and place is not None and len(place) == 2 and len(shape) <= 8:
                return str(kind), shape, place[0], place[1]
        raise self._refusal(f"`{name}` has no type, shape and place that can be read")

    def _refusal(self, reason: str) -> FileError:
        return FileError(f"`{self._path}` is not a usable safetensors file: {reason}", hint="install it again")


def _whole(values: object) -> tuple[int, ...] | None:
    """The values as numbers that can be sizes or places; `None` where they are not."""
    if isinstance(values, list) and all(type(value) is int and 0 <= value < 2**40 for value in values):
        return tuple(values)
    return None
