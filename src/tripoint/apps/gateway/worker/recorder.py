"""Where a finished request is written down: counters, usage records, the access log; none of them can stop the next."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tripoint.apps import wiring
from tripoint.apps.gateway.worker.access import AccessLog
from tripoint.domain.money import usd
from tripoint.engines.gateway.telemetry.access import access_line, conventional_lines
from tripoint.engines.gateway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tripoint.domain.record import UsageRecord
    from tripoint.domain.table import RoutingTable

_MOST: Final = 16
"""Records that wait at once: counted in a row they cost less, and more of them would not stay in the nearest cache."""
_log = logging.getLogger("tripoint.gateway")


class Unwritten(NamedTuple):
    """Records that the disk did not take."""

    records: int
    """Their number."""
    nano: int
    """What they cost, nano-dollars."""
    reason: str
    """Why not; empty when there are none."""


class _Outage(NamedTuple):
    """How things stood when the disk was first seen to take nothing."""

    durable: int
    """Records on disk then."""
    due: int
    """Records that must be on disk for it to be over."""
    lost: int
    """Records lost before."""
    lost_nano: int
    """What those cost, nano-dollars."""


class Recorder:
    """All sinks of one worker."""

    def __init__(self, run_dir: Path, access_log: str, *, worker: int, incarnation: str, convention: str = "") -> None:
        self.metrics = Metrics()
        self._line = conventional_lines(convention) if convention else access_line
        self._worker, self._folder = worker, run_dir / "usage"
        self._outage: _Outage | None = None
        self._segments = wiring.open_usage_segments(
            self._folder, worker=worker, incarnation=incarnation, on_lost=self._lost
        )
        self.file = wiring.open_metrics_file(run_dir / "metrics", worker=worker, incarnation=incarnation)
        self._log = AccessLog(access_log) if access_log else None
        self._batch: list[UsageRecord] = []

    def record(self, record: UsageRecord) -> None:
        """Takes the record of one request; what is done with it waits for `drain`, or until some have come."""
        batch = self._batch
        batch.append(record)
        if len(batch) >= _MOST:
            self.count()

    def drain(self) -> None:
        """Counts and writes what was taken."""
        self.count()
        self._segments.wake()

    def count(self) -> None:
        """Counts what was taken and hands it over, to be written after the next `drain` or `push`.

        Many in a row cost a third of what each costs between two requests.
        """
        batch, log, line = self._batch, self._log, self._line
        if not batch:
            return
        metrics = self.metrics
        for record in batch:
            metrics.record(record)
        self._segments.extend(batch)
        if log is not None:
            for record in batch:
                log.write(line(record))
        batch.clear()

    def tell_durable(self, told: Callable[[int], None]) -> None:
        """`told` hears, in the writer's thread, how many of the records `taken` are durable."""
        self._segments.on_durable = told

    @property
    def taken(self) -> int:
        """Records handed to the disk so far."""
        return self._segments.taken

    @property
    def durable(self) -> int:
        """Records of those that are on disk for certain."""
        return self._segments.durable

    @property
    def is_waiting(self) -> bool:
        """True while records are not on disk."""
        return bool(self._batch) or self._segments.waiting > 0

    @property
    def lost(self) -> int:
        """Records lost so far."""
        return self._segments.lost

    def push(self) -> None:
        """What was handed to the disk is to be made durable at once."""
        self._segments.push()

    def learn(self, table: RoutingTable) -> None:
        """Names of a table may become labels."""
        self.metrics.learn(table)

    def know(self, names: Iterable[str]) -> None:
        """These names may become labels too."""
        self.metrics.know(names)

    def faults(self) -> dict[str, str]:
        """What does not work now and why, by the part's name."""
        found = {
            "usage_records": self._segments.fault,
            "metrics_files": self.file.fault,
            "access_log": self._log.fault if self._log is not None else "",
        }
        return {part: fault for part, fault in found.items() if fault}

    def look(self) -> None:
        """Says once that records wait for the disk, and once that they are written again."""
        segments, outage, fault = self._segments, self._outage, self._segments.fault
        if fault and outage is None:
            self._outage = _Outage(segments.durable, segments.taken, segments.lost, segments.lost_nano)
            _log.warning(
                "worker %d: usage records wait in memory, %d by now: `%s` cannot be written: %s; hint: free the disk, "
                "or give back the right to write there, before the gateway ends or its memory for them is full",
                self._worker, segments.waiting, self._folder, fault,
            )  # fmt: skip
        elif outage is not None and not fault and segments.durable >= outage.due:
            self._outage = None
            written, lost = segments.durable - outage.durable, segments.lost - outage.lost
            money = usd(segments.lost_nano - outage.lost_nano).normalize()
            beyond = f"; {lost} of {money:f} USD found no room in memory meanwhile and are lost" if lost else ""
            _log.warning(
                "worker %d: usage records are written again to `%s`, %d since they waited%s",
                self._worker, self._folder, written, beyond,
            )  # fmt: skip

    def save(self) -> None:
        """Offers the counters to the disk."""
        self.drain()
        self.look()
        self.file.offer(self.metrics.snapshot())

    def close(self, patience_s: float = 10.0) -> Unwritten:
        """Writes what is left, within about that many s; what the disk did not take since it last took any."""
        self.save()
        segments, outage = self._segments, self._outage
        lost, nano = (segments.lost, segments.lost_nano) if outage is None else (outage.lost, outage.lost_nano)
        is_written = segments.close(patience_s)
        self.look()
        self.file.close()
        if self._log is not None:
            self._log.close()
        if is_written:
            return Unwritten(0, 0, "")
        reason = segments.fault or "the disk did not take them in time"
        return Unwritten(segments.lost - lost, segments.lost_nano - nano, reason)

    def _lost(self, count: int) -> None:
        self.metrics.event("records_lost", count)
