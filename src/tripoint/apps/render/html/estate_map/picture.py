"""The map: three layers, sites sized by what they cost, data drawn as ribbons between them."""

from __future__ import annotations

from functools import partial

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.palette import layer_class, layer_name, spoken_layer
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import all_widths, canvas, label, points
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.html.estate_map.flows import Flow, biggest, flows
from tripoint.apps.render.html.estate_map.layout import Layout, Node, lay_out
from tripoint.apps.render.reading.amounts import compact, money_of, percent, volume
from tripoint.apps.render.reading.money import total_usd
from tripoint.domain.plan import Plan

_BOW = 0.2
_PURPOSES = {
    "callers": "between callers and workloads",
    "reads": "data read by workloads",
    "sync": "copies kept in step",
    "seed": "first copies",
}


def estate_map(plan: Plan) -> Section:
    """Sites and flows."""
    body = _figure(plan) if plan.sites else join()
    return Section(id="map", title="The three layers and what flows between them", message=_message(plan), body=body)


def _message(plan: Plan) -> str:
    costly = sorted(plan.sites, key=lambda site: -site.cost_usd)
    total = total_usd(plan)
    if not costly or total <= 0:
        return "Nothing costs anything yet."
    first = costly[0]
    moved = sum(flow.gb_per_month for flow in flows(plan))
    return (
        f"{first.id} carries {percent(first.cost_usd / total)} of the cost, in {spoken_layer(first.layer)}; "
        f"{volume(moved)} move between places in an average month."
    )


def _figure(plan: Plan) -> Markup:
    columns = (("Site", "l"), ("Layer", "l"), ("Kind", "l"), ("Provider", "l"), ("Country", "l"), ("Sites", "r"),
               ("Cost", "r"), ("GPUs at the end", "r"))  # fmt: skip
    money = money_of(plan)
    rows = [
        (site.id, layer_name(site.layer), site.kind, site.provider, site.country, site.count,
         money.short(site.cost_usd),
         compact(site.gpus_last))
        for site in plan.sites
    ]  # fmt: skip
    shown = biggest(plan)
    moved = [(flow.source, flow.target, flow.purpose, volume(flow.gb_per_month)) for flow in flows(plan)]
    left_out = len(moved) - len(shown)
    note = "Circle: area is cost over the horizon. Ribbon: width is volume per month, averaged over the horizon."
    if left_out > 0:
        smallest = "smallest flow is" if left_out == 1 else f"{left_out} smallest flows are"
        note += f" The {smallest} in the table only."
    return figure(
        "Sites and flows",
        f"cost in {plan.currency}, volume in GB per month",
        _legend({flow.purpose for flow in shown}),
        all_widths(partial(_draw, plan)),
        fallback(columns, rows, "The sites as a table"),
        fallback((("From", "l"), ("To", "l"), ("Purpose", "l"), ("Per month", "r")), moved, "The flows as a table"),
        note=note,
    )


def _legend(purposes: set[str]) -> Markup:
    entries = [
        el("li", el("svg", el("line", x1=0, x2=30, y1=6, y2=6, class_=f"flow {purpose}", stroke_width=5),
                    viewBox="0 0 30 12", width=30, height=12, aria_hidden="true"), words)
        for purpose, words in _PURPOSES.items()
        if purpose in purposes
    ]  # fmt: skip
    return el("ul", entries, class_="legend")


def _draw(plan: Plan, width: float) -> Markup:
    layout = lay_out(plan, width)
    ribbons = [_ribbon(flow, layout) for flow in biggest(plan)]
    alt = "Map of sites in three layers: " + "; ".join(
        f"{node.name} in {layer_name(node.layer)} {money_of(plan).short(node.cost_usd)}" for node in layout.sites
    )
    return canvas(
        width, layout.height, alt, [_band(plan, layout, layer) for layer in layout.bands], ribbons,
        [_caller(node) for node in layout.callers], [_site(plan, node) for node in layout.sites],
    )  # fmt: skip


def _band(plan: Plan, layout: Layout, layer: str) -> Markup:
    top, height, left, width = layout.bands[layer]
    cost = sum(node.cost_usd for node in layout.sites if node.layer == layer)
    return join(
        el("rect", x=left, y=top, width=width, height=height, rx=10, class_="band"),
        label(left + 14, top + 22, layer_name(layer), "strong halo"),
        label(left + width - 12, top + 22, money_of(plan).short(cost), "tick", "end"),
    )


def _caller(node: Node) -> Markup:
    return join(
        el("rect", el("title", f"callers in {node.name}"), x=node.x - node.reach, y=node.y - 13, width=2 * node.reach,
           height=26, rx=13, class_="box"),
        label(node.x, node.y + 4, node.name, "", "middle", room=2 * node.reach - 10),
    )  # fmt: skip


def _site(plan: Plan, node: Node) -> Markup:
    money, fill = money_of(plan), layer_class(node.layer)
    stack = [
        el("circle", cx=node.x + shift, cy=node.y - shift, r=node.radius, class_=f"{fill} site ghost")
        for shift in ((8, 4) if node.count > 1 else ())
    ]
    many = f" × {node.count}" if node.count > 1 else ""
    gpus = f", {node.gpus:,.0f} GPUs" if node.gpus >= 0.5 else ""
    words = f"{node.name}{many}: {money.full(node.cost_usd)}{gpus}"
    return join(
        stack,
        el("circle", el("title", words), cx=node.x, cy=node.y, r=node.radius, class_=f"{fill} site"),
        label(node.x, node.y + node.radius + 17, f"{node.name}{many}", "strong halo", "middle", room=node.reach),
        label(node.x, node.y + node.radius + 32, f"{money.short(node.cost_usd)}{gpus}", "tick halo", "middle"),
    )


def _ribbon(flow: Flow, layout: Layout) -> Markup | None:
    source, target = layout.places.get(flow.source), layout.places.get(flow.target)
    if source is None or target is None or source == target:
        return None
    start, end = source.edge_towards(target), target.edge_towards(source)
    if layout.is_wide and source.radius == 0:
        middle = (start[0] + end[0]) / 2
        path = f"M{points([start])} C{points([(middle, start[1]), (middle, end[1]), end])}"
    else:
        # Bowed to one side, so that both directions are seen and words under a circle stay free.
        across, down = end[0] - start[0], end[1] - start[1]
        control = (start[0] + across / 2 + down * _BOW, start[1] + down / 2 - abs(across) * _BOW)
        path = f"M{points([start])} Q{points([control, end])}"
    purpose = _PURPOSES.get(flow.purpose, flow.purpose)
    words = f"{flow.source} to {flow.target}: {volume(flow.gb_per_month)} per month, {purpose}"
    return el(
        "path",
        el("title", words),
        d=path,
        class_=f"flow {flow.purpose}",
        stroke_width=flow.width,
        marker_end="url(#arrow)",
    )
