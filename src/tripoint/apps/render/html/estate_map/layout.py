"""Where the map's nodes stand: callers to the left (above on phones), one band per layer, costliest sites first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tripoint.apps.render.html.drawing.svg import is_roomy
from tripoint.apps.render.html.estate_map.flows import biggest
from tripoint.apps.render.reading.money import LAYERS
from tripoint.domain.plan import Plan, SiteSummary

_MOST_SITES = 12
_MOST_CALLERS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A place on the map."""

    name: str
    """Words under it."""
    layer: str
    """Layer; empty for callers."""
    x: float
    """Centre, px."""
    y: float
    """Centre, px."""
    radius: float
    """Radius, px; 0 for callers."""
    reach: float
    """Room for words (sites) or half the width (callers), px."""
    cost_usd: float = 0.0
    """Effective cost, USD."""
    count: int = 1
    """Identical sites it stands for."""
    gpus: float = 0.0
    """Accelerators in use at the end."""

    def edge_towards(self, other: Node) -> tuple[float, float]:
        """Where a ribbon to `other` leaves the node."""
        if self.radius == 0:
            if abs(other.y - self.y) > 3 * abs(other.x - self.x):
                return self.x, self.y + math.copysign(13, other.y - self.y)
            return self.x + math.copysign(self.reach, other.x - self.x), self.y
        distance = math.hypot(other.x - self.x, other.y - self.y) or 1.0
        return (
            self.x + (other.x - self.x) / distance * (self.radius + 3),
            self.y + (other.y - self.y) / distance * (self.radius + 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All places of one drawing."""

    sites: tuple[Node, ...]
    """Sites."""
    callers: tuple[Node, ...]
    """Callers' places that are not sites."""
    places: dict[str, Node]
    """Node by the name transfers use."""
    bands: dict[str, tuple[float, float, float, float]]
    """[layer] top, height, left, width."""
    height: float
    """Height of the drawing, px."""
    is_wide: bool
    """True for the desktop drawing."""


def lay_out(plan: Plan, width: float) -> Layout:
    """Places for a drawing of this width."""
    is_wide = is_roomy(width)
    names = _caller_names(plan)
    left = 150.0 if is_wide and names else 0.0
    top = 0.0 if is_wide or not names else 34.0 * math.ceil(len(names) / 3) + 44
    sites, places, bands = _bands(plan, left, top, width)
    bottom = max((band[0] + band[1] for band in bands.values()), default=top)
    callers = _callers(names, width, bottom, is_wide)
    places.update({node.name: node for node in callers})
    return Layout(sites=tuple(sites), callers=callers, places=places, bands=bands, height=bottom + 4, is_wide=is_wide)


def _caller_names(plan: Plan) -> list[str]:
    known = {site.id for site in plan.sites}
    names = [flow.source for flow in biggest(plan) if flow.source not in known]
    return list(dict.fromkeys(names))[:_MOST_CALLERS]


def _callers(names: Sequence[str], width: float, height: float, is_wide: bool) -> tuple[Node, ...]:
    if is_wide:
        step = height / max(1, len(names))
        return tuple(
            Node(name=name, layer="", x=56, y=step * (index + 0.5), radius=0, reach=54)
            for index, name in enumerate(names)
        )
    cell = width / 3
    return tuple(
        Node(name=name, layer="", x=cell * (index % 3 + 0.5), y=20 + 34 * (index // 3), radius=0, reach=cell / 2 - 5)
        for index, name in enumerate(names)
    )


def _bands(
    plan: Plan, left: float, top: float, width: float
) -> tuple[list[Node], dict[str, Node], dict[str, tuple[float, float, float, float]]]:
    is_wide = is_roomy(width)
    biggest_radius = 44.0 if is_wide else 24.0
    most = max((site.cost_usd for site in plan.sites), default=0.0) or 1.0
    nodes: list[Node] = []
    places: dict[str, Node] = {}
    bands: dict[str, tuple[float, float, float, float]] = {}
    for layer in LAYERS:
        here = sorted((site for site in plan.sites if site.layer == layer), key=lambda site: -site.cost_usd)
        if not here:
            continue
        shown, rest = (here, []) if len(here) <= _MOST_SITES else (here[: _MOST_SITES - 1], here[_MOST_SITES - 1 :])
        per_row = min(len(shown) + bool(rest), 6 if is_wide else 2)
        shift = (len(bands) - 1) * 0.16 if per_row <= 3 else 0.0
        cell, row_height = (width - left - 24) / per_row, 2 * biggest_radius + 66
        for index, site in enumerate([*shown, *([_merged(rest)] if rest else [])]):
            node = Node(
                name=site.id, layer=layer, x=left + 12 + cell * (index % per_row + 0.5 + shift),
                y=top + 44 + biggest_radius + row_height * (index // per_row),
                radius=max(7.0, biggest_radius * math.sqrt(max(0.0, site.cost_usd) / most)), reach=cell - 8,
                cost_usd=site.cost_usd, count=site.count, gpus=site.gpus_last,
            )  # fmt: skip
            nodes.append(node)
            places[site.id] = node
        places.update({site.id: nodes[-1] for site in rest})
        rows = math.ceil((len(shown) + bool(rest)) / per_row)
        bands[layer] = (top, 34 + row_height * rows, left, width - left)
        top += 34 + row_height * rows + 14
    return nodes, places, bands


def _merged(sites: Sequence[SiteSummary]) -> SiteSummary:
    """One node for the many small sites of a layer."""
    count = sum(site.count for site in sites)
    return SiteSummary(
        id=f"{len(sites)} more", kind="", layer=sites[0].layer, provider="", country="", count=count,
        cost_usd=sum(site.cost_usd for site in sites), gpus_last=sum(site.gpus_last for site in sites),
    )  # fmt: skip
