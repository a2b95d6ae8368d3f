"""Models an upstream says it does not have: that candidate is left alone for a while, the upstream's others are not.

A 404 is about one name on one interface. It says that the upstream is alive, so its breaker is not told.
"""

from __future__ import annotations

from tripoint.domain.serving import Api

ENOUGH = 3
"""Answers in a row that it is not there from which on it is not asked."""
_BASE_S, _CAP_S = 1.0, 15.0
"""First and longest time it is left alone, s; each further one is twice as long."""
_TRIAL_S = 5.0
"""How long others wait for the one request that asks again, s."""

Key = tuple[int, str, Api]
"""Slot of the upstream, model, interface."""


class Absence:
    """How often in a row something was not there, and until when it is not asked."""

    __slots__ = ("is_asked", "row", "shut_s", "until")

    def __init__(self) -> None:
        self.row = 0
        self.shut_s = 0.0
        self.until = 0.0
        self.is_asked = False


class Absences:
    """What is not there, by this worker's own requests; forgotten at every reload."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[Key, Absence] = {}
        """What was missed lately; empty nearly always, which is all that most requests ask."""

    def missed(self, key: Key, now: float) -> bool:
        """Notes the answer that it is not there; True when it is not asked from now on."""
        found = self.found.get(key)
        if found is None:
            found = self.found[key] = Absence()
        if now < found.until and not found.is_asked:
            return False  # it was asked before that was known
        found.row += 1
        if found.row < ENOUGH:
            return False
        found.shut_s = min(_CAP_S, 2 * found.shut_s or _BASE_S)
        found.until = now + found.shut_s
        found.is_asked = False
        return True

    def asked(self, key: Key, now: float) -> None:
        """Notes that a request goes there: where it was absent, this one alone finds out for all."""
        found = self.found.get(key)
        if found is not None and found.row >= ENOUGH:
            found.is_asked = True
            found.until = now + _TRIAL_S

    def there(self, key: Key) -> None:
        """Notes a good answer."""
        self.found.pop(key, None)

    def until(self, key: Key) -> float:
        """Until when it is to be left alone, s; 0 when it may be asked."""
        found = self.found.get(key)
        return 0.0 if found is None else found.until

    def clear(self) -> None:
        """Forgets all: another table may call them otherwise."""
        self.found.clear()
