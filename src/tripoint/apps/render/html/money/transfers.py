"""Data between places as a matrix, and what leaving a place costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section
from tripoint.apps.render.html.drawing.tables import scrolling, table
from tripoint.apps.render.reading.amounts import money_of, percent, volume
from tripoint.apps.render.reading.money import total_usd
from tripoint.domain.charge import ChargeKind
from tripoint.domain.plan import Plan

_MOST, _MOST_CHARGES = 14, 20
_REST = "others"


def transfers(plan: Plan) -> Section:
    """Who sends how much to whom, and the egress charges."""
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.transfers:
        sums[row.source, row.target] += row.gb
    body = join(_matrix(plan, sums), _charges(plan)) if sums else join()
    return Section(id="transfers", title="What moves between places", message=_message(plan, sums), body=body)


def _message(plan: Plan, sums: Mapping[tuple[str, str], float]) -> str:
    away = {pair: gb for pair, gb in sums.items() if pair[0] != pair[1]}
    egress = sum(charge.effective_usd for charge in plan.charges if charge.kind is ChargeKind.EGRESS)
    if not away:
        return "No data leaves the place where it arises."
    (source, target), most = max(away.items(), key=lambda item: item[1])
    total = total_usd(plan)
    share = f", {percent(egress / total)} of the total" if total else ""
    return (
        f"Egress costs {money_of(plan).short(egress)}{share}; the biggest flow is {volume(most)} from {source} to "
        f"{target} over the horizon."
    )


def _matrix(plan: Plan, sums: Mapping[tuple[str, str], float]) -> Markup:
    sources, targets = _names(sums, 0), _names(sums, 1)
    cells: dict[tuple[str, str], float] = defaultdict(float)
    for (source, target), gb in sums.items():
        cells[source if source in sources else _REST, target if target in targets else _REST] += gb
    most = max(cells.values())
    head = el("tr", el("th", "From \\ to", scope="col"), [el("th", name, scope="col") for name in targets])
    rows = [
        el("tr", el("th", source, scope="row"), [_cell(cells.get((source, target), 0.0), most) for target in targets])
        for source in sources
    ]
    matrix = el("table", el("thead", head), el("tbody", rows), class_="matrix")
    return scrolling(matrix, "transfer matrix", "Volume over the horizon; darker is more, a dash is none")


def _names(sums: Mapping[tuple[str, str], float], side: int) -> list[str]:
    """Sources (side 0) or targets (side 1) by volume, the small ones of many folded into one."""
    found: dict[str, float] = defaultdict(float)
    for pair, gb in sums.items():
        found[pair[side]] += gb
    ordered = sorted(found, key=lambda name: (-found[name], name))
    return ordered if len(ordered) <= _MOST else [*ordered[: _MOST - 1], _REST]


def _cell(gb: float, most: float) -> Markup:
    if gb <= 0:
        return el("td", "–", class_="h0")
    share = (gb / most) ** 0.5
    return el("td", volume(gb), class_=f"h{1 + min(3, int(share * 4))}")


def _charges(plan: Plan) -> Markup | None:
    costs: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for charge in plan.charges:
        if charge.kind is ChargeKind.EGRESS:
            costs[charge.site, charge.resource, charge.provider][0] += charge.quantity
            costs[charge.site, charge.resource, charge.provider][1] += charge.effective_usd
    if not costs:
        return None
    money = money_of(plan)
    ordered = sorted(costs.items(), key=lambda item: (-item[1][1], item[0]))
    shown, rest = ordered[:_MOST_CHARGES], [amounts for _, amounts in ordered[_MOST_CHARGES:]]
    if rest:
        shown.append(((f"{len(rest)} more", "", ""), [sum(column) for column in zip(*rest, strict=True)]))
    rows = [
        (site, resource, provider, volume(gb), money.short(usd), money.rate(usd / gb if gb else None))
        for (site, resource, provider), (gb, usd) in shown
    ]
    columns = (("Leaves", "l"), ("Path", "l"), ("Paid to", "l"), ("Volume", "r"), ("Cost", "r"), ("Per GB", "r"))
    return table(columns, rows, "Egress charges over the horizon, most first")
