"""Price rows, exact: prices per token rounded once to whole pico-dollars, and the version that names them all.

A price that is not 0 never becomes 0: what is used costs at least a pico-dollar a token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from tripoint.domain.ledger import PriceRow
from tripoint.domain.money import NANO_PER_USD, PICO_PER_NANO, Tariff
from tripoint.domain.pricelist import Holding, PriceList
from tripoint.domain.table import Route, RoutingTable, Target, TokenPrice

_PICO_PER_USD = NANO_PER_USD * PICO_PER_NANO
_VERSION_DIGITS = 12


def tariff_of(row: str, price: TokenPrice) -> Tariff:
    """The exact row of a price."""
    return Tariff(row, _pico(price.usd_in), _pico(price.usd_cached), _pico(price.usd_out), _pico(price.usd_request))


def part_of(part: TokenPrice, whole: Tariff) -> Tariff:
    """The exact row of a part of a price, never more than the whole row in anything."""
    exact = tariff_of(whole.id, part)
    return Tariff(
        whole.id,
        min(exact.pico_in, whole.pico_in),
        min(exact.pico_cached, whole.pico_cached),
        min(exact.pico_out, whole.pico_out),
        min(exact.pico_request, whole.pico_request),
    )


def nano_per_hour(usd: float) -> int:
    """Hourly cost of an upstream's nodes, nano-dollars."""
    return round(usd * NANO_PER_USD)


def price_version(targets: Iterable[Target], routes: Iterable[Route]) -> str:
    """A short digest of everything money is computed from: the same prices have the same version, in any order."""
    rows = sorted(
        (each.tariff, each.list_tariff, each.marginal, each.firm, each.basis)
        for route in routes
        for each in route.candidates
    )
    held = sorted((target.id, target.held_nano_per_hour) for target in targets)
    return hashlib.sha256(msgspec.json.encode((rows, held))).hexdigest()[:_VERSION_DIGITS]


def price_list(table: RoutingTable, at: float) -> PriceList:
    """What the table asks for tokens and which nodes it holds, in force from `at`, seconds since 1970."""
    rows = tuple(
        PriceRow(each.tariff, each.list_tariff, each.marginal, each.firm, each.basis)
        for route in table.routes
        for each in route.candidates
    )
    held = tuple(
        Holding(target.id, target.site, target.held_nano_per_hour)
        for target in table.targets
        if target.held_nano_per_hour
    )
    return PriceList(at, table.prices, rows, held)


def _pico(usd: float) -> int:
    return max(1, round(usd * _PICO_PER_USD)) if usd > 0.0 else 0
