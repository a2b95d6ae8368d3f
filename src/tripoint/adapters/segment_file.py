"""What a segment's file tells beside its frames: whether somebody writes it, and where the zeros behind them begin.

Writers lay zeros ahead of their frames, since bytes that were written before are synced for half the price, and cut
them off when they leave a file in order. So zeros up to a file's end are no damage: nothing more yet as long as its
writer lives, and the end once it has ended.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_BLOCK: Final = 64 << 10


def is_closed(path: Path) -> bool:
    """True when nobody writes a file any more. Raises `OSError`."""
    with closed(path) as found:
        return found


@contextmanager
def closed(path: Path) -> Iterator[bool]:
    """Tells whether nobody writes a file, and keeps it so until the block ends. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def zeros_from(descriptor: int, start: int) -> int:
    """Where the zeros at a file's end begin, `start` where there is nothing else behind it. Raises `OSError`."""
    end = os.fstat(descriptor).st_size
    while end > start:
        begin = max(start, end - _BLOCK)
        block = os.pread(descriptor, end - begin, begin)
        if left := len(block.rstrip(b"\0")):
            return begin + left
        end = begin
    return start
