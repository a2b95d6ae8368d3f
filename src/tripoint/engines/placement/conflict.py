"""Why no plan exists: a smallest set of constraint families that cannot hold together, and the rows that give.

The set is found by a deletion filter over families (Chinneck, Feasibility and Infeasibility in Optimization, 2008):
a family whose removal leaves the rest infeasible is not needed for the conflict and stays out. What remains is
irreducible: dropping any one of its families makes a plan possible. The rows come from the elastic program, which
pays one unit for each unit a row is broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tripoint.domain.fit import Refusal
from tripoint.domain.money import exactly
from tripoint.domain.plan import ConflictSet
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import INFINITY, FloatArray, Program, Solution, SolutionStatus
from tripoint.engines.sizing.fit.fits import WHOLE_SITE

Solve = Callable[[Program], Solution]

STRUCTURE = ("presence", "keep", "egress", "contracted", "burn", "spend")
"""Definitions rather than limits: nobody can relax them."""
_SUPPLY = {"obtainable", "power", "racks", "expansion", "keep"}
"""Limits on how many nodes there are."""
_MOST_RULES = 8
_TOLERANCE = 1e-6


def homeless(instance: Instance) -> ConflictSet | None:
    """The plainest conflict: workloads that no offer is left for, with the refusals that removed them."""
    lost = unhoused(instance)
    if not lost:
        return None
    mine = [refusal for refusal in instance.refusals if refusal.workload in lost]
    families = ("demand", *sorted({refusal.reason.value for refusal in mine}))
    details = [line for workload in lost for line in _reasons(workload, mine)]
    return ConflictSet(
        families=families,
        details=tuple(details[: _MOST_RULES * 2]),
        hint=f"{len(lost)} of {len(instance.estate.workloads)} workloads {'has' if len(lost) == 1 else 'have'} "
        "no offer left; "
        "relax the rule or add an offer that meets it",
    )


def unhoused(instance: Instance) -> tuple[str, ...]:
    """Workloads that no offer is left for."""
    housed = {lane.workload for lane in instance.lanes}
    return tuple(str(w.id) for number, w in enumerate(instance.estate.workloads) if number not in housed)


def _reasons(workload: str, refusals: list[Refusal]) -> list[str]:
    mine = [refusal for refusal in refusals if refusal.workload == workload]
    if not mine:
        return [f"`{workload}`: no site offers anything it could run on"]
    shown = [f"`{workload}` at {_offer(refusal)}: {refusal.text}" for refusal in mine[:4]]
    more = len(mine) - 4
    return shown if more <= 0 else [*shown, f"`{workload}`: and {with_unit(str(more), 'more refusals')}"]


def _offer(refusal: Refusal) -> str:
    return f"`{refusal.site}`" if refusal.node_type == WHOLE_SITE else f"`{refusal.site}` on {refusal.node_type}"


def explain(program: Program, solve: Solve, sift: Solve | None = None) -> ConflictSet:
    """The conflict of an infeasible program.

    `sift` decides which families are needed, `solve` where it is not given; it may give up sooner than `solve`, so that
    there is time left for the rows that give.
    """
    sift = sift or solve
    relaxed = replace(program, is_integer=np.zeros_like(program.is_integer), cost=np.zeros_like(program.cost))
    is_linear = sift(relaxed).status is SolutionStatus.INFEASIBLE
    tested = relaxed if is_linear else replace(program, cost=np.zeros_like(program.cost))
    families, unneeded = _irreducible(tested, sift)
    return ConflictSet(
        families=families,
        details=_details(tested, unneeded, families, solve),
        hint=_hint(families),
    )


def _irreducible(program: Program, solve: Solve) -> tuple[tuple[str, ...], set[str]]:
    """Families of one conflict, and those it does not need."""
    candidates = [name for name in dict.fromkeys(program.row_families) if name not in STRUCTURE]
    off: set[str] = set()
    for name in sorted(candidates, key=_keep_last):
        if solve(_without(program, off | {name})).status is SolutionStatus.INFEASIBLE:
            off.add(name)
    return tuple(name for name in candidates if name not in off), off


def _keep_last(family: str) -> int:
    """Demand and capacity are tried last, so that they stay out only when truly not needed."""
    return 1 if family in ("demand", "capacity") else 0


def _without(program: Program, off: set[str]) -> Program:
    """The program with the rows of some families switched off."""
    dropped = np.array([family in off for family in program.row_families], dtype=np.bool_)
    return replace(
        program,
        row_lower=np.where(dropped, -INFINITY, program.row_lower),
        row_upper=np.where(dropped, INFINITY, program.row_upper),
    )


def _details(program: Program, unneeded: set[str], families: tuple[str, ...], solve: Solve) -> tuple[str, ...]:
    """What gives first: the rule in the way where there is one, else the nodes it leaves too few of.

    All other limits hold meanwhile, so that what there is, is what they leave; where they conflict among themselves,
    those that say how many nodes there can be, else none.
    """
    rules = tuple(family for family in families if family not in ("demand", "capacity"))
    for broken in (rules, (*rules, "capacity")):
        for off in (set[str](), unneeded - _SUPPLY, unneeded):
            told = _broken_rows(_without(program, off), broken, solve)
            if told:
                return told
    return ()


def _broken_rows(program: Program, families: tuple[str, ...], solve: Solve) -> tuple[str, ...]:
    """Rows that must give when everything else holds, from the elastic program over these families."""
    rows = [n for n, family in enumerate(program.row_families) if family in families]
    if not rows:
        return ()
    elastic = _elastic(program, rows)
    solution = solve(elastic)
    if not solution.values.size:
        return ()
    activity = program.activity(solution.values[: program.columns])
    rules: dict[str, dict[str, tuple[float, str]]] = {}
    for row in rows:
        short = float(max(program.row_lower[row] - activity[row], activity[row] - program.row_upper[row]))
        if short <= _TOLERANCE:
            continue
        label = program.row_names[row]
        broken = rules.setdefault(f"{program.row_families[row]} {_rule(label)}", {})
        if short > broken.get(label, (0.0, ""))[0]:
            broken[label] = (short, _told(program, row, solution.values))
    ranked = sorted(rules.values(), key=lambda broken: -max(short for short, _ in broken.values()))
    return tuple(text for broken in ranked[:_MOST_RULES] for _, text in sorted(broken.values(), key=_most_short))


def _most_short(row: tuple[float, str]) -> float:
    """Sorts the period in which a rule is broken most to the front; equal ones stay in their order."""
    return -row[0]


def _rule(label: str) -> str:
    """The label without its period: one rule broken in many periods is still one rule."""
    return label.rpartition(" in ")[0] or label


_UNITS = {
    "capacity": "nodes",
    "spare": "nodes",
    "gang": "nodes",
    "obtainable": "nodes",
    "power": "kW",
    "racks": "racks",
    "links": "Gbit/s",
    "budget": "USD",
    "concentration": "USD",
    "moves": "moves",
    "standby": "of its demand",
    "rpo": "copies",
}
"""Unit of each family's rows, as a person reads the shortfall."""


