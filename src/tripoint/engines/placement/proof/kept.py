"""The program a bound was proven for, packed small enough to stay with the plan.

Of the structure (names, families, integrality, entries) only a digest is kept: a program of another structure has
nothing to do with the bound. What a change of price or capacity touches is kept in figures: costs, bounds, the sides of
rows, and the entries of the rows that say what each provider is paid. Labels of rows are left out: they tell figures.
Beside it stand the prices of what workloads share, where they are known: any prices prove a bound, so seven digits do.
Where a program was solved whole, the place where the simplex ends on its relaxation is kept too: after a change of
prices or capacity it ends a few steps from there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass, replace

import numpy as np

from tripoint.engines.placement.large.owners import owners
from tripoint.engines.placement.large.portions import apart
from tripoint.engines.placement.milp.program import BoolArray, FloatArray, Program

SPEND = "spend"
"""The family of rows whose entries are prices."""
_FORM = "2"
_LEVEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptProgram:
    """What is kept of a program."""

    structure: str
    """Digest of everything that is not kept in figures."""
    cost: FloatArray
    """[columns] objective."""
    lower: FloatArray
    """[columns] lower bounds."""
    upper: FloatArray
    """[columns] upper bounds."""
    row_lower: FloatArray
    """[rows] lower sides."""
    row_upper: FloatArray
    """[rows] upper sides."""
    priced: FloatArray
    """Entries of the rows of prices, in the program's order."""
    prices: FloatArray
    """[rows] what a unit of what workloads share was worth; zero for rows of one workload; empty where unknown."""
    basis: bytes = b""
    """Where the simplex ended on its relaxation, as `SolveLimits.basis` has it; empty where unknown."""


def kept(program: Program) -> KeptProgram:
    """What is kept of a program, without prices."""
    prices = priced_entries(program)
    return KeptProgram(
        structure=_structure(program, prices),
        cost=program.cost,
        lower=program.lower,
        upper=program.upper,
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        priced=program.value[prices],
        prices=np.zeros(0),
    )


def priced_entries(program: Program) -> BoolArray:
    """[entries] true in rows that say what a provider is paid."""
    is_spend = np.fromiter((family == SPEND for family in program.row_families), np.bool_, program.rows)
    return np.repeat(is_spend, np.diff(program.starts))


def packed(program: Program, prices: FloatArray, basis: bytes = b"") -> str:
    """What is kept of a program as text: a form, a digest, two counts, and compressed figures in base 64.

    `prices` are those of its rows ([rows]; empty where unknown), `basis` where the simplex ended on its relaxation:
    compressed as well, behind the figures, where it is known.
    """
    all_of_it = replace(kept(program), prices=_of_shared(program, prices))
    figures = np.concatenate([getattr(all_of_it, name) for name in _SERIES])
    parts = (_text(figures.astype("<f8").tobytes()), *((_text(basis),) if basis else ()))
    return ":".join((_FORM, all_of_it.structure, str(program.columns), str(program.rows), *parts))


_SERIES = ("cost", "lower", "upper", "row_lower", "row_upper", "prices", "priced")


def unpacked(text: str) -> KeptProgram | None:
    """The way back; `None` for an empty, damaged or newer text: then there is no proof to carry over."""
    try:
        form, structure, columns, rows, body, *more = text.split(":")
        figures = np.frombuffer(_bytes(body), dtype="<f8")
        sizes = [int(columns)] * 3 + [int(rows)] * 3
        basis = _bytes(more[0]) if more else b""
    except (ValueError, binascii.Error, zlib.error):
        return None
    if form != _FORM or min(sizes) < 0 or sum(sizes) > figures.size or len(more) > 1:
        return None
    parts = np.split(figures, np.cumsum(sizes))
    found = KeptProgram(structure=structure, basis=basis, **dict(zip(_SERIES, parts, strict=True)))
    return found if found.prices.any() else replace(found, prices=np.zeros(0))


def _text(figures: bytes) -> str:
    return base64.b64encode(zlib.compress(figures, _LEVEL)).decode("ascii")


def _bytes(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text, validate=True))


def _of_shared(program: Program, prices: FloatArray) -> FloatArray:
    """[rows] prices of what workloads share, in single precision; zeros where none are known."""
    if prices.size != program.rows:
        return np.zeros(program.rows)
    single = np.where(apart(program, owners(program)), 0.0, prices).astype(np.float32)
    return single.astype(np.float64)


def _structure(program: Program, prices: BoolArray) -> str:
    digest = hashlib.sha256()
    for names in (program.column_names, program.row_families):
        digest.update("\n".join(names).encode())
        digest.update(b"\0")
    same = np.where(prices, 0.0, program.value)
    for series in (program.is_integer, program.starts, program.index, same):
        digest.update(np.ascontiguousarray(series).tobytes())
        digest.update(b"\0")
    return digest.hexdigest()
