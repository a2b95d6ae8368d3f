"""Workers are told unasked of what they would never ask about: that more is left than when they were refused."""

from __future__ import annotations

from tests.factories.budgeting import Rows, accounts, budget

from tripoint.domain.budget import Charge, Grant, Wish
from tripoint.domain.tenancy import Accounts, Scope
from tripoint.engines.governance.budget.book import Book
from tripoint.engines.governance.budget.bulletin import Bulletin
from tripoint.engines.governance.budget.purse import Account, Hold, Purse
from tripoint.engines.governance.budget.windows import ends_at

NOON = 1_795_003_200.0
DAY = "2026-11-18"


class Node:
    """One worker and its ledger: a look at the store brings what `Counter` would tell."""

    def __init__(self, declared: Accounts) -> None:
        self.rows, self.purse, self.bulletin = Rows(), Purse(), Bulletin()
        self.look(declared, NOON)

    def look(self, declared: Accounts, at: float) -> None:
        """The ledger sees the accounts, and tells what is to be told."""
        self.declared = declared
        self.book = Book(declared)
        self.book.limit(self.rows, at)
        self.purse.adopt(frozenset(each.id for each in declared.budgets), declared.revision)
        for grant in self.bulletin.news(tuple(self.rows.tallies.values())):
            self.purse.grant(grant, at)

    def tick(self, at: float) -> None:
        """The worker looks around, and is answered."""
        self.purse.look(at)
        for wish in self.purse.wishes(at):
            grant = self.book.answer(self.rows, "w", wish).grant
            self.bulletin.told(grant)
            self.purse.grant(grant, at)

    def account(self, at: float) -> Account:
        """Where a request reserves."""
        return self.purse.account(self.declared.budgets[0], at)

    def exhausted(self) -> float:
        """A request has used 900 of 1,000, its worker has given the rest back; when that is so."""
        account = self.account(NOON)
        self.purse.ask_for(account, 1000)
        account.waiting = account.least = 1000
        self.tick(NOON)
        account.waiting = account.least = 0
        assert self.purse.reserve((account,), 1000) is None
        self.purse.settle(Hold((account,), 1000), 900)
        self.book.charge(self.rows, [Charge("w", NOON, "acme", "", "", 900)])
        for second in range(1, 13):
            self.tick(NOON + second)
        assert (account.free, account.largest, account.left) == (0, 0, 100)
        return NOON + 12.0


def test_a_raised_limit_reaches_a_worker_that_gave_its_slice_back() -> None:
    """One look of its ledger is enough; it asked nobody since."""
    node = Node(accounts(budget(limit=1000)))
    at = node.exhausted()
    assert node.purse.wishes(at) == []
    node.look(accounts(budget(limit=5000), revision=2), at)
    assert node.account(at).left == 4100


def test_a_credit_reaches_it() -> None:
    """Nothing about the accounts has changed then."""
    node = Node(accounts(budget(limit=1000)))
    at = node.exhausted()
    node.book.charge(node.rows, [Charge("", at, "acme", "", "", -3000)])
    node.look(node.declared, at)
    assert node.account(at).left == 3100


def test_a_budget_removed_and_set_again_reaches_it() -> None:
    """With another limit or the same, also where the worker was told meanwhile that it is no more."""
    for limit, left in ((8000, 7100), (1000, 100)):
        node = Node(accounts(budget(limit=1000)))
        at = node.exhausted()
        node.look(accounts(revision=2), at)
        gone = node.book.answer(node.rows, "w", Wish("acme-day", DAY, NOON, 100, 1000)).grant
        node.bulletin.told(gone)
        node.purse.grant(gone, at)
        node.look(accounts(budget(limit=limit), revision=3), at)
        account = node.account(at)
        assert account.left == limit, "it believes in all of it, and asks"
        node.tick(at)
        assert account.left == left


def test_a_budget_set_again_for_others_is_counted_anew_at_once() -> None:
    """What its former scope had spent does not close it."""
    node = Node(accounts(budget(limit=1000)))
    at = node.exhausted()
    node.look(accounts(revision=2), at)
    node.look(accounts(budget(limit=1000, key="k"), revision=3), at)
    (tally,) = node.rows.tallies.values()
    assert (tally.scope, tally.spent_nano) == (Scope(tenant="acme", key="k"), 0)
    assert node.account(at).left == 1000


def test_with_credits_more_than_the_limit_may_be_left() -> None:
    """A worker that has heard nothing yet asks, though nobody's request seems to fit."""
    node = Node(accounts(budget(limit=1000)))
    node.rows.before = -500
    account = node.account(NOON)
    assert account.left == 1000
    node.tick(NOON + 0.25)
    assert account.left == 1500


def test_only_what_has_grown_is_told_and_once() -> None:
    """Less is heard by whoever asks; of what no worker has asked about nothing is said."""
    node = Node(accounts(budget(limit=1000), budget("month", 1000)))
    tally = node.book.answer(node.rows, "w", Wish("acme-day", DAY, NOON, 0, 0)).grant
    (row,) = node.rows.tallies.values()
    bulletin = Bulletin()
    assert bulletin.news([row]) == []
    bulletin.told(tally._replace(spent_nano=300))
    bulletin.told(tally._replace(spent_nano=100))
    assert bulletin.news([row._replace(spent_nano=300)]) == []
    assert bulletin.news([row._replace(spent_nano=299)]) == [Grant("acme-day", DAY, 0, 0, 1000, 299)]
    assert bulletin.news([row._replace(spent_nano=299)]) == []
    bulletin.forget(ends_at(DAY) - 1.0)
    assert bulletin.news([row]) == [Grant("acme-day", DAY, 0, 0, 1000, 0)]
    bulletin.told(tally._replace(spent_nano=300))
    bulletin.forget(ends_at(DAY))
    assert bulletin.news([row]) == []
