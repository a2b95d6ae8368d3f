"""The pace of a replica from what was measured on it: times to first token and per token, by how many were there.

Both times are linear in the parts of a pace (see `pace.py`), for n sequences of `in` and `out` tokens:

    per token   = base + n x sequence + n x (in + out / 2) x context + (n - 1) x in / out x prefill
    first token = overhead + in x prefill + (n - 1) x in x found + iteration / 2

so one least-squares problem over relative errors gives them all; parts of a time are not negative, and where the
best fit makes some so, the best one without them is taken (every choice of parts is tried: there are 63). `found` is
what an arrival waits for the prefills of others; over `prefill` it is the share of them it finds waiting.

Batches that start together (a benchmark of fixed batches) differ: nobody's prefill interrupts tokens, and everybody
waits for all prefills. The sums are plain arithmetic, the same to the last bit on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from tripoint.engines.sizing.speed.throughput import Shape
from tripoint.engines.stress.stations.pace import Pace

LEAST_POINTS = 3
"""Fewer measurements say nothing about how a batch behaves."""
PARTS = 6
BASE, SEQUENCE, CONTEXT, PREFILL, FOUND, OVERHEAD = range(PARTS)
SINGULAR = 1e-12
"""Pivot, of columns scaled to length 1, below which parts cannot be told apart."""

Row = list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured with so many sequences of one shape always present."""

    sequences: float
    """Sequences present on one replica."""
    input_tokens: float
    """Input tokens of each that were computed."""
    output_tokens: float
    """Output tokens of each."""
    first_token_s: float | None = None
    """Mean or median time to first token, s; `None` when not measured."""
    per_token_s: float | None = None
    """Mean or median time per further token, s; `None` when not measured."""
    is_together: bool = False
    """True for a fixed batch that starts together."""
    others: Shape | None = None
    """Mean request of those it ran beside; they are like itself when `None`."""

    @property
    def held_tokens(self) -> float:
        """Tokens each request present holds, on average over its stay."""
        tokens, outputs = self._beside
        return tokens + outputs / 2

    @property
    def prefills(self) -> float:
        """Input tokens of others computed per output token of this one."""
        tokens, outputs = self._beside
        return 0.0 if self.is_together or outputs <= 0 else (self.sequences - 1) * tokens / outputs

    @property
    def waiting_tokens(self) -> float:
        """Input tokens of all others."""
        return (self.sequences - 1) * self._beside[0]

    @property
    def _beside(self) -> tuple[float, float]:
        """Input and output tokens of one of the others."""
        if self.others is None:
            return self.input_tokens, self.output_tokens
        return self.others.input_tokens * (1 - self.others.cached_share), self.others.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """A pace and how well it tells what it was made from."""

    pace: Pace
    """The pace."""
    points: int
    """Measurements it was made from."""
    per_token_error: float
    """Median relative error of the time per token at those points; 0 where none was measured."""


def calibrate(points: Sequence[Measured], max_sequences: int) -> Calibrated | None:
    """The pace that tells the points best; `None` when they are fewer than three or no pace tells them."""
    rows = [row for point in points for row in _rows(point)]
    if len(points) < LEAST_POINTS:
        return None
    parts = _fitted(rows)
    if parts is None or max(parts[:PREFILL]) <= 0:
        return None
    pace = _pace(parts, max_sequences)
    per_token = [abs(per_token_s(pace, each) / each.per_token_s - 1) for each in points if each.per_token_s]
    return Calibrated(pace=pace, points=len(points), per_token_error=_median(per_token))


def per_token_s(pace: Pace, at: Measured) -> float:
    """What a pace says of the time per token at a point, s."""
    return _iteration_s(pace, at) + at.prefills * pace.prefill_s


def first_token_s(pace: Pace, at: Measured) -> float:
    """What a pace says of the time to first token at a point, s; nobody waits where no share found was measured."""
    own = pace.prefill_s * at.input_tokens
    if at.is_together:
        return pace.overhead_s + own * at.sequences
    share = pace.found_share if pace.found_share is not None else 0.0
    waiting = pace.prefill_s * at.waiting_tokens * share
    return pace.overhead_s + own + waiting + _iteration_s(pace, at) / 2


def _iteration_s(pace: Pace, at: Measured) -> float:
    return pace.base_s + at.sequences * (pace.sequence_s + pace.context_s * at.held_tokens)


def _rows(point: Measured) -> list[Row]:
    """The equations of a point, divided by what was measured: each says `parts x row = 1`."""
    n, tokens = point.sequences, point.input_tokens
    iteration = [1.0, n, n * point.held_tokens]
    rows = []
    if point.per_token_s:
        rows.append([part / point.per_token_s for part in (*iteration, point.prefills, 0.0, 0.0)])
    if point.first_token_s:
        half = [0.0] * PREFILL if point.is_together else [part / 2 for part in iteration]
        prefills = (tokens * n, 0.0) if point.is_together else (tokens, point.waiting_tokens)
        rows.append([part / point.first_token_s for part in (*half, *prefills, 1.0)])
    return rows


def _pace(parts: Row, max_sequences: int) -> Pace:
    share = min(parts[FOUND] / parts[PREFILL], 1.0) if parts[PREFILL] > 0 else None
    return Pace(
        base_s=parts[BASE],
        sequence_s=parts[SEQUENCE],
        context_s=parts[CONTEXT],
        prefill_s=parts[PREFILL],
        overhead_s=parts[OVERHEAD],
        max_sequences=max_sequences,
        found_share=share,
    )


def _fitted(rows: list[Row]) -> Row | None:
    """Least squares without negative parts, by trying which parts there are; fewer parts where that is no worse."""
    scales = [math.sqrt(sum(row[part] ** 2 for row in rows)) for part in range(PARTS)]
    present = [part for part in range(PARTS) if scales[part] > 0]
    scaled = [[row[part] / scales[part] for part in present] for row in rows]
    best: tuple[float, Row] | None = None
    for count in range(1, min(len(present), len(rows)) + 1):
        for chosen in combinations(range(len(present)), count):
            solved = _least_squares([[row[part] for part in chosen] for row in scaled])
            if solved is None or min(solved) < 0:
                continue
            error = sum((sum(row[part] * x for part, x in zip(chosen, solved, strict=True)) - 1) ** 2 for row in scaled)
            if best is None or error < best[0] * (1 - 1e-9):
                parts = [0.0] * PARTS
                for part, x in zip(chosen, solved, strict=True):
                    parts[present[part]] = x / scales[present[part]]
                best = (error, parts)
    return best[1] if best is not None else None


def _least_squares(rows: list[Row]) -> Row | None:
    """Solution of the normal equations for right-hand sides of 1, by elimination; `None` where it is not unique."""
    size = len(rows[0])
    matrix = [
        [sum(row[i] * row[j] for row in rows) for j in range(size)] + [sum(row[i] for row in rows)] for i in range(size)
    ]
    for pivot in range(size):
        best = max(range(pivot, size), key=lambda row: abs(matrix[row][pivot]))
        if abs(matrix[best][pivot]) < SINGULAR:
            return None
        matrix[pivot], matrix[best] = matrix[best], matrix[pivot]
        for row in range(pivot + 1, size):
            share = matrix[row][pivot] / matrix[pivot][pivot]
            for column in range(pivot, size + 1):
                matrix[row][column] -= share * matrix[pivot][column]
    solution = [0.0] * size
    for row in reversed(range(size)):
        known = sum(matrix[row][column] * solution[column] for column in range(row + 1, size))
        solution[row] = (matrix[row][size] - known) / matrix[row][row]
    return solution


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
