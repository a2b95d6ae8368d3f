"""What becomes of a missed objective: the change that meets it with its price, or why none does."""

from __future__ import annotations

from typing import NamedTuple

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.recovery import Miss, Reached, Remedy
from tripoint.engines.resilience.recovery.changes import Change
from tripoint.engines.resilience.recovery.told import asked_of, short_of


class Price(NamedTuple):
    """What a change costs beside the plan as it is."""

    usd_per_month: float
    """More than now, USD per month."""
    open_usd_per_month: float
    """How far the searches leave that open, USD per month."""


def loss_told(kind: DisruptionClass) -> str:
    """What is lost, as a sentence names it."""
    return "data" if kind is DisruptionClass.DATA else f"a {kind.value.replace('_', ' ')}"


def remedy_by(missed: Reached, change: Change, now: Reached, kept: str, price: Price) -> Remedy:
    """The remedy by a change that meets what was missed; `kept` is what the plan adds for it."""
    return Remedy(
        workload=missed.workload,
        disruption=missed.disruption,
        asked=asked_of(missed),
        does=f"{change.does} ({kept})" if kept else change.does,
        usd_per_month=price.usd_per_month,
        rta_s=now.rta_s,
        rpa_s=now.rpa_s,
        is_possible=True,
        change=change.lines,
        cost_factor=now.cost_factor if Miss.COST in missed.misses else None,
        open_usd_per_month=price.open_usd_per_month,
    )


def no_remedy(missed: Reached, nearest: Reached, why: str) -> Remedy:
    """That no change is enough; `nearest` is what the best of them reaches."""
    return Remedy(
        workload=missed.workload,
        disruption=missed.disruption,
        asked=asked_of(missed),
        does=why,
        usd_per_month=0.0,
        rta_s=nearest.rta_s,
        rpa_s=nearest.rpa_s,
        is_possible=False,
    )


def why_nothing(missed: Reached) -> str:
    """Why there is no change to try."""
    if not missed.stopped_by:
        return "nothing the planner decides would help"
    gone = ", ".join(f"`{name}`" for name in missed.stopped_by)
    return f"no capacity helps while {gone} needs what is lost; give it another place under `dependencies`"


def not_enough(change: Change, now: Reached) -> str:
    """That the nearest change still misses something, and what."""
    return f"nothing is enough; the nearest is {change.does}{short_of(now)}"
