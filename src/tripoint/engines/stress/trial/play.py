"""Plays one trial: requests arrive, the gateway's own machines decide, simulated places answer, faults strike.

The loop holds no decision about requests. It brings the gateway what the world does (arrivals, answers, losses, the
clock) in the order of time, and counts what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.record import ShiftRecord, UsageRecord
from tripoint.domain.serving import Api
from tripoint.domain.stress import Outcome
from tripoint.domain.table import Target
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.gateway.exchange.effects import Attempt
from tripoint.engines.gateway.exchange.gateway import Gateway
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.telemetry.trace import Trace
from tripoint.engines.stress.kernel.events import EventList
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.trial.answers import Asks, fresh_ask
from tripoint.engines.stress.trial.arrivals import Arrivals, amplified
from tripoint.engines.stress.trial.calls import Call
from tripoint.engines.stress.trial.conditions import Conditions, conditions, moments, times
from tripoint.engines.stress.trial.network import Network
from tripoint.engines.stress.trial.servers import Job, Server
from tripoint.engines.stress.trial.tally import Tally, Timeline
from tripoint.engines.stress.world import World

TICK_S: Final = 0.25
"""How often the live worker looks around."""
_PROBE_S: Final = 5.0
"""How long it waits for an answer to a probe."""
_TRACE: Final = Trace("0" * 31 + "1", "0" * 15 + "1", "", b"")
_SEED_BITS: Final = 52


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How callers behave and how closely it is watched."""

    tries: int = 0
    """How many more times callers try when refused, late or lost, before any fault says so."""
    backoff_s: float = 1.0
    """Wait before the first further try, s; twice as long before each next one, half to one and a half by chance."""
    patience_s: float = inf
    """How long callers wait for a first token before they hang up, s."""
    bin_s: float = 5.0
    """Width of the bins of timelines, s."""
    usual_usd: Mapping[str, float] = field(default_factory=dict)
    """Workload id -> what the same arrivals cost without faults, USD; for `Outcome.usual_usd`."""
    is_recording: bool = False
    """True to keep every record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a trial."""

    outcomes: tuple[Outcome, ...]
    """Per workload, in the world's order."""
    timelines: tuple[Timeline, ...]
    """Likewise, over time."""
    events: int
    """Arrivals and events processed."""
    shifts: tuple[ShiftRecord, ...]
    """Moves of traffic."""
    records: tuple[UsageRecord, ...] = ()
    """Every try's record in the order they ended, when that was asked for."""


def play(
    world: World,
    faults: Sequence[Fault],
    arrivals: Arrivals,
    *,
    draws: Streams,
    until_s: float,
    rules: Rules | None = None,
) -> Played:
    """Plays a trial until everything that arrived before `until_s` has ended."""
    stage = Stage(world, faults, draws, until_s, rules or Rules())
    asked = amplified(arrivals, _demand(world, faults), draws)
    stage.run(asked)
    return stage.played()


def _demand(world: World, faults: Sequence[Fault]) -> dict[int, list[tuple[float, float]]]:
    """Steps of demand by workload that is asked more or less."""
    found: dict[int, list[tuple[float, float]]] = {}
    for index, asked in enumerate(world.demanded):
        mine = [fault for fault in faults if fault.kind is FaultKind.DEMAND and asked.workload in fault.on]
        if not mine:
            continue
        steps = []
        for at in moments(mine):
            factor = 1.0
            for fault in mine:
                factor *= times(fault, at)
            steps.append((at, factor))
        found[index] = steps
    return found


