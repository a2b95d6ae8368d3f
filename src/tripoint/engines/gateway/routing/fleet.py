"""Stations and flows of the present table, and how they go over into those of the next without forgetting."""

from __future__ import annotations

from tripoint.domain.serving import Shifting
from tripoint.domain.table import Route, RoutingTable, Target
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.health.breaker import Standing
from tripoint.engines.gateway.health.station import Station
from tripoint.engines.gateway.routing.flow import EPSILON, RESERVE, Flow, Way, decay_of
from tripoint.engines.gateway.routing.query import TargetState

Place = tuple[str, int, str, int, str, bool]


class Fleet:
    """What a router knows of the world, looked at a few times a second and at every change of health."""

    __slots__ = ("_board", "_hedge_at", "_looked_at", "_rules", "_seed", "flows", "half_open", "stations")

    def __init__(self, table: RoutingTable, board: Board, *, seed: int, now: float) -> None:
        self._board = board
        self._seed = seed
        self._looked_at = now
        self._rules: Shifting = table.shifting
        self._hedge_at = 0.0
        self.stations: dict[Place, Station] = {}
        self.flows: dict[str, Flow] = {}
        self.half_open = 0
        """Stations that wait for their trial."""
        self.load(table, now)

    def load(self, table: RoutingTable, now: float) -> None:
        """Goes by another table: what persists keeps its health, its places and its weights."""
        self._rules = table.shifting
        self._hedge_at = table.hedging.quantile if table.hedging else 0.0
        before = self.stations
        known = {station.slot for station in before.values()}
        stations: list[Station] = []
        for target in table.targets:
            station = before.get(place_of(target))
            if station is None:
                if target.slot in known:  # what the board says of this slot was about another address
                    self._board.close(target.slot)
                station = Station(target, self._board, seed=self._seed, now=now)
            station.target = target
            stations.append(station)
        self.stations = {place_of(station.target): station for station in stations}
        flows: dict[str, Flow] = {}
        for route in table.routes:
            flow = self.flows.get(route.workload) or Flow(route, now)
            _adopt(flow, route, stations, now)
            flows[route.workload] = flow
        self.flows = flows
        _reserve(self.flows)
        self.look(now)
        for flow in flows.values():
            _settle(flow, table.shifting.max_share)
        self.reshare(now)

    def station(self, target: Target) -> Station | None:
        """The station of a target; `None` when it is not in the present table."""
        return self.stations.get(place_of(target))

    def states(self, now: float) -> tuple[TargetState, ...]:
        """How every target is doing, in the order of the table."""
        weights: dict[int, list[tuple[str, float, float]]] = {}
        for name, flow in self.flows.items():
            for way in flow.ways + flow.others:
                weights.setdefault(way.slot, []).append((name, way.weight, way.planned))
        return tuple(
            _state(station, self._board.held(station.slot), tuple(weights.get(station.slot, ())), now)
            for station in self.stations.values()
        )

    def look(self, now: float) -> None:
        """Brings everything cached up to date."""
        decay = decay_of(now - self._looked_at)
        self._looked_at = now
        self.half_open = 0
        for station in self.stations.values():
            station.look(now, self._hedge_at)
            if station.breaker.standing is Standing.HALF_OPEN:
                self.half_open += 1
        rules = self._rules
        for flow in self.flows.values():
            flow.look(now, decay, rules.max_share, rules.max_cost_factor)
            _places(flow)

    def reshare(self, now: float) -> None:
        """Brings shares up to date after a change of health."""
        self.half_open = sum(station.breaker.standing is Standing.HALF_OPEN for station in self.stations.values())
        rules = self._rules
        for flow in self.flows.values():
            flow.share(now, rules.max_share, rules.max_cost_factor)
            _places(flow)


def _state(station: Station, held: int, weights: tuple[tuple[str, float, float], ...], now: float) -> TargetState:
    slowest = max(station.paces.values(), key=lambda pace: pace.p95, default=None)
    return TargetState(
        upstream=station.target.id,
        site=station.target.site,
        breaker=station.breaker.standing.value,
        held=held,
        capacity=station.target.max_concurrency,
        limit=station.limit,
        limited_s=max(0.0, station.limited_until - now),
        is_silent=station.is_silent,
        ttft_p50_s=slowest.p50 if slowest else 0.0,
        ttft_p95_s=slowest.p95 if slowest else 0.0,
        ttft_p99_s=slowest.p99 if slowest else 0.0,
        tpot_p50_s=max((pace.tpot_p50 for pace in station.paces.values()), default=0.0),
        weights=weights,
    )


def place_of(target: Target) -> Place:
    """What makes a target the same one after a reload."""
    return target.id, target.slot, target.host, target.port, target.base_path, target.is_tls


def _adopt(flow: Flow, route: Route, stations: list[Station], now: float) -> None:
    """Takes over a route; ways that persist keep their place in the split."""
    before = {(way.station.target.id, way.candidate.model): way for way in flow.ways + flow.others}
    flow.route = route
    ways: list[Way] = []
    for candidate in route.candidates:
        station = stations[candidate.target]
        way = before.pop((station.target.id, candidate.model), None)
        if way is None:
            way = Way(flow, candidate, station, now)
        else:
            way.adopt(candidate, station, now)
        ways.append(way)
    flow.ways = tuple(way for way in ways if not way.candidate.is_fallback)
    flow.others = tuple(way for way in ways if way.candidate.is_fallback)
    total = sum(max(0.0, way.candidate.share) for way in flow.ways)
    flow.has_plan = total > EPSILON
    if flow.has_plan:
        for way in flow.ways:
            planned = max(0.0, way.candidate.share) / total
            way.weight = max(0.0, way.weight + planned - way.planned)  # what was moved away stays moved
            way.planned = planned


def _settle(flow: Flow, max_share: float) -> None:
    """Makes the weights sum to one again, within the envelope."""
    total = sum(way.weight for way in flow.ways)
    for way in flow.ways:
        way.weight = way.weight / total if total > EPSILON else way.planned
    displaced = flow.displaced()
    if displaced > max_share:
        for way in flow.ways:
            way.weight = way.planned + (way.weight - way.planned) * max_share / displaced


def _reserve(flows: dict[str, Flow]) -> None:
    """Notes on each target which priority is the best there: a reserve is kept only for those who could use it."""
    best: dict[int, int] = {}
    for flow in flows.values():
        for way in flow.ways + flow.others:
            best[id(way.station)] = min(flow.route.priority, best.get(id(way.station), flow.route.priority))
    for flow in flows.values():
        for way in flow.ways + flow.others:
            step = min(flow.route.priority - best[id(way.station)], len(RESERVE) - 1)
            way.part = RESERVE[step]


def _places(flow: Flow) -> None:
    for way in flow.ways + flow.others:
        limit = way.station.limit
        way.places = max(1, int(limit * way.part + EPSILON)) if limit else 0
