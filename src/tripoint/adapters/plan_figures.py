"""Figures of a plan file that no plan can have: shares beyond the whole, less than no nodes, money that is no number.

A row of `_SPANS` bounds one field of one part of the plan. What tripoint wrote keeps within them but for rounding, so
whatever does not was changed by hand or damaged. Of each field of a part the first wrong row is told, with the number
of the others.
"""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tripoint.domain.findings import quoted
from tripoint.domain.plan import Plan, PlanStatus
from tripoint.domain.workload import WorkloadKind

_ROUNDING = 0.001
"""What a solver's tolerance leaves on a share or a number of nodes, and on what is reckoned from them."""
_CENT = 0.01
_LARGEST = sys.float_info.max
"""Infinity is beyond it: only a limit may be endless."""
_WHOLE = 0.001
"""By how much shares may miss 1: parts too small to be told are left out of a plan."""


@dataclass(frozen=True, slots=True)
class _Span:
    low: float = -_LARGEST
    high: float = _LARGEST
    unit: str = ""
    slack: float = _ROUNDING

    def admits(self, value: float) -> bool:
        """False for what is outside, and for what is no number."""
        return self.low - self.slack <= value <= self.high + self.slack

    @property
    def text(self) -> str:
        """The bounds in words."""
        unit = f" {self.unit}" if self.unit else ""
        if self.high < _LARGEST:
            return f"{self.low:g} to {self.high:g}{unit}"
        return f"at least {self.low:g}{unit}" if self.low > -_LARGEST else "a number"


def _amount(unit: str = "") -> _Span:
    return _Span(0, unit=unit)


_SHARE = _Span(0, 1)
_USD = _Span(0, unit="USD", slack=_CENT)
_FINITE = _Span()
_NODES = _amount("nodes")
_KG = _amount("kg")

_SPANS: Mapping[str, Mapping[str, _Span]] = MappingProxyType(
    {
        "blocks": MappingProxyType(
            {"weight": _SHARE, "hours_of_week": _Span(0, 167), "longest_gap_hours": _amount("hours")}
        ),
        "sites": MappingProxyType({"count": _Span(1), "cost_usd": _USD, "gpus_last": _amount("accelerators")}),
        "workloads": MappingProxyType(
            {
                "cost_usd": _USD,
                "idle_usd": _USD,
                "mtok": _amount("Mtok"),
                "usd_per_mtok_usage": _USD,
                "usd_per_mtok_reserved": _USD,
                "carbon_kg": _KG,
                "moves": _amount("moves"),
                "carbon_unknown_usd": _USD,
            }
        ),
        "placements": MappingProxyType({"share": _SHARE, "nodes": _NODES}),
        "pools": MappingProxyType(
            {
                "owned": _NODES,
                "committed": _NODES,
                "on_demand": _NODES,
                "spot": _NODES,
                "used": _NODES,
                "gpus_per_node": _amount("accelerators"),
            }
        ),
        "purchases": MappingProxyType({"nodes": _NODES, "term_months": _Span(1, unit="months")}),
        "expansions": MappingProxyType({"adds_kw": _amount("kW")}),
        "standby": MappingProxyType({"share": _SHARE, "nodes": _NODES}),
        "transfers": MappingProxyType({"gb": _amount("GB")}),
        "charges": MappingProxyType(
            {
                "quantity": _amount(),
                "list_usd": _USD,
                "contracted_usd": _USD,
                "billed_usd": _USD,
                "effective_usd": _USD,
                "carbon_kg": _KG,
            }
        ),
        "baselines": MappingProxyType(
            {
                "total_usd": _USD,
                "npv_usd": _USD,
                "billed_usd": _USD,
                "by_period_usd": _USD,
                "by_layer_usd": _USD,
                "carbon_kg": _KG,
                "usd_per_mtok": _USD,
                "carbon_unknown_usd": _USD,
            }
        ),
        "lapses": MappingProxyType({"nodes": _NODES, "mean_use": _SHARE, "unused_usd": _USD, "renew_nodes": _NODES}),
        "headroom": MappingProxyType(
            {
                "used": _amount(),
                "limit": _Span(0, math.inf),
                "lead_time_months": _amount("months"),
            }
        ),
        "near": MappingProxyType(
            {
                "undiscounted_usd": _USD,
                "npv_usd": _USD,
                "more_usd": _FINITE,
                "vendors": _amount("vendors"),
                "moves": _amount("moves"),
                "egress_tb": _amount("TB"),
                "carbon_t": _amount("t"),
                "elsewhere": _SHARE,
            }
        ),
    }
)
"""Bounds by part of a plan and field; every figure of a list or a mapping is held to them."""

