"""Where a request goes when those that were to serve it cannot: elsewhere, to another model, to a trial, or back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tripoint.domain.record import Reason
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.health.breaker import Standing
from tripoint.engines.gateway.health.station import PANIC_S
from tripoint.engines.gateway.routing.flow import Flow, Way
from tripoint.engines.gateway.routing.permit import Permitted
from tripoint.engines.gateway.routing.query import Query, Shed

_TRIAL_SLACK_S: Final = 5.0
_LONGEST_WAIT_S: Final = 30.0

NONE_LEFT: Final = Shed(429, "none_left", "every upstream that is up was tried", 1.0)
"""No lack of room: the request is told how its last attempt failed instead."""

Found = tuple[Way, Reason, bool]
"""A way on which a place was taken, why, and whether it is a trial."""


class Spill:
    """The rarer half of choosing; it too sees nothing but permitted ways."""

    __slots__ = ("_board", "first_byte_s", "max_cost_factor")

    def __init__(self, board: Board, first_byte_s: float, max_cost_factor: float | None) -> None:
        self._board = board
        self.first_byte_s = first_byte_s
        self.max_cost_factor = max_cost_factor

    def trial(self, ways: tuple[Way, ...], now: float, *, any_weight: bool = False) -> Way | None:
        """Takes the one live request that decides whether a half-open target is well; `None` when none waits for it."""
        board = self._board
        for way in ways:
            station = way.station
            if (
                station.breaker.standing is not Standing.HALF_OPEN
                or station.is_trial_out
                or now < station.limited_until
            ):
                continue
            if not (any_weight or way.weight) or not board.claim(way.slot, now, self.first_byte_s + _TRIAL_SLACK_S):
                continue
            # Another worker may have found it dead since the last look here, or well.
            if station.is_half_open(now) and board.acquire(way.slot, station.target.max_concurrency):
                return way
            board.unclaim(way.slot)
        return None

    def find(
        self, among: Permitted, query: Query, tried: Collection[int], now: float, why: Reason | None
    ) -> Found | Shed:
        """Takes a place elsewhere: the same model by objective and cost, then fallback models, then panic."""
        is_hedge = why is Reason.HEDGE
        flow = among.flow
        assert flow is not None
        for ways in (among.ways,) if is_hedge else (among.ways, among.others):
            fresh = tuple(way for way in ways if way.slot not in tried)
            way = self._cheapest(fresh, flow, query, now)
            if way is not None:
                return way, _reason(way, among.ways), False
            way = None if is_hedge else self.trial(fresh, now, any_weight=True)
            if way is not None:
                return way, _reason(way, among.ways), True
        # Without its credential an upstream has no place at all, and no time to wait brings it one.
        everywhere = tuple(way for way in among.ways + among.others if way.station.target.max_concurrency > 0)
        if not everywhere:
            told = f"no permitted upstream of `{flow.route.workload}` is in use: the gateway lacks their credentials"
            return Shed(503, "no_healthy_upstream", told, _LONGEST_WAIT_S)
        if all(way.station.breaker.standing is not Standing.CLOSED for way in everywhere):
            way = None if is_hedge else self._panic(tuple(way for way in everywhere if way.slot not in tried), now)
            if way is not None:
                return way, Reason.PANIC, True
            wait_s = min(way.station.breaker.until for way in everywhere) - now
            told = f"every permitted upstream of `{flow.route.workload}` is down"
            return Shed(503, "no_healthy_upstream", told, max(1.0, wait_s))
        if tried and not any(way.station.limit > 0 for way in everywhere if way.slot not in tried):
            return NONE_LEFT
        return _no_capacity(everywhere, flow, now)

    def _cheapest(self, ways: tuple[Way, ...], flow: Flow, query: Query, now: float) -> Way | None:
        """Those that meet the objective first, by live cost; then the others, the best predicted first."""
        up = [way for way in ways if way.station.limit > 0]
        if not up:
            return None
        if len(up) > 1:
            tokens_in, tokens_out = query.tokens_in, query.tokens_out or query.route.tokens_out
            factor = self.max_cost_factor
            dearest = None if factor is None else factor * min(way.usd for way in flow.ways or up)
            ranked: list[tuple[bool, bool, float, int]] = []
            for number, way in enumerate(up):
                is_good = way.is_met and (dearest is None or way.usd <= dearest or way.weight > 0.0)
                score = way.candidate.price.of(tokens_in, tokens_out) if is_good else way.predicted_s
                ranked.append((way.station.is_silent, not is_good, score, number))
            ranked.sort()
            up = [up[each[3]] for each in ranked]
        board = self._board
        for way in up:
            if board.opened_until(way.slot) > 0.0:
                way.station.heed(now)
            elif board.acquire(way.slot, way.places):
                return way
        return None

    def _panic(self, ways: tuple[Way, ...], now: float) -> Way | None:
        """One request at a time, so that a dead fleet is asked but not stormed."""
        for way in sorted(ways, key=lambda each: each.station.breaker.until):
            station = way.station
            if station.is_trial_out or now < station.limited_until or not self._board.claim(way.slot, now, PANIC_S):
                continue
            if self._board.acquire(way.slot, station.target.max_concurrency):
                return way
            self._board.unclaim(way.slot)
        return None


def _reason(way: Way, ways: tuple[Way, ...]) -> Reason:
    if way.candidate.is_fallback:
        return Reason.FALLBACK
    wanted = [each for each in ways if each.weight > 0.0]
    if not wanted:
        return Reason.CHEAPEST
    if any(not each.is_met and each.station.limit > 0 for each in wanted):
        return Reason.SLO
    return Reason.SPILL


def _no_capacity(ways: tuple[Way, ...], flow: Flow, now: float) -> Shed:
    name = flow.route.workload
    up = [way for way in ways if way.station.limit > 0]
    if not up:
        free_at = min(max(way.station.limited_until, way.station.breaker.until) for way in ways)
        told = f"every permitted upstream of `{name}` asked to be retried later"
        return Shed(429, "no_capacity", told, min(_LONGEST_WAIT_S, max(1.0, free_at - now)))
    # A place comes free after the mean time a request holds one, over the places there are.
    wait_s = min(max(way.of_first.took_s, way.of_whole.took_s) / max(1, way.station.held) for way in up)
    told = f"no permitted upstream of `{name}` has room at its priority"
    return Shed(429, "no_capacity", told, min(_LONGEST_WAIT_S, max(1.0, wait_s)))
