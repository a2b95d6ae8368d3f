"""When owning or committing beats renting: cost curves, the threshold and how far prices can move it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tripoint.apps.render.html.drawing.axes import Frame, value_axis, value_scale, value_ticks
from tripoint.apps.render.html.drawing.markup import Markup, el, join, prose
from tripoint.apps.render.html.drawing.sections import Section, card, cards
from tripoint.apps.render.html.drawing.svg import CARD, Scale, canvas, keep_apart, label, points, ticks
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import Money, compact, money_of, percent, plural
from tripoint.domain.plan import BreakEven, CostCurve, Plan

_MOST_CARDS = 12
_MOST_POOLS = 6
_NAMES = 92.0
"""Room for the names of the curves beside the plot, px."""
_STYLES = {
    "owned": "l2",
    "committed 1y": "l3",
    "committed 3y": "l4",
    "on_demand": "l1",
    "spot": "l0",
    "per_token": "l1",
}


def break_even(plan: Plan) -> Section:
    """Thresholds of all workloads and pools, the first dozen as pictures."""
    drawn = _drawn(plan, "workload")[:_MOST_CARDS] + _drawn(plan, "pool")[:_MOST_POOLS]
    body = join(_key(), cards([_card(plan, row) for row in drawn]), _table(plan)) if plan.breakevens else join()
    return Section(id="break-even", title="When owning beats renting", message=_message(plan), body=body)


def _drawn(plan: Plan, kind: str) -> list[BreakEven]:
    """Those with curves, the ones with a threshold to see first."""
    rows = [row for row in plan.breakevens if row.kind == kind and any(len(curve.points) > 1 for curve in row.curves)]
    return sorted(rows, key=lambda row: row.kind == "workload" and not row.mtok_per_month)


def _message(plan: Plan) -> str:
    rows = [row for row in plan.breakevens if row.kind == "workload"]
    past = [row for row in rows if row.month == "already"]
    never = [row for row in rows if row.month == "beyond"]
    if not rows:
        return "No workload's demand can be compared with a firm way of buying."
    counts = (
        (len(past), "already fill enough of a firm node to pay for it"),
        (len(rows) - len(past) - len(never), "will within ten years"),
        (len(never), "will not within ten years"),
    )
    said = ", ".join(f"{count} {words}" for count, words in counts if count)
    return f"Of {plural(len(rows), 'workload')} compared, {said}."


def _key() -> Markup:
    """What the marks on every card mean."""
    entries = (
        (
            el("line", x1=9, x2=9, y1=0, y2=12, class_="threshold"),
            "break-even: to the right of it, the firm way is cheaper",
        ),
        (el("rect", width=18, height=12, class_="range"), "where it may lie, over the ranges of prices"),
        (el("path", d="M9,12 l5,-9 h-10 z", class_="today-mark"), "demand today"),
    )
    return el("ul", [el("li", el("svg", mark, class_="swatch", viewBox="0 0 18 12", aria_hidden="true"), words)
                     for mark, words in entries], class_="legend")  # fmt: skip


def _card(plan: Plan, row: BreakEven) -> Markup:
    unit = "million tokens a month" if _is_by_tokens(row) else "use of the node"
    return card(row.subject, f"{plan.currency} a month, by {unit}", _draw(plan, row), note=prose(row.note))


def _is_by_tokens(row: BreakEven) -> bool:
    """Whether its curves run over token volume rather than utilisation."""
    return row.mtok_per_month is not None or row.demand_mtok_per_month is not None


def _draw(plan: Plan, row: BreakEven) -> Markup:
    money, is_tokens = money_of(plan), _is_by_tokens(row)
    curves = [curve for curve in row.curves if len(curve.points) > 1]
    frame = Frame(left=52, top=14, right=CARD - _NAMES, bottom=176)
    top = max(money.units(point.usd) for curve in curves for point in curve.points)
    scale, marks = value_scale(frame, top, 3)
    last = max(point.x for curve in curves for point in curve.points)
    across = Scale(low=0, high=last or 1.0, start=frame.left, end=frame.right)
    at, low, high = (
        (row.mtok_per_month, row.mtok_low, row.mtok_high)
        if is_tokens
        else (row.utilisation, row.utilisation_low, row.utilisation_high)
    )
    return canvas(
        CARD, frame.bottom + 26, row.note or f"Cost curves of {row.subject}",
        _range(frame, across, low, high),
        value_axis(frame, scale, marks, money.tick),
        value_ticks(frame, across, [tick for tick in ticks(0, across.high, 3) if tick <= across.high],
                    compact if is_tokens else percent),
        [_curve(curve, across, scale, money) for curve in curves],
        _threshold(frame, across, at), _today(frame, across, row.demand_mtok_per_month if is_tokens else None),
        _words(curves, across, scale, money, frame),
    )  # fmt: skip


def _style(curve: CostCurve) -> str:
    """The same way of buying looks the same on every card."""
    return _STYLES.get(curve.label.replace(" ", "_"), _STYLES.get(curve.label, "l4"))


def _curve(curve: CostCurve, across: Scale, up: Scale, money: Money) -> Markup:
    places = [(across(point.x), up(money.units(point.usd))) for point in curve.points]
    return el("polyline", el("title", curve.label), points=points(places), class_=f"line {_style(curve)}")


def _words(curves: Sequence[CostCurve], across: Scale, up: Scale, money: Money, frame: Frame) -> Markup:
    """Names beside the ends of the curves."""
    wanted = [up(money.units(curve.points[-1].usd)) + 4 for curve in curves]
    heights = keep_apart(wanted, 14, frame.top + 4, frame.bottom)
    return join(
        [
            label(
                frame.right + 6,
                height,
                curve.label.replace("_", " "),
                f"words tiny {_style(curve)}",
            )
            for curve, height in zip(curves, heights, strict=True)
        ]
    )


def _range(frame: Frame, across: Scale, low: float | None, high: float | None) -> Markup | None:
    if low is None or high is None or low > across.high:
        return None
    left, right = across(max(0.0, low)), across(min(high, across.high))
    title = el("title", "where the threshold can lie within the price ranges")
    return el(
        "rect",
        title,
        x=left,
        y=frame.top,
        width=max(1.0, right - left),
        height=frame.bottom - frame.top,
        class_="range",
    )


def _threshold(frame: Frame, across: Scale, at: float | None) -> Markup | None:
    if at is None or at > across.high:
        return None
    return el(
        "line",
        el("title", "threshold"),
        x1=across(at),
        x2=across(at),
        y1=frame.top,
        y2=frame.bottom,
        class_="threshold",
    )


def _today(frame: Frame, across: Scale, demand: float | None) -> Markup | None:
    if demand is None or demand > across.high:
        return None
    x = across(demand)
    anchor = "start" if x < frame.left + 40 else "end" if x > frame.right - 40 else "middle"
    return join(
        el("path", d=f"M{x:.1f},{frame.bottom} l5,-9 h-10 z", class_="today-mark"),
        label(x, frame.bottom - 13, "today", "tiny strong halo-paper", anchor),
    )


def _table(plan: Plan) -> Markup:
    money = money_of(plan)
    columns = (
        ("Subject", "l"), ("Firm way", "l"), ("Elastic way", "l"), ("Firm node per month", "r"),
        ("Elastic node per hour", "r"), ("Use", "r"), ("Range", "r"), ("Mtok per month", "r"), ("Range", "r"),
        ("From", "l"), ("Range", "l"),
    )  # fmt: skip
    rows = [
        (
            row.subject, row.firm, row.elastic, money.short(row.firm_usd_per_node_month),
            money.rate(row.elastic_usd_per_node_hour), _at(row.utilisation, percent),
            _between(row.utilisation_low, row.utilisation_high, percent), _at(row.mtok_per_month, compact),
            _between(row.mtok_low, row.mtok_high, compact), row.month or "–",
            f"{row.month_early} to {row.month_late}" if row.month_early else "–",
        )
        for row in plan.breakevens
    ]  # fmt: skip
    return fallback(columns, rows, f"All {plural(len(rows), 'break-even point')} as a table")


def _at(value: float | None, write: Callable[[float], str]) -> str:
    return "–" if value is None else write(value)


def _between(low: float | None, high: float | None, write: Callable[[float], str]) -> str:
    return "–" if low is None or high is None else f"{write(low)} to {write(high)}"
