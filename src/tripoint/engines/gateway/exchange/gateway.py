"""All machines of one worker: opens an exchange for each request, swaps tables, answers what models there are."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from tripoint.domain.record import Ending, ShiftRecord, UsageRecord
from tripoint.domain.serving import Api
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.entry.admission import Admission, Stay
from tripoint.engines.gateway.entry.keyring import Fault, Keyring, Register, places_of
from tripoint.engines.gateway.entry.names import Unnamed
from tripoint.engines.gateway.entry.said import Said
from tripoint.engines.gateway.exchange.core import Core
from tripoint.engines.gateway.exchange.effects import Effects
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.exchange.lanes import Lanes
from tripoint.engines.gateway.exchange.metering import Outcome, turned_away
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.routing.router import Router
from tripoint.engines.gateway.telemetry.trace import TraceSource, trace_context
from tripoint.engines.gateway.wire.ask import Malformed, read_ask
from tripoint.engines.gateway.wire.refusal import error_body

if TYPE_CHECKING:
    from tripoint.domain.table import Route
    from tripoint.engines.gateway.wire.ask import Ask

_JSON: Final = b"content-type: application/json\r\ncache-control: no-store\r\n%bx-request-id: %b\r\n"
_SOON: Final = b"retry-after: 1\r\n"
_read_ask: Final = read_ask  # compiled, a name that was imported is looked up at each use


class Gateway:
    """One worker's machines; `now` is on one monotonic clock throughout, s."""

    def __init__(
        self,
        table: RoutingTable,
        secrets: Mapping[str, str],
        *,
        board: Board,
        record: Callable[[UsageRecord], None],
        seed: int,
        now: float,
        epoch: float,
    ) -> None:
        self._random = random.Random(seed)
        # Records are known by ids of our own: callers may repeat theirs, and one trace has many requests.
        self._prefix = f"{self._random.getrandbits(64):016x}-"
        self._opened = 0
        self._traces = TraceSource(self._random)
        self.router = Router(table, board, seed=seed, now=now)
        self._core = Core(table, self.router, record, epoch)
        self._secrets = secrets
        self._register: Register | None = None
        self.is_waiting = False
        """True until the accounts are known where there is a store of them: nobody is let in by guess."""
        self._is_public = False
        self._adopt(table)

    @property
    def table(self) -> RoutingTable:
        """The table served by."""
        return self._core.table

    def reload(self, table: RoutingTable, secrets: Mapping[str, str], now: float) -> None:
        """Serves by another table from now on; an attempt under way ends as it began."""
        self.router.reload(table, now)
        self._secrets = secrets
        self._adopt(table)

    @property
    def admission(self) -> Admission:
        """Quotas and budgets."""
        return self._core.admission

    @property
    def epoch(self) -> float:
        """Seconds since 1970 at zero of the machines' clock."""
        return self._core.epoch

    def set_clock(self, epoch: float) -> None:
        """The clock on the wall was put right: records, ends of keys and windows of budgets go by it from now on."""
        core = self._core
        core.epoch = epoch
        core.admission.set_clock(epoch)
        core.generation += 1  # heads say when their key ends, and which windows are open

    @property
    def is_open(self) -> bool:
        """True when callers need no key."""
        return self._core.keyring.is_open and not self.is_waiting

    def guard(self) -> None:
        """Others than this machine can call: nobody is let in without a key, also when there is none any more."""
        self._is_public = True
        self._adopt(self._core.table)

    def register(self, register: Register) -> None:
        """Takes tenants, keys, quotas and budgets as they are now; requests under way go on where they still may."""
        self._register = register
        self.is_waiting = False
        self._core.admission.adopt(register.accounts)
        self._adopt(self._core.table)

    def _adopt(self, table: RoutingTable) -> None:
        places = places_of(table)
        keyring = Keyring(table.keys, self._secrets, self._register, places, is_public=self._is_public)
        self._core.adopt(table, keyring, Lanes(self._secrets, table.prices))

    def tick(self, now: float) -> list[ShiftRecord]:
        """To be called a few times a second: live figures are renewed and traffic may shift."""
        return self.router.tick(now)

    @property
    def generation(self) -> int:
        """Counts tables: what was said under another one must be read again."""
        return self._core.generation

    def said(self, headers: Mapping[bytes, bytes]) -> Said:
        """What the headers (by lower-case name) say; to be kept where a head repeats, until `generation` changes."""
        core = self._core
        principal = core.keyring.find(headers)
        return Said(
            headers,
            principal,
            generation=core.generation,
            deadline_s=core.table.deadline_s,
            epoch=core.epoch,
            mistyped=core.keyring.mistyped(headers) if principal is None else "",
        )

    def open(self, api: Api, said: Said, body: bytes, effects: Effects, now: float) -> Exchange | None:
        """Begins a request whose bytes are all here; `None` when it was refused at the door (and the refusal sent)."""
        core = self._core
        if said.traceparent is None:
            trace = self._traces.begun()
        else:
            given = trace_context(said.traceparent, said.tracestate, self._random)
            trace = given.trace_id, given.head
        request_id = self._prefix + str(self._opened)
        self._opened += 1
        if not said.is_known or now >= said.until or self.is_waiting:
            self._turn_away(api, said, effects, now, (request_id, *self._fault(said, now)))
            return None
        try:
            ask = said.principal.likes.read(api, body, _read_ask)
        except Malformed as fault:
            self._turn_away(api, said, effects, now, (request_id, fault.status, fault.code, fault.message), fault.param)
            return None
        route = said.routes.get(ask.model)
        if route is None:
            found = core.names.resolve(ask.model, said.workload, said.principal)
            if isinstance(found, Unnamed):
                self._turn_away(api, said, effects, now, (request_id, *found))
                return None
            route = found
            said.remember(ask.model, route)
        exchange = self.exchange(ask, route, said, effects, now)
        exchange.start(trace, request_id, said.request_id, now)
        self.router.arrived(now)  # once it is on its way: nothing is retried before
        return exchange

    def exchange(self, ask: Ask, route: Route, said: Said, effects: Effects, now: float) -> Exchange:
        """The machine of a request that was read, resolved and counted; to be started by the caller."""
        core = self._core
        exchange = Exchange(core, ask, route, said, effects, now)
        if said.is_bound:
            terms = said.terms.get(exchange.workload)
            if terms is None:
                terms = said.terms[exchange.workload] = core.admission.terms(said, route)
            exchange.stay = Stay(exchange, terms)
        return exchange

    def models(self, headers: Mapping[bytes, bytes], now: float) -> tuple[int, bytes]:
        """The answer of `/v1/models`: workloads and models the caller may name."""
        core = self._core
        principal = core.keyring.find(headers)
        unknown = _unknown(core.keyring.mistyped(headers) if principal is None else "")
        fault = unknown if principal is None else principal.fault(now + core.epoch)
        if self.is_waiting:
            fault = _NO_ACCOUNTS
        if principal is None or fault is not None:
            status, code, message = fault or unknown
            return status, error_body(Api.CHAT, status, code, message)
        routes = core.names.offered(principal)
        uses = Counter(route.model for route in routes)
        names = dict.fromkeys([*(route.workload for route in routes), *(each for each in uses if uses[each] == 1)])
        entries = [{"id": name, "object": "model", "created": 0, "owned_by": "tripoint"} for name in names]
        return 200, msgspec.json.encode({"object": "list", "data": entries})

    def _fault(self, said: Said, now: float) -> Fault:
        """Why a caller is not listened to."""
        if self.is_waiting:
            return _NO_ACCOUNTS
        known = said.principal.fault(now + self._core.epoch) if said.is_known else None
        return known or _unknown(said.mistyped)

    def _turn_away(
        self,
        api: Api,
        said: Said,
        effects: Effects,
        now: float,
        told: tuple[str, int, str, str],
        param: str | None = None,
    ) -> None:
        request_id, status, code, message = told
        head = _JSON % (_SOON if status == 503 else b"", said.request_id or request_id.encode())
        effects.reply(status, head, error_body(api, status, code, message, param))
        payer = said.principal.tenant, said.principal.key
        outcome = Outcome(status, Ending.REFUSED, code)
        core = self._core
        core.record(turned_away(request_id, api, now + core.epoch, outcome, payer))


_UNKNOWN: Final = Fault(401, "invalid_api_key", "no client key was recognised: send `authorization: Bearer <key>`")


def _unknown(mistyped: str) -> Fault:
    """Nobody is recognised by what was shown, `mistyped` where that can be told."""
    return _UNKNOWN._replace(message=f"the client key was mistyped: {mistyped}") if mistyped else _UNKNOWN


_NO_ACCOUNTS: Final = Fault(503, "accounts_unknown", "the gateway does not know its tenants yet; try again soon")
