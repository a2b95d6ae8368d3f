"""What classes the parts of a picture carry; hues are in `report.css`, signs that do not need hue are here.

Hues follow the colour-blind-safe set of Okabe and Ito (2008), lightened for dark paper. Capacity that is owned is
filled, committed is striped, elastic is dotted; lines differ in dash and marker as well as hue.
"""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.reading.money import LAYERS
from tripoint.apps.render.reading.residence import TENURES

LAYER_NAMES = {"public": "Public cloud", "dense": "Dense GPU sites", "edge": "Edge"}
LAYER_SHORT = {"public": "Public", "dense": "Dense", "edge": "Edge"}
LAYER_SPOKEN = {"public": "public cloud", "dense": "dense GPU sites", "edge": "the edge"}
TENURE_NAMES = {"owned": "owned", "committed": "committed", "elastic": "elastic (on demand, spot, tokens)"}
LINE_CLASSES = {"plan": "l0", "today": "l1", "on_demand": "l2", "committed": "l3", "private": "l4"}


def layer_class(layer: str) -> str:
    """Class of a layer's fill."""
    return f"fill-{layer}" if layer in LAYERS else "fill-none"


def tenure_class(layer: str, tenure: str) -> str:
    """Class of a layer's fill under a tenure's pattern."""
    return f"{tenure}-{layer}" if layer in LAYERS and tenure in TENURES else "fill-none"


def rank_class(rank: int) -> str:
    """Class of the n-th series where series have no meaning of their own."""
    return f"c{rank % 8}"


def layer_name(layer: str) -> str:
    """A layer's name in full."""
    return LAYER_NAMES.get(layer, layer or "unknown")


def spoken_layer(layer: str) -> str:
    """A layer inside a sentence."""
    return LAYER_SPOKEN.get(layer, layer or "an unknown layer")


def definitions() -> Markup:
    """Patterns and arrow heads, defined once for all pictures of the page."""
    patterns = [join(_stripes(layer), _dots(layer)) for layer in (*LAYERS, "none")]
    return el("svg", el("defs", patterns, _arrow()), width=0, height=0, class_="definitions", aria_hidden="true")


def _stripes(layer: str) -> Markup:
    tile = [
        el("rect", width=6, height=6, class_=f"pale-{layer}"),
        el("rect", width=3, height=6, class_=f"fill-{layer}"),
    ]
    return el(
        "pattern", tile, id=f"stripes-{layer}", width=6, height=6, patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )  # fmt: skip


def _dots(layer: str) -> Markup:
    tile = [
        el("rect", width=6, height=6, class_=f"pale-{layer}"),
        el("circle", cx=3, cy=3, r=1.2, class_=f"fill-{layer}"),
    ]
    return el("pattern", tile, id=f"dots-{layer}", width=6, height=6, patternUnits="userSpaceOnUse")


def _arrow() -> Markup:
    return el(
        "marker", el("path", d="M0,0 L8,4 L0,8 z", class_="arrow"), id="arrow", viewBox="0 0 8 8", refX=7, refY=4,
        markerWidth=9, markerHeight=9, markerUnits="userSpaceOnUse", orient="auto",
    )  # fmt: skip
