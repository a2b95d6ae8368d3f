"""Where a finished request is written down: counters, usage records, the access log; none of them can stop the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tripoint.apps import wiring
from tripoint.apps.gateway.worker.access import AccessLog
from tripoint.engines.gateway.telemetry.access import access_line, conventional_lines
from tripoint.engines.gateway.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tripoint.domain.record import UsageRecord
    from tripoint.domain.table import RoutingTable

_MOST: Final = 16
"""Records that wait at once: counted in a row they cost less, and more of them would not stay in the nearest cache."""


class Recorder:
    """All sinks of one worker."""

    def __init__(self, run_dir: Path, access_log: str, *, worker: int, incarnation: str, convention: str = "") -> None:
        self.metrics = Metrics()
        self._line = conventional_lines(convention) if convention else access_line
        self._segments = wiring.open_usage_segments(
            run_dir / "usage", worker=worker, incarnation=incarnation, on_lost=self._lost
        )
        self.file = wiring.open_metrics_file(run_dir / "metrics", worker=worker, incarnation=incarnation)
        self._log = AccessLog(access_log) if access_log else None
        self._batch: list[UsageRecord] = []

    def record(self, record: UsageRecord) -> None:
        """Takes the record of one request; what is done with it waits for `drain`, or until some have come."""
        batch = self._batch
        batch.append(record)
        if len(batch) >= _MOST:
            self.drain()

    def drain(self) -> None:
        """Counts and writes what was taken; many in a row cost a third of what each costs between two requests."""
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

    def save(self) -> None:
        """Offers the counters to the disk."""
        self.drain()
        self.file.offer(self.metrics.snapshot())

    def close(self) -> None:
        """Writes what is left."""
        self.save()
        self._segments.close()
        self.file.close()
        if self._log is not None:
            self._log.close()

    def _lost(self, count: int) -> None:
        self.metrics.event("records_lost", count)
