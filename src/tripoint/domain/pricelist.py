"""What was asked for tokens and for nodes from a moment on: one price version, and which nodes were paid for."""

from __future__ import annotations

from typing import NamedTuple

from tripoint.domain.ledger import PriceRow


class Holding(NamedTuple):
    """Nodes behind an upstream that are paid by the hour, whether they work or not."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    nano_per_hour: int
    """What they cost an hour, nano-dollars."""


class PriceList(NamedTuple):
    """Prices in force from `at` until the next list; the one that ends a run holds nothing."""

    at: float
    """From when on, seconds since 1970."""
    version: str
    """Price version; empty for a list that only says that nothing is held any more."""
    rows: tuple[PriceRow, ...]
    """Its rows."""
    holdings: tuple[Holding, ...]
    """Nodes that are paid for."""
