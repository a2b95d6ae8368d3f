"""Where a declared value stands in its file, and an estate together with the files it was read from.

Paths are written the way an author reads them: `sites[2].power.rack_density_kw`, `assumptions["pue.colo"]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tripoint.domain.demand import DemandProfile, DemandTaken
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.units import WorkloadId

_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_LAST_STEP = re.compile(r'(\[\d+\]|\["(?:[^"\\]|\\.)*"\]|\.?[A-Za-z_][A-Za-z0-9_-]*)\Z')


def join_path(parent: str, step: str | int) -> str:
    """Path of a key or list item below `parent`."""
    if isinstance(step, int):
        return f"{parent}[{step}]"
    if not _BARE_KEY.match(step):
        return f"{parent}[{json.dumps(step, ensure_ascii=False)}]"
    return f"{parent}.{step}" if parent else step


def parent_path(path: str) -> str:
    """Path one step up; empty for a top-level key."""
    last = _LAST_STEP.search(path)
    return path[: last.start()] if last else ""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file."""

    file: str
    """File as the caller named it."""
    line: int
    """1-based line."""
    column: int
    """1-based column."""

    def mark(self, finding: Finding) -> Finding:
        """The finding, told here."""
        return replace(finding, file=self.file, line=self.line, column=self.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Where every key and value of a document was read from."""

    root: Position | None = None
    """Start of the document."""
    values: Mapping[str, Position] = field(default_factory=dict)
    """Where the value at a path starts."""
    keys: Mapping[str, Position] = field(default_factory=dict)
    """Where the key at a path stands; list items have none."""

    def of_value(self, path: str) -> Position | None:
        """Place of a value (of its key when it spans lines); of the nearest ancestor when it is absent."""
        while path:
            if path in self.values:
                return self.values[path]
            path = parent_path(path)
        return self.root

    def of_key(self, path: str) -> Position | None:
        """Place of a key; of the value (or the nearest ancestor) where the path names no key."""
        return self.keys.get(path) or self.of_value(path)

    def locate(self, finding: Finding) -> Finding:
        """The finding with file, line and column filled in from its path, unless it already has a place."""
        place = None if finding.file else self.of_value(finding.path)
        return finding if place is None else place.mark(finding)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedEstate:
    """An estate as read, with what the files named and where everything stood."""

    estate: Estate
    """Everything declared."""
    profiles: Mapping[WorkloadId, DemandProfile]
    """Demand profiles by the workload that names them."""
    digest: str
    """`sha256:` over the canonical JSON of estate and profiles; comments and layout do not change it."""
    findings: tuple[Finding, ...] = ()
    """Warnings and notes, located."""
    positions: Positions = Positions()
    """Where each path stands in the files."""
    files: tuple[str, ...] = ()
    """Files read, as the caller named them."""
    demand: DemandTaken | None = None
    """Observed demand in place of what the files declare; `digest` is with it."""

    @property
    def folder(self) -> str:
        """The folder of its files, as the caller named it; `.` where they were named without one."""
        ends = (max(file.rfind("/"), file.rfind("\\")) for file in self.files)
        folders = [file[:end] if end > 0 else "." for file, end in zip(self.files, ends, strict=True)]
        return min(folders, key=len, default=".")
