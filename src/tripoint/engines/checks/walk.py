"""Every declared value with its path, so that a check can be a row in a table instead of a loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from tripoint.domain.source import join_path


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of one declared thing."""

    path: str
    """Where it stands."""
    owner: Any
    """The dataclass it is a field of."""
    name: str
    """Field name."""
    value: Any
    """What was declared (or its default)."""

    @property
    def key(self) -> tuple[type, str]:
        """Type and field name: what tables are keyed by."""
        return type(self.owner), self.name

    def items(self) -> Iterator[tuple[str, Any]]:
        """Path and value of each item of a list; of the value itself when it is no list."""
        if isinstance(self.value, tuple):
            for index, item in enumerate(self.value):
                yield join_path(self.path, index), item
        elif self.value is not None:
            yield self.path, self.value


def entries(owner: Any, path: str = "") -> Iterator[Entry]:
    """All fields of a dataclass and of every dataclass below it, in declared order."""
    for each in fields(owner):
        entry = Entry(join_path(path, each.name), owner, each.name, getattr(owner, each.name))
        yield entry
        for below, item in entry.items():
            if is_dataclass(item):
                yield from entries(item, below)
