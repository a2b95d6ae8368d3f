"""The traffic of one workload and the ways it can go: weights, predictions, and what is ready now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from tripoint.domain.record import Reason
from tripoint.domain.serving import Api
from tripoint.domain.table import Candidate, Route
from tripoint.engines.gateway.health.pace import Pace
from tripoint.engines.gateway.health.station import Station

if TYPE_CHECKING:
    from tripoint.engines.gateway.routing.query import Query

EPSILON: Final = 1e-9
RESERVE: Final[tuple[float, ...]] = (1.0, 0.95, 0.9, 0.8, 0.7)
"""Part of a target's places a workload may fill, by how many steps its priority lies below the best one there."""
_RECENT: Final = 0.5
_TYPICAL: Final = 100.0
"""Requests over which the typical one is averaged."""
_EASE_S: Final = 10.0
"""Slow start of a way that misses its objective no longer, s."""

_EMBEDDINGS: Final = Api.EMBEDDINGS  # a member of an enum takes longer to reach than a name of the module
_UNKNOWN_TIMES: Final = 2.0
_UNKNOWN_WAIT_S: Final = 5.0
"""A target not measured yet is waited for twice as long as others of the workload would be, but at least so long, s."""
_ALONE_TIMES: Final = 4.0
"""With nowhere else to go, waiting is better than giving up: so many times longer."""


class Way:
    """One candidate of a workload as it is now."""

    __slots__ = (
        "candidate", "drawn", "drawn_for", "draws", "flow", "is_alone", "is_met", "live", "met_since", "of_first",
        "of_whole", "part", "places", "planned", "predicted_s", "ready", "reason", "recent", "salt", "slot", "station",
        "turn", "usd", "weight",
    )  # fmt: skip

    def __init__(self, flow: Flow, candidate: Candidate, station: Station, now: float) -> None:
        self.flow = flow
        self.salt = crc32(f"{flow.route.workload}/{station.target.id}/{candidate.model}".encode()) * 0x9E3779B97F4A7C15
        self.draws: dict[int, float] = {}
        """What prompts' beginnings drew here lately: the work of drawing is done once for each."""
        self.drawn_for = 0
        """The beginning that came last, 0 when none did: many callers repeat theirs."""
        self.drawn = 0.0
        """What it drew."""
        self.planned = 0.0
        """Share of the workload's traffic by the plan, or by cost where there is none."""
        self.weight = 0.0
        """Share it is to have now."""
        self.ready = 0.0
        """That share as far as it can be had: 0 while shut, limited, silent, or slow with others to go to."""
        self.turn = 0.0
        """Credit of the weighted round robin."""
        self.recent = 0.0
        """Requests it was given lately."""
        self.live = 0
        """This worker's requests of this workload there now."""
        self.is_alone = False
        """True while no other way of the same model is up."""
        self.is_met = True
        """True while the objective is met as far as is known."""
        self.met_since = now - _EASE_S
        self.predicted_s = 0.0
        self.usd = 0.0
        """Live marginal cost of a typical request, USD."""
        self.part = 1.0
        """Part of the places of the target this workload may fill: the rest is for more urgent ones."""
        self.places = 0
        """How many that is now."""
        self.reason = Reason.PLAN
        self.adopt(candidate, station, now)

    def adopt(self, candidate: Candidate, station: Station, now: float) -> None:
        """Goes by a candidate of another table."""
        self.candidate = candidate
        self.station = station
        self.slot = station.slot
        self.of_first: Pace = station.pace(candidate.model, True, now)
        self.of_whole: Pace = station.pace(candidate.model, False, now)

    def predict(self, route: Route, now: float) -> None:
        """Time to first token expected now, and whether the objective is met; what was not measured is no miss."""
        pace, station = self.of_first, self.station
        predicted = self.candidate.rtt_ms / 1e3
        if station.load is not None:
            predicted += station.queue_s(now, max(pace.took_s, self.of_whole.took_s))
        if pace.p95:
            predicted += pace.p95 * (1.0 + station.use) / (1.0 + pace.use)
        self.predicted_s = predicted
        tpot_s = pace.tpot_p50
        is_met = (route.ttft_ms is None or predicted * 1e3 <= route.ttft_ms) and (
            route.tpot_ms is None or tpot_s * 1e3 <= route.tpot_ms
        )
        if is_met and not self.is_met:
            self.met_since = now
        self.is_met = is_met

    def patience_s(self, query: Query, longest: float, *, is_last: bool) -> float:
        """How long to wait for a first byte, s: as measured, `longest` at most; longer for one that `is_last`."""
        is_first = query.is_stream or query.api is _EMBEDDINGS
        tokens_in, tokens_out = query.tokens_in, 0 if is_first else query.tokens_out or 4 * query.route.tokens_out
        wait_s = (self.of_first if is_first else self.of_whole).patience_s(tokens_in, tokens_out)
        if self.is_alone or is_last:
            wait_s *= _ALONE_TIMES
        elif wait_s == 0.0:
            known = [
                seconds
                for each in self.flow.ways
                if each is not self and each.station.limit > 0
                if (seconds := (each.of_first if is_first else each.of_whole).patience_s(tokens_in, tokens_out)) > 0.0
            ]
            wait_s = max(_UNKNOWN_WAIT_S, _UNKNOWN_TIMES * min(known)) if known else 0.0
        return wait_s if 0.0 < wait_s < longest else longest

    def ease(self, now: float) -> float:
        """Part of its share it gets after it was slow, 0 to 1."""
        passed = now - self.met_since
        return 1.0 if passed >= _EASE_S else 0.1 + 0.9 * max(0.0, passed) / _EASE_S


