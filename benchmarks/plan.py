"""How long does a plan take, phase by phase, and how does its program fare with another solver?

Every shipped example and template is planned. The peer is CBC through PuLP: the same program, the same gap, threads
and time limit, in the same run. Modelling is compared on the same program too: its columns and rows are replayed
through our builder and through PuLP's objects, up to where the solver has them.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tripoint
from benchmarks import cbc
from benchmarks.measure import ROOT, Times, ratio, say, short, start, table, timed
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.wiring import load_catalog
from tripoint.domain.catalog import Catalog
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.decode import decode
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, ProgramBuilder, Solution, SolveLimits
from tripoint.engines.placement.settle import statement

_NOTICEABLE = 1e-4
PLACES = (ROOT / "examples", ROOT / "src" / "tripoint" / "templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Phases of one plan without its alternatives."""

    program: Program
    """What was solved."""
    solution: Solution
    """What HiGHS found."""
    load: Times
    """YAML to a checked estate."""
    resolve: Times
    """Estate to figures, prices, fits and refusals."""
    formulate: Times
    """Those to a program."""
    solve: Times
    """Program to a solution, hand-over to the solver included."""
    processor_s: float
    """Processor time of that, all threads; less disturbed by other work than the wall clock."""
    settle: Times
    """Solution to decisions and charge rows."""
    whole: Times
    """`tripoint.plan`: all of it, with the alternatives and the answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """CBC on the same program."""

    found: cbc.Found
    """The median run's answer; every run has the same."""
    solve: Times
    """CBC's own wall clock."""
    build: Times
    """PuLP's objects and its file."""
    our_build: Times
    """The same columns and rows through our builder, handed over to HiGHS."""


def estates() -> dict[str, Path]:
    """Folders of the shipped examples and templates by the name they are printed under."""
    return {
        f"{place.name.removesuffix('s')} {folder.name}": folder
        for place in PLACES
        for folder in sorted(place.iterdir())
        if (folder / "estate.yaml").is_file()
    }


def ours(path: Path, catalog: Catalog, limits: SolveLimits, repeat: int) -> Ours:
    """Every phase on its own, then the whole plan as the command line runs it."""
    loaded, load = timed(lambda: tripoint.load_estate(path), repeat)
    instance, resolve = timed(lambda: prepare(loaded.estate, catalog, loaded.profiles), repeat)

    def formulated() -> tuple[Formulation, Program]:
        form, _ = formulate(instance)
        return form, form.program()

    (form, program), formulation = timed(formulated, repeat)
    before = time.process_time()
    solution, solve = timed(lambda: _highs(program, limits), repeat)
    processor_s = (time.process_time() - before) / repeat
    values = solution.values
    _, settle = timed(lambda: statement(form, values, decode(form, values)) if values.size else (), repeat)
    options = tripoint.PlanOptions(gap=limits.gap, seconds=limits.seconds, threads=limits.threads)
    _, whole = timed(lambda: tripoint.plan(path, options), repeat)
    return Ours(
        program=program,
        solution=solution,
        load=load,
        resolve=resolve,
        formulate=formulation,
        solve=solve,
        processor_s=processor_s,
        settle=settle,
        whole=whole,
    )


def peer(program: Program, limits: SolveLimits, repeat: int) -> Peer:
    """CBC on the same program; a run that took its whole time limit is not repeated."""
    with tempfile.TemporaryDirectory() as folder:
        _, our_build = timed(lambda: _highs(replayed(program), SolveLimits(seconds=0.0)), repeat)
        _, build = timed(lambda: cbc.write(cbc.build(program), folder), repeat)
    runs: list[cbc.Found] = []
    while len(runs) < repeat and not (runs and runs[-1].seconds > limits.seconds / 2):
        runs.append(cbc.solve(program, cbc.build(program), limits))
    solve = Times(tuple(run.seconds for run in runs))
    return Peer(found=runs[-1], solve=solve, build=build, our_build=our_build)


