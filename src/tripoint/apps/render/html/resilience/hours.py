"""Hours down in a year: one bar per workload over the interval of uncertain failure rates, a mark at the typical."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import Frame, legend, value_ticks
from tripoint.apps.render.html.drawing.markup import Markup, el, join, prose
from tripoint.apps.render.html.drawing.sections import Section, figure, rest_told
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, is_roomy, label, ticks
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import percent
from tripoint.apps.render.resilience.dependencies import bearing_line, largest_text, member_texts, spread_text
from tripoint.domain.cut import DependencyReport, Reliance

_MOST, _ROW, _BAR, _TOP, _NAMES = 24, 30.0, 12.0, 8.0, 210.0
_NOTE = "Intervals are what the ranges of failure rates leave; a bad year is one in twenty."
_WORDS = 150.0
"""Room for the figures beside the bars, px."""


def hours(report: DependencyReport) -> Section:
    """Bars, the longest first, and the tolerances of the business."""
    ordered = sorted(report.reliances, key=lambda each: (-each.hours_per_year.value, each.workload))
    texts = member_texts(report)
    columns = (("Workload", "l"), ("Least share", "r"), ("Alone", "r"), ("Pairs", "r"), ("Hours a year", "r"),
               ("Bad year", "r"), ("USD a year", "r"), ("Most rests on", "w"))  # fmt: skip
    body = figure(
        "Hours down in a year",
        "an outage counts by the share of the work it stops",
        legend([("range-bar", "90 % interval"), ("order", "at the typical failure rates")]),
        all_widths(partial(_draw, ordered[:_MOST])) if ordered else None,
        fallback(columns, [_row(each, texts) for each in ordered]),
        note=f"{_NOTE} {rest_told(len(ordered), _MOST)}".strip(),
    )
    borne = el("ul", [el("li", prose(bearing_line(each))) for each in report.bearings]) if report.bearings else None
    return Section(
        id="hours", title="Hours and loss in a year", message=_message(ordered, texts), body=join(body, borne)
    )


def _message(ordered: Sequence[Reliance], texts: Mapping[str, str]) -> str:
    if not ordered:
        return "There are no workloads."
    worst = ordered[0]
    rests = f"; most of it rests on {texts.get(worst.largest, worst.largest)}" if worst.largest else ""
    return f"{worst.workload} is down {spread_text(worst.hours_per_year)} hours a year, more than any other{rests}."


def _row(each: Reliance, texts: Mapping[str, str]) -> tuple[str, ...]:
    usd = "–" if each.usd_per_year is None else spread_text(each.usd_per_year)
    return (
        each.workload, percent(each.least_share), str(len(each.singles)), str(len(each.pairs)),
        spread_text(each.hours_per_year), f"{each.p95_hours:.1f}", usd, largest_text(each, texts),
    )  # fmt: skip


def _draw(shown: Sequence[Reliance], width: float) -> Markup:
    is_wide = is_roomy(width)
    high = max((each.hours_per_year.high for each in shown), default=0.0)
    marks = ticks(0.0, high if high > 0.0 else 1.0, 6 if is_wide else 3)
    bottom = _TOP + _ROW * len(shown) * (1.0 if is_wide else 1.5)
    frame = Frame(left=_NAMES if is_wide else 4.0, top=_TOP, right=width - (_WORDS if is_wide else 16), bottom=bottom)
    scale = Scale(low=0.0, high=marks[-1], start=frame.left, end=frame.right)
    rules = [el("line", x1=scale(mark), x2=scale(mark), y1=_TOP, y2=bottom, class_="rule") for mark in marks]
    bars = [_bar(each, scale, _TOP + (bottom - _TOP) / len(shown) * row, is_wide) for row, each in enumerate(shown)]
    alt = "Hours down in a year. " + "; ".join(f"{e.workload}: {spread_text(e.hours_per_year)}" for e in shown)
    return canvas(width, bottom + 26, alt, rules, bars, value_ticks(frame, scale, marks, lambda mark: f"{mark:g} h"))


def _bar(each: Reliance, scale: Scale, top: float, is_wide: bool) -> Markup:
    spread = each.hours_per_year
    words = f"{each.workload}: {spread_text(spread)} hours a year"
    bar_top = top + (8.0 if is_wide else 22.0)
    name = label(0, top + (18 if is_wide else 16), each.workload, "strong", room=_NAMES - 12 if is_wide else scale.end)
    told = f"{spread_text(spread)} h"
    length = max(1.0, scale(spread.high) - scale(spread.low))
    return join(
        name,
        label(scale.end + _WORDS, top + 18, told, "tick", "end") if is_wide
        else label(scale.end, top + 16, told, "tick halo-paper", "end"),
        el("rect", el("title", words), x=scale(spread.low), y=bar_top, width=length, height=_BAR, class_="range-bar"),
        el("rect", el("title", words), x=scale(spread.value) - 1, y=bar_top - 3, width=2, height=_BAR + 6,
           class_="order"),
    )  # fmt: skip
