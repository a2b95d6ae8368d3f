"""Make lines of a price sheet out of other people's files: `tripoint prices import`.

import_bill(rows, catalog, BillTerms())
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from tripoint.domain.bill import BillRow
from tripoint.domain.catalog import Catalog
from tripoint.domain.draft import EstateDraft
from tripoint.domain.errors import OptionError
from tripoint.domain.estate import Estate
from tripoint.domain.findings import did_you_mean, quoted
from tripoint.domain.purchase import OwnPrice
from tripoint.domain.quote import BillReading, CatalogueRow, Dropped, ImportedSheet, MapEntry
from tripoint.engines.checks.references.unused import prices_anything
from tripoint.engines.facts.quotes.bills.reading import BillTerms, read_bill_rows
from tripoint.engines.facts.quotes.draft import draft_estate
from tripoint.engines.facts.quotes.litellm import take_price_map
from tripoint.engines.facts.quotes.skypilot import take_catalogue

__all__ = [
    "BillTerms",
    "bill_terms",
    "draft_from_bill",
    "fit_to_estate",
    "import_bill",
    "import_catalogue",
    "import_price_map",
]


def import_bill(rows: Iterable[BillRow], catalog: Catalog, terms: BillTerms) -> BillReading:
    """Rates, commitments and egress of a FOCUS bill."""
    return read_bill_rows(rows, catalog, terms)


def draft_from_bill(rows: Iterable[BillRow], catalog: Catalog, terms: BillTerms) -> tuple[EstateDraft, BillReading]:
    """An estate as the bill tells it, and what was read."""
    reading = read_bill_rows(rows, catalog, terms)
    return draft_estate(reading, catalog), reading


def import_catalogue(rows: Iterable[CatalogueRow], catalog: Catalog, provider: str) -> ImportedSheet:
    """Rates of a SkyPilot catalogue; raises `OptionError` for a provider whose nodes the catalogue does not know."""
    known = sorted({(node.provider or "").lower() for node in catalog.node_types} - {""})
    wanted = provider.strip().lower()
    if wanted not in known:
        hint = did_you_mean(wanted, known) or f"known: {quoted(known)}"
        raise OptionError(f"`--provider`: the catalogue knows no node type of `{provider}`", hint=hint)
    return take_catalogue(rows, wanted, catalog)


def import_price_map(entries: Iterable[MapEntry], catalog: Catalog) -> ImportedSheet:
    """Token prices of a LiteLLM price map."""
    return take_price_map(entries, catalog)


def fit_to_estate(sheet: ImportedSheet, estate: Estate, catalog: Catalog) -> ImportedSheet:
    """Only the lines that price something at the estate's sites; the others are told as dropped."""
    kept = [taken for taken in sheet.taken if prices_anything(taken.line, estate, catalog)]
    others = [taken for taken in sheet.taken if taken not in kept]
    if not others:
        return sheet
    told = Dropped(
        reason="no site of the estate offers it",
        rows=sum(taken.rows for taken in others),
        first=min(taken.first for taken in others),
        examples=tuple((_name(taken.line), taken.rows) for taken in others),
    )
    return sheet._replace(taken=tuple(kept), dropped=(*sheet.dropped, told))


def _name(line: OwnPrice) -> str:
    return " ".join(str(part) for part in (line.provider, line.sku, line.region, line.option) if part)


def bill_terms(*, is_billed: bool = False, usd_per: Sequence[str] = (), tag: str = "") -> BillTerms:
    """How a bill is to be read; `usd_per` are rates like `EUR=1.08`. Raises `OptionError` for one that is none."""
    rates: dict[str, Decimal] = {"USD": Decimal(1)}
    for text in usd_per:
        currency, _, amount = text.partition("=")
        rate = _rate(amount)
        if rate is None or not currency.strip().isalpha():
            raise OptionError(f"`--usd-per`: `{text}` is not a rate", hint="write USD per unit, for example `EUR=1.08`")
        if currency.strip().upper() in rates:
            raise OptionError(f"`--usd-per`: {currency.strip().upper()} has a rate already", hint="name it once")
        rates[currency.strip().upper()] = rate
    return BillTerms(is_billed=is_billed, usd_per=_frozen(rates), tag=tag)


def _rate(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None


def _frozen(rates: dict[str, Decimal]) -> Mapping[str, Decimal]:
    return dict(sorted(rates.items()))
