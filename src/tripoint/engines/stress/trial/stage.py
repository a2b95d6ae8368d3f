"""Everything of one trial under way: requests arrive, the gateway's own machines decide, places answer, faults strike.

The loop holds no decision about requests. It brings the gateway what the world does (arrivals, answers, losses, the
clock) in the order of time, and counts what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil, isfinite
from types import MappingProxyType
from typing import Final

from tripoint.domain.fault import Fault
from tripoint.domain.record import ShiftRecord, UsageRecord
from tripoint.domain.serving import Api
from tripoint.domain.table import Route, Target
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.exchange.gateway import Gateway
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.routing.query import Choice, Query, Shed
from tripoint.engines.gateway.telemetry.trace import Trace
from tripoint.engines.stress.kernel.events import EventList, Row, play, play_arrivals
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.spending import spends_of
from tripoint.engines.stress.trial.arrivals import Arrivals
from tripoint.engines.stress.trial.calls import Call
from tripoint.engines.stress.trial.conditions import WELL, Conditions, PlaceState, conditions, moments
from tripoint.engines.stress.trial.places.answers import Asks, fresh_ask
from tripoint.engines.stress.trial.places.ledger import Ledger
from tripoint.engines.stress.trial.places.network import Network
from tripoint.engines.stress.trial.places.servers import Job, Server
from tripoint.engines.stress.trial.places.tables import servers_of, with_key, without
from tripoint.engines.stress.trial.rules import Rules
from tripoint.engines.stress.trial.tally import Tally
from tripoint.engines.stress.world import World

TICK_S: Final = 0.25
"""How often the live worker looks around."""
_PROBE_S: Final = 5.0
"""How long it waits for an answer to a probe."""
_SWEEPS_PER_S: Final = 50
"""How often the live gateway looks whose time has come: every 20 ms."""
_TRACE: Final = Trace("0" * 31 + "1", "0" * 15 + "1", "", b"")
_SECRETS: Final[Mapping[str, str]] = MappingProxyType({"caller": "caller"})
_HEAD: Final[Mapping[bytes, bytes]] = MappingProxyType({b"authorization": b"Bearer caller"})
_COLD: Final = PlaceState(is_down=True)
_SEED_BITS: Final = 52
_MOST_QUERIES: Final = 100_000


class Stage:
    """Everything of one trial under way."""

    __slots__ = (
        "_asked", "_asks", "_cold", "_draws", "_faults", "_gateway", "_is_called", "_is_plain", "_is_streamed",
        "_network", "_parked", "_permitted", "_probes", "_queries", "_rules", "_said", "_script", "_state", "_table",
        "_until_s", "_ways", "_world", "call", "count", "events", "ledger", "limit_s", "open_calls", "patience_s",
        "records", "router", "servers", "shifts", "spends", "stall_s", "tally", "tries",
    )  # fmt: skip

    def __init__(self, world: World, faults: Sequence[Fault], draws: Streams, until_s: float, rules: Rules) -> None:
        self._world = world
        self._faults = tuple(faults)
        self._draws = draws
        self._rules = rules
        self._until_s = until_s
        self._script = script = rules.script
        start_s = 0.0 if script is None else script.start_s
        self.events: EventList[Callable[[float], None]] = EventList(start_s)
        self.servers = tuple(Server(place, self.events) for place in world.places)
        self._network = Network(world)
        self.spends = spends_of(world)
        """What requests add to what is spent, by workload, upstream and model."""
        self.tally = Tally(world.demanded, until_s, rules.bin_s, self.spends)
        self.patience_s = rules.patience_s
        self.tries = [rules.tries] * len(world.demanded)
        """How many more times callers of each workload try."""
        self.call: Call | None = None
        """Whose exchange is being told something: the record that comes meanwhile is of it."""
        self.open_calls = 0
        self.records: list[UsageRecord] = []
        """Every try's record in the order they ended, when that was asked for."""
        self.shifts: list[ShiftRecord] = []
        """Moves of traffic."""
        self.count = 0
        """Arrivals and events processed."""
        self._asks = Asks()
        seed = script.seed if script else int(draws.named("gateway").uniform(0) * (1 << _SEED_BITS))
        slots = max(target.slot for target in world.table.targets) + 1
        self._table = with_key(world.table, rules.budgets)
        self._gateway = Gateway(
            self._table, _SECRETS, board=LocalBoard(slots), record=self._ended, seed=seed, now=start_s, epoch=0.0
        )
        self.ledger = Ledger(self._gateway, rules.budgets, self.events) if rules.budgets else None
        """Who leases slices of budgets; `None` where there are none."""
        self._parked: list[Call] = []
        self.router = self._gateway.router
        self._said = self._gateway.said(_HEAD)
        self.limit_s = self._said.limit_s
        """Longest a request may take, s."""
        self.stall_s = world.table.stall_s
        """Longest silence within an answer, s."""
        self._is_plain = not (rules.is_recording or rules.is_whole or world.table.hedging or self._said.is_bound)
        self._asked = tuple(
            (asked.workload, Api.EMBEDDINGS if asked.kind == WorkloadKind.EMBEDDING else Api.CHAT)
            for asked in world.demanded
        )
        self._is_streamed = [asked.is_interactive for asked in world.demanded]
        self._permitted = [frozenset(asked.permitted) for asked in world.demanded]
        self._probes: dict[str, int] = {}
        self._queries: dict[tuple[int, int], Query] = {}
        self._state = conditions(world, (), 0.0)
        self._is_called = False
        self._cold = [number for number, place in enumerate(world.places) if place.is_cold]
        for number in self._cold:
            self.servers[number].change(_COLD, start_s)
        self._ways = tuple(servers_of(world, asked.workload) for asked in world.demanded)

    # --- the loop ---------------------------------------------------------------------------------------------------

    def run(self, arrivals: Arrivals) -> None:
        """Everything in the order of time: what arrives, and what the events bring."""
        events = self.events
        for at in moments(self._faults):
            if at < self._until_s:
                events.push(at, self._change)
        for at in (TICK_S,) if self._script is None else self._script.ticks:
            events.push(at, self._tick)
        columns = (
            arrivals.at, arrivals.workload, arrivals.number, arrivals.tokens_in, arrivals.tokens_out, arrivals.caller,
        )  # fmt: skip
        rows = zip(*(column.tolist() for column in columns), strict=True)
        self.count += play_arrivals(events, rows, self._arrive, self._until_s)
        self._drain()

    def _arrive(self, row: Row) -> None:
        """A request is asked for the first time."""
        self.open_calls += 1
        self.open(Call(self, row, self._is_streamed[row[1]]), row[0])

    def _drain(self) -> None:
        """No more arrive; what is under way ends."""
        events = self.events
        while self.open_calls and len(events):
            self.count += play(events, events.now + TICK_S)
            if self.open_calls and (at := events.soonest()) is not None and at > events.now + TICK_S:
                events.now = at
        if self.ledger is not None:
            self.ledger.load(events.now)

    @property
    def now(self) -> float:
        """Time of the trial, s."""
        return self.events.now

    # --- requests ---------------------------------------------------------------------------------------------------

    def open(self, call: Call, now: float) -> None:
        """A try of a request begins."""
        call.began_at = now
        self.router.arrived(now)
        said = self._said
        if said.generation != self._gateway.generation:
            said = self._said = self._gateway.said(_HEAD)
            self._queries.clear()
        if self._is_plain:
            query = self._queries.get((call.workload, call.tokens_in)) or self._query(call)
            choice = self.router.choose(query, (), now)
            if not isinstance(choice, Shed):
                call.sent(choice, now)
            else:
                call.exchange = exchange = self.made(call)
                self.call = call
                exchange.begin_with(choice, now)
        else:
            call.exchange = exchange = self.made(call)
            self.call = call
            exchange.start((_TRACE.trace_id, _TRACE.head), "", b"-", now)
            call.left(now)
        if isfinite(self.patience_s):
            self.events.push(now + self.patience_s, call.give_up)

    def made(self, call: Call) -> Exchange:
        """The exchange of a call's present try."""
        said = self._said
        workload, api = self._asked[call.workload]
        made = fresh_ask if said.is_bound else self._asks.of
        ask = made(workload, api, call.is_stream, call.tokens_in)
        return self._gateway.exchange(ask, self._route(workload), said, call, call.began_at)

    def _route(self, workload: str) -> Route:
        said = self._said
        route = said.routes.get(workload)
        if route is None:
            route = next(each for each in self._gateway.table.routes if each.workload == workload)
            said.remember(workload, route)
        return route

    def _query(self, call: Call) -> Query:
        """What routing is asked for requests of that size from now on."""
        workload, api = self._asked[call.workload]
        query = Query(self._route(workload), self._said.sites, self._said.label, api, call.tokens_in)
        query.is_stream = call.is_stream
        if len(self._queries) >= _MOST_QUERIES:
            self._queries.clear()
        self._queries[call.workload, call.tokens_in] = query
        return query

    def sent(self, call: Call, choice: Choice, now: float) -> Job:
        """An attempt goes out to the place chosen for it."""
        server = self.servers[choice.candidate.target]
        site = server.place.site
        if site not in self._permitted[call.workload]:
            self.tally.courses[call.workload].outside += 1
        rtt_s = self._network.round_trip(call, site, now)
        limit = choice.query.tokens_out
        if 0 < limit < call.tokens_out:
            call.tokens_out = limit  # the gateway set a limit, and model servers keep to it
        job = Job(call, choice, server, 0.0 if rtt_s is None else rtt_s, now)
        if self._script is not None:
            rtt_s = self._heard(job, rtt_s)
        state = server.state
        if rtt_s is None:
            self._later(job, now + self._network.connect_s, job.refuse)
        elif state is WELL:
            if len(server.running) < server.slots:
                server.begin(job, now)
            else:
                server.queue.append(job)
        elif state.is_down:
            self._later(job, now + rtt_s, job.refuse)
        elif state.limit < 1.0 and server.load >= state.limit * server.place.slots:
            self._later(job, now + rtt_s, job.limit)
        elif state.errors > 0.0 and call.chance(f"errors/{server.place.upstream}") < state.errors:
            self._later(job, now + rtt_s, job.error)
        else:
            server.enter(job, now)
        return job

    def _heard(self, job: Job, rtt_s: float | None) -> float | None:
        """In a recorded run: when the attempt was heard of; a refusal comes as late as it came then."""
        call = job.call
        assert self._script is not None  # it is asked for nowhere else
        job.heard = self._script.heard.get((call.workload, call.number, call.sendings))
        call.sendings += 1
        if job.heard is None:
            return rtt_s
        job.rtt_s = 0.0
        return job.heard.first_s + job.heard.rest_s

    def sweep_from(self, due: float) -> float:
        """When the gateway next looks whose time has come."""
        if self._script is not None:
            return self._script.sweep_from(due)
        at = ceil(due * _SWEEPS_PER_S) / _SWEEPS_PER_S
        return at if at >= due else at + 1.0 / _SWEEPS_PER_S

    def _later(self, job: Job, at: float, what: Callable[[float], None]) -> None:
        job.next_at = at
        self.events.push(at, what)

    def _ended(self, record: UsageRecord) -> None:
        call = self.call
        assert call is not None  # set before any exchange is told anything
        if self._rules.is_recording:
            self.records.append(record)
        if self.ledger is not None:
            self.ledger.record(record)
        call.ended(record, self.now)

    def park(self, call: Call) -> None:
        """A request waits for money: it is looked at with every sweep, since others may let it go on."""
        if not self._parked:
            self.events.push(self.sweep_from(self.now + 1e-9), self._unpark)
        if call not in self._parked:
            self._parked.append(call)

    def _unpark(self, now: float) -> None:
        waiting, self._parked = self._parked, []
        for call in waiting:
            if call.look(now):
                self.park(call)

    def wait_s(self, tries: int) -> float:
        """Mean wait before a caller's further try, s."""
        return min(self._rules.backoff_s * 2.0 ** (tries - 1), self._rules.most_backoff_s)

    def drawn(self, name: str, workload: int, index: int) -> float:
        """A uniform number that belongs to a request."""
        return self._draws.named(f"{name}/{self._world.demanded[workload].workload}").uniform(index)

    # --- the world beside requests ----------------------------------------------------------------------------------

    def _change(self, now: float) -> None:
        """A fault begins, grows or ends."""
        state: Conditions = conditions(self._world, self._faults, now)
        if state.banned != self._state.banned:
            self._gateway.reload(without(self._table, state.banned), _SECRETS, now)
        self._state = state
        self._call_standby(state, now)
        self._permitted = [frozenset(asked.permitted).difference(state.banned) for asked in self._world.demanded]
        for number, (server, place) in enumerate(zip(self.servers, state.places, strict=True)):
            found = replace(place, is_down=True) if number in self._cold else place
            if found != server.state:
                server.change(found, now)
        has_lines = bool(state.lines) or self._network.is_struck
        self._network.change(state)
        for server in self.servers if has_lines else ():
            server.reach(self._network, now)
        if self.ledger is not None:
            self.ledger.scale(state.money)
        self.tries = [self._rules.tries + state.retries.get(asked.workload, 0) for asked in self._world.demanded]
        self.tally.prices = {
            server.place.upstream: server.state.price for server in self.servers if server.state.price != 1.0
        }

    def _call_standby(self, state: Conditions, now: float) -> None:
        """Something is lost: standby that is cold gets its nodes, as soon as they can be there."""
        if self._is_called or not self._cold or not any(each.is_down or each.capacity < 1.0 for each in state.places):
            return
        self._is_called = True
        for number in self._cold:
            ready_at = now + self._world.places[number].ready_after_s
            if isfinite(ready_at):
                self.events.push(ready_at, partial(self._warmed, number))

    def _warmed(self, number: int, now: float) -> None:
        self._cold.remove(number)
        self._change(now)

    def _tick(self, now: float) -> None:
        """What the live worker does by the clock."""
        self.shifts += self._gateway.tick(now)
        if self.ledger is not None:
            self.ledger.load(now)
        if now <= self._until_s:
            self._watch()
        for target in self.router.probes_due(now):
            self._probe(target, now)
        if self._script is None and (now < self._until_s or (self.open_calls and not self._is_settled(now))):
            self.events.push(now + TICK_S, self._tick)

    def _is_settled(self, now: float) -> bool:
        """True when nobody asks the gateway for a way any more: all that is open is being answered, in time.

        What it would learn from looking around then, nobody would ever be told.
        """
        if isfinite(self.patience_s) or (self._is_called and self._cold):
            return False
        sure = 0
        for server in self.servers:
            if server.state.is_hung or server.state.wrong > 0.0:
                return False
            sure += sum(job.call.is_sure(job, now) for job in server.running)
        return sure == self.open_calls

    def _watch(self) -> None:
        """How much room each workload has where it may go."""
        servers = self.servers
        for course, ways in zip(self.tally.courses, self._ways, strict=True):
            used, slots = course.shed_lately, 0
            for index in ways:
                server = servers[index]
                used += len(server.running) + len(server.queue)
                slots += server.slots
            course.shed_lately = 0
            margin = 1.0 - used / slots if slots else -1.0
            if margin < course.margin:
                course.margin = max(margin, -1.0)

    def _probe(self, target: Target, now: float) -> None:
        server = next(each for each in self.servers if each.place.upstream == target.id)
        script, number = self._script, self._probes.get(target.id, 0)
        self._probes[target.id] = number + 1
        known = None if script is None else script.probed.get(target.id, ())[number : number + 1]

        def told(at: float) -> None:
            is_lost = server.state.is_down or server.state.is_hung or self._network.is_cut_off(server.place.site)
            is_well = known[0].is_well if known else not is_lost
            self.router.probed(target, is_well, at)

        wait_s = _PROBE_S if server.state.is_hung else self._network.probe_s(server.place.site)
        self.events.push(now + (known[0].took_s if known else wait_s), told)