def _told(program: Program, row: int, values: FloatArray) -> str:
    """The row with what is asked and what there is.

    Rows that balance use against supply have no limit of their own to name: there the terms of one sign are what is
    asked, those of the other, with the constant, what there is.
    """
    family = program.row_families[row]
    unit = _UNITS.get(family, "")
    entries = slice(int(program.starts[row]), int(program.starts[row + 1]))
    parts = program.value[entries] * values[program.index[entries]]
    above, below = float(parts[parts > 0].sum()), -float(parts[parts < 0].sum())
    upper = float(program.row_upper[row])
    is_over = above - below > upper
    limit = upper if is_over else float(program.row_lower[row])
    name = f"{family}: {program.row_names[row]}"
    if family == "budget":  # limit and raise make just what is needed, as a reader adds them up
        needed = exactly(limit, whole_raise(above - below - limit))
        return f"{name}: needs {needed} {unit}, allowed is {exactly(limit)} {unit}"
    if limit == 0.0 or family in ("capacity", "gang"):
        asked, had = _apart(*((above, upper + below) if is_over else (below, above - limit)))
        there = "there is" if had == "1" else "there are"
        return f"{name}: needs {with_unit(asked, unit)}, {there} {had}"
    found, wanted = (with_unit(amount, unit) for amount in _apart(above - below, limit))
    return f"{name}: needs {found}, allowed is {wanted}" if is_over else f"{name}: gets {found}, needs {wanted}"


