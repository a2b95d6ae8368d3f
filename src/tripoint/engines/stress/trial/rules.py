"""How a trial is played beside its faults: callers' habits, and how closely it is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from tripoint.domain.tenancy import Budget
from tripoint.engines.stress.trial.script import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How callers behave and how closely it is watched."""

    tries: int = 0
    """How many more times callers try when refused, late or lost, before any fault says so."""
    backoff_s: float = 1.0
    """Wait before the first further try, s; twice as long before each next one, half to one and a half by chance."""
    most_backoff_s: float = 60.0
    """Longest such wait, s, before chance: clients stop doubling, else a twentieth try comes after days."""
    patience_s: float = inf
    """How long callers wait for a first token before they hang up, s."""
    bin_s: float = 5.0
    """Width of the bins of timelines, s."""
    budgets: tuple[Budget, ...] = ()
    """Budgets all requests fall under, leased by the ledger's own book; their tenant is that of the first."""
    usual_usd: Mapping[str, float] = field(default_factory=dict)
    """Workload id -> what the same arrivals cost without faults, USD; for `Outcome.usual_usd`."""
    script: Script | None = None
    """A recorded run to play again: when what was heard; none in a trial of its own."""
    is_whole: bool = False
    """True to give every request its exchange from the beginning, needed or not; the outcome is the same."""
    is_recording: bool = False
    """True to keep every record."""
