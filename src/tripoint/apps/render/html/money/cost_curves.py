"""Cost by quarter: against the alternatives as lines, and of the plan stacked by layer and by kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import Frame, legend, period_axis, value_axis, value_scale
from tripoint.apps.render.html.drawing.bars import Part, stacked
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.palette import LAYER_NAMES, LINE_CLASSES, layer_class, rank_class, spoken_layer
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, cut, is_roomy, keep_apart, label, points
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import Money, money_of, percent, period_word
from tripoint.apps.render.reading.money import by_kind, by_layer, name_of
from tripoint.domain.plan import Baseline, Plan, PlanStatus


def cost_curves(plan: Plan) -> Section:
    """Cost over time."""
    lines = [row for row in plan.baselines if row.status is not PlanStatus.INFEASIBLE and any(row.by_period_usd)]
    layers, kinds = by_layer(plan), by_kind(plan)
    body = join(
        _lines_figure(plan, lines) if lines else None,
        _stack_figure(plan, "Cost of the plan by layer", layers, [layer_class(name) for name in layers], LAYER_NAMES),
        _stack_figure(plan, "Cost of the plan by kind", kinds, [rank_class(rank) for rank in range(len(kinds))], {}),
    )
    return Section(id="costs", title="What it costs over time", message=_message(plan, lines, layers), body=body)


def _message(plan: Plan, lines: Sequence[Baseline], layers: Mapping[str, Sequence[float]]) -> str:
    money, total = money_of(plan), sum(map(sum, layers.values()))
    if not total:
        return "The plan has no charges."
    name, values = max(layers.items(), key=lambda item: sum(item[1]))
    first, last = (sum(series[index] for series in layers.values()) for index in (0, -1))
    others = [row for row in lines if row.name != "plan"]
    worst = max(others, key=lambda row: row.by_period_usd[-1], default=None)
    gap = (
        f" In {plan.periods[-1]} “{name_of(worst)}” would cost {money.short(worst.by_period_usd[-1])}." if worst else ""
    )
    return (
        f"The first {period_word(plan)} costs {money.short(first)} and the last {money.short(last)}; "
        f"{percent(sum(values) / total)} of the whole is spent on {spoken_layer(name)}.{gap}"
    )


def _lines_figure(plan: Plan, lines: Sequence[Baseline]) -> Markup:
    money = money_of(plan)
    rows = [(name_of(row), *(money.short(usd) for usd in row.by_period_usd)) for row in lines]
    columns = [("Alternative", "l"), *((period, "r") for period in plan.periods)]
    return figure(
        f"Cost per {period_word(plan)}, plan against alternatives",
        f"effective cost, {plan.currency} a {period_word(plan)}",
        all_widths(partial(_draw_lines, plan, lines)),
        fallback(columns, rows),
        note="Effective cost spreads purchases over their life, so owned and rented capacity compare; invoices differ.",
    )


def _draw_lines(plan: Plan, lines: Sequence[Baseline], width: float) -> Markup:
    money, is_wide = money_of(plan), is_roomy(width)
    frame = Frame(left=58, top=12, right=width - (215 if is_wide else 12), bottom=300)
    top = max(money.units(max(row.by_period_usd)) for row in lines)
    scale, marks = value_scale(frame, top)
    band = frame.width / len(plan.periods)
    drawn, ends = [], []
    for row in sorted(lines, key=lambda row: row.name == "plan"):
        style = LINE_CLASSES.get(row.name, "l4")
        places = [
            (frame.left + band * (index + 0.5), scale(money.units(usd))) for index, usd in enumerate(row.by_period_usd)
        ]
        ends.append((row, style, places[-1]))
        drawn.append(join(
            el("polyline", points=points(places), class_=f"line {style}"),
            [_marker(x, y, style, f"{name_of(row)}, {period}: {money.short(usd)}")
             for (x, y), period, usd in zip(places, plan.periods, row.by_period_usd, strict=True)],
        ))  # fmt: skip
    words = _end_words(ends, frame, money) if is_wide else None
    height = frame.bottom + 30
    alt = "Lines of cost per period. " + "; ".join(
        f"{name_of(row)} {money.short(row.total_usd)} in all" for row in lines
    )
    picture = canvas(
        width, height, alt, value_axis(frame, scale, marks, money.tick),
        period_axis(frame, plan.periods), drawn, words,
    )  # fmt: skip
    return picture if is_wide else join(picture, _line_legend(lines))


def _marker(x: float, y: float, style: str, words: str) -> Markup:
    title = el("title", words)
    if style in ("l1", "l4"):
        return el("rect", title, x=x - 3, y=y - 3, width=6, height=6, class_=f"dot {style}")
    if style == "l3":
        return el("path", title, d=f"M{x:.1f},{y - 4.5:.1f} l4.5,4.5 l-4.5,4.5 l-4.5,-4.5 z", class_=f"dot {style}")
    return el("circle", title, cx=x, cy=y, r=3.6, class_=f"dot {style}")


def _end_words(ends: Sequence[tuple[Baseline, str, tuple[float, float]]], frame: Frame, money: Money) -> Markup:
    heights = keep_apart([place[1] for _, _, place in ends], 17, frame.top + 6, frame.bottom)
    return join(
        [
            join(
                el("line", x1=x + 6, y1=y, x2=frame.right + 2, y2=height, class_="leader"),
                label(frame.right + 6, height + 4, name_of(row), f"words {style}", room=205),
            )
            for (row, style, (x, y)), height in zip(ends, heights, strict=True)
        ]
    )


def _line_legend(lines: Sequence[Baseline]) -> Markup:
    entries = [el("li", _sample(LINE_CLASSES.get(row.name, "l4"), name_of(row)), name_of(row)) for row in lines]
    return el("ul", entries, class_="legend")


def _sample(style: str, words: str) -> Markup:
    content = el("line", x1=0, x2=26, y1=6, y2=6, class_=f"line {style}"), _marker(13, 6, style, words)
    return el("svg", content, viewBox="0 0 26 12", width=26, height=12, aria_hidden="true")


def _stack_figure(
    plan: Plan, title: str, series: Mapping[str, Sequence[float]], classes: Sequence[str], names: Mapping[str, str]
) -> Markup | None:
    if not series:
        return None
    money = money_of(plan)
    spoken = {key: names.get(key, key.replace("_", " ")) for key in series}
    columns = [("", "l"), *((period, "r") for period in plan.periods), ("Total", "r")]
    rows = [(spoken[key], *(money.short(usd) for usd in series[key]), money.short(sum(series[key]))) for key in series]
    return figure(
        title,
        f"effective cost, {plan.currency} a {period_word(plan)}",
        all_widths(partial(_draw_stack, plan, series, list(classes), spoken)),
        el("div", legend(list(zip(classes, spoken.values(), strict=True))), class_="narrow"),
        fallback(columns, rows),
    )


def _draw_stack(
    plan: Plan, series: Mapping[str, Sequence[float]], classes: Sequence[str], names: Mapping[str, str], width: float
) -> Markup:
    money, is_wide = money_of(plan), is_roomy(width)
    frame = Frame(left=58, top=12, right=width - (215 if is_wide else 4), bottom=250)
    sums = [sum(values) for values in zip(*series.values(), strict=True)]
    scale, marks = value_scale(frame, money.units(max(sums)))
    band = frame.width / len(plan.periods)
    bars = [
        stacked(_parts(plan, series, classes, names, index), scale, frame.left + band * (index + 0.14), band * 0.72)
        for index in range(len(plan.periods))
    ]
    words = _stack_words(series, classes, names, frame, scale, money) if is_wide else None
    alt = "Stacked bars of cost per period. " + "; ".join(
        f"{names[key]} {money.short(sum(values))} in all" for key, values in series.items()
    )
    return canvas(
        width, frame.bottom + 30, alt, value_axis(frame, scale, marks, money.tick),
        period_axis(frame, plan.periods), bars, words,
    )  # fmt: skip


def _parts(
    plan: Plan, series: Mapping[str, Sequence[float]], classes: Sequence[str], names: Mapping[str, str], index: int
) -> Iterator[Part]:
    """The parts of the bar of a period."""
    money = money_of(plan)
    for (key, values), class_ in zip(series.items(), classes, strict=True):
        words = f"{names[key]}, {plan.periods[index]}: {money.short(values[index])}"
        yield Part(money.units(values[index]), class_, words)


def _stack_words(
    series: Mapping[str, Sequence[float]], classes: Sequence[str], names: Mapping[str, str],
    frame: Frame, scale: Scale, money: Money,
) -> Markup:  # fmt: skip
    """Names beside the last bar in the order of its parts, with their swatches and shares of the whole horizon."""
    below, middles = 0.0, []
    for values in series.values():
        units = money.units(values[-1])
        middles.append(scale(below + units / 2))
        below += units
    heights = keep_apart(middles, 17, frame.top + 14, frame.bottom)
    total = sum(map(sum, series.values())) or 1.0
    return join(
        label(frame.right + 212, frame.top - 2, "share of all periods", "tick tiny", "end"),
        [
            join(
                el("line", x1=frame.right - 8, y1=middle, x2=frame.right + 6, y2=height, class_="leader")
                if values[-1] > 0 else None,
                el("rect", x=frame.right + 9, y=height - 5, width=12, height=10, class_=class_),
                label(frame.right + 26, height + 4, cut(names[key], 134), ""),
                label(frame.right + 212, height + 4, percent(sum(values) / total), "tick", "end"),
            )
            for (key, values), class_, middle, height in zip(series.items(), classes, middles, heights, strict=True)
        ],
    )  # fmt: skip
