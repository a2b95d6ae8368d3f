"""Axes: horizontal rules with values, labels of periods, legends that show sign as well as colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.svg import Scale, label, ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The plot area of a chart, px."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Width, px."""
        return self.right - self.left


def value_scale(frame: Frame, high: float, wanted: int = 4) -> tuple[Scale, list[float]]:
    """A scale from 0 to a round value above `high`, and its ticks."""
    marks = ticks(0.0, high if high > 0 else 1.0, wanted)
    return Scale(low=0.0, high=marks[-1], start=frame.bottom, end=frame.top), marks


def value_axis(frame: Frame, scale: Scale, marks: Sequence[float], write: Callable[[float], str]) -> Markup:
    """Rules across the plot with their values to the left."""
    return join(
        [
            join(
                el("line", x1=frame.left, x2=frame.right, y1=scale(mark), y2=scale(mark), class_="rule"),
                label(frame.left - 7, scale(mark) + 4, write(mark), "tick", "end"),
            )
            for mark in marks
        ]
    )


def period_axis(frame: Frame, labels: Sequence[str], room: float = 46) -> Markup:
    """Labels under equal bands, as many as fit; `2027-Q1` loses its year where the year has just been said."""
    band = frame.width / max(1, len(labels))
    every = next((step for step in (1, 2, 3, 4, 6, 12) if band * step >= room), 24)
    return join(
        [
            label(frame.left + band * (index + 0.5), frame.bottom + 17, _short(labels, index, every), "tick", "middle")
            for index in range(0, len(labels), every)
        ]
    )


def value_ticks(
    frame: Frame, scale: Scale, marks: Sequence[float], write: Callable[[float], str], *, is_tight: bool = False
) -> Markup:
    """Values under a horizontal value axis; where it `is_tight`, a word may not reach beyond its right end."""
    return join([
        label(scale(mark), frame.bottom + 17, write(mark), "tick",
              "end" if is_tight and scale(mark) > frame.right - 1 else "middle")
        for mark in marks
    ])  # fmt: skip


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Swatches with their words; an entry is (class of the swatch, words)."""
    swatch = [
        el("li", el("svg", el("rect", width=18, height=12, class_=class_), class_="swatch", viewBox="0 0 18 12",
                    aria_hidden="true"), words)
        for class_, words in entries
    ]  # fmt: skip
    return el("ul", swatch, class_="legend")


def _short(labels: Sequence[str], index: int, every: int) -> str:
    year, _, rest = labels[index].partition("-")
    before = labels[index - every].partition("-")[0] if index >= every else ""
    return rest if rest and year == before else f"{rest} ’{year[2:]}" if rest else year
