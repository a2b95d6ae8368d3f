"""Places a stage need not look at: another one is no dearer for it, wherever all others are.

Moving a stage from place s to place t changes its own cost and the tariffs its data falls under. Of a tariff with cost
C and largest possible volume W, g more GB cost at most max C(V) - C(V - g) over g <= V <= W, and save at least the
minimum of the same; what stays under one tariff changes nothing. Where the own difference and the worst of all moves,
over every place the other end may be at, sum to no more than nothing, s is left out. Places go one by one, so that of
two that are alike one stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tripoint.engines.costing.transfer import Tariff, tariff_cost
from tripoint.engines.placement.handover.problem import FREE, Handovers
from tripoint.engines.placement.milp.program import BoolArray, FloatArray

_ROUNDS = 4
_ROUNDING = 1e-9


class _Step(NamedTuple):
    """What a move's volume costs on each way between two places."""

    most: FloatArray
    """[places, places] at most, when it comes to that way."""
    least: FloatArray
    """[places, places] saved at least, when it leaves it."""


def without_dominated(problem: Handovers) -> Handovers:
    """The same choice of cheapest cost among fewer places."""
    may = _cheapest_alike(problem)
    steps = [_step(problem, move) for move in range(problem.moves)]
    ends: list[list[int]] = [[] for _ in range(problem.stages)]
    for move, (sender, receiver) in enumerate(zip(problem.sender.tolist(), problem.receiver.tolist(), strict=True)):
        ends[sender].append(move)
        ends[receiver].append(move)
    stale = [True] * problem.stages
    for _ in range(_ROUNDS):
        for stage in range(problem.stages):
            if not stale[stage]:  # nobody it hands data to or takes it from has fewer places than when it was asked
                continue
            stale[stage] = False
            before = int(may[stage].sum())
            if before > 1:
                may[stage] = _kept(problem, [(move, steps[move]) for move in ends[stage]], may, stage)
            if int(may[stage].sum()) < before:
                for move in ends[stage]:
                    stale[int(problem.sender[move])] = stale[int(problem.receiver[move])] = True
                stale[stage] = False
        if not any(stale):
            break
    return replace(problem, usd=np.where(may, problem.usd, np.inf))


def _cheapest_alike(problem: Handovers) -> BoolArray:
    """[stages, places] where each may be, of places that are alike the cheapest.

    Alike are places that lead everywhere, and are led to from everywhere, by the same tariffs, so also to each other
    by none.
    """
    ways = np.hstack([problem.tariff, problem.tariff.T])
    _, sort = np.unique(ways, axis=0, return_inverse=True)
    kept = np.zeros_like(problem.may())
    for stage, allowed in enumerate(problem.may()):
        places = np.flatnonzero(allowed)
        order = places[np.argsort(problem.usd[stage, places], kind="stable")]
        _, first = np.unique(sort.reshape(-1)[order], return_index=True)
        kept[stage, order[first]] = True
    return kept


def _step(problem: Handovers, move: int) -> _Step:
    gb, total = float(problem.gb[move]), float(problem.gb.sum())
    most, least = np.zeros(len(problem.tariffs) + 1), np.zeros(len(problem.tariffs) + 1)
    for number, tariff in enumerate(problem.tariffs):
        most[number], least[number] = _extremes(tariff, gb, total)
    assert FREE == -1  # the last entry, which costs nothing
    return _Step(most=most[problem.tariff], least=least[problem.tariff])


def _extremes(tariff: Tariff, gb: float, total: float) -> tuple[float, float]:
    """Most and least that the last `gb` of a volume cost; a piecewise linear function, so the ends of pieces do."""
    if len(tariff.tiers) == 1 and tariff.tiers[0][:2] == (0.0, None):
        return tariff.tiers[0][2] * gb, tariff.tiers[0][2] * gb
    ends = {gb, total}
    for start, _, _ in tariff.tiers:
        ends.update(volume for volume in (start, start + gb) if gb <= volume <= total)
    last = [tariff_cost(tariff, volume) - tariff_cost(tariff, max(0.0, volume - gb)) for volume in ends]
    return max(last), min(last)


def _kept(problem: Handovers, steps: list[tuple[int, _Step]], may: BoolArray, stage: int) -> BoolArray:
    """[places] where the stage may still be."""
    here = np.flatnonzero(may[stage])
    usd = problem.usd[stage, here]
    worse = usd[None, :] - usd[:, None]  # [from, to] how much dearer at most
    for move, step in steps:
        if problem.receiver[move] == stage:
            others = np.flatnonzero(may[problem.sender[move]])
            worse += _changed(problem, step, np.ix_(others, here), is_coming=True)
        else:
            others = np.flatnonzero(may[problem.receiver[move]])
            worse += _changed(problem, step, np.ix_(here, others), is_coming=False)
    alive = np.ones(len(here), dtype=np.bool_)
    np.fill_diagonal(worse, np.inf)
    dearest_first = np.argsort(-usd, kind="stable")
    for place in dearest_first[worse.min(axis=1)[dearest_first] <= _ROUNDING]:
        if (worse[place, alive] <= _ROUNDING).any():
            alive[place] = False
    kept: BoolArray = np.zeros(len(may[stage]), dtype=np.bool_)
    kept[here[alive]] = True
    return kept


def _changed(
    problem: Handovers,
    step: _Step,
    cells: tuple[Any, ...],
    *,
    is_coming: bool,
) -> FloatArray:
    """[from, to] how much more a move costs at most, over all places of its other end."""
    tariff, most, least = problem.tariff[cells], step.most[cells], step.least[cells]
    if not is_coming:
        tariff, most, least = tariff.T, most.T, least.T
    change = np.where(tariff[:, :, None] == tariff[:, None, :], 0.0, most[:, None, :] - least[:, :, None])
    worst: FloatArray = change.max(axis=0)
    return worst
