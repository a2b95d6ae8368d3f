"""Where the money goes: effective cost by period and cause, summed from the charge rows and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from tripoint.domain.charge import Charge
from tripoint.domain.plan import Baseline, Plan, PlanStatus

LAYERS = ("public", "dense", "edge")
OTHER = "other"
_LAST_PRICED = "private"
_CHEAPER = 1e-6
"""An alternative below what is proven of all plans, by this share, has its reason told."""
_HOW_CHEAPER = (
    "cheaper than a plan can be: its nodes count as ordered before the start, and budget, caps on vendors and limits "
    "on moves do not hold for it"
)


def total_usd(plan: Plan) -> float:
    """Effective cost over the horizon, USD."""
    own = plan_line(plan)
    return own.total_usd if own else sum(charge.effective_usd for charge in plan.charges)


def plan_line(plan: Plan) -> Baseline | None:
    """The plan's own row among the baselines."""
    return next((baseline for baseline in plan.baselines if baseline.name == "plan"), None)


def name_of(baseline: Baseline) -> str:
    """Its label, beginning as a sentence does."""
    return baseline.label[:1].upper() + baseline.label[1:]


def alternatives(plan: Plan) -> tuple[Baseline, ...]:
    """The other rows, in their order."""
    return tuple(baseline for baseline in plan.baselines if baseline.name != "plan")


def uncompared(plan: Plan) -> str:
    """That not all alternatives were priced when somebody stopped the plan; empty where they were, or not asked for.

    They are priced in one order, so that one is missing where the last is.
    """
    if plan.solve is None or plan.options.get("baselines") != "true":
        return ""
    if any(row.name == _LAST_PRICED for row in plan.baselines):
        return ""
    what = "all alternatives were" if alternatives(plan) else "any alternative was"
    return f"stopped before {what} priced: one that is not listed may well exist"


def caveats(plan: Plan) -> dict[str, list[str]]:
    """[note] the alternatives it is true of: what they assume, or why they do not exist."""
    found: dict[str, list[str]] = {}
    least = 0.0 if plan.solve is None else plan.solve.bound_usd
    for row in plan.baselines:
        if row.note:
            found.setdefault(row.note, []).append(name_of(row))
        if row.status is not PlanStatus.INFEASIBLE and row.npv_usd < least * (1 - _CHEAPER):
            found.setdefault(_HOW_CHEAPER, []).append(name_of(row))
    return found


def by_period(plan: Plan, cause: Callable[[Charge], str]) -> dict[str, tuple[float, ...]]:
    """[cause][period] effective cost, USD, largest cause first."""
    series: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(plan.periods))
    for charge in plan.charges:
        series[cause(charge)][charge.period] += charge.effective_usd
    ordered = sorted(series.items(), key=lambda item: (-sum(item[1]), item[0]))
    return {name: tuple(values) for name, values in ordered}


def by_layer(plan: Plan) -> dict[str, tuple[float, ...]]:
    """[layer][period] effective cost, USD, in the order public, dense, edge."""
    found = by_period(plan, lambda charge: charge.layer)
    known = {layer: found[layer] for layer in LAYERS if layer in found}
    return {**known, **{name: values for name, values in found.items() if name not in known}}


def by_kind(plan: Plan, most: int = 7) -> dict[str, tuple[float, ...]]:
    """[kind][period] effective cost, USD; the kinds beyond `most` are one row `other`."""
    found = {name: values for name, values in by_period(plan, lambda charge: str(charge.kind)).items() if any(values)}
    return fold(found, most)


def fold(series: Mapping[str, tuple[float, ...]], most: int) -> dict[str, tuple[float, ...]]:
    """The first `most` rows, the rest summed into `other`."""
    names = list(series)
    if len(names) <= most:
        return dict(series)
    rest = tuple(map(sum, zip(*(series[name] for name in names[most - 1 :]), strict=True)))
    return {**{name: series[name] for name in names[: most - 1]}, OTHER: rest}


def idle_usd(plan: Plan) -> float:
    """Effective cost of owned and committed capacity nobody used, USD."""
    return sum(charge.effective_usd for charge in plan.charges if charge.status == "Unused")
