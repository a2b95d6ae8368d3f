from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.ledger import EntryKind, PriceRow, Spend
from tripoint.domain.money import Tariff
from tripoint.engines.governance.focus.meters import MICRO, Meter, shares, split

RATES = st.integers(0, 10**8)
TARIFFS = st.builds(Tariff, st.just("chat/a/llama"), RATES, RATES, RATES, RATES)
PRICES = st.builds(PriceRow, TARIFFS, TARIFFS, TARIFFS, TARIFFS, st.just("drawn"))
COUNTS = st.integers(0, 10**9)
SPENDS = st.builds(
    lambda counts, tokens, costs: Spend(("",), *sorted(counts, reverse=True), *tokens, *costs),
    st.tuples(COUNTS, COUNTS, COUNTS),
    st.tuples(COUNTS, COUNTS, COUNTS, COUNTS).map(lambda t: (t[0] + t[1], t[1], t[2] + t[3], t[3])),
    st.tuples(COUNTS, COUNTS, COUNTS),
)


@given(SPENDS, PRICES | st.none(), st.sampled_from(EntryKind))
def test_meters_sum_to_the_ledger(spend: Spend, price: PriceRow | None, kind: EntryKind) -> None:
    """Money and counts, for every kind of entry, with and without prices."""
    amounts = [each.amount for each in split(kind, spend, price)]
    if not amounts:
        assert not any((spend.nano, spend.list_nano, spend.marginal_nano, spend.tokens_in, spend.tokens_out))
        return
    assert sum(each.nano for each in amounts) == spend.nano
    assert sum(each.list_nano for each in amounts) == spend.list_nano
    assert sum(each.marginal_nano for each in amounts) == spend.marginal_nano
    assert sum(each.requests for each in amounts) in (spend.requests, 0)


@given(SPENDS, PRICES)
def test_the_contracted_cost_is_price_times_quantity(spend: Spend, price: PriceRow) -> None:
    """By meter, in pico-dollars; nothing is rounded."""
    rates = {
        Meter.INPUT: price.tariff.pico_in, Meter.CACHED: price.tariff.pico_cached, Meter.OUTPUT: price.tariff.pico_out,
        Meter.REQUESTS: price.tariff.pico_request,
    }  # fmt: skip
    for meter, amount in split(EntryKind.USAGE, spend, price):
        assert amount.contracted_pico == rates[meter] * amount.quantity
        assert amount.pricing_micro == amount.quantity * (MICRO if meter is Meter.REQUESTS else 1)


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**15), min_size=1, max_size=4))
def test_the_largest_meter_bears_the_rounding(whole: int, pico: list[int]) -> None:
    """All others are their own cost, rounded."""
    found = shares(whole, pico)
    assert sum(found) == whole
    largest = pico.index(max(pico))
    assert all(abs(1000 * found[i] - pico[i]) <= 500 for i in range(len(pico)) if i != largest)


def test_what_reached_nobody_is_not_charged() -> None:
    """A refused request has no row; a request that cost nothing but was answered has."""
    refused = Spend((), 3, 3, 0, 0, 0, 0, 0, 0, 0, 0)
    assert split(EntryKind.USAGE, refused, None) == ()
    free = Tariff("chat/a/llama", 0, 0, 0)
    answered = split(EntryKind.USAGE, refused, PriceRow(free, free, free, free, ""))
    assert [each.meter for each in answered] == [Meter.REQUESTS]
