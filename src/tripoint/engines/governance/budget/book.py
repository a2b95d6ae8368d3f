"""All leases of a store under one transaction: wishes are answered, entries charged, dead workers buried.

The rules are those of `vault`; here is which rows they need. Where rows are kept is the shelf's business, so that the
simulator and the tests drive the very same book as the ledger process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import inf
from typing import NamedTuple, Protocol

from tripoint.domain.budget import Charge, Grant, Lease, Tally, Threshold, Wish
from tripoint.domain.tenancy import Accounts, Budget, Scope, Window
from tripoint.engines.governance.budget import vault
from tripoint.engines.governance.budget.scope import Scopes, matches
from tripoint.engines.governance.budget.windows import kind_of, window_of

_DAY_S = 86_400.0


class Shelf(Protocol):
    """Rows of one transaction; what is put is seen by later reads of the same one."""

    def tally(self, budget: str, window: str) -> Tally | None:
        """The budget in that window, kept from others until the transaction ends; `None` when it is not there yet."""
        ...

    def tallies_of(self, tenants: Collection[str], windows: Collection[str]) -> Sequence[Tally]:
        """Every tally of those tenants in those windows, not kept from others."""
        ...

    def leases(self, budget: str, window: str) -> Sequence[Lease]:
        """Every lease of it."""
        ...

    def lease(self, budget: str, window: str, holder: str) -> Lease | None:
        """One of them."""
        ...

    def leases_of(self, holder: str) -> Sequence[Lease]:
        """Every lease of one worker."""
        ...

    def put_tally(self, tally: Tally) -> None:
        """Adds or replaces it."""
        ...

    def put_lease(self, lease: Lease) -> None:
        """Adds or replaces it."""
        ...

    def spent(self, budget: Budget, window: str) -> int:
        """What the ledger has of the budget's scope in the window, the entries of this transaction included."""
        ...


class Answer(NamedTuple):
    """What comes of a wish."""

    grant: Grant
    """For the worker."""
    is_starved: bool
    """True when a request waits that could not be served: what others do not use should be called back."""


