"""The rules the state machine seldom meets, one by one."""

from __future__ import annotations

from math import inf

import pytest
from tests.factories.budgeting import Rows, accounts, budget

from tripoint.domain.budget import Charge, Grant, Lease, Tally, Wish
from tripoint.domain.tenancy import Scope, Window
from tripoint.engines.governance.budget import vault
from tripoint.engines.governance.budget.book import Book
from tripoint.engines.governance.budget.purse import Hold, Purse
from tripoint.engines.governance.budget.scope import Scopes
from tripoint.engines.governance.budget.windows import begins_at, ends_at, kind_of, window_of

NOON = 1_795_003_200.0
DAY = "2026-11-18"


@pytest.mark.parametrize(
    ("at", "day", "month"),
    [
        (NOON, DAY, "2026-11"),
        (begins_at("2026-12-01") - 1e-3, "2026-11-30", "2026-11"),
        (begins_at("2026-12-01"), "2026-12-01", "2026-12"),
        (begins_at("2028-02-29"), "2028-02-29", "2028-02"),
    ],
)
def test_a_moment_is_in_one_day_and_one_month(at: float, day: str, month: str) -> None:
    """Of UTC, the first moment included and the last left out."""
    for window, name in ((Window.DAY, day), (Window.MONTH, month)):
        assert window_of(at, window) == name
        assert kind_of(name) is window
        assert begins_at(name) <= at < ends_at(name)
        assert window_of(ends_at(name), window) > name


def test_who_a_rule_is_about() -> None:
    """A tenant, or one of its keys or workloads; never another tenant's of the same name."""
    rules = (budget("all"), budget("key", key="k"), budget("work", workload="w"), budget("other", tenant="b"))
    scopes = Scopes(rules)
    assert [rule.id for rule in scopes.about("acme", "k", "w")] == ["all", "key", "work"]
    assert [rule.id for rule in scopes.about("acme", "x", "y")] == ["all"]
    assert [rule.id for rule in scopes.about("b", "k", "w")] == ["other"]
    assert scopes.has("b")
    assert not scopes.has("c")


def test_slices_are_large_first_and_small_last() -> None:
    """What waits is served in full while it is there; what is asked ahead gets a share of what is left."""
    ahead = Wish("b", DAY, NOON, 0, wanted=1000)
    assert vault.slice_for(ahead, 0, 10_000, holders=1) == 1000
    assert vault.slice_for(ahead, 0, 1000, holders=1) == 500
    assert vault.slice_for(ahead, 0, 1000, holders=4) == 125
    assert vault.slice_for(ahead, 0, 10, holders=1) == 0
    assert vault.slice_for(ahead, 1000, 10_000, holders=1) == 0
    waiting = ahead._replace(least=700)
    assert vault.slice_for(waiting, 0, 1000, holders=4) == 700
    assert vault.slice_for(waiting, 0, 699, holders=1) == 0
    assert vault.slice_for(waiting, 200, 500, holders=4) == 500


def test_only_what_began_since_the_lease_is_charged_to_it() -> None:
    """A request of before it did not reserve from it, though it counts as spent."""
    lease = Lease("b", DAY, "w", since=NOON, granted=100)
    charges = [Charge("w", NOON - 1.0, "acme", "", "", 30), Charge("w", NOON, "acme", "", "", 20)]
    assert vault.charged(lease, charges).held == 80


def test_a_buried_lease_takes_and_gives_nothing_more() -> None:
    """Whatever its worker had still on its way."""
    rows, book = Rows(), Book(accounts(budget(limit=1000)))
    book.answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 400))
    assert book.bury(rows, "w") == 400
    assert rows.leases_of("w")[0].since == inf
    assert book.answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 900, 900)).grant.granted == 400
    assert book.bury(rows, "w") == 0


def test_a_budget_that_is_gone_gives_nothing_and_is_counted_on() -> None:
    """So that it is right when it is declared again."""
    rows = Rows()
    Book(accounts(budget(limit=1000))).answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 100))
    gone = Book(accounts(revision=2))
    assert gone.answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 900, 900)).is_starved
    assert gone.answer(rows, "w", Wish("never", DAY, NOON, 0, 9, 9)).grant.limit_nano == 0
    gone.charge(rows, [Charge("w", NOON, "acme", "", "", 60), Charge("", NOON, "other", "", "", 7)])
    assert [tally.spent_nano for tally in rows.tallies.values()] == [60]


