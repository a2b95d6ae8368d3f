"""What is not the plan but beside it, as people read it: plans nearly as cheap, and choices over outlooks."""

from __future__ import annotations

from tripoint.apps.render.reading.amounts import carbon, gap_percent, money_of, percent, volume
from tripoint.domain.outlook import Weighed
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


def weighed_columns(found: Weighed) -> tuple[tuple[str, str], ...]:
    """Headings: one for each outlook."""
    heads = [(f"{each.id}, {percent(each.weight)}", "r") for each in found.outlooks]
    return (("Decided", "f"), ("Expected", "r"), ("Most regret", "r"), *heads)


def weighed_rows(plan: Plan, found: Weighed) -> list[tuple[str, ...]]:
    """A row for each choice: what it costs in each outlook, discounted."""
    money = money_of(plan)

    def told(usd: float | None) -> str:
        return "no plan" if usd is None else money.short(usd)

    return [
        (row.name, told(row.expected_npv_usd), told(row.regret_npv_usd), *(told(usd) for usd in row.npv_usd))
        for row in found.choices
    ]


def weighed_notes(plan: Plan, found: Weighed) -> list[str]:
    """What the plan decides now, what knowing would be worth, and what is proven."""
    money, best = money_of(plan), found.choices[0].expected_npv_usd or 0.0
    now = "; ".join(found.decisions) or "nothing is ordered, signed, given up or built"
    told = [
        f"at the first review: {now}",
        f"if one knew, {money.short(found.perfect_npv_usd)} would be expected: knowing is worth "
        f"{money.short(best - found.perfect_npv_usd)}",
        f"proven: no choice below {money.short(found.bound_npv_usd)} expected; gap {gap_percent(found.gap)}",
    ]
    return [*told, found.note] if found.note else told
