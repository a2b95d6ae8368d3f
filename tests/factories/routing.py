"""A desk in front of a router: sends requests, answers them, lets time pass; nothing but calls of the router itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from tripoint.domain.record import Failure, Reason, ShiftRecord
from tripoint.domain.table import RoutingTable, Target
from tripoint.engines.gateway.health.board import Board, LocalBoard
from tripoint.engines.gateway.routing.query import Choice, Query, Shed, TargetState
from tripoint.engines.gateway.routing.router import Router


class Desk:
    """One worker's router with a clock."""

    def __init__(self, table: RoutingTable, *, board: Board | None = None, seed: int = 1, now: float = 0.0) -> None:
        self.now = now
        self.board = board or LocalBoard()
        self.router = Router(table, self.board, seed=seed, now=now)
        self.shifts: list[ShiftRecord] = []

    def query(self, workload: str = "", **fields: object) -> Query:
        """A request of a workload, the first one unless told; a stream unless told."""
        routes = self.router.table.routes
        route = next((each for each in routes if each.workload == workload), routes[0])
        query = Query(route)
        query.tokens_in, query.tokens_out, query.is_stream = 100, 50, True
        for name, value in fields.items():
            setattr(query, name, value)
        return query

    def ask(self, query: Query | None = None, tried: Collection[int] = (), why: Reason | None = None) -> Choice | Shed:
        """One choice."""
        return self.router.choose(query or self.query(), tried, self.now, why=why)

    def take(self, query: Query | None = None, tried: Collection[int] = (), why: Reason | None = None) -> Choice:
        """One choice that must be had."""
        choice = self.ask(query, tried, why)
        assert isinstance(choice, Choice), choice
        return choice

    def refused(self, query: Query | None = None, tried: Collection[int] = (), why: Reason | None = None) -> Shed:
        """One refusal that must come."""
        shed = self.ask(query, tried, why)
        assert isinstance(shed, Shed), shed
        return shed

    def fail(self, choice: Choice, failure: Failure = Failure.CONNECT, retry_after_s: float = 0.0) -> None:
        """The attempt ends badly."""
        self.router.ended(choice, failure, self.now, retry_after_s=retry_after_s)

    def answer(self, choice: Choice, ttft_s: float = 0.05, tpot_s: float = 0.01) -> None:
        """The attempt is answered and ends well, all at this moment."""
        self.router.answered(choice, ttft_s, self.now)
        self.router.ended(choice, None, self.now, tokens_out=11, stream_s=10 * tpot_s)

    def serve(self, count: int, query: Query | None = None, ttft_s: dict[str, float] | None = None) -> Counter[str]:
        """Requests one after the other, each answered at once; tells how many went where."""
        went: Counter[str] = Counter()
        for _ in range(count):
            choice = self.take(query)
            went[choice.target.id] += 1
            self.answer(choice, (ttft_s or {}).get(choice.target.id, 0.05))
        return went

    def wait(self, seconds: float, step_s: float = 0.25) -> None:
        """Lets time pass, with a look every step."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + step_s)
            self.shifts += self.router.tick(self.now)

    def kill(self, upstream: str) -> None:
        """Fails an upstream until its breaker opens."""
        target = self.target(upstream)
        others = [each.slot for each in self.router.table.targets if each.id != upstream]
        for _ in range(10):
            if self.state(upstream).breaker != "closed":
                return
            self.fail(self.take(tried=others))
        raise AssertionError(f"{target.id} stays closed")

    def target(self, upstream: str) -> Target:
        """A target by its id."""
        return next(each for each in self.router.table.targets if each.id == upstream)

    def state(self, upstream: str) -> TargetState:
        """How an upstream is doing."""
        return next(each for each in self.router.states(self.now) if each.upstream == upstream)

    def weight(self, upstream: str) -> float:
        """Its share of the only workload's traffic."""
        return self.state(upstream).weights[0][1]
