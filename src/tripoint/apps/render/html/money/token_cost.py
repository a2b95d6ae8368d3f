"""A million tokens: what they cost as used, and what they cost with the idle capacity held for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import Frame
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, is_roomy, label
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import compact, money_of, percent
from tripoint.domain.plan import Plan, WorkloadSummary


def token_cost(plan: Plan) -> Section:
    """Usage-based against reservation-based cost per million tokens."""
    rows = sorted((row for row in plan.workloads if _ends(row)), key=lambda row: -max(_ends(row)))
    body = _figure(plan, rows) if rows else join()
    return Section(id="tokens", title="What a million tokens cost", message=_message(plan, rows), body=body)


def _ends(row: WorkloadSummary) -> list[float]:
    values = (row.usd_per_mtok_usage, row.usd_per_mtok_reserved)
    return [value for value in values if value is not None and value > 0]


def _message(plan: Plan, rows: Sequence[WorkloadSummary]) -> str:
    if not rows:
        return "No workload is counted in tokens."
    money, most, least = money_of(plan), rows[0], rows[-1]
    idle, cost = sum(row.idle_usd for row in rows), sum(row.cost_usd for row in rows)
    share = f" Idle capacity is {percent(idle / cost)} of what token workloads cost." if cost else ""
    return (
        f"A million tokens cost from {money.rate(max(_ends(least)))} ({least.id}) to {money.rate(max(_ends(most)))} "
        f"({most.id}), idle included.{share} Capacity planned for a workload counts as used, standby and headroom too."
    )


def _figure(plan: Plan, rows: Sequence[WorkloadSummary]) -> Markup:
    money = money_of(plan)
    columns = (("Workload", "l"), ("As used", "r"), ("As held", "r"), ("Idle", "r"), ("Mtok", "r"), ("Cost", "r"))
    cells = [
        (row.id, money.rate(row.usd_per_mtok_usage), money.rate(row.usd_per_mtok_reserved), money.short(row.idle_usd),
         compact(row.mtok), money.short(row.cost_usd))
        for row in rows
    ]  # fmt: skip
    return figure(
        "Cost per million tokens, input and output together",
        f"{plan.currency}, logarithmic; filled: as used, ring: as held (idle included)",
        all_widths(partial(_draw, plan, rows)),
        fallback(columns, cells),
    )


def _draw(plan: Plan, rows: Sequence[WorkloadSummary], width: float) -> Markup:
    money, is_wide = money_of(plan), is_roomy(width)
    row_height = 24.0 if is_wide else 38.0
    frame = Frame(
        left=210 if is_wide else 8, top=8, right=width - (130 if is_wide else 10), bottom=16 + row_height * len(rows)
    )
    values = [money.units(value) for row in rows for value in _ends(row)]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    scale = Scale(low=low, high=max(high, low + 1), start=frame.left, end=frame.right)
    powers = range(low, max(high, low + 1) + 1)
    grid = [el("line", x1=scale(each), x2=scale(each), y1=frame.top, y2=frame.bottom, class_="rule") for each in powers]
    marks = [
        label(scale(each), frame.bottom + 17, money.tick(10.0**each), "tick", _anchor(each, powers, is_wide))
        for each in powers
    ]
    drawn = [_row(plan, row, scale, frame, (frame.top + row_height * index, is_wide)) for index, row in enumerate(rows)]
    alt = "Cost per million tokens as used and as held: " + "; ".join(
        f"{row.id} {money.rate(row.usd_per_mtok_usage)} and {money.rate(row.usd_per_mtok_reserved)}" for row in rows
    )
    return canvas(width, frame.bottom + 26, alt, grid, marks, drawn)


def _anchor(power: int, powers: range, is_wide: bool) -> str:
    """Marks at the ends lean inwards where there is no margin."""
    if is_wide or power not in (powers[0], powers[-1]):
        return "middle"
    return "start" if power == powers[0] else "end"


def _row(plan: Plan, row: WorkloadSummary, scale: Scale, frame: Frame, place: tuple[float, bool]) -> Markup:
    (top, is_wide), money = place, money_of(plan)
    y = top + (16 if is_wide else 28)
    spots = {
        class_: scale(math.log10(money.units(value)))
        for class_, value in (("held-dot", row.usd_per_mtok_reserved), ("used-dot", row.usd_per_mtok_usage))
        if value is not None and value > 0
    }
    used, held = money.rate(row.usd_per_mtok_usage), money.rate(row.usd_per_mtok_reserved)
    words = held if used == held else f"{used} → {held}"
    names = (
        join(label(0, y + 4, row.id, "strong", room=200), label(frame.right + 128, y + 4, words, "tick", "end"))
        if is_wide
        else join(
            label(0, top + 14, row.id, "strong", room=210),
            label(frame.right + 10, top + 14, words, "tick", "end"),
        )
    )
    return join(
        names,
        el("line", x1=min(spots.values()), x2=max(spots.values()), y1=y, y2=y, class_="link-line"),
        [
            el("circle", el("title", f"{row.id}: {words}"), cx=x, cy=y, r=radius, class_=class_)
            for (class_, x), radius in zip(spots.items(), (6.5, 5) if len(spots) > 1 else (5,), strict=True)
        ],
    )
