"""What an upstream says of its own load, whatever it speaks; made from its metrics, read by routing."""

from __future__ import annotations

from typing import NamedTuple


class UpstreamLoad(NamedTuple):
    """One reading of an upstream's own counters."""

    running: float
    """Requests it is working on, everybody's."""
    waiting: float
    """Requests in its queue."""
    cache_usage: float
    """Share of its key-value cache in use, 0 to 1; 0 when it does not say."""