def replayed(program: Program) -> Program:
    """The program built anew, column by column and row by row, as a formulation builds it."""
    builder = ProgramBuilder()
    bounds = zip(program.lower.tolist(), program.upper.tolist(), program.is_integer.tolist(), strict=True)
    for name, (lower, upper, is_integer) in zip(program.column_names, bounds, strict=True):
        builder.column(name, lower=lower, upper=upper, integer=is_integer)
    starts, index, value = program.starts.tolist(), program.index.tolist(), program.value.tolist()
    sides = zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
    for row, (lower, upper) in enumerate(sides):
        here = slice(starts[row], starts[row + 1])
        terms = zip(index[here], value[here], strict=True)
        builder.row(program.row_families[row], program.row_names[row], terms, lower=lower, upper=upper)
    return builder.build(program.cost)


def _highs(program: Program, limits: SolveLimits) -> Solution:
    return HighsSolver().solve(program, limits, lambda state: None, lambda: False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan every estate, hand every program to the peer, print both."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.plan")
    parser.add_argument("names", nargs="*", help="only estates whose name contains one of these")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each phase")
    parser.add_argument("--gap", type=float, default=1e-3, help="relative gap of both solvers")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of both solvers")
    parser.add_argument("--threads", type=int, default=2, help="threads of both solvers")
    options = parser.parse_args(arguments)
    limits = SolveLimits(gap=options.gap, seconds=options.seconds, threads=options.threads)
    chosen = {
        name: path for name, path in estates().items() if not options.names or any(w in name for w in options.names)
    }
    start("Plan")
    conditions = f"gap {limits.gap:.2%}, {limits.threads} threads, at most {limits.seconds:g} s"
    say(f"Both solvers: {conditions}. {cbc.version()}.\n")
    catalog = load_catalog()
    tripoint.load_estate(next(iter(chosen.values())))  # imports are the business of `startup`
    results = {name: ours(path, catalog, limits, options.repeat) for name, path in chosen.items()}
    _print_phases(results)
    _print_peers(results, {name: peer(run.program, limits, options.repeat) for name, run in results.items()})


def _print_phases(results: dict[str, Ours]) -> None:
    say("Seconds, medians; `whole` is `tripoint.plan` with its alternatives and answers.\n")
    table(
        ("estate", "columns", "integers", "rows", "load", "resolve", "formulate", "solve", "settle", "whole"),
        [
            (
                name,
                f"{run.program.columns:,}",
                f"{run.program.integers:,}",
                f"{run.program.rows:,}",
                *(short(t.median) for t in (run.load, run.resolve, run.formulate, run.solve, run.settle, run.whole)),
            )
            for name, run in results.items()
        ],
    )


def _print_peers(results: dict[str, Ours], peers: dict[str, Peer]) -> None:
    say("The same programs, solved: discounted USD, proven gap, wall clock and processor time.\n")
    ratios = ("CBC / HiGHS seconds", "CBC / HiGHS CPU", "CBC / HiGHS cost")
    table(
        ("estate", "HiGHS", "gap", "seconds", "CPU", "CBC", "gap", "seconds", "CPU", *ratios),
        [_solved(name, results[name], found) for name, found in peers.items()],
    )
    say("The same programs, built from their columns and rows and handed to the solver.\n")
    table(
        ("estate", "our builder", "PuLP", "PuLP / ours"),
        [
            (name, str(found.our_build), str(found.build), ratio(found.build.median, found.our_build.median))
            for name, found in peers.items()
        ],
    )


def _solved(name: str, run: Ours, found: Peer) -> tuple[str, ...]:
    best, other = run.solution.objective, found.found.objective
    told = f"{other:,.0f}" if math.isfinite(other) else "none"
    ours = run.program.worst_violation(run.solution.values) if run.solution.values.size else math.inf
    return (
        name,
        f"{best:,.0f}" + _broken(ours),
        f"{run.solution.gap:.3%}",
        str(run.solve),
        f"{short(run.processor_s)} s",
        told + _broken(found.found.violation),
        f"{found.found.gap:.3%}" if math.isfinite(found.found.gap) else "none",
        str(found.solve),
        f"{short(found.found.processor_s)} s",
        ratio(found.solve.median, run.solve.median),
        ratio(found.found.processor_s, run.processor_s),
        f"{other / best:.5f}" if math.isfinite(other) else "-",
    )


def _broken(violation: float) -> str:
    return f", breaks a row by {violation:.1g}" if _NOTICEABLE < violation < math.inf else ""


if __name__ == "__main__":
    main()
