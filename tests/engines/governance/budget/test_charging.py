"""Many entries charged at once come to what they come to one after the other, by whatever day, caller or budget."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given
from tests.factories.budgeting import Rows, accounts, budget

from tripoint.domain.budget import Charge, Lease, Wish
from tripoint.domain.tenancy import Budget, Window
from tripoint.engines.governance.budget.book import Book
from tripoint.engines.governance.budget.scope import matches
from tripoint.engines.governance.budget.windows import window_of

MIDNIGHT = 1_796_083_200.0
"""The first moment of December 2026: a day and a month begin."""
MOMENTS = st.one_of(
    # The second of these is a moment of December to whoever counts microseconds.
    st.sampled_from([MIDNIGHT - 1.0, MIDNIGHT - 2.4e-7, MIDNIGHT]),
    st.floats(MIDNIGHT - 200_000.0, MIDNIGHT + 200_000.0),
)
CHARGES = st.lists(
    st.builds(
        Charge,
        holder=st.sampled_from(["w1", "w2", ""]),
        at=MOMENTS,
        tenant=st.sampled_from(["acme", "other", "nobody"]),
        key=st.sampled_from(["k1", "k2"]),
        workload=st.sampled_from(["chat", "rag"]),
        nano=st.integers(-50, 1000),
        each=st.just(((), ())),  # one entry each; hypothesis would make up parts of different lengths
    ),
    max_size=20,
)
OTHERS = (
    budget("day"),
    budget("month", window=Window.MONTH),
    budget("key", key="k1"),
    budget("work", workload="rag", window=Window.MONTH),
    budget("other", tenant="other"),
)
GONE = budget("gone", workload="chat")


def charged(charges: list[Charge], at_once: int) -> Rows:
    """What the rows are after these charges, so many in each transaction; a budget that is gone is counted on."""
    rows = Rows()
    entered: list[Charge] = []

    def spent(budget: Budget, window: str) -> int:
        """As the ledger would say: with what the transaction under way enters."""
        mine = [each for each in entered if matches(budget.scope, each.tenant, each.key, each.workload)]
        return sum(each.nano for each in mine if window_of(each.at, budget.window) == window)

    rows.spent = spent  # type: ignore[method-assign]  # the factory's knows one number only
    Book(accounts(GONE)).answer(rows, "w1", Wish(GONE.id, "2026-11-30", MIDNIGHT - 90_000.0, 0, 800))
    for window in ("2026-11-30", "2026-12-01"):
        rows.put_lease(Lease("day", window, "w1", MIDNIGHT - 60.0, granted=5_000))
    book = Book(accounts(*OTHERS, revision=2))
    for first in range(0, len(charges), at_once):
        part = charges[first : first + at_once]
        entered += part
        book.charge(rows, part)
    return rows


@given(CHARGES)
def test_charges_add_up_however_many_come_at_once(charges: list[Charge]) -> None:
    """Tallies and leases are the same; only thresholds may be passed in one step instead of several."""
    whole, single = charged(charges, max(1, len(charges))), charged(charges, 1)
    assert whole.rows == single.rows
    assert spent_of(whole) == spent_of(single)


@given(CHARGES)
def test_entries_of_one_caller_and_day_may_be_charged_as_one(charges: list[Charge]) -> None:
    """A lease is charged only those that began since it did, as if each had come by itself."""
    groups: dict[tuple[str, str, str, str, str], list[Charge]] = {}
    for each in charges:
        day = window_of(round(each.at, 6), Window.DAY)
        groups.setdefault((each.holder, each.tenant, each.key, each.workload, day), []).append(each)
    joined = [
        several[0]._replace(
            at=min(each.at for each in several),
            nano=sum(each.nano for each in several),
            each=([each.at for each in several], [each.nano for each in several]),
        )
        for several in groups.values()
    ]
    whole, single = charged(joined, max(1, len(joined))), charged(charges, 1)
    assert whole.rows == single.rows
    assert spent_of(whole) == spent_of(single)


def spent_of(rows: Rows) -> dict[tuple[str, str], int]:
    """What is spent, by budget and window."""
    return {where: each.spent_nano for where, each in rows.tallies.items()}
