"""The store of leases: every method is one durable transaction, or part of the ledger's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from tripoint.adapters.leases_sql import nodes
from tripoint.adapters.leases_sql.shelf import SCHEMA, SqlShelf
from tripoint.adapters.sql.database import Database, Session, prepare
from tripoint.domain.budget import Charge, Tally, Threshold, Wish
from tripoint.domain.tenancy import Accounts, Window
from tripoint.engines.governance.budget.book import Answer, Book
from tripoint.engines.governance.budget.shares import Node, Part
from tripoint.engines.governance.budget.windows import window_of


class Charger:
    """What budgets are charged by; threads that use the same store share one, and only exchange which book it holds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.book = Book(Accounts(revision=0))
        """Budgets in force; those the store counts besides are charged too."""

    def charge(self, session: Session, charges: Sequence[Charge]) -> None:
        """Charges new entries, within the transaction that adds them to the ledger."""
        shelf = SqlShelf(session)
        for told in self.book.charge(shelf, charges):
            shelf.put_threshold(told, self.now())


class SqlLeases:
    """Budgets and their leases on a database of either kind; `StoreError` when it refuses or is gone."""

    def __init__(self, database: Database, charger: Charger) -> None:
        self._database = database
        self._now = charger.now
        self._charger = charger
        prepare(database, SCHEMA, charger.now)

    @property
    def revision(self) -> int:
        """Of the accounts in force."""
        return self._charger.book.accounts.revision

    def adopt(self, accounts: Accounts, holders: Collection[str] = ()) -> list[Threshold]:
        """Goes by these accounts from now on; the thresholds that changed limits passed.

        `holders` are workers that have not heard of them yet: see `Book.suspend`.
        """
        self._charger.book = book = Book(accounts, self._charger.book)
        at = self._now()
        if holders:
            with self._database.write() as session:  # of its own: its budgets would come out of the others' order
                book.suspend(SqlShelf(session), holders, at)
        with self._database.write() as session:
            shelf = SqlShelf(session)
            reached = book.limit(shelf, at)
            for told in reached:
                shelf.put_threshold(told, at)
        return reached

    def answer(self, wishes: Sequence[tuple[str, Wish]]) -> list[Answer]:
        """Answers wishes, each of the holder beside it, in one transaction; in their order."""
        book = self._charger.book
        found: dict[int, Answer] = {}
        with self._database.write() as session:
            shelf = SqlShelf(session)
            # In one order everywhere, so that two nodes never wait for each other.
            for place in sorted(range(len(wishes)), key=lambda each: (wishes[each][1][:2], each)):
                found[place] = book.answer(shelf, *wishes[place])
        return [found[place] for place in range(len(wishes))]

    def call_back(self, calls: Sequence[tuple[str, str]]) -> None:
        """Tells every node that what is not used of these budgets in these windows is waited for."""
        with self._database.write() as session:
            session.many(
                "UPDATE budget_tally SET recalls = recalls + 1 WHERE budget = ? AND span = ?", sorted(set(calls))
            )

    def bury(self, holder: str) -> int:
        """Takes back what a dead worker did not spend; all it left must have been charged. Nano-dollars."""
        with self._database.write() as session:
            shelf = SqlShelf(session)
            for lease in shelf.leases_of(holder):
                shelf.tally(lease.budget, lease.window)  # nobody grants meanwhile
            return self._charger.book.bury(shelf, holder)

    def tallies(self) -> list[Tally]:
        """Every budget in the windows that are open now, as far as anybody asked for it or spent."""
        at = self._now()
        with self._database.read() as session:
            return SqlShelf(session).open_tallies([window_of(at, window) for window in Window])

    def untold(self) -> list[Threshold]:
        """Thresholds that were reached, here or at another node, and that nobody was told of."""
        with self._database.read() as session:
            return SqlShelf(session).untold()

    def mark_told(self, thresholds: Sequence[Threshold]) -> None:
        """Remembers that somebody was told of these."""
        with self._database.write() as session:
            SqlShelf(session).mark_told(thresholds)

    def held(self) -> dict[tuple[str, str], int]:
        """What workers hold of each budget in each window and have not spent, nano-dollars."""
        with self._database.read() as session:
            rows = session.execute(
                "SELECT budget, span, SUM(granted - returned - charged) FROM budget_lease"
                " WHERE granted - returned > charged GROUP BY budget, span"
            )
        return {(budget, window): int(nano) for budget, window, nano in rows}

    def nodes(self) -> list[Node]:
        """Every gateway on the store that applies a part of the quotas."""
        with self._database.read() as session:
            return nodes.nodes_of(session)

    def take_part(self, id: str, dead: Collection[str]) -> Part:
        """What a node may apply of every quota now, the dead being forgotten; others see that it lives."""
        with self._database.write() as session:
            return nodes.take_part(session, id, dead)

    def leave(self, id: str) -> None:
        """A node applies no quotas any more."""
        with self._database.write() as session:
            nodes.leave(session, id)

    def forget(self, before: str) -> None:
        """Drops leases of windows that ended before that day, `YYYY-MM-DD`; what was spent stays known."""
        with self._database.write() as session:
            session.change("DELETE FROM budget_lease WHERE span < ?", (before,))

    def close(self) -> None:
        """Lets go of the store."""
        self._database.close()
