"""How far each scenario can be turned up before something breaks: a bar from mild to where it does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import legend
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import Scale, all_widths, canvas, label
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.html.stress.reading import Weakest, depth, unbroken, weakest
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.stress.figures import aim_name, magnitude
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import StressReport

_TOP, _BAR, _ROOM = 26.0, 12.0, 290.0
_ROW_WIDE, _ROW_NARROW = 44.0, 60.0
_BOLD = 0.88
"""Letters of a heavy face are wider."""


def distance(report: StressReport) -> Section:
    """Bars of distance to failure, the nearest first."""
    if not report.is_searched:
        message = "It was not looked for where objectives break."
        return Section(id="distance", title="How far from breaking", message=message, body=join())
    found, whole = weakest(report), unbroken(report)
    columns = (("Scenario", "l"), ("Knob", "l"), ("Mild", "r"), ("Usual", "r"), ("Severe", "r"), ("Breaks at", "r"),
               ("First to break", "p"))  # fmt: skip
    rows = [_told(each) for each in found] + [_held(each) for each in whole]
    body = figure(
        "Distance to failure",
        "each bar from mild to severe; filled up to where the first objective breaks",
        legend([
            ("fill-edge", "holds"), ("pale-none", "breaks"), ("order", "the usual magnitude"),
        ]),
        all_widths(partial(_draw, found, whole)) if found or whole else None,
        fallback(columns, rows),
        note="Trials are compared under the same draws, so that the edge is the scenario's and not chance's.",
    )  # fmt: skip
    return Section(id="distance", title="How far from breaking", message=_message(found, whole), body=body)


def _told(each: Weakest) -> tuple[str, ...]:
    knob, at = each.knob, each.held.breaks_at
    assert at is not None  # only those that break are among the weakest
    return (
        each.scenario.id, knob.name, magnitude(knob, knob.mild), magnitude(knob, knob.usual),
        magnitude(knob, knob.severe), magnitude(knob, at), f"{aim_name(each.held.aim)} of `{each.workload}`",
    )  # fmt: skip


def _held(scenario: Scenario) -> tuple[str, ...]:
    knob = scenario.magnitudes[0]
    range_told = (magnitude(knob, knob.mild), magnitude(knob, knob.usual), magnitude(knob, knob.severe))
    return (scenario.id, knob.name, *range_told, "–", "nothing")


def _message(found: Sequence[Weakest], whole: Sequence[Scenario]) -> str:
    if not found:
        return f"Nothing breaks over the whole range of {plural(len(whole), 'scenario')}."
    early = [each for each in found if _depth(each) <= depth(each.knob, each.knob.usual)]
    first = found[0]
    at = first.held.breaks_at
    assert at is not None  # only those that break are among the weakest
    nearest = (
        f"nearest is {first.scenario.id}: {aim_name(first.held.aim)} of {first.workload} breaks at "
        f"{first.knob.name} {magnitude(first.knob, at)}"
    )
    verb = "breaks" if len(early) == 1 else "break"
    return f"{plural(len(early), 'scenario')} {verb} something at or before the usual magnitude; {nearest}."


def _depth(each: Weakest) -> float:
    assert each.held.breaks_at is not None  # only those that break are among the weakest
    return depth(each.knob, each.held.breaks_at)


def _draw(found: Sequence[Weakest], whole: Sequence[Scenario], width: float) -> Markup:
    is_wide = width > 600
    across = Scale(low=0.0, high=1.0, start=_ROOM + 10 if is_wide else 0.0, end=width - 4)
    step = _ROW_WIDE if is_wide else _ROW_NARROW
    rows = [(each.scenario, _depth(each), _words(each)) for each in found]
    rows += [(each, 1.0, "holds") for each in whole]
    bars = [_bar(each, across, _TOP + step * row) for row, each in enumerate(rows)]
    height = _TOP + step * len(bars)
    ends = [
        label(across(0.0), 14, "mild", "tick"),
        label(across(1.0), 14, "severe", "tick", "end"),
    ]
    alt = "Distance to failure. " + "; ".join(f"{each.scenario.id}: {_words(each)}" for each in found)
    return canvas(width, height, alt, ends, bars)


def _words(each: Weakest) -> str:
    assert each.held.breaks_at is not None  # only those that break are among the weakest
    return f"{magnitude(each.knob, each.held.breaks_at)}: {aim_name(each.held.aim)} of {each.workload}"


def _bar(row: tuple[Scenario, float, str], across: Scale, top: float) -> Markup:
    scenario, broken, words = row
    knob = scenario.magnitudes[0]
    is_beside = across.start > 0
    bar_top = top + (8 if is_beside else 20)
    usual, width = across(depth(knob, knob.usual)), across.end - across.start
    name_room = _BOLD * ((across.start - 10) if is_beside else across.end)
    told = f"{words} ({knob.name} {magnitude(knob, knob.mild)} to {magnitude(knob, knob.severe)})"
    return join(
        label(0, top + (18 if is_beside else 14), scenario.title, "strong", room=name_room),
        el("rect", x=across.start, y=bar_top, width=width, height=_BAR, class_="pale-none"),
        el("rect", el("title", words), x=across.start, y=bar_top, width=across(broken) - across.start, height=_BAR,
           class_="fill-edge"),
        el("rect", el("title", f"usual: {magnitude(knob, knob.usual)}"), x=usual - 1, y=bar_top - 3, width=2,
           height=_BAR + 6, class_="order"),
        label(across.start, bar_top + _BAR + 13, told, "tiny soft", room=width),
    )  # fmt: skip
