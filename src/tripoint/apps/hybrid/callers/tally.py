"""What the callers count: sent, answered, lost, by whom, how soon, and whether anything went where it must not."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from tripoint.apps.hybrid.callers.client import Reply

_TOLD: Final = 20


@dataclass(slots=True, kw_only=True)
class Tally:
    """Running counts; `phase` separates before and after the kill."""

    phase: str = "before"
    """`before` a site was killed, or `after`."""
    sent: int = 0
    """Requests sent."""
    answered: int = 0
    """Requests answered whole."""
    strayed: int = 0
    """Requests answered by a site that must not see them."""
    by_site: dict[str, Counter[str]] = field(default_factory=dict)
    """Answered requests by phase and site."""
    by_workload: dict[str, Counter[str]] = field(default_factory=dict)
    """Answered requests by workload and site."""
    faults: Counter[str] = field(default_factory=Counter)
    """Requests lost, by what the caller saw."""
    refused: Counter[str] = field(default_factory=Counter)
    """Requests refused as they should be, since the budget of the tenant is spent."""
    told: deque[str] = field(default_factory=lambda: deque(maxlen=_TOLD))
    """The last faults with their workload, for people."""
    slowest_s: dict[str, float] = field(default_factory=dict)
    """Longest whole answer by phase, s."""

    @property
    def lost(self) -> int:
        """Requests without a whole answer."""
        return sum(self.faults.values())

    @property
    def open(self) -> int:
        """Requests under way."""
        return self.sent - self.answered - self.lost - sum(self.refused.values())

    def heard(self, workload: str, reply: Reply, forbidden: frozenset[str], phase: str) -> None:
        """Counts an answer to a request that was sent in `phase` and must not be answered at `forbidden` sites."""
        if reply.site in forbidden:
            self.strayed += 1
            self.told.append(f"{workload}: answered at {reply.site}, which must not see it")
        if reply.fault:
            self.faults[reply.fault] += 1
            self.told.append(f"{workload}: {reply.fault}")
            return
        self.answered += 1
        self.by_site.setdefault(phase, Counter())[reply.site] += 1
        self.by_workload.setdefault(workload, Counter())[reply.site] += 1
        self.slowest_s[phase] = max(self.slowest_s.get(phase, 0.0), reply.took_s)
