"""The program that decides where stages are: whole places, shares of each move by tariff, and tiers filled in order.

    minimise    sum usd x  +  sum price tier
    subject to  each stage at one place:                     sum over places of x = 1
                a move leaves where its sender is:           sum over tariffs of f = x of the sender there
                and goes where its receiver is:              f <= sum of x of the receiver where that tariff leads
                what stays within places stays within them:  sum of f that lead only there <= sum of x there
                volume of a tariff fills its tiers:          sum of GB f = sum of tier

The fourth follows from the others for whole decisions; without it the relaxation moves for nothing within a provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tripoint.engines.costing.transfer import Tariff
from tripoint.engines.placement.handover.problem import FREE, Handovers
from tripoint.engines.placement.milp.program import FloatArray, IntArray, Program, ProgramBuilder

Terms = list[tuple[int, float]]


class Formulated(NamedTuple):
    """A program and where the stages stand in it."""

    program: Program
    """What is solved."""
    at: tuple[dict[int, int], ...]
    """[stages] place -> column."""

    def chosen(self, values: FloatArray) -> IntArray:
        """[stages] the place each stage is at."""
        places = [max(columns, key=lambda place: values[columns[place]]) for columns in self.at]
        return np.array(places, dtype=np.int32)


@dataclass(slots=True)
class _Draft:
    """The program as it grows."""

    problem: Handovers
    builder: ProgramBuilder = field(default_factory=ProgramBuilder)
    cost: dict[int, float] = field(default_factory=dict)
    at: list[dict[int, int]] = field(default_factory=list)
    volumes: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    """Tariff -> (column, GB per unit of it)."""


def formulate(problem: Handovers) -> Formulated:
    """The whole program."""
    draft = _Draft(problem)
    _stages(draft)
    for move in range(problem.moves):
        if problem.gb[move] > 0:
            _move(draft, move)
    for number in sorted(draft.volumes):
        _tiers(draft, number)
    cost = np.zeros(draft.builder.size)
    cost[list(draft.cost)] = list(draft.cost.values())
    return Formulated(program=draft.builder.build(cost), at=tuple(draft.at))


def _stages(draft: _Draft) -> None:
    problem, builder = draft.problem, draft.builder
    for stage, allowed in enumerate(problem.may()):
        columns: dict[int, int] = {}
        for place in np.flatnonzero(allowed).tolist():
            columns[place] = builder.column(f"at[{stage},{place}]", upper=1.0, integer=True)
            draft.cost[columns[place]] = float(problem.usd[stage, place])
        builder.row("stage", f"stage {stage}", [(column, 1.0) for column in columns.values()], lower=1.0, upper=1.0)
        draft.at.append(columns)


def _move(draft: _Draft, move: int) -> None:
    """Shares of a move by the place it leaves and the tariff it goes by."""
    problem, builder = draft.problem, draft.builder
    gb = float(problem.gb[move])
    senders, receivers = draft.at[problem.sender[move]], draft.at[problem.receiver[move]]
    within: dict[frozenset[int], Terms] = {}
    for place, sender in senders.items():
        leads = _leads(problem, place, receivers)
        if len(leads) == 1:
            _charge(draft, next(iter(leads)), sender, gb)
            continue
        widest = max(leads, key=lambda number: len(leads[number]))
        near: set[int] = set()
        shares: Terms = []
        kept: Terms = []
        for number, targets in leads.items():
            share = builder.column(f"move[{move},{place},{number}]", upper=1.0)
            shares.append((share, 1.0))
            _charge(draft, number, share, gb)
            _arrives(draft, (share, targets), receivers)
            if number != widest:
                near.update(targets)
                kept.append((share, 1.0))
        builder.row("leaves", f"move {move} from {place}", [*shares, (sender, -1.0)], lower=0.0, upper=0.0)
        within.setdefault(frozenset(near), []).extend(kept)
    for targets_of, terms in within.items():
        ends = [(receivers[target], -1.0) for target in sorted(targets_of)]
        builder.row("within", f"move {move}", [*terms, *ends], upper=0.0)


def _leads(problem: Handovers, place: int, receivers: dict[int, int]) -> dict[int, list[int]]:
    """Tariff -> the places of the receiver it leads to from a place."""
    leads: dict[int, list[int]] = {}
    for target in receivers:
        leads.setdefault(int(problem.tariff[place, target]), []).append(target)
    return leads


def _charge(draft: _Draft, number: int, column: int, gb: float) -> None:
    if number != FREE:
        draft.volumes.setdefault(number, []).append((column, gb))


def _arrives(draft: _Draft, share: tuple[int, list[int]], receivers: dict[int, int]) -> None:
    """A share arrives where its tariff leads, said by the shorter of the two lists of places."""
    column, targets = share
    if 2 * len(targets) <= len(receivers):
        ends = [(receivers[target], -1.0) for target in targets]
        draft.builder.row("arrives", "", [(column, 1.0), *ends], upper=0.0)
        return
    others = receivers.keys() - set(targets)
    draft.builder.row("arrives", "", [(column, 1.0), *((receivers[each], 1.0) for each in sorted(others))], upper=1.0)


def _tiers(draft: _Draft, number: int) -> None:
    """Volume under a tariff fills its tiers from below, by order columns where a later tier is cheaper.

    What is free at first is free for what is moved only: tier[0] <= sum of min(width, GB) f keeps shares of places
    from having a free tier each.
    """
    terms, builder = draft.volumes[number], draft.builder
    most = sum(gb for _, gb in terms)
    tiers = _reachable(draft.problem.tariffs[number], most)
    if len(tiers) == 1:
        for column, gb in terms:
            draft.cost[column] = draft.cost.get(column, 0.0) + gb * tiers[0][1]
        return
    columns = []
    for index, (width, price) in enumerate(tiers):
        columns.append(builder.column(f"tier[{number},{index}]", upper=width))
        draft.cost[columns[-1]] = price
    filled: Terms = [(column, 1.0) for column in columns]
    builder.row("tiers", f"tariff {number}", [*filled, *((column, -gb) for column, gb in terms)], lower=0.0, upper=0.0)
    first = [(column, -min(tiers[0][0], gb)) for column, gb in terms]
    builder.row("tiers", f"tariff {number} first", [(columns[0], 1.0), *first], upper=0.0)
    _in_order(builder, columns, tiers)


def _in_order(builder: ProgramBuilder, columns: Sequence[int], tiers: Sequence[tuple[float, float]]) -> None:
    for index in range(1, len(tiers)):
        if tiers[index][1] >= tiers[index - 1][1]:
            continue
        opened = builder.column(f"opened[{columns[index]}]", upper=1.0, integer=True)
        builder.row("order", "", [(columns[index], 1.0), (opened, -tiers[index][0])], upper=0.0)
        for below in range(index):
            builder.row("order", "", [(columns[below], 1.0), (opened, -tiers[below][0])], lower=0.0)


def _reachable(tariff: Tariff, most: float) -> list[tuple[float, float]]:
    """(width, price) of the tiers that the largest possible volume reaches; the last as wide as it takes."""
    tiers = [
        (most - start if end is None else min(end, most) - start, price)
        for start, end, price in tariff.tiers
        if start < most
    ]
    return tiers or [(0.0, tariff.tiers[0][2])]
