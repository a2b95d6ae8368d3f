"""Two nodes, four workers, one store: whatever is lost, repeated, killed or changed, no budget is overspent.

The rules play callers, workers, ledger processes, the clock and the operator in any order. After each step, for every
budget and window: what requests have cost or may still cost is covered by what the store knows as spent or leased; and
that sum is within the limit, or did not grow while a lowered limit is below it. In the end, with everybody dead and
everything loaded, nothing is leased any more, and spent is the sum of what was entered.

Beside it, whoever was refused for good does not stay so: with messages in their order, as a connection keeps them, a
request that fits what is left is served once the ledger processes have looked, whatever the operator has done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.factories.budgeting import Rows, accounts, budget

from tripoint.domain.budget import Charge, Grant, Tally, Wish
from tripoint.domain.tenancy import Accounts, Budget, Window
from tripoint.engines.governance.budget.book import Book
from tripoint.engines.governance.budget.bulletin import Bulletin
from tripoint.engines.governance.budget.purse import Account, Hold, Purse
from tripoint.engines.governance.budget.scope import Scopes, matches
from tripoint.engines.governance.budget.vault import outstanding, room
from tripoint.engines.governance.budget.windows import kind_of, window_of

START = 1_795_000_000.0
KEYS = ("k1", "k2")


class Worker:
    """A worker process, and what survives its death: records on disk and the sheet of what it had reserved."""

    def __init__(self, name: str, node: int, known: Accounts) -> None:
        self.name = name
        self.node = node
        self.known = known
        self.purse = Purse()
        self.open: dict[str, tuple[Hold, Charge]] = {}
        self.memory: list[tuple[str, Charge]] = []
        self.disk: list[tuple[str, Charge]] = []
        self.sheet: dict[str, Charge] = {}
        self.is_alive = True
        self.purse.adopt(enforced(known), known.revision)


def enforced(known: Accounts) -> frozenset[str]:
    """Ids of budgets that are reserved in."""
    return frozenset(each.id for each in known.budgets if each.is_enforced)


def reserving(known: Accounts, key: str) -> tuple[Budget, ...]:
    """The budgets in which a request of that key reserves."""
    return Scopes(each for each in known.budgets if each.is_enforced).about("acme", key, "chat")


class Spending(RuleBasedStateMachine):
    """Everything under way, and the truth about it."""

    @initialize(limits=st.lists(st.integers(200, 3000), min_size=3, max_size=3))
    def start(self, limits: list[int]) -> None:
        """A daily, a monthly and a key's budget of one tenant."""
        self.at = START
        self.count = 0
        self.rows = Rows()
        self.rows.spent = self.entered  # type: ignore[method-assign]  # what the ledger would say
        self.truth = accounts(
            budget("day", limits[0]),
            budget("month", limits[1], window=Window.MONTH),
            budget("key", limits[2], key="k1"),
        )
        self.books = [Book(self.truth), Book(self.truth)]
        self.bulletins = [Bulletin(), Bulletin()]
        self.workers = [Worker(f"w{number}", number % 2, self.truth) for number in range(4)]
        self.hired = 3
        self.wishes: list[tuple[Worker, Wish]] = []
        self.grants: list[tuple[Worker, Grant]] = []
        self.loaded: dict[str, Charge] = {}
        self.costs: dict[tuple[str, str], dict[str, int]] = {}
        """What each request has cost or may cost, by what it reserved from."""
        self.credits: list[Charge] = []
        self.before: dict[tuple[str, str], int] = {}

    def living(self, pick: object) -> Worker | None:
        """One that lives."""
        found = [worker for worker in self.workers if worker.is_alive]
        return pick.choice(found) if found else None  # type: ignore[attr-defined]  # hypothesis draws a Random

    @rule(pick=st.randoms(use_true_random=False), key=st.sampled_from(KEYS), nano=st.integers(1, 400))
    def ask_and_arrive(self, pick: object, key: str, nano: int) -> None:
        """A request that waits until its worker has asked."""
        worker = self.living(pick)
        if worker is not None:
            self.ask(worker, key, nano)

    def ask(self, worker: Worker, key: str, nano: int) -> None:
        """A request of that worker, and what it asks for is answered at once."""
        self.come(worker, key, nano)
        worker.purse.look(self.at)
        for wish in worker.purse.wishes(self.at):
            worker.purse.grant(self.granted(worker, wish), self.at)
        self.come(worker, key, nano)

    @rule(
        pick=st.randoms(use_true_random=False),
        which=st.sampled_from(["day", "month", "key"]),
        nanos=st.tuples(st.integers(1, 400), st.integers(1, 400)),
        is_told=st.booleans(),
    )
    def serve_without(self, pick: object, which: str, nanos: tuple[int, int], is_told: bool) -> None:
        """A budget is removed beside a request under way, and another one is served meanwhile and recorded."""
        worker = self.living(pick)
        if worker is None:
            return
        self.ask(worker, "k1", nanos[0])
        self.nothing_is_overspent()  # by the limits until now
        self.drop(which)
        self.learn(worker.node)
        before = set(worker.open)
        self.ask(worker, "k1", nanos[1])
        self.nothing_is_overspent()  # what is given is within the limit; what is entered next need not be
        for name in sorted(set(worker.open) - before):
            self.end(worker, name, 1.0)
        self.flushed(worker)
        if is_told:
            self.declare(which, 4000)
            self.learn(worker.node)
        self.enter(worker, worker.disk)

    def granted(self, worker: Worker, wish: Wish) -> Grant:
        """What a worker's ledger answers."""
        grant = self.books[worker.node].answer(self.rows, worker.name, wish).grant
        self.bulletins[worker.node].told(grant)
        return grant

    @rule(pick=st.randoms(use_true_random=False), key=st.sampled_from(KEYS), nano=st.integers(1, 400))
    def arrive(self, pick: object, key: str, nano: int) -> None:
        """A request comes to any worker."""
        worker = self.living(pick)
        if worker is not None:
            self.come(worker, key, nano)

    def come(self, worker: Worker, key: str, nano: int) -> None:
        """A request reserves, or is turned away."""
        about = reserving(worker.known, key)
        held = tuple(worker.purse.account(each, self.at) for each in about)
        short = worker.purse.reserve(held, nano) if held else None
        if not held or short is not None:
            if short is not None:
                worker.purse.ask_for(short, nano)
            for account in held:  # as a request that waits would
                account.waiting = account.least = nano
            return
        self.begin(worker, key, nano, held)

    def begin(self, worker: Worker, key: str, nano: int, held: tuple[Account, ...]) -> None:
        """A request has reserved, and is under way."""
        self.count += 1
        name = f"r{self.count}"
        charge = Charge(worker.name, self.at, "acme", key, "chat", nano)
        worker.open[name] = Hold(held, nano), charge
        worker.sheet[name] = charge
        for account in held:
            account.waiting = account.least = 0
            self.costs.setdefault((account.budget.id, account.window), {})[name] = nano

    @rule(pick=st.randoms(use_true_random=False), nano=st.integers(1, 200))
    def extend(self, pick: object, nano: int) -> None:
        """A request wants a further attempt."""
        worker = self.living(pick)
        if worker is None or not worker.open:
            return
        name = pick.choice(sorted(worker.open))  # type: ignore[attr-defined]  # hypothesis draws a Random
        hold, charge = worker.open[name]
        wanted = hold.nano + nano
        if worker.purse.extend(hold, wanted):
            worker.sheet[name] = charge._replace(nano=wanted)
            worker.open[name] = hold, worker.sheet[name]
            for account in hold.accounts:
                self.costs[account.budget.id, account.window][name] = wanted

    @rule(pick=st.randoms(use_true_random=False), share=st.floats(0.0, 1.0))
    def settle(self, pick: object, share: float) -> None:
        """A request ends at what it cost."""
        worker = self.living(pick)
        if worker is None or not worker.open:
            return
        self.end(worker, pick.choice(sorted(worker.open)), share)  # type: ignore[attr-defined]  # a Random

    def end(self, worker: Worker, name: str, share: float) -> None:
        """A request comes to such a share of what it reserved."""
        hold, charge = worker.open.pop(name)
        charge = charge._replace(nano=int(hold.nano * share))
        for account in hold.accounts:
            self.costs[account.budget.id, account.window][name] = charge.nano
        worker.purse.settle(hold, charge.nano)
        worker.sheet[name] = charge
        worker.memory.append((name, charge))

    @rule(pick=st.randoms(use_true_random=False))
    def flush(self, pick: object) -> None:
        """Records reach the disk, and leave the sheet."""
        worker = self.living(pick)
        if worker is not None:
            self.flushed(worker)

    def flushed(self, worker: Worker) -> None:
        """What a worker has recorded reaches its disk."""
        worker.disk += worker.memory
        for name, _ in worker.memory:
            del worker.sheet[name]
        worker.memory.clear()

    @rule(pick=st.randoms(use_true_random=False))
    def load(self, pick: object) -> None:
        """The ledger of the node loads what is on disk, perhaps again."""
        worker = pick.choice(self.workers)  # type: ignore[attr-defined]  # hypothesis draws a Random
        self.enter(worker, worker.disk)

    def enter(self, worker: Worker, entries: list[tuple[str, Charge]]) -> None:
        """Enters what is new and charges it, in one transaction."""
        fresh = [(name, charge) for name, charge in entries if name not in self.loaded]
        self.loaded |= dict(fresh)
        self.books[worker.node].charge(self.rows, [charge for _, charge in fresh])

    @rule(pick=st.randoms(use_true_random=False), is_whole=st.booleans())
    def tell(self, pick: object, is_whole: bool) -> None:
        """A worker looks around and tells its ledger what it wishes."""
        worker = self.living(pick)
        if worker is not None:
            worker.purse.look(self.at)
            self.wishes += [(worker, wish) for wish in worker.purse.wishes(self.at, is_whole=is_whole)]

    @rule(pick=st.randoms(use_true_random=False), is_kept=st.booleans())
    def answer(self, pick: object, is_kept: bool) -> None:
        """The ledger answers any of the wishes on their way, which may come once more."""
        if not self.wishes:
            return
        sent = pick.choice(self.wishes)  # type: ignore[attr-defined]  # hypothesis draws a Random
        if not is_kept:
            self.wishes.remove(sent)
        worker, wish = sent
        if worker.is_alive:  # the connection of a dead one is closed
            self.grants.append((worker, self.granted(worker, wish)))

    @rule(pick=st.randoms(use_true_random=False), is_kept=st.booleans())
    def hear(self, pick: object, is_kept: bool) -> None:
        """A worker hears any of the answers on their way."""
        if not self.grants:
            return
        sent = pick.choice(self.grants)  # type: ignore[attr-defined]  # hypothesis draws a Random
        if not is_kept:
            self.grants.remove(sent)
        worker, grant = sent
        if worker.is_alive:
            worker.purse.grant(grant, self.at)

    @rule(pick=st.randoms(use_true_random=False), is_on=st.booleans())
    def recall(self, pick: object, is_on: bool) -> None:
        """Others wait for what a worker does not use, or do not any more."""
        worker = self.living(pick)
        if worker is not None:
            for account in worker.purse.all():
                worker.purse.recall(account.budget.id, account.window, is_on=is_on)

    @rule()
    def cut(self) -> None:
        """Both ledger processes die: what was on its way is lost, and they know only the accounts as they are."""
        self.wishes.clear()
        self.grants.clear()
        self.books = [Book(book.accounts) for book in self.books]

    @rule(pick=st.randoms(use_true_random=False))
    def kill(self, pick: object) -> None:
        """kill -9 of a worker; another takes its place."""
        worker = self.living(pick)
        if worker is not None:
            worker.is_alive = False
            self.hired += 1
            self.workers.append(Worker(f"w{self.hired}", worker.node, worker.known))

    @rule()
    def bury(self) -> None:
        """The ledger processes find who is dead, load what they left, and hold what nobody can know as spent."""
        for worker in [each for each in self.workers if not each.is_alive]:
            self.enter(worker, worker.disk)
            self.enter(worker, [(name, charge) for name, charge in worker.sheet.items() if name not in self.loaded])
            self.books[worker.node].bury(self.rows, worker.name)
            self.workers.remove(worker)

    @rule(which=st.sampled_from(["day", "month", "key"]), nano=st.integers(0, 4000))
    def change(self, which: str, nano: int) -> None:
        """An operator changes a limit."""
        changed = tuple(replace(each, limit_nano=nano) if each.id == which else each for each in self.truth.budgets)
        self.truth = accounts(*changed, revision=self.truth.revision + 1)

    @rule(which=st.sampled_from(["day", "month", "key"]))
    def drop(self, which: str) -> None:
        """An operator removes a budget."""
        kept = tuple(each for each in self.truth.budgets if each.id != which)
        self.truth = accounts(*kept, revision=self.truth.revision + 1)

    @rule(which=st.sampled_from(["day", "month", "key"]), nano=st.integers(0, 4000), is_enforced=st.booleans())
    def declare(self, which: str, nano: int, is_enforced: bool = True) -> None:
        """An operator sets a budget that was removed, changes its limit, or has it only warn."""
        window = Window.MONTH if which == "month" else Window.DAY
        fresh = budget(which, nano, key="k1" if which == "key" else None, window=window, is_enforced=is_enforced)
        others = tuple(each for each in self.truth.budgets if each.id != which)
        self.truth = accounts(*others, fresh, revision=self.truth.revision + 1)

    @rule(node=st.integers(0, 1), key=st.sampled_from(KEYS), nano=st.integers(1, 2000))
    def credit(self, node: int, key: str, nano: int) -> None:
        """An operator takes back what was entered too much."""
        charge = Charge("", self.at, "acme", key, "chat", -nano)
        self.credits.append(charge)
        self.loaded[f"c{len(self.credits)}"] = charge
        self.books[node].charge(self.rows, [charge])

    @rule(node=st.integers(0, 1))
    def learn(self, node: int) -> None:
        """A ledger process sees the accounts as they are now, and its workers hear of them."""
        # Requests before and after a worker heard are never of one instant: leases tell them apart by when they began.
        self.at += 1e-6
        self.books[node] = Book(self.truth, self.books[node])
        here = [each for each in self.workers if each.node == node and each.is_alive]
        self.books[node].suspend(self.rows, [each.name for each in here], self.at)
        self.books[node].limit(self.rows, self.at)
        for worker in here:
            self.hears(worker)
        for grant in self.bulletins[node].news(self.standing()):
            self.grants += [(each, grant) for each in self.workers if each.node == node and each.is_alive]

    def hears(self, worker: Worker) -> None:
        """A worker hears of the accounts as they are now."""
        worker.known = self.truth
        worker.purse.adopt(enforced(self.truth), self.truth.revision)

    def standing(self) -> Sequence[Tally]:
        """Where budgets stand in the windows that are open."""
        opened = {window_of(self.at, window) for window in Window}
        return [tally for tally in self.rows.tallies.values() if tally.window in opened]

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 7.0, 50_000.0]))
    def wait(self, seconds: float) -> None:
        """Time passes, perhaps into another day or month."""
        self.at += seconds

    @invariant()
    def nothing_is_overspent(self) -> None:
        """What may have to be paid is known, and within the limit."""
        if not hasattr(self, "rows"):
            return
        assert self.costs.keys() <= self.rows.tallies.keys()
        for where, tally in self.rows.tallies.items():
            covered = tally.spent_nano + outstanding(self.rows.leases(*where))
            back = [
                charge.nano
                for charge in self.credits
                if self.window(tally, charge) == tally.window
                and matches(tally.scope, charge.tenant, charge.key, charge.workload)
            ]
            costs = self.costs.get(where, {})
            assert sum(costs.values()) + sum(back) <= covered
            under_way = sum(nano for name, nano in costs.items() if name not in self.loaded)
            assert under_way <= outstanding(self.rows.leases(*where)), "reserved, and held by nobody"
            # What began while a budget was removed counts in it, and could not reserve from it.
            unreserved = self.unreserved(tally)
            assert covered <= max(tally.limit_nano, self.before.get(where, 0) + unreserved)
            self.before[where] = covered - unreserved

    def unreserved(self, tally: Tally) -> int:
        """What was entered of requests a budget is about that did not reserve from it."""
        reserved = self.costs.get((tally.budget, tally.window), {})
        return sum(
            charge.nano
            for name, charge in self.loaded.items()
            if charge.nano > 0
            and name not in reserved
            and self.window(tally, charge) == tally.window
            and matches(tally.scope, charge.tenant, charge.key, charge.workload)
        )

    def teardown(self) -> None:
        """Everybody dies, everything is loaded: nothing is leased, and spent is what was entered."""
        if not hasattr(self, "rows"):
            return
        for worker in self.workers:
            worker.is_alive = False
        self.books = [Book(self.truth), Book(self.truth)]
        self.bury()
        for where, tally in self.rows.tallies.items():
            assert outstanding(self.rows.leases(*where)) == 0
            entered = [
                charge.nano
                for charge in self.loaded.values()
                if self.window(tally, charge) == tally.window and (tally.budget != "key" or charge.key == "k1")
            ]
            assert tally.spent_nano == sum(entered)

    def entered(self, budget: Budget, window: str) -> int:
        """What the ledger has of a budget's scope in a window."""
        return sum(
            charge.nano
            for charge in self.loaded.values()
            if matches(budget.scope, charge.tenant, charge.key, charge.workload)
            and window_of(charge.at, budget.window) == window
        )

    @staticmethod
    def window(tally: Tally, charge: Charge) -> str:
        """The window a charge falls in, of the tally's kind."""
        return window_of(charge.at, kind_of(tally.window))


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


