"""One workload of runs under faults: it works where its whole gang stands, and does again what a loss took.

Work comes in steadily and is done in its order, as work nobody waits for is in `fluid`. A gang runs on all of its nodes
or not at all. Nodes that are lost under it take what was done since the last checkpoint, half an interval on average,
and the time to start again; where other nodes of the pool are left, the gang is hit as often as it is on those lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor
from typing import NamedTuple

import numpy as np

from tripoint.domain.fault import Fault
from tripoint.domain.stress import Outcome
from tripoint.domain.units import MS_PER_S, SECONDS_PER_HOUR
from tripoint.engines.stress.fluid.deferred import catch_up, stopped_s
from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.trial.conditions import PlaceState, moments, state_at
from tripoint.engines.stress.world import Run, RunAt

_SLACK = 1e-9
_BUSY = 1e-6


class _Part(NamedTuple):
    """What one place of a run came to, in node-hours."""

    offered: float
    late: float
    shed: float
    redone: float
    age_s: float
    stopped_s: float
    worked: float
    room: float
    is_hit: bool


def run_outcome(run: Run, faults: Sequence[Fault], until_s: float) -> Outcome:
    """What became of a workload of runs in a trial of `until_s` seconds; amounts are node-hours of work."""
    parts = [_part(run, at, faults, until_s) for at in run.places]
    quiet = [_part(run, at, (), until_s) for at in run.places] if faults else parts
    offered, shed = sum(part.offered for part in parts), sum(part.shed for part in parts)
    room = sum(part.room for part in parts)
    limit_s = np.inf if run.deadline_hours is None else run.deadline_hours * SECONDS_PER_HOUR
    age_s = max((part.age_s for part in parts), default=0.0)
    redone = sum(part.redone for part in parts)
    behind_s = max(0.0, age_s - limit_s)
    stopped = max((part.stopped_s for part in parts), default=0.0)
    return Outcome(
        workload=run.workload,
        offered=offered,
        answered=offered - shed,
        late=sum(part.late for part in parts),
        shed=shed,
        lost=0.0,
        outside=sum(
            part.worked for part, at in zip(parts, run.places, strict=True) if at.place.site not in run.permitted
        ),
        outage_s=max(behind_s, stopped),
        stale_s=run.checkpoint_s if any(part.is_hit for part in parts) else 0.0,
        ttft_p99_ms=0.0,
        wait_p99_ms=age_s * MS_PER_S,
        usd=_usd(run, parts),
        usual_usd=_usd(run, quiet),
        margin=(room - offered) / max(room, offered) if max(room, offered) > 0.0 else 1.0,
        first_limit=_limit(run, behind_s, redone),
    )


def _limit(run: Run, behind_s: float, redone: float) -> str:
    if behind_s > 0.0:
        return f"deadline of {run.deadline_hours:g} h"
    return f"{redone:.2g} node-hours since the last checkpoint are done again" if redone > 0.0 else ""


def _usd(run: Run, parts: Sequence[_Part]) -> float:
    return sum(part.worked * at.place.usd_per_node_hour for part, at in zip(parts, run.places, strict=True))


def _part(run: Run, at: RunAt, faults: Sequence[Fault], until_s: float) -> _Part:
    edges = _edges(faults, until_s)
    hours = np.diff(edges) / SECONDS_PER_HOUR
    arriving = at.work_per_hour * hours
    possible, redone, is_hit = _possible(run, at, faults, (edges, hours))
    course = catch_up(edges, arriving, possible)
    limit_s = np.inf if run.deadline_hours is None else run.deadline_hours * SECONDS_PER_HOUR
    is_done = np.isfinite(course.waits_s)
    age = np.where(is_done, course.waits_s, edges[-1] - edges[1:])
    is_over = age > limit_s + _SLACK
    return _Part(
        offered=float(arriving.sum()),
        late=float(arriving[is_over & is_done].sum()),
        shed=float(arriving[is_over & ~is_done].sum()),
        redone=redone,
        age_s=float(age.max(initial=0.0)),
        stopped_s=stopped_s(edges, possible, at.gang_nodes * hours) if run.deadline_hours is None else 0.0,
        worked=float(course.done.sum()) + redone,
        room=float(possible.sum()),
        is_hit=is_hit,
    )


def _edges(faults: Sequence[Fault], until_s: float) -> Floats:
    """Hours, and the moments at which conditions change."""
    changing = [moment for moment in moments(faults) if 0.0 < moment < until_s]
    return np.unique(np.array([*np.arange(0.0, until_s, SECONDS_PER_HOUR), *changing, until_s]))


def _possible(run: Run, at: RunAt, faults: Sequence[Fault], when: tuple[Floats, Floats]) -> tuple[Floats, float, bool]:
    """[L] node-hours of new work possible in each piece; what was done again; whether a run was hit."""
    edges, hours = when
    possible = np.zeros(hours.size)
    changing = set(moments(faults))
    before, is_hit = 1.0, False
    owed = redone = backlog = 0.0
    state = state_at(at.place, faults, 0.0)
    for number, (start, _) in enumerate(pairwise(edges.tolist())):
        if start in changing or number == 0:
            state = state_at(at.place, faults, start)
        left = _left(state)
        if left < before - _SLACK:
            busy = 1.0 if backlog > _BUSY else min(1.0, at.work_per_hour / at.gang_nodes)
            lost = _hit(at, before, left) * busy
            owed += lost * at.gang_nodes * (run.checkpoint_s / 2.0 + run.restart_s) / SECONDS_PER_HOUR
            is_hit = is_hit or lost > 0.0
        before = left
        room = at.gang_nodes * hours[number] / max(1.0, state.slow) if _stands(at, left) else 0.0
        again = min(owed, room)
        owed, redone = owed - again, redone + again
        possible[number] = room - again
        backlog = max(0.0, backlog + at.work_per_hour * hours[number] - possible[number])
    return possible, redone, is_hit


def _left(state: PlaceState) -> float:
    """Share of the place that works."""
    return 0.0 if state.is_down or state.is_hung else state.capacity


def _stands(at: RunAt, left: float) -> bool:
    """Whether a whole gang finds its nodes."""
    return floor(at.nodes * left + _SLACK) >= at.gang_nodes


def _hit(at: RunAt, before: float, left: float) -> float:
    """Chance that nodes that went had the gang on them; sure where what is left is no whole gang."""
    if not _stands(at, before):
        return 0.0
    return 1.0 if not _stands(at, left) else (before - left) / before
