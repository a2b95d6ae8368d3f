"""What one worker grants its callers: sizes, times and numbers, beyond which a connection is refused or closed."""

from __future__ import annotations

from dataclasses import dataclass

_OWN_FILES, _FILES_A_CALLER = 32, 3
"""Files a worker has open anyway, and those a caller may take: its connection, one to an upstream, one kept to another.

More callers would leave none for upstreams, and a healthy one would be blamed for connections that were never tried.
"""
_FILES_FOR_UPSTREAMS = 8_192
"""What that comes to for more requests under way than a worker can feed: callers beyond them are idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one worker's connections."""

    max_head: int = 32 * 1024
    """Longest head of a request, bytes; longer ones get 431."""
    max_body: int = 32 * 2**20
    """Longest body, bytes; longer ones get 413 as soon as that is known."""
    max_unread: int = 256 * 2**20
    """Most bytes of unfinished bodies held at once; beyond, requests get 503."""
    head_s: float = 9.0
    """Longest wait for a whole head, from the connection or its first byte, s."""
    body_s: float = 120.0
    """Longest wait for a whole body, s."""
    body_grace_s: float = 10.0
    """Time a body has before its rate counts, s."""
    body_rate: float = 2_000.0
    """Slowest rate of a body after that, bytes per second on average."""
    idle_s: float = 75.0
    """Longest silence between requests, s."""
    write_s: float = 20.0
    """Longest a caller may leave its answer unread before it is taken for gone, s."""
    max_connections: int = 16_000
    """Most connections at once."""
    max_per_peer: int = 2_048
    """Most connections of one address; addresses of this machine and of proxies are not counted."""
    proxies: tuple[str, ...] = ()
    """Networks of the proxies in front: besides this machine only they may connect; anybody may when empty."""


def callers_within(files: int) -> int:
    """How many callers may be connected at once where a process may have so many files open."""
    left = files - _OWN_FILES
    return max(1, left // _FILES_A_CALLER, left - _FILES_FOR_UPSTREAMS)
