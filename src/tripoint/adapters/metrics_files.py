"""What each worker counted, in one small file a worker, so that any of them can show the page of all.

Files are replaced whole by renaming; nothing is synced, since counters that a power cut takes are no loss. A thread
of its own writes them: a disk that hangs holds up metrics, never requests.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from tripoint.engines.gateway.telemetry.counts.snapshots import fold_snapshots, read_snapshot

SUFFIX: Final = ".metrics"
"""How the files' names end; they begin with `worker-<n>-<incarnation>`."""
_PAST: Final = f"past{SUFFIX}"
_LEDGER: Final = f"ledger{SUFFIX}"
_LARGEST_BYTES: Final = 64 << 20
_TRIES: Final = 20


class MetricsFile:
    """The file of one incarnation of one worker; nothing here raises for what the disk does.

    `fault` says why the last write failed, empty when it did not.
    """

    def __init__(self, folder: Path, *, worker: int, incarnation: str, every_s: float = 1.0) -> None:
        self._folder = folder
        self._path = folder / f"worker-{worker}-{incarnation}{SUFFIX}"
        self._part = folder / f".worker-{worker}-{incarnation}.part"
        self._every_s = every_s
        self._lock = threading.Lock()
        self._offered: bytes | None = None
        self._written = b""
        self._wake = threading.Event()
        self._stop = threading.Event()
        self.fault = ""
        self._thread = threading.Thread(target=self._run, name="metrics-file", daemon=True)
        self._thread.start()

    def offer(self, snapshot: bytes) -> None:
        """Has a snapshot written soon, at most one every `every_s` seconds; a later one replaces it until then."""
        self._offered = snapshot
        self._wake.set()

    def together(self, snapshot: bytes) -> list[bytes]:
        """The snapshots of all workers, this one's own as given, in a stable order.

        Writes the own one first, so that no other worker shows less than this one did; blocks on the disk, so call it
        from a thread where the disk may hang.
        """
        self._write(snapshot)
        found = read_snapshots(self._folder)
        found[self._path.name] = snapshot
        return [found[name] for name in sorted(found)]

    def close(self) -> None:
        """Writes what was offered last, and stops."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait()
            self._wake.clear()
            self._write_offered()
            self._stop.wait(self._every_s)
        self._write_offered()

    def _write_offered(self) -> None:
        offered, self._offered = self._offered, None
        if offered is not None:
            self._write(offered)

    def _write(self, snapshot: bytes) -> None:
        with self._lock:
            if snapshot == self._written:
                return
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._part.write_bytes(snapshot)
                os.replace(self._part, self._path)
            except OSError as error:
                self.fault = error.strerror or type(error).__name__
                with suppress(OSError):
                    self._part.unlink(missing_ok=True)
                return
            self.fault = ""
            self._written = snapshot


def write_figures(folder: Path, snapshot: bytes) -> None:
    """Keeps the figures of the ledger process beside the workers' counters; raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{_LEDGER}.part"
    part.write_bytes(snapshot)
    os.replace(part, folder / _LEDGER)


def fold_past(folder: Path, alive: Collection[str]) -> bool:
    """Folds the files of incarnations that have ended into one, so that restarts do not pile up files.

    `alive` are the incarnations that still write. For the one process that starts the workers. False when the disk did
    not take it: then everything is as it was, and readers never see less than before, nor anything twice.
    """
    found = read_snapshots(folder)
    writing = tuple(f"-{incarnation}{SUFFIX}" for incarnation in alive)
    ended = [name for name in sorted(found) if name not in (_PAST, _LEDGER) and not name.endswith(writing)]
    past = read_snapshot(found[_PAST]) if _PAST in found else None
    # Folded before, and still there because removing them failed: they must stay named, or they would count twice.
    left = [name for name in past.folded if (folder / name).exists()] if past is not None else []
    if not ended and not left:
        return True
    part = folder / ".past.part"
    try:
        part.write_bytes(fold_snapshots([found[name] for name in (_PAST, *ended) if name in found], [*left, *ended]))
        os.replace(part, folder / _PAST)
        for name in (*left, *ended):
            (folder / name).unlink(missing_ok=True)
    except OSError:
        return False
    return True


def read_snapshots(folder: Path) -> dict[str, bytes]:
    """Snapshots by file name, each request counted in one of them; what cannot be read is left out.

    When files are folded while we read, a count could be seen in both places or in neither; the folded file is then
    another than before, and all are read again.
    """
    found: dict[str, bytes] = {}
    for _ in range(_TRIES):
        before = _content(folder / _PAST)
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.name.endswith(SUFFIX) and entry.name != _PAST]
        except OSError:
            return {}
        read = {name: _content(folder / name) for name in names}
        found = {name: content for name, content in read.items() if content is not None}
        if _content(folder / _PAST) == before:
            break
    if before is not None:
        found[_PAST] = before
        past = read_snapshot(before)
        for name in past.folded if past is not None else ():
            found.pop(name, None)
    return found


def _content(path: Path) -> bytes | None:
    """What is in a file; `None` when it is gone, no file, or far too long."""
    try:
        return path.read_bytes() if path.stat().st_size <= _LARGEST_BYTES else None
    except OSError:
        return None
