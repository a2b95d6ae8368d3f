"""A worker's side of budgets: an upper bound is reserved before a request is sent, the actual cost settled after.

Nothing here asks anybody: `wishes` says what should be told to the ledger, and `grant` what it answered.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from tripoint.domain.budget import Grant, Wish
from tripoint.domain.tenancy import Budget
from tripoint.engines.governance.budget.windows import ends_at, window_of

_AHEAD_S = 1.0
"""A slice is asked for so many seconds of work, at the pace of late."""
_AHEAD_REQUESTS = 8
"""And for at least so many of the largest request seen."""
_IDLE_S = 5.0
"""What was not used for so long goes back."""
_SMOOTH = 0.5
_BEFORE = -1
"""A revision below all others."""
_PAST_DAYS = 40
"""How long what was done in a window is remembered after it: about as long as the store keeps leases."""


class Account:
    """One budget in one window, as far as this worker is concerned."""

    __slots__ = (
        "budget", "ends_at", "free", "granted", "idle_since", "is_agreed", "is_gone", "is_known", "is_recalled",
        "largest", "least", "limit", "low", "overdrawn", "pace", "reserved", "returned", "since", "spent", "taken",
        "told_at", "told_returned", "used", "waiting", "window",
    )  # fmt: skip

    def __init__(self, budget: Budget, window: str, since: float) -> None:
        self.budget = budget
        self.window = window
        self.ends_at = ends_at(window)
        self.since = since
        """Requests that begin from then on reserve here, seconds since 1970."""
        self.free = 0
        """May be reserved now, nano-dollars: granted - returned - used - reserved."""
        self.granted = self.returned = self.used = self.reserved = 0
        self.low = 0
        """Below so much free, more is asked for."""
        self.limit = budget.limit_nano
        """As told, or as declared until then."""
        self.spent = 0
        """What everybody has spent, as told last."""
        self.is_known = False
        """True once the ledger has told where the budget stands."""
        self.is_agreed = True
        """False after it has begun anew, until the ledger counts what begins from `since` on as reserved."""
        self.is_recalled = False
        """True while others wait for what is not used here."""
        self.is_gone = False
        """True while the budget is not declared any more."""
        self.waiting = self.least = 0
        """Sum and smallest of what requests wait for."""
        self.largest = 0
        """Largest reservation of late."""
        self.taken = 0
        """Reserved since the last look."""
        self.pace = 0.0
        """Reserved per second, of late."""
        self.idle_since = inf
        self.told_at = 0.0
        """When the ledger was last heard of it, on the clock of whoever drives the purse, s."""
        self.told_returned = 0
        """What the ledger knows to have come back."""
        self.overdrawn = 0
        """By how much requests cost more than was reserved for them."""

    @property
    def left(self) -> int:
        """What is not spent of the budget as far as is known, nano-dollars: a request above it need not wait."""
        return self.limit - self.spent

    def target(self) -> int:
        """What should be free for the work ahead."""
        return max(int(self.pace * _AHEAD_S), _AHEAD_REQUESTS * self.largest)


class Hold:
    """What one request has reserved: the same sum in every budget it falls under."""

    __slots__ = ("accounts", "nano")

    def __init__(self, accounts: tuple[Account, ...], nano: int) -> None:
        self.accounts = accounts
        self.nano = nano


class Purse:
    """All accounts of a worker; `nudge` is called when there is something new to be told to the ledger."""

    __slots__ = ("_accounts", "_is_nudged", "_looked_at", "_past", "_revision", "nudge", "overdrawn")

    def __init__(self, nudge: Callable[[], None] | None = None) -> None:
        self._accounts: dict[tuple[str, str], Account] = {}
        self._past: dict[tuple[str, str], Account] = {}
        """Of windows that are over. The ledger goes by totals: where the clock is put back they have to go on."""
        self._is_nudged = False
        self._looked_at = 0.0
        self._revision = 0
        self.nudge = nudge
        self.overdrawn = 0
        """Requests that cost more than was reserved for them."""

    def account(self, budget: Budget, at: float) -> Account:
        """Where a request that begins at `at` (seconds since 1970) reserves."""
        key = (budget.id, window_of(at, budget.window))
        account = self._accounts.get(key)
        if account is None and (account := self._past.pop(key, None)) is not None:
            self._accounts[key] = account
        if account is None:
            account = self._accounts[key] = Account(budget, key[1], at)
        elif account.budget is not budget:
            is_another = account.is_gone or account.budget.scope != budget.scope
            account.budget = budget
            if is_another:
                self._begin_anew(account, at)
            if not account.is_known:
                account.limit = budget.limit_nano
        return account

    def all(self) -> tuple[Account, ...]:
        """Every account."""
        return tuple(self._accounts.values())

    # --- one request ------------------------------------------------------------------------------------------------

    def reserve(self, accounts: tuple[Account, ...], nano: int) -> Account | None:
        """Reserves in all of them, or in none and tells the one that has too little free: `ask_for` asks for more."""
        for account in accounts:
            if account.free < nano:
                return account
        for account in accounts:
            account.free -= nano
            account.reserved += nano
            account.taken += nano
            if account.free < account.low or nano > account.largest:
                self.ask_for(account, nano)
        return None

    def ask_for(self, account: Account, nano: int) -> None:
        """More is needed: for a request that waits for so much, or for those that will follow it."""
        account.largest = max(account.largest, nano)
        account.idle_since = inf
        self._wake()

    def extend(self, hold: Hold, nano: int) -> bool:
        """Brings a reservation up to `nano`; False when there is not enough free, and nothing changes then."""
        more = nano - hold.nano
        if more <= 0:
            return True
        short = self.reserve(hold.accounts, more)
        if short is not None:
            self.ask_for(short, more)
            return False
        hold.nano = nano
        return True

    def settle(self, hold: Hold, nano: int) -> None:
        """Ends a reservation with what the request came to, exactly, even where that is more."""
        reserved = hold.nano
        rest = reserved - nano
        if rest < 0:
            self.overdrawn += 1
        for account in hold.accounts:
            account.reserved -= reserved
            account.used += nano
            account.free += rest
            if rest < 0:
                account.overdrawn -= rest
            if account.is_recalled or not account.is_agreed:
                self._freed(account)

    # --- the ledger -------------------------------------------------------------------------------------------------

    def grant(self, told: Grant, at: float) -> Account | None:
        """Takes what the ledger tells at `at`, seconds since 1970; the account concerned, `None` when it is no more."""
        account = self._accounts.get((told.budget, told.window))
        if account is None:
            return None
        if told.gone_at > account.since and not account.is_gone:
            self._begin_anew(account, at)  # the budget was removed, and only the ledger heard of it
        if told.since == account.since and not told.gone_at:
            account.is_agreed = True
        more = told.granted - account.granted
        if more > 0:
            account.free += more
            account.granted = told.granted
            account.idle_since = inf  # what has just come does not go back for want of use before
        account.told_returned = max(account.told_returned, told.returned)
        if account.is_agreed:
            account.limit, account.spent, account.is_known = told.limit_nano, told.spent_nano, True
        else:
            self._freed(account)
        return account

    def recall(self, budget: str, window: str, *, is_on: bool) -> None:
        """Others wait for what is not used here: all that is free goes back until told otherwise."""
        account = self._accounts.get((budget, window))
        if account is not None:
            account.is_recalled = is_on
            self._wake()

    def wishes(self, at: float, *, is_whole: bool = False) -> list[Wish]:
        """What is to be told now (everything when `is_whole`, after connecting anew); `at` in seconds since 1970."""
        self._is_nudged = False
        told = []
        for account in self._accounts.values():
            self._give_back(account, at)
            wanted = self._wanted(account, at)
            is_news = wanted > account.granted or account.returned > account.told_returned
            if is_whole or is_news or not account.is_known:  # with credits more may be left than the limit declared
                least = account.granted + account.least - account.free if account.waiting else 0
                # Until a request begins it anew, one that was gone knows of no time when nothing reserved.
                revision = _BEFORE if account.is_gone else self._revision
                told.append(
                    Wish(
                        account.budget.id, account.window, account.since, account.returned, wanted, least, revision
                    )
                )  # fmt: skip
        return told

    def look(self, at: float) -> None:
        """To be called a few times a second: paces are measured, and accounts of past windows that are done with go."""
        took = at - self._looked_at
        self._looked_at = at
        gone = []
        for key, account in self._accounts.items():
            if 0.0 < took < 60.0:
                account.pace += (account.taken / took - account.pace) * _SMOOTH
            if account.taken:
                account.idle_since = inf
            elif account.idle_since == inf:
                account.idle_since = at
            account.taken = 0
            account.low = account.target() // 2
            is_done = account.free <= 0 and not account.reserved and not account.waiting
            if at >= account.ends_at and is_done and account.told_returned >= account.returned:
                gone.append(key)
        for key in gone:
            self._past[key] = self._accounts.pop(key)
        if gone:
            kept_s = _PAST_DAYS * 86_400.0
            self._past = {key: each for key, each in self._past.items() if at < each.ends_at + kept_s}

    def adopt(self, budgets: frozenset[str], revision: int) -> None:
        """Goes by the accounts of that revision, where just those budgets are enforced.

        Of those that are no more, what is free goes back at once, the rest when it is settled.
        """
        self._revision = revision
        for account in (*self._accounts.values(), *self._past.values()):
            if account.budget.id not in budgets:
                account.is_gone = account.is_recalled = True
                self._wake()

    def _begin_anew(self, account: Account, at: float) -> None:
        """Requests that begin from `at` on reserve, those just before did not.

        The ledger has to know before anything is spent, or it took the one for the other: what there is goes back.
        """
        account.since = at
        account.is_gone = account.is_recalled = account.is_agreed = account.is_known = False
        account.limit, account.spent = account.budget.limit_nano, 0
        self._freed(account)

    def _freed(self, account: Account) -> None:
        """Something has come free that others wait for, or that was given before it began anew."""
        if account.free > 0 and not account.is_agreed:
            account.returned += account.free
            account.free = 0
        self._wake()

    def _give_back(self, account: Account, at: float) -> None:
        is_over = at >= account.ends_at
        is_idle = at - account.idle_since > _IDLE_S and not account.waiting
        if account.free > 0 and (account.is_recalled or is_over or is_idle):
            account.returned += account.free
            account.free = 0
            account.largest = 0
            account.pace = 0.0

    def _wanted(self, account: Account, at: float) -> int:
        if at >= account.ends_at and not account.waiting:
            return account.granted
        ahead = 0 if account.is_recalled else account.target()
        short = ahead + account.waiting - account.free
        is_low = account.waiting > 0 or account.free < max(account.low, account.largest)
        return account.granted + short if short > 0 and is_low else account.granted

    def _wake(self) -> None:
        if not self._is_nudged and self.nudge is not None:
            self._is_nudged = True
            self.nudge()
