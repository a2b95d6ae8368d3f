"""How often a scenario comes to an estate, from how often it comes to one thing.

A scenario's frequency is that of one thing that can be struck. Trials strike the worst of them, one by chance, or all
at once. All at once is one event, whatever their number. One by chance stands for each of them. The worst stands for
the others by what is served there: a site that carries half as much loses half as much, and counts as half a site.
"""

from __future__ import annotations

import math

from tripoint.domain.scenario import Pick, Scenario
from tripoint.engines.stress.scenarios.candidates import Target, targets_for
from tripoint.engines.stress.scenarios.ground import Ground


def exposed(scenario: Scenario, ground: Ground) -> float:
    """Things the frequency of a scenario is to be taken for, as multiples of the one its trials strike; 0 of none.

    A scenario is about what its first strike hits.
    """
    if not scenario.strikes:
        return 0.0
    first = scenario.strikes[0]
    targets = targets_for(ground, first)
    if not targets:
        return 0.0
    if first.pick is Pick.ALL:
        return 1.0
    counts = [_count(each, first.hits) for each in targets]
    most = max(each.weight for each in targets)
    if first.pick is Pick.RANDOM or most <= 0.0:
        return math.fsum(counts)
    return math.fsum(count * each.weight / most for count, each in zip(counts, targets, strict=True))


def _count(target: Target, hits: str) -> float:
    """How many such things a target is: the nodes of a pool, the sites of several alike."""
    sort = hits.partition(":")[0]
    if sort == "node":
        return max(1.0, target.nodes)
    if sort == "accelerator":
        return max(1.0, target.nodes) * target.gpus_per_node
    return 1.0 / target.part if sort in ("site", "domain") else 1.0
