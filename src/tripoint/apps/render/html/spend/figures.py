"""Money of the ledger as people read it, and shares of it as bars."""

from __future__ import annotations

from tripoint.apps.render.html.drawing.markup import Markup, el, join
from tripoint.apps.render.reading.amounts import Money, percent
from tripoint.domain.money import NANO_PER_USD

_MONEY = Money()
IDLE = "idle capacity"
"""What stands where a row has no name: nodes that were paid for and not used."""


def amount(nano: int) -> str:
    """Three significant digits, however small: `$38.1k`, `$0.000661`."""
    usd = nano / NANO_PER_USD
    return _MONEY.short(usd) if abs(usd) >= 1 or not nano else _MONEY.rate(usd) if usd > 0 else f"-{_MONEY.rate(-usd)}"


def tick(usd: float) -> str:
    """A mark on an axis."""
    return _MONEY.tick(usd)


def rate(usd: float | None) -> str:
    """A unit price."""
    return _MONEY.rate(usd)


def share(part: int, whole: int) -> str:
    """A part of a whole; a dash where there is none."""
    return percent(part / whole) if whole > 0 else "–"


def saved(nano: int, list_nano: int) -> str:
    """How far below list prices; a dash where nothing is listed."""
    return percent((list_nano - nano) / list_nano) if list_nano > 0 else "–"


def barred(words: str, part: float) -> Markup:
    """Words above a bar of a part from 0 to 1 of the column."""
    width = 100 * min(1.0, max(0.0, part))
    return join(words, el("span", class_="bar", style=f"width:{width:.1f}%"))
