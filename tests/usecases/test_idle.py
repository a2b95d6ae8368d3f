"""Idle hours and corrections in a real ledger: entered once, brought up to date, summing to what was paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.errors import MissingError
from tripoint.domain.ledger import Dimension, EntryKind, EntryQuery, PriceRow, SpendQuery
from tripoint.domain.money import Tariff
from tripoint.domain.pricelist import Holding, PriceList
from tripoint.domain.record import Ending, Usage, UsageRecord
from tripoint.testing.ledger_conformance import NOON, piece, usage_record
from tripoint.usecases.idle import enter_idle, finished_hours, keep_price_lists
from tripoint.usecases.reprice import reprice

WHOLE = Tariff("chat/a/llama", 2_000, 0, 6_000, 500_000)
FIRM = Tariff("chat/a/llama", 1_500, 0, 4_500)
PRICES = PriceList(
    NOON - 3_600.0, "p1", (PriceRow(WHOLE, WHOLE, Tariff("chat/a/llama", 500, 0, 1_500), FIRM, "test"),),
    (Holding("a", "site-a", 5_000_000_000), Holding("b", "site-b", 1_000)),
)  # fmt: skip
HOUR = int(NOON // 3600)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    """A ledger in a file."""
    found = SqlLedger(connect(f"sqlite:///{tmp_path / 'store.db'}"), lambda: NOON)
    yield found
    found.close()


def served(number: int, tokens_in: int, tokens_out: int, **fields: object) -> UsageRecord:
    """A request at upstream `a`, priced by its row."""
    nano = WHOLE.nano(tokens_in, tokens_out, 0)
    return usage_record(number, usage=Usage(tokens_in, tokens_out), nano=nano, list_nano=nano, **fields)


def total(ledger: SqlLedger, upstream: str = "a") -> int:
    """Everything entered for an upstream, nano-dollars."""
    return sum(row.nano for row in ledger.spend(SpendQuery(by=(), upstream=upstream)))


def firm(*usage: Usage) -> int:
    """What of these requests pays for nodes."""
    return FIRM.nano(sum(each.tokens_in for each in usage), sum(each.tokens_out for each in usage))


def test_usage_and_idle_are_what_was_paid(ledger: SqlLedger) -> None:
    """Two hours of nodes: one in which they served, one in which nobody came; asked again nothing is entered."""
    records = [served(number, 1_000 + number, 33) for number in range(50)]
    ledger.load([piece(records)])
    hours = range(HOUR - 1, HOUR + 1)
    assert enter_idle(ledger, [PRICES], hours) == 4
    assert enter_idle(ledger, [PRICES], hours) == 0
    beyond = sum(each.nano for each in records) - firm(*(each.usage for each in records))
    assert total(ledger) == 2 * 5_000_000_000 + beyond
    assert total(ledger, "b") == 2 * 1_000
    by_kind = {row.by[0]: row for row in ledger.spend(SpendQuery(by=(Dimension.KIND,), upstream="a"))}
    assert by_kind["idle"].nano == 2 * 5_000_000_000 - firm(*(each.usage for each in records))
    assert by_kind["idle"].requests == 0


def test_records_that_come_late_are_made_up_for(ledger: SqlLedger) -> None:
    """A correction of the difference, beside the row there was; the sum is what it would have been."""
    first, late = served(1, 10_000, 100), served(2, 70_000, 500)
    ledger.load([piece([first], 0, 10)])
    assert enter_idle(ledger, [PRICES], range(HOUR, HOUR + 1)) == 2
    ledger.load([piece([late], 10, 20)])
    assert enter_idle(ledger, [PRICES], range(HOUR, HOUR + 1)) == 1
    assert enter_idle(ledger, [PRICES], range(HOUR, HOUR + 1)) == 0
    assert total(ledger) == 5_000_000_000 + first.nano + late.nano - firm(first.usage, late.usage)
    corrections = list(ledger.entries(EntryQuery(kinds=(EntryKind.CORRECTION,))))
    (idle,) = [each for each in ledger.entries(EntryQuery(kinds=(EntryKind.IDLE,))) if each.upstream == "a"]
    assert [(each.nano, each.corrects) for each in corrections] == [(-firm(late.usage), idle.id)]


def test_an_hour_is_entered_when_it_is_over() -> None:
    """Two minutes later, so that its last records are in."""
    assert finished_hours(NOON + 119.0, 2) == range(HOUR - 3, HOUR - 1)
    assert finished_hours(NOON + 121.0, 2) == range(HOUR - 2, HOUR)
    assert NOON % 3600 == 0


def test_prices_that_were_wrong_are_made_up_for_by_rows(ledger: SqlLedger) -> None:
    """Each entry keeps its figures; their sum with the corrections is what the other version asks."""
    dearer = Tariff("chat/a/llama", 3_000, 0, 9_000, 500_000)
    keep_price_lists(ledger, [PRICES, PriceList(NOON, "p2", (PriceRow(dearer, dearer, dearer, FIRM, ""),), ())], NOON)
    records = [served(number, 1_000 * number, 10) for number in range(1, 6)]
    refused = usage_record(9, usage=Usage(0, 0), nano=0, list_nano=0, ending=Ending.REFUSED, status=400)
    elsewhere = served(10, 50, 5, tariff="chat/z/llama")
    ledger.load([piece([*records, refused, elsewhere])])
    done = reprice(ledger, EntryQuery(), "p2")
    wanted = sum(dearer.nano(each.usage.tokens_in, each.usage.tokens_out) for each in records)
    assert (done.looked_at, done.corrected, done.unpriced) == (7, 5, 1)
    assert done.nano == wanted - sum(each.nano for each in records)
    assert total(ledger) == wanted + elsewhere.nano
    assert reprice(ledger, EntryQuery(), "p2").corrected == 0
    back = reprice(ledger, EntryQuery(), "p1")
    assert (back.corrected, back.nano) == (5, -done.nano)
    assert total(ledger) == sum(each.nano for each in records) + elsewhere.nano
    assert reprice(ledger, EntryQuery(), "p2").nano == done.nano
    told = list(ledger.entries(EntryQuery(kinds=(EntryKind.USAGE,))))
    assert [each.nano for each in told] == [*(each.nano for each in records), 0, elsewhere.nano]
    with pytest.raises(MissingError, match="no price version `p9` is kept"):
        reprice(ledger, EntryQuery(), "p9")
