"""A page of Prometheus metrics, read for sums, differences and quantiles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_LINE: Final = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Labels = tuple[tuple[str, str], ...]


class Sample(NamedTuple):
    """One value of a series."""

    labels: Mapping[str, str]
    """Its labels."""
    value: float
    """Its value."""


class Page:
    """Series by name, as they were at one time."""

    def __init__(self, text: str, at: float) -> None:
        """`at` in seconds on the reader's clock; lines that are none are passed over."""
        self.at = at
        self._series: dict[str, dict[Labels, float]] = {}
        for line in text.splitlines():
            found = _LINE.match(line)
            if found is None or line.startswith("#"):
                continue
            labels = tuple(sorted((name, value) for name, value in _LABEL.findall(found[2] or "")))
            self._series.setdefault(found[1], {})[labels] = float(found[3])

    def samples(self, name: str, **where: str) -> list[Sample]:
        """Values of a series whose labels are as in `where`."""
        found = (Sample(dict(labels), value) for labels, value in self._series.get(name, {}).items())
        return [sample for sample in found if all(sample.labels.get(key) == value for key, value in where.items())]

    def total(self, name: str, **where: str) -> float:
        """Their sum."""
        return sum(sample.value for sample in self.samples(name, **where))


def gained(now: Page, before: Page, name: str, **where: str) -> float:
    """How much a counter grew between two pages; never less than nothing, whatever was restarted."""
    return max(0.0, now.total(name, **where) - before.total(name, **where))


def quantile(now: Page, before: Page, name: str, share: float, **where: str) -> float | None:
    """A quantile of what a histogram of tokens gained between two pages; `None` of nothing.

    Between its edges in proportion. Embeddings are left out: they have no first token to wait for.
    """
    counts: dict[float, float] = {}
    for page, sign in ((now, 1.0), (before, -1.0)):
        for sample in page.samples(f"{name}_bucket", **where):
            if sample.labels.get("api") == "embeddings":
                continue
            edge = float(sample.labels["le"])
            counts[edge] = counts.get(edge, 0.0) + sign * sample.value
    edges = sorted(counts)
    if not edges or counts[edges[-1]] <= 0:
        return None
    wanted = share * counts[edges[-1]]
    lower, below = 0.0, 0.0
    for edge in edges:
        if counts[edge] >= wanted:
            inside = counts[edge] - below
            return lower if edge == float("inf") or inside <= 0 else lower + (edge - lower) * (wanted - below) / inside
        lower, below = edge, counts[edge]
    return lower
