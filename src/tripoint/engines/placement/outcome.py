"""A solved instance, read back: decisions, charge rows and the totals that baselines are compared by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tripoint.domain.charge import Charge
from tripoint.domain.plan import SolveSummary
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.decode import Decisions, decode
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus
from tripoint.engines.placement.settle import statement, undiscounted_usd

Solve = Callable[[Program], Solution]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of solving an instance; `charges` and `decisions` are empty without an incumbent."""

    instance: Instance
    """With the network's figures added."""
    program: Program
    """What was solved."""
    solution: Solution
    """What the solver found and proved."""
    summary: SolveSummary | None
    """Certificate; `None` without an incumbent."""
    decisions: Decisions | None
    """Decisions; `None` without an incumbent."""
    charges: tuple[Charge, ...]
    """The statement."""
    form: Formulation
    """What the columns mean."""
    network: Network
    """Which bytes they send where."""

    @property
    def is_infeasible(self) -> bool:
        """True when it is proven that no plan exists."""
        return self.solution.status is SolutionStatus.INFEASIBLE


def solve_instance(
    instance: Instance, solve: Solve, adjust: Callable[[Formulation], None] = lambda form: None
) -> Outcome:
    """Formulates, lets `adjust` add rows, solves and reads back."""
    form, network = formulate(instance)
    adjust(form)
    program = form.program()
    return read_back(form, network, program, solve(program))


def read_back(form: Formulation, network: Network, program: Program, solution: Solution) -> Outcome:
    """What came of solving a program of this formulation."""
    instance = form.instance
    known = {
        figure.key: figure
        for figure in (
            *instance.figures,
            *network.figures.values(),
            *(path.rtt_ms for path in network.paths.values()),
        )
    }
    instance = replace(instance, figures=tuple(known.values()))
    if not solution.values.size:
        return Outcome(
            instance=instance,
            program=program,
            solution=solution,
            summary=None,
            decisions=None,
            charges=(),
            form=form,
            network=network,
        )
    decisions = decode(form, solution.values)
    return Outcome(
        instance=instance,
        program=program,
        solution=solution,
        summary=_summary(form, program, solution),
        decisions=decisions,
        charges=statement(form, solution.values, decisions),
        form=form,
        network=network,
    )


def _summary(form: Formulation, program: Program, solution: Solution) -> SolveSummary:
    return SolveSummary(
        strategy=solution.strategy,
        incumbent_usd=solution.objective,
        bound_usd=solution.bound,
        gap=solution.gap,
        seconds=solution.seconds,
        nodes=solution.nodes,
        columns=program.columns,
        rows=program.rows,
        integers=program.integers,
        was_interrupted=solution.was_interrupted,
        undiscounted_usd=undiscounted_usd(form, solution.values),
        penalties_usd=sum(usd * float(solution.values[column]) for column, usd in form.penalties),
    )
