"""Trials of hours to years as flows: `flow` plays one, `flows` thousands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.stress import Outcome
from tripoint.engines.stress.fluid.deferred import Deferred
from tripoint.engines.stress.fluid.filling import Filled, Setting, empty, fill
from tripoint.engines.stress.fluid.layout import Flags, Layout, layout_of
from tripoint.engines.stress.fluid.outcomes import Hourly, Tried, hourly, outcomes_of
from tripoint.engines.stress.fluid.pieces import (
    ASKED,
    Pieces,
    Usual,
    departing,
    elsewhere,
    pieces_of,
    quantities,
    usual,
)
from tripoint.engines.stress.fluid.settings import setting_of
from tripoint.engines.stress.fluid.spans import Key, Spans, Struck, spans_of
from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.world import World

_LINKS = (FaultKind.LINK_DOWN, FaultKind.LINK_DELAY, FaultKind.LINK_LOSS)
_TOGETHER = 4096
"""Pieces filled at once: enough to drown the cost of a call, few enough to stay in the cache."""

Answer = tuple[Outcome, ...]


def flow(world: World, faults: Sequence[Fault], *, start_hour: int, hours: int) -> Answer:
    """Outcomes of one trial of `hours` hours that begins in an hour of the week (0 is Monday 00:00 UTC)."""
    return flows(world, (faults,), start_hour=start_hour, hours=hours)[0]


def flows(world: World, trials: Sequence[Sequence[Fault]], *, start_hour: int, hours: int) -> list[Answer]:
    """Outcomes of many trials of the same length and begin, in their order."""
    has_links = any(fault.kind in _LINKS for faults in trials for fault in faults)
    return Basin(layout_of(world, by_callers=has_links), start_hour=start_hour, hours=hours).play(trials)


class _Cut(NamedTuple):
    """One trial, cut into pieces and not yet filled."""

    faults: Sequence[Fault]
    spans: Spans
    all_pieces: Pieces
    is_departing: Flags
    pieces: Pieces


class Basin:
    """A layout over some hours, with its usual course; plays trials in it."""

    def __init__(self, layout: Layout, *, start_hour: int, hours: int) -> None:
        self._layout = layout
        self._struck = Struck(layout)
        self._settings: dict[Key, Setting] = {}
        self._course: Usual = usual(layout, self._setting(()), start_hour=start_hour, hours=hours)
        self._deferred = Deferred(layout, self._course, self._setting)
        self._usual_usd: list[float] = []
        self._usual_usd = [outcome.usd for outcome in self.play([()])[0]]

    def play(self, trials: Sequence[Sequence[Fault]]) -> list[Answer]:
        """Outcomes of trials, in their order."""
        answers: list[Answer] = []
        waiting: list[_Cut] = []
        count = 0
        for number, faults in enumerate(trials):
            waiting.append(self._cut(faults))
            count += waiting[-1].pieces.hour.size
            if count >= _TOGETHER or number == len(trials) - 1:
                answers += [self._answer(tried) for tried in self._tried(waiting)]
                waiting, count = [], 0
        return answers

    def hours(self, faults: Sequence[Fault]) -> list[Hourly]:
        """One trial over time, for those workloads that somebody waits for."""
        return hourly(self._layout, self._tried([self._cut(faults)])[0], self._course)

    def _cut(self, faults: Sequence[Fault]) -> _Cut:
        spans = spans_of(self._layout, self._struck, faults, float(self._course.edges_s[-1]))
        pieces = pieces_of(spans, self._course)
        chosen = departing(pieces, spans, self._course)
        return _Cut(faults, spans, pieces, chosen, pieces.only(chosen))

    def _setting(self, key: Key) -> Setting:
        if key not in self._settings:
            self._settings[key] = setting_of(self._layout, key)
        return self._settings[key]

    def _tried(self, waiting: Sequence[_Cut]) -> list[Tried]:
        """Fills the pieces of several trials together, and takes them apart again."""
        usually = self._course.rates[ASKED]
        each = [(cut.spans, cut.pieces) for cut in waiting]
        asked = np.concatenate([usually[:, own.hour] * spans.demand[:, own.span] for spans, own in each], axis=1)
        capacity = np.concatenate([spans.capacity[:, own.span] for spans, own in each], axis=1)
        is_ready = np.concatenate([spans.spare[:, own.span] for spans, own in each], axis=1)
        number_by_key: dict[Key, int] = {}
        numbers = [[number_by_key.setdefault(key, len(number_by_key)) for key in spans.keys] for spans, _ in each]
        which = np.concatenate(
            [np.array(named)[spans.key][own.span] for named, (spans, own) in zip(numbers, each, strict=True)]
        )
        growing = list(self._layout.growing)
        spare = capacity[growing] * is_ready * self._layout.spare[growing, None]
        if self._layout.is_cold.any():
            capacity[self._layout.is_cold] = 0.0
        filled, rates = self._filled((list(number_by_key), which), asked, capacity, spare)
        found: list[Tried] = []
        start = 0
        for cut in waiting:
            cells = slice(start, start + cut.pieces.hour.size)
            start = cells.stop
            struck = (rates[:, :, cells] * cut.pieces.length_s).sum(axis=2)
            found.append(
                Tried(
                    faults=cut.faults,
                    spans=cut.spans,
                    pieces=cut.pieces,
                    all_pieces=cut.all_pieces,
                    is_departing=cut.is_departing,
                    amounts=elsewhere(cut.pieces, self._course) + struck,
                    asked=asked[:, cells],
                    filled=Filled(*(part[..., cells] for part in filled)),
                )
            )
        return found

    def _filled(
        self, keys: tuple[Sequence[Key], NDArray[np.int64]], asked: Floats, capacity: Floats, spare: Floats
    ) -> tuple[Filled, Floats]:
        """Pieces of one setting are filled together; with the quantities per second."""
        named, which = keys
        used = [int(number) for number in np.flatnonzero(np.bincount(which, minlength=len(named)))]
        if len(used) == 1:
            setting = self._setting(named[used[0]])
            filled = fill(self._layout, setting, asked, capacity, spare)
            return filled, quantities(self._layout, setting, asked, filled)
        whole = empty(self._layout, asked.shape[1])
        rates = quantities(self._layout, self._setting(()), asked, whole)
        for number in used:
            cells, setting = np.flatnonzero(which == number), self._setting(named[number])
            part = fill(self._layout, setting, asked[:, cells], capacity[:, cells], spare[:, cells])
            for into, each in zip(whole, part, strict=True):
                into[..., cells] = each
            rates[..., cells] = quantities(self._layout, setting, asked[:, cells], part)
        return whole, rates

    def _answer(self, tried: Tried) -> Answer:
        waited_for = outcomes_of(self._layout, self._struck, tried, self._course, self._usual_usd)
        deferred = self._deferred.outcomes(tried, self._usual_usd)
        by_workload = {outcome.workload: outcome for outcome in (*waited_for, *deferred)}
        return tuple(by_workload[each.workload] for each in self._layout.world.demanded)
