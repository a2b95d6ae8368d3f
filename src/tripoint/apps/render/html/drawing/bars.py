"""Bars made of parts that stand on each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.html.drawing.svg import Scale

_THINNEST = 0.05
"""Height below which a part is not drawn, px."""


class Part(NamedTuple):
    """One part of a bar."""

    amount: float
    """Its height, in units of the scale."""
    class_: str
    """Its fill."""
    words: str
    """What the tooltip says."""


def stacked(parts: Iterable[Part], scale: Scale, x: float, width: float) -> Markup:
    """The parts from the bottom up, `x` and `width` of the bar in px."""
    below, drawn = 0.0, []
    for part in parts:
        top, bottom = scale(below + part.amount), scale(below)
        if bottom - top > _THINNEST:
            title = el("title", part.words)
            drawn.append(el("rect", title, x=x, y=top, width=width, height=bottom - top, class_=f"{part.class_} seam"))
        below += part.amount
    return join(drawn)
