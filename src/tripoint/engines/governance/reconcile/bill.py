"""What a row of anybody's bill charges for, in our words: which model, which meter, how many tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from tripoint.domain.bill import BillRow
from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import EntryKind
from tripoint.engines.governance.focus.meters import Meter
from tripoint.engines.governance.reconcile.words import Charged

_HOUR_S: Final = 3_600
_KIND: Final = "x_EntryKind"
"""Column of an export of our own: what an entry stands for."""
_MODEL_KEYS: Final = ("ModelId", "x_ModelId", "x_Model", "x_ModelName", "ModelName", "x_model", "x_model_id")
_METERS: Final = (
    (Meter.CACHED, ("cached", "cache read", "cache hit", "cache-read", "cacheread")),
    (Meter.OUTPUT, ("output", "completion", "generated")),
    (Meter.INPUT, ("input", "prompt")),
    (Meter.REQUESTS, ("request",)),
)
_SCALE: Final = re.compile(r"(?P<count>[\d,.]*)\s*(?P<prefix>k|m|thousand|million)?\s*-?\s*(tokens?|requests?)\b", re.I)
_PREFIX: Final = {"k": 1000, "thousand": 1000, "m": 1_000_000, "million": 1_000_000}


def charges(rows: Iterable[BillRow], models: Iterable[str], names: Mapping[str, str]) -> Iterator[Charged]:
    """What a bill charges; `names` says which of our models another name means.

    Raises `OptionError` for a row in another currency than dollars.
    """
    known = {_plain(name): name for name in models} | {_plain(theirs): ours for theirs, ours in names.items()}
    by_length = sorted(known, key=lambda name: (-len(name), name))
    for row in rows:
        if row.currency not in ("USD", ""):
            raise OptionError(
                f"line {row.place:,} of the bill is in {row.currency}, our records are in USD",
                hint="compare a bill in dollars: nothing is converted here",
            )
        is_held = row.custom.get(_KIND) == EntryKind.UNCONFIRMED
        meter = None if is_held else _meter(row)
        tokens = _tokens(row) if meter is not None else None
        yield Charged(
            place=row.place,
            hour=int(row.start // _HOUR_S),
            hours=max(1, round((row.end - row.start) / _HOUR_S)),
            model=row.custom.get("x_Model", "") if is_held else _model(row, known, by_length),
            meter=meter if tokens is not None else None,
            tokens=tokens or Decimal(0),
            usd=row.effective,
            digits=max(0, -_exponent(row.effective)),
            is_usage=row.category == "Usage" and not row.charge_class,
            is_held=is_held,
        )


def _model(row: BillRow, known: Mapping[str, str], by_length: list[str]) -> str:
    for key in _MODEL_KEYS:
        named = row.custom.get(key) or row.details.get(key)
        if named and _plain(named) in known:
            return known[_plain(named)]
    told = _plain(" ".join((row.sku, row.meter, row.description, row.resource)))
    return next((known[name] for name in by_length if name in told), "")


def _plain(name: str) -> str:
    """A name without what providers spell differently: case, dashes, dots."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _meter(row: BillRow) -> Meter | None:
    for text in (row.meter, row.sku, row.description):
        lower = text.lower()
        for meter, words in _METERS:
            if any(word in lower for word in words):
                return meter
    return None


def _tokens(row: BillRow) -> Decimal | None:
    """Tokens or requests, whatever they are counted in; `None` where the unit is another."""
    for count, unit in ((row.consumed, row.unit), (row.priced, row.pricing_unit)):
        found = _SCALE.search(unit) if count is not None else None
        if count is not None and found is not None:
            size = found["count"].replace(",", "")
            whole = Decimal(size) if size.strip(".") else Decimal(1)
            return count * whole * _PREFIX.get((found["prefix"] or "").lower(), 1)
    return None


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
