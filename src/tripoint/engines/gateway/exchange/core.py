"""What all exchanges of a worker share, and what one is opened with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tripoint.domain.record import UsageRecord
from tripoint.domain.table import Route, RoutingTable
from tripoint.engines.gateway.entry.admission import Admission
from tripoint.engines.gateway.entry.keyring import Principal
from tripoint.engines.gateway.exchange.lanes import Lanes
from tripoint.engines.gateway.routing.router import Router
from tripoint.engines.gateway.telemetry.trace import TraceContext
from tripoint.engines.gateway.wire.ask import Ask


class Core:
    """Machines and settings of one worker; an exchange keeps the lanes it began with."""

    __slots__ = ("admission", "epoch", "hold_bytes", "lanes", "record", "router", "table")

    def __init__(
        self,
        table: RoutingTable,
        router: Router,
        lanes: Lanes,
        record: Callable[[UsageRecord, float], None],
        epoch: float,
    ) -> None:
        self.table = table
        self.router = router
        self.lanes = lanes
        self.admission = Admission()
        self.record = record
        self.epoch = epoch
        """Seconds since 1970 at zero of the clock the machines are driven with."""
        self.hold_bytes = 1 << 20
        """Longest unary answer held until it is whole (so that a cut one can be had elsewhere), bytes."""


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
