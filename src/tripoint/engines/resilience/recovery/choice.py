"""Of the changes tried for a missed objective the cheapest that meets it; else why none does, and how near one came."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tripoint.domain.plan import ConflictSet
from tripoint.domain.recovery import Reached, Remedy
from tripoint.engines.resilience.recovery.changes import Change
from tripoint.engines.resilience.recovery.remedy import Price, no_remedy, not_enough, remedy_by, why_nothing

_NOTHING_USD = 1.0
"""A month; below it no cheaper change is looked for."""
_MOST_DETAILS = 2
"""Lines told of a conflict."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of the changes tried so far. Each answer to a change gives the choice that has it in."""

    missed: Reached
    """What is missed now."""
    best: Remedy | None = None
    """The cheapest that meets it."""
    nearest: Reached | None = None
    """The soonest recovery of those that do not."""
    short: str = ""
    """What that still misses."""
    unplanned: str = ""
    """The last change that left no plan."""

    @property
    def is_free(self) -> bool:
        """True once a change costs nothing: others need not be tried."""
        return self.best is not None and self.best.usd_per_month < _NOTHING_USD

    @property
    def lacks_plan(self) -> bool:
        """True where the answer is that there is no plan: what limits it is then worth finding."""
        return self.best is None and not self.short and bool(self.unplanned)

    def without_plan(self, change: Change, *, is_proven: bool) -> Choice:
        """A change with which no plan was found, or where `is_proven` none exists."""
        return replace(self, unplanned=f"{'no plan exists' if is_proven else 'no plan was found'} with {change.does}")

    def reaching(self, change: Change, now: Reached, kept: str, price: Price) -> Choice:
        """A change after which `now` is reached; `kept` is what the plan adds for it, at that price."""
        if not now.misses:
            found = remedy_by(self.missed, change, now, kept, price)
            is_cheaper = self.best is None or found.usd_per_month < self.best.usd_per_month
            return replace(self, best=found) if is_cheaper else self
        if self.nearest is not None and now.rta_s >= self.nearest.rta_s:
            return self
        return replace(self, nearest=now, short=not_enough(change, now))

    def remedy(self, limits: str) -> Remedy:
        """The answer; `limits` are those that leave no plan, empty where that is not known."""
        if self.best is not None:
            return self.best
        unplanned = f"{self.unplanned}: {limits}" if self.unplanned and limits else self.unplanned
        return no_remedy(self.missed, self.nearest or self.missed, self.short or unplanned or why_nothing(self.missed))


def limits_told(conflict: ConflictSet) -> str:
    """The limits that leave no plan, with the figures of the first of them."""
    told = conflict.details[:_MOST_DETAILS]
    families = () if told and len(conflict.families) == 1 else (" + ".join(conflict.families),)
    return "; ".join((*families, *told))
