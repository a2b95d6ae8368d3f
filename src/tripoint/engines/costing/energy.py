"""What does the power of a node cost and emit? IT load x PUE x price, and x grid intensity for carbon.

    kWh at the meter = IT kW x hours x PUE            PUE = total over IT energy (ISO/IEC 30134-2)
    kgCO2e           = kWh x gCO2e per kWh / 1000     operational, location-based

A node draws its idle share of nameplate whenever it is on; work adds the difference to its typical draw.
"""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.units import GRAMS_PER_KG
from tripoint.engines.facts.figures import FinanceFigures, NodeFigures, SiteFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What the energy of a load over some hours comes to, with overhead, at the meter."""

    usd: float
    """Cost, USD."""
    carbon_kg: float
    """Emissions, kgCO2e."""


def power(it_kw: float, hours: float, site: SiteFigures) -> Power:
    """Cost and emissions of `it_kw` over `hours`."""
    kwh = it_kw * hours * site.pue.value
    return Power(
        usd=kwh * site.energy_usd_per_kwh.value,
        carbon_kg=kwh * site.gco2_per_kwh.value / GRAMS_PER_KG,
    )


def idle_kw(node: NodeFigures, finance: FinanceFigures) -> float:
    """Draw of a node that is on and does nothing, kW; never above its typical draw."""
    return min(node.max_kw.value * finance.idle_power_fraction.value, node.typical_kw.value)


def busy_kw(node: NodeFigures, finance: FinanceFigures) -> float:
    """What work adds to the idle draw, kW."""
    return node.typical_kw.value - idle_kw(node, finance)


def power_basis(node: NodeFigures, site: SiteFigures) -> tuple[str, ...]:
    """Keys of the figures energy rests on."""
    return (
        node.max_kw.key,
        node.typical_kw.key,
        site.pue.key,
        site.energy_usd_per_kwh.key,
        site.gco2_per_kwh.key,
    )
