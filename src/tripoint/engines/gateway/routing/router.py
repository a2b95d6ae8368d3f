"""Which candidate serves a request: policy first, then health, objective and live cost.

There is no queue here: model servers queue and batch by themselves, and a second queue in front would hide their load
and spend the caller's deadline unseen. What finds no room anywhere is shed at once, with a time to come back.
"""

from __future__ import annotations

from collections.abc import Collection
from math import inf
from typing import Final

from tripoint.domain.record import Failure, Reason, ShiftRecord
from tripoint.domain.serving import Api
from tripoint.domain.table import RoutingTable, Target
from tripoint.engines.gateway.health.absence import Absences
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.health.breaker import Standing
from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.health.retries import RetryBudget
from tripoint.engines.gateway.routing.fleet import Fleet
from tripoint.engines.gateway.routing.flow import Way
from tripoint.engines.gateway.routing.permit import Permitted, narrowed, permitted, present
from tripoint.engines.gateway.routing.query import Choice, Query, Shed, TargetState
from tripoint.engines.gateway.routing.shift import moved
from tripoint.engines.gateway.routing.spill import Spill
from tripoint.engines.gateway.routing.split import by_prefix, by_turns

LOOK_S: Final = 0.25
"""Quantiles, costs and shares are at most so old."""
_PROBE_S: Final = 8.0
"""How long a worker that probes keeps others from it, should it die meanwhile: longer than any probe is waited for."""
_LIMITED_S: Final = 1.0
"""How long a target that says "not now" without saying how long is left alone, s."""
_LONGEST_LIMIT_S: Final = 600.0
_MAX_KINDS = 4096
# A member of an enum takes longer to reach than a name of the module.
_EMBEDDINGS: Final = Api.EMBEDDINGS
_HEDGE: Final = Reason.HEDGE
_AFFINITY: Final = Reason.AFFINITY
_AGAIN: Final = frozenset((Reason.RETRY, Reason.FAILOVER, Reason.HEDGE, Reason.RESUME, Reason.PANIC))
"""Attempts beyond a request's first: their loss earns no credit."""


