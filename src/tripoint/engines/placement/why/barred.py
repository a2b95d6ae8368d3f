"""Nodes that do not fit as a whole: what is left of a limit is too little for one more, however much it would save.

Where nodes may be divided such a limit does not bind, and no dual tells its worth. So it is lifted by what the node
lacks, and the whole program, with whole nodes, is solved again.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tripoint.engines.placement.columns.formulation import Formulation
from tripoint.engines.placement.milp.program import FloatArray, Program
from tripoint.engines.placement.why.worth import Limit, WholeNode, takes_of

_ROUNDING = 1e-6


def barred_nodes(
    form: Formulation, program: Program, values: FloatArray, limits: tuple[Limit, ...], workload: int
) -> tuple[WholeNode, ...]:
    """Pools that can be had by the node, where a limit leaves too little for one more, and what it lacks.

    Only those where the workload may run; where it does run first.
    """
    left = program.row_upper - program.activity(values)
    lanes = [number for number, _ in form.lanes_of(workload)]
    used = {
        form.instance.lanes[number].pool
        for (number, _, _), column in form.serve.items()
        if number in lanes and values[column] > _ROUNDING
    }
    found = []
    for number, pool in enumerate(form.instance.pools):
        is_open = any(form.instance.lanes[lane].pool == number for lane in lanes)
        if not is_open or not (pool.owned_month or pool.terms):
            continue
        lacks = []
        for limit, units in takes_of(form, limits, pool):
            least = float(left[list(limit.rows)].min()) / limit.step
            if units - least > _ROUNDING * units:
                lacks.append((limit, units - max(least, 0.0)))
        if lacks:
            found.append((number not in used, WholeNode(str(pool.spec.id), pool.gpus, tuple(lacks))))
    return tuple(node for _, node in sorted(found, key=lambda each: each[0]))


def with_node(program: Program, node: WholeNode) -> Program:
    """The program with as much more of each limit as the node lacks, in every period, and room in its columns."""
    more = max((math.ceil(units - _ROUNDING) for limit, units in node.takes if limit.family == "obtainable"), default=0)
    upper = program.upper.copy()
    names = (f"buy[{node.pool},", f"commit[{node.pool},")
    whole = np.flatnonzero(program.is_integer).tolist()
    upper[[column for column in whole if program.column_names[column].startswith(names)]] += more
    return replace(node.added(program), upper=upper)
