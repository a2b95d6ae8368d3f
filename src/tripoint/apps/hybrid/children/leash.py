"""Runs `tripoint` as a child that ends when its parent does, however the parent ends.

`python -m tripoint.apps.hybrid.children.leash PARENT serve ...`: PARENT is the process id to be tied to.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1
"""`PR_SET_PDEATHSIG` of prctl(2), Linux only; elsewhere the parent's own clean-up has to do."""


def tie_to(parent: int) -> None:
    """Asks the kernel for SIGTERM once `parent` is gone; ends at once when it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def main() -> None:
    """Ties this process to its parent and goes on as the command line."""
    tie_to(int(sys.argv[1]))
    from tripoint.apps.cli import cli

    cli.main(sys.argv[2:])


if __name__ == "__main__":
    main()
