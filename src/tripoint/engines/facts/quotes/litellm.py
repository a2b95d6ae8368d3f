"""Entries of a LiteLLM price map as lines of a price sheet: token prices of the API models the catalogue knows.

The map names a model with or without its provider; both spellings are held against the catalogue's ids, exactly.
Prices of more than tokens (images, audio, searches) and of tiers are not what the planner counts; they are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from tripoint.domain.catalog import ApiPrice, Catalog
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import ImportedSheet, MapEntry, Taken
from tripoint.engines.facts.quotes.numbers import read_price, rounded
from tripoint.engines.facts.quotes.tally import Tally

IN: Final = "input_cost_per_token"
OUT: Final = "output_cost_per_token"
CACHED: Final = "cache_read_input_token_cost"
SAMPLE: Final = "sample_spec"
"""The entry by which the map describes itself."""
_TOKEN_MODES: Final = ("chat", "completion", "responses", "embedding")
_MTOK: Final = Decimal(1_000_000)


def take_price_map(entries: Iterable[MapEntry], catalog: Catalog) -> ImportedSheet:
    """Token prices per API model; each entry counts as one price."""
    tally = Tally()
    known = {row.id: row for row in catalog.api_prices}
    taken: dict[str, Taken] = {}
    for entry in entries:
        tally.read += 1
        row = known.get(entry.name) or known.get(_full_name(entry))
        reason = _why_not(entry, row) or ("another entry is the same model" if row and row.id in taken else "")
        if reason or row is None or entry.fields is None:
            tally.drop(reason, entry.place, _told(entry))
        else:
            taken[row.id] = Taken(_line(row, entry.fields), 1, entry.place, _tiers(entry.fields))
    return tally.sheet(list(taken.values()), [])


def _full_name(entry: MapEntry) -> str:
    provider = (entry.fields or {}).get("litellm_provider", "")
    return f"{provider}/{entry.name}"


def _why_not(entry: MapEntry, row: ApiPrice | None) -> str:
    """Why the entry gives no line; empty when it does."""
    fields = entry.fields
    if entry.name == SAMPLE:
        return "it is the sample by which the map describes itself"
    if fields is None:
        return "the entry is not an object"
    if entry.is_repeated:
        return "the map has an entry of that name already"
    mode = fields.get("mode", "")
    if mode and mode not in _TOKEN_MODES:
        return f"it is not priced by text tokens alone: mode `{mode}`"
    if row is None:
        return "the catalogue of tripoint knows no such API model"
    is_embedding = row.mode == "embedding"
    wrong = [name for name in (IN, OUT, CACHED) if name in fields and not _is_price(fields[name])]
    if wrong:
        return f"`{wrong[0]}` is not a price"
    missing = [name for name in ((IN,) if is_embedding else (IN, OUT)) if name not in fields]
    if missing:
        return f"`{missing[0]}` is not given"
    return "both prices are 0" if _usd(fields, IN) == 0 and _usd(fields, OUT) == 0 else ""


def _is_price(text: str) -> bool:
    price = read_price(text)
    return price is not None and price >= 0


def _usd(fields: Mapping[str, str], name: str) -> Decimal:
    """USD per million tokens."""
    return (read_price(fields.get(name, "0")) or Decimal(0)) * _MTOK


def _line(row: ApiPrice, fields: Mapping[str, str]) -> OwnPrice:
    return OwnPrice(
        sku=row.id,
        option=PurchaseOption.PER_TOKEN,
        usd_in_per_mtok=rounded(_usd(fields, IN)),
        usd_out_per_mtok=rounded(_usd(fields, OUT)),
        usd_cached_per_mtok=rounded(_usd(fields, CACHED)) if CACHED in fields else None,
    )


def _tiers(fields: Mapping[str, str]) -> str:
    count = sum("_above_" in name for name in fields)
    return "more or less expensive beyond some length; the price up to it is taken" if count else ""


def _told(entry: MapEntry) -> str:
    provider = (entry.fields or {}).get("litellm_provider", "")
    return f"{entry.name} ({provider})" if provider else entry.name
