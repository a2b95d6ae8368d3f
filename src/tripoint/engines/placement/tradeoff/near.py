"""Plans nearly as cheap as the best that differ from it: each the least in one measure, then as cheap as that allows.

The last measure is what stays where the plan has it: seeking the least of it is the Hop-Skip-Jump method of modelling
to generate alternatives (Brill, Chang and Hopkins 1982).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.milp.program import FloatArray, Program
from tripoint.engines.placement.tradeoff.front import under, with_ceiling
from tripoint.engines.placement.tradeoff.measures import Measure, carbon, egress, moves, vendors

NAMES = {
    "vendors": "fewest vendors",
    "moves": "fewest moves",
    "egress": "least egress",
    "carbon": "least carbon",
    "staying": "most unlike",
}
"""What the least of each measure is called."""
ALIKE = 0.01
"""Plans that have less than this share of the demand elsewhere are one and the same."""
_HERE = 1e-6


class Ground(NamedTuple):
    """Where plans near a plan are sought."""

    form: Formulation
    """The formulation, columns for vendors included."""
    network: Network
    """Its network."""
    program: Program
    """The program without any ceiling."""
    start: FloatArray
    """[columns] the plan in this program."""
    measures: tuple[Measure, ...]
    """What is sought the least of, by name as in `NAMES`."""


def ground(form: Formulation, network: Network, values: FloatArray) -> Ground:
    """The ground around a plan; `form` is a fresh formulation, `values` are the plan's in it."""
    known = form.builder.size
    found = (vendors(form), moves(form), egress(form), carbon(form), _staying(form, values))
    program = form.program()
    start = np.concatenate([values[:known], np.ones(program.columns - known)])
    return Ground(form, network, program, _without_idle_vendors(program, start, known), found)


def within(around: Ground, share: float, measure: Measure) -> Program:
    """The program of plans that cost at most so much more than the plan, with a ceiling on a measure yet to be set."""
    cost = around.program.cost
    columns = np.flatnonzero(cost)
    money = Measure("cost", "USD", tuple(columns.tolist()), tuple(cost[columns].tolist()))
    best = float(cost @ around.start)
    return with_ceiling(under(with_ceiling(around.program, money), best + share * abs(best)), measure)


def shares(form: Formulation, values: FloatArray) -> dict[tuple[str, str], float]:
    """(workload, pool) -> share of the workload's demand over the horizon."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (number, _, block), column in form.serve.items():
        if values[column] > _HERE:
            lane = form.instance.lanes[number]
            weight = _weight(form, lane.workload, block)
            found[str(form.workload_id(lane.workload)), lane.fit.pool] += float(values[column]) * weight
    return dict(found)


def elsewhere(one: dict[tuple[str, str], float], other: dict[tuple[str, str], float]) -> float:
    """Share of the demand on other pools in one than in the other; each workload weighs alike."""
    apart = sum(abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in {**one, **other}) / 2
    return apart / max(len({workload for workload, _ in one}), 1)


def most_unlike(placed: Sequence[dict[tuple[str, str], float]], count: int) -> tuple[int, ...]:
    """Up to `count` of the plans beside the first, each the farthest from all chosen before it; alike ones never."""
    chosen: list[int] = []
    while len(chosen) < count:
        far = {
            number: min(elsewhere(placed[number], placed[other]) for other in (0, *chosen))
            for number in range(1, len(placed))
            if number not in chosen
        }
        best = max(far, key=lambda number: far[number], default=None)
        if best is None or far[best] < ALIKE:
            break
        chosen.append(best)
    return tuple(sorted(chosen))


def _staying(form: Formulation, values: FloatArray) -> Measure:
    """Share of the demand on pools where the plan has the workload at any time, in percent."""
    used = {key for key, share in shares(form, values).items() if share > ALIKE}
    instance = form.instance
    many = max(len(instance.estate.workloads), 1)
    terms = {}
    for (number, _, block), column in form.serve.items():
        lane = instance.lanes[number]
        if (form.workload_id(lane.workload), lane.fit.pool) in used:
            terms[column] = 100.0 * _weight(form, lane.workload, block) / many
    return Measure("staying", "% of the demand", tuple(terms), tuple(terms.values()))


def _weight(form: Formulation, workload: int, block: int) -> float:
    """What a share in a block counts of the workload's whole demand."""
    instance = form.instance
    whole = is_energy(instance.estate.workloads[workload])
    return (1.0 if whole else instance.grid.blocks[block].weight) / len(instance.periods)


def _without_idle_vendors(program: Program, start: FloatArray, known: int) -> FloatArray:
    """The start with vendors at 0 where no row asks for them."""
    for column in range(known, program.columns):
        tried = start.copy()
        tried[column] = 0.0
        if replace(program).worst_violation(tried) <= _HERE:
            start = tried
    return start
