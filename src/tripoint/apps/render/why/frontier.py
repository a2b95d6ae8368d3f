"""Cost against something else, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from tripoint.apps.render.plan_text.layout import lines, printed, table, titled
from tripoint.apps.render.reading.amounts import gap_percent, money_of, percent, significant
from tripoint.apps.render.reading.conflict import conflict_payload, reasons

if TYPE_CHECKING:
    from tripoint.domain.front import Front, Point

_TITLES = {
    "carbon": "Cost against operational emissions",
    "latency": "Cost against the mean round trip to callers",
    "resilience": "Cost against what survives the loss of a site",
    "vendors": "Cost against the number of vendors",
}


def frontier_text(front: Front, *, width: int | None = None) -> str:
    """The points as a table with their proof, what each step costs, and what was left out."""
    parts: list[RenderableType] = [Text(front_title(front), style="bold")]
    if front.points:
        parts.append(_table(front))
        parts.append(titled("How to read this", lines(front_sentences(front))))
    elif front.conflict is not None:
        families = " + ".join(front.conflict.families)
        parts.append(Group(Text(f"no plan exists: {families}"), lines(reasons(front.conflict))))
    return printed(parts, width=width).rstrip("\n")


def front_title(front: Front) -> str:
    """What is set against what."""
    return _TITLES[front.by.value]


def front_sentences(front: Front) -> list[str]:
    """What the table does not say."""
    cheapest = min(front.points, key=lambda point: point.npv_usd)
    money = money_of(cheapest.plan)
    told = ["each row's gap is proven: no plan that is asked as much costs less than the bound"]
    if front.least is not None and front.least > 0:
        told.append(f"no plan has less than {_measured(front, front.least)}")
    for number, price in enumerate(front.step_usd):
        if price is not None:
            here, there = front.points[number], front.points[number + 1]
            step = f"from {reached(front, there)} to {reached(front, here)}"
            told.append(f"{step}: {money.short(price)} {front.unit_of_step}, discounted")
    if front.dominated:
        told.append(f"{front.dominated} more found and left out: another is better in one and no worse in the other")
    return [*told, *front.notes]


def reached(front: Front, point: Point) -> str:
    """What a plan reaches: its measure with its unit, or its class."""
    return _measured(front, point.value) if front.unit else point.label.partition(":")[0]


def more_told(front: Front, point: Point) -> str:
    """How much dearer a plan is than the cheapest: `+21 %`; a dash for the cheapest itself."""
    cheapest = min(each.usd for each in front.points)
    return f"+{percent(point.usd / cheapest - 1)}" if point.usd > cheapest > 0 else "–"


def _measured(front: Front, value: float) -> str:
    """A value with its unit, one of what is counted in the singular."""
    told = significant(value)
    return f"{told} {front.unit.removesuffix('s') if told == '1' else front.unit}"


def front_columns(front: Front) -> tuple[tuple[str, str], ...]:
    """Headings of the table."""
    name = front.unit or "class"
    return (
        ("Plan", "r"), (name, "r" if front.unit else "l"), ("Cost", "r"), ("More", "r"), ("Discounted", "r"),
        ("Proven", "r"), ("Gap", "r"), ("Asked", "f"),
    )  # fmt: skip


def front_rows(front: Front) -> list[tuple[str, ...]]:
    """A row for each point."""
    money = money_of(front.points[0].plan)
    return [
        (
            str(number),
            significant(point.value) if front.unit else reached(front, point),
            money.full(point.usd),
            more_told(front, point),
            money.full(point.npv_usd),
            money.full(point.bound_usd),
            gap_percent(point.gap),
            point.label if front.unit else point.label.partition(": ")[2],
        )
        for number, point in enumerate(front.points, 1)
    ]


def frontier_payload(front: Front, places: tuple[str, ...] = ()) -> dict[str, Any]:
    """The members of the JSON document; `places` are the folders of the plans, one per point where they are kept."""
    return {
        "by": front.by.value,
        "unit": front.unit,
        "least": front.least,
        "points": [
            {
                "asked": point.label,
                "value": point.value,
                "usd": point.usd,
                "npv_usd": point.npv_usd,
                "bound_usd": point.bound_usd,
                "gap": point.gap,
                "step_usd": step,
                "folder": folder,
            }
            for point, step, folder in zip(
                front.points, front.step_usd, places or (None,) * len(front.points), strict=True
            )
        ],
        "dominated": front.dominated,
        "notes": list(front.notes),
        **conflict_payload(front.conflict),
    }


def _table(front: Front) -> RenderableType:
    return table(front_columns(front), front_rows(front))
