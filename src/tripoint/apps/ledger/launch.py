"""What the ledger process is started with."""

from __future__ import annotations

import msgspec

STORE_VARIABLE = "TRIPOINT_STORE"
"""The store's URL travels in the environment: it may hold a password, and command lines can be read by others."""


class LedgerLaunch(msgspec.Struct, kw_only=True):
    """No secret is in it."""

    run_dir: str
    """Where workers keep their segments."""
    control_fd: int
    """A socket whose other end the supervisor holds: when it closes, load what is left and end."""
    keep_s: float = 3600.0
    """How long a segment is kept after its last record, s, once it is loaded."""
    tidy_s: float = 10.0
    """How often segments that may go are looked for, s."""
    retain_days: int = 400
    """Days whose entries are kept; sums stay for good. 0 keeps all."""
    end_s: float = 20.0
    """Longest time to load what is left at the end, s."""
