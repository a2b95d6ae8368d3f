"""Exact money: whole pico-dollars per token, whole nano-dollars per record; nothing is ever rounded twice.

A token at 0.20 USD a million costs 2e-7 USD, 200,000 pico-dollars: floats and cents both lose that.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

NANO_PER_USD = 1_000_000_000
"""Nano-dollars in a dollar."""
PICO_PER_NANO = 1000
"""Pico-dollars in a nano-dollar."""


class Tariff(NamedTuple):
    """One row of prices, exact; what a request cost is this times its tokens."""

    id: str
    """Names the row within its price version, e.g. `chat/dc-h100/llama-70b`."""
    pico_in: int
    """Pico-dollars per computed input token."""
    pico_cached: int
    """Pico-dollars per cached input token."""
    pico_out: int
    """Pico-dollars per output token, reasoning included."""
    pico_request: int = 0
    """Pico-dollars per request: egress of a typical answer, call fees."""

    def nano(self, tokens_in: int, tokens_out: int, cached: int = 0) -> int:
        """Cost of a request, nano-dollars, rounded half up once; `cached` tokens are part of `tokens_in`."""
        pico = (
            self.pico_request
            + (tokens_in - cached) * self.pico_in
            + cached * self.pico_cached
            + tokens_out * self.pico_out
        )
        return (pico + PICO_PER_NANO // 2) // PICO_PER_NANO


def usd(nano: int) -> Decimal:
    """Nano-dollars as exact dollars."""
    return Decimal(nano) / NANO_PER_USD


def nano_of(amount: Decimal) -> int:
    """Dollars as nano-dollars.

    Raises `ValueError` when the amount is finer than that, or not a number.
    """
    scaled = amount * NANO_PER_USD
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} USD is not a whole number of nano-dollars")
    return int(scaled)


def exactly(amount: float, more: int = 0) -> str:
    """Dollars, and so many more, with every digit that was written: `1,234`, `1,234.50`."""
    exact = Decimal(repr(amount)) + more
    whole, cents = exact.to_integral_value(), Decimal("0.01")
    if exact == whole:
        return f"{whole:,f}"
    return f"{exact.quantize(cents) if exact == exact.quantize(cents) else exact.normalize():,f}"