def whole_raise(units: float) -> int:
    """The least whole number that will do for a raise; the solver's own tolerance does not count."""
    return math.ceil(units * (1.0 - _TOLERANCE))


def with_unit(amount: str, unit: str) -> str:
    """An amount with its unit, which is in the singular after 1: `1 node`, `1.5 nodes`."""
    if amount != "1":
        return f"{amount} {unit}"
    return f"1 {unit[:-3]}y" if unit.endswith("ies") else f"1 {unit.removesuffix('s')}"


def _apart(one: float, other: float) -> tuple[str, str]:
    """Two amounts, with as many digits as it takes to see that they differ."""
    forms = (f",.{digits}f" for digits in range(1, 7))
    pairs = ((_amount(one), _amount(other)), *((format(one, form), format(other, form)) for form in forms))
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def _elastic(program: Program, rows: list[int]) -> Program:
    """Adds a pair of slack columns, priced by the row's own scale, to each of `rows`."""
    extra = 2 * len(rows)
    scale = np.array([_row_scale(program, row) for row in rows for _ in (0, 1)])
    counts = np.diff(program.starts)
    index = np.split(program.index, program.starts[1:-1])
    value = np.split(program.value, program.starts[1:-1])
    for position, row in enumerate(rows):
        column = program.columns + 2 * position
        index[row] = np.append(index[row], np.array([column, column + 1], dtype=np.int32))
        value[row] = np.append(value[row], [1.0, -1.0])
        counts[row] += 2
    return replace(
        program,
        cost=np.concatenate([np.zeros(program.columns), 1.0 / scale]),
        lower=np.concatenate([program.lower, np.zeros(extra)]),
        upper=np.concatenate([program.upper, np.full(extra, INFINITY)]),
        is_integer=np.concatenate([program.is_integer, np.zeros(extra, dtype=np.bool_)]),
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        index=np.concatenate(index).astype(np.int32),
        value=np.concatenate(value),
        column_names=(*program.column_names, *(f"slack{n}" for n in range(extra))),
    )


def _row_scale(program: Program, row: int) -> float:
    sides = [abs(s) for s in (program.row_lower[row], program.row_upper[row]) if np.isfinite(s)]
    return float(max(1.0, *sides)) if sides else 1.0


def _hint(families: tuple[str, ...]) -> str:
    advice = {
        "power": "raise `power.it_kw`, add an expansion step, or allow another site",
        "racks": "add racks or raise `rack_density_kw`",
        "obtainable": "raise `max_nodes` or offer another node type or site",
        "capacity": "offer more nodes: another pool, purchase option or site",
        "spare": "lower `spare_nodes`, or offer more nodes of its pool",
        "gang": "offer enough nodes of one type at one site for the run, and in time: lead times count",
        "budget": "raise `policies.budget` or relax an objective",
        "concentration": "raise `max_share` or allow another provider",
        "standby": "lower `survive_share`, or allow the workload at one more site",
        "links": "raise `bandwidth_gbps` or let the workload run nearer its callers",
        "moves": "raise `max_moves_per_period`",
        "rpo": "allow a second copy at a site outside the source's failure domains",
    }
    hints = [advice[name] for name in sorted(families, key=_keep_last) if name in advice]
    return "; or ".join(hints) if hints else "relax one of the families named"
