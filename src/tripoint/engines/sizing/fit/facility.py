"""Can a site's hall take a node at all: its cooling class, its draw in one rack, its draw on the feed?

Rented sites are the provider's concern. Where a dense or edge site declares no cooling class it has room air;
where it declares no rack density, its cooling class carries the catalogue's typical figure. How many nodes
fit is the placement's question; this one only asks whether one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.fit import RefusalReason
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.facts.figures import node_figures
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.sizing.verdict import Verdict

ASSUMED_COOLING = CoolingClass.AIR


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityAnswer:
    """Whether a node can be housed, and the figures that decided."""

    verdict: Verdict | None
    """Why not; `None` when it can."""
    figures: tuple[Figure, ...] = ()
    """Figures looked at."""


def housed(pool: PoolSpec, catalog: Catalog, overrides: Mapping[str, float]) -> FacilityAnswer:
    """Whether the pool's site can house one of its nodes."""
    site = pool.site
    if site.kind.is_rented:
        return FacilityAnswer(verdict=None)
    power = site.power or PowerEnvelope()
    cooling = power.cooling or ASSUMED_COOLING
    draw = node_figures(pool, catalog, overrides).max_kw
    density = rack_density(site, cooling, catalog, overrides)
    verdict = (
        _cooled(pool, power, cooling) or _dense_enough(pool, draw.value, density) or _powered(pool, power, draw.value)
    )
    return FacilityAnswer(verdict=verdict, figures=(draw, density))


def rack_density(site: Site, cooling: CoolingClass, catalog: Catalog, overrides: Mapping[str, float]) -> Figure:
    """IT load one rack may hold, kW: declared, else typical for the cooling class."""
    declared = site.power.rack_density_kw if site.power is not None else None
    if declared is not None:
        key = f"site.{site.id}.rack_density_kw"
        return Figure(key=key, value=declared, unit="kW/rack", origin=Origin.DECLARED)
    return default_figure(catalog, overrides, f"rack.density.{cooling.value}")


def _cooled(pool: PoolSpec, power: PowerEnvelope, cooling: CoolingClass) -> Verdict | None:
    if pool.node.cooling.rank <= cooling.rank:
        return None
    assumed = "" if power.cooling is not None else " (assumed: `power.cooling` is not declared)"
    text = (
        f"`{pool.node.id}` needs {pool.node.cooling.value} cooling; `{pool.site.id}` has {cooling.value}{assumed}; "
        f"fit out {pool.node.cooling.value} or choose a node that {cooling.value} can cool"
    )
    return Verdict(reason=RefusalReason.COOLING, text=text)


def _dense_enough(pool: PoolSpec, draw_kw: float, density: Figure) -> Verdict | None:
    if draw_kw <= density.value:
        return None
    text = (
        f"`{pool.node.id}` draws up to {draw_kw:g} kW; a rack at `{pool.site.id}` may hold {density.value:g} kW; "
        f"raise `power.rack_density_kw` with the cooling to match"
    )
    return Verdict(reason=RefusalReason.RACK_DENSITY, text=text, actual=draw_kw, limit=density.value, unit="kW/rack")


def _powered(pool: PoolSpec, power: PowerEnvelope, draw_kw: float) -> Verdict | None:
    if power.it_kw is None:
        return None
    growth = sum(step.adds_kw for step in pool.site.expansion)
    limit = power.it_kw + growth
    if draw_kw <= limit:
        return None
    text = (
        f"`{pool.node.id}` draws up to {draw_kw:g} kW; `{pool.site.id}` has {power.it_kw:g} kW"
        f"{f' and {growth:g} kW to expand into' if growth else ''}; declare a larger envelope or an expansion step"
    )
    return Verdict(reason=RefusalReason.POWER, text=text, actual=draw_kw, limit=limit, unit="kW")
