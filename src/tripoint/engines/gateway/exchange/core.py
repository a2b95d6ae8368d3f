"""What all exchanges of a worker share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tripoint.domain.record import UsageRecord
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.entry.admission import Admission
from tripoint.engines.gateway.entry.keyring import Keyring
from tripoint.engines.gateway.entry.names import Names

if TYPE_CHECKING:
    from tripoint.engines.gateway.exchange.lanes import Lanes
    from tripoint.engines.gateway.routing.router import Router


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
        "stall_s",
        "table",
    )

    def __init__(
        self, table: RoutingTable, router: Router, record: Callable[[UsageRecord], None], epoch: float
    ) -> None:
        self.router = router
        self.admission = Admission(epoch)
        self.record = record
        self.epoch = epoch
        """Seconds since 1970 at zero of the clock the machines are driven with."""
        self.hold_bytes = 1 << 20
        """Longest unary answer held until it is whole (so that a cut one can be had elsewhere), bytes."""
        self.generation = 0
        """Counts tables."""
        self.table = table
        self.stall_s = table.stall_s
        """Longest silence within an answer, s."""
        self.keyring: Keyring
        self.names: Names
        self.lanes: Lanes

    def adopt(self, table: RoutingTable, keyring: Keyring, lanes: Lanes) -> None:
        """Serves by another table from now on."""
        self.generation += 1
        self.table = table
        self.stall_s = table.stall_s
        self.keyring = keyring
        self.names = Names(table.routes)
        self.lanes = lanes
        self.admission.place(tuple(target.site for target in table.targets))
        for principal in keyring.principals():
            principal.is_bound = self.admission.binds(principal.tenant)
