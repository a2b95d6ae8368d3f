"""What does a node draw and cost, what does a site charge for power and space, what does capital cost?

Order everywhere: what the estate declares, then the most specific catalogue row, then a default. A figure
taken straight from a row is keyed by the row, so that all money resting on one row adds up; one that had
to be derived or borrowed for a place is keyed by that place and says so in its note."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from tripoint.domain.catalog import Catalog, ElectricityRow
from tripoint.domain.estate import Estate
from tripoint.domain.hardware import NodeType
from tripoint.domain.provenance import Confidence, Figure, Origin, Provenance
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.site import Site, SiteKind
from tripoint.engines.facts.defaults import default_figure, first_default, has_default
from tripoint.engines.facts.grades import at_best, origin_of, product
from tripoint.engines.facts.own_prices import Subject, best_line
from tripoint.engines.facts.places import (
    NORDICS,
    country_of,
    geo_of,
    jurisdiction_of,
    provider_of,
    region_row,
)
from tripoint.engines.facts.pools import PoolSpec

_WATTS_PER_KW = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFigures:
    """A node's price and draw."""

    purchase_usd: Figure
    """Own purchase price of one node, USD; 0 where no price is known (no owned offer exists then)."""
    max_kw: Figure
    """Nameplate draw, kW."""
    typical_kw: Figure
    """Draw under a typical AI load, kW."""
    list_purchase_usd: float = 0.0
    """List price of one node before own discounts, USD."""
    basis: tuple[str, ...] = ()
    """Keys of further figures the purchase price rests on."""
    extras: tuple[Figure, ...] = ()
    """Those figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFigures:
    """What power and space cost at a site, and how clean the power is."""

    pue: Figure
    """Power usage effectiveness, total over IT energy."""
    energy_usd_per_kwh: Figure
    """Energy price, USD per kWh; inside the node-hour price at rented sites."""
    gco2_per_kwh: Figure
    """Carbon intensity of the supply, gCO2e per kWh."""
    colo_usd_per_kw_month: Figure
    """Space-and-power price per kW of IT load and month, USD; inside the node-hour price at rented sites."""
    country: str | None = None
    """Country, alpha-2."""
    jurisdiction: str | None = None
    """Country whose law reaches the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinanceFigures:
    """Rates that turn a purchase into a monthly cost."""

    discount_rate: Figure
    """Cost of capital per year."""
    amortisation_years: Figure
    """Life of owned nodes, years."""
    residual_share: Figure
    """Value left at the end of it, share of the purchase."""
    maintenance_share_per_year: Figure
    """Vendor support per year, share of the node's price."""
    staff_usd_per_fte_year: Figure
    """Loaded cost of one engineer, USD per year."""
    gpus_per_fte: Figure
    """Accelerators one engineer runs."""
    fabric_share: Figure
    """Network fabric bought with nodes, share of their price."""
    spares_share: Figure
    """Cold spares bought with nodes, share of their price."""
    idle_power_fraction: Figure
    """Draw of an idle node, share of its nameplate."""
    facility_years: Figure
    """Life of what is built at a site (feeds, cooling, fit-out), years."""


def node_figures(pool: PoolSpec, catalog: Catalog, overrides: Mapping[str, float]) -> NodeFigures:
    """Price and draw of one node of `pool`."""
    max_kw = _max_kw(pool.node, catalog, overrides)
    listed = _list_purchase(pool)
    own = best_line(pool.own_prices, _purchase_subject(pool))
    purchase = listed
    extras: tuple[Figure, ...] = ()
    discount = own.line.discount if own is not None and pool.declared.purchase_usd is None else None
    if own is not None and discount is not None and listed.value > 0:
        purchase, extras = _discounted(pool, listed, discount), (listed, own.figure())
    return NodeFigures(
        purchase_usd=purchase,
        max_kw=max_kw,
        typical_kw=_typical_kw(pool.node, max_kw, catalog, overrides),
        list_purchase_usd=listed.value,
        basis=tuple(figure.key for figure in extras),
        extras=extras,
    )


def site_figures(site: Site, catalog: Catalog, overrides: Mapping[str, float]) -> SiteFigures:
    """Power, space and carbon figures of `site`."""
    return SiteFigures(
        pue=_pue(site, catalog, overrides),
        energy_usd_per_kwh=_energy(site, catalog),
        gco2_per_kwh=_carbon(site, catalog),
        colo_usd_per_kw_month=_colo(site, catalog, overrides),
        country=country_of(site, catalog),
        jurisdiction=jurisdiction_of(site, catalog),
    )


