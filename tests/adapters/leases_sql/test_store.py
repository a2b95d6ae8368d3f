"""Both databases keep leases as the rules say, also when two connections ask at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.factories.budgeting import accounts, budget

from tripoint.adapters.leases_sql.store import Charger, SqlLeases
from tripoint.adapters.ledger_sql.ledger import SqlLedger
from tripoint.adapters.sql.connect import connect
from tripoint.domain.budget import Wish
from tripoint.domain.ledger import Adjustment, EntryKind
from tripoint.domain.tenancy import Window

NOON = 1_795_003_200.0
DAY = "2026-11-18"


def wish(wanted: int, *, returned: int = 0, least: int = 0, budget: str = "acme-day") -> Wish:
    """A worker's wish for the day's budget."""
    return Wish(budget, DAY, NOON - 10.0, returned, wanted, least)


def unconfirmed(id: str, nano: int, *, at: float = NOON, tenant: str = "acme") -> Adjustment:
    """An entry of a dead worker's request."""
    return Adjustment(id, EntryKind.UNCONFIRMED, at, tenant, "", "chat", "", "", "", nano, nano, 0, 0, "", "", "lost")


class _Leases:
    """The promises, on any database."""

    url = ""

    @pytest.fixture(autouse=True)
    def _closing(self) -> Iterator[None]:
        self.opened: list[SqlLeases | SqlLedger] = []
        self.chargers: dict[SqlLeases, Charger] = {}
        yield
        for each in self.opened:
            each.close()

    def leases(self) -> SqlLeases:
        """A connection of its own, as another node has."""
        SqlLedger(connect(self.url), lambda: NOON).close()
        charger = Charger(lambda: NOON)
        found = SqlLeases(connect(self.url), charger)
        self.chargers[found] = charger
        self.opened.append(found)
        found.adopt(accounts(budget(limit=1000), budget("acme-month", 5000, window=Window.MONTH)))
        return found

    def ledger(self, leases: SqlLeases) -> SqlLedger:
        """A ledger that charges them."""
        found = SqlLedger(connect(self.url), lambda: NOON, self.chargers[leases].charge)
        self.opened.append(found)
        return found

    def test_a_slice_is_given_told_again_and_taken_back(self) -> None:
        """The same wish once more gives nothing more; what comes back can be had by another."""
        leases = self.leases()
        first = leases.answer([("w1", wish(400))])[0].grant
        assert (first.granted, first.limit_nano, first.spent_nano) == (400, 1000, 0)
        assert leases.answer([("w1", wish(400))])[0].grant == first
        assert leases.answer([("w2", wish(800, least=700))])[0].is_starved
        assert leases.answer([("w1", wish(400, returned=150))])[0].grant.returned == 150
        answer = leases.answer([("w2", wish(800, least=700))])[0]
        assert not answer.is_starved
        assert answer.grant.granted == 700

    def test_entries_move_from_the_lease_to_spent_in_the_ledgers_transaction(self) -> None:
        """And the threshold that is passed is remembered, once."""
        leases = self.leases()
        ledger = self.ledger(leases)
        granted = leases.answer([("w1", wish(1000, least=900))])[0].grant.granted
        ledger.load((), [unconfirmed("a", 600)], holder="w1")
        ledger.load((), [unconfirmed("a", 600)], holder="w1")
        spent = {tally.budget: tally.spent_nano for tally in leases.tallies()}
        assert spent == {"acme-day": 600, "acme-month": 600}
        assert leases.answer([("w2", wish(500, least=401))])[0].is_starved
        assert leases.bury("w1") == granted - 600
        assert leases.answer([("w2", wish(400, least=400))])[0].grant.granted == 400

    def test_what_workers_hold_is_told(self) -> None:
        """Given, not returned and not charged; one that spent more than it held takes nothing from the others."""
        leases = self.leases()
        leases.answer([("aa", wish(300)), ("bb", wish(200))])
        leases.answer([("bb", wish(200, returned=50))])
        assert leases.held() == {("acme-day", DAY): 450}
        self.ledger(leases).load([], [unconfirmed("lost/1", 120)], holder="aa")
        assert leases.held() == {("acme-day", DAY): 330}
        self.ledger(leases).load([], [unconfirmed("lost/2", 700)], holder="aa")
        assert leases.held() == {("acme-day", DAY): 150}

    def test_a_budget_made_late_counts_what_was_spent_before(self) -> None:
        """The morning counts as well."""
        leases = self.leases()
        ledger = self.ledger(leases)
        ledger.load((), [unconfirmed("a", 600), unconfirmed("b", 50, tenant="other")])
        leases.adopt(accounts(budget("late", 1000), revision=2))
        assert leases.answer([("w1", wish(500, least=401, budget="late"))])[0].is_starved
        assert leases.answer([("w1", wish(500, least=400, budget="late"))])[0].grant.granted == 400

    def test_a_changed_limit_holds_at_once_for_everybody(self) -> None:
        """Another node that has not heard yet grants by the newer one."""
        here, there = self.leases(), self.leases()
        here.answer([("w1", wish(0))])
        here.adopt(accounts(budget(limit=100), revision=2))
        assert there.answer([("w2", wish(900, least=200))])[0].is_starved
        assert there.answer([("w2", wish(900, least=100))])[0].grant.granted == 100

    def test_what_is_served_while_a_budget_is_removed_is_told_from_what_was_reserved(self) -> None:
        """By the moments kept with the lease: entries of before count on it whenever they come."""
        leases = self.leases()
        ledger = self.ledger(leases)
        leases.answer([("w1", wish(400)), ("w2", wish(100))])
        month = budget("acme-month", 5000, window=Window.MONTH)
        leases.adopt(accounts(month, revision=2), ["w1"])  # at noon
        before = unconfirmed("before", 50, at=NOON - 5.0)
        ledger.load((), [unconfirmed("without", 300, at=NOON + 1.0), before], holder="w1")
        leases.adopt(accounts(budget(limit=2000), month, revision=3), ["w1"])
        again = Wish("acme-day", DAY, NOON + 1e-3 + 2.0, 100, 400, 0, 3)
        grant = leases.answer([("w1", again)])[0].grant
        assert (grant.since, grant.gone_at, grant.spent_nano) == (NOON + 1e-3 + 2.0, 0.0, 350)
        assert leases.held() == {("acme-day", DAY): (400 - 100 - 50) + 100}
        late = [unconfirmed("late", 20, at=NOON - 1.0), unconfirmed("after", 30, at=NOON + 2.5)]
        ledger.load((), [*late, unconfirmed("late, without", 7, at=NOON + 2.0)], holder="w1")
        assert leases.held() == {("acme-day", DAY): (400 - 100 - 50 - 20 - 30) + 100}
        leases.adopt(accounts(month, revision=4), ["w1", "w2"])
        with closing(connect(self.url)) as database, database.read() as session:
            rows = session.execute("SELECT holder, gaps FROM budget_lease WHERE budget = 'acme-day' ORDER BY holder")
        first = f"{NOON!r}/{NOON + 1e-3 + 2.0!r}"
        # This clock stands still: a break never begins before the one before it has ended.
        assert rows == [("w1", f"{first} {NOON + 1e-3 + 2.0!r}/inf"), ("w2", f"{NOON!r}/inf")]

    def test_leases_of_before_breaks_were_kept_go_on(self) -> None:
        """They have none."""
        leases = self.leases()
        leases.answer([("w1", wish(400))])
        database = connect(self.url)
        with database.write() as session:
            session.change("ALTER TABLE budget_lease DROP COLUMN gaps")
            session.change("DELETE FROM schema_step WHERE name = 'leases' AND step > 3")
        database.close()
        leases = self.leases()
        assert leases.answer([("w1", wish(500))])[0].grant[2:4] == (500, 0)
        leases.adopt(accounts(revision=2), ["w1"])
        assert leases.held() == {("acme-day", DAY): 500}

    def test_calls_for_what_is_not_used_are_seen_by_other_nodes(self) -> None:
        """By a number that grows."""
        here, there = self.leases(), self.leases()
        here.answer([("w1", wish(10))])
        before = [tally.recalls for tally in there.tallies()]
        here.call_back([("acme-day", DAY)])
        assert [tally.recalls for tally in there.tallies()] == [each + 1 for each in before]

    def test_nodes_that_ask_at_once_never_get_more_than_there_is(self) -> None:
        """Every transaction sees what the ones before gave."""
        nodes = [self.leases() for _ in range(3)]
        given: list[int] = []

        def ask(node: SqlLeases, name: str) -> None:
            granted = 0
            for _ in range(25):
                granted = node.answer([(name, wish(granted + 40, least=granted + 7))])[0].grant.granted
            given.append(granted)

        def body(number: int) -> None:
            ask(nodes[number], f"w{number}")

        self.in_threads(body, nodes)
        assert 994 <= sum(given) <= 1000

    def in_threads(self, body: object, nodes: list[SqlLeases]) -> None:
        """One thread a node, each with the connection opened in it."""
        threads = [threading.Thread(target=body, args=(number,)) for number in range(len(nodes))]  # type: ignore[arg-type]  # a function of one number
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class TestOnSqlite(_Leases):
    """A file."""

    @pytest.fixture(autouse=True)
    def _fresh(self, tmp_path: Path) -> None:
        self.url = f"sqlite:///{tmp_path / 'store.db'}"

    def in_threads(self, body: object, nodes: list[SqlLeases]) -> None:
        """Connections of this driver belong to one thread: here they take turns."""
        for number in range(len(nodes)):
            body(number)  # type: ignore[operator]  # a function of one number


@pytest.mark.enable_socket
class TestOnPostgres(_Leases):
    """A server."""

    @pytest.fixture(autouse=True)
    def _fresh(self, postgres_url: str) -> None:
        self.url = postgres_url
