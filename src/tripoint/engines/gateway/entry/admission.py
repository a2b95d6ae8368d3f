"""May this request enter? Quotas are taken and money is reserved before it is sent, both settled when it has ended.

    enter --room and money--> goes on
    enter --over a quota, or more than is left of a budget--> refused, with both numbers
    enter --money is left, but this worker's slice is too small--> waits: for a grant, or for others to settle
    a further attempt --not covered by what is reserved--> waits likewise, before those who have not entered

Nothing here asks anybody: slices were leased before. What waits is woken by its own timer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from tripoint.domain.money import usd
from tripoint.domain.serving import Api
from tripoint.domain.tenancy import Accounts, Budget
from tripoint.engines.gateway.entry.ceiling import Ceiling, ceiling_of
from tripoint.engines.gateway.entry.quotas import Excess, LocalRates, Rates, Rule, Taken, end, take, withdraw
from tripoint.engines.gateway.entry.sheet import Sheet
from tripoint.engines.gateway.routing.query import Shed
from tripoint.engines.gateway.wire.output import limit_output, output_limit
from tripoint.engines.governance.budget.purse import Account, Hold, Purse
from tripoint.engines.governance.budget.scope import Scopes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tripoint.domain.budget import Grant
    from tripoint.domain.record import Failure
    from tripoint.domain.table import Candidate, Route
    from tripoint.engines.gateway.entry.said import Said
    from tripoint.engines.gateway.exchange.course import Course
    from tripoint.engines.gateway.exchange.effects import Attempt

WAIT_S: Final = 5.0
"""Longest a request waits for money that others have reserved, s."""
MOST_WAITING: Final = 1_024
"""Requests that may wait at once in one worker."""
_EMBEDDINGS: Final = Api.EMBEDDINGS


class Terms:
    """What one caller's requests to one workload fall under."""

    __slots__ = ("accounts", "budgets", "ceiling", "payer", "rules", "until")

    def __init__(self, rules: tuple[Rule, ...], budgets: tuple[Budget, ...], ceiling: Ceiling, payer: int) -> None:
        self.rules = rules
        self.budgets = budgets
        """Enforced ones."""
        self.ceiling = ceiling
        self.payer = payer
        self.accounts: tuple[Account, ...] = ()
        """Of the windows that are open until `until`."""
        self.until = 0.0


class Stay:
    """One request between entering and being settled."""

    __slots__ = (
        "accounts", "asked", "bound", "course", "has_waited", "hold", "is_parked", "lost", "parked_at", "refusal",
        "row", "taken", "terms", "until",
    )  # fmt: skip

    def __init__(self, course: Course, terms: Terms) -> None:
        self.course = course
        self.terms = terms
        self.taken: list[Taken] = []
        self.accounts: tuple[Account, ...] = ()
        self.bound = 0
        """The most one attempt can cost, nano-dollars."""
        self.asked = 0
        """What is to be reserved still, nano-dollars; 0 once it is."""
        self.hold: Hold | None = None
        self.row = -1
        self.has_waited = False
        """True once it has waited for a further attempt in vain: it does so no second time."""
        self.lost: tuple[Attempt, Failure] | None = None
        """The attempt that failed before the one waited for, and how; none while that is only late."""
        self.is_parked = False
        """True while it waits."""
        self.parked_at = 0.0
        self.until = 0.0
        """Until when it may wait, s."""
        self.refusal: Shed | None = None
        """Why waiting has become vain."""