def finance_figures(estate: Estate, catalog: Catalog) -> FinanceFigures:
    """Finance figures of the estate, declared ones first."""
    finance = estate.finance

    def pick(name: str, declared: float | None, unit: str) -> Figure:
        if declared is not None:
            return Figure(key=f"finance.{name}", value=declared, unit=unit, origin=Origin.DECLARED)
        return default_figure(catalog, estate.assumptions, f"finance.{name}")

    return FinanceFigures(
        discount_rate=pick("discount_rate", finance.discount_rate, "1/year"),
        amortisation_years=pick("amortisation_years", finance.amortisation_years, "years"),
        residual_share=pick("residual_share", finance.residual_share, "share"),
        maintenance_share_per_year=pick("maintenance_share_per_year", finance.maintenance_share_per_year, "share/year"),
        staff_usd_per_fte_year=pick("staff_usd_per_fte_year", finance.staff_usd_per_fte_year, "USD/year"),
        gpus_per_fte=pick("gpus_per_fte", finance.gpus_per_fte, "accelerators"),
        fabric_share=pick("fabric_share", None, "share"),
        spares_share=pick("spares_share", None, "share"),
        idle_power_fraction=default_figure(catalog, estate.assumptions, "power.idle_fraction"),
        facility_years=default_figure(catalog, estate.assumptions, "finance.facility_amortisation_years"),
    )


def _purchase_subject(pool: PoolSpec) -> Subject:
    return Subject(
        provider=provider_of(pool.site),
        skus=(pool.node.id,),
        region=pool.site.region,
        option=PurchaseOption.OWNED,
    )


def _list_purchase(pool: PoolSpec) -> Figure:
    """Declared price, else the middle of the catalogue's range."""
    node, declared = pool.node, pool.declared.purchase_usd
    if declared is not None:
        key = f"site.{pool.site.id}.{node.id}.purchase_usd"
        return Figure(key=key, value=declared, unit="USD/node", origin=Origin.DECLARED)
    ends = [end for end in (node.purchase_usd_low, node.purchase_usd_high) if end is not None]
    return Figure(
        key=f"node.{node.id}.purchase_usd",
        value=sum(ends) / len(ends) if ends else 0.0,
        unit="USD/node",
        origin=origin_of(node.provenance) if ends else Origin.DEFAULT,
        low=min(ends, default=None),
        high=max(ends, default=None),
        provenance=node.provenance if ends else None,
        note="middle of the price range" if len(ends) > 1 else ("" if ends else "no purchase price known"),
    )


def _discounted(pool: PoolSpec, listed: Figure, discount: float) -> Figure:
    kept = 1.0 - discount
    return Figure(
        key=f"site.{pool.site.id}.{pool.node.id}.purchase_usd",
        value=listed.value * kept,
        unit=listed.unit,
        origin=Origin.DECLARED,
        low=None if listed.low is None else listed.low * kept,
        high=None if listed.high is None else listed.high * kept,
        provenance=listed.provenance,
        note=f"list {listed.value:,.0f} USD less own discount of {discount:.1%}",
    )


def _max_kw(node: NodeType, catalog: Catalog, overrides: Mapping[str, float]) -> Figure:
    key = f"node.{node.id}.max_kw"
    origin = origin_of(node.provenance)
    if node.max_kw is not None:
        return Figure(key=key, value=node.max_kw, unit="kW", origin=origin, provenance=node.provenance)
    if node.typical_kw is not None:
        load = default_figure(catalog, overrides, "power.inference_load")
        note = f"typical {node.typical_kw:g} kW over a load of {load.value:g} of nameplate"
        return _estimated(key, node.typical_kw / load.value, "kW", node.provenance, note)
    chip = next((chip for chip in catalog.accelerators if chip.id == node.accelerator), None)
    watts = chip.tdp_w if chip is not None and chip.tdp_w is not None else 0.0
    factor = default_figure(catalog, overrides, "power.node_per_tdp")
    value = node.gpus * watts / _WATTS_PER_KW * factor.value
    note = f"{node.gpus} x {watts:g} W of `{node.accelerator}` x {factor.value:g} for the host, fans and losses"
    return _estimated(key, value, "kW", chip.provenance if chip else None, note)


def _typical_kw(node: NodeType, max_kw: Figure, catalog: Catalog, overrides: Mapping[str, float]) -> Figure:
    key = f"node.{node.id}.typical_kw"
    if node.typical_kw is not None:
        origin = origin_of(node.provenance)
        return Figure(key=key, value=node.typical_kw, unit="kW", origin=origin, provenance=node.provenance)
    load = default_figure(catalog, overrides, "power.inference_load")
    note = f"{max_kw.value:g} kW nameplate x typical load {load.value:g}"
    return product(key, "kW", (max_kw, load), note)


def _pue(site: Site, catalog: Catalog, overrides: Mapping[str, float]) -> Figure:
    declared = site.power.pue if site.power else None
    if declared is not None:
        return _of_site(site, "pue", declared, "ratio")
    if site.kind.is_rented:
        return first_default(catalog, overrides, f"pue.cloud.{provider_of(site)}", "pue.cloud")
    return default_figure(catalog, overrides, f"pue.{site.kind.value}")


