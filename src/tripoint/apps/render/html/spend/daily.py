"""Spend by day: bars stacked by tenant, capacity nobody used on top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from tripoint.apps.render.html.drawing.axes import Frame, legend, value_axis, value_scale
from tripoint.apps.render.html.drawing.bars import Part, stacked
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.palette import rank_class
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, label
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.html.spend.figures import IDLE, amount, share, tick
from tripoint.apps.render.reading.amounts import plural
from tripoint.domain.money import NANO_PER_USD
from tripoint.usecases.spend_report import SpendReport

_BAR_MOST = 84.0


class _Series(NamedTuple):
    """One colour of the stack."""

    name: str
    class_: str
    values: tuple[int, ...]


def daily(report: SpendReport) -> Section:
    """Cost by day and tenant."""
    series = _series(report)
    days = [day for day, _ in report.days]
    rows = [
        (day, *(amount(one.values[place]) for one in series), amount(sum(one.values[place] for one in series)))
        for place, day in enumerate(days)
    ]
    columns = [("Day", "l"), *((one.name, "r") for one in series), ("All", "r")]
    takes_back = any(value < 0 for one in series for value in one.values)
    body = figure(
        "Effective cost by day",
        "USD a day; stacked from the bottom in the order of the words",
        legend([(one.class_, one.name) for one in series]),
        all_widths(partial(_draw, series, days, _planned(report))),
        fallback(columns, rows),
        note="Days on which corrections took back more than was spent are drawn as nothing." if takes_back else "",
    )
    return Section(id="days", title="What each day cost", message=_message(report, days), body=body)


def _series(report: SpendReport) -> list[_Series]:
    named = [(name, values) for name, values in report.series.items() if name]
    found = [_Series(name, rank_class(rank), values) for rank, (name, values) in enumerate(named)]
    if any(report.others):
        found.append(_Series("other tenants", rank_class(7), report.others))
    if "" in report.series:
        found.append(_Series(IDLE, "elastic-none", report.series[""]))
    return found


def _message(report: SpendReport, days: Sequence[str]) -> str:
    sums = [sum(values) for values in zip(*report.series.values(), report.others, strict=True)]
    if len(days) == 1:
        return f"Only {days[0]} has entries: {amount(sums[0])}."
    dearest = max(range(len(days)), key=lambda place: sums[place])
    told = share(sums[dearest], sum(sums))
    corrected = report.corrected_nano  # the whole of a correction stands in one day, whatever days it is for
    left_out = f", {amount(corrected)} of corrections left out" if corrected else ""
    return (
        f"{plural(len(days), 'day')} cost {amount(round(report.spent.nano / len(days)))} a day on average{left_out}; "
        f"the dearest was "
        f"{days[dearest]} with {amount(sums[dearest])}, {told} of the whole."
    )


def _planned(report: SpendReport) -> float:
    """What the plan expects of a whole day, on the mean of these days, USD; 0 without a plan."""
    over = sum(part for _, part in report.days)
    return report.expected.total_usd / over if report.expected is not None and over > 0 else 0.0


def _draw(series: Sequence[_Series], days: Sequence[str], planned: float, width: float) -> Markup:
    frame = Frame(left=70, top=12, right=width - 4, bottom=250)
    sums = [sum(max(0, value) for value in values) for values in zip(*(one.values for one in series), strict=True)]
    scale, marks = value_scale(frame, max(planned, max(sums) / NANO_PER_USD))
    band = frame.width / len(days)
    bar = min(_BAR_MOST, band * 0.72)
    bars = [
        stacked(_parts(series, days, place), scale, frame.left + band * (place + 0.5) - bar / 2, bar)
        for place in range(len(days))
    ]
    alt = "Stacked bars of cost by day. " + "; ".join(f"{one.name} {amount(sum(one.values))} in all" for one in series)
    return canvas(
        width, frame.bottom + 30, alt, value_axis(frame, scale, marks, tick), _day_axis(frame, days), bars,
        _plan_line(frame, scale, planned) if planned > 0 else None,
    )  # fmt: skip


def _plan_line(frame: Frame, scale: Scale, planned: float) -> Markup:
    """What the plan expects of a day, across all of them."""
    y = scale(planned)
    words = f"planned: {tick(planned)} a day"
    return join(
        el("line", x1=frame.left, x2=frame.right, y1=y, y2=y, class_="threshold"),
        label(frame.right - 4, y - 6, words, "strong halo-paper", "end"),
    )


def _parts(series: Sequence[_Series], days: Sequence[str], index: int) -> Iterator[Part]:
    """The parts of the bar of a day; what was taken back is drawn as nothing."""
    for one in series:
        nano = one.values[index]
        yield Part(max(0, nano) / NANO_PER_USD, one.class_, f"{one.name}, {days[index]}: {amount(nano)}")


def _day_axis(frame: Frame, days: Sequence[str]) -> Markup:
    """As many days as fit, as month and day."""
    band = frame.width / len(days)
    every = next((step for step in (1, 2, 3, 5, 7, 14, 28, 56) if band * step >= 46), 100)
    return join(
        [
            label(frame.left + band * (index + 0.5), frame.bottom + 17, days[index][5:], "tick", "middle")
            for index in range(0, len(days), every)
        ]
    )