class Book:
    """Budgets as declared at one revision, and what may be done with their leases; `before` is the one it replaces."""

    def __init__(self, accounts: Accounts, before: Book | None = None) -> None:
        self.accounts = accounts
        known: Mapping[str, int] = {} if before is None else before.since
        self.since: Mapping[str, int] = {
            budget.id: known.get(budget.id, accounts.revision) for budget in accounts.budgets if budget.is_enforced
        }
        """Since which revision each enforced budget has been so without a break, as far as is known."""
        self._by_id = {budget.id: budget for budget in accounts.budgets}
        self._scopes: Scopes[Budget] = Scopes(accounts.budgets)

    def answer(self, shelf: Shelf, holder: str, wish: Wish) -> Answer:
        """Takes what came back, and gives what may be given: nothing of what is gone, or was when the worker asked."""
        tally = self._tally(shelf, wish.budget, wish.window)
        lease = known = shelf.lease(wish.budget, wish.window, holder)
        is_enforced = wish.budget in self.since
        # A wish of before a budget was removed knows of no requests that came meanwhile and did not reserve.
        is_of_now = is_enforced and wish.revision >= self.since[wish.budget]
        if lease is None:
            lease = Lease(wish.budget, wish.window, holder, wish.since)
        elif is_of_now:
            lease = vault.resumed(lease, wish.since)
        else:  # one that only warns from now on still serves who waited for it
            is_of_now = wish.budget in self._by_id and not is_enforced
        lease = vault.returned(lease, wish)
        if is_of_now and wish.wanted > lease.granted and lease.since < inf:
            others = [each for each in shelf.leases(wish.budget, wish.window) if each.holder != holder]
            holders = 1 + sum(each.held > 0 for each in others)
            # What its requests cost beyond their bounds is spent already: that much more of a slice is held by nobody.
            left = vault.room(tally, (*others, lease)) + max(0, -lease.held)
            more = vault.slice_for(wish, lease.granted, left, holders)
            lease = lease._replace(granted=lease.granted + more)
        if lease != known and (is_of_now or known is not None):
            shelf.put_lease(lease)
        is_starved = wish.least > lease.granted and lease.since < inf
        return Answer(_grant(tally, lease), is_starved)

    def suspend(self, shelf: Shelf, holders: Collection[str], at: float) -> None:
        """Of budgets that are not enforced any more, workers' requests that begin from `at` on do not reserve.

        To be durable before these workers hear of the accounts; `at` in seconds since 1970.
        """
        leases = [lease for holder in holders for lease in shelf.leases_of(holder) if lease.budget not in self.since]
        for where in sorted(lease[:3] for lease in leases if lease != vault.suspended(lease, at)):
            shelf.tally(*where[:2])  # nobody charges it meanwhile
            lease = shelf.lease(*where)
            if lease is not None:
                shelf.put_lease(vault.suspended(lease, at))

    def charge(self, shelf: Shelf, charges: Collection[Charge]) -> list[Threshold]:
        """Moves the cost of new entries from their workers' leases to spent; the thresholds that were reached."""
        reached: list[Threshold] = []
        by_tally = self._by_tally(shelf, charges)
        for budget, window in sorted(by_tally):  # in one order everywhere: nobody waits in a ring
            own = by_tally[budget, window]
            tally = shelf.tally(budget, window)
            if tally is None or self._is_outgrown(tally):
                tally = self._tally(shelf, budget, window)  # counts these entries already
            else:
                tally = tally._replace(spent_nano=tally.spent_nano + sum([charge.nano for charge in own]))
            tally, told = vault.warned(tally)
            shelf.put_tally(tally)
            reached += told
            for holder in sorted({charge.holder for charge in own if charge.holder}):
                lease = shelf.lease(budget, window, holder)
                if lease is not None:
                    shelf.put_lease(vault.charged(lease, [charge for charge in own if charge.holder == holder]))
        return reached

    def _by_tally(self, shelf: Shelf, charges: Collection[Charge]) -> dict[tuple[str, str], list[Charge]]:
        """Charges by budget and window: of what is declared, and of what was and is still counted."""
        kept: dict[str, list[Tally]] = {}
        days = {round(charge.at, 6) // _DAY_S * _DAY_S for charge in charges}
        windows = {window_of(day, window) for day in days for window in Window}
        for tally in shelf.tallies_of({charge.tenant for charge in charges}, windows):
            budget = self._by_id.get(tally.budget)
            if budget is None or budget.window is not kind_of(tally.window):
                kept.setdefault(tally.scope.tenant, []).append(tally)
        if not self._by_id and not kept:
            return {}
        # Many charges are of few callers and days: each of these is looked up once.
        places: dict[tuple[str, str, str, float], list[list[Charge]]] = {}
        found: dict[tuple[str, str], list[Charge]] = {}
        for charge in charges:
            _, at, tenant, key, workload, *_ = charge
            where = tenant, key, workload, round(at, 6) // _DAY_S  # windows go by whole microseconds
            lists = places.get(where)
            if lists is None:
                about = self._about(charge, kept.get(tenant, ()))
                lists = places[where] = [found.setdefault(each, []) for each in about]
            for each in lists:
                each.append(charge)
        return found

    def _about(self, charge: Charge, kept: Collection[Tally]) -> list[tuple[str, str]]:
        """Budget and window of everything a charge counts for; the same for all of one caller, workload and day."""
        who = charge.tenant, charge.key, charge.workload
        declared = [(each.id, window_of(charge.at, each.window)) for each in self._scopes.about(*who)]
        former = [
            (tally.budget, tally.window)
            for tally in kept
            if matches(tally.scope, *who) and window_of(charge.at, kind_of(tally.window)) == tally.window
        ]
        return declared + former

    def _is_outgrown(self, tally: Tally) -> bool:
        """True for one that was counted over another scope, before what is declared now."""
        budget = self._by_id.get(tally.budget)
        return budget is not None and budget.scope != tally.scope and self.accounts.revision > tally.revision

    def limit(self, shelf: Shelf, at: float) -> list[Threshold]:
        """Takes over changed limits for the windows that are open at `at`, and tells thresholds that are passed now."""
        reached: list[Threshold] = []
        for budget in sorted(self.accounts.budgets, key=lambda each: each.id):
            before = shelf.tally(budget.id, window_of(at, budget.window))
            if before is None:
                continue
            tally, told = vault.warned(self._tally(shelf, budget.id, before.window))
            if tally != before:
                shelf.put_tally(tally)
            reached += told
        return reached

    def bury(self, shelf: Shelf, holder: str) -> int:
        """Ends every lease of a worker that is dead, all its costs being charged; what came back, nano-dollars."""
        back = 0
        for lease in shelf.leases_of(holder):
            back += max(0, lease.held)
            shelf.put_lease(vault.buried(lease))
        return back

    def _tally(self, shelf: Shelf, budget_id: str, window: str) -> Tally:
        """The tally by the newest limit known; a budget seen for the first time has spent what the ledger says."""
        tally = shelf.tally(budget_id, window)
        budget = self._by_id.get(budget_id)
        if budget is None:  # gone meanwhile: nothing more is given
            gone = tally or Tally(budget_id, window, Scope(tenant=""), 0, 0, 0)
            return gone._replace(limit_nano=0)
        revision = self.accounts.revision
        if tally is None or self._is_outgrown(tally):
            spent = shelf.spent(budget, window)
            newer = Tally(budget_id, window, budget.scope, budget.limit_nano, revision, spent)
        else:
            newer = vault.limited(tally, budget.limit_nano, revision)
        if newer != tally:
            shelf.put_tally(newer)
        return newer


def _grant(tally: Tally, lease: Lease) -> Grant:
    gone_at = 0.0 if lease.is_open else lease.gaps[-1][0]
    totals = lease.granted, lease.returned, tally.limit_nano, tally.spent_nano
    return Grant(lease.budget, lease.window, *totals, lease.resumed, gone_at)