class Flow:
    """A workload's traffic."""

    __slots__ = (
        "has_plan", "live", "mean_in", "mean_out", "moved_at", "others", "recent", "requests", "route", "tokens_in",
        "tokens_out", "ways",
    )  # fmt: skip

    def __init__(self, route: Route, now: float) -> None:
        self.route = route
        self.ways: tuple[Way, ...] = ()
        """Of the model asked for."""
        self.others: tuple[Way, ...] = ()
        """Of fallback models, in their order."""
        self.has_plan = False
        self.moved_at = now
        """When traffic was last moved, or first seen, s."""
        self.live = 0
        self.recent = 0.0
        self.requests = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.mean_in = 1000.0
        """Tokens of a typical request; a guess before any was seen."""
        self.mean_out = float(max(1, route.tokens_out))

    def look(self, now: float, decay: float, max_share: float, max_cost_factor: float | None) -> None:
        """Brings costs, predictions and shares up to date; `decay` is what remains of recent counts."""
        if self.requests:
            gain = self.requests / (self.requests + _TYPICAL)
            self.mean_in += (self.tokens_in / self.requests - self.mean_in) * gain
            self.mean_out += (self.tokens_out / self.requests - self.mean_out) * gain
            self.requests = self.tokens_in = self.tokens_out = 0
        self.recent *= decay
        tokens_in, tokens_out = int(self.mean_in), int(self.mean_out)
        for way in self.ways + self.others:
            way.recent *= decay
            way.usd = way.candidate.price.of(tokens_in, tokens_out)
            way.predict(self.route, now)
        if not self.has_plan:
            self._plan_by_cost()
        self.share(now, max_share, max_cost_factor)

    def _plan_by_cost(self) -> None:
        """Without a plan all traffic belongs to the cheapest way; a tie goes to the first."""
        if not self.ways:
            return
        cheapest = min(self.ways, key=lambda way: way.usd)
        if cheapest.planned == 1.0:
            return
        is_first = all(way.planned == 0.0 for way in self.ways)
        for way in self.ways:
            way.planned = 1.0 if way is cheapest else 0.0
            if is_first:
                way.weight = way.planned

    def share(self, now: float, max_share: float, max_cost_factor: float | None) -> None:
        """Shares that can be had now: a slow way gives up what the envelope allows to those that meet the objective."""
        slow = met = 0.0
        up = 0
        for way in self.ways:
            if way.station.limit > 0:
                up += 1
        usual = Reason.PLAN if self.has_plan else Reason.CHEAPEST
        for way in self.ways:
            station = way.station
            is_up = station.limit > 0
            way.is_alone = up - is_up == 0
            if is_up and way.weight and not station.is_silent:
                way.ready = way.weight * station.breaker.strength(now) * way.ease(now)
            else:
                way.ready = 0.0
            way.reason = Reason.SHIFTED if way.weight > way.planned + EPSILON else usual
            if way.is_met:
                met += way.ready
            else:
                slow += way.ready
        if slow:
            self._divert(slow, met, max_share, max_cost_factor)

    def _divert(self, slow: float, met: float, max_share: float, max_cost_factor: float | None) -> None:
        part = min(slow, max(0.0, max_share * (slow + met) - self.displaced()))
        best = None if met else self._best(max_cost_factor)
        if part <= EPSILON or (best is None and not met):
            return
        given = 0.0
        for way in self.ways:
            if not way.is_met and way is not best:
                given += way.ready * part / slow
                way.ready *= 1.0 - part / slow
        if best is not None:
            best.ready += given
            best.reason = Reason.SLO
            return
        for way in self.ways:
            if way.is_met and way.ready:
                way.ready += given * way.ready / met
                way.reason = Reason.SLO

    def _best(self, max_cost_factor: float | None) -> Way | None:
        """Where a slow way's traffic goes: the cheapest that meets the objective, else the best predicted."""
        up = [way for way in self.ways if way.station.limit > 0 and not way.station.is_silent]
        if not up:
            return None
        if max_cost_factor is not None:
            dearest = max_cost_factor * min(way.usd for way in self.ways) + EPSILON * 1e-6
            up = [way for way in up if way.usd <= dearest or way.weight]
            if not up:
                return None
        return min(up, key=lambda way: (not way.is_met, way.usd if way.is_met else way.predicted_s))

    def displaced(self) -> float:
        """Share of the traffic that is to be elsewhere than planned."""
        return sum(max(0.0, way.weight - way.planned) for way in self.ways)


def decay_of(passed_s: float) -> float:
    """What remains of recent counts after some seconds: half of them after ten."""
    return float(_RECENT ** (max(0.0, passed_s) / 10.0))
