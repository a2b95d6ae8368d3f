"""Bounds failed log-ins per address; whoever was recognised a moment ago is never held up by others' failures."""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict

BURST = 10
"""Failures an address may have at once."""
REFILL_S = 6.0
"""Seconds after which one more is allowed."""
_REMEMBERED_S = 900.0
_MAX_ADDRESSES = 4096
_MAX_REMEMBERED = 1024


class Throttle:
    """Token buckets by address. Assumes a clock that never goes back, s."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._good: OrderedDict[bytes, float] = OrderedDict()

    def wait_s(self, address: str, credential: str, now: float) -> float:
        """How long this address must wait before the credential is looked at; 0 when it need not."""
        good_at = self._good.get(_digest(credential))
        if good_at is not None and now - good_at < _REMEMBERED_S:
            return 0.0
        level = self._level(_network(address), now)
        return max(0.0, level - (BURST - 1)) * REFILL_S

    def failed(self, address: str, now: float) -> None:
        """A credential was not good."""
        network = _network(address)
        self._failures[network] = (min(self._level(network, now) + 1, BURST), now)
        self._failures.move_to_end(network)
        if len(self._failures) > _MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def passed(self, credential: str, now: float) -> None:
        """A credential was good."""
        digest = _digest(credential)
        self._good[digest] = now
        self._good.move_to_end(digest)
        if len(self._good) > _MAX_REMEMBERED:
            self._good.popitem(last=False)

    def _level(self, network: str, now: float) -> float:
        level, at = self._failures.get(network, (0.0, now))
        return max(0.0, level - (now - at) / REFILL_S)


def _digest(credential: str) -> bytes:
    return hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()


def _network(address: str) -> str:
    """What counts as one address: for IPv6 the /64, which is what one customer gets."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address
