"""Corrections bring an entry to what it costs by other prices, once, and leave the entry as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.ledger import Adjustment, Entry, EntryKind, PriceRow
from tripoint.domain.money import Tariff
from tripoint.domain.record import Ending
from tripoint.engines.governance.cost.reprice import NEVER, Corrected, computed, repriced

PICO = st.integers(0, 10**9)


def row(*pico: int) -> PriceRow:
    """A price row; list prices are twice as high."""
    whole = Tariff("chat/a/m", *pico)
    return PriceRow(whole, Tariff("chat/a/m", *(2 * each for each in pico)), whole, whole, "test")


def entry(nano: int, list_nano: int, **fields: Any) -> Entry:
    """A usage entry of 100 tokens in, 40 of them cached, and 7 out."""
    made = Entry(
        number=1, kind=EntryKind.USAGE, id="r-1", at=5.0, tenant="t", key="k", workload="chat", model="m", site="hall",
        upstream="a", tariff="chat/a/m", prices="v1", api="chat", status=200, ending=Ending.OK, error="",
        is_stream=False, is_estimated=False, reason="plan", requests=1, tokens_in=100, cached=40, tokens_out=7,
        reasoning=0, nano=nano, list_nano=list_nano, marginal_nano=0, ttft_s=0.0, tpot_s=0.0, total_s=0.0, own_s=0.0,
        trace_id="", corrects="", attempts=(),
    )  # fmt: skip
    return made._replace(**fields)


@given(st.lists(st.tuples(PICO, PICO, PICO, PICO), min_size=2, max_size=5))
def test_after_any_prices_the_sum_is_that_of_the_last(versions: list[tuple[int, int, int, int]]) -> None:
    """There and back again as well; each correction has an id of its own, and asked again there is none."""
    first = row(*versions[0])
    told = entry(first.tariff.nano(100, 7, 40), first.listed.nano(100, 7, 40))
    assert computed(told, first) == (told.nano, told.list_nano)
    assert repriced(told, first, "v1") is None
    rows: list[Adjustment] = []
    for version in versions:
        price = row(*version)
        before = Corrected(sum(each.nano for each in rows), sum(each.list_nano for each in rows), len(rows))
        found = repriced(told, price, f"v{version}", before)
        if found is not None:
            rows.append(found)
        total = told.nano + sum(each.nano for each in rows), told.list_nano + sum(each.list_nano for each in rows)
        assert total == computed(told, price)
    assert len({each.id for each in rows}) == len(rows)
    for each in rows:
        assert (each.kind, each.corrects, each.tenant, each.at) == (EntryKind.CORRECTION, "r-1", "t", 5.0)
        assert (each.tokens_in, each.tokens_out) == (0, 0), "tokens are counted once, with the entry"


def test_a_refusal_stays_free() -> None:
    """A price per request is for answers."""
    refused = entry(0, 0, ending=Ending.REFUSED, tokens_in=0, tokens_out=0, cached=0)
    assert repriced(refused, row(1, 1, 1, 10**6), "v2", NEVER) is None