def test_a_budget_that_is_gone_gives_nothing_even_where_it_was_credited() -> None:
    """A credit leaves less than nothing spent, which is no room in what is not declared."""
    rows, book = Rows(), Book(accounts(budget(limit=1000)))
    book.answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 0))
    book.charge(rows, [Charge("", NOON, "acme", "", "", -500)])
    answer = Book(accounts(revision=2)).answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 100, 100))
    assert answer.grant.granted == 0
    assert answer.is_starved


def test_what_was_served_while_a_budget_was_removed_frees_nothing_of_its_slices() -> None:
    """A worker that had a slice serves on without the budget; once it is set again its new slice is held in full."""
    rows, declared = Rows(), budget(limit=1000)
    purse = Purse()
    purse.adopt(frozenset({declared.id}), 1)
    account = purse.account(declared, NOON)

    def asks(book: Book, at: float, nano: int) -> None:
        account.waiting = account.least = nano
        (wish,) = purse.wishes(at, is_whole=True)
        purse.grant(book.answer(rows, "w", wish).grant, at)
        account.waiting = account.least = 0

    book = Book(accounts(declared))
    asks(book, NOON, 100)
    assert purse.reserve((account,), 100) is None
    under_way = Hold((account,), 100)
    gone = Book(accounts(revision=2), book)
    gone.suspend(rows, ["w"], NOON + 0.5)
    purse.adopt(frozenset(), 2)
    gone.charge(rows, [Charge("w", NOON + 1.0, "acme", "", "", 600)])  # never reserved
    again = budget(limit=1000)
    book = Book(accounts(again, revision=3), gone)
    purse.adopt(frozenset({again.id}), 3)
    assert purse.account(again, NOON + 2.0) is account
    book.limit(rows, NOON + 2.0)
    asks(book, NOON + 2.0, 200)
    assert purse.reserve((account,), 200) is None
    assert vault.outstanding(rows.leases("acme-day", DAY)) == 300
    other = book.answer(rows, "other", Wish("acme-day", DAY, NOON + 2.0, 0, 200, 200))
    assert other.grant.granted == 0, "600 are spent and 300 are reserved of 1,000"
    purse.settle(under_way, 100)
    book.charge(rows, [Charge("w", NOON, "acme", "", "", 100)])
    assert rows.tallies["acme-day", DAY].spent_nano == 700
    assert vault.outstanding(rows.leases("acme-day", DAY)) == 200, "of what was under way nothing counts twice"
    other = book.answer(rows, "other", Wish("acme-day", DAY, NOON + 2.0, 0, 100, 100))
    assert other.grant.granted == 100


def test_a_wish_of_before_a_budget_was_removed_gets_nothing_of_it_set_again() -> None:
    """Its worker served without the budget meanwhile: a lease as it asks for would count that as reserved."""
    rows, declared = Rows(), accounts(budget(limit=1000))
    stale = Wish("acme-day", DAY, NOON, 0, 300, 300, revision=1)
    gone = Book(accounts(revision=2), Book(declared))
    assert gone.answer(rows, "w", stale).grant.granted == 0
    again = Book(accounts(budget(limit=1000), revision=3), gone)
    assert again.answer(rows, "w", stale).is_starved
    assert rows.leases_of("w") == []
    again.charge(rows, [Charge("w", NOON + 1.0, "acme", "", "", 50)])
    fresh = stale._replace(since=NOON + 2.0, revision=3)
    assert again.answer(rows, "w", fresh).grant.granted == 300
    assert vault.outstanding(rows.leases("acme-day", DAY)) == 300


def test_a_worker_that_missed_a_removal_begins_anew_by_the_word_of_its_ledger() -> None:
    """The ledger process died between keeping that a budget is gone and telling its worker."""
    rows, book = Rows(), Book(accounts(budget(limit=1000)))
    purse = Purse()
    purse.adopt(frozenset({"acme-day"}), 1)
    account = purse.account(budget(limit=1000), NOON)

    def tells(at: float) -> None:
        for wish in purse.wishes(at, is_whole=True):
            purse.grant(book.answer(rows, "w", wish).grant, at)

    purse.ask_for(account, 10)
    tells(NOON)
    assert account.free == 80
    assert purse.reserve((account,), 10) is None
    gone = Book(accounts(revision=2), book)
    gone.suspend(rows, ["w"], NOON + 1.0)
    book = Book(accounts(budget(limit=1000), revision=3))
    purse.adopt(frozenset({"acme-day"}), 3)
    tells(NOON + 2.0)
    assert (account.since, account.free, account.is_agreed) == (NOON + 2.0, 0, False)
    purse.ask_for(account, 10)
    tells(NOON + 2.0)
    assert account.is_agreed
    assert account.free == 80
    assert purse.reserve((account,), 10) is None
    book.charge(rows, [Charge("w", at, "acme", "", "", 10) for at in (NOON, NOON + 2.0)])
    assert rows.leases_of("w")[0].held == 70
    assert rows.leases_of("w")[0].gaps == ((NOON + 1.0, NOON + 2.0),)


