"""What is billed to requests and what is idle add up to what was paid, to the nano-dollar, however much comes late."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.ledger import Adjustment, EntryKind, PriceRow
from tripoint.domain.money import Tariff
from tripoint.domain.pricelist import Holding, PriceList
from tripoint.engines.governance.cost.idle import HOUR_S, Entered, Paid, Served, firm_used, idle_row, paid_in

HOUR = 480_000
PICO = st.integers(0, 10**9)
MANY = st.integers(0, 10**7)


@st.composite
def rows(draw: st.DrawFn, name: str) -> PriceRow:
    """A price row whose firm part is a part of it."""
    whole = Tariff(name, draw(PICO), draw(PICO), draw(PICO), draw(PICO))
    firm = Tariff(name, *(draw(st.integers(0, pico)) for pico in whole[1:4]))
    return PriceRow(whole, whole, Tariff(name, 0, 0, 0), firm, "drawn")


@st.composite
def requests(draw: st.DrawFn, price: PriceRow) -> list[tuple[int, int, int]]:
    """Input, cached and output tokens of requests by one row."""
    del price
    return draw(
        st.lists(st.tuples(MANY, MANY, MANY).map(lambda each: (each[0], min(each[0], each[1]), each[2])), max_size=6)
    )


def sums(price: PriceRow, several: Sequence[tuple[int, int, int]]) -> Served:
    """What the ledger sums up of requests by one row."""
    nano = sum(price.tariff.nano(tokens_in, tokens_out, cached) for tokens_in, cached, tokens_out in several)
    tokens_in, cached, tokens_out = (sum(each[place] for each in several) for place in range(3))
    return Served("v", price.tariff.id, tokens_in, cached, tokens_out, nano)


def entered(adjustments: Sequence[Adjustment]) -> Entered | None:
    """What the ledger tells of rows entered before."""
    if not adjustments:
        return None
    return Entered(adjustments[0].id, sum(each.nano for each in adjustments), len(adjustments))


@given(st.data(), st.integers(0, 10**14))
def test_usage_and_idle_are_what_was_paid(data: st.DataObject, cost: int) -> None:
    """Whatever was served, in whatever pieces it became known; each request's own rounding included."""
    prices = [data.draw(rows(name)) for name in ("chat/a/m", "batch/a/m")]
    served = [data.draw(requests(price)) for price in prices]
    known = {("v", price.tariff.id): price for price in prices}
    paid = Paid("a", "hall", HOUR, cost, "v")
    adjustments: list[Adjustment] = []
    for share in (1, 2, 3):  # a part of the records, more, all of them
        seen = [several[: len(several) * share // 3] for several in served]
        found = [sums(price, several) for price, several in zip(prices, seen, strict=True)]
        row = idle_row(paid, found, known, entered(adjustments))
        if row is not None:
            assert row.id not in {each.id for each in adjustments}
            adjustments.append(row)
        assert idle_row(paid, found, known, entered(adjustments)) is None
        billed = sum(each.nano for each in found)
        beyond = billed - firm_used(found, known)
        assert billed + sum(each.nano for each in adjustments) == cost + beyond
    for number, row in enumerate(adjustments):
        assert row.kind == (EntryKind.IDLE if number == 0 and row.nano > 0 else EntryKind.CORRECTION)
        assert row.corrects == ("" if number == 0 else adjustments[0].id)
        assert (row.tenant, row.upstream, row.site, row.at) == ("", "a", "hall", HOUR * 3600.0)


def test_more_than_the_nodes_are_sized_for_takes_back_the_difference() -> None:
    """Requests were billed 30 for nodes that cost 20: idle is never negative, a correction says why."""
    price = PriceRow(
        Tariff("t", 1_000, 0, 0), Tariff("t", 1_000, 0, 0), Tariff("t", 0, 0, 0), Tariff("t", 1_000, 0, 0), ""
    )
    row = idle_row(Paid("a", "hall", HOUR, 20, "v"), [sums(price, [(30, 0, 0)])], {("v", "t"): price}, None)
    assert row is not None
    assert (row.kind, row.nano) == (EntryKind.CORRECTION, -10)
    assert "0.00000003 USD billed for nodes that cost 0.00000002 USD" in row.reason


def test_an_hour_in_which_nothing_was_served_is_idle_as_a_whole() -> None:
    """Self-hosted capacity is never free, least of all when nobody uses it."""
    row = idle_row(Paid("a", "hall", HOUR, 123, "v"), [], {}, None)
    assert row is not None
    assert (row.kind, row.nano, row.list_nano) == (EntryKind.IDLE, 123, 123)


def test_what_was_served_by_prices_not_known_yet_is_not_counted_twice() -> None:
    """It counts as use of the nodes until its rows are there; then the difference is corrected."""
    price = PriceRow(
        Tariff("t", 1_000, 0, 0), Tariff("t", 1_000, 0, 0), Tariff("t", 0, 0, 0), Tariff("t", 400, 0, 0), ""
    )
    paid, served = Paid("a", "hall", HOUR, 100, "v"), [sums(price, [(30, 0, 0)])]
    first = idle_row(paid, served, {}, None)
    assert first is not None
    assert first.nano == 70
    later = idle_row(paid, served, {("v", "t"): price}, entered([first]))
    assert later is not None
    assert (later.nano, later.kind, later.corrects) == (18, EntryKind.CORRECTION, first.id)


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=5),
    st.integers(1, 8),
)
def test_nodes_are_paid_by_the_hour_from_list_to_list(changes: list[tuple[int, int, int]], hours: int) -> None:
    """The sum over hours is the integral of what was held, at most a nano-dollar less an hour and upstream."""
    start = HOUR * HOUR_S
    times = sorted({start + each[0] for each in changes})
    lists = [
        PriceList(float(at), f"v{at}", (), (Holding("a", "hall", one), Holding("b", "hall", two)))
        for at, (_, one, two) in zip(times, changes, strict=False)
    ]
    end = start + hours * HOUR_S
    for upstream, place in (("a", 0), ("b", 1)):
        exact = Fraction(0)
        for number, each in enumerate(lists):
            until = min(end, lists[number + 1].at if number + 1 < len(lists) else end)
            exact += Fraction(each.holdings[place].nano_per_hour) * max(0, int(until - each.at)) / HOUR_S
        found = [row for hour in range(HOUR, HOUR + hours) for row in paid_in(lists, hour) if row.upstream == upstream]
        assert 0 <= exact - sum(each.nano for each in found) < hours


def test_after_the_end_of_a_run_nothing_is_held() -> None:
    """A list without holdings ends what went before; half an hour costs half."""
    at = float(HOUR * HOUR_S)
    lists = [PriceList(at, "v", (), (Holding("a", "hall", 1_000),)), PriceList(at + 1800.0, "", (), ())]
    assert [(each.nano, each.prices) for each in paid_in(lists, HOUR)] == [(500, "v")]
    assert paid_in(lists, HOUR + 1) == ()
    assert paid_in(lists, HOUR - 1) == ()
    assert paid_in((), HOUR) == ()
