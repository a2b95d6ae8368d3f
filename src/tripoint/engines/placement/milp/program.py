"""A solver-neutral mixed-integer linear program, built with plain lists and handed over as numpy arrays.

    minimise  c.x + c0   subject to  row_lower <= A x <= row_upper,  lower <= x <= upper,  x_j integer for some j

Rows carry the constraint family they belong to and a label in the estate's own words, so that an infeasible
program can be explained and each family can be printed on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

INFINITY = float("inf")
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The program in compressed-row form."""

    cost: FloatArray
    """[columns] objective coefficients."""
    lower: FloatArray
    """[columns] lower bounds."""
    upper: FloatArray
    """[columns] upper bounds."""
    is_integer: BoolArray
    """[columns] integrality."""
    row_lower: FloatArray
    """[rows] lower sides."""
    row_upper: FloatArray
    """[rows] upper sides."""
    starts: IntArray
    """[rows + 1] offsets into `index` and `value`."""
    index: IntArray
    """[non-zeros] column of each entry."""
    value: FloatArray
    """[non-zeros] coefficient of each entry."""
    column_names: Sequence[str]
    """[columns] names, e.g. `serve[chat,ams/dgx-h100,p0,b1]`."""
    row_names: Sequence[str]
    """[rows] labels."""
    row_families: Sequence[str]
    """[rows] family of each row."""

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.cost)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.row_lower)

    @property
    def integers(self) -> int:
        """Number of integer columns."""
        return int(self.is_integer.sum())

    def activity(self, values: FloatArray) -> FloatArray:
        """[rows] A x."""
        sums = np.zeros(self.rows)
        owners = np.repeat(np.arange(self.rows), np.diff(self.starts))
        np.add.at(sums, owners, self.value * values[self.index])
        return sums

    def worst_violation(self, values: FloatArray) -> float:
        """Largest amount by which `values` break a row or a bound; 0 when feasible."""
        rows = self.activity(values)
        parts = (
            self.row_lower - rows,
            rows - self.row_upper,
            self.lower - values,
            values - self.upper,
            np.abs(values - np.round(values)) * self.is_integer,
        )
        return max((float(part.max()) for part in parts if part.size), default=0.0)