def test_a_budget_of_another_scope_begins_anew() -> None:
    """From what the ledger has of that scope; an older node changes nothing."""
    rows = Rows(before=5)
    old = Book(accounts(budget(limit=1000)))
    old.answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 100))
    rows.before = 70
    new = Book(accounts(budget(limit=1000, key="k"), revision=2))
    new.charge(rows, [Charge("w", NOON, "acme", "k", "", 30)])
    (tally,) = rows.tallies.values()
    assert (tally.spent_nano, tally.scope) == (70, Scope(tenant="acme", key="k"))
    old.answer(rows, "w", Wish("acme-day", DAY, NOON, 0, 200))
    assert next(iter(rows.tallies.values())).scope.key == "k"


def test_thresholds_are_told_once_also_when_a_limit_is_lowered() -> None:
    """And a limit of nothing is reached at once."""
    rows, book = Rows(before=500), Book(accounts(budget(limit=1000)))
    assert book.limit(rows, NOON) == []
    assert [told.percent for told in book.charge(rows, [Charge("", NOON, "acme", "", "", 500)])] == [50]
    assert book.charge(rows, [Charge("", NOON, "acme", "", "", 1)]) == []
    lower = Book(accounts(budget(limit=600), revision=2))
    assert [told.percent for told in lower.limit(rows, NOON)] == [80]
    assert lower.limit(rows, NOON) == []
    tally, told = vault.warned(Tally("b", DAY, Scope(tenant="t"), 0, 1, 0))
    assert [each.percent for each in told] == [50, 80, 100]
    assert tally.warned == 100


def paid(purse: Purse, nano: int, **fields: int) -> None:
    """The ledger tells a total."""
    told = {"granted": nano, "returned": 0, "limit_nano": 10_000, "spent_nano": 0} | fields
    purse.grant(Grant("acme-day", DAY, **told), NOON)


def test_what_is_not_used_goes_back_after_a_while_and_is_told_until_it_is_known() -> None:
    """Idle slices help others."""
    purse = Purse()
    account = purse.account(budget(), NOON)
    paid(purse, 500)
    purse.look(NOON)
    assert purse.wishes(NOON + 1.0) == []
    purse.look(NOON + 1.0)
    assert [wish.returned for wish in purse.wishes(NOON + 7.0)] == [500]
    assert [wish.returned for wish in purse.wishes(NOON + 8.0)] == [500]
    paid(purse, 500, returned=500)
    assert purse.wishes(NOON + 9.0) == []
    assert account.free == 0


def test_a_window_that_is_over_is_forgotten_once_all_is_settled_and_known() -> None:
    """Not before."""
    purse = Purse()
    account = purse.account(budget(), NOON)
    paid(purse, 500)
    assert purse.reserve((account,), 200) is None
    hold = Hold((account,), 200)
    late = ends_at(DAY) + 1.0
    assert purse.account(budget(), late) is not account
    assert [wish.returned for wish in purse.wishes(late) if wish.window == DAY] == [300]
    paid(purse, 500, returned=300)
    purse.look(late)
    assert account in purse.all()
    purse.settle(hold, 150)
    assert [wish.returned for wish in purse.wishes(late) if wish.window == DAY] == [350]
    paid(purse, 500, returned=350)
    purse.look(late)
    assert account not in purse.all()
    paid(purse, 500)  # of an account that is gone: nothing happens


def test_a_budget_declared_again_does_not_count_on_what_began_without_it() -> None:
    """What is under way did not reserve from it."""
    purse = Purse()
    account = purse.account(budget(), NOON)
    purse.adopt(frozenset(), 2)
    assert account.is_recalled
    again = purse.account(budget(limit=7), NOON + 5.0)
    assert again is account
    assert (again.since, again.is_recalled, again.limit) == (NOON + 5.0, False, 7)


def test_a_reservation_is_extended_or_stays_as_it_was() -> None:
    """Whoever cannot have more keeps what it has, and more is asked for."""
    nudged: list[int] = []
    purse = Purse(lambda: nudged.append(1))
    account = purse.account(budget(), NOON)
    paid(purse, 500)
    assert purse.reserve((account,), 200) is None
    hold = Hold((account,), 200)
    assert purse.extend(hold, 150)
    assert purse.extend(hold, 500)
    assert not purse.extend(hold, 501)
    assert (hold.nano, account.free, account.reserved) == (500, 0, 500)
    assert nudged
    purse.settle(hold, 600)
    assert (account.used, account.free, account.overdrawn, purse.overdrawn) == (600, -100, 100, 1)


