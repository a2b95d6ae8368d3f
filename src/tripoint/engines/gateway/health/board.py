"""What all workers know together: places taken at each upstream, who has opened a breaker, who holds the one probe.

`LocalBoard` serves one process and the simulator; the adapter over shared memory keeps the same promises over many.
"""

from __future__ import annotations

from typing import Final

_BY_KIND: Final = "each kind of board says how"


class Board:
    """Shared state by slot, one slot an upstream; by descent, so that compiled code knows where its functions are."""

    def acquire(self, slot: int, limit: int) -> bool:
        """Takes one of `limit` places; False when all workers together hold that many."""
        raise AssertionError(_BY_KIND)

    def release(self, slot: int) -> None:
        """Gives a place back."""
        raise AssertionError(_BY_KIND)

    def held(self, slot: int) -> int:
        """Places held, all workers together (near enough for scoring; `acquire` is exact)."""
        raise AssertionError(_BY_KIND)

    def opened_until(self, slot: int) -> float:
        """Time until which some worker's breaker keeps the upstream shut, 0 when none does."""
        raise AssertionError(_BY_KIND)

    def open(self, slot: int, until: float) -> None:
        """Tells every worker the upstream is shut until then."""
        raise AssertionError(_BY_KIND)

    def close(self, slot: int) -> None:
        """Tells every worker it may be used again."""
        raise AssertionError(_BY_KIND)

    def claim(self, slot: int, now: float, lifetime_s: float) -> bool:
        """Takes the right to the one probe or trial; False while another holds it; lapses after `lifetime_s`."""
        raise AssertionError(_BY_KIND)

    def unclaim(self, slot: int) -> None:
        """Gives that right back."""
        raise AssertionError(_BY_KIND)


class LocalBoard(Board):
    """The board of one process."""

    def __init__(self, slots: int = 256) -> None:
        self._held = [0] * slots
        self._until = [0.0] * slots
        self._claimed = [0.0] * slots

    def acquire(self, slot: int, limit: int) -> bool:
        """See `Board`."""
        if self._held[slot] >= limit:
            return False
        self._held[slot] += 1
        return True

    def release(self, slot: int) -> None:
        """See `Board`."""
        self._held[slot] -= 1

    def held(self, slot: int) -> int:
        """See `Board`."""
        return self._held[slot]

    def opened_until(self, slot: int) -> float:
        """See `Board`."""
        return self._until[slot]

    def open(self, slot: int, until: float) -> None:
        """See `Board`."""
        self._until[slot] = max(self._until[slot], until)

    def close(self, slot: int) -> None:
        """See `Board`."""
        self._until[slot] = 0.0

    def claim(self, slot: int, now: float, lifetime_s: float) -> bool:
        """See `Board`."""
        if self._claimed[slot] > now:
            return False
        self._claimed[slot] = now + lifetime_s
        return True

    def unclaim(self, slot: int) -> None:
        """See `Board`."""
        self._claimed[slot] = 0.0