class Stage:
    """Everything of one trial under way."""

    __slots__ = (
        "_asks", "_count", "_draws", "_faults", "_gateway", "_network", "_records", "_rules", "_said", "_shifts",
        "_state", "_until_s", "_ways", "_world", "call", "events", "now", "open_calls", "patience_s", "servers",
        "tally", "tries",
    )  # fmt: skip

    def __init__(self, world: World, faults: Sequence[Fault], draws: Streams, until_s: float, rules: Rules) -> None:
        self._world = world
        self._faults = tuple(faults)
        self._draws = draws
        self._rules = rules
        self._until_s = until_s
        self.now = 0.0
        self.events: EventList[Callable[[float], None]] = EventList()
        self.servers = tuple(Server(place, self.events) for place in world.places)
        self._network = Network(world, draws)
        self.tally = Tally(world.demanded, until_s, rules.bin_s)
        self.patience_s = rules.patience_s
        self.tries = rules.tries
        self.call: Call | None = None
        """Whose exchange is being told something: the record that comes meanwhile is of it."""
        self.open_calls = 0
        self._records: list[UsageRecord] = []
        self._shifts: list[ShiftRecord] = []
        self._count = 0
        self._asks = Asks()
        seed = int(draws.named("gateway").uniform(0) * (1 << _SEED_BITS))
        slots = max(target.slot for target in world.table.targets) + 1
        self._gateway = Gateway(
            world.table, {}, board=LocalBoard(slots), record=self._ended, seed=seed, now=0.0, epoch=0.0
        )
        self._said = self._gateway.said({})
        self._state = conditions(world, (), 0.0)
        self._ways = tuple(_servers_of(world, asked.workload) for asked in world.demanded)

    # --- the loop ---------------------------------------------------------------------------------------------------

    def run(self, arrivals: Arrivals) -> None:
        """Everything in the order of time: what arrives, and what the events bring."""
        events = self.events
        for at in moments(self._faults):
            if at < self._until_s:
                events.push(at, self._change)
        events.push(TICK_S, self._tick)
        soonest, pop, arrive = events.soonest, events.pop, self._arrive
        columns = (arrivals.workload, arrivals.number, arrivals.tokens_in, arrivals.tokens_out, arrivals.caller)
        for at, *row in zip(arrivals.at.tolist(), *(column.tolist() for column in columns), strict=True):
            if at >= self._until_s:
                break
            following = soonest()
            while following is not None and following <= at:
                self.now = following
                pop()[1](following)
                self._count += 1
                following = soonest()
            self.now = at
            arrive(at, *row)
            self._count += 1
        self._drain()

    def _drain(self) -> None:
        """No more arrive; what is under way ends."""
        events = self.events
        while self.open_calls and len(events):
            self.now, what = events.pop()
            what(self.now)
            self._count += 1

    def played(self) -> Played:
        """What came of it."""
        return Played(
            outcomes=self.tally.outcomes(self._rules.usual_usd),
            timelines=self.tally.timelines(),
            events=self._count,
            shifts=tuple(self._shifts),
            records=tuple(self._records),
        )

    # --- requests ---------------------------------------------------------------------------------------------------

    def _arrive(self, at: float, workload: int, number: int, tokens_in: int, tokens_out: int, caller: int) -> None:
        call = Call(self, workload, number, (tokens_in, tokens_out), at)
        call.caller = caller
        asked = self._world.demanded[workload]
        call.is_stream = asked.is_interactive
        self.open_calls += 1
        self.open(call, at)

    def open(self, call: Call, now: float) -> None:
        """A try of a request begins."""
        asked = self._world.demanded[call.workload]
        call.began_at = now
        said, gateway = self._said, self._gateway
        if said.generation != gateway.generation:
            said = self._said = gateway.said({})
        api = Api.EMBEDDINGS if asked.kind == WorkloadKind.EMBEDDING else Api.CHAT
        made = fresh_ask if said.is_bound else self._asks.of
        ask = made(asked.workload, api, call.is_stream, call.tokens_in)
        route = said.routes.get(asked.workload)
        if route is None:
            route = next(each for each in gateway.table.routes if each.workload == asked.workload)
            said.remember(asked.workload, route)
        gateway.router.arrived(now)
        call.exchange = exchange = gateway.exchange(ask, route, said, call, now)
        self.call = call
        exchange.start(_TRACE, "", b"-", now)
        call.left(now)
        if isfinite(self.patience_s) and call.exchange is not None:
            self.events.push(now + self.patience_s, call.give_up)

    def sent(self, call: Call, attempt: Attempt, now: float) -> Job:
        """An attempt goes out."""
        index = attempt.choice.candidate.target
        server = self.servers[index]
        site = server.place.site
        asked = self._world.demanded[call.workload]
        if site not in asked.permitted or site in self._state.banned:
            self.tally.courses[call.workload].outside += 1
        rtt_s = self._network.round_trip(call, site, now)
        job = Job(call, attempt, server, 0.0 if rtt_s is None else rtt_s, now)
        state = server.state
        if rtt_s is None:
            self._later(job, now + self._network.connect_s, job.refuse)
        elif state.is_down:
            self._later(job, now + rtt_s, job.refuse)
        elif state.limit < 1.0 and server.load >= state.limit * server.place.slots:
            self._later(job, now + rtt_s, job.limit)
        elif state.errors > 0.0 and call.chance(f"errors/{server.place.upstream}") < state.errors:
            self._later(job, now + rtt_s, job.error)
        else:
            server.enter(job, now)
        return job

    def _later(self, job: Job, at: float, what: Callable[[float], None]) -> None:
        job.next_at = at
        self.events.push(at, what)

    def _ended(self, record: UsageRecord) -> None:
        call = self.call
        assert call is not None  # set before any exchange is told anything
        if self._rules.is_recording:
            self._records.append(record)
        call.ended(record, self.now)

    def wait_s(self, tries: int) -> float:
        """Mean wait before a caller's further try, s."""
        return float(self._rules.backoff_s * 2.0 ** (tries - 1))

    def drawn(self, name: str, workload: int, index: int) -> float:
        """A uniform number that belongs to a request."""
        return self._draws.named(f"{name}/{self._world.demanded[workload].workload}").uniform(index)

    # --- the world beside requests ----------------------------------------------------------------------------------

    def _change(self, now: float) -> None:
        """A fault begins, grows or ends."""
        state: Conditions = conditions(self._world, self._faults, now)
        self._state = state
        for server, place in zip(self.servers, state.places, strict=True):
            if place != server.state:
                server.change(place, now)
        self._network.change(state)
        self.tries = self._rules.tries + state.retries
        self.tally.prices = {
            server.place.upstream: server.state.price for server in self.servers if server.state.price != 1.0
        }

    def _tick(self, now: float) -> None:
        """What the live worker does by the clock."""
        self._shifts += self._gateway.tick(now)
        if now <= self._until_s:
            self._watch()
        for target in self._gateway.router.probes_due(now):
            self._probe(target, now)
        if now < self._until_s or self.open_calls:
            self.events.push(now + TICK_S, self._tick)

    def _watch(self) -> None:
        """How much room each workload has where it may go."""
        rooms = [(server.load, server.slots) for server in self.servers]
        for course, ways in zip(self.tally.courses, self._ways, strict=True):
            used = sum(rooms[index][0] for index in ways) + course.shed_lately
            slots = sum(rooms[index][1] for index in ways)
            course.shed_lately = 0
            margin = 1.0 - used / slots if slots else -1.0
            course.margin = min(course.margin, max(margin, -1.0))

    def _probe(self, target: Target, now: float) -> None:
        server = next(each for each in self.servers if each.place.upstream == target.id)

        def told(at: float) -> None:
            self._gateway.router.probed(target, not (server.state.is_down or server.state.is_hung), at)

        wait_s = _PROBE_S if server.state.is_hung else self._network.probe_s(server.place.site)
        self.events.push(now + wait_s, told)


def _servers_of(world: World, workload: str) -> tuple[int, ...]:
    """Places a workload's requests may go to by the table."""
    routes = [route for route in world.table.routes if route.workload == workload]
    return tuple(dict.fromkeys(candidate.target for route in routes for candidate in route.candidates))
