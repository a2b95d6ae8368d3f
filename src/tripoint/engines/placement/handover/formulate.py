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


class Share(NamedTuple):
    """A column that says whether a move leaves a place by a tariff."""

    column: int
    """Which."""
    move: int
    """The move."""
    place: int
    """Where its sender is then."""
    tariff: int
    """What leads from there to its receiver."""


class Tiers(NamedTuple):
    """The columns of a tariff's tiers."""

    tariff: int
    """Which."""
    columns: tuple[int, ...]
    """Volume in each tier."""
    widths: tuple[float, ...]
    """Most of it."""
    opened: tuple[tuple[int, int], ...]
    """(tier, column that says whether it is reached), of those that are cheaper than the tier below."""
    parts: tuple[tuple[int, tuple[tuple[int, float], ...]], ...]
    """(column, (column, GB) of what it may be at most), parts of the first tier by sender."""


class Formulated(NamedTuple):
    """A program and where everything stands in it."""

    program: Program
    """What is solved."""
    at: tuple[dict[int, int], ...]
    """[stages] place -> column."""
    shares: tuple[Share, ...]
    """Of moves that go by one of several tariffs."""
    tiers: tuple[Tiers, ...]
    """Of tariffs with more than one."""

    def chosen(self, values: FloatArray) -> IntArray:
        """[stages] the place each stage is at."""
        places = [max(columns, key=lambda place: values[columns[place]]) for columns in self.at]
        return np.array(places, dtype=np.int32)

    def values(self, problem: Handovers, at: IntArray) -> FloatArray:
        """The columns of a choice of places."""
        columns = np.zeros(self.program.columns)
        columns[[places[place] for places, place in zip(self.at, at.tolist(), strict=True)]] = 1.0
        under = problem.tariff[at[problem.sender], at[problem.receiver]]
        for share in self.shares:
            is_there = at[problem.sender[share.move]] == share.place
            columns[share.column] = float(is_there and under[share.move] == share.tariff)
        for each in self.tiers:
            left = float(problem.gb[under == each.tariff].sum())
            for column, width in zip(each.columns, each.widths, strict=True):
                columns[column] = min(left, width)
                left -= columns[column]
            for tier, column in each.opened:
                columns[column] = float(columns[each.columns[tier]] > 0)
            for column, moved in each.parts:
                columns[column] = min(each.widths[0], sum(gb * columns[share] for share, gb in moved))
        return columns


class _Volume(NamedTuple):
    """What a column puts under a tariff."""

    column: int
    """The share of a move."""
    gb: float
    """GB of all of it."""
    sender: int
    """Column that says whether its sender is there."""


@dataclass(slots=True)
class _Draft:
    """The program as it grows."""

    problem: Handovers
    builder: ProgramBuilder = field(default_factory=ProgramBuilder)
    cost: dict[int, float] = field(default_factory=dict)
    at: list[dict[int, int]] = field(default_factory=list)
    volumes: dict[int, list[_Volume]] = field(default_factory=dict)
    """By tariff."""
    shares: list[Share] = field(default_factory=list)
    tiers: list[Tiers] = field(default_factory=list)


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
    program = draft.builder.build(cost)
    return Formulated(program, tuple(draft.at), tuple(draft.shares), tuple(draft.tiers))


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
            _charge(draft, next(iter(leads)), _Volume(sender, gb, sender))
            continue
        widest = max(leads, key=lambda number: len(leads[number]))
        near: set[int] = set()
        shares: Terms = []
        kept: Terms = []
        for number, targets in leads.items():
            share = builder.column(f"move[{move},{place},{number}]", upper=1.0)
            shares.append((share, 1.0))
            draft.shares.append(Share(share, move, place, number))
            _charge(draft, number, _Volume(share, gb, sender))
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


def _charge(draft: _Draft, number: int, volume: _Volume) -> None:
    if number != FREE:
        draft.volumes.setdefault(number, []).append(volume)


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
    """Volume under a tariff fills its tiers from below, by order columns where a later tier is cheaper."""
    volumes, builder = draft.volumes[number], draft.builder
    tiers = _reachable(draft.problem.tariffs[number], sum(each.gb for each in volumes))
    if len(tiers) == 1:
        for each in volumes:
            draft.cost[each.column] = draft.cost.get(each.column, 0.0) + each.gb * tiers[0][1]
        return
    columns = [builder.column(f"tier[{number},{index}]", upper=width) for index, (width, _) in enumerate(tiers)]
    draft.cost.update(zip(columns, (price for _, price in tiers), strict=True))
    filled: Terms = [(column, 1.0) for column in columns]
    moved = [(each.column, -each.gb) for each in volumes]
    builder.row("tiers", f"tariff {number}", [*filled, *moved], lower=0.0, upper=0.0)
    parts = _first_tier(builder, columns[0], tiers[0][0], volumes)
    opened = _in_order(builder, columns, tiers)
    draft.tiers.append(Tiers(number, tuple(columns), tuple(width for width, _ in tiers), opened, parts))


def _first_tier(
    builder: ProgramBuilder, first: int, width: float, volumes: Sequence[_Volume]
) -> tuple[tuple[int, tuple[tuple[int, float], ...]], ...]:
    """A part of a sender has a part of the first tier only, and what is moved no more than its own volume of it.

    Where the first tier is free, a relaxation that is a little everywhere would have all of it free otherwise.
    """
    by_sender: dict[int, list[_Volume]] = {}
    for each in volumes:
        by_sender.setdefault(each.sender, []).append(each)
    terms: Terms = []
    parts = []
    for sender, own in by_sender.items():
        moved = [(each.column, min(width, each.gb)) for each in own]
        if len(own) == 1:
            terms += [(column, -gb) for column, gb in moved]
            continue
        part = builder.column(f"first[{first},{sender}]", upper=width)
        builder.row("first", "", [(part, 1.0), (sender, -width)], upper=0.0)
        builder.row("first", "", [(part, 1.0), *((column, -gb) for column, gb in moved)], upper=0.0)
        terms.append((part, -1.0))
        parts.append((part, tuple(moved)))
    builder.row("first", "", [(first, 1.0), *terms], upper=0.0)
    return tuple(parts)


def _in_order(
    builder: ProgramBuilder, columns: Sequence[int], tiers: Sequence[tuple[float, float]]
) -> tuple[tuple[int, int], ...]:
    """(tier, column) of the order columns: a cheaper tier opens once all below it are full."""
    found = []
    for index in range(1, len(tiers)):
        if tiers[index][1] >= tiers[index - 1][1]:
            continue
        opened = builder.column(f"opened[{columns[index]}]", upper=1.0, integer=True)
        builder.row("order", "", [(columns[index], 1.0), (opened, -tiers[index][0])], upper=0.0)
        for below in range(index):
            builder.row("order", "", [(columns[below], 1.0), (opened, -tiers[below][0])], lower=0.0)
        found.append((index, opened))
    return tuple(found)


def _reachable(tariff: Tariff, most: float) -> list[tuple[float, float]]:
    """(width, price) of the tiers that the largest possible volume reaches; the last as wide as it takes."""
    tiers = [
        (most - start if end is None else min(end, most) - start, price)
        for start, end, price in tariff.tiers
        if start < most
    ]
    return tiers or [(0.0, tariff.tiers[0][2])]
