"""The first screen: what a board asks, in four numbers and one heading; or why there is no plan."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Markup, el, join, prose
from tripoint.apps.render.html.drawing.sections import tile, top
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.reading.amounts import carbon_told, emissions, horizon_told, money_of, percent, plural
from tripoint.apps.render.reading.conflict import distinct, needless
from tripoint.apps.render.reading.headline import (
    Headline,
    Saving,
    full_from_the_start,
    headline,
    order_words,
    stopped_words,
)
from tripoint.apps.render.reading.money import caveats, idle_usd, name_of, uncompared
from tripoint.apps.render.reading.prospects import (
    NEAR_COLUMNS,
    near_notes,
    near_rows,
    weighed_columns,
    weighed_notes,
    weighed_rows,
)
from tripoint.domain.plan import Plan, PlanStatus


def board(plan: Plan) -> Markup:
    """Heading, tiles and the comparison with the alternatives."""
    if plan.status is PlanStatus.INFEASIBLE:
        return join(_top(plan, "No plan satisfies the estate as declared"), _conflict(plan))
    found = headline(plan)
    return join(
        _top(plan, _claim(plan, found)),
        _stopped(plan),
        el("dl", _tiles(plan, found), class_="tiles"),
        _comparison(plan, found),
        _near(plan),
        _weighed(plan),
    )


def _stopped(plan: Plan) -> Markup | None:
    words = stopped_words(plan)
    return el("p", f"{words[0].upper()}{words[1:]}.", class_="note") if words else None


def _top(plan: Plan, claim: str) -> Markup:
    size = f"{plural(len(plan.workloads), 'workload')}, {plural(len(plan.sites), 'site')}" if plan.sites else ""
    words = " · ".join(part for part in (f"Plan of {plan.name}", horizon_told(plan), size) if part)
    return top(words, claim)


def _claim(plan: Plan, found: Headline) -> str:
    money = money_of(plan)
    cost = f"{money.short(found.total_usd)} over {found.months} months"
    saving = found.against("today") or (found.savings[0] if found.savings else None)
    if saving is None:
        return cost
    change = f"{money.short(abs(saving.usd))} ({percent(abs(saving.share))})"
    if saving.usd < 0:
        return f"{cost}: {change} more than “{name_of(saving.baseline)}”"
    return f"{cost}: {change} less than “{name_of(saving.baseline)}”"


def _tiles(plan: Plan, found: Headline) -> list[Markup]:
    money, idle = money_of(plan), idle_usd(plan)
    parts = [emissions(found.carbon_kg, found.carbon_unknown_usd)]
    if found.total_usd and idle:
        parts.insert(0, f"{percent(idle / found.total_usd)} of it idle capacity")
    tiles = [tile("Total cost", money.short(found.total_usd), "; ".join(parts))]
    for name in ("today", "on_demand"):
        saving = found.against(name)
        if saving is not None:
            tiles.append(_saving_tile(saving, money.short(abs(saving.usd))))
    limit, decision = found.first_limit, found.first_decision
    if limit:
        order = order_words(limit, plan) or "nothing to order in time"
        besides = f"; {words}" if (words := full_from_the_start(plan)) else ""
        tiles.append(tile("First limit reached", limit.exhausted, f"{limit.name}; {order}{besides}"))
    else:
        tiles.append(tile("First limit reached", "none in sight", "looked ten years ahead"))
    if decision:
        tiles.append(tile("First decision due", decision.month, decision.sentence))
    else:
        tiles.append(tile("First decision due", "none", "nothing to order or sign"))
    return tiles


def _saving_tile(saving: Saving, amount: str) -> Markup:
    verb = "Saves against" if saving.usd >= 0 else "Costs more than"
    return tile(f"{verb} “{name_of(saving.baseline)}”", amount, f"{percent(abs(saving.share))} of its cost")


def _comparison(plan: Plan, found: Headline) -> Markup | None:
    if not plan.baselines:
        return None
    money = money_of(plan)
    columns = (
        ("Alternative", "l"), ("Cost", "r"), ("Against plan", "r"), ("Discounted", "r"), ("Invoiced", "r"),
        ("CO2e", "r"), ("Per Mtok", "r"),
    )  # fmt: skip
    rows = []
    for row in plan.baselines:
        if row.status is PlanStatus.INFEASIBLE:
            rows.append((name_of(row), "not possible", "–", "–", "–", "–", "–"))
            continue
        change = row.total_usd / found.total_usd - 1 if found.total_usd > 0 and row.name != "plan" else None
        against = "–" if change is None else f"{'+' if change >= 0 else '−'}{percent(abs(change))}"
        rows.append((
            name_of(row), money.short(row.total_usd), against, money.short(row.npv_usd), money.short(row.billed_usd),
            carbon_told(row.carbon_kg, row.carbon_unknown_usd), money.rate(row.usd_per_mtok or None),
        ))  # fmt: skip
    return join(
        table(columns, rows, "The plan and the obvious alternatives, priced by the same function"),
        el("p", f"{words[0].upper()}{words[1:]}.", class_="note") if (words := uncompared(plan)) else None,
        [_caveat(names, note) for note, names in caveats(plan).items()],
    )


def _near(plan: Plan) -> Markup | None:
    if not plan.near:
        return None
    return join(
        table(NEAR_COLUMNS, near_rows(plan), "Plans nearly as cheap, each the best in something else"),
        [el("p", note, class_="note") for note in near_notes(plan, most=3)],
    )


def _weighed(plan: Plan) -> Markup | None:
    if plan.weighed is None:
        return None
    found = plan.weighed
    caption = "What is decided now, and what becomes of it; costs are discounted"
    columns = [(name, "p" if kind == "f" else kind) for name, kind in weighed_columns(found)]
    return join(
        table(columns, weighed_rows(plan, found), caption),
        [el("p", prose(note), class_="note") for note in weighed_notes(plan, found)],
    )


def _caveat(names: list[str], note: str) -> Markup:
    return el("p", el("strong", " and ".join(names)), ": ", prose(note), class_="note")


def _conflict(plan: Plan) -> Markup | None:
    if plan.conflict is None:
        return None
    families = " and ".join(plan.conflict.families)
    return el(
        "div",
        el("strong", f"These cannot hold together: {families}"),
        el("ul", [el("li", prose(detail)) for detail in distinct(plan.conflict.details)]),
        el("p", prose(needless(plan.conflict.members))) if plan.conflict.members else None,
        el("p", el("strong", "What would help: "), prose(plan.conflict.hint)) if plan.conflict.hint else None,
        class_="alarm",
    )