_TOP: Mapping[str, _Span] = MappingProxyType(
    {
        "usd_per_unit": _Span(1e-9, unit="USD", slack=0.0),
        "period_months": _Span(1, 12, "months"),
        "period_hours": _Span(1, unit="hours"),
        "discount_rate": _SHARE,
    }
)
_SOLVE: Mapping[str, _Span] = MappingProxyType(
    {
        "incumbent_usd": _FINITE,
        "gap": _Span(0, math.inf),
        "seconds": _amount("s"),
        "nodes": _amount("nodes"),
        "columns": _amount("columns"),
        "rows": _amount("rows"),
        "integers": _amount("columns"),
        "undiscounted_usd": _USD,
        "penalties_usd": _FINITE,
        "peak_mb": _amount("MB"),
    }
)
_SERIES: tuple[tuple[str, str], ...] = (
    ("baselines", "by_period_usd"),
    ("headroom", "used"),
    ("headroom", "limit"),
)
"""Lists that hold one figure a period."""
_ENDS: tuple[tuple[str, str, int], ...] = (
    ("purchases", "service_period", 0),
    ("purchases", "until_period", -1),
    ("copies", "from_period", 0),
    ("copies", "to_period", 0),
)
"""Fields that name a period of the plan, and the least they may be."""


def impossible_figures(plan: Plan) -> Iterator[tuple[str, str]]:
    """Path and message of every figure that no plan can have, and of shares that do not add up to the whole."""
    yield from _within("", plan, _TOP)
    if plan.solve is not None:
        yield from _within("solve.", plan.solve, _SOLVE)
    for part, spans in _SPANS.items():
        for field, span in spans.items():
            yield from _rows(part, field, getattr(plan, part), span)
    yield from _lengths(plan)
    last = len(plan.periods) - 1
    for part, field, least in _ENDS:
        span = _Span(least, last, slack=0.0)
        yield from _rows(part, field, getattr(plan, part), span, f", the plan has {last + 1} periods, counted from 0")
    weights = math.fsum(block.weight for block in plan.blocks)
    if plan.blocks and not abs(weights - 1) <= _WHOLE:
        yield "blocks", f"the weights sum to {weights:.4g}, expects 1"
    yield from _portions(plan)


def _within(prefix: str, owner: object, spans: Mapping[str, _Span]) -> Iterator[tuple[str, str]]:
    for field, span in spans.items():
        value = getattr(owner, field)
        if not span.admits(value):
            yield f"{prefix}{field}", f"is {value:g}, expects {span.text}"


def _rows(part: str, field: str, rows: Sequence[object], span: _Span, why: str = "") -> Iterator[tuple[str, str]]:
    """The first row whose field is out of its bounds, and in how many more it is."""
    wrong: list[tuple[int, tuple[str, float]]] = []
    for index, row in enumerate(rows):
        value = getattr(row, field)
        if not (isinstance(value, float) and span.admits(value)):
            wrong += [(index, found) for found in _outside(value, span)]
    if wrong:
        index, (inner, value) = wrong[0]
        more = f"; {len(wrong) - 1} more of its kind" if len(wrong) > 1 else ""
        yield f"{part}[{index}].{field}{inner}", f"is {value:g}, expects {span.text}{why}{more}"


def _outside(value: Any, span: _Span) -> Iterator[tuple[str, float]]:
    """Figures of a field that are out of its bounds, each with its place in the field."""
    if isinstance(value, tuple):
        yield from ((f"[{at}]", each) for at, each in enumerate(value) if not span.admits(each))
    elif isinstance(value, dict):
        yield from ((f".{key}", each) for key, each in value.items() if not span.admits(each))
    elif value is not None and not span.admits(value):
        yield "", value


def _lengths(plan: Plan) -> Iterator[tuple[str, str]]:
    """Series of another length than the horizon."""
    for part, field in _SERIES:
        for index, row in enumerate(getattr(plan, part)):
            count = len(getattr(row, field))
            if count != len(plan.periods):
                message = f"has {count} figures, the plan has {len(plan.periods)} periods"
                yield f"{part}[{index}].{field}", message


def _portions(plan: Plan) -> Iterator[tuple[str, str]]:
    """Workloads whose shares do not add up to 1.

    Of an interactive workload in each period and block, of any other over all blocks of a period; there is no such sum
    where there is no plan.
    """
    if plan.solve is None or plan.status is PlanStatus.INFEASIBLE:
        return
    follows = {each.id for each in plan.workloads if each.kind == WorkloadKind.INFERENCE}
    sums: defaultdict[tuple[str, int, int], list[float]] = defaultdict(list)
    for row in plan.placements:
        sums[row.workload, row.period, row.block if row.workload in follows else 0].append(row.share)
    for index, workload in enumerate(plan.workloads):
        blocks = range(len(plan.blocks)) if workload.id in follows else (0,)
        wrong = [
            (period, block, total)
            for period in range(len(plan.periods))
            for block in blocks
            if not abs((total := math.fsum(sums[workload.id, period, block])) - 1) <= _WHOLE
        ]
        if wrong:
            period, block, total = wrong[0]
            when = plan.periods[period] + (f", block {quoted([plan.blocks[block].name])}" if len(blocks) > 1 else "")
            more = f"; so in {len(wrong) - 1} more" if len(wrong) > 1 else ""
            yield f"workloads[{index}]", f"its shares in `placements` sum to {total:.4g} in {when}, expects 1{more}"
