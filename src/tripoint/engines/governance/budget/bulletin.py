"""What a ledger process has to tell its workers unasked: of which budgets more is left than they believe.

A worker refuses what is more than was left when it last heard, and asks nobody then. So a raised limit, a credit or a
budget set again must come to it. The other way nothing need be told: who believes too much asks, and hears.
"""

from __future__ import annotations

from collections.abc import Iterable

from tripoint.domain.budget import Grant, Tally
from tripoint.engines.governance.budget.windows import ends_at


class Bulletin:
    """What is left of each budget by the word of the worker that knows of the least."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], int] = {}

    def told(self, grant: Grant) -> None:
        """A worker is told this; to be called in the order in which workers are told."""
        where = grant.budget, grant.window
        left = grant.limit_nano - grant.spent_nano
        self._left[where] = min(left, self._left.get(where, left))

    def news(self, standing: Iterable[Tally]) -> list[Grant]:
        """What every worker is to be told now, given where budgets stand. It moves no slice: its totals are nothing."""
        found = []
        for tally in standing:
            where = tally.budget, tally.window
            left = tally.limit_nano - tally.spent_nano
            believed = self._left.get(where)
            if believed is not None and left > believed:
                self._left[where] = left
                found.append(Grant(*where, 0, 0, tally.limit_nano, tally.spent_nano))
        return found

    def forget(self, at: float) -> None:
        """Drops windows that are over at `at`, seconds since 1970."""
        for where in [where for where in self._left if ends_at(where[1]) <= at]:
            del self._left[where]
