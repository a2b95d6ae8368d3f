"""What faults do to a workload itself, wherever it is: data restored, copies behind, services it cannot do without.

Places go on as they are, so the simulators do not see it. A workload is dark while its data is brought back, or while
what it leans on is away; what it was asked for then is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.stress import Outcome
from tripoint.domain.units import SECONDS_PER_HOUR
from tripoint.engines.resilience.capacity.carrying import Stretch, joined
from tripoint.engines.stress.copies.lag import stale_by_workload
from tripoint.engines.stress.scenarios.ground import Ground


def after(outcomes: Iterable[Outcome], faults: Sequence[Fault], ground: Ground, until_s: float) -> tuple[Outcome, ...]:
    """The outcomes with what befell the workloads themselves, over a trial of `until_s` seconds."""
    behind = stale_by_workload(ground.following, ground.carried_gb_per_s, faults, until_s)
    found = (_after(outcome, faults, ground, until_s) for outcome in outcomes)
    return tuple(replace(each, stale_s=max(each.stale_s, behind.get(each.workload, 0.0))) for each in found)


def dark(workload: str, faults: Sequence[Fault], ground: Ground, until_s: float) -> tuple[Stretch, ...]:
    """Stretches in which a workload cannot be served wherever it is, joined where they touch, in order."""
    waiting_s = sum(fault.size * SECONDS_PER_HOUR for fault in faults if fault.kind is FaultKind.APPROVAL)
    restores = {each.id: each.restore_s for each in ground.kept}
    found: list[Stretch] = []
    for fault in faults:
        if workload not in fault.on:
            continue
        if fault.kind is FaultKind.DOWN:
            found.append((fault.at_s, min(fault.until_s, until_s)))
        elif fault.kind is FaultKind.DATA_LOST:
            found.append((fault.at_s, fault.at_s + waiting_s + restores.get(fault.on[0], 0.0)))
    return joined(found)


def _after(outcome: Outcome, faults: Sequence[Fault], ground: Ground, until_s: float) -> Outcome:
    stretches = dark(outcome.workload, faults, ground, until_s)
    stale = [fault.size for fault in faults if fault.kind is FaultKind.DATA_LOST and outcome.workload in fault.on]
    if not stretches and not stale:
        return outcome
    inside = [(begin, min(end, until_s)) for begin, end in stretches if begin < until_s]
    share = sum(end - begin for begin, end in inside) / until_s
    lost = outcome.answered * share
    return replace(
        outcome,
        answered=outcome.answered - lost,
        late=outcome.late * (1.0 - share),
        lost=outcome.lost + lost,
        # The outage goes on after the trial ends: a restore of weeks is no shorter for being watched for one.
        outage_s=max(outcome.outage_s, *(end - begin for begin, end in stretches), 0.0),
        after_s=sum(end - max(begin, until_s) for begin, end in stretches if end > until_s),
        stale_s=max(outcome.stale_s, *(hours * SECONDS_PER_HOUR for hours in stale), 0.0),
        first_limit=outcome.first_limit or ("its data has to be restored" if stale else "what it leans on is away"),
    )
