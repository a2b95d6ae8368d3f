"""What does one unit of each activity cause to be paid? Prices of nodes, tokens, storage, ports and space.

Views (FOCUS): list before own prices, contracted after them, billed when invoiced, effective amortised. A
purchase is billed at once and effective over its life (amortisation and interest), never both in one view.
The capital of a node includes its share of fabric and spares. At rented sites power and space are inside
the node-hour price; only their carbon is counted, from the typical draw. `docs/concepts/cost.md` holds the formulas.
"""

from __future__ import annotations

from tripoint.domain.charge import ChargeKind, Rate
from tripoint.domain.link import Link
from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer
from tripoint.domain.site import ExpansionStep
from tripoint.domain.units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from tripoint.engines.costing.amortise import capital_cost, straight_line
from tripoint.engines.costing.energy import busy_kw, idle_kw, power, power_basis
from tripoint.engines.costing.transfer import StorageRate
from tripoint.engines.facts.figures import FinanceFigures, NodeFigures, SiteFigures

NODE = "node"
NODE_MONTH = "node-month"
NODE_HOUR = "node-hour"
STEP_MONTH = "step-month"


def owned_node_month(node: NodeFigures, gpus: int, site: SiteFigures, finance: FinanceFigures) -> tuple[Rate, ...]:
    """An owned node in service for an idle month: amortisation, interest, upkeep, staff, space, power."""
    return (
        _amortisation(node, finance),
        _interest(node, finance),
        *_running(node, gpus, site, finance),
    )


def owned_busy_hour(node: NodeFigures, site: SiteFigures, finance: FinanceFigures) -> tuple[Rate, ...]:
    """A node-hour of work on an owned node: the energy above its idle draw."""
    return (_energy(node, site, finance, (busy_kw(node, finance), 1.0, NODE_HOUR)),)


def owned_purchase(node: NodeFigures, finance: FinanceFigures) -> tuple[Rate, ...]:
    """Buying a node with its fabric and spares: billed once; its effective cost is the amortisation."""
    share = _capital_share(finance)
    return (
        Rate(
            kind=ChargeKind.PURCHASE,
            unit=NODE,
            list_usd=node.list_purchase_usd * share,
            contracted_usd=node.purchase_usd.value * share,
            billed_usd=node.purchase_usd.value * share,
            effective_usd=0.0,
            basis=_purchase_basis(node, finance),
        ),
    )


def held_node_month(
    node: NodeFigures, gpus: int, site: SiteFigures, finance: FinanceFigures, *, is_written_off: bool
) -> tuple[Rate, ...]:
    """A node owned before the horizon: its book value until written off, without interest, and its upkeep."""
    book = () if is_written_off else (_amortisation(node, finance),)
    return (*book, *_running(node, gpus, site, finance))


def committed_node_month(offer: Offer, node: NodeFigures, site: SiteFigures) -> tuple[Rate, ...]:
    """A committed node for a month, used or not."""
    return (_rented(offer, node, site, (HOURS_PER_MONTH, NODE_MONTH)),)


def elastic_node_hour(offer: Offer, node: NodeFigures, site: SiteFigures) -> tuple[Rate, ...]:
    """A node-hour on demand or on the spot market."""
    return (_rented(offer, node, site, (1.0, NODE_HOUR)),)


def api_mtok_in(offer: Offer, cached_share: float) -> tuple[Rate, ...]:
    """A million input tokens of an API, `cached_share` of them cached; vendors publish no carbon."""
    usd = offer.usd_in_per_mtok * (1.0 - cached_share) + offer.usd_cached_per_mtok * cached_share
    return (_api(offer, "Mtok in", usd),)


def api_mtok_out(offer: Offer) -> tuple[Rate, ...]:
    """A million output tokens of an API."""
    return (_api(offer, "Mtok out", offer.usd_out_per_mtok),)


