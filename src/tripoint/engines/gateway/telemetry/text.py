"""The Prometheus text format: headings, samples and histograms, gathered line by line."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite


class Page:
    """Lines of a page; names that come again and again are escaped once."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._escaped: dict[str, str] = {}

    def heading(self, name: str, kind: str, text: str) -> None:
        """HELP and TYPE of a family."""
        told = text.replace("\\", "\\\\").replace("\n", "\\n")
        self._lines.append(f"# HELP {name} {told}\n# TYPE {name} {kind}\n")

    def sample(self, name: str, labels: Sequence[str], values: Sequence[str], value: float) -> None:
        """One series and its value; `values` in the order of `labels`."""
        marked = self._marked(labels, values)
        self._lines.append(f"{name}{{{marked}}} {number(value)}\n" if marked else f"{name} {number(value)}\n")

    def histogram(
        self,
        name: str,
        labels: Sequence[str],
        values: Sequence[str],
        edges: Sequence[float],
        counts: Sequence[int],
        total: float,
    ) -> None:
        """The series of a histogram; `counts` has one entry an edge and one for what lies above them all."""
        marked = self._marked(labels, values)
        begin = f"{name}_bucket{{{marked}," if marked else f"{name}_bucket{{"
        below = 0
        for edge, count in zip((*edges, float("inf")), counts, strict=True):
            below += count
            self._lines.append(f'{begin}le="{number(edge)}"}} {below}\n')
        where = f"{{{marked}}}" if marked else ""
        self._lines.append(f"{name}_sum{where} {number(total)}\n{name}_count{where} {below}\n")

    def text(self) -> str:
        """All lines so far."""
        return "".join(self._lines)

    def _marked(self, labels: Sequence[str], values: Sequence[str]) -> str:
        return ",".join([f'{label}="{self._escape(value)}"' for label, value in zip(labels, values, strict=True)])

    def _escape(self, value: str) -> str:
        known = self._escaped.get(value)
        if known is None:
            plain = value.encode("utf-8", "replace").decode()
            known = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            self._escaped[value] = known
        return known


def number(value: float) -> str:
    """A value as the format writes it; whole numbers without a fraction."""
    if not isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
