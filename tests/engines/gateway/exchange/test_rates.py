"""Rates say what tariffs say, to the nano-dollar."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.money import Tariff
from tripoint.engines.gateway.exchange.metering import Rates

PICO = st.integers(0, 10**9)
TARIFFS = st.builds(Tariff, st.just("chat/dense/m"), PICO, PICO, PICO, PICO)
TOKENS = st.integers(0, 10**7)


@given(TARIFFS, TARIFFS, TARIFFS, TOKENS, TOKENS, TOKENS)
def test_rates_are_tariffs(
    effective: Tariff, listed: Tariff, marginal: Tariff, first: int, out: int, more: int
) -> None:
    """For any prices and tokens, cached ones being part of those that came in."""
    cached, tokens_in = sorted((first, more))
    rates = Rates(effective, listed, marginal)
    assert rates.tariff == effective.id
    told = tuple(each.nano(tokens_in, out, cached) for each in (effective, listed, marginal))
    assert rates.nano(tokens_in, out, cached) == told
