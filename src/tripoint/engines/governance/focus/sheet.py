"""Rows of an export, in parts: periods, lines and SKUs are made once and pointed at by number.

A million rows share a few thousand lines, so a writer that can join writes fast, and one that cannot still need not
make them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np

from tripoint.domain.ledger import EntryKind, PriceRow, Spend
from tripoint.engines.governance.focus.meters import Amount, Meter, Metered, split
from tripoint.engines.governance.focus.parts import (
    Issuer,
    Line,
    Period,
    Sku,
    line_of,
    lump_sku,
    period_of,
    priced_sku,
)
from tripoint.engines.governance.focus.priced import METERS, Ints, priced

DIMENSIONS: Final = ("kind", "tenant", "key", "workload", "model", "site", "upstream", "tariff", "prices")
"""What the sums behind an export tell apart, beside time, in order."""


class Row(NamedTuple):
    """One row: numbers of its parts, and its amount."""

    period: int
    """Its period."""
    line: int
    """Its line."""
    sku: int
    """Its SKU."""
    amount: Amount
    """Its amount."""


class Many(NamedTuple):
    """Rows as columns; every amount is there."""

    periods: Ints
    """[row] period."""
    lines: Ints
    """[row] line."""
    skus: Ints
    """[row] SKU."""
    amounts: Ints
    """[field of `Amount`, row]."""


class Sheet(NamedTuple):
    """Rows, and the parts they are the first to point at."""

    periods: tuple[Period, ...]
    """Periods that were not handed out before."""
    lines: tuple[Line, ...]
    """Lines likewise."""
    skus: tuple[Sku, ...]
    """SKUs likewise."""
    rows: tuple[Row, ...]
    """Rows that are not among `many`."""
    many: Many | None = None
    """The others."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows) + (0 if self.many is None else self.many.amounts.shape[1])

    def numbers(self) -> Iterator[tuple[int, int, int]]:
        """Period, line and SKU of each row, by number."""
        if self.many is not None:
            columns = (self.many.periods, self.many.lines, self.many.skus)
            yield from zip(*(each.tolist() for each in columns), strict=True)
        yield from ((row.period, row.line, row.sku) for row in self.rows)

    def amounts(self) -> Iterator[Mapping[str, Sequence[int | None]]]:
        """Amounts of the same rows in the same order, as columns by name, in one stretch or several."""
        if self.many is not None:
            yield dict(zip(Amount._fields, self.many.amounts.tolist(), strict=True))
        if self.rows:
            yield dict(zip(Amount._fields, zip(*(row.amount for row in self.rows), strict=True), strict=True))


PriceOf = Callable[[str, str], PriceRow | None]
"""The price row of a version (first) and a tariff (second)."""


_Part = TypeVar("_Part", Period, Sku, tuple[str, ...])


class SheetMaker:
    """Turns sums into rows, and remembers which parts were handed out; one per export."""

    def __init__(self, issuer: Issuer, price_of: PriceOf) -> None:
        self._issuer = issuer
        self._price_of = price_of
        self._times: dict[str, int] = {}
        self._periods: dict[Period, int] = {}
        self._lines: dict[tuple[str, ...], int] = {}
        self._skus: dict[Sku, int] = {}
        self._known: dict[tuple[str, ...], int] = {}

    def make(self, spends: Sequence[Spend]) -> Sheet:
        """The rows of sums by time (`YYYY-MM-DD`, or with `THH`) and `DIMENSIONS`."""
        counts = len(self._periods), len(self._lines), len(self._skus)
        rows: list[Row] = []
        usage: list[tuple[Spend, PriceRow]] = []
        for spend in spends:
            price = self._price_of(spend.by[9], spend.by[8]) if spend.by[9] else None
            if price is not None and spend.by[1] == EntryKind.USAGE:
                usage.append((spend, price))
            else:
                rows += self._rows(spend, price)
        many = self._many(usage)
        if many is None:
            rows += [row for spend, price in usage for row in self._rows(spend, price)]
        periods, skus = tuple(self._periods)[counts[0] :], tuple(self._skus)[counts[2] :]
        lines = tuple(line_of(self._issuer, names) for names in tuple(self._lines)[counts[1] :])
        return Sheet(periods, lines, skus, tuple(rows), many)

    def _rows(self, spend: Spend, price: PriceRow | None) -> list[Row]:
        """Rows of one row of sums."""
        time, *names = spend.by
        metered = split(names[0], spend, price)
        if not metered:
            return []
        key = tuple(names)
        period, line = self._period(time), _number(self._lines, key)
        of_price = key[4:] if price is not None else ()
        return [Row(period, line, self._sku(of_price, names, each, price), each.amount) for each in metered]

    def _many(self, usage: Sequence[tuple[Spend, PriceRow]]) -> Many | None:
        """Rows of usage with its price row, as columns; `None` where they do not fit any."""
        numbers: dict[tuple[str, ...], int] = {}
        prices: list[PriceRow] = []
        skus: list[tuple[int, ...]] = []
        parts: list[tuple[int, int, int]] = []
        for spend, price in usage:
            key = spend.by[5:]
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(prices)
                prices.append(price)
                skus.append(tuple([self._priced_sku(key, spend.by[1:], meter, price) for meter in METERS]))
            parts.append((self._period(spend.by[0]), _number(self._lines, spend.by[1:]), number))
        found = priced([spend for spend, _ in usage], prices, [part[2] for part in parts])
        if found is None:
            return None
        periods, lines, rows = np.array(parts, np.int64).reshape(-1, 3).T[:, found.places]
        return Many(periods, lines, np.array(skus, np.int64).reshape(-1, 4)[rows, found.meters], found.amounts)

    def _period(self, time: str) -> int:
        known = self._times.get(time)
        if known is None:
            known = self._times[time] = _number(self._periods, period_of(time))
        return known

    def _sku(self, of_price: tuple[str, ...], names: Sequence[str], metered: Metered, price: PriceRow | None) -> int:
        """Number of a SKU; `of_price` is all that tells one with a price row from another, beside its meter."""
        if price is None:  # its unit price is its own cost
            return _number(self._skus, lump_sku(names, metered))
        return self._priced_sku(of_price, names, metered.meter, price)

    def _priced_sku(self, of_price: tuple[str, ...], names: Sequence[str], meter: Meter, price: PriceRow) -> int:
        key = (*of_price, meter)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _number(self._skus, priced_sku(names, meter, price))
        return known


def _number(numbers: dict[_Part, int], value: _Part) -> int:
    return numbers.setdefault(value, len(numbers))
