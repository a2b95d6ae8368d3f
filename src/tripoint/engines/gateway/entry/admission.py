"""May this request enter? A seam with the simplest rule: everybody recognised may, and nothing is held back.

Quotas and budgets will reserve here before an attempt is sent and settle when the record is written.
"""

from __future__ import annotations

from tripoint.engines.gateway.entry.keyring import Principal
from tripoint.engines.gateway.routing.query import Shed


class Admission:
    """Counts what is under way by tenant, so that rules of later have something to hold on to."""

    __slots__ = ("under_way",)

    def __init__(self) -> None:
        self.under_way: dict[str, int] = {}
        """Requests open by tenant."""

    def admit(self, principal: Principal, now: float) -> Shed | None:
        """`None` when the request may enter; it must be settled once."""
        del now
        self.under_way[principal.tenant] = self.under_way.get(principal.tenant, 0) + 1
        return None

    def settle(self, principal: Principal, nano: int, now: float) -> None:
        """Ends what `admit` began; `nano` is what the request cost, nano-dollars."""
        del nano, now
        self.under_way[principal.tenant] -= 1
