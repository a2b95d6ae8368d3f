"""Two plans beside each other: what moved, and why the cost changed, in parts that add up to the cent.

The difference of a workload is split in the usual order of a price-volume-mix analysis. Demand: the earlier cost of a
million tokens on the later tokens, less the earlier cost. Prices: for what both plans pay for in the same period, the
change of the unit cost on the later quantity. What is left is placement: where it runs, on what, bought how.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tripoint.domain.money import NANO_PER_USD
from tripoint.domain.plan import Plan, WorkloadSummary
from tripoint.engines.answers.comparison.amounts import (
    CENT,
    SHARED,
    Amount,
    Item,
    amounts_of,
    cents,
    rounded,
    total_nano,
)
from tripoint.engines.placement.moved import Moved, moved

_SAME_PRICE = 1e-6
"""Relative change of a unit cost below which it is the same, rounding aside."""


class Change(NamedTuple):
    """One row of a view of the difference, in cents; rows add up to the totals."""

    name: str
    """Workload, site or kind of charge; empty for shared rows."""
    before: int
    """Effective cost over the horizon in the first plan, cents."""
    after: int
    """In the second plan, cents."""

    @property
    def cents(self) -> int:
        """The difference, cents."""
        return self.after - self.before


class Causes(NamedTuple):
    """Why the cost of a workload changed, in cents; the parts add up to its difference."""

    workload: str
    """Workload id; empty for shared rows."""
    demand: int
    """More or fewer tokens at the earlier cost per token; also the whole cost of a workload only one plan has."""
    prices: int
    """Changed unit costs of what both plans pay for."""
    placement: int
    """Where it runs, on what and bought how: all the rest."""


class PriceChange(NamedTuple):
    """A unit cost that changed."""

    site: str
    """Where."""
    kind: str
    """What kind of charge."""
    resource: str
    """What of."""
    option: str
    """Purchase option."""
    unit: str
    """Unit of the quantity."""
    before_usd: float
    """Mean effective unit cost of the later quantities at the earlier price, USD."""
    after_usd: float
    """Mean effective unit cost at the later price, USD."""
    cents: int
    """What it makes of the difference, cents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two plans beside each other."""

    before: int
    """Effective cost over the horizon in the first plan, cents."""
    after: int
    """In the second plan, cents."""
    workloads: tuple[Change, ...]
    """By workload, its part of idle capacity included; largest difference first, as in every view."""
    sites: tuple[Change, ...]
    """By site."""
    kinds: tuple[Change, ...]
    """By kind of charge."""
    causes: tuple[Causes, ...]
    """By workload, why."""
    prices: tuple[PriceChange, ...]
    """Unit costs that changed, the largest effect first."""
    moved: tuple[Moved, ...]
    """Shares and nodes that moved."""
    steps: tuple[str, ...]
    """Expansions and copies of data that only one of them has."""
    is_same: bool
    """True where the two have the same charges and nothing moved."""
    notes: tuple[str, ...]
    """What makes the two less comparable, or the difference less sure."""

    @property
    def cents(self) -> int:
        """The difference, cents."""
        return self.after - self.before


def compare(before: Plan, after: Plan) -> Comparison:
    """What the second plan does differently; both must be feasible."""
    assert before.solve is not None
    assert after.solve is not None
    old, new = amounts_of(before), amounts_of(after)
    workloads = _view(old, new, lambda item: item.workload)
    first, second = rounded(total_nano(old.values())), rounded(total_nano(new.values()))
    shifts, steps = moved(before, after), _steps(before, after)
    is_same = old == new and not shifts and not steps
    return Comparison(
        before=first,
        after=second,
        workloads=workloads,
        sites=_view(old, new, lambda item: item.site),
        kinds=_view(old, new, lambda item: item.kind),
        causes=_causes(before, after, workloads, (old, new)),
        prices=_prices(old, new),
        moved=shifts,
        steps=steps,
        is_same=is_same,
        notes=_notes(before, after, second - first, is_same=is_same),
    )


Amounts = Mapping[Item, Amount]


def _view(old: Amounts, new: Amounts, name: Callable[[Item], str]) -> tuple[Change, ...]:
    sums: tuple[defaultdict[str, int], defaultdict[str, int]] = (defaultdict(int), defaultdict(int))
    for amounts, by_name in zip((old, new), sums, strict=True):
        for item, amount in amounts.items():
            by_name[name(item)] += amount.nano
    first, second = sums
    before = cents(first)
    after = cents(second, {name: (nano, before[name]) for name, nano in first.items()})
    rows = [Change(name, before.get(name, 0), after.get(name, 0)) for name in {**first, **second}]
    return tuple(sorted(rows, key=lambda row: (-abs(row.cents), -row.after, row.name)))


def _causes(
    before: Plan, after: Plan, workloads: tuple[Change, ...], amounts: tuple[Amounts, Amounts]
) -> tuple[Causes, ...]:
    old, new = amounts
    priced: defaultdict[str, float] = defaultdict(float)
    for item in old.keys() & new.keys():
        priced[item.workload] += _price_effect(old[item], new[item])
    were, are = ({row.id: row for row in plan.workloads} for plan in (before, after))
    rows = []
    for change in workloads:
        name = change.name
        prices = rounded(round(priced[name]))
        demand = _demand(change, were.get(name), are.get(name))
        if demand is None:  # only one of them has it
            demand, prices = change.cents, 0
        rows.append(Causes(name, demand, prices, change.cents - demand - prices))
    return tuple(rows)


def _demand(change: Change, was: WorkloadSummary | None, now: WorkloadSummary | None) -> int | None:
    """Cents that more or fewer tokens explain; 0 where none are counted, `None` where only one plan has it."""
    if change.name == SHARED:
        return 0
    if was is None or now is None:
        return None
    if was.mtok <= 0 or now.mtok <= 0:
        return 0
    return round(change.before * (now.mtok / was.mtok - 1.0))


def _price_effect(was: Amount, now: Amount) -> float:
    """What the change of the unit cost makes on the later quantity, nano-dollars."""
    if was.quantity <= 0 or now.quantity <= 0:
        return 0.0
    at_earlier = was.nano / was.quantity * now.quantity
    change = now.nano - at_earlier
    return change if abs(change) > _SAME_PRICE * max(abs(at_earlier), abs(now.nano)) else 0.0


def _prices(old: Amounts, new: Amounts) -> tuple[PriceChange, ...]:
    """Effects of changed unit costs by what is paid for, workloads and periods together; cents and more."""
    effects: defaultdict[tuple[str, str, str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for item in old.keys() & new.keys():
        effect = _price_effect(old[item], new[item])
        if effect:
            sums = effects[item.site, item.kind, item.resource, item.option, item.unit]
            sums[0] += new[item].quantity
            sums[1] += new[item].nano
            sums[2] += effect
    rows = [
        PriceChange(
            *key,
            before_usd=(nano - effect) / quantity / NANO_PER_USD,
            after_usd=nano / quantity / NANO_PER_USD,
            cents=rounded(round(effect)),
        )
        for key, (quantity, nano, effect) in effects.items()
        if abs(effect) >= CENT
    ]
    return tuple(sorted(rows, key=lambda row: (-abs(row.cents), row[:5])))


def _steps(before: Plan, after: Plan) -> tuple[str, ...]:
    """Expansions and data copies, as a person reads them."""
    old, new = _taken(before), _taken(after)
    rows = []
    for name in sorted({**old, **new}):
        was, now = old.get(name, "not"), new.get(name, "not")
        if was != now:
            rows.append(f"{name}: {was} -> {now}")
    return tuple(rows)


def _taken(plan: Plan) -> dict[str, str]:
    taken = {}
    for step in plan.expansions:
        when = plan.periods[step.order_period] if 0 <= step.order_period < len(plan.periods) else "before the horizon"
        taken[f"expansion `{step.step}` of `{step.site}`"] = f"ordered in {when}"
    for copy in plan.copies:
        name = f"copy of `{copy.dataset}` at `{copy.site}`"
        span = f"{plan.periods[copy.from_period]} to {plan.periods[copy.to_period]}"
        taken[name] = f"{taken[name]}, {span}" if name in taken else f"kept {span}"
    return taken


def _notes(before: Plan, after: Plan, change: int, *, is_same: bool) -> tuple[str, ...]:
    """Differences of frame, and whether the difference is larger than what the searches leave open."""
    assert before.solve is not None
    assert after.solve is not None
    notes = []
    spans = [f"{len(plan.periods) * plan.period_months} months from {plan.start}" for plan in (before, after)]
    if spans[0] != spans[1]:
        notes.append(f"the horizons differ: {spans[0]} and {spans[1]}; each cost is that of its whole horizon")
    if before.period_months != after.period_months:
        notes.append(
            f"the periods differ: {before.period_months} and {after.period_months} months; prices are not told"
        )
    if before.estate_digest == after.estate_digest and before.catalog_digest == after.catalog_digest:
        made = "and so are the two plans" if is_same else "only options of the run or the search made a difference"
        notes.append(f"estate and catalogue are the same: {made}")
    elif before.catalog_digest != after.catalog_digest:
        notes.append("the catalogues differ")
    taken = [plan.demand.source if plan.demand else "as declared" for plan in (before, after)]
    if before.demand != after.demand:
        notes.append(f"they are planned on other demand: {taken[0]}, and {taken[1]}")
    if before.currency != after.currency or before.usd_per_unit != after.usd_per_unit:
        notes.append("the currencies differ: amounts are USD")
    left = [solve.open_usd for solve in (before.solve, after.solve)]
    if change and abs(change) <= sum(left) * 100:
        notes.append(
            f"the difference is within what the searches leave open: about {left[0]:,.2f} USD of the first and "
            f"{left[1]:,.2f} USD of the second could still be saved"
        )
    return tuple(notes)
