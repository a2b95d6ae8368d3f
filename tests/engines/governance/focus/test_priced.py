"""Amounts of many rows of sums at once are those of each by itself, to the last unit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.ledger import EntryKind, PriceRow, Spend
from tripoint.domain.money import Tariff
from tripoint.engines.governance.focus.meters import Amount, split
from tripoint.engines.governance.focus.priced import METERS, priced

_COUNTS = st.integers(0, 10**6) | st.sampled_from((0, 1, 999_999_999))
_MONEY = st.integers(-(10**6), 10**12) | st.just(0)
_RATES = st.integers(0, 10**7) | st.just(0)


@st.composite
def _spends(draw: st.DrawFn) -> Spend:
    tokens_in, cached = sorted((draw(_COUNTS), draw(_COUNTS)), reverse=True)
    counts = [draw(_COUNTS) for _ in range(3)]
    tokens = (tokens_in, cached, draw(_COUNTS), draw(_COUNTS))
    return Spend._make((("2026-11-18",), *counts, *tokens, *(draw(_MONEY) for _ in range(3))))


def _tariff(rates: tuple[int, ...]) -> Tariff:
    return Tariff("row", *rates)


_TARIFFS = st.tuples(_RATES, _RATES, _RATES, _RATES).map(_tariff)
_PRICES = st.builds(PriceRow, _TARIFFS, _TARIFFS, _TARIFFS, _TARIFFS, st.just(""))


@given(st.data())
def test_columns_hold_what_each_row_is_split_into(data: st.DataObject) -> None:
    """Quantities, money with the bearer of its rounding, and what is told of requests."""
    spends = data.draw(st.lists(_spends(), max_size=5))
    prices = data.draw(st.lists(_PRICES, min_size=1, max_size=3))
    rows = [data.draw(st.integers(0, len(prices) - 1)) for _ in spends]
    found = priced(spends, prices, rows)
    assert found is not None
    told = [
        (place, METERS[meter], Amount(*amount))
        for place, meter, amount in zip(
            found.places.tolist(), found.meters.tolist(), zip(*found.amounts.tolist(), strict=True), strict=True
        )
    ]
    assert told == [
        (place, *metered)
        for place, (spend, row) in enumerate(zip(spends, rows, strict=True))
        for metered in split(EntryKind.USAGE, spend, prices[row])
    ]


def test_what_does_not_fit_is_left_to_exact_numbers() -> None:
    """A product beyond 64 bits is never wrapped around."""
    tariff = Tariff("row", 10**9, 0, 0)
    price = PriceRow(tariff, tariff, tariff, tariff, "")
    spend = Spend(("2026-11-18",), 1, 0, 0, 10**10, 0, 0, 0, 10**16, 10**16, 0)
    assert priced([spend], [price], [0]) is None
    assert priced([spend._replace(tokens_in=1 << 70)], [price], [0]) is None
    (metered,) = (each for each in split(EntryKind.USAGE, spend, price) if each.amount.contracted_pico)
    assert metered.amount.contracted_pico == 10**19