class Reaching(Spending):
    """The same where messages keep their order, and callers above what is known to be left are refused unasked."""

    def come(self, worker: Worker, key: str, nano: int) -> None:
        """A request reserves, waits, or is refused for good."""
        about = reserving(worker.known, key)
        held = tuple(worker.purse.account(each, self.at) for each in about)
        if all(account.free >= nano or nano <= account.left for account in held):
            super().come(worker, key, nano)

    @rule()
    def answer_first(self) -> None:
        """The ledger answers what came first."""
        if self.wishes:
            worker, wish = self.wishes.pop(0)
            if worker.is_alive:
                self.grants.append((worker, self.granted(worker, wish)))
                self.nothing_is_overspent()  # the next answer may go by a lower limit

    @rule()
    def hear_first(self) -> None:
        """A worker hears what was said first."""
        if self.grants:
            worker, grant = self.grants.pop(0)
            if worker.is_alive:
                worker.purse.grant(grant, self.at)

    def all_is_heard(self) -> None:
        """Everything on its way arrives."""
        while self.wishes or self.grants:
            self.answer_first()
            self.hear_first()

    @rule(pick=st.randoms(use_true_random=False), is_kept=st.booleans())
    def answer(self, pick: object, is_kept: bool) -> None:
        """Nothing overtakes, and nothing comes twice."""
        del pick, is_kept
        self.answer_first()

    @rule(pick=st.randoms(use_true_random=False), is_kept=st.booleans())
    def hear(self, pick: object, is_kept: bool) -> None:
        """Nothing overtakes, and nothing comes twice."""
        del pick, is_kept
        self.hear_first()

    def ask(self, worker: Worker, key: str, nano: int) -> None:
        """A request that waits until its worker has asked, and heard all before."""
        self.all_is_heard()
        super().ask(worker, key, nano)

    @rule()
    def cut(self) -> None:
        """A ledger process dies: what was on its way is lost, and after it workers tell all they know."""
        super().cut()
        self.bulletins = [Bulletin(), Bulletin()]
        self.tell_all(is_whole=True)

    def tell_all(self, *, is_whole: bool = False) -> None:
        """Every worker tells its ledger what it wishes."""
        for worker in self.workers:
            if worker.is_alive:
                worker.purse.look(self.at)
                self.wishes += [(worker, wish) for wish in worker.purse.wishes(self.at, is_whole=is_whole)]

    @rule(share=st.floats(0.0, 1.0))
    def rest(self, share: float) -> None:
        """All requests end and nobody asks for some time: what is not used goes back."""
        for worker in [each for each in self.workers if each.is_alive]:
            for name in sorted(worker.open):
                self.end(worker, name, share)
            for account in worker.purse.all():
                account.waiting = account.least = 0
        for _ in range(4):
            self.tell_all()
            self.all_is_heard()
            self.at += 6.0

    @rule(pick=st.randoms(use_true_random=False), key=st.sampled_from(KEYS), share=st.floats(0.0, 1.0))
    def what_fits_is_served(self, pick: object, key: str, share: float) -> None:
        """The ledgers have looked, and what others do not use comes back: a request within what is left is served."""
        worker = self.living(pick)
        if worker is not None:
            self.serve(worker, key, share)

    @rule(
        pick=st.randoms(use_true_random=False),
        which=st.sampled_from(["day", "month", "key"]),
        nano=st.integers(0, 4000),
        is_credit=st.booleans(),
    )
    def use_up_rest_and_come_again(self, pick: object, which: str, nano: int, is_credit: bool) -> None:
        """A worker uses all there is and gives back what it did not need; the operator makes room, or takes some."""
        worker = self.living(pick)
        if worker is None:
            return
        key = "k1" if which == "key" else "k2"
        self.serve(worker, key, 1.0)
        self.nothing_is_overspent()
        self.rest(0.9)
        self.nothing_is_overspent()  # what is given now is within the limit, what is loaded next need not be
        self.load_all()
        self.nothing_is_overspent()  # by the limit until now
        if is_credit:
            self.credit(worker.node, key, nano + 1)
        else:
            self.declare(which, nano)
        self.serve(worker, key, 1.0)

    def load_all(self) -> None:
        """Every record reaches the ledger."""
        for worker in [each for each in self.workers if each.is_alive]:
            self.enter(worker, [*worker.disk, *worker.memory])

    def serve(self, worker: Worker, key: str, share: float) -> None:
        """A request for such a share of what is left is served by that worker."""
        for node in range(2):
            self.learn(node)
        self.all_is_heard()
        about = reserving(worker.known, key)
        held = tuple(worker.purse.account(each, self.at) for each in about)
        for other in self.workers:
            if other is not worker and other.is_alive:
                for account in other.purse.all():
                    account.waiting = account.least = 0
                    other.purse.recall(account.budget.id, account.window, is_on=True)
                self.wishes += [(other, wish) for wish in other.purse.wishes(self.at)]
                for account in other.purse.all():
                    other.purse.recall(account.budget.id, account.window, is_on=False)
        self.wishes += [(worker, wish) for wish in worker.purse.wishes(self.at)]
        self.all_is_heard()
        nano = int(share * min([self.fits(account) for account in held], default=0))
        if nano <= 0:
            return
        short = worker.purse.reserve(held, nano)
        if short is not None:
            for account in held:
                assert account.free >= nano or nano <= account.left, "refused for good, though it fits"
                account.waiting = account.least = nano
            self.wishes += [(worker, wish) for wish in worker.purse.wishes(self.at)]
            self.all_is_heard()
            assert worker.purse.reserve(held, nano) is None, "waits in vain, though it fits"
        self.begin(worker, key, nano, held)

    def fits(self, account: Account) -> int:
        """What this worker may reserve at most: what it has free, and what nobody holds."""
        where = account.budget.id, account.window
        budget = account.budget
        fresh = Tally(*where, budget.scope, budget.limit_nano, 0, self.entered(budget, account.window))
        left = room(self.rows.tally(*where) or fresh, self.rows.leases(*where))
        return max(0, account.free) + left


TestReaching = Reaching.TestCase
TestReaching.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