def storage_gb_month(rate: StorageRate) -> tuple[Rate, ...]:
    """A GB kept for a month."""
    return (_plain(ChargeKind.STORAGE, "GB-month", rate.usd_per_gb_month, rate.basis),)


def retrieval_gb(rate: StorageRate) -> tuple[Rate, ...]:
    """A GB read back from a tier that charges for it."""
    return (_plain(ChargeKind.RETRIEVAL, "GB", rate.retrieval_usd_per_gb, rate.basis),)


def port_month(link: Link) -> tuple[Rate, ...]:
    """Ports, cross-connects and circuits of a link for a month."""
    return (_plain(ChargeKind.PORT, "link-month", link.port_usd_per_month, ()),)


def expansion_one_off(step: ExpansionStep) -> tuple[Rate, ...]:
    """Ordering an expansion step: billed once; its effective cost is the amortisation while it serves."""
    usd = step.one_off_usd
    return (
        Rate(
            kind=ChargeKind.EXPANSION,
            unit="step",
            list_usd=usd,
            contracted_usd=usd,
            billed_usd=usd,
            effective_usd=0.0,
        ),
    )


def expansion_month(step: ExpansionStep, finance: FinanceFigures) -> tuple[Rate, ...]:
    """A step in service for a month: its running cost, and straight line and interest over a facility's life.

    Building work has no resale value, so nothing is left at the end of that life.
    """
    running = _plain(ChargeKind.FACILITY, STEP_MONTH, step.usd_per_month, ())
    if step.one_off_usd == 0:
        return (running,)
    months, rate = finance.facility_years.value * MONTHS_PER_YEAR, finance.discount_rate
    life = (finance.facility_years.key,)
    own = straight_line(step.one_off_usd, 0.0, months)
    interest = capital_cost(step.one_off_usd, 0.0, months, rate.value)
    return (
        running,
        _unbilled(ChargeKind.AMORTISATION, STEP_MONTH, (own, own, own), life),
        _unbilled(ChargeKind.CAPITAL, STEP_MONTH, (0.0, 0.0, interest), (*life, rate.key)),
    )


def migration(usd: Figure) -> tuple[Rate, ...]:
    """One move of a workload to another site."""
    return (_plain(ChargeKind.MIGRATION, "move", usd.value, (usd.key,)),)


def contracted_kw_month(site: SiteFigures) -> tuple[Rate, ...]:
    """A kW under contract that no node occupies: nodes pay for their own, so charge the shortfall only."""
    colo = site.colo_usd_per_kw_month
    return (_plain(ChargeKind.FACILITY, "kW-month", colo.value, (colo.key,)),)


def _capital_share(finance: FinanceFigures) -> float:
    return 1.0 + finance.fabric_share.value + finance.spares_share.value


def _life_months(finance: FinanceFigures) -> float:
    return finance.amortisation_years.value * MONTHS_PER_YEAR


def _purchase_basis(node: NodeFigures, finance: FinanceFigures) -> tuple[str, ...]:
    return (node.purchase_usd.key, *node.basis, finance.fabric_share.key, finance.spares_share.key)


def _capital_basis(node: NodeFigures, finance: FinanceFigures) -> tuple[str, ...]:
    life = (finance.amortisation_years.key, finance.residual_share.key)
    return (*_purchase_basis(node, finance), *life)


def _amortisation(node: NodeFigures, finance: FinanceFigures) -> Rate:
    """Straight line at list and at own price; nothing is invoiced for it."""
    share, months = _capital_share(finance), _life_months(finance)
    kept = finance.residual_share.value

    def monthly(price: float) -> float:
        return straight_line(price * share, price * share * kept, months)

    own = monthly(node.purchase_usd.value)
    views = (monthly(node.list_purchase_usd), own, own)
    return _unbilled(ChargeKind.AMORTISATION, NODE_MONTH, views, _capital_basis(node, finance))


