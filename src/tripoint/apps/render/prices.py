"""Price hits and assumptions as tables for people and as payloads for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from tripoint.apps.render.plan_text.layout import Sheet, table
from tripoint.engines.facts.prices.listings import Listing, ListingKind
from tripoint.usecases.prices import AssumptionRow, PriceHit

_COLUMNS = (
    ("what", "l"),
    ("provider", "l"),
    ("region", "l"),
    ("option", "l"),
    ("price", "r"),
    ("per GPU-h", "r"),
    ("as of", "l"),
    ("known", "l"),
    ("source", "f"),
)
_ASSUMED = (
    ("key", "l"),
    ("low", "r"),
    ("used", "r"),
    ("high", "r"),
    ("unit", "l"),
    ("as of", "l"),
    ("known", "l"),
    ("what it means", "f"),
)
_OTHER = {ListingKind.SYSTEM: " to {:,.0f}", ListingKind.API: " in, {:g} out"}


def render_price_table(hits: Sequence[PriceHit]) -> Sheet:
    """One row per price; a doubtful or old one says so in words beside its grade."""
    return table(_COLUMNS, (_price_cells(hit) for hit in hits))


def render_assumption_table(rows: Sequence[AssumptionRow]) -> Sheet:
    """One row per default with its range."""
    return table(_ASSUMED, (_assumption_cells(row) for row in rows))


def price_payload(hits: Sequence[PriceHit]) -> list[dict[str, Any]]:
    """The hits as plain values, for `--json`."""
    return [_payload(hit) for hit in hits]


def assumption_payload(rows: Sequence[AssumptionRow]) -> list[dict[str, Any]]:
    """The assumptions as plain values, for `--json`."""
    return [
        {
            "key": row.default.key,
            "low": row.default.low,
            "typical": row.default.typical,
            "high": row.default.high,
            "unit": row.default.unit,
            "note": row.default.note,
            "source": row.default.provenance.source,
            "as_of": row.default.provenance.as_of,
            "confidence": row.default.provenance.confidence.value,
            "is_stale": row.is_stale,
        }
        for row in rows
    ]


def _payload(hit: PriceHit) -> dict[str, Any]:
    listing = hit.listing
    return {
        "kind": listing.kind.value,
        "provider": listing.provider,
        "name": listing.name,
        "accelerator": listing.accelerator,
        "gpus": listing.gpus,
        "region": listing.region,
        "country": listing.country,
        "option": listing.option.value if listing.option else None,
        "term_months": listing.term_months,
        "usd": listing.usd,
        "usd_other": listing.usd_other,
        "unit": listing.unit,
        "usd_per_gpu_hour": listing.usd_per_gpu_hour,
        "note": listing.note,
        "source": listing.provenance.source,
        "as_of": listing.provenance.as_of,
        "confidence": listing.provenance.confidence.value,
        "is_stale": hit.is_stale,
    }


def _price_cells(hit: PriceHit) -> tuple[str | Text, ...]:
    listing = hit.listing
    return (
        listing.name,
        listing.provider,
        listing.region,
        _option(listing),
        _price(listing),
        "" if listing.usd_per_gpu_hour is None else f"{listing.usd_per_gpu_hour:,.2f}",
        listing.provenance.as_of,
        _known(listing.provenance.confidence.value, hit.is_stale),
        listing.provenance.source.replace(";", "; "),
    )


def _assumption_cells(row: AssumptionRow) -> tuple[str | Text, ...]:
    default = row.default
    known = _known(default.provenance.confidence.value, row.is_stale)
    numbers = (_number(default.low), _number(default.typical), _number(default.high))
    return (default.key, *numbers, default.unit, default.provenance.as_of, known, default.note)


def _option(listing: Listing) -> str:
    term = f" {listing.term_months} mo" if listing.term_months else ""
    return f"{listing.option.value.replace('_', ' ')}{term}" if listing.option else ""


def _price(listing: Listing) -> str:
    other = "" if listing.usd_other is None else _OTHER.get(listing.kind, "").format(listing.usd_other)
    usd = f"{listing.usd:,.2f}" if listing.kind is ListingKind.COMPUTE else _number(listing.usd)
    return f"{usd}{other} {listing.unit}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _known(confidence: str, is_stale: bool) -> Text:
    is_weak = confidence in ("recalled", "estimate")
    text = f"{confidence}, stale" if is_stale else confidence
    return Text(text, style="yellow" if is_weak or is_stale else "")
