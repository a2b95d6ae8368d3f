"""What is the list price of a node-hour? Rows of the catalogue, nearest first, then ratios to on-demand.

Order: the region's row, the provider's `global` row, a region of the same geography, for spot and
commitments the on-demand price times the provider's usual ratio, and last any other region of the
provider. A borrowed price is graded derived (same geography) or estimate (elsewhere), and its note names
the region it came from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tripoint.domain.catalog import Catalog, ComputePrice, PriceRatio
from tripoint.domain.provenance import Confidence, Figure, Provenance
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.facts.grades import at_best, origin_of, product
from tripoint.engines.facts.places import geo_of
from tripoint.engines.facts.pools import GLOBAL_REGION

UNIT = "USD/node-hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A price looked for."""

    provider: str
    """Provider, lower case."""
    sku: str
    """Node type."""
    region: str | None
    """Region; any when `None`."""
    geo: str
    """Geography of the place."""
    option: PurchaseOption
    """How it is bought."""
    term_months: int | None = None
    """12 or 36 for commitments."""

    @property
    def label(self) -> str:
        """`provider.sku.region.option[-term]`."""
        term = f"-{self.term_months}" if self.term_months else ""
        return f"{self.provider}.{self.sku}.{self.region or 'any'}.{self.option.value}{term}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price found, and the figures it rests on."""

    usd_per_hour: float
    """USD per node-hour."""
    figures: tuple[Figure, ...]
    """What it rests on."""

    @property
    def basis(self) -> tuple[str, ...]:
        """Keys of its figures."""
        return tuple(figure.key for figure in self.figures)


def list_price(catalog: Catalog, wanted: Wanted, on_demand: Price | None = None) -> Price | None:
    """List price of `wanted`; `on_demand` is what ratios apply to where the catalogue has no own row."""
    rows = [row for row in catalog.compute_prices if _is_row_of(row, wanted)]
    near = _exact(rows, wanted) or _same_geo(rows, wanted, catalog)
    return near or _by_ratio(catalog, wanted, on_demand) or _elsewhere(rows, wanted)


def _is_row_of(row: ComputePrice, wanted: Wanted) -> bool:
    return (
        row.provider.lower() == wanted.provider
        and row.sku == wanted.sku
        and row.option is wanted.option
        and (row.term_months == wanted.term_months or wanted.option is not PurchaseOption.COMMITTED)
    )


def _exact(rows: list[ComputePrice], wanted: Wanted) -> Price | None:
    for region in ((wanted.region or "").lower(), GLOBAL_REGION):
        row = next((row for row in rows if row.region.lower() == region), None)
        if row is not None:
            return _found(row, wanted, row.provenance, "")
    return None


def _same_geo(rows: list[ComputePrice], wanted: Wanted, catalog: Catalog) -> Price | None:
    near = [row for row in rows if wanted.geo and geo_of(f"{row.provider}:{row.region}", catalog) == wanted.geo]
    return _borrowed(near, wanted, Confidence.DERIVED)


def _elsewhere(rows: list[ComputePrice], wanted: Wanted) -> Price | None:
    return _borrowed(rows, wanted, Confidence.ESTIMATE)


def _borrowed(rows: list[ComputePrice], wanted: Wanted, grade: Confidence) -> Price | None:
    """The cheapest row is the base region's price as a rule; borrowing it is stated, never silent."""
    if not rows:
        return None
    row = min(rows, key=lambda row: (row.usd_per_hour, row.region))
    note = f"no price for {wanted.region or 'an undeclared region'}; that of {row.region} taken"
    return _found(row, wanted, at_best(row.provenance, grade), note)


def _found(row: ComputePrice, wanted: Wanted, provenance: Provenance, note: str) -> Price:
    key = f"price.{wanted.label}" if note else f"price.{replace(wanted, region=row.region.lower()).label}"
    figure = Figure(
        key=key,
        value=row.usd_per_hour,
        unit=UNIT,
        origin=origin_of(row.provenance),
        provenance=provenance,
        note=note,
    )
    return Price(usd_per_hour=row.usd_per_hour, figures=(figure,))


def _by_ratio(catalog: Catalog, wanted: Wanted, on_demand: Price | None) -> Price | None:
    row = _ratio_row(catalog, wanted)
    if row is None or on_demand is None:
        return None
    term = f"-{row.term_months}" if row.term_months else ""
    ratio = Figure(
        key=f"ratio.{row.provider.lower()}.{row.option.value}{term}",
        value=row.typical,
        unit="share of on-demand",
        origin=origin_of(row.provenance),
        low=row.low,
        high=row.high,
        provenance=row.provenance,
        note=f"usual ratio of {row.option.value.replace('_', ' ')} to on-demand",
    )
    base = on_demand.figures[-1]
    note = f"on-demand {on_demand.usd_per_hour:g} {UNIT} x ratio {row.typical:g}"
    priced = replace(base, value=on_demand.usd_per_hour)
    result = product(f"price.{wanted.label}", UNIT, (priced, ratio), note)
    return Price(usd_per_hour=result.value, figures=(*on_demand.figures, ratio, result))


def _ratio_row(catalog: Catalog, wanted: Wanted) -> PriceRatio | None:
    """The provider's row before `*`, the exact term before one for any term."""
    for provider in (wanted.provider, "*"):
        for term in (wanted.term_months, None):
            for row in catalog.price_ratios:
                if (row.provider.lower(), row.option, row.term_months) == (provider, wanted.option, term):
                    return row
    return None
