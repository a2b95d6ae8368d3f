"""HiGHS through `highspy`: hands the arrays over once, streams progress, and stops politely when asked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np

from tripoint.domain.errors import SolverError
from tripoint.engines.placement.milp.program import (
    FloatArray,
    Program,
    Solution,
    SolutionStatus,
    SolveLimits,
    SolveProgress,
)

_TOO_LARGE = 1e12
"""Figures beyond this, beside ones as small as shares, leave no digit that can be trusted."""
_STATUSES = tuple(highspy.HighsBasisStatus(each) for each in range(5))
"""By their numbers in `SolveLimits.basis`."""
_INFEASIBLE = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


@dataclass(frozen=True, slots=True)
class HighsSolver:
    """The production solver."""

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """Best solution within `limits` with its proven bound, begun from the values of `start` where given.

        Raises:
            SolverError: HiGHS refused the program or failed numerically.
        """
        started = time.perf_counter()
        highs = _configured(limits)
        if highs.passModel(_model(program)) == highspy.HighsStatus.kError:
            raise _failed("refused", program)
        _set_integers(highs, program)
        _start(highs, start)
        _begin(highs, program, limits.basis or b"")
        _watch(highs, started, progress, should_stop)
        _run(highs, program)
        found = _solution(highs, program, time.perf_counter() - started)
        return found if limits.basis is None else replace(found, basis=_basis(highs, found))


def _run(highs: Any, program: Program) -> None:
    """Renews the pool of threads when HiGHS, which keeps its first one, refuses to run with another number of them."""
    if highs.run() != highspy.HighsStatus.kError:
        return
    highspy.Highs.resetGlobalScheduler(True)
    if highs.run() == highspy.HighsStatus.kError:
        raise _failed("failed on", program)


def _failed(how: str, program: Program) -> SolverError:
    """What went wrong, with the largest figure and its row where that is more than any solver can reckon with."""
    sizes = np.abs(program.value)
    if sizes.size and sizes.max() > _TOO_LARGE:
        row = int(np.searchsorted(program.starts, int(sizes.argmax()), side="right")) - 1
        told = f"{program.row_families[row]}: {program.row_names[row]}, reaches {sizes.max():.2g}"
        return SolverError(
            f"HiGHS {how} the program, whose figures are more than {_TOO_LARGE:.0e}: {told}",
            hint="check the units of demands, sizes and prices there",
        )
    return SolverError(f"HiGHS {how} the program", hint="report this estate as a bug")


def _configured(limits: SolveLimits) -> Any:
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy ships no types for it
    options: dict[str, bool | int | float | str] = {
        "output_flag": True,
        "log_to_console": False,
        "mip_rel_gap": limits.gap,
        "time_limit": limits.seconds,
        "random_seed": limits.seed,
        "threads": limits.threads,
        "mip_feasibility_tolerance": 1e-6,
    }
    if limits.nodes is not None:
        options["mip_max_nodes"] = limits.nodes
    if not limits.jumps:
        options["mip_heuristic_run_feasibility_jump"] = False
    if limits.heuristics is not None:
        options["mip_heuristic_effort"] = limits.heuristics
    for name, value in options.items():
        highs.setOptionValue(name, value)
    return highs


def _model(program: Program) -> Any:
    model = highspy.HighsLp()
    model.num_col_ = program.columns
    model.num_row_ = program.rows
    model.col_cost_ = program.cost
    model.col_lower_ = program.lower
    model.col_upper_ = program.upper
    model.row_lower_ = program.row_lower
    model.row_upper_ = program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.starts
    model.a_matrix_.index_ = program.index
    model.a_matrix_.value_ = program.value
    return model


def _set_integers(highs: Any, program: Program) -> None:
    """By index after the hand-over: a list of a million enumeration members takes longer than the matrix."""
    columns = np.flatnonzero(program.is_integer).astype(np.int32)
    if columns.size:
        kinds = np.full(columns.size, int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        highs.changeColsIntegrality(columns.size, columns, kinds)


def _start(highs: Any, start: FloatArray | None) -> None:
    """The values to begin from; HiGHS completes or drops them where they do not fit."""
    if start is not None and start.size:
        known = highspy.HighsSolution()
        known.col_value = start.tolist()
        highs.setSolution(known)


def _begin(highs: Any, program: Program, basis: bytes) -> None:
    """Where the simplex begins; one of another size says nothing about this program."""
    if len(basis) != program.columns + program.rows or max(basis, default=0) >= len(_STATUSES):
        return
    known = highspy.HighsBasis()
    known.col_status = [_STATUSES[each] for each in basis[: program.columns]]
    known.row_status = [_STATUSES[each] for each in basis[program.columns :]]
    known.valid = True
    highs.setBasis(known)


def _basis(highs: Any, found: Solution) -> bytes:
    """Where the simplex ended, where it came to an end."""
    known = highs.getBasis()
    if found.status is not SolutionStatus.OPTIMAL or not known.valid or not found.duals.size:
        return b""
    return bytes([int(each) for series in (known.col_status, known.row_status) for each in series])


def _watch(
    highs: Any, started: float, progress: Callable[[SolveProgress], None], should_stop: Callable[[], bool]
) -> None:
    def on_log(event: Any) -> None:
        incumbent = _finite(event.data_out.mip_primal_bound)
        bound = _finite(event.data_out.mip_dual_bound)
        gap = None if incumbent is None or bound is None else _gap(incumbent, bound)
        progress(SolveProgress(incumbent=incumbent, bound=bound, gap=gap, seconds=time.perf_counter() - started))

    def on_interrupt(event: Any) -> None:
        if should_stop():
            event.interrupt()

    highs.cbMipLogging.subscribe(on_log)
    highs.cbMipInterrupt.subscribe(on_interrupt)
    highs.cbSimplexInterrupt.subscribe(on_interrupt)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) and abs(value) < highspy.kHighsInf else None


def _gap(incumbent: float, bound: float) -> float:
    return max(0.0, incumbent - bound) / max(abs(incumbent), 1e-9)


def _solution(highs: Any, program: Program, seconds: float) -> Solution:
    status = highs.getModelStatus()
    info = highs.getInfo()
    has_point = info.primal_solution_status == highspy.kSolutionStatusFeasible
    values = np.asarray(highs.getSolution().col_value, dtype=np.float64) if has_point else np.zeros(0)
    values = _rounded(values, program)
    objective = float(program.cost @ values) if has_point else math.inf
    is_optimal = status == highspy.HighsModelStatus.kOptimal
    bound = float(info.mip_dual_bound) if program.integers else (objective if is_optimal else -math.inf)
    if status in _INFEASIBLE:
        outcome = SolutionStatus.INFEASIBLE
    elif has_point:
        outcome = SolutionStatus.OPTIMAL if is_optimal else SolutionStatus.FEASIBLE
    else:
        outcome = SolutionStatus.UNKNOWN
    return Solution(
        status=outcome,
        values=values,
        objective=objective,
        bound=min(bound, objective),
        gap=_gap(objective, bound) if has_point else math.inf,
        seconds=seconds,
        nodes=max(int(info.mip_node_count), 0),
        was_interrupted=not is_optimal and status not in _INFEASIBLE,
        strategy="monolithic",
        duals=_duals(highs, program) if is_optimal else np.zeros(0),
    )


def _duals(highs: Any, program: Program) -> FloatArray:
    """Row duals as HiGHS has them: change of the objective per unit of the row's binding side."""
    return np.zeros(0) if program.integers else np.asarray(highs.getSolution().row_dual, dtype=np.float64)


def _rounded(values: Any, program: Program) -> Any:
    """Integer columns come back within 1e-6 of an integer; snap them so that decode sees whole nodes."""
    if values.size:
        values[program.is_integer] = np.round(values[program.is_integer])
    return values
