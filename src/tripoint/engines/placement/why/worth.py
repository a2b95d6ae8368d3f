"""What one more kW, rack, node or Gbit/s is worth: shadow prices of the linear program around a plan.

A plan is whole numbers, and nothing is worth anything until it is enough for one more server. So yes and no are held as
the plan has them (who is where, what is built and copied), and nodes may be divided: what is left is a linear program,
and the dual of a limit's rows is what its next unit saves, discounted, over the horizon. One unit in every period of a
limit is one change: the duals of its rows add up.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.families.facility import nodes_per_rack
from tripoint.engines.placement.instance.instance import Instance, PoolModel
from tripoint.engines.placement.milp.program import INFINITY, FloatArray, Program

_UNITS = {"power": "kW", "racks": "rack", "obtainable": "node", "links": "Gbit/s"}
"""Families that are limits somebody can raise, and the unit of each."""
_BOUGHT = ("buy[", "commit[")
_COUNTS = (*_BOUGHT, "keep[")
"""Columns that count nodes; every other whole column is a yes or no."""
_LEAST_USD = 0.5


class Limit(NamedTuple):
    """A limit and its rows in the program."""

    family: str
    """Constraint family."""
    name: str
    """As its rows are labelled, without the period."""
    unit: str
    """What one more of is meant; per site where an entry stands for several."""
    step: float
    """What one more adds to the upper side of each row."""
    gpus: int
    """Accelerators in one unit; 0 where it is not made of them."""
    rows: tuple[int, ...]
    """Its rows."""


class Worth(NamedTuple):
    """A limit that binds, and the value of its next unit."""

    limit: Limit
    """Which."""
    usd: float
    """What the next unit of it saves, discounted USD over the horizon."""


class WholeNode(NamedTuple):
    """One more node of a pool with all it takes: where several limits bind together, each alone is worth nothing."""

    pool: str
    """Pool id."""
    gpus: int
    """Accelerators in it."""
    takes: tuple[tuple[Limit, float], ...]
    """Limits of its site and pool, and the units of each that it takes."""

    def added(self, program: Program) -> Program:
        """The program with all of that more, in every period."""
        for limit, units in self.takes:
            program = loosened(program, limit, units)
        return program


def divisible(program: Program, values: FloatArray) -> Program:
    """The linear program around a plan: yes and no held at its values, whole nodes free to be divided.

    How many nodes can be had is left to the rows that say so: the same bound on the columns would hide their duals.
    """
    is_choice, is_bought = program.is_integer.copy(), np.zeros_like(program.is_integer)
    for column in np.flatnonzero(program.is_integer).tolist():
        name = program.column_names[column]
        is_choice[column] = not name.startswith(_COUNTS)
        is_bought[column] = name.startswith(_BOUGHT)
    whole = np.round(np.where(is_choice, values, 0.0))
    return replace(
        program,
        lower=np.where(is_choice, whole, program.lower),
        upper=np.where(is_choice, whole, np.where(is_bought, INFINITY, program.upper)),
        is_integer=np.zeros_like(program.is_integer),
    )


def limits_of(form: Formulation, program: Program, workload: int) -> tuple[Limit, ...]:
    """Limits of the sites where the workload may run, and of the links its traffic may take."""
    instance = form.instance
    sites = {instance.sites[lane.site].site.id for _, lane in form.lanes_of(workload)}
    name = f"[{form.workload_id(workload)},"
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, family in enumerate(program.row_families):
        if family in _UNITS and (family != "links" or _mentions(program, row, name)):
            rows[family, rule_of(program.row_names[row])].append(row)
    found = []
    for (family, label), mine in rows.items():
        site, step, gpus = about(instance, family, label)
        if family == "links" or site in sites:
            found.append(Limit(family, label, _UNITS[family], step, gpus, tuple(mine)))
    return tuple(found)


def whole_nodes(form: Formulation, limits: tuple[Limit, ...], binding: tuple[Worth, ...]) -> tuple[WholeNode, ...]:
    """Pools of the limits whose next node takes of several limits, one of which binds; in the order of the limits."""
    bound = {each.limit for each in binding}
    found = []
    for pool in form.instance.pools:
        takes = takes_of(form, limits, pool)
        if len(takes) > 1 and any(limit in bound for limit, _ in takes):
            found.append(WholeNode(str(pool.spec.id), pool.gpus, takes))
    return tuple(found)


def takes_of(form: Formulation, limits: tuple[Limit, ...], pool: PoolModel) -> tuple[tuple[Limit, float], ...]:
    """Limits of a pool and its site, and the units of each that one node takes."""
    model = form.instance.sites[pool.site]
    needs = {"power": pool.node_kw, "racks": 1.0 / nodes_per_rack(model, pool), "obtainable": 1.0}
    return tuple(
        (limit, needs[limit.family])
        for limit in limits
        if limit.family in needs
        and about(form.instance, limit.family, limit.name)[0] == model.site.id
        and (limit.family != "obtainable" or limit.name.endswith(f" of {pool.spec.id}"))
    )


def rule_of(label: str) -> str:
    """A row's label without its period."""
    return (label.rpartition(" in ")[0] or label).rstrip(",")


def worths(limits: tuple[Limit, ...], duals: FloatArray) -> tuple[Worth, ...]:
    """The limits that bind, the most valuable first; `duals` are those of the linear program."""
    found = [Worth(limit, -float(duals[list(limit.rows)].sum()) * limit.step) for limit in limits]
    return tuple(sorted((each for each in found if each.usd >= _LEAST_USD), key=lambda each: (-each.usd, each.limit)))


def loosened(program: Program, limit: Limit, units: float) -> Program:
    """The program with so many units more of the limit, in every period."""
    upper = program.row_upper.copy()
    upper[list(limit.rows)] += units * limit.step
    return replace(program, row_upper=upper)


def _mentions(program: Program, row: int, name: str) -> bool:
    """Whether a column of the row is the workload's own."""
    entries = program.index[int(program.starts[row]) : int(program.starts[row + 1])]
    return any(name in program.column_names[column] for column in entries.tolist())


def about(instance: Instance, family: str, label: str) -> tuple[str, float, int]:
    """(site, step of one unit, accelerators in it) of a limit by its label."""
    if family == "obtainable":
        pool = next(each for each in instance.pools if label.endswith(f" of {each.spec.id}"))
        return instance.sites[pool.site].site.id, float(pool.count), pool.gpus
    if family == "links":
        link = next(each for each in instance.estate.links if label.startswith(f"link `{each.id}`,"))
        copies = {model.site.id: model.site.count for model in instance.sites}
        return "", float(max(copies.get(link.source, 1), copies.get(link.target, 1))), 0
    site = next(each.site.id for each in instance.sites if f"`{each.site.id}`" in label)
    return site, 1.0, 0