class Admission:
    """Quotas and budgets of one worker; `epoch` is in seconds since 1970 at zero of the machines' clock."""

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch
        self.purse = Purse()
        self.rates: Rates = LocalRates()
        self.sheet = Sheet()
        self.is_connected = True
        """False while the ledger cannot be asked: what is leased may be spent, and nothing else."""
        self._site_of: tuple[str, ...] = ()
        self._quotas: Scopes[Rule] = Scopes(())
        self._budgets: Scopes[Budget] = Scopes(())
        self._queues: dict[Account, deque[Stay]] = {}
        self.waiting = 0
        """Requests that wait."""

    def adopt(self, accounts: Accounts) -> None:
        """Goes by other quotas and budgets from now on; what was taken and reserved stays so."""
        self._quotas = Scopes(Rule(quota, self.rates.slot(quota.id)) for quota in accounts.quotas)
        self._budgets = Scopes(budget for budget in accounts.budgets if budget.is_enforced)
        enforced = frozenset(budget.id for budget in accounts.budgets if budget.is_enforced)
        self.purse.adopt(enforced, accounts.revision)

    def set_clock(self, epoch: float) -> None:
        """Goes by another clock on the wall from now on; what was reserved keeps the window it was reserved in."""
        self._epoch = epoch

    def place(self, site_of: tuple[str, ...]) -> None:
        """Takes the sites of another table's targets, in their order."""
        self._site_of = site_of

    def binds(self, tenant: str) -> bool:
        """True when the tenant's requests fall under anything."""
        return self._quotas.has(tenant) or self._budgets.has(tenant)

    def terms(self, said: Said, route: Route) -> Terms:
        """What requests with that head to that workload fall under; to be kept with the head."""
        who = said.principal.tenant, said.principal.key, route.workload
        budgets = self._budgets.about(*who)
        ceiling = ceiling_of(route, said.sites, said.label, self._site_of)
        return Terms(self._quotas.about(*who), budgets, ceiling, self.sheet.payer(*who) if budgets else 0)

    # --- one request ------------------------------------------------------------------------------------------------

    def enter(self, stay: Stay, now: float) -> Shed | None:
        """Lets a request in, parks it (`is_parked`), or says why not; it must be settled once in any case."""
        terms, course = stay.terms, stay.course
        ask = course.ask
        if terms.rules:
            tokens = ask.tokens_in + (ask.tokens_out or course.route.tokens_out) * ask.choices
            found = take(self.rates, terms.rules, tokens, now)
            if isinstance(found, Excess):
                return Shed(429, "rate_limit_exceeded", found.message, found.retry_after_s)
            stay.taken = found
        if not terms.budgets:
            return None
        at = now + self._epoch
        if at >= terms.until:
            self._open_windows(terms, at)
        if not ask.tokens_out and ask.api is not _EMBEDDINGS and not output_limit(ask):
            limit_output(ask, terms.ceiling.limit(ask))
            course.tokens_out = ask.tokens_out
        stay.accounts = terms.accounts
        stay.bound = bound = terms.ceiling.nano(ask)
        stay.asked = bound
        short = self._first_short(stay) or self.purse.reserve(terms.accounts, bound)
        if short is None:
            return self._held(stay)
        refusal = self._vain(short, bound, now)
        if refusal is not None:
            withdraw(self.rates, stay.taken)
            stay.taken = []
            return refusal
        self._park(stay, short, now)
        return None

    def resume(self, stay: Stay, now: float) -> Shed | None:
        """A parked request's time has come: it may go on (not parked any more), waits on, or is told why not."""
        if stay.asked and stay.refusal is None and now < stay.until:
            stay.course.due = stay.until
            return None
        self._unqueue(stay)
        stay.is_parked = False
        if not stay.asked or stay.refusal is not None:
            stay.has_waited = stay.asked > 0
            return stay.refusal
        stay.has_waited = True
        account = stay.accounts[0]
        for each in stay.accounts:
            if each.free < stay.bound:
                account = each
        if not self.is_connected or account.told_at < stay.parked_at:
            return Shed(503, "budget_unavailable", _UNREACHABLE, 1.0)
        told = f"{_standing(account)}; up to {_usd(stay.bound)} are asked for, and the rest is reserved by requests"
        return Shed(429, "rate_limit_exceeded", f"{told} under way", 1.0)

    def affords(self, stay: Stay, candidates: Collection[Candidate], *, is_outdated: bool) -> bool:
        """True when a further attempt is covered by what is reserved, or by more that was reserved now.

        `candidates` are those that will be billed and are not yet: the attempt's own, and one beside it.
        """
        hold, course = stay.hold, stay.course
        if hold is None:
            return True
        if is_outdated:
            ceiling = ceiling_of(course.route, course.sites, course.label, self._site_of)
            stay.bound = max(stay.bound, ceiling.nano(course.ask))
        billed = sum([bill.nano for bill in course.billed])
        need = billed + stay.bound * len(candidates)
        if need <= hold.nano or billed + _most(course, candidates) <= hold.nano:
            return True
        if not self.purse.extend(hold, need):
            stay.asked = need - hold.nano
            return False
        self.sheet.amend(stay.row, need)
        return True

    def awaits(self, stay: Stay, now: float) -> bool:
        """Parks a request whose further attempt was just found not covered; False where waiting is in vain."""
        hold = stay.hold
        if hold is None or stay.has_waited:
            return False
        for account in stay.accounts:
            if account.free < stay.asked:
                if self._vain(account, hold.nano + stay.asked, now) is not None:
                    return False
                self._park(stay, account, now)
                return True
        return False

    def cease(self, stay: Stay) -> None:
        """A request waits no more for a further attempt: an answer has come, or the late attempt has failed."""
        self._unqueue(stay)
        stay.is_parked = False
        for account in stay.accounts:
            if account.waiting:
                self._pump(account)

    def settle(self, stay: Stay, nano: int, tokens: int) -> None:
        """The request ended, cost so much and used so many tokens."""
        if stay.taken:
            end(self.rates, stay.taken, tokens)
        if stay.is_parked:
            self._unqueue(stay)
            stay.is_parked = False
        hold = stay.hold
        if hold is not None:
            self.purse.settle(hold, nano)
            self.sheet.settle(stay.row, nano)
            for account in hold.accounts:
                if account.waiting:
                    self._pump(account)

    # --- the ledger -------------------------------------------------------------------------------------------------

    def granted(self, grants: Iterable[Grant], now: float) -> None:
        """Takes what the ledger tells; whoever waits for it goes on, or hears that it is in vain."""
        for told in grants:
            account = self.purse.grant(told, now + self._epoch)
            if account is None:
                continue
            account.told_at = now
            if not account.waiting:
                continue
            for stay in tuple(self._queues.get(account, ())):
                held = 0 if stay.hold is None else stay.hold.nano
                refusal = self._vain(account, held + stay.asked, now)
                if refusal is not None:
                    self._unqueue(stay)
                    stay.refusal = refusal
                    stay.course.due = now
            self._pump(account)

    # --- waiting ----------------------------------------------------------------------------------------------------

    def _open_windows(self, terms: Terms, at: float) -> None:
        at = round(at * 1e6) / 1e6  # as the ledger has it, or a request of midnight would be in two windows
        terms.accounts = tuple(self.purse.account(budget, at) for budget in terms.budgets)
        terms.until = min(account.ends_at for account in terms.accounts) - 1e-6

    def _first_short(self, stay: Stay) -> Account | None:
        """An account others wait for already: nobody passes them."""
        if self.waiting:
            for account in stay.accounts:
                if account.waiting:
                    return account
        return None

    def _vain(self, account: Account, bound: int, now: float) -> Shed | None:
        """Why waiting for an account is in vain; `None` when it is not."""
        if bound > account.left:
            wait_s = max(1.0, account.ends_at - now - self._epoch)
            told = f"{_standing(account)}; up to {_usd(bound)} are asked for"
            return Shed(429, "insufficient_quota", told, wait_s)
        if self.waiting >= MOST_WAITING:
            told = f"{_standing(account)}; {self.waiting} requests wait already"
            return Shed(429, "rate_limit_exceeded", told, 1.0)
        return None

    def _held(self, stay: Stay) -> Shed | None:
        course, hold = stay.course, stay.hold
        if hold is not None:  # for a further attempt
            hold.nano += stay.asked
            self.sheet.amend(stay.row, hold.nano)
            stay.asked = 0
            return None
        stay.asked = 0
        row = self.sheet.open(course.id, course.began_at + self._epoch, stay.bound, stay.terms.payer)
        stay.hold = Hold(stay.accounts, stay.bound)
        stay.row = row
        if row >= 0:
            return None
        self.purse.settle(stay.hold, 0)  # what is not written down could be spent twice after a crash
        stay.hold = None
        return Shed(503, "budget_unavailable", _FULL, 1.0)

    def _park(self, stay: Stay, account: Account, now: float) -> None:
        stay.is_parked = True
        stay.parked_at = now
        stay.until = min(stay.course.deadline, now + WAIT_S)
        stay.course.due = stay.until
        self._queue(stay, account)
        for each in stay.accounts:  # all at once, or one would be waited for after the other
            if each.free < stay.asked:
                self.purse.ask_for(each, stay.asked)

    def _queue(self, stay: Stay, account: Account) -> None:
        queue = self._queues.setdefault(account, deque())
        if stay.hold is None:
            queue.append(stay)
        else:
            queue.appendleft(stay)  # it came before those who have not entered, and its caller waits since
        account.waiting += stay.asked
        account.least = queue[0].asked
        self.waiting += 1

    def _unqueue(self, stay: Stay) -> None:
        for account in stay.accounts:
            queue = self._queues.get(account)
            if queue is not None and stay in queue:
                queue.remove(stay)
                account.waiting -= stay.asked
                account.least = queue[0].asked if queue else 0
                self.waiting -= 1
                if not queue:
                    del self._queues[account]
                return

    def _pump(self, account: Account) -> None:
        """Lets those go on who wait for an account, one after the other, as far as it reaches."""
        while queue := self._queues.get(account):
            stay = queue[0]
            short = self.purse.reserve(stay.accounts, stay.asked)
            if short is account:
                return
            self._unqueue(stay)
            if short is not None:
                self._queue(stay, short)
                self.purse.ask_for(short, stay.asked)
                continue
            stay.refusal = self._held(stay)
            stay.course.due = 0.0


def _most(course: Course, candidates: Iterable[Candidate]) -> int:
    """The most that attempts at these very candidates can cost, nano-dollars."""
    return sum([Ceiling((each,), course.route.tokens_out).nano(course.ask) for each in candidates])


def _standing(account: Account) -> str:
    """How a budget stands; what is spent of it only once the ledger has told."""
    budget, limit = account.budget, _usd(account.limit)
    stands = f"{_usd(account.spent)} of {limit} are spent" if account.is_known else f"its limit is {limit}"
    return f"budget `{budget.id}`: {stands} this {budget.window.value}"


def _usd(nano: int) -> str:
    """Exact, without zeros that say nothing."""
    return f"{usd(nano).normalize():f} USD"


_UNREACHABLE = "the ledger does not answer, and nothing more may be reserved from the budget until it does"
_FULL = "too many requests under a budget are waiting to be recorded"
