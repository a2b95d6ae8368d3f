"""Load-duration: capacity by kind of money against demand, busiest hours first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tripoint.apps.render.html.drawing.axes import Frame, legend, value_axis, value_scale
from tripoint.apps.render.html.drawing.bars import Part, stacked
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.palette import layer_name
from tripoint.apps.render.html.drawing.sections import Section, card
from tripoint.apps.render.html.drawing.svg import CARD, Scale, canvas, label
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import compact, percent, significant
from tripoint.apps.render.reading.money import LAYERS
from tripoint.domain.plan import Plan

_KINDS = (("owned", "owned"), ("committed", "committed"), ("on demand", "elastic"), ("spot", "pale"))
"""Words, and the first half of the class that fills them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Accelerators of a layer in one block."""

    name: str
    """Block."""
    weight: float
    """Share of the hours."""
    capacity: tuple[float, float, float, float]
    """Owned, committed, on demand, spot."""
    used: float
    """In use."""


def load(plan: Plan) -> Section:
    """Firm and burst capacity against demand, by layer, at the start and at the end."""
    layers = {site.id: site.layer for site in plan.sites}
    present = [layer for layer in LAYERS if any(layers.get(state.site) == layer for state in plan.pools)]
    chosen = sorted({0, len(plan.periods) - 1}) if plan.periods else []
    found = [(layer, period, slices(plan, layer, period)) for layer in present for period in chosen]
    tops = {layer: max(_peak(parts) for each, _, parts in found if each == layer) for layer in present}
    pictures = [
        _card(plan, layer, period, parts, tops[layer])
        for layer, period, parts in found
        if any(sum(part.capacity) for part in parts)
    ]
    body = join(legend(_entries(found)), el("div", pictures, class_="cards pairs")) if pictures else join()
    return Section(id="load", title="Steady load and bursts", message=_message(plan, found), body=body)


def slices(plan: Plan, layer: str, period: int) -> tuple[Slice, ...]:
    """[block] capacity and use of a layer in a period, accelerators."""
    layers = {site.id: site.layer for site in plan.sites}
    states = [state for state in plan.pools if state.period == period and layers.get(state.site) == layer]
    found = []
    for index, block in enumerate(plan.blocks):
        here = [state for state in states if state.block == index]
        found.append(Slice(
            name=block.name, weight=block.weight,
            capacity=(
                sum(state.owned * state.gpus_per_node for state in here),
                sum(state.committed * state.gpus_per_node for state in here),
                sum(state.on_demand * state.gpus_per_node for state in here),
                sum(state.spot * state.gpus_per_node for state in here),
            ),
            used=sum(state.used * state.gpus_per_node for state in here),
        ))  # fmt: skip
    return tuple(found)


def _message(plan: Plan, found: Sequence[tuple[str, int, Sequence[Slice]]]) -> str:
    last = [parts for _, period, parts in found if period == len(plan.periods) - 1]
    hours = [(sum(part.capacity[:2]), sum(part.capacity[2:]), part.weight) for parts in last for part in parts]
    firm, burst = (sum(row[kind] * row[2] for row in hours) for kind in (0, 1))
    if firm + burst <= 0:
        return "No nodes are held: everything runs on token-priced APIs, or nothing runs."
    peaks = [sum(sum(parts[block].capacity[2:]) for parts in last) for block in range(len(plan.blocks))]
    return (
        f"In {plan.periods[-1]}, {percent(firm / (firm + burst))} of accelerator-hours stand on owned or committed "
        f"capacity; the rest is rented, {compact(max(peaks))} accelerators at most."
    )


def _entries(found: Sequence[tuple[str, int, Sequence[Slice]]]) -> list[tuple[str, str]]:
    """Legend of the kinds of capacity that occur."""
    amounts = [sum(part.capacity[index] for _, _, parts in found for part in parts) for index in range(len(_KINDS))]
    return [(f"{kind}-none", name) for (name, kind), amount in zip(_KINDS, amounts, strict=True) if amount > 0]


def _peak(parts: Sequence[Slice]) -> float:
    """Most accelerators held or used in any block."""
    return max((max(sum(part.capacity), part.used) for part in parts), default=0.0)


def _card(plan: Plan, layer: str, period: int, parts: Sequence[Slice], top: float) -> Markup:
    """A layer in a period; `top` is the peak of the layer in all periods drawn, so that they compare by height."""
    columns = [("Block", "l"), ("Hours", "r"), *((name, "r") for name, _ in _KINDS), ("In use", "r")]
    rows = [
        (part.name, percent(part.weight), *(significant(value) for value in part.capacity), significant(part.used))
        for part in parts
    ]
    return card(
        f"{layer_name(layer)}, {plan.periods[period]}",
        "accelerators, over shares of the week’s hours, the busiest first",
        _draw(layer, parts, top, CARD + 110),
        fallback(columns, rows),
    )


def _draw(layer: str, parts: Sequence[Slice], top: float, width: float) -> Markup:
    frame = Frame(left=48, top=10, right=width - 8, bottom=190)
    scale, marks = value_scale(frame, top * 1.08)
    x, bars = frame.left, []
    steps: list[str] = []
    for part in parts:
        wide = frame.width * part.weight
        bars.append(stacked(
            (Part(value, f"{kind}-{layer}", f"{part.name}: {significant(value)} {name}")
             for (name, kind), value in zip(_KINDS, part.capacity, strict=True)),
            scale, x, wide,
        ))  # fmt: skip
        words = f"{percent(part.weight)} of hours" if wide > 90 else percent(part.weight)
        bars.append(label(x + wide / 2, frame.bottom + 17, words, "tick", "middle"))
        steps.append(f"{'L' if steps else 'M'}{x:.1f},{scale(part.used):.1f} H{x + wide:.1f}")
        x += wide
    alt = "; ".join(
        f"{part.name}: {significant(sum(part.capacity))} held, {significant(part.used)} used" for part in parts
    )
    return canvas(
        width,
        frame.bottom + 28,
        f"Stacked capacity against demand. {alt}",
        value_axis(frame, scale, marks, compact),
        bars,
        [el("path", d=" ".join(steps), class_=class_) for class_ in ("demand-halo", "demand")],
        _in_use(frame, parts, scale),
    )


def _in_use(frame: Frame, parts: Sequence[Slice], scale: Scale) -> Markup:
    """The name of the line of use, above its longest stretch."""
    longest = max(range(len(parts)), key=lambda at: parts[at].weight)
    middle = sum(part.weight for part in parts[:longest]) + parts[longest].weight / 2
    return label(
        frame.left + frame.width * middle, scale(parts[longest].used) - 7, "in use", "strong halo-paper", "middle"
    )