class SolutionStatus(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What a solver found, always with what it proved."""

    status: SolutionStatus
    """`unknown` when a limit came before any incumbent."""
    values: FloatArray
    """[columns]; empty without an incumbent."""
    objective: float
    """Objective of `values`."""
    bound: float
    """Proven lower bound."""
    gap: float
    """(objective - bound) / |objective|."""
    seconds: float
    """Wall time."""
    nodes: int
    """Branch-and-bound nodes."""
    was_interrupted: bool
    """Stopped by the user or a limit."""
    strategy: str
    """How it was solved."""
    duals: FloatArray = field(default_factory=lambda: np.zeros(0))
    """[rows] change of the objective per unit of each row's binding side; of linear programs, and of those solved in
    stages that of their relaxation; else empty."""
    basis: bytes = b""
    """Where the simplex ended: a status for each column, then for each row, as `SolveLimits.basis` has them; of linear
    programs, where that was asked for, else empty."""

    @classmethod
    def nothing(cls, status: SolutionStatus) -> Solution:
        """No values, and nothing proven but the status."""
        return cls(
            status=status, values=np.zeros(0), objective=INFINITY, bound=-INFINITY, gap=INFINITY, seconds=0.0, nodes=0,
            was_interrupted=False, strategy="",
        )  # fmt: skip


WITHIN = b"\x01"
"""Status of a row or column that is at neither side, as a row is that was just added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveLimits:
    """When to stop."""

    gap: float = 1e-3
    """Relative gap at which the plan is good enough."""
    seconds: float = 60.0
    """Wall time; a safety net, not what decides a normal run."""
    nodes: int | None = None
    """Branch-and-bound nodes, for runs that must not depend on the clock."""
    seed: int = 0
    """Random seed of the solver."""
    threads: int = 2
    """Threads."""
    heuristics: float | None = None
    """Share of the effort that goes into finding plans rather than proving them; the solver's own where `None`."""
    basis: bytes | None = None
    """Where the simplex begins: for each column, then for each row, 0 at its lower side, 1 within, 2 at its upper side,
    3 free, 4 at either. Empty where nothing is known, `None` where it is not asked either where the simplex ends."""
    jumps: bool = True
    """Whether a first plan may be looked for by feasibility jumps: milliseconds, too long for the smallest programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveProgress:
    """A glimpse of a running solve."""

    incumbent: float | None
    """Best objective so far."""
    bound: float | None
    """Proven bound so far."""
    gap: float | None
    """Relative gap."""
    seconds: float
    """Wall time so far."""


@dataclass(slots=True)
class ProgramBuilder:
    """Collects columns and rows; the only mutable thing in the room, and it never leaves `formulate`."""

    _lower: list[float] = field(default_factory=list)
    _upper: list[float] = field(default_factory=list)
    _integer: list[bool] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _row_lower: list[float] = field(default_factory=list)
    _row_upper: list[float] = field(default_factory=list)
    _row_names: list[str] = field(default_factory=list)
    _families: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=lambda: [0])
    _index: list[int] = field(default_factory=list)
    _value: list[float] = field(default_factory=list)

    def column(self, name: str, *, lower: float = 0.0, upper: float = INFINITY, integer: bool = False) -> int:
        """Adds a column and returns its index."""
        self._names.append(name)
        self._lower.append(lower)
        self._upper.append(upper)
        self._integer.append(integer)
        return len(self._names) - 1

    def columns(self, names: Sequence[str], *, upper: float) -> int:
        """Adds columns between 0 and `upper` and returns the index of the first."""
        count, first = len(names), len(self._names)
        self._names.extend(names)
        self._lower.extend([0.0] * count)
        self._upper.extend([upper] * count)
        self._integer.extend([False] * count)
        return first

    def row(
        self,
        family: str,
        name: str,
        terms: Iterable[tuple[int, float]],
        *,
        lower: float = -INFINITY,
        upper: float = INFINITY,
    ) -> None:
        """Adds `lower <= sum(coefficient * column) <= upper`; repeated columns are summed, empty rows kept.

        An empty row that cannot hold is kept on purpose: it makes the program infeasible, and its label says why.
        """
        listed = terms if isinstance(terms, list) else list(terms)
        merged = dict(listed)
        if len(merged) < len(listed):
            merged = dict.fromkeys(merged, 0.0)
            for column, coefficient in listed:
                merged[column] += coefficient
        if 0.0 in merged.values():
            merged = {column: value for column, value in merged.items() if value != 0.0}
        self._index.extend(merged)
        self._value.extend(merged.values())
        self._starts.append(len(self._index))
        self._row_lower.append(lower)
        self._row_upper.append(upper)
        self._row_names.append(name)
        self._families.append(family)

    def bound(self, column: int, *, lower: float | None = None, upper: float | None = None) -> None:
        """Tightens the bounds of a column."""
        if lower is not None:
            self._lower[column] = max(self._lower[column], lower)
        if upper is not None:
            self._upper[column] = min(self._upper[column], upper)

    def name_of(self, column: int) -> str:
        """Name of a column."""
        return self._names[column]

    def upper_of(self, column: int) -> float:
        """Current upper bound of a column."""
        return self._upper[column]

    def build(self, cost: Sequence[float] | FloatArray) -> Program:
        """The finished program with `cost` as objective."""
        return Program(
            cost=np.asarray(cost, dtype=np.float64),
            lower=np.asarray(self._lower, dtype=np.float64),
            upper=np.asarray(self._upper, dtype=np.float64),
            is_integer=np.asarray(self._integer, dtype=np.bool_),
            row_lower=np.asarray(self._row_lower, dtype=np.float64),
            row_upper=np.asarray(self._row_upper, dtype=np.float64),
            starts=np.asarray(self._starts, dtype=np.int32),
            index=np.asarray(self._index, dtype=np.int32),
            value=np.asarray(self._value, dtype=np.float64),
            column_names=tuple(self._names),
            row_names=tuple(self._row_names),
            row_families=tuple(self._families),
        )

    @property
    def size(self) -> int:
        """Columns so far."""
        return len(self._names)
