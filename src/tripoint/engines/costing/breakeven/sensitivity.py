"""How sure is the cost of an owned node? Each figure is moved to its ends alone, and the swings combined.

The range is the root of the summed squares of the one-at-a-time swings, up and down apart: right for
independent figures and near-linear costs, and narrower than adding all worst cases, which never meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from tripoint.domain.charge import Rate
from tripoint.domain.provenance import Figure
from tripoint.engines.costing.breakeven.threshold import Range
from tripoint.engines.costing.rates import owned_busy_hour, owned_node_month
from tripoint.engines.facts.figures import FinanceFigures, NodeFigures, SiteFigures

_Group = TypeVar("_Group", NodeFigures, SiteFigures, FinanceFigures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """What one figure does to the cost when moved to its ends."""

    figure: Figure
    """Which figure."""
    low_usd: float
    """Cost with the figure at the end that makes it cheapest, USD."""
    high_usd: float
    """Cost with the figure at the end that makes it dearest, USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """A cost, its range, and what drives it."""

    usd: Range
    """Cost and range, USD."""
    swings: tuple[Swing, ...]
    """Widest first."""


def owned_month_sensitivity(node: NodeFigures, gpus: int, site: SiteFigures, finance: FinanceFigures) -> Sensitivity:
    """Effective cost of an owned node-month (idle), its range and its drivers."""
    return _sensitivity((node, site, finance), lambda n, s, f: _total(owned_node_month(n, gpus, s, f)))


def owned_busy_hour_sensitivity(node: NodeFigures, site: SiteFigures, finance: FinanceFigures) -> Sensitivity:
    """Effective cost of a busy hour of an owned node, its range and its drivers."""
    return _sensitivity((node, site, finance), lambda n, s, f: _total(owned_busy_hour(n, s, f)))


_Groups = tuple[NodeFigures, SiteFigures, FinanceFigures]
_Cost = Callable[[NodeFigures, SiteFigures, FinanceFigures], float]


def _total(rates: tuple[Rate, ...]) -> float:
    return sum(rate.effective_usd for rate in rates)


def _sensitivity(groups: _Groups, cost: _Cost) -> Sensitivity:
    base = cost(*groups)
    named = tuple(_figures(group) for group in groups)
    swings = [
        _swing(
            figure,
            base,
            [cost(*_moved(groups, named, figure, end)) for end in (figure.low, figure.high) if end is not None],
        )
        for each in named
        for _, figure in each
    ]
    down = math.sqrt(sum((base - swing.low_usd) ** 2 for swing in swings))
    up = math.sqrt(sum((swing.high_usd - base) ** 2 for swing in swings))
    ranked = sorted(swings, key=lambda swing: (swing.low_usd - swing.high_usd, swing.figure.key))
    return Sensitivity(
        usd=Range(value=base, low=max(0.0, base - down), high=base + up),
        swings=tuple(swing for swing in ranked if swing.high_usd > swing.low_usd),
    )


_Named = list[tuple[str, Figure]]


def _figures(group: NodeFigures | SiteFigures | FinanceFigures) -> _Named:
    """The figures of a group with the names they have in it."""
    values = ((field.name, getattr(group, field.name)) for field in fields(group))
    return [(name, value) for name, value in values if isinstance(value, Figure)]


def _moved(groups: _Groups, named: tuple[_Named, ...], figure: Figure, value: float) -> _Groups:
    """The groups with `figure` at `value`, wherever it is used."""
    (node, site, finance), (of_node, of_site, of_finance) = groups, named
    moved = figure, replace(figure, value=value)
    return (_with(node, of_node, moved), _with(site, of_site, moved), _with(finance, of_finance, moved))


def _with(group: _Group, named: _Named, moved: tuple[Figure, Figure]) -> _Group:
    """The group with the second figure in the place of the first; itself where it has none of it."""
    before, after = moved
    changes: dict[str, Any] = {name: after for name, value in named if value is before}
    return replace(group, **changes) if changes else group


def _swing(figure: Figure, base: float, costs: list[float]) -> Swing:
    return Swing(figure=figure, low_usd=min([base, *costs]), high_usd=max([base, *costs]))
