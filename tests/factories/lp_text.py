"""A program, or one family of it, as readable text: one row a line, names in place of indices.

The notation follows the LP file format closely enough to be read by anyone who knows it; it is what the goldens of
the constraint families are written in.
"""

from __future__ import annotations

import math

from tripoint.engines.placement.milp.program import Program


def family_text(program: Program, family: str) -> str:
    """Rows of a family in build order, then the bounds and integrality of the columns they use."""
    rows = [row for row, name in enumerate(program.row_families) if name == family]
    used: dict[int, None] = {}
    lines = ["subject to"]
    for row in rows:
        entries = range(int(program.starts[row]), int(program.starts[row + 1]))
        used.update(dict.fromkeys(int(program.index[entry]) for entry in entries))
        lines.append(f"  {program.row_names[row]}: {_row_text(program, row)}")
    lines.append("bounds")
    lines.extend(f"  {_bound_text(program, column)}" for column in used)
    return "\n".join(lines) + "\n"


def _row_text(program: Program, row: int) -> str:
    entries = range(int(program.starts[row]), int(program.starts[row + 1]))
    terms = [_term(float(program.value[e]), program.column_names[int(program.index[e])]) for e in entries]
    left = " ".join(terms).removeprefix("+ ") or "0"
    lower, upper = float(program.row_lower[row]), float(program.row_upper[row])
    if lower == upper:
        return f"{left} = {_number(upper)}"
    if math.isinf(upper):
        return f"{left} >= {_number(lower)}"
    return f"{left} <= {_number(upper)}"


def _term(value: float, name: str) -> str:
    sign = "-" if value < 0 else "+"
    size = abs(value)
    return f"{sign} {name}" if size == 1.0 else f"{sign} {_number(size)} {name}"


def _bound_text(program: Program, column: int) -> str:
    lower, upper = float(program.lower[column]), float(program.upper[column])
    kind = " integer" if program.is_integer[column] else ""
    top = "" if math.isinf(upper) else f" <= {_number(upper)}"
    return f"{_number(lower)} <= {program.column_names[column]}{top}{kind}"


def _number(value: float) -> str:
    return f"{value + 0.0:.6g}"
