"""Drawing primitives: canvas, text with a known place, scales with round ticks, labels that keep apart.

Wide charts are drawn at three widths, for desktops, for tablets and print, and for phones, and style sheets choose;
so letters stay readable where a scaled picture would shrink them. Colours come from classes, never from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tripoint.apps.render.html.drawing.markup import Content, Markup, el, join

WIDE = 1040.0
MIDDLE = 700.0
NARROW = 358.0
CARD = 330.0
_PHONES = 600.0
"""Widest picture laid out for phones, px."""
LETTER = 6.6
"""Mean width of a letter at the charts' 12.5 px, px."""

Draw = Callable[[float], Markup]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Linear map from values to pixels."""

    low: float
    """Value at `start`."""
    high: float
    """Value at `end`."""
    start: float
    """Pixel of `low`."""
    end: float
    """Pixel of `high`."""

    def __call__(self, value: float) -> float:
        """Pixel of a value; an empty domain maps to `start`."""
        span = self.high - self.low
        return self.start if span == 0 else self.start + (value - self.low) / span * (self.end - self.start)


def is_roomy(width: float) -> bool:
    """True where a picture has room for words beside what they name; on phones they stand above it."""
    return width > _PHONES


def canvas(width: float, height: float, alt: str, *content: Content, class_: str = "") -> Markup:
    """One picture with its text alternative."""
    return el(
        "svg",
        *content,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        class_=f"chart {class_}".strip(),
        role="img",
        aria_label=alt,
        style=f"max-width:{width:.0f}px",
    )


def all_widths(draw: Draw) -> Markup:
    """The picture for wide screens, the one for tablets and print, the one for phones; one of them is displayed."""
    return join(
        el("div", draw(width), class_=name) for name, width in (("wide", WIDE), ("middle", MIDDLE), ("narrow", NARROW))
    )


def label(x: float, y: float, words: str, class_: str = "", anchor: str | None = None, room: float = 0) -> Markup:
    """Text at its base line; cut to `room` pixels where given, whole in the tooltip."""
    shown = cut(words, room) if room else words
    whole = el("title", words) if shown != words else None
    return el("text", shown, whole, x=x, y=y, class_=class_ or None, text_anchor=anchor)


def cut(words: str, room: float) -> str:
    """The words, shortened with an ellipsis when they are wider than `room` pixels."""
    most = max(1, int(room / LETTER))
    return words if len(words) <= most else words[: max(1, most - 1)].rstrip() + "…"


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round values covering `low` to `high`: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low if math.isfinite(low) else 0.0]
    rough = (high - low) / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    count = math.ceil(high / step - 1e-9) - first
    return [round((first + index) * step, 10) for index in range(count + 1)]


def keep_apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions near the wanted ones, at least `gap` apart and inside the limits where there is room."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    found = list(wanted)
    floor = low
    for index in order:
        found[index] = max(found[index], floor)
        floor = found[index] + gap
    ceiling = high
    for index in reversed(order):
        found[index] = min(found[index], ceiling)
        ceiling = found[index] - gap
    return found


def points(pairs: Sequence[tuple[float, float]]) -> str:
    """Coordinates of a polyline."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
