"""The statement of a plan as whole nano-dollars, so that every way to sum it up gives the same total.

Rows of idle capacity are borne by the workloads that use the capacity, in proportion to what they pay for its use,
as in the bottom lines of a plan; what nobody uses stays shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tripoint.domain.charge import Charge
from tripoint.domain.money import NANO_PER_USD
from tripoint.domain.plan import Plan
from tripoint.engines.answers.summary.summaries import users_of

SHARED = ""
"""Workload of rows that no workload's use explains."""
CENT = NANO_PER_USD // 100
"""Nano-dollars of a cent."""


class Item(NamedTuple):
    """What is paid for: rows alike in all of these are one."""

    workload: str
    """Who causes it; empty for shared rows."""
    site: str
    """Where."""
    kind: str
    """What kind of charge."""
    resource: str
    """SKU, system, link, dataset or API model."""
    option: str
    """Purchase option."""
    unit: str
    """Unit of the quantity."""
    period: str
    """Label of the planning period."""
    is_idle: bool
    """True for a workload's part of capacity nobody used."""


class Amount(NamedTuple):
    """How much of it, and what it costs."""

    quantity: float
    """Units."""
    nano: int
    """Effective cost, nano-dollars."""


NOTHING = Amount(0.0, 0)


def amounts_of(plan: Plan) -> dict[Item, Amount]:
    """Every row of the statement; the sum is that of the rows, to the nano-dollar."""
    users = users_of(plan.charges)
    found: dict[Item, Amount] = {}
    for row in plan.charges:
        nano = round(row.effective_usd * NANO_PER_USD)
        bearing = users.get((row.site, row.resource), {}) if row.workload is None else {}
        if not bearing:
            _add(found, _item(plan, row, row.workload or SHARED, is_idle=False), Amount(row.quantity, nano))
            continue
        total = sum(bearing.values())
        parts = {name: nano * usd / total for name, usd in bearing.items()}
        for name, part in whole(parts, nano).items():
            share = Amount(row.quantity * bearing[name] / total, part)
            _add(found, _item(plan, row, name, is_idle=True), share)
    return found


def whole(parts: Mapping[str, float], total: int) -> dict[str, int]:
    """The parts as whole numbers that add up to `total`: what is left after rounding down goes to the largest rests."""
    floors = {name: int(part // 1) for name, part in parts.items()}
    order = sorted(parts, key=lambda name: (floors[name] - parts[name], name))
    left = total - sum(floors.values())
    each, rest = divmod(left, len(order)) if order else (0, 0)
    return {name: floors[name] + each + (place < rest) for place, name in enumerate(order)}


def cents(nanos: Mapping[str, int], like: Mapping[str, tuple[int, int]] | None = None) -> dict[str, int]:
    """Cents of each part, that add up to the rounded cents of the sum; each is within a cent, nothing stays nothing.

    `like` holds nano-dollars and cents of parts rounded earlier: a part that is the same again is rounded the same
    way, as far as the sum allows.
    """
    before = like or {}
    floors = {name: nano // CENT for name, nano in nanos.items()}
    up = {name for name, nano in nanos.items() if before.get(name) == (nano, floors[name] + 1)}
    down = {name for name, nano in nanos.items() if before.get(name) == (nano, floors[name])}
    broken = (name for name, nano in nanos.items() if nano % CENT)
    order = sorted(broken, key=lambda name: (name not in up, name in down, -(nanos[name] % CENT), name))
    left = rounded(sum(nanos.values())) - sum(floors.values())
    return {**floors, **{name: floors[name] + 1 for name in order[:left]}}


def rounded(nano: int) -> int:
    """Nano-dollars as cents, halves up."""
    return (nano + CENT // 2) // CENT


def total_nano(amounts: Iterable[Amount]) -> int:
    """Their cost, nano-dollars."""
    return sum(amount.nano for amount in amounts)


def _item(plan: Plan, row: Charge, workload: str, *, is_idle: bool) -> Item:
    period = plan.periods[row.period]
    return Item(workload, row.site, row.kind.value, row.resource, row.option, row.unit, period, is_idle)


def _add(found: dict[Item, Amount], item: Item, amount: Amount) -> None:
    before = found.get(item, NOTHING)
    found[item] = Amount(before.quantity + amount.quantity, before.nano + amount.nano)
