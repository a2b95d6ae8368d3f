"""What an explanation holds: the next best place, what limits are worth, and why not elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.fit import Refusal
from tripoint.domain.plan import ConflictSet, WorkloadSummary
from tripoint.engines.answers.homes import Home
from tripoint.engines.placement.why.worth import WholeNode, Worth


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """The best plan with a choice taken away."""

    asked: str
    """The choice, as a person says it."""
    homes: tuple[Home, ...]
    """Where the workload lives then; empty without a plan."""
    worse_usd: float
    """What the whole estate costs more over the horizon, USD."""
    worse_npv_usd: float
    """The same discounted, USD: what plans are chosen by."""
    least_npv_usd: float
    """No plan with the choice taken away is proven to cost less than this more, discounted USD."""
    conflict: ConflictSet | None = None
    """Why there is no such plan."""
    was_interrupted: bool = False
    """True when the search around the plan ended before the gap asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What one more unit of a limit that binds is worth."""

    worth: Worth
    """By the program's dual."""
    saved_usd: float
    """By solving it again with one unit more: discounted USD over the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeValue:
    """What one more node is worth with all it takes: its place, its rack and its power."""

    node: WholeNode
    """Of which pool, and what it takes."""
    saved_usd: float
    """By solving the program with all of that more: discounted USD over the horizon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """What one more whole node is worth that does not fit: some limit leaves too little for it."""

    node: WholeNode
    """Of which pool, and how much it lacks of which limits."""
    saved_usd: float
    """By planning again with so much more of them: discounted USD over the horizon."""
    most_usd: float
    """No plan with so much more is proven to save more than this, discounted USD."""
    open_usd: float
    """How much cheaper the best plan without it may be, as the plan's own search left open: discounted USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why a workload is where it is."""

    summary: WorkloadSummary
    """Its bottom line, with the sentence that says why."""
    homes: tuple[Home, ...]
    """Where it lives."""
    next_best: Otherwise | None
    """Its main site taken away; `None` where it asks for nothing."""
    instead: Otherwise | None
    """Only the site that was asked for; `None` when none was."""
    limits: tuple[Value, ...]
    """Limits of its sites that bind, the most valuable first."""
    nodes: tuple[NodeValue, ...] = ()
    """Pools where several limits may bind together, and what their next whole node is worth."""
    barred: tuple[Barred, ...] = ()
    """Pools of its sites where one more whole node does not fit."""
    unused: tuple[str, ...]
    """Sites where it may run and does not."""
    refusals: tuple[Refusal, ...]
    """Why it may not run elsewhere."""
