"""Numbers of other people's files, exact; what is none is told as such."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

_NANO: Final = Decimal("1e-9")
_LARGEST: Final = Decimal("1e9")


def read_price(text: str) -> Decimal | None:
    """A finite price of less than a thousand million USD; `None` for everything else."""
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < _LARGEST else None


def why_no_price(text: str, price: Decimal | None) -> str:
    """Why a price cannot be taken; empty when it can."""
    if price is None:
        return "the price is not a number"
    if price < 0:
        return "the price is negative"
    return "" if price > 0 else "the price is 0"


def rounded(usd: Decimal) -> float:
    """To the nano-dollar, as the ledger counts."""
    return float(usd.quantize(_NANO))
