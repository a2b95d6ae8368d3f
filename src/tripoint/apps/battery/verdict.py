"""What a check of the battery finds: one row with its bar, what was seen, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check."""

    id: str
    """Short stable name, e.g. `R1` or `W-smuggling`."""
    what: str
    """What was done."""
    bar: str
    """What must be seen."""
    seen: str
    """What was seen, with figures and units; for a skipped one, why."""
    verdict: Verdict
    """How it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All rows of a run."""

    target: str
    """What was examined."""
    rows: tuple[Row, ...]
    """In the order of the table."""
    took_s: float
    """How long it took, s."""

    @property
    def is_safe(self) -> bool:
        """True when no row failed and at least one passed."""
        verdicts = {row.verdict for row in self.rows}
        return Verdict.PASS in verdicts and Verdict.FAIL not in verdicts


Tell = Callable[[str], None]
"""Called with a line of progress."""


def judged(id_: str, what: str, bar: str, *, passed: bool, seen: str) -> Row:
    """A row whose bar was met or not."""
    return Row(id=id_, what=what, bar=bar, seen=seen, verdict=Verdict.PASS if passed else Verdict.FAIL)


def skipped(id_: str, what: str, bar: str, why: str) -> Row:
    """A row that could not be judged here."""
    return Row(id=id_, what=what, bar=bar, seen=why, verdict=Verdict.SKIP)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie (nearest rank); 0 for none."""
    if not values:
        return 0.0
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def told(faults: Sequence[str], otherwise: str, *, most: int = 3) -> str:
    """The first faults and how many more, or `otherwise` when there are none."""
    if not faults:
        return otherwise
    rest = f"; {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(faults[:most]) + rest
