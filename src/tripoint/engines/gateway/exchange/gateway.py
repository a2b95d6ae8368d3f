"""All machines of one worker: opens an exchange for each request, swaps tables, answers what models there are."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from itertools import count
from typing import NamedTuple

import msgspec

from tripoint.domain.record import Ending, ShiftRecord, UsageRecord
from tripoint.domain.serving import Api
from tripoint.domain.table import Route, RoutingTable
from tripoint.engines.gateway.entry.keyring import Keyring, Principal
from tripoint.engines.gateway.entry.names import Unnamed
from tripoint.engines.gateway.exchange.core import Core, Opening
from tripoint.engines.gateway.exchange.effects import Effects
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.exchange.lanes import Lanes
from tripoint.engines.gateway.exchange.metering import Outcome, turned_away
from tripoint.engines.gateway.health.board import Board
from tripoint.engines.gateway.routing.query import Query
from tripoint.engines.gateway.routing.router import Router
from tripoint.engines.gateway.telemetry.trace import trace_context
from tripoint.engines.gateway.wire.ask import Ask, Malformed, read_ask
from tripoint.engines.gateway.wire.refusal import error_body

_JSON = b"content-type: application/json\r\ncache-control: no-store\r\nx-request-id: %b\r\n"


class Request(NamedTuple):
    """A request whose bytes are all here."""

    api: Api
    """Interface, by its path."""
    headers: Mapping[bytes, bytes]
    """Headers by lower-case name."""
    body: bytes
    """Body."""
    peer: str
    """Who connected."""


class Gateway:
    """One worker's machines; `now` is on one monotonic clock throughout, s."""

    def __init__(
        self,
        table: RoutingTable,
        secrets: Mapping[str, str],
        *,
        board: Board,
        record: Callable[[UsageRecord, float], None],
        seed: int,
        now: float,
        epoch: float,
    ) -> None:
        self._record = record
        self._epoch = epoch
        self._random = random.Random(seed)
        self._ids = count()
        self._prefix = f"{self._random.getrandbits(40):010x}"
        self.router = Router(table, board, seed=seed, now=now)
        self._core = Core(table, self.router, record, epoch)
        self._core.adopt(table, Keyring(table.keys, secrets), Lanes(secrets))

    @property
    def table(self) -> RoutingTable:
        """The table served by."""
        return self._core.table

    def reload(self, table: RoutingTable, secrets: Mapping[str, str], now: float) -> None:
        """Serves by another table from now on; an attempt under way ends as it began."""
        self.router.reload(table, now)
        self._core.adopt(table, Keyring(table.keys, secrets), Lanes(secrets))

    def tick(self, now: float) -> list[ShiftRecord]:
        """To be called a few times a second: live figures are renewed and traffic may shift."""
        return self.router.tick(now)

    def open(self, request: Request, effects: Effects, now: float) -> Exchange | None:
        """Begins a request; `None` when it was refused at the door (and the refusal sent)."""
        headers = request.headers
        shown = headers.get(b"x-request-id")
        request_id = shown.decode("latin-1") if shown else f"{self._prefix}-{next(self._ids):x}"
        principal = self._core.keyring.find(headers)
        if principal is None:
            self._turn_away(request, effects, now, request_id, (401, "invalid_api_key", _NO_KEY), None)
            return None
        try:
            ask = read_ask(request.api, request.body)
        except Malformed as fault:
            told = (fault.status, fault.code, fault.message)
            self._turn_away(request, effects, now, request_id, told, principal)
            return None
        route = self._core.names.resolve(ask.model, _text(headers.get(b"x-tripoint-workload")), principal)
        if isinstance(route, Unnamed):
            told = (route.status, route.code, route.message)
            self._turn_away(request, effects, now, request_id, told, principal)
            return None
        self._core.router.arrived(now)
        self._core.admission.admit(principal, now)
        opening = self._opening(request, ask, route, principal, request_id, now)
        exchange = Exchange(self._core, opening, _query(opening), effects)
        exchange.start(now)
        return exchange

    def models(self, headers: Mapping[bytes, bytes]) -> tuple[int, bytes]:
        """The answer of `/v1/models`: workloads and models the caller may name."""
        principal = self._core.keyring.find(headers)
        if principal is None:
            return 401, error_body(Api.CHAT, 401, "invalid_api_key", _NO_KEY)
        routes = self._core.names.offered(principal)
        names = dict.fromkeys([*(route.workload for route in routes), *(route.model for route in routes)])
        entries = [{"id": name, "object": "model", "created": 0, "owned_by": "tripoint"} for name in names]
        return 200, msgspec.json.encode({"object": "list", "data": entries})

    def _opening(
        self, request: Request, ask: Ask, route: Route, principal: Principal, request_id: str, now: float
    ) -> Opening:
        headers = request.headers
        trace = trace_context(headers.get(b"traceparent"), headers.get(b"tracestate"), self._random)
        limit = self.table.deadline_s
        asked = headers.get(b"x-tripoint-timeout-ms")
        if asked is not None and asked.isdigit() and len(asked) < 12:
            limit = min(limit, int(asked) / 1000.0)
        label = _text(headers.get(b"x-tripoint-classification"))
        return Opening(request_id, ask, route, principal, label, trace, now, now + limit)

    def _turn_away(
        self,
        request: Request,
        effects: Effects,
        now: float,
        request_id: str,
        told: tuple[int, str, str],
        principal: Principal | None,
    ) -> None:
        status, code, message = told
        effects.reply(status, _JSON % request_id.encode(), error_body(request.api, status, code, message))
        tenant, key = (principal.tenant, principal.key) if principal is not None else ("", "")
        outcome = Outcome(status, Ending.REFUSED, code)
        self._record(turned_away(request_id, request.api, now + self._epoch, outcome, (tenant, key)), now)


_NO_KEY = "no client key was recognised: send `authorization: Bearer <key>`"


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _query(opening: Opening) -> Query:
    ask, principal = opening.ask, opening.principal
    query = Query(opening.route, principal.sites, opening.label, ask.api, ask.tokens_in, ask.tokens_out, ask.prefix)
    query.is_stream = ask.is_stream
    return query
