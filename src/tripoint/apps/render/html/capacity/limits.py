"""Headroom of every limit over time, when it is exhausted and when more must be ordered."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tripoint.apps.render.html.drawing.axes import Frame, period_axis, value_axis, value_scale
from tripoint.apps.render.html.drawing.markup import Markup, el, join, prose
from tripoint.apps.render.html.drawing.sections import Section, card, cards
from tripoint.apps.render.html.drawing.svg import CARD, Scale, canvas, label
from tripoint.apps.render.html.drawing.tables import fallback, table
from tripoint.apps.render.reading.amounts import compact, percent, plural, significant
from tripoint.apps.render.reading.headline import first_limit, is_full_at_once, order_words, roadmap
from tripoint.domain.plan import Headroom, Plan

_MOST_CARDS = 12
_MOST_FAR = 3


def limits(plan: Plan) -> Section:
    """Power, racks, nodes, links and budget."""
    reached = sorted(roadmap(plan), key=lambda row: row.resource == "gpus" or is_full_at_once(row, plan))
    rows = [*reached, *(row for row in plan.headroom if not row.exhausted)]
    drawn = _drawn(rows)
    body = join(cards([_card(plan, row) for row in drawn]), _table(rows)) if rows else join()
    return Section(id="limits", title="Which limit comes first", message=_message(plan, rows), body=body)


def _drawn(rows: Sequence[Headroom]) -> list[Headroom]:
    """Limits that are reached; the fullest few where none is."""
    shown = [row for row in rows if row.used and row.limit]
    reached = [row for row in shown if row.exhausted]
    return reached[:_MOST_CARDS] or sorted(shown, key=lambda row: -_filled(row))[:_MOST_FAR]


def _filled(row: Headroom) -> float:
    """Share of the limit used at the end; 0 where there is none."""
    return row.used[-1] / row.limit[-1] if row.limit[-1] > 0 else 0.0


def _message(plan: Plan, rows: list[Headroom]) -> str:
    reached, first = roadmap(plan), first_limit(plan)
    if not rows:
        return "No physical or financial limit is declared, so none can be reached."
    if first is None:
        return f"None of {plural(len(rows), 'limit')} is reached within ten years."
    order = f"; {words}" if (words := order_words(first, plan)) else ""
    at_once = sum(is_full_at_once(row, plan) for row in reached)
    full = f", {at_once} of them full from the start" if at_once else ""
    verb = "is" if len(reached) == 1 else "are"
    sight = f"{len(reached)} of {plural(len(rows), 'limit')} {verb} reached within ten years{full}"
    return f"The first to fill up is {first.name}, in {first.exhausted}{order}. {sight}."


def _card(plan: Plan, row: Headroom) -> Markup:
    full = f"full {row.exhausted}" if row.exhausted else "not reached within ten years"
    order = f", {words}" if (words := order_words(row, plan)) else ""
    return card(row.name, f"{row.unit}; {full}{order}", _draw(plan, row), note=prose(row.note))


def _draw(plan: Plan, row: Headroom) -> Markup:
    frame = Frame(left=46, top=16, right=CARD - 6, bottom=150)
    finite = [value for value in (*row.used, *row.limit) if math.isfinite(value)]
    scale, marks = value_scale(frame, max(finite, default=1.0) * 1.04, 3)
    band = frame.width / len(row.used)
    steps = [(frame.left + band * (index + 0.5), scale(used)) for index, used in enumerate(row.used)]
    outline = " L".join(f"{x:.1f},{y:.1f}" for x, y in steps)
    area = f"M{steps[0][0]:.1f},{frame.bottom} L{outline} L{steps[-1][0]:.1f},{frame.bottom} z"
    alt = (
        f"{row.name}: {significant(row.used[0])} {row.unit} used at the start, {significant(row.used[-1])} at the end, "
        f"limit {significant(row.limit[-1])}"
    )
    return canvas(
        CARD,
        frame.bottom + 26,
        alt,
        value_axis(frame, scale, marks, compact),
        period_axis(frame, plan.periods, 52),
        el("path", d=area, class_="area"),
        el("path", d=f"M{outline}", class_="area-line"),
        _limit(row, frame, scale, band),
        _full(plan, row, frame, band),
    )


def _limit(row: Headroom, frame: Frame, scale: Scale, band: float) -> Markup | None:
    if not all(map(math.isfinite, row.limit)):
        return label(frame.right, frame.top - 4, "no limit", "limit-words tiny", "end")
    path, x = "", frame.left
    for index, value in enumerate(row.limit):
        path += f"{'M' if not index else 'L'}{x:.1f},{scale(value):.1f} H{x + band:.1f} "
        x += band
    words = f"limit {compact(row.limit[-1])} {row.unit}"
    return join(
        el("path", d=path.strip(), class_="limit"),
        label(frame.right, scale(row.limit[-1]) - 5, words, "limit-words tiny halo-paper", "end"),
    )


def _full(plan: Plan, row: Headroom, frame: Frame, band: float) -> Markup | None:
    if row.exhausted not in plan.periods:
        return None
    x = frame.left + band * (plan.periods.index(row.exhausted) + 0.5)
    side, anchor = (4, "start") if x < frame.left + 40 else (-4, "end")
    return join(
        el("line", x1=x, x2=x, y1=frame.top, y2=frame.bottom, class_="threshold"),
        label(x + side, frame.bottom - 6, "full", "tiny strong halo-paper", anchor),
    )


def _table(rows: Sequence[Headroom]) -> Markup:
    columns = (
        ("Limit", "l"),
        ("Used first", "r"),
        ("Used last", "r"),
        ("Of", "r"),
        ("Share", "r"),
        ("Full in", "l"),
        ("Order by", "l"),
        ("How found", "p"),
    )
    near, far = ([_cells(row) for row in rows if bool(row.exhausted) is seen] for seen in (True, False))
    return join(
        table(
            columns,
            near,
            "Limits reached within ten years; those full from the start, and accelerators in service, stand last",
        )
        if near
        else None,
        fallback(columns, far, f"{plural(len(far), 'limit')} not reached within ten years") if far else None,
    )


def _cells(row: Headroom) -> tuple[str, ...]:
    lead = f" ({row.lead_time_months:g} months ahead)" if row.order_by and row.lead_time_months else ""
    return (
        row.name,
        compact(row.used[0]) if row.used else "–",
        compact(row.used[-1]) if row.used else "–",
        f"{compact(row.limit[-1])} {row.unit}" if row.limit else "–",
        _use(row),
        row.exhausted or "–",
        f"{row.order_by}{lead}" if row.order_by else "–",
        row.note,
    )


def _use(row: Headroom) -> str:
    return percent(row.used[-1] / row.limit[-1]) if row.used and row.limit and row.limit[-1] > 0 else "–"
