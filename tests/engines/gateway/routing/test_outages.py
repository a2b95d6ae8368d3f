"""Outages played through with a clock: two workers, many requests, a site that dies, hangs, crawls or returns."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import pytest
from tests.factories.routing import Desk
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.record import Failure, Reason
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.routing.query import Choice

SERVICE_S = 0.05
PROBE_S = 0.5


class Play:
    """A play: requests arrive evenly at two workers; `state` says how each upstream behaves at a moment."""

    def __init__(self, found: RoutingTable, state: Callable[[str, float], str], rate: float, service_s: float) -> None:
        board = LocalBoard()
        self.desks = [Desk(found, board=board, seed=seed) for seed in (1, 2)]
        self.state, self.rate, self.service_s = state, rate, service_s
        self.lost: list[float] = []
        self.took: list[tuple[float, float]] = []
        self.timeouts: list[tuple[float, str]] = []
        self.went: list[tuple[float, str]] = []
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = count()

    def at(self, when: float, event: Callable[[float], None]) -> None:
        """Plans an event."""
        heapq.heappush(self._events, (when, next(self._number), event))

    def run(self, seconds: float) -> None:
        """Plays it to the end, looks and probes included."""
        for number in range(int(seconds * self.rate)):
            self.at(number / self.rate, lambda now, desk=self.desks[number % 2]: self.arrive(desk, now))  # type: ignore[misc]  # bound now
        for number in range(int(seconds * 4)):
            self.at(number / 4, self.look)
        while self._events:
            now, _, event = heapq.heappop(self._events)
            for desk in self.desks:
                desk.now = now
            event(now)

    def look(self, now: float) -> None:
        """Both workers tick and probe."""
        for desk in self.desks:
            desk.shifts += desk.router.tick(now)
            for each in desk.router.probes_due(now):
                state = self.state(each.id, now)
                ok, wait_s = state in ("well", "slow"), PROBE_S if state == "hung" else 0.001
                self.at(now + wait_s, lambda later, desk=desk, each=each, ok=ok: desk.router.probed(each, ok, later))  # type: ignore[misc]  # bound now

    def arrive(self, desk: Desk, now: float) -> None:
        """A request comes in."""
        desk.router.arrived(now)
        self.attempt(desk, now, [], None)

    def attempt(self, desk: Desk, began: float, tried: list[int], why: Reason | None) -> None:
        """It is sent somewhere, or shed."""
        choice = desk.ask(None, tried, why)
        if not isinstance(choice, Choice):
            self.lost.append(desk.now)
            return
        self.went.append((desk.now, choice.target.id))
        state = self.state(choice.target.id, desk.now)
        patience = desk.router.first_byte_timeout_s(choice, desk.now)
        takes = {"dead": 0.001, "hung": patience, "well": self.service_s, "slow": 10 * self.service_s}[state]
        self.at(desk.now + min(takes, patience), lambda now: self.end(desk, choice, began, tried, now))

    def end(self, desk: Desk, choice: Choice, began: float, tried: list[int], now: float) -> None:
        """The attempt ends, as the upstream is by now; what failed goes elsewhere where it may."""
        upstream = choice.target.id
        state = self.state(upstream, now)
        if state in ("well", "slow") and self.state(upstream, choice.at) == state:
            desk.router.answered(choice, now - choice.at, now)
            desk.router.ended(choice, None, now, tokens_out=50)
            self.took.append((began, now - began))
            return
        failure = Failure.TIMEOUT if state == "hung" else Failure.CONNECT
        if failure is Failure.TIMEOUT:
            self.timeouts.append((choice.at, upstream))
        desk.router.ended(choice, failure, now)
        if len(tried) < 3 and desk.router.may_retry(now):
            self.attempt(desk, began, [*tried, choice.index], Reason.FAILOVER)
        else:
            self.lost.append(now)

    def share(self, upstream: str, since: float, until: float) -> float:
        """Share of the attempts in a span that went to an upstream."""
        span = [name for when, name in self.went if since <= when < until]
        return span.count(upstream) / len(span)

    def slowest(self, since: float, until: float) -> float:
        """Longest time a request that began in a span took, s."""
        return max(took for began, took in self.took if since <= began < until)


def two(places: int = 200) -> RoutingTable:
    """Half the traffic each."""
    targets = [target("a", max_concurrency=places), target("b", slot=1, max_concurrency=places)]
    return table(targets, [route(candidate(0, share=0.5), candidate(1, share=0.5))])


def between(first: float, last: float, how: str) -> Callable[[str, float], str]:
    """`a` is so for a while."""
    return lambda upstream, now: how if upstream == "a" and first <= now < last else "well"


@pytest.mark.parametrize("service_s", [0.05, 4.0])
def test_a_dead_upstream_costs_no_request(service_s: float) -> None:
    """Fifty a second, one of two is killed: none lost, short or long, and the unlucky ones lose nothing but what was
    done; the share is back within twice the longest time shut.
    """
    play = Play(two(600), between(20.0, 40.0, "dead"), rate=50.0, service_s=service_s)
    play.run(80.0)
    assert play.lost == []
    assert play.slowest(20.0, 80.0) <= 2 * service_s + 0.1
    assert play.share("a", 25.0, 38.0) < 0.02
    assert play.share("a", 75.0, 80.0) == pytest.approx(0.5, abs=0.02)


def test_a_hung_upstream_costs_a_second_once() -> None:
    """It is left before any time-out is over; afterwards nobody pays: synthetic probes find out."""
    play = Play(two(), between(20.0, 60.0, "hung"), rate=50.0, service_s=SERVICE_S)
    play.run(100.0)
    assert play.lost == []
    assert play.slowest(20.0, 100.0) <= 1.2
    assert all(sent < 21.0 for sent, _ in play.timeouts)
    assert len(play.timeouts) < 25
    assert play.share("a", 95.0, 100.0) == pytest.approx(0.5, abs=0.02)


def test_a_crawling_upstream_is_left_for_the_objective() -> None:
    """Ten times slower than asked: its share goes to the other while that holds, and comes back afterwards."""
    targets = [target("a", max_concurrency=200), target("b", slot=1, max_concurrency=200)]
    made = route(candidate(0, share=0.5), candidate(1, share=0.5), ttft_ms=200.0)
    play = Play(table(targets, [made]), between(20.0, 60.0, "slow"), rate=50.0, service_s=SERVICE_S)
    play.run(300.0)
    assert play.lost == []
    assert play.share("a", 22.0, 60.0) < 0.1
    assert play.share("a", 290.0, 300.0) == pytest.approx(0.5, abs=0.02)


def test_a_total_outage_sheds_and_ends() -> None:
    """Both die: few attempts, the rest refused at once; both return, and so does everything within half a minute."""
    play = Play(two(), lambda _, now: "dead" if 20.0 <= now < 60.0 else "well", rate=50.0, service_s=SERVICE_S)
    play.run(100.0)
    during = [when for when, _ in play.went if 20.5 <= when < 60.0]
    assert len(during) <= 3 * 40
    assert not [when for when in play.lost if when < 20.0 or when > 80.0]
    assert play.share("a", 95.0, 100.0) == pytest.approx(0.5, abs=0.02)


def test_a_survivor_is_never_overloaded() -> None:
    """What it takes is 40 % of the load: that much is served, the rest shed; nobody waits for it."""
    targets = [target("a", max_concurrency=200), target("b", slot=1, max_concurrency=2)]
    found = table(targets, [route(candidate(0, share=1.0), candidate(1, usd=2.0))])
    play = Play(found, between(20.0, 60.0, "dead"), rate=100.0, service_s=SERVICE_S)
    play.run(60.0)
    served = [began for began, _ in play.took if 30.0 <= began < 59.0]
    assert len(served) / 29.0 == pytest.approx(40.0, rel=0.15)
    assert play.slowest(30.0, 59.0) <= 0.11
