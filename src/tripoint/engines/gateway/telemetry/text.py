"""Pieces of the Prometheus text format: headings, labels, numbers, histograms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite


def heading(name: str, kind: str, text: str) -> str:
    """HELP and TYPE of a family."""
    told = text.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n"


def sample(name: str, labels: Mapping[str, str], value: float) -> str:
    """One line: a series and its value."""
    return f"{name}{_labels(labels)} {number(value)}\n"


def histogram(
    name: str, labels: Mapping[str, str], edges: tuple[float, ...], counts: list[int], total: float
) -> Iterator[str]:
    """The lines of a histogram; `counts` has one entry an edge and one for what lies above them all."""
    below = 0
    for edge, count in zip((*edges, float("inf")), counts, strict=True):
        below += count
        yield f"{name}_bucket{_labels({**labels, 'le': number(edge)})} {below}\n"
    plain = _labels(labels)
    yield f"{name}_sum{plain} {number(total)}\n{name}_count{plain} {below}\n"


def number(value: float) -> str:
    """A value as the format writes it; whole numbers without a fraction."""
    if not isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    plain = value.encode("utf-8", "replace").decode()
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
