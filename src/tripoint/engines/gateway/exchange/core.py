"""What all exchanges of a worker share, and what one is opened with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from tripoint.domain.record import Reason, UsageRecord
from tripoint.domain.table import Route, RoutingTable
from tripoint.engines.gateway.entry.admission import Admission
from tripoint.engines.gateway.entry.keyring import Keyring, Principal
from tripoint.engines.gateway.entry.names import Names
from tripoint.engines.gateway.routing.query import Shed
from tripoint.engines.gateway.telemetry.trace import TraceContext
from tripoint.engines.gateway.wire.ask import Ask

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.lanes import Lanes
    from tripoint.engines.gateway.routing.query import Choice, Query
    from tripoint.engines.gateway.routing.router import Router


class Opening(NamedTuple):
    """One request, understood."""

    id: str
    """Request id."""
    ask: Ask
    """What it asks for."""
    route: Route
    """Workload it belongs to."""
    principal: Principal
    """Who asks."""
    label: str | None
    """Classification it carries beside its workload's."""
    trace: TraceContext
    """W3C trace it belongs to."""
    began_at: float
    """When its last byte had come."""
    deadline: float
    """When it is given up."""


class Core:
    """Machines and settings of one worker; a reload changes them for requests under way as well."""

    __slots__ = (
        "admission",
        "epoch",
        "generation",
        "hold_bytes",
        "keyring",
        "lanes",
        "names",
        "record",
        "router",
        "table",
    )

    def __init__(
        self, table: RoutingTable, router: Router, record: Callable[[UsageRecord, float], None], epoch: float
    ) -> None:
        self.router = router
        self.admission = Admission()
        self.record = record
        self.epoch = epoch
        """Seconds since 1970 at zero of the clock the machines are driven with."""
        self.hold_bytes = 1 << 20
        """Longest unary answer held until it is whole (so that a cut one can be had elsewhere), bytes."""
        self.generation = 0
        """Counts tables."""
        self.table = table
        self.keyring: Keyring
        self.names: Names
        self.lanes: Lanes

    def adopt(self, table: RoutingTable, keyring: Keyring, lanes: Lanes) -> None:
        """Serves by another table from now on."""
        self.generation += 1
        self.table = table
        self.keyring = keyring
        self.names = Names(table.routes)
        self.lanes = lanes

    def renew(self, opening: Opening, query: Query) -> bool:
        """Brings a request of an earlier table up to this one's policy; False where it may no longer be served.

        An attempt under way ends as it began; what is tried next must be permitted now.
        """
        route = self.names.by_workload.get(opening.route.workload)
        principal = self.keyring.by_id(opening.principal.key)
        if route is None or principal is None or not principal.may_call(route.workload):
            return False
        query.route = route
        query.sites = principal.sites
        return True


class Tries:
    """Upstreams a request was sent to, by slot (which outlives a reload), and the choice of the next."""

    __slots__ = ("_core", "_generation", "_opening", "_tried", "query")

    def __init__(self, core: Core, opening: Opening, query: Query) -> None:
        self._core = core
        self._opening = opening
        self.query = query
        self._tried: list[int] = []
        self._generation = core.generation

    def __len__(self) -> int:
        return len(self._tried)

    @property
    def is_outdated(self) -> bool:
        """True when a table came meanwhile: what was permitted may not be any more."""
        return self._generation != self._core.generation

    def first(self, now: float) -> Choice | Shed:
        """A place for the first attempt, or why there is none."""
        return self._core.router.choose(self.query, self._tried, now)

    def add(self, choice: Choice) -> None:
        """It was sent there."""
        self._tried.append(choice.target.slot)

    def another(self, why: Reason, now: float) -> Choice | None:
        """A place at an upstream not tried yet."""
        return self._chosen(self._tried, why, now) if self._is_current() else None

    def again(self, choice: Choice, now: float) -> Choice | None:
        """A place at the same upstream, once more only."""
        slot = choice.target.slot
        if self._tried.count(slot) > 1 or not self._is_current():
            return None
        return self._chosen([tried for tried in self._tried if tried != slot], Reason.RETRY, now)

    def _chosen(self, tried: list[int], why: Reason, now: float) -> Choice | None:
        choice = self._core.router.choose(self.query, tried, now, why=why)
        return None if isinstance(choice, Shed) else choice

    def _is_current(self) -> bool:
        """True when the request may still be served, after it was brought up to a table that came meanwhile."""
        if self.is_outdated:
            if not self._core.renew(self._opening, self.query):
                return False
            self._generation = self._core.generation
        return True
