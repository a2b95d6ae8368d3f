"""What one worker counts: a cheap call per finished request, a snapshot that can be merged with those of others.

A request touches one slot, found by all its labels at once; the series people see are rolled up from the cells when
somebody looks. So the price of a label is paid at the scrape, not by the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from tripoint.domain.record import Ending, Failure, Reason, ShiftRecord, Usage, UsageRecord
from tripoint.domain.serving import Api
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.telemetry.counts.cells import Cell, Slot, Spread, Tally, Timing
from tripoint.engines.gateway.telemetry.counts.snapshots import CellCounts, Histogram, Snapshot, TimingCounts
from tripoint.engines.gateway.telemetry.meters import (
    EVENTS,
    OWN_EDGES,
    TOTAL_EDGES,
)

OTHER: Final = "other"
"""Label of whatever is not counted under its own name."""
_ABSURD_NANO: Final = 10**15
_MAX_LABEL: Final = 128
_MAX_CAUSES: Final = 64
_MAX_LATELY: Final = 256
# Codes of errors and causes of events are words of ours; what does not look like one was made by somebody else.
_CODE: Final = re.compile(r"(?:[a-z][a-z0-9_]{0,63})?")
_APIS: Final = frozenset(api.value for api in Api)
_ENDINGS: Final = frozenset(ending.value for ending in Ending)
_REASONS: Final = frozenset(reason.value for reason in Reason)
_FAILURES: Final = frozenset(("", *(failure.value for failure in Failure)))


class Metrics:
    """Counters of one worker; nothing here blocks, raises for what a record says, or grows without limit."""

    def __init__(self, table: RoutingTable | None = None, *, max_series: int = 4096) -> None:
        self._slots: dict[tuple[object, ...], Slot] = {}
        self._lately: dict[str, dict[str, Slot]] = {}
        self._cells: dict[tuple[str, ...], Cell] = {}
        self._timings: dict[tuple[str, ...], Timing] = {}
        self._own: dict[str, Spread] = {}
        self._took: dict[tuple[str, str, str], Spread] = {}
        self._clean: dict[tuple[str, str, str], dict[str, Tally]] = {}
        self._reasons: dict[tuple[str, str, str], int] = {}
        self._attempts: dict[tuple[str, str, str, str], int] = {}
        self._shifts: dict[tuple[str, str, str], int] = {}
        self._events: dict[tuple[str, str], int] = {}
        self._unknown_events = 0
        self._overflows = 0
        self._max_series = max_series
        self._names: set[str] | None = None
        if table is not None:
            self.learn(table)

    def learn(self, table: RoutingTable) -> None:
        """Takes over the names of a table: only they become labels; names of earlier tables stay known."""
        names = self._names if self._names is not None else {"default"}
        for target in table.targets:
            names.update((target.id, target.site))
        for route in table.routes:
            names.update((route.workload, route.model))
            names.update(candidate.model for candidate in route.candidates)
        names.update(key.tenant for key in table.keys)
        self._names = names
        self._slots.clear()
        self._lately.clear()

    def know(self, names: Iterable[str]) -> None:
        """Takes over names beside those of tables: of tenants."""
        if self._names is not None:
            self._names.update(names)
            self._slots.clear()
            self._lately.clear()

    def record(self, r: UsageRecord) -> None:
        """Counts a finished request."""
        lately = self._lately.get(r[3])
        slot = None if lately is None else lately.get(r[8])
        if slot is None or not _is_of(slot.words, r):
            slot = self._slots.get(r[2:13])
            if slot is None:
                slot = self._slot(r)
            self._note(r, slot)
        cell, timing = slot.cell, slot.timing
        cell.requests += 1
        if 0 < (nano := r[19]) < _ABSURD_NANO:
            cell.nano += nano
        if 0 < (nano := r[20]) < _ABSURD_NANO:
            cell.list_nano += nano
        if 0 < (nano := r[21]) < _ABSURD_NANO:
            cell.marginal_nano += nano
        if (total_s := r[16]) >= 0.0:
            timing.duration.add(total_s)
        _measure(timing, cell, r[13], r[14], r[15])
        attempts = r[25]
        if attempts:
            if (own_s := r[17]) > 0.0:
                slot.own.add(own_s)
            reason, first = r[18], attempts[0]
            if (
                len(attempts) == 1
                and not first[7]
                and first[3] == reason
                and (reason is slot.reason or _is_known(slot, reason))
            ):
                slot.tally.count += 1
                slot.took.add(first[5])
            else:
                self._tried(r, slot)

    def _note(self, r: UsageRecord, slot: Slot) -> None:
        """Remembers where a caller's answers from an upstream were counted last: mostly the next is alike."""
        if len(self._lately) >= self._max_series:
            self._lately.clear()
        lately = self._lately.setdefault(r[3], {})
        if len(lately) >= _MAX_LATELY:
            lately.clear()
        lately[r[8]] = slot

    def shifted(self, shift: ShiftRecord) -> None:
        """Counts a move of traffic."""
        key = (self._name(shift.workload), self._name(shift.source), self._name(shift.target))
        if key not in self._shifts and len(self._shifts) >= self._max_series:
            self._overflows += 1
            key = (OTHER, OTHER, OTHER)
        self._shifts[key] = self._shifts.get(key, 0) + 1

    def event(self, name: str, count: int = 1) -> None:
        """Counts something the shell saw: `family` or `family:cause`, families as declared in `meters.EVENTS`."""
        family, _, cause = name.partition(":")
        if family not in EVENTS:
            self._unknown_events += count
            return
        key = (family, cause)
        if key not in self._events and not self._has_room(key):
            self._overflows += count
            key = (family, OTHER)
        self._events[key] = self._events.get(key, 0) + count

    def snapshot(self) -> bytes:
        """Everything counted so far, for `exposition`; MessagePack."""
        clean = [((*key, reason), tally.count) for key, by in self._clean.items() for reason, tally in by.items()]
        return msgspec.msgpack.encode(
            Snapshot(
                cells=[CellCounts.of(cell) for cell in self._cells.values()],
                timings=[TimingCounts.of(timing) for timing in self._timings.values()],
                own={api: Histogram(own.counts, (own.total_s,)) for api, own in self._own.items()},
                took=[(key, Histogram(took.counts, (took.total_s,))) for key, took in self._took.items()],
                clean=clean,
                reasons=list(self._reasons.items()),
                attempts=list(self._attempts.items()),
                shifts=list(self._shifts.items()),
                events=list(self._events.items()),
                unknown_events=self._unknown_events,
                overflows=self._overflows,
            )
        )

    def _tried(self, r: UsageRecord, slot: Slot) -> None:
        """Attempts of a request that took more than one, or whose only one failed."""
        where = slot.timing.labels
        reason = r.reason if r.reason in _REASONS else OTHER
        if len(r.attempts) == 1 and not r.attempts[0].failure and r.attempts[0].reason == reason:
            slot.clean.setdefault(reason, Tally()).count += 1
            slot.took.add(r.attempts[0].took_s)
            return
        if where[4]:
            answered = (where[0], where[4], reason)
            self._reasons[answered] = self._reasons.get(answered, 0) + 1
        for attempt in r.attempts:
            key = (
                self._name(attempt.upstream),
                self._name(attempt.site),
                attempt.reason if attempt.reason in _REASONS else OTHER,
                attempt.failure if attempt.failure in _FAILURES else OTHER,
            )
            if key not in self._attempts and len(self._attempts) >= self._max_series:
                self._overflows += 1
                key = (OTHER, OTHER, OTHER, OTHER)
            self._attempts[key] = self._attempts.get(key, 0) + 1
            self._took_by(key[0], key[1], key[3]).add(attempt.took_s)

    def _slot(self, r: UsageRecord) -> Slot:
        """Slow path: labels not seen before; counts under `other` what must not become a series of its own."""
        workload, model, site = self._name(r.workload), self._name(r.model), self._name(r.site)
        api = r.api if r.api in _APIS else OTHER
        where = (workload, model, api, site, self._name(r.upstream))
        status = _status_class(r.status)
        ending = r.ending if r.ending in _ENDINGS else OTHER
        labels = (self._name(r.tenant), *where, status, ending, r.error if _CODE.fullmatch(r.error) else OTHER)
        if labels not in self._cells and len(self._cells) >= self._max_series:
            self._overflows += 1
            where = (OTHER, OTHER, OTHER, OTHER, OTHER)
            labels = (OTHER, *where, OTHER, OTHER, OTHER)
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Cell(labels)
        timing = self._timings.get(where)
        if timing is None:
            timing = self._timings[where] = Timing(where)
        own = self._own.get(where[2])
        if own is None:
            own = self._own[where[2]] = Spread(OWN_EDGES)
        took = self._took_by(where[4], where[3], "")
        words = r[2:13]
        slot = Slot(words, cell, timing, own, took, self._clean.setdefault((where[0], where[4], where[3]), {}))
        if len(self._slots) < 2 * self._max_series:
            self._slots[words] = slot
        return slot

    def _took_by(self, upstream: str, site: str, failure: str) -> Spread:
        found = self._took.get((upstream, site, failure))
        if found is None:
            found = self._took[upstream, site, failure] = Spread(TOTAL_EDGES)
        return found

    def _name(self, name: str) -> str:
        """The name as a label: itself when it is known, else `other`."""
        if not name or ((self._names is None or name in self._names) and _is_plain(name)):
            return name
        self._overflows += 1
        return OTHER

    def _has_room(self, key: tuple[str, str]) -> bool:
        """True while a family may have one more cause."""
        return _CODE.fullmatch(key[1]) is not None and sum(family == key[0] for family, _ in self._events) < _MAX_CAUSES


