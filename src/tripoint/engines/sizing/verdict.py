"""Why a place, a node or an API is out: one value whoever finds it, turned into a refusal for a workload."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.fit import Refusal, RefusalReason
from tripoint.domain.units import SiteId, WorkloadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A reason with its numbers."""

    reason: RefusalReason
    """Kind of reason."""
    text: str
    """What was found, what is allowed, and what would change it."""
    actual: float | None = None
    """The figure found."""
    limit: float | None = None
    """The figure allowed."""
    unit: str = ""
    """Unit of both."""

    def refusal(self, workload: WorkloadId, site: SiteId, node_type: str) -> Refusal:
        """The refusal of one (workload, pool) pair."""
        return Refusal(
            workload=workload,
            site=site,
            node_type=node_type,
            reason=self.reason,
            text=self.text,
            actual=self.actual,
            limit=self.limit,
            unit=self.unit,
        )
