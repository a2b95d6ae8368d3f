"""A plan that costs nearly as little as the best and differs from it: what it is good for, and its price."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPlan:
    """One of several plans within a chosen share of the best."""

    name: str
    """What it is best in, e.g. `fewest vendors`; `this plan` for the plan they are compared with."""
    undiscounted_usd: float
    """Effective cost over the horizon, USD."""
    npv_usd: float
    """The same discounted, USD: what plans are chosen by."""
    more_usd: float
    """What it costs more than the plan over the horizon, USD; below 0 where discounting decides."""
    vendors: int
    """Providers other than oneself where something runs, waits or is kept."""
    moves: int
    """Times a workload enters a site it was not at."""
    egress_tb: float
    """What leaves sites at a price over the horizon, TB."""
    carbon_t: float
    """Operational emissions, t CO2e; tokens bought from vendors that publish none count as nothing."""
    elsewhere: float
    """Share of the workloads' demand, each workload weighing alike, on other pools than in the plan; 0 to 1."""
    least: float | None = None
    """No plan within the share has less than this of what it is best in; `None` for the plan itself."""
    moved: tuple[str, ...] = ()
    """What moves against the plan, the largest first."""
