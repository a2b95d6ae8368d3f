"""What a recorded run tells a trial: when everything was heard, so that the same decisions can be asked for again.

Faults still say what happens to an attempt; the script says only how long it took until the gateway heard of it, and
when the gateway looked around. Times are those of the trial.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Heard(NamedTuple):
    """When something came of one attempt, s after it was sent."""

    first_s: float
    """First token, or whatever came first."""
    rest_s: float
    """From that to the last."""


class Begun(Heard):
    """The same of one whose answer had begun, though no token of it had come, when it was lost or given up."""

    __slots__ = ()


class Probed(NamedTuple):
    """How one probe went."""

    took_s: float
    """From the tick that sent it to its answer, s."""
    is_well: bool
    """What it told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A recorded run, as far as the network and the clock are concerned."""

    start_s: float
    """When the gateway began."""
    seed: int
    """Seed it began with."""
    ticks: Sequence[float]
    """When it looked around, ascending, s."""
    sweeps: Sequence[float]
    """When it looked for requests whose time had come, ascending, s."""
    heard: Mapping[tuple[int, int, int], Heard]
    """(workload, number of the request, which attempt of it) -> when it was heard of."""
    probed: Mapping[str, Sequence[Probed]]
    """Upstream id -> its probes in order."""

    def sweep_from(self, due: float) -> float:
        """The first sweep at or after a moment; that moment where the record has none."""
        place = bisect_left(self.sweeps, due)
        return self.sweeps[place] if place < len(self.sweeps) else due
