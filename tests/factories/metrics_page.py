"""Reading a metrics page back, for tests: the families, and the value of each series."""

from __future__ import annotations

import re
from functools import lru_cache

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\.)*)"(?:,|$)')

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


@lru_cache(maxsize=4)
def series_of(page: str) -> Series:
    """Value by name and labels; every line must be of the format, no series twice."""
    found: Series = {}
    for line in page.splitlines():
        if line.startswith("# "):
            continue
        match = SAMPLE.match(line)
        assert match is not None, line
        labels = frozenset((name, value) for name, value in LABEL.findall(match[2] or ""))
        assert "".join(f'{name}="{value}",' for name, value in LABEL.findall(match[2] or "")) == (
            f"{match[2]}," if match[2] else ""
        )
        key = (match[1], labels)
        assert key not in found, line
        found[key] = float(match[3])
    return found


def total_of(page: str, name: str, **labels: str) -> float:
    """Sum of the series of a name that carry these labels."""
    wanted = set(labels.items())
    return sum(value for (found, marked), value in series_of(page).items() if found == name and wanted <= marked)