def _interest(node: NodeFigures, finance: FinanceFigures) -> Rate:
    """Cost of capital: effective only, for no vendor lists, contracts or invoices it."""
    price = node.purchase_usd.value * _capital_share(finance)
    residual = price * finance.residual_share.value
    usd = capital_cost(price, residual, _life_months(finance), finance.discount_rate.value)
    basis = (*_capital_basis(node, finance), finance.discount_rate.key)
    return _unbilled(ChargeKind.CAPITAL, NODE_MONTH, (0.0, 0.0, usd), basis)


def _running(node: NodeFigures, gpus: int, site: SiteFigures, finance: FinanceFigures) -> tuple[Rate, ...]:
    """What a node in service costs each month whoever paid for it: support, staff, space and idle power."""
    colo, per_fte, salary = site.colo_usd_per_kw_month, finance.gpus_per_fte, finance.staff_usd_per_fte_year
    support = finance.maintenance_share_per_year
    staff = gpus / per_fte.value * salary.value / MONTHS_PER_YEAR
    maintenance = node.purchase_usd.value * support.value / MONTHS_PER_YEAR
    support_basis = (node.purchase_usd.key, *node.basis, support.key)
    return (
        _plain(ChargeKind.MAINTENANCE, NODE_MONTH, maintenance, support_basis),
        _plain(ChargeKind.STAFF, NODE_MONTH, staff, (salary.key, per_fte.key)),
        _plain(ChargeKind.FACILITY, NODE_MONTH, node.max_kw.value * colo.value, (node.max_kw.key, colo.key)),
        _energy(node, site, finance, (idle_kw(node, finance), HOURS_PER_MONTH, NODE_MONTH)),
    )


def _energy(node: NodeFigures, site: SiteFigures, finance: FinanceFigures, load: tuple[float, float, str]) -> Rate:
    it_kw, hours, unit = load
    drawn = power(it_kw, hours, site)
    basis = (*power_basis(node, site), finance.idle_power_fraction.key)
    return _plain(ChargeKind.ENERGY, unit, drawn.usd, basis, carbon_kg=drawn.carbon_kg)


def _rented(offer: Offer, node: NodeFigures, site: SiteFigures, span: tuple[float, str]) -> Rate:
    hours, unit = span
    drawn = power(node.typical_kw.value, hours, site)
    return Rate(
        kind=ChargeKind.COMPUTE,
        unit=unit,
        list_usd=offer.list_usd * hours,
        contracted_usd=offer.price_usd * hours,
        billed_usd=offer.price_usd * hours,
        effective_usd=offer.price_usd * hours,
        carbon_kg=drawn.carbon_kg,
        basis=offer.basis,
    )


def _api(offer: Offer, unit: str, usd: float) -> Rate:
    """Discounts are uniform over an API's token prices, so list follows from the input price."""
    list_over_own = offer.list_usd / offer.price_usd if offer.price_usd > 0 else 1.0
    return Rate(
        kind=ChargeKind.API_TOKENS,
        unit=unit,
        list_usd=usd * list_over_own,
        contracted_usd=usd,
        billed_usd=usd,
        effective_usd=usd,
        basis=offer.basis,
    )


def _unbilled(kind: ChargeKind, unit: str, views: tuple[float, float, float], basis: tuple[str, ...]) -> Rate:
    """A rate nobody invoices, from its list, contracted and effective views."""
    listed, contracted, effective = views
    return Rate(
        kind=kind,
        unit=unit,
        list_usd=listed,
        contracted_usd=contracted,
        billed_usd=0.0,
        effective_usd=effective,
        basis=basis,
    )


def _plain(kind: ChargeKind, unit: str, usd: float, basis: tuple[str, ...], *, carbon_kg: float = 0.0) -> Rate:
    """A rate that is the same in all four views."""
    return Rate(
        kind=kind,
        unit=unit,
        list_usd=usd,
        contracted_usd=usd,
        billed_usd=usd,
        effective_usd=usd,
        carbon_kg=carbon_kg,
        basis=basis,
    )