class Router:
    """Chooses for every request; the simulator drives the same object."""

    def __init__(self, table: RoutingTable, board: Board, *, seed: int, now: float) -> None:
        self.table = table
        self._board = board
        self._fleet = Fleet(table, board, seed=seed, now=now)
        self._spill = Spill(board, table.first_byte_s, table.shifting.max_cost_factor)
        self._kinds: dict[tuple[str, str | None, frozenset[str] | None, Api], Permitted] = {}
        self._latest: dict[str, Permitted] = {}
        """By workload, those looked up last: mostly the next request is of the same kind."""
        self._absences = Absences()
        self._look_at = now + LOOK_S
        self._still_until = -inf
        """When this process last went on after it had been stopped, s: no time measured over that is an upstream's."""
        self._heed(table)
        self._retries = RetryBudget(table.retry_share, now=now)
        self._hedges = RetryBudget(table.hedging.max_share if table.hedging else 0.0, floor=1.0, now=now)

    # --- before and after -------------------------------------------------------------------------------------------

    def reload(self, table: RoutingTable, now: float) -> None:
        """Goes by another table from the next choice on; health, places and weights stay with what persists."""
        self.table = table
        self._heed(table)
        self._fleet.load(table, now)
        self._kinds.clear()
        self._latest.clear()
        self._absences.clear()
        self._spill.first_byte_s, self._spill.max_cost_factor = table.first_byte_s, table.shifting.max_cost_factor
        self._retries.resize(table.retry_share)
        self._hedges.resize(table.hedging.max_share if table.hedging else 0.0)

    def _heed(self, table: RoutingTable) -> None:
        """What every request asks of a table, kept here: reaching into one costs more."""
        self.is_hedged = table.hedging is not None
        """True where the table asks elsewhere as well when an answer is late."""
        self._keeps_together = table.prefix_affinity
        self._first_byte_s = table.first_byte_s

    def arrived(self, now: float) -> None:
        """Counts a request of ordinary traffic: what retries and hedges are a share of."""
        self._retries.arrived(now)
        if self.is_hedged:
            self._hedges.arrived(now)

    def tick(self, now: float) -> list[ShiftRecord]:
        """Looks around and moves traffic, a few times a second; tells what was moved."""
        self._look(now)
        fleet, rules = self._fleet, self.table.shifting
        records = [record for flow in fleet.flows.values() if (record := moved(flow, rules, now)) is not None]
        if records:
            fleet.reshare(now)
        return records

    def _look(self, now: float) -> None:
        self._look_at = now + LOOK_S
        self._fleet.look(now)

    # --- choosing ---------------------------------------------------------------------------------------------------

    def choose(self, query: Query, tried: Collection[int], now: float, *, why: Reason | None = None) -> Choice | Shed:
        """Takes a place on a target and says which; `tried` holds what `Choice.index` was of targets used up.

        `why` is the reason recorded for anything but a first attempt.
        """
        if now >= self._look_at:
            self._look(now)
        among = self._latest.get(query.workload)
        if among is None or not among.is_of(query):
            among = self._permit(query)
        absences = self._absences
        if query.must_reproduce or absences.found or query.tokens_in + query.tokens_out > among.context_tokens:
            among = present(narrowed(among, query), absences, query.api, now)
        flow = among.flow
        if flow is None:
            return among.refusal
        ways = among.ways
        if tried:
            ways = tuple(way for way in ways if way.slot not in tried)
        if self._fleet.half_open and why is not _HEDGE:
            way = self._spill.trial(ways, now)
            if way is not None:
                return self._taken(way, query, why or way.reason, now, is_trial=True)
        prefix = query.prefix
        if prefix and self._keeps_together:
            way, reason = by_prefix(ways, flow, prefix), _AFFINITY if len(among.ways) > 1 else None
        else:
            way, reason = by_turns(ways), None
        if way is not None:
            station = way.station
            if self._board.opened_until(way.slot) > 0.0:
                station.heed(now)
                self._fleet.reshare(now)
            elif self._board.acquire(way.slot, way.places):
                return self._taken(way, query, why or reason or way.reason, now)
        return self._elsewhere(among, query, tried, now, why)

    def _permit(self, query: Query) -> Permitted:
        """Looks up a kind of request, or filters for one not seen before; what callers can vary at will is not kept."""
        workload = query.workload
        kind = (workload, query.label, query.sites, query.api)
        among = self._kinds.get(kind)
        if among is None:
            among = permitted(self.table, self._fleet.flows.get(workload), query)
            if among.flow is None and among.refusal.code == "unknown_classification":
                return among
            if len(self._kinds) >= _MAX_KINDS:
                self._kinds.clear()
                self._latest.clear()
            among.label, among.sites, among.api = query.label, query.sites, query.api
            self._kinds[kind] = among
        self._latest[workload] = among
        return among

    def _elsewhere(
        self, among: Permitted, query: Query, tried: Collection[int], now: float, why: Reason | None
    ) -> Choice | Shed:
        """Those that were to serve have no room, are shut, or were tried."""
        found = self._spill.find(among, query, tried, now, why)
        if isinstance(found, Shed) and self._has_recovered(among, now):
            found = self._spill.find(among, query, tried, now, why)
        if isinstance(found, Shed):
            return found
        way, reason, is_trial = found
        if reason is not Reason.FALLBACK and reason is not Reason.PANIC:
            reason = why or reason
        return self._taken(way, query, reason, now, is_trial=is_trial)

    def _has_recovered(self, among: Permitted, now: float) -> bool:
        """True when another worker has found a place well since our last look: nobody is refused for want of it."""
        stations = [way.station for way in among.ways + among.others]
        for station in stations:
            if station.breaker.standing is not Standing.CLOSED:
                station.heed(now)
        if not any(way.station.limit and not way.places for way in among.ways + among.others):
            return False
        self._fleet.reshare(now)
        return True

    def _taken(self, way: Way, query: Query, reason: Reason, now: float, *, is_trial: bool = False) -> Choice:
        tokens_out = query.tokens_out or query.route.tokens_out
        choice = Choice(way, query, reason, now)
        station, flow = way.station, way.flow
        station.live += 1
        if station.pending == 0:
            station.pending_since = now
        station.pending += 1
        way.live += 1
        way.recent += 1.0
        flow.live += 1
        flow.recent += 1.0
        flow.requests += 1
        flow.tokens_in += query.tokens_in
        flow.tokens_out += tokens_out
        if self._absences.found:
            self._absences.asked((way.slot, way.candidate.model, query.api), now)
        if is_trial:
            choice.is_trial = True
            station.is_trial_out = True
        return choice

    # --- outcomes ---------------------------------------------------------------------------------------------------

    def answered(self, choice: Choice, ttft_s: float, now: float) -> None:
        """Notes the first byte of an answer that will be passed on, `ttft_s` after it was asked for."""
        if choice.is_answered or choice.is_over:
            return
        choice.is_answered = True
        way = choice.way
        station = way.station
        station.pending -= 1
        station.last_sign = now
        query = choice.query
        pace = way.of_first if query.is_stream or query.api is _EMBEDDINGS else way.of_whole
        if choice.at >= self._still_until:
            pace.ttft.add(now, ttft_s)
        pace.use += (station.use - pace.use) * 0.05
        if station.is_silent:
            station.is_silent = False
            self._fleet.reshare(now)
        if choice.is_trial:
            self._well(choice, now)

    def ended(
        self,
        choice: Choice,
        failure: Failure | None,
        now: float,
        *,
        tokens_out: int = 0,
        stream_s: float = 0.0,
        retry_after_s: float = 0.0,
    ) -> None:
        """Gives the place back and notes how it went; a second time does nothing."""
        if choice.is_over:
            return
        choice.is_over = True
        way = choice.way
        station = way.station
        self._board.release(choice.index)
        station.live -= 1
        way.live -= 1
        way.flow.live -= 1
        if not choice.is_answered:
            station.pending -= 1
        if failure is not None:
            self._failed(choice, failure, now, retry_after_s)
            return
        if not choice.is_answered:  # nothing was sent, so nothing was learnt
            self._undecided(choice)
            return
        station.last_sign = now
        query = choice.query
        is_first = query.is_stream or query.api is _EMBEDDINGS
        pace = way.of_first if is_first else way.of_whole
        if choice.at >= self._still_until:
            pace.ended(now - choice.at, query.tokens_in, tokens_out)
            if tokens_out > 1 and stream_s > 0.0:
                pace.tpot.add(now, stream_s / (tokens_out - 1))
        breaker = station.breaker
        if choice.epoch == breaker.epoch:
            breaker.succeeded(now)
        if self._absences.found:
            self._absences.there((way.slot, way.candidate.model, query.api))

    def _failed(self, choice: Choice, failure: Failure, now: float, retry_after_s: float) -> None:
        station = choice.way.station
        breaker = station.breaker
        if failure is Failure.CANCELLED or (failure is Failure.TIMEOUT and choice.is_answered):
            self._undecided(choice)  # the caller hung up, or the request's own deadline came in mid-answer
            return
        if failure is Failure.LIMITED:
            station.last_sign = now
            wait_s = min(retry_after_s or _LIMITED_S, _LONGEST_LIMIT_S)
            station.limited_until = max(station.limited_until, now + wait_s)
            if choice.is_trial:
                self._well(choice, now)
            station.relimit(now)
            self._fleet.reshare(now)
            return
        if failure is Failure.ABSENT:  # it lives, and says that it has no such model
            station.last_sign = now
            self._absences.missed((choice.index, choice.candidate.model, choice.query.api), now)
            if choice.is_trial:
                self._well(choice, now)
            return
        if failure is Failure.TIMEOUT and station.last_sign > choice.at >= self._still_until:
            # It answers others, only more slowly than was waited for: wait longer from now on.
            pace = choice.way.of_first if choice.query.is_stream else choice.way.of_whole
            pace.ttft.add(now, now - choice.at)
        if choice.epoch == breaker.epoch:
            self._count(choice, now)
        if breaker.standing is not Standing.CLOSED and choice.reason not in _AGAIN:
            self._retries.grant(now)

    def _count(self, choice: Choice, now: float) -> None:
        """Counts a failure that says something about the present."""
        station = choice.way.station
        breaker = station.breaker
        is_verdict = choice.is_trial and breaker.standing is not Standing.CLOSED
        if is_verdict:
            breaker.refused(now)
        elif not breaker.failed(now):
            return
        station.shut(now, is_claimed=is_verdict)
        self._fleet.reshare(now)

    def _undecided(self, choice: Choice) -> None:
        """A trial that told nothing: the next request may be it, but one in panic only when its second is over."""
        station = choice.way.station
        if choice.is_trial and station.is_trial_out and choice.epoch == station.breaker.epoch:
            station.is_trial_out = False
            if station.breaker.standing is Standing.HALF_OPEN:
                self._board.unclaim(station.slot)

    def _well(self, choice: Choice, now: float) -> None:
        station = choice.way.station
        if choice.epoch == station.breaker.epoch and station.breaker.standing is not Standing.CLOSED:
            station.reopen(now)
            choice.epoch = station.breaker.epoch  # how it goes on counts like any other
            self._fleet.reshare(now)

    # --- patience ---------------------------------------------------------------------------------------------------

    def may_retry(self, now: float) -> bool:
        """Takes a credit for a retry, failover or resumption; False when there is none."""
        return self._retries.spend(now)

    def may_hedge(self, now: float) -> bool:
        """Takes a credit for a hedge; False when there is none."""
        return self.table.hedging is not None and self._hedges.spend(now)

    def first_byte_timeout_s(self, choice: Choice, now: float, *, is_last: bool = False) -> float:
        """How long to wait for a first byte, s: as measured, `first_byte_s` at most; longer for one that `is_last`."""
        del now
        return choice.way.patience_s(choice.query, self._first_byte_s, is_last=is_last)

    def hedge_after_s(self, choice: Choice, now: float) -> float | None:
        """When to ask elsewhere as well, s after the attempt began; `None` while that is not known or not wanted."""
        del now
        if self.table.hedging is None:
            return None
        query, way = choice.query, choice.way
        pace = way.of_first if query.is_stream or query.api is _EMBEDDINGS else way.of_whole
        return pace.hedge_s or None

    # --- the world beside requests ----------------------------------------------------------------------------------

    def probes_due(self, now: float) -> list[Target]:
        """Shut targets this worker is to probe now; each must be told of by `probed`."""
        due = []
        for station in self._fleet.stations.values():
            if station.is_due(now):
                station.heed(now)
                if station.is_due(now) and self._board.claim(station.slot, now, _PROBE_S):  # by what all workers know
                    due.append(station.target)
        return due

    def probed(self, target: Target, ok: bool, now: float) -> None:
        """Notes how a probe went; of a target that is gone meanwhile nothing is noted."""
        station = self._fleet.station(target)
        if station is None or station.breaker.standing is not Standing.OPEN or station.is_trial_out:
            return
        if ok:
            station.breaker.half_open()
            self._board.unclaim(station.slot)
        else:
            station.breaker.refused(now)
            station.shut(now, is_claimed=True)
        self._fleet.reshare(now)

    def stood_still(self, now: float) -> None:
        """Notes that this process was not running for a while until now: what began before tells no upstream's pace."""
        self._still_until = now
        for station in self._fleet.stations.values():
            station.pending_since = now
            station.is_silent = False
        self._fleet.reshare(now)

    def observed(self, target: Target, load: UpstreamLoad, now: float) -> None:
        """Notes what a target says of its load; it is believed for a quarter of a minute."""
        station = self._fleet.station(target)
        if station is not None:
            station.load, station.load_at = load, now

    def states(self, now: float) -> tuple[TargetState, ...]:
        """How every target is doing, in the order of the table."""
        return self._fleet.states(now)
