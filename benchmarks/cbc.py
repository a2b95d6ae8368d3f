"""The peer of the plan benchmark: CBC through PuLP, on a program handed over column by column and row by row.

`build` makes PuLP's own objects; `solve` lets PuLP write its file and run CBC, whose own wall clock, objective and
bound are read from its log, so that neither PuLP's writing nor its reading of files counts against the solver.
"""

from __future__ import annotations

import math
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pulp

from tripoint.engines.placement.milp.program import Program, SolveLimits

_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"
_OBJECTIVE = re.compile(rf"^Objective value:\s+{_NUMBER}", re.MULTILINE)
_BOUND = re.compile(rf"^Lower bound:\s+{_NUMBER}", re.MULTILINE)
_CLOCK = re.compile(rf"\(Wallclock seconds\):\s+{_NUMBER}")
_PROCESSOR = re.compile(rf"^Total time \(CPU seconds\):\s+{_NUMBER}", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What CBC found."""

    objective: float
    """Objective of its values, computed by us; infinite without values."""
    bound: float
    """Bound it proved; minus infinity when it told none."""
    seconds: float
    """Its own wall clock."""
    processor_s: float
    """Its processor time, all threads."""
    violation: float
    """Largest amount by which its values break a row, a bound or integrality."""

    @property
    def gap(self) -> float:
        """(objective - bound) / |objective|."""
        if not math.isfinite(self.objective):
            return math.inf
        return max(0.0, self.objective - self.bound) / max(abs(self.objective), 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A program as PuLP's objects."""

    problem: Any
    """`pulp.LpProblem`."""
    columns: list[Any]
    """`pulp.LpVariable` by column."""


def version() -> str:
    """Which PuLP this is."""
    return f"PuLP {pulp.__version__} with its CBC"


def build(program: Program) -> Built:
    """PuLP's objects for a program; a row with two different finite sides becomes two constraints."""
    columns = [_column(program, number) for number in range(program.columns)]
    problem = pulp.LpProblem("program", pulp.LpMinimize)
    problem += pulp.LpAffineExpression(list(zip(columns, program.cost.tolist(), strict=True)))
    starts, index, value = program.starts.tolist(), program.index.tolist(), program.value.tolist()
    sides = zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
    for row, (lower, upper) in enumerate(sides):
        here = slice(starts[row], starts[row + 1])
        terms = list(zip([columns[number] for number in index[here]], value[here], strict=True))
        for suffix, sense, side in _senses(lower, upper):
            problem.addConstraint(pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, f"r{row}{suffix}", side))
    return Built(problem=problem, columns=columns)


def write(built: Built, folder: str) -> None:
    """Hand-over: the file CBC reads."""
    built.problem.writeMPS(str(Path(folder) / "program.mps"))


def solve(program: Program, built: Built, limits: SolveLimits) -> Found:
    """CBC's best solution within the gap, the seconds and the threads of `limits`."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.PULP_CBC_CMD(
            msg=False, timeLimit=limits.seconds, gapRel=limits.gap, threads=limits.threads, logPath=str(log)
        )
        built.problem.solve(solver)
        told = log.read_text(encoding="utf-8")
    values = np.array([column.value() if column.value() is not None else math.nan for column in built.columns])
    has_values = built.problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible)
    objective = float(program.cost @ values) if has_values else math.inf
    is_proven = built.problem.sol_status == pulp.LpSolutionOptimal
    bound = _last(_BOUND, told, _last(_OBJECTIVE, told, -math.inf) if is_proven else -math.inf)
    return Found(
        objective=objective,
        bound=bound,
        seconds=_last(_CLOCK, told, math.nan),
        processor_s=_last(_PROCESSOR, told, math.nan),
        violation=program.worst_violation(values) if has_values else math.inf,
    )


def _column(program: Program, number: int) -> Any:
    category = pulp.LpInteger if program.is_integer[number] else pulp.LpContinuous
    lower, upper = float(program.lower[number]), float(program.upper[number])
    return pulp.LpVariable(f"c{number}", _side(lower), _side(upper), category)


def _side(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _senses(lower: float, upper: float) -> list[tuple[str, int, float]]:
    if lower == upper:
        return [("", pulp.LpConstraintEQ, lower)]
    both = [("a", pulp.LpConstraintGE, lower), ("b", pulp.LpConstraintLE, upper)]
    return [(suffix, sense, side) for suffix, sense, side in both if math.isfinite(side)]


def _last(pattern: re.Pattern[str], text: str, otherwise: float) -> float:
    found = pattern.findall(text)
    return float(found[-1]) if found else otherwise
