"""What is done to an estate in a trial: resolved, timed, and the same for the request simulator and the fluid one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.units import SECONDS_PER_DAY


class FaultKind(StrEnum):
    """What happens to the things a fault strikes; `size` means what each says."""

    DOWN = "down"
    """Places refuse connections; requests in flight there are lost at once. `size` is not read."""
    HANG = "hang"
    """Places accept and never answer. `size` is not read."""
    SLOW = "slow"
    """Service takes `size` times as long."""
    ERRORS = "errors"
    """A share `size` of requests is answered 500."""
    WRONG = "wrong"
    """A share `size` of answers is malformed though the status is 200."""
    LIMIT = "limit"
    """More than a share `size` of a place's capacity is answered 429."""
    CAPACITY = "capacity"
    """A share `size` of a place's capacity is left: nodes lost, power capped, spot reclaimed."""
    LINK_DOWN = "link_down"
    """Nothing crosses. `size` is not read."""
    LINK_LOSS = "link_loss"
    """A share `size` of packets is lost."""
    LINK_DELAY = "link_delay"
    """A round trip takes `size` ms longer."""
    LINK_RATE = "link_rate"
    """A share `size` of the bandwidth is left."""
    DEMAND = "demand"
    """Workloads are asked `size` times as much."""
    RETRIES = "retries"
    """Callers try up to `size` more times when refused, late or lost."""
    PRICE = "price"
    """What `on` names costs `size` times as much: `spot`, `on_demand`, `token`, `egress`, `energy`."""
    ORDER_DELAY = "order_delay"
    """Nodes ordered arrive `size` weeks later."""
    BUDGET = "budget"
    """A share `size` of the money is left."""
    SERVICE_DOWN = "service_down"
    """A shared service (DNS, keys, registry, identity, certificate) does not answer. `size` is not read."""
    DATA_LOST = "data_lost"
    """Online copies of data are gone or corrupt; the newest clean copy is `size` hours old."""
    LEAVE = "leave"
    """Workloads may no longer be at the places struck. `size` is the notice in days."""
    APPROVAL = "approval"
    """A person's decision takes `size` hours longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that happens in one trial."""

    kind: FaultKind
    """What happens."""
    on: tuple[str, ...]
    """What it strikes: site ids, `site/node_type` pools, link ids, workload ids, shared services or prices."""
    at_s: float
    """When it begins, seconds from the start of the trial."""
    until_s: float
    """When it ends; `inf` when it lasts."""
    size: float = 1.0
    """How hard, in the unit its kind says."""
    ramp_s: float = 0.0
    """Seconds over which it reaches its size; 0 for a step."""

    @property
    def bites_s(self) -> float:
        """When it begins to bite, seconds from the start of the trial: those who must leave have notice."""
        return self.at_s + self.size * SECONDS_PER_DAY if self.kind is FaultKind.LEAVE else self.at_s