def _energy(site: Site, catalog: Catalog) -> Figure:
    declared = site.power.energy_usd_per_kwh if site.power else None
    if declared is not None:
        return _of_site(site, "energy_usd_per_kwh", declared, "USD/kWh")
    row = _electricity(site, catalog)
    if row is None:
        return _middle(site, catalog, "energy_usd_per_kwh", "USD/kWh", lambda row: row.typical)
    return Figure(
        key=f"electricity.{row.region}.usd_per_kwh",
        value=row.typical,
        unit="USD/kWh",
        origin=origin_of(row.provenance),
        low=row.low,
        high=row.high,
        provenance=row.provenance,
        note=f"business tariff of {row.region}",
    )


def _carbon(site: Site, catalog: Catalog) -> Figure:
    declared = site.power.grid_gco2_per_kwh if site.power else None
    if declared is not None:
        return _of_site(site, "gco2_per_kwh", declared, "gCO2e/kWh")
    region = region_row(catalog, site.provider, site.region)
    if region is not None and region.gco2_per_kwh is not None:
        key = f"region.{region.provider}.{region.region}.gco2_per_kwh"
        return _grid_figure(key, region.gco2_per_kwh, region.provenance, f"grid of {region.city or region.country}")
    row = _electricity(site, catalog)
    if row is None or row.gco2_per_kwh is None:
        return _middle(site, catalog, "gco2_per_kwh", "gCO2e/kWh", lambda row: row.gco2_per_kwh)
    return _grid_figure(
        f"electricity.{row.region}.gco2_per_kwh", row.gco2_per_kwh, row.provenance, f"grid of {row.region}"
    )


def _colo(site: Site, catalog: Catalog, overrides: Mapping[str, float]) -> Figure:
    """Declared, else own space at own premises, else the US colocation price x region x cooling density."""
    declared = site.power.colo_usd_per_kw_month if site.power else None
    if declared is not None:
        return _of_site(site, "colo_usd_per_kw_month", declared, "USD/kW-month")
    own_space = "colo.own_space_usd_per_kw_month"
    if site.kind in (SiteKind.ON_PREM, SiteKind.EDGE) and has_default(catalog, own_space):
        return default_figure(catalog, overrides, own_space)
    base = default_figure(catalog, overrides, "colo.usd_per_kw_month")
    market = "nordics" if country_of(site, catalog) in NORDICS else geo_of(site, catalog)
    cooling = site.power.cooling.value if site.power and site.power.cooling else ""
    premiums = {f"colo.multiplier.{market}": market, f"colo.density_multiplier.{cooling}": cooling}
    known = {key: name for key, name in premiums.items() if has_default(catalog, key)}
    if not known:
        return base
    factors = [default_figure(catalog, overrides, key) for key in known]
    steps = "".join(f" x {factor.value:g} ({name})" for factor, name in zip(factors, known.values(), strict=True))
    key = ".".join(("colo", *known.values(), "usd_per_kw_month"))
    return product(key, "USD/kW-month", (base, *factors), f"{base.value:g} USD/kW-month in the US{steps}")


def _electricity(site: Site, catalog: Catalog) -> ElectricityRow | None:
    """Most specific row: the state a site names as its region, the country, the geography's average."""
    rows = {row.region.upper(): row for row in catalog.electricity}
    places = (site.region, country_of(site, catalog), geo_of(site, catalog))
    return next((rows[place.upper()] for place in places if place and place.upper() in rows), None)


def _middle(
    site: Site, catalog: Catalog, name: str, unit: str, read: Callable[[ElectricityRow], float | None]
) -> Figure:
    """Median over all countries of the catalogue, for a place it does not know."""
    values = sorted(value for value in map(read, catalog.electricity) if value is not None)
    place = country_of(site, catalog) or "an undeclared country"
    return Figure(
        key=f"site.{site.id}.{name}",
        value=median(values) if values else 0.0,
        unit=unit,
        origin=Origin.DEFAULT,
        low=values[0] if values else None,
        high=values[-1] if values else None,
        note=f"the catalogue has no row for {place}: median of its {len(values)} places",
    )


def _of_site(site: Site, name: str, value: float, unit: str) -> Figure:
    return Figure(key=f"site.{site.id}.{name}", value=value, unit=unit, origin=Origin.DECLARED)


def _grid_figure(key: str, value: float, provenance: Provenance, note: str) -> Figure:
    origin = origin_of(provenance)
    return Figure(key=key, value=value, unit="gCO2e/kWh", origin=origin, provenance=provenance, note=note)


def _estimated(key: str, value: float, unit: str, provenance: Provenance | None, note: str) -> Figure:
    graded = at_best(provenance, Confidence.ESTIMATE) if provenance else None
    return Figure(key=key, value=value, unit=unit, origin=Origin.DEFAULT, provenance=graded, note=note)