def test_a_clock_that_is_put_back_into_a_window_that_was_over_gives_no_slice_twice() -> None:
    """The ledger tells totals: a worker that had forgotten its own took all it had ever been given for free."""
    rows, book = Rows(), Book(accounts(budget(limit=1000)))
    purse = Purse()
    purse.adopt(frozenset({"acme-day"}), 1)

    def tells(at: float) -> None:
        purse.look(at)
        for wish in purse.wishes(at):
            purse.grant(book.answer(rows, "w", wish).grant, at)

    account = purse.account(budget(limit=1000), NOON)
    account.waiting = account.least = 900
    tells(NOON)
    account.waiting = account.least = 0
    assert purse.reserve((account,), 900) is None
    purse.settle(Hold((account,), 900), 900)
    book.charge(rows, [Charge("w", NOON, "acme", "", "", 900)])
    for second in range(4):
        tells(ends_at(DAY) + second)
    assert account not in purse.all()
    again = purse.account(budget(limit=1000), NOON + 60.0)
    again.waiting = again.least = 100
    tells(NOON + 60.0)
    (lease,) = rows.leases("acme-day", DAY)
    assert again.free == lease.held <= 100
    assert rows.tallies["acme-day", DAY].spent_nano + again.free <= 1000


def test_what_a_request_cost_beyond_its_bound_is_asked_of_the_rest_once() -> None:
    """It is spent already: a worker that owes as much is served what is left, where it had waited in vain."""
    rows, book = Rows(), Book(accounts(budget(limit=1000)))
    purse = Purse()
    purse.adopt(frozenset({"acme-day"}), 1)
    account = purse.account(budget(limit=1000), NOON)

    def asks(nano: int) -> None:
        account.waiting = account.least = nano
        for wish in purse.wishes(NOON, is_whole=True):
            purse.grant(book.answer(rows, "w", wish).grant, NOON)
        account.waiting = account.least = 0

    asks(100)
    assert purse.reserve((account,), 100) is None
    purse.settle(Hold((account,), 100), 500)  # as its upstream reported
    book.charge(rows, [Charge("w", NOON, "acme", "", "", 500)])
    asks(400)
    assert purse.reserve((account,), 400) is None
    assert vault.outstanding(rows.leases("acme-day", DAY)) == 400 + account.free
    assert rows.tallies["acme-day", DAY].spent_nano + vault.outstanding(rows.leases("acme-day", DAY)) <= 1000


def test_a_budget_set_again_for_another_window_is_counted_on_in_its_former_one() -> None:
    """A daily one that was a monthly one meanwhile has spent what the day has, whatever it was then."""
    rows, book = Rows(before=100), Book(accounts(budget("b", limit=1000)))
    book.charge(rows, [Charge("", NOON, "acme", "", "", 100)])
    book = Book(accounts(budget("b", limit=1000, window=Window.MONTH), revision=2), book)
    book.charge(rows, [Charge("", NOON, "acme", "", "", 700)])
    book = Book(accounts(budget("b", limit=1000), revision=3), book)
    assert book.answer(rows, "w", Wish("b", DAY, NOON, 0, 400, 201)).grant.spent_nano == 800
    assert book.answer(rows, "w", Wish("b", DAY, NOON, 0, 400, 201)).is_starved


def test_a_worker_asks_for_a_budget_set_again_only_once_a_request_begins_it_anew() -> None:
    """Before, it would ask as of before the removal, and what it served without the budget would count as reserved."""
    rows, book = Rows(), Book(accounts(budget(limit=1000)))
    purse = Purse()
    purse.adopt(frozenset({"acme-day"}), 1)
    account = purse.account(budget(limit=1000), NOON)  # its first wish is lost
    gone = Book(accounts(revision=2), book)
    purse.adopt(frozenset(), 2)
    again = budget(limit=1000)
    book = Book(accounts(again, revision=3), gone)
    purse.adopt(frozenset({"acme-day"}), 3)
    for wish in purse.wishes(NOON + 2.0, is_whole=True):
        purse.grant(book.answer(rows, "w", wish).grant, NOON + 2.0)
    book.charge(rows, [Charge("w", NOON + 1.0, "acme", "", "", 18)])
    assert purse.account(again, NOON + 3.0) is account
    account.waiting = account.least = 100
    for wish in purse.wishes(NOON + 3.0):
        purse.grant(book.answer(rows, "w", wish).grant, NOON + 3.0)
    assert purse.reserve((account,), 100) is None
    assert vault.outstanding(rows.leases("acme-day", DAY)) == 100 + account.free
