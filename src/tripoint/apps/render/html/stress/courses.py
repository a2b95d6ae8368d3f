"""Outages as they unfold: what was asked in each stretch of a trial, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from tripoint.apps.render.html.drawing.axes import Frame, legend, value_axis, value_scale, value_ticks
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section, card, cards
from tripoint.apps.render.html.drawing.svg import CARD, Scale, canvas, points, ticks
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.reading.amounts import compact, plural
from tripoint.apps.render.stress.figures import share, span
from tripoint.apps.render.stress.ranking import is_promised
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import OutageCourse, StressReport
from tripoint.engines.stress.scenarios.knobs import minutes_of, usual

_MOST = 12
_LAYERS = (
    ("fill-edge", "answered in time"),
    ("c1", "answered late"),
    ("c3", "refused for lack of room"),
    ("c5", "lost"),
)
_STRIKES = (("struck", "while the scenario strikes"),)


def courses(report: StressReport) -> Section:
    """The worst courses, a card each; first those of workloads with an objective of service under the scenario."""
    titles = {each.id: each.title for each in report.scenarios}
    struck = {each.id: _struck(each) for each in report.scenarios}
    asked = {(each.scenario, each.workload) for each in report.verdicts if is_promised(each)}
    hurt = sorted(
        (each for each in report.courses if _missed(each) > 0),
        key=lambda each: ((each.scenario, each.workload) in asked, _missed(each)),
        reverse=True,
    )
    shown = hurt[:_MOST]
    rows = [
        (titles.get(each.scenario, each.scenario), each.workload, f"{sum(each.offered):,.0f}", share(_missed(each)))
        for each in hurt
    ]
    body = join(
        legend([*_LAYERS, *_STRIKES] if any(struck.get(each.scenario) for each in shown) else _LAYERS),
        cards(
            card(titles.get(each.scenario, each.scenario), f"{each.workload}, per {span(each.bin_s)}",
                 _draw(each, struck.get(each.scenario, ())))
            for each in shown
        ),
        fallback((("Scenario", "l"), ("Workload", "l"), ("Asked", "r"), ("Not answered in time", "r")), rows),
    ) if hurt else join()  # fmt: skip
    return Section(id="courses", title="Outages as they unfold", message=_message(report, hurt), body=body)


def _message(report: StressReport, hurt: Sequence[OutageCourse]) -> str:
    if not report.courses:
        return "No scenario was played."
    if not hurt:
        return "In the first trial of every scenario, all that was asked was answered in time."
    worst = f"the {_MOST} worst are drawn, those of workloads with an objective of service before the others"
    cut = worst if len(hurt) > _MOST else "all are drawn"
    return (
        f"In the first trials, {len(hurt)} of {plural(len(report.courses), 'course')} had requests that were late, "
        f"refused or lost; {cut}."
    )


def _missed(course: OutageCourse) -> float:
    asked = sum(course.offered)
    in_time = sum(course.answered) - sum(course.late)
    return 0.0 if asked <= 0 else max(0.0, 1.0 - in_time / asked)


def _layers(course: OutageCourse) -> list[list[float]]:
    """[layer][bin]: upper edges of the stack."""
    in_time = [max(0.0, all_ - late) for all_, late in zip(course.answered, course.late, strict=True)]
    stack, edges = [0.0] * len(in_time), []
    for layer in (in_time, course.late, course.shed, course.lost):
        stack = [below + value for below, value in zip(stack, layer, strict=True)]
        edges.append(stack)
    return edges


def _struck(scenario: Scenario) -> tuple[tuple[float, float], ...]:
    """From when until when its strikes last, s, as usual; those that come by chance are left out."""
    values, end = usual(scenario), scenario.minutes
    spans = []
    for strike in scenario.strikes:
        if strike.mtbf_hours is None and not strike.trace and not strike.left:
            begin = minutes_of(scenario, strike.at, values)
            stop = end if strike.lasts is None else begin + minutes_of(scenario, strike.lasts, values)
            spans.append((begin * 60.0, min(stop, end) * 60.0))
    return tuple(sorted({span for span in spans if span[0] < span[1]}))


def _draw(course: OutageCourse, struck: Sequence[tuple[float, float]]) -> Markup:
    frame = Frame(left=44, top=8, right=CARD - 6, bottom=138)
    edges = _layers(course)
    up, marks = value_scale(frame, max(max(course.offered), max(edges[-1])), 3)
    unit, size_s = _time_unit(len(course.offered) * course.bin_s)
    whole, width = len(course.offered) * course.bin_s / size_s, course.bin_s / size_s
    across = Scale(low=0.0, high=whole, start=frame.left, end=frame.right)
    areas = [_area(edges[place], edges[place - 1] if place else None, (across, width), up, name)
             for place, name in reversed(list(enumerate(class_ for class_, _ in _LAYERS)))]  # fmt: skip
    asked = [(across(at * width), up(value)) for place, value in enumerate(course.offered) for at in (place, place + 1)]
    alt = f"{course.scenario}, {course.workload}: {share(_missed(course))} not answered in time"
    return canvas(
        CARD, frame.bottom + 24, alt,
        value_axis(frame, up, marks, compact),
        value_ticks(frame, across, [mark for mark in ticks(0.0, whole, 4) if mark <= whole],
                    lambda value: f"{value:g} {unit}" if value else "0", is_tight=True),
        [_band(frame, across, begin / size_s, min(end / size_s, whole)) for begin, end in struck],
        areas,
        el("polyline", points=points(asked), class_="demand"),
    )  # fmt: skip


def _band(frame: Frame, across: Scale, begin: float, end: float) -> Markup | None:
    """The time a strike lasts; nothing where it begins after the trial's end."""
    if begin >= end:
        return None
    height = frame.bottom - frame.top
    return el("rect", x=across(begin), y=frame.top, width=across(end) - across(begin), height=height, class_="struck")


def _time_unit(seconds: float) -> tuple[str, float]:
    """The unit a length of time is told in, and its size, s."""
    for unit, size_s in (("d", 86_400.0), ("h", 3_600.0)):
        if seconds >= 3 * size_s:
            return unit, size_s
    return "min", 60.0


def _area(
    upper: Sequence[float], lower: Sequence[float] | None, along: tuple[Scale, float], up: Scale, class_: str
) -> Markup:
    """A layer of the stack in steps, one per bin; bins in which it is nothing are left out."""
    across, width = along
    drawn = []
    for place, value in enumerate(upper):
        below = lower[place] if lower is not None else 0.0
        if value - below <= 0.0:
            continue
        left, right = across(place * width), across((place + 1) * width)
        drawn.append(
            el("rect", x=left, y=up(value), width=right - left + 0.3, height=up(below) - up(value), class_=class_)
        )
    return join(drawn)
