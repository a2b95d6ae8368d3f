"""The ledger while a trial is played: the very book that leases slices of budgets, over rows in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tripoint.domain.budget import Charge, Lease, Tally
from tripoint.domain.tenancy import Accounts, Budget
from tripoint.engines.gateway.entry.keyring import Register
from tripoint.engines.governance.budget.book import Book

if TYPE_CHECKING:
    from tripoint.domain.record import UsageRecord
    from tripoint.engines.gateway.exchange.gateway import Gateway
    from tripoint.engines.stress.kernel.events import EventList

_HOLDER: Final = "trial"
_ANSWER_S: Final = 0.005
"""How long the ledger process takes to answer, s."""


class Rows:
    """A shelf in memory."""

    __slots__ = ("_leases", "_tallies")

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._leases: dict[tuple[str, str, str], Lease] = {}

    def tally(self, budget: str, window: str) -> Tally | None:
        """See `Shelf`."""
        return self._tallies.get((budget, window))

    def tallies(self) -> tuple[Tally, ...]:
        """All of them."""
        return tuple(self._tallies.values())

    def tallies_of(self, tenants: Collection[str], windows: Collection[str]) -> Sequence[Tally]:
        """See `Shelf`."""
        found = self._tallies.values()
        return [tally for tally in found if tally.scope.tenant in tenants and tally.window in windows]

    def leases(self, budget: str, window: str) -> Sequence[Lease]:
        """See `Shelf`."""
        return [lease for key, lease in self._leases.items() if key[:2] == (budget, window)]

    def lease(self, budget: str, window: str, holder: str) -> Lease | None:
        """See `Shelf`."""
        return self._leases.get((budget, window, holder))

    def leases_of(self, holder: str) -> Sequence[Lease]:
        """See `Shelf`."""
        return [lease for key, lease in self._leases.items() if key[2] == holder]

    def put_tally(self, tally: Tally) -> None:
        """See `Shelf`."""
        self._tallies[tally.budget, tally.window] = tally

    def put_lease(self, lease: Lease) -> None:
        """See `Shelf`."""
        self._leases[lease.budget, lease.window, lease.holder] = lease

    def spent(self, budget: Budget, window: str) -> int:
        """See `Shelf`: a trial begins with a clean window."""
        del budget, window
        return 0


class Ledger:
    """Answers the worker's wishes and loads its records, as the ledger process does."""

    def __init__(
        self, gateway: Gateway, budgets: tuple[Budget, ...], events: EventList[Callable[[float], None]]
    ) -> None:
        self._gateway = gateway
        self._events = events
        self._budgets = budgets
        self._revision = 1
        self._fresh: list[Charge] = []
        self.rows = Rows()
        self._book = Book(Accounts(revision=1, budgets=budgets))
        self._is_asked = False
        gateway.admission.purse.nudge = self._nudged
        gateway.register(Register(self._book.accounts, b""))

    def scale(self, share: float) -> None:
        """A share of every budget is left from now on."""
        self._revision += 1
        cut = tuple(replace(budget, limit_nano=int(budget.limit_nano * share)) for budget in self._budgets)
        self._book = Book(Accounts(revision=self._revision, budgets=cut))
        self._gateway.register(Register(self._book.accounts, b""))

    def record(self, record: UsageRecord) -> None:
        """A request ended; it is loaded with the next round."""
        if record.nano:
            who = record.tenant, record.key, record.workload
            self._fresh.append(Charge(_HOLDER, record.at, *who, record.nano))

    def load(self, now: float) -> None:
        """A round of loading, and what the worker tells by the clock."""
        if self._fresh:
            self._book.charge(self.rows, self._fresh)
            self._fresh = []
        self._book.limit(self.rows, now)
        self._gateway.admission.purse.look(now)
        self._answer(now)

    def _nudged(self) -> None:
        if not self._is_asked:
            self._is_asked = True
            self._events.push(self._events.now + _ANSWER_S, self._answer)

    def _answer(self, now: float) -> None:
        self._is_asked = False
        admission = self._gateway.admission
        for wish in admission.purse.wishes(now):
            answer = self._book.answer(self.rows, _HOLDER, wish)
            admission.granted((answer.grant,), now)
