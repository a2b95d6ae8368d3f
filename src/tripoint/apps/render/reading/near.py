"""Plans nearly as cheap as people read them, in the terminal and on the page."""

from __future__ import annotations

from tripoint.apps.render.reading.amounts import carbon, money_of, percent, volume
from tripoint.domain.plan import Plan

NEAR_COLUMNS = (
    ("", "l"), ("Cost", "r"), ("More", "r"), ("Vendors", "r"), ("Moves", "r"), ("Egress", "r"), ("CO2e", "r"),
    ("Elsewhere", "r"),
)  # fmt: skip


def near_rows(plan: Plan) -> list[tuple[str, ...]]:
    """The plan, then the others."""
    money = money_of(plan)
    return [
        (
            row.name,
            money.short(row.undiscounted_usd),
            f"{'+' if row.more_usd >= 0 else ''}{money.short(row.more_usd)}" if number else "–",
            str(row.vendors),
            str(row.moves),
            volume(row.egress_tb * 1000.0),
            carbon(row.carbon_t * 1000.0),
            percent(row.elsewhere) if number else "–",
        )
        for number, row in enumerate(plan.near)
    ]


def near_notes(plan: Plan, most: int) -> list[str]:
    """What moves in each, at most so many lines, or that there is no other plan."""
    share = float(plan.options.get("within", "0"))
    if len(plan.near) == 1:
        return [f"no plan within {percent(share)} of its cost was found that differs and is better in anything"]
    told = [f"{row.name}: {'; '.join(row.moved[:most]) or 'the same places at other times'}" for row in plan.near[1:]]
    return [*told, f"each costs at most {percent(share)} more, discounted; elsewhere: demand on other pools than here"]
