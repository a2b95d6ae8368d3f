"""Money as the admin interface tells and takes it: exact dollars, as decimals in text."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from tripoint.domain.errors import OptionError
from tripoint.domain.money import nano_of, usd

Usd = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?$", max_length=20)]
"""Dollars, from 0 to 9,999,999,999.999999999, to the nano-dollar."""
SignedUsd = Annotated[str, msgspec.Meta(pattern=r"^-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?$", max_length=21)]
"""A difference in dollars, to the nano-dollar; negative takes back."""


def usd_text(nano: int) -> str:
    """Nano-dollars as exact dollars, without needless zeros behind the point."""
    text = f"{usd(nano):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed_nano_in(text: str) -> int:
    """A difference as `SignedUsd` has it, in nano-dollars; raises as `nano_in`."""
    return -nano_in(text[1:]) if text.startswith("-") else nano_in(text)


def nano_in(text: str) -> int:
    """Dollars as `Usd` has them, in nano-dollars; raises `OptionError` for a line break behind them."""
    if text != text.strip():  # a pattern's `$` lets one pass
        raise OptionError("an amount has a line break behind it", hint="write digits and a point only")
    return nano_of(Decimal(text))
