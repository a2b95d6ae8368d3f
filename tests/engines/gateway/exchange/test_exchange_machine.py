"""Many requests over failing upstreams, reloads and leaving callers: whatever happens, every request ends once.

The rules play the upstreams, the clock and the callers in any order. After each step: a request that is over has
exactly one record and one end; one that is not has an attempt under way, or waits for money, and has a timer; places
held equal attempts under way; nothing went to a target that the table of the moment of sending did not permit; no
attempt was sent after the deadline; attempts stay within the retry budget; what is reserved is what requests hold.
"""

from __future__ import annotations

from math import isfinite

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.factories.budgeting import Rows, accounts, budget
from tests.factories.exchanging import DOCUMENT, DONE, EVENTS, Desk, World, answer, piece, usage_event
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.record import Ending, Failure
from tripoint.domain.serving import Hedging
from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.engines.gateway.entry.keyring import Register
from tripoint.engines.gateway.exchange.effects import Attempt
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.governance.budget.book import Book

DEADLINE_S = 30.0
RETRY_FLOOR = 10.0
KEY = {b"authorization": b"Bearer sk-acme"}
SECRETS = {"env:ACME": "sk-acme"}
LIMITS = (0, 8 * 10**6, 16 * 10**6, 64 * 10**6)
"""Budgets, nano-dollars: none, some attempts' worth, and plenty."""


class Watched(World):
    """A world that checks every attempt against the policy of the moment it is sent."""

    def __init__(self, permitted: list[set[str]], desk: Desk) -> None:
        super().__init__()
        self._permitted = permitted
        self._desk = desk
        self.live: list[Attempt] = []

    def dial(self, attempt: Attempt) -> None:
        """See `Effects`."""
        super().dial(attempt)
        assert attempt.target.id in self._permitted[-1]
        exchange = attempt.choice.query
        assert isinstance(exchange, Exchange)
        assert self._desk.now < exchange.deadline
        assert exchange.stay is None or exchange.stay.hold is not None
        if attempt not in self.live:
            self.live.append(attempt)

    def drop(self, attempt: Attempt) -> None:
        """See `Effects`."""
        super().drop(attempt)
        self.live.remove(attempt)


def three(allowed: set[int], *, is_reproducible: bool) -> RoutingTable:
    """Three targets; the workload may use those in `allowed`."""
    targets = [
        target(name, slot=slot, is_reproducible=is_reproducible, max_concurrency=4) for slot, name in enumerate("abc")
    ]
    return table(
        targets,
        [route(*(candidate(index, usd=1.0 + index) for index in sorted(allowed)))],
        keys=(KeyEntry(id="acme", tenant="acme", secret="env:ACME", workloads=(), sites=None),),
        deadline_s=DEADLINE_S,
        first_byte_s=5.0,
        stall_s=4.0,
        hedging=Hedging(quantile=0.5, max_share=0.5),
    )


