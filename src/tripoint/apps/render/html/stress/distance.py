"""How far each scenario can be turned up before something breaks: a bar from mild to where it does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tripoint.apps.render.html.drawing.axes import legend
from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.sections import Section, figure
from tripoint.apps.render.html.drawing.svg import LETTER, Scale, all_widths, canvas, label
from tripoint.apps.render.html.drawing.tables import fallback
from tripoint.apps.render.html.stress.reading import Weakest, unbroken, weakest
from tripoint.apps.render.reading.amounts import plural
from tripoint.apps.render.stress.figures import aim_name, aim_of, magnitude, magnitudes, valued
from tripoint.domain.scenario import Scenario
from tripoint.domain.stress import StressReport
from tripoint.engines.stress.scenarios.knobs import position_of

_TOP, _BAR, _ROOM = 26.0, 12.0, 420.0
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
        "each bar from the mildest to the hardest value that was tried; the nearest to breaking first",
        legend([
            ("fill-edge", "every objective holds"), ("stress-broken", "✗ one breaks"), ("order", "the usual value"),
        ]),
        all_widths(partial(_draw, found)) if found else None,
        _whole(whole) if found else None,
        fallback(columns, rows),
        note="Trials are compared under the same draws, so that the edge is the scenario's and not chance's.",
    )  # fmt: skip
    return Section(id="distance", title="How far from breaking", message=_message(found, whole), body=body)


def _whole(whole: Sequence[Scenario]) -> Markup | None:
    """Those that have no edge, as a list: a bar would say nothing."""
    if not whole:
        return None
    summary = f"Nothing breaks up to the hardest value of {plural(len(whole), 'more scenario')}"
    named = [el("li", f"{each.title} ({magnitudes(each.magnitudes[0])})") for each in whole]
    return el("details", el("summary", summary), el("ul", named))


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
    early = [each for each in found if _depth(each) <= position_of(each.knob, each.knob.usual)]
    first = found[0]
    at = first.held.breaks_at
    assert at is not None  # only those that break are among the weakest
    nearest = (
        f"nearest is {first.scenario.id}: {aim_of(first.held.aim, first.workload)} breaks at {valued(first.knob, at)}"
    )
    if not early:
        return f"No scenario breaks anything at or before the usual value; {nearest}."
    verb = "breaks" if len(early) == 1 else "break"
    return f"{plural(len(early), 'scenario')} {verb} something at or before the usual value; {nearest}."


def _depth(each: Weakest) -> float:
    assert each.held.breaks_at is not None  # only those that break are among the weakest
    return position_of(each.knob, each.held.breaks_at)


def _draw(found: Sequence[Weakest], width: float) -> Markup:
    is_beside = width > 900
    longest = max(len(each.scenario.title) for each in found) * LETTER / _BOLD
    across = Scale(low=0.0, high=1.0, start=min(_ROOM, longest + 16) if is_beside else 0.0, end=width - 8)
    step = _ROW_WIDE if is_beside else _ROW_NARROW
    bars = [_bar(each, across, _TOP + step * row) for row, each in enumerate(found)]
    height = _TOP + step * len(bars)
    ends = [
        label(across(0.0), 14, "mildest", "tick"),
        label(across(1.0), 14, "hardest", "tick", "end"),
    ]
    alt = "Distance to failure. " + "; ".join(f"{each.scenario.id}: {_words(each)}" for each in found)
    return canvas(width, height, alt, ends, bars)


def _words(each: Weakest) -> str:
    assert each.held.breaks_at is not None  # only those that break are among the weakest
    return f"{magnitude(each.knob, each.held.breaks_at)}: {aim_of(each.held.aim, each.workload)}"


def _bar(each: Weakest, across: Scale, top: float) -> Markup:
    knob, words = each.knob, _words(each)
    tried = f" (tried {magnitudes(knob)})" if across.end > 500 else ""
    is_beside = across.start > 0
    y = top + (8 if is_beside else 20)
    edge, usual = across(_depth(each)), across(position_of(knob, knob.usual))
    name_room = _BOLD * ((across.start - 10) if is_beside else across.end)
    return join(
        label(0, top + (18 if is_beside else 14), each.scenario.title, "strong", room=name_room),
        el("rect", x=across.start, y=y, width=max(0.0, edge - across.start), height=_BAR, class_="fill-edge"),
        el("rect", el("title", f"breaks at {words}"), x=edge, y=y, width=max(0.0, across.end - edge), height=_BAR,
           class_="stress-broken"),
        el("rect", el("title", f"usual: {magnitude(knob, knob.usual)}"), x=usual - 1, y=y - 3, width=2,
           height=_BAR + 6, class_="order"),
        el("path", d=f"M{edge - 4:.1f},{y + 2} l8,8 m0,-8 l-8,8", class_="break-mark"),
        label(across.start, y + _BAR + 14, f"breaks at {words}{tried}", "tiny soft",
              room=across.end - across.start),
    )  # fmt: skip
