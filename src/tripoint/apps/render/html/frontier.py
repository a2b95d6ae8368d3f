"""The page about cost against something else: a chart of the plans found, a table, links to each plan's report."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from tripoint.apps.render.html.document import whole_page
from tripoint.apps.render.html.drawing.axes import Frame, value_axis, value_ticks
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import figure, top
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, is_roomy, label, points, ticks
from tripoint.apps.render.html.drawing.tables import table
from tripoint.apps.render.reading.amounts import horizon_told, money_of, percent
from tripoint.apps.render.why.frontier import (
    front_columns,
    front_rows,
    front_sentences,
    front_title,
    more_told,
    reached,
)
from tripoint.domain.front import Front, Point

FOLDER = "plan-{}"
"""Where the plan of each point is, beside the page."""


def frontier_html(front: Front) -> str:
    """The page of a front with at least one point."""
    first = front.points[0].plan
    title = front_title(front)
    rows = [
        (el("a", f"plan {cells[0]}", href=f"{FOLDER.format(number)}/report.html"), *cells[1:])
        for number, cells in enumerate(front_rows(front), 1)
    ]
    page = el(
        "div",
        top(f"Plans of {first.name} · {horizon_told(first)}", _claim(front)),
        el(
            "main",
            figure(
                title,
                f"cost over the horizon, {first.currency}; the bar below a plan reaches down to its bound",
                all_widths(partial(_draw, front)) if len(front.points) > 1 else None,
            ),
            table(front_columns(front), rows, "Each plan leads to its report"),
            el("ul", [el("li", sentence) for sentence in front_sentences(front)]),
        ),
        el("footer", f"Made by tripoint {first.tripoint_version}. Discounted amounts are what plans are chosen by."),
        class_="page",
    )
    return whole_page(f"{first.name}: {title.lower()}", page)


def _claim(front: Front) -> str:
    cheapest = min(front.points, key=lambda point: point.usd)
    best = front.points[-1] if not front.unit else front.points[0]
    if best is cheapest:
        return f"One plan is best in both: {reached(front, best)}"
    more = percent(best.usd / cheapest.usd - 1) if cheapest.usd > 0 else "more"
    return f"{reached(front, best)} instead of {reached(front, cheapest)} costs {more} more"


def _draw(front: Front, width: float) -> Markup:
    money, is_wide = money_of(front.points[0].plan), is_roomy(width)
    frame = Frame(left=64, top=16, right=width - (40 if is_wide else 16), bottom=330 if is_wide else 260)
    lows = [money.units(_floor(point)) for point in front.points]
    highs = [money.units(point.usd) for point in front.points]
    marks = ticks(min(lows), max(highs) if max(highs) > min(lows) else min(lows) + 1.0)
    up = Scale(low=marks[0], high=marks[-1], start=frame.bottom, end=frame.top)
    across, below = _across(front, frame)
    spots = [(across(point.value), up(money.units(point.usd))) for point in front.points]
    steps = [corner for one, two in pairwise(spots) for corner in (one, (two[0], one[1]), two)]
    drawn = [
        join(
            el("line", x1=x, x2=x, y1=y, y2=up(money.units(_floor(point))), class_="link-line"),
            el("circle", el("title", f"{reached(front, point)}: {money.full(point.usd)}"), cx=x, cy=y, r=5,
               class_="used-dot"),
            label(x + 8, y - 8, _name(front, point, number) if is_wide else f"{number}", "strong halo-paper"),
        )
        for number, (point, (x, y)) in enumerate(zip(front.points, spots, strict=True), 1)
    ]  # fmt: skip
    alt = f"{front_title(front)}. " + "; ".join(
        f"{reached(front, point)} {money.short(point.usd)}" for point in front.points
    )
    line = el("polyline", points=points(steps or spots), class_="line l2")
    name = label(frame.right, frame.bottom + 34, front.unit or "class", "tick", "end")
    axis = value_axis(frame, up, marks, money.tick)
    return canvas(width, frame.bottom + 42, alt, axis, below, name, line, drawn)


def _name(front: Front, point: Point, number: int) -> str:
    """The plan's number, and what it costs more than the cheapest."""
    more = more_told(front, point)
    return f"{number}: cheapest" if more == "–" else f"{number}: {more}"


def _floor(point: Point) -> float:
    """The bound on the scale of cost that is not discounted: as far below, in proportion."""
    return point.usd * (1.0 - point.gap)


def _across(front: Front, frame: Frame) -> tuple[Scale, Markup]:
    """The horizontal scale with its marks: amounts, or one step for each class."""
    inner = Frame(left=frame.left + 14, top=frame.top, right=frame.right - 74, bottom=frame.bottom)
    values = [point.value for point in front.points]
    if front.unit:
        low, high = min(values), max(values)
        marks = ticks(low, high if high > low else low + 1.0)
        scale = Scale(low=marks[0], high=max(high, marks[-2]), start=inner.left, end=inner.right)
        return scale, value_ticks(
            inner, scale, [mark for mark in marks if mark <= scale.high], lambda value: f"{value:,.10g}"
        )
    scale = Scale(low=min(values), high=max(values) or 1.0, start=inner.left, end=inner.right)
    names = [label(scale(p.value), frame.bottom + 17, reached(front, p), "tick", "middle") for p in front.points]
    return scale, join(names)