class Requests(RuleBasedStateMachine):
    """Requests under way and what befalls them."""

    @initialize(is_reproducible=st.booleans(), limit=st.sampled_from(LIMITS))
    def start(self, is_reproducible: bool, limit: int) -> None:
        """Opens the desk."""
        self.is_reproducible = is_reproducible
        self.permitted: list[set[str]] = [{"a", "b", "c"}]
        self.desk = Desk(three({0, 1, 2}, is_reproducible=is_reproducible), SECRETS)
        self.desk.headers = KEY
        found = accounts(budget(limit=limit)) if limit else accounts()
        self.desk.gateway.register(Register(found, b"pepper"))
        self.book, self.rows = Book(found), Rows()
        self.open: list[tuple[Exchange, Watched]] = []
        self.offered = 0

    @rule(is_stream=st.booleans(), is_greedy=st.booleans())
    def arrive(self, is_stream: bool, is_greedy: bool) -> None:
        """A request comes."""
        world = Watched(self.permitted, self.desk)
        body = {"model": "chat", "messages": [], "stream": is_stream, **({"temperature": 0} if is_greedy else {})}
        self.offered += 1
        self.desk_world = world
        exchange, _ = self.desk.ask(body, world=world)
        assert exchange is not None
        self.open.append((exchange, world))

    @rule(
        pick=st.randoms(use_true_random=False),
        what=st.sampled_from(["head", "piece", "end", "lost", "stale", "bad", "whole"]),
        failure=st.sampled_from([Failure.CONNECT, Failure.RESET, Failure.LOST, Failure.ANSWER]),
    )
    def upstream(self, pick: object, what: str, failure: Failure) -> None:
        """Something comes from an upstream."""
        live = [(exchange, world, attempt) for exchange, world in self.open for attempt in world.live]
        if not live:
            return
        exchange, world, attempt = pick.choice(live)  # type: ignore[attr-defined]  # hypothesis draws a Random
        is_stream, now = exchange.ask.is_stream, self.desk.now
        kind = EVENTS if is_stream else DOCUMENT
        if what == "lost":
            world.live.remove(attempt)
            exchange.on_lost(attempt, failure, now)
        elif what == "stale" and attempt.status == 0 and not attempt.is_fresh:
            world.live.remove(attempt)
            exchange.on_lost(attempt, Failure.RESET, now, was_reused=True)
        elif what == "bad" and attempt.status == 0:
            world.live.remove(attempt)
            exchange.on_head(attempt, 500, DOCUMENT, b"", now)
            exchange.on_end(attempt, now)
        elif what == "head" and attempt.status == 0:
            exchange.on_head(attempt, 200, kind, b"", now)
        elif what == "piece" and attempt.status == 200:
            exchange.on_data(attempt, piece("word ") if is_stream else b'{"half":', now)
        elif what == "end" and attempt.status == 200:
            world.live.remove(attempt)
            exchange.on_end(attempt, now)
        elif what == "whole":
            if attempt.status == 0:
                exchange.on_head(attempt, 200, kind, b"", now)
            exchange.on_data(attempt, piece("word ") + usage_event(3, 1) + DONE if is_stream else answer(), now)
            if attempt in world.live:
                world.live.remove(attempt)
                exchange.on_end(attempt, now)

    @rule(pick=st.randoms(use_true_random=False))
    def leave(self, pick: object) -> None:
        """A caller hangs up."""
        if self.open:
            exchange, world = pick.choice(self.open)  # type: ignore[attr-defined]  # hypothesis draws a Random
            exchange.on_client_gone(self.desk.now)
            world.ending = "left"

    @rule(seconds=st.sampled_from([0.01, 0.3, 2.0, 6.0, 31.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.desk.now += seconds
        self.desk.gateway.tick(self.desk.now)
        self.wake()

    def wake(self) -> None:
        """Whoever is due is woken, those included who go on since another one has ended."""
        while due := [each for each, _ in self.open if not each.is_over and each.due <= self.desk.now]:
            for exchange in due:
                exchange.on_timer(self.desk.now)
                assert exchange.is_over or exchange.due > self.desk.now

    @rule(allowed=st.sets(st.sampled_from([0, 1, 2]), min_size=1))
    def reload(self, allowed: set[int]) -> None:
        """The policy changes while requests are under way."""
        self.permitted.append({"abc"[index] for index in allowed})
        self.desk.gateway.reload(three(allowed, is_reproducible=self.is_reproducible), SECRETS, self.desk.now)

    @rule()
    def ledger(self) -> None:
        """What the worker wishes is answered, as far as the budget reaches."""
        admission, at = self.desk.gateway.admission, self.desk.now + self.desk.gateway.epoch
        admission.purse.look(at)
        grants = [self.book.answer(self.rows, "w", wish).grant for wish in admission.purse.wishes(at)]
        admission.granted(grants, self.desk.now)
        self.wake()

    @invariant()
    def every_request_is_accounted_for(self) -> None:
        """Offered = under way + recorded, and places held = attempts under way."""
        if not hasattr(self, "desk"):
            return
        over = [(exchange, world) for exchange, world in self.open if exchange.is_over]
        for _, world in over:
            assert world.ending
            assert not world.live
        self.open = [(exchange, world) for exchange, world in self.open if not exchange.is_over]
        assert len(self.desk.records) == self.offered - len(self.open)
        assert self.desk.held() == sum(len(world.live) for _, world in self.open)
        for exchange, world in self.open:
            assert not world.ending
            assert world.live or (exchange.stay is not None and exchange.stay.is_parked)
            assert isfinite(exchange.due)
            assert exchange.due <= exchange.deadline
        stays = [exchange.stay for exchange, _ in self.open if exchange.stay is not None]
        admission = self.desk.gateway.admission
        for account in admission.purse.all():
            assert account.reserved == sum(stay.hold.nano for stay in stays if stay.hold is not None)
            assert account.waiting == sum(stay.asked for stay in stays if stay.is_parked and not stay.refusal)
            assert account.free >= 0
        assert admission.waiting == sum(stay.is_parked and stay.asked > 0 and not stay.refusal for stay in stays)

    def teardown(self) -> None:
        """In the end time ends everything, and streams that began end with a mark or a word."""
        if not hasattr(self, "desk"):
            return
        worlds = [world for _, world in self.open]
        self.desk.now += DEADLINE_S + 1
        for exchange, _ in self.open:
            exchange.on_timer(self.desk.now)
        assert self.desk.held() == 0
        assert self.desk.gateway.admission.waiting == 0
        assert all(account.reserved == 0 for account in self.desk.gateway.admission.purse.all())
        assert len(self.desk.records) == self.offered
        assert all(world.ending for world in worlds)
        assert all(record.ending in set(Ending) for record in self.desk.records)
        retries = sum(
            row.reason in ("failover", "retry", "resume") for record in self.desk.records for row in record.attempts
        )
        elapsed = self.desk.now - 100.0
        assert retries <= 0.1 * self.offered + RETRY_FLOOR * (1 + elapsed / 10.0)


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