def _is_of(words: tuple[object, ...], r: UsageRecord) -> bool:
    """True where a record says the same, in the same objects: what is equal only is looked up."""
    return (
        words[5] is r[7]
        and words[7] is r[9]
        and words[8] is r[10]
        and words[9] is r[11]
        and words[10] is r[12]
        and words[2] is r[4]
        and words[3] is r[5]
        and words[4] is r[6]
        and words[0] is r[2]
        and words[1] is r[3]
        and words[6] is r[8]
    )


def _is_known(slot: Slot, reason: str) -> bool:
    """True for a reason met before with these labels; its requests are counted in `slot.tally` then."""
    found = slot.clean.get(reason)
    if found is None:
        return False
    slot.reason, slot.tally = reason, found
    return True


def _measure(timing: Timing, cell: Cell, usage: Usage, ttft_s: float, tpot_s: float) -> None:
    """Counts tokens and their times."""
    if (count := usage[0]) > 0:
        cell.tokens_in += count
        timing.tokens_in.add(count)
    if (count := usage[1]) > 0:
        cell.tokens_out += count
        timing.tokens_out.add(count)
    if (count := usage[2]) > 0:
        cell.cached += count
    if (count := usage[3]) > 0:
        cell.reasoning += count
    if usage[4]:
        cell.estimated += 1
    if ttft_s > 0.0:
        timing.ttft.add(ttft_s)
    if tpot_s > 0.0:
        timing.tpot.add(tpot_s)


def _is_plain(name: str) -> bool:
    return len(name) <= _MAX_LABEL and name.isprintable()


def _status_class(status: int) -> str:
    if status == 0:
        return "none"
    return f"{status // 100}xx" if 100 <= status < 600 else OTHER
