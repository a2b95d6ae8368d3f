"""Ledgers with known prices, drawn or made to measure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hypothesis import strategies as st

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.ledger import Adjustment, EntryKind, PriceRow
from tripoint.domain.money import Tariff
from tripoint.domain.record import Usage, UsageRecord
from tripoint.testing.ledger_conformance import NOON, piece, usage_record

VERSION = "p1"
"""The price version whose rows are kept."""
_RATES = st.integers(0, 60_000_000)
_ALL_RATES = st.tuples(_RATES, _RATES, _RATES, st.integers(0, 10**9))
_LONGEST_S = 60 * 86_400.0


def price_row(id: str, rates: tuple[int, int, int, int]) -> PriceRow:
    """A row: listed at twice the price, marginal at half, nothing firm."""
    tariff = Tariff(id, *rates)
    listed = Tariff(id, *(2 * rate for rate in rates))
    marginal = Tariff(id, *(rate // 2 for rate in rates))
    return PriceRow(tariff, listed, marginal, Tariff(id, 0, 0, 0), "drawn")


def priced_record(number: int, price: PriceRow, usage: Usage, **fields: object) -> UsageRecord:
    """A record that costs what its price row says."""
    tokens = (usage.tokens_in, usage.tokens_out, usage.cached)
    return usage_record(
        number,
        usage=usage,
        tariff=price.tariff.id,
        prices=VERSION,
        nano=price.tariff.nano(*tokens),
        list_nano=price.listed.nano(*tokens),
        marginal_nano=price.marginal.nano(*tokens),
        **fields,
    )


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Tokens of a request; cached ones are part of the input, reasoning of the output."""
    tokens_in, tokens_out = draw(st.integers(0, 100_000)), draw(st.integers(0, 20_000))
    return Usage(tokens_in, tokens_out, draw(st.integers(0, tokens_in)), draw(st.integers(0, tokens_out)))


@st.composite
def entries(draw: st.DrawFn) -> tuple[tuple[PriceRow, ...], tuple[UsageRecord, ...], tuple[Adjustment, ...]]:
    """Prices, records by those prices or by none that is kept, and adjustments of every kind, over two months."""
    names = ("chat/a/llama", "rag/b/qwen")
    prices = tuple(price_row(name, draw(_ALL_RATES)) for name in names)
    records = []
    for number in range(draw(st.integers(0, 12))):
        place = draw(st.integers(0, 1))
        workload, upstream, model = names[place].split("/")
        record = priced_record(
            number,
            prices[place],
            draw(usages()),
            at=NOON + draw(st.floats(0, _LONGEST_S)),
            tenant=draw(st.sampled_from(("acme", "übung", "a,b\"c'd"))),
            key=draw(st.sampled_from(("key-1", ""))),
            workload=workload,
            upstream=upstream,
            site=f"site-{upstream}",
            model=model,
        )
        if draw(st.booleans()) and draw(st.booleans()):
            record = record._replace(prices="forgotten")
        records.append(record)
    return prices, tuple(records), tuple(draw(adjustments(number)) for number in range(draw(st.integers(0, 6))))


@st.composite
def adjustments(draw: st.DrawFn, number: int) -> Adjustment:
    """Idle hours, money held, corrections both ways, some with tokens."""
    kind = draw(st.sampled_from((EntryKind.IDLE, EntryKind.UNCONFIRMED, EntryKind.CORRECTION)))
    nano = draw(st.integers(-(10**12) if kind is EntryKind.CORRECTION else 0, 10**12))
    is_idle = kind is EntryKind.IDLE
    tokens = (0, 0) if is_idle else (draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000)))
    return Adjustment(
        f"{kind}/{number}", kind, NOON + draw(st.floats(0, _LONGEST_S)), "" if is_idle else "acme", "",
        "" if is_idle else "chat", "llama", "site-a", "a", nano, nano, *tokens, VERSION, "", "drawn",
    )  # fmt: skip


def ledger_of(
    file: Path, prices: Iterable[PriceRow], records: Iterable[UsageRecord], adjusted: Iterable[Adjustment] = ()
) -> SqlLedger:
    """A ledger in a new file, to be closed by the caller."""
    ledger = SqlLedger(connect(f"sqlite:///{file}"), lambda: NOON)
    ledger.keep_prices(VERSION, tuple(prices), NOON)
    ledger.load([piece(tuple(records))], tuple(adjusted))
    return ledger
