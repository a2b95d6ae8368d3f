"""One caller's connection: reads one request after the other, opens its exchange, and writes what that commands.

Requests are answered strictly in order. Bytes of the next one are kept, and no more are read, until the present one
is answered, so that a caller who sends ahead costs one read at most.
"""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
from typing import TYPE_CHECKING, Final, cast

from tripoint.apps.gateway.http.answering import Answering
from tripoint.apps.gateway.http.bodies import Body
from tripoint.apps.gateway.http.heads import Head, KnownHead, Refusal, asks_head, looks_bad, read_head
from tripoint.apps.gateway.http.intake import LARGE, Intake, intake_of
from tripoint.apps.gateway.http.lobby import LONGEST_HEAD
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.refusal import error_body

if TYPE_CHECKING:
    from tripoint.apps.gateway.http.lobby import Lobby

_monotonic: Final = time.monotonic  # compiled, a name that was imported is looked up at each use
_NO_BODY: Final = b""
_log = logging.getLogger("tripoint.gateway")
_HIGH_WATER: Final = 64 * 1024
_LOW_WATER: Final = 56 * 1024
"""A caller that reads on at all is soon fed again, so that its slowness is never taken for the upstream's."""
_LINGER_S: Final = 2.0
_LINGER_BYTES: Final = 64 * 2**20
"""Most that is read and thrown away so that a caller who still sends can read why it was refused."""
_JSON: Final = b"content-type: application/json\r\ncache-control: no-store\r\n"
_TIMEOUT: Final = Refusal(408, "request_timeout", "the request did not arrive in time")
_LONG_HEAD: Final = Refusal(431, "head_too_large", "the request's headers are too long")
_LONG_BODY: Final = Refusal(413, "request_too_large", "the body is larger than this gateway takes")
_BAD_HEAD: Final = Refusal(400, "bad_request", "the request's headers are not valid HTTP/1.1")
_BUSY: Final = Refusal(503, "too_many_bodies", "too many requests are being received; try again soon")
_FOREIGN: Final = Refusal(
    403, "foreign_origin", "without client keys only this machine may call, and no page of another origin"
)
_MISTAKE: Final = Refusal(500, "internal_error", "the gateway failed; the error has been logged")
_STRANGER: Final = Refusal(403, "not_the_proxy", "only the proxies in front of this gateway may connect")
_PROXY: Final = "proxy"
"""Instead of a proxy's address: it is not counted, and not trusted like this machine even where it is on it."""
_FULL: Final = Refusal(503, "too_many_connections", "too many connections; try again soon")


class Connection(Answering):
    """A connection, and the effects of the exchange on it."""

    __slots__ = (
        "_backlog", "_body", "_body_began", "_intake", "_is_busy", "_known", "_lingers", "_partial", "_peer",
        "_thrown", "_unwritten", "deadline",
    )  # fmt: skip

    def __init__(self, lobby: Lobby) -> None:
        super().__init__(lobby)
        self.deadline = inf
        """When `expire` is to be called, s."""
        self._peer = ""
        self._known: KnownHead | None = None
        self._body: Body | None = None
        self._body_began = 0.0
        self._intake: Intake | None = None
        self._partial = b""
        self._backlog = b""
        self._unwritten = 0
        self._thrown = 0
        self._lingers = self._is_busy = False

    # --- what the transport says -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection, where there is room for it."""
        self._transport = stream = cast("asyncio.Transport", transport)
        lobby, limits = self._lobby, self._lobby.limits
        if lobby.is_resting:
            lobby.hurry()
        peername = stream.get_extra_info("peername")
        self._peer = str(peername[0]) if isinstance(peername, tuple) else ""
        lobby.connections.add(self)
        self.deadline = lobby.now + limits.idle_s
        stream.set_write_buffer_limits(_HIGH_WATER, _LOW_WATER)
        is_local = self._peer.startswith("127.") or self._peer in ("::1", "")
        if lobby.proxies:
            if lobby.is_proxy(self._peer):
                self._peer, is_local = _PROXY, True
            elif not is_local:
                lobby.events("connection_refused:stranger")
                self._refuse(_STRANGER)
                return
        count = 0 if is_local else lobby.peers.get(self._peer, 0) + 1
        if not is_local:
            lobby.peers[self._peer] = count
        if len(lobby.connections) > limits.max_connections or count > limits.max_per_peer or lobby.is_draining:
            lobby.events("connection_refused:full")
            self._refuse(_FULL)
            return
        lobby.events("connection_opened")

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has left, or we have closed: an exchange under way is told."""
        lobby = self._lobby
        self._shut()  # first of all: its descriptor is about to be another connection's
        self._transport = self._intake = None
        self._hold(0)
        lobby.connections.discard(self)
        lobby.active.discard(self)
        count = lobby.peers.get(self._peer)
        if count is not None:
            if count > 1:
                lobby.peers[self._peer] = count - 1
            else:
                del lobby.peers[self._peer]
        exchange, self.exchange = self.exchange, None
        if exchange is not None and not exchange.is_over:
            exchange.on_client_gone(_monotonic())

    def data_received(self, data: bytes) -> None:
        """Takes bytes of the present request, or keeps those of a later one."""
        if self._is_busy or self._closes or self._backlog:  # what was sent ahead is read first
            if self._closes or self._transport is None:
                self._throw_away(len(data))
                return
            self._backlog += data
            self._transport.pause_reading()
            return
        if self._body is not None:
            self._take_body(data)
            return
        if self._partial:
            data = self._partial + data
            self._partial = b""
        self._take_head(data)

    def _throw_away(self, count: int) -> None:
        self._thrown += count
        if self._thrown > _LINGER_BYTES:
            self.abort()

    def expected(self) -> KnownHead | None:
        """The head that the next bytes may well begin with; `None` where they are something else."""
        is_between = self._body is None and not (self._is_busy or self._closes or self._backlog or self._partial)
        return self._known if is_between else None

    @property
    def largest(self) -> int:
        """Longest body that is taken, bytes."""
        return self._lobby.limits.max_body

    def received_into(self, view: memoryview, count: int) -> None:
        """So many bytes of `view`, which others use next: nearly always a whole request that is read in one go."""
        known = self.expected()
        if known is not None:
            stop = known.size_in(bytes(view[: min(count, LONGEST_HEAD)]))
            if stop and known.length == count - stop <= self._lobby.limits.max_body:
                self._begin(known, bytes(view[stop:count]))
                return
        self.data_received(bytes(view[:count]))

    def received_whole(self, known: KnownHead, body: bytes) -> None:
        """A request came whole whose head is the `expected` one, and whose body is no longer than the largest."""
        self._begin(known, body)

    def eof_received(self) -> bool:
        """A caller who sends no more is taken for gone."""
        return False

    def pause_writing(self) -> None:
        """The caller is slow: what feeds it is read no further."""
        for line in self._lines():
            line.pause()
        self._unwritten = 0 if self._transport is None else self._transport.get_write_buffer_size()
        self.deadline = self._lobby.now + self._lobby.limits.write_s

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._unwritten = 0
        for line in self._lines():
            line.resume()
        self.deadline = inf if self._is_busy else self._lobby.now + self._lobby.limits.idle_s

    # --- reading ---------------------------------------------------------------------------------------------------

    def _take_head(self, data: bytes) -> None:
        known = self._known
        stop = known.size_in(data) if known is not None else 0
        if known is None or not stop:
            known, stop = self._read_head(data)
            if known is None:
                return
        length = known.length
        if length > self._lobby.max_body:
            self._refuse(_LONG_BODY)
            return
        size = len(data) - stop
        if length == size:
            self._begin(known, data[stop:] if size else _NO_BODY)
        elif 0 <= length < size:
            self._backlog = data[stop + length :]
            self._begin(known, data[stop : stop + length])
        else:
            self._expect_body(known, data, stop)

    def _read_head(self, data: bytes) -> tuple[KnownHead | None, int]:
        """A head that is not known, and its length; none where it is not whole yet or was refused."""
        limits = self._lobby.limits
        stop = data.find(b"\r\n\r\n", 0, limits.max_head) + 4
        if stop < 4:
            if len(data) >= limits.max_head:
                self._refuse(_LONG_HEAD, is_head=asks_head(data))
            elif looks_bad(data):
                self._refuse(_BAD_HEAD, is_head=asks_head(data))
            else:
                self.deadline = min(self.deadline, self._lobby.now + limits.head_s)
                self._partial = data
            return None, 0
        found = read_head(data[:stop])
        if isinstance(found, Refusal):
            self._refuse(found, is_head=asks_head(data))
            return None, 0
        self._known = known = self._lobby.remember(data[:stop], found)
        return known, stop

    def _expect_body(self, known: KnownHead, data: bytes, stop: int) -> None:
        lobby = self._lobby
        if known.said is not None and not known.said.is_known:
            self._closes = self._lingers = True  # nobody unknown is listened to for long
            self._begin(known, _NO_BODY)
            return
        self._body = Body(known.length, lobby.limits.max_body)
        self._body_began = lobby.now
        self.deadline = lobby.now + lobby.limits.body_grace_s
        if len(data) > stop:
            self._take_body(data, stop)
        elif known.told.expects and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take_body(self, data: bytes, start: int = 0) -> None:
        body, known = self._body, self._known
        assert body is not None  # callers have just looked
        assert known is not None
        before = body.size
        refusal = body.feed(data, start)
        self._lobby.unread += body.size - before
        if refusal is not None:
            self._refuse(refusal)
        elif body.is_whole:
            self._lobby.unread -= body.size
            self._body = None
            self._backlog = body.rest
            if body.size >= LARGE and self._intake is None:
                self._intake = intake_of(self, self._transport, self._lobby)
            self._begin(known, body.content())
        elif self._lobby.unread > self._lobby.limits.max_unread:
            self._refuse(_BUSY)

    def _begin(self, known: KnownHead, body: bytes) -> None:
        """A request is whole."""
        lobby = self._lobby
        self._is_busy = True
        self._head = known.told
        self.deadline = inf
        if known.is_foreign and lobby.is_guarded:
            self._refuse(_FOREIGN, is_head=known.told.is_head)
            return
        if not known.keeps or lobby.is_draining:
            self._closes = True
        api, gateway = known.api, lobby.gateway
        if api is None:
            self._show(known.told)
            return
        said = known.said
        if said is None or said.generation != gateway.generation:  # another table since it was read
            known.said = said = gateway.said(known.told.headers)
        try:
            exchange = gateway.open(api, said, body, self, _monotonic())
        except Exception:  # a mistake of ours must not look like the network's
            _log.exception("a request could not be opened")
            self._out.clear()
            self._refuse(_MISTAKE)
            return
        if exchange is not None and not self._is_answered:
            self.exchange = exchange
            lobby.active.add(self)
            if lobby.is_resting:
                lobby.hurry()
        self.flush()

    def _show(self, head: Head) -> None:
        page = head.endpoint.page
        assert page is not None  # an endpoint has either an interface or a page
        self._lobby.pages(page, head.headers, self._peer, self._shown)

    def _shown(self, status: int, kind: bytes, content: bytes) -> None:
        if self._transport is None or self._head is None:
            return
        self.say(status, b"content-type: %b\r\ncache-control: no-store\r\n" % kind, content, is_head=self._head.is_head)

    def _refuse(self, refusal: Refusal, *, is_head: bool = False) -> None:
        """Answers what cannot be read, and closes: where one request ends is no longer known."""
        is_head = is_head or asks_head(self._partial)
        self._hold(0)
        self._partial = self._backlog = b""
        self._closes = self._is_busy = self._lingers = True
        self._lobby.events(f"malformed:{refusal.code}")
        body = error_body(Api.CHAT, refusal.status, refusal.code, refusal.message)
        self.say(refusal.status, _JSON + refusal.head, body, is_head=is_head)

    # --- between requests ------------------------------------------------------------------------------------------

    def _answered(self, transport: asyncio.Transport | None) -> None:
        lobby = self._lobby
        lobby.active.discard(self)
        self._shut()
        self.exchange = self._line = None
        self._is_busy = self._is_answered = self._is_chunked = False
        if self._others:
            self._others = []
        if transport is None:
            return
        if self._closes or self._is_cut or lobby.is_draining:
            self._leave(transport)
            return
        self.deadline = lobby.now + lobby.idle_s
        if self._backlog:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _leave(self, transport: asyncio.Transport) -> None:
        """Closes after an answer."""
        self._closes = True
        if self._lingers and not self._is_cut:
            # Closing now would reset the connection under a caller who still sends, and lose the refusal.
            self.deadline = self._lobby.now + _LINGER_S
            if transport.can_write_eof():
                transport.write_eof()
            return
        # A cut answer must not look whole: the connection ends in the middle of its framing.
        transport.close()

    def _go_on(self) -> None:
        """Reads what the caller sent ahead."""
        if self._transport is None or self._is_busy:
            return
        data, self._backlog = self._backlog, b""
        self._transport.resume_reading()
        if data:
            self.data_received(data)

    def wake(self, now: float) -> None:
        """The exchange's time has come."""
        if self.exchange is not None:
            self.exchange.on_timer(now)
            self.flush()

    def expire(self, now: float) -> None:
        """The connection's own time has come: closes it, unless its body arrives fast enough."""
        transport, body = self._transport, self._body
        self.deadline = inf
        if transport is None:
            return
        if self._unwritten:
            left = transport.get_write_buffer_size()
            if left < self._unwritten and not self._lingers:
                self._unwritten = left
                self.deadline = now + self._lobby.limits.write_s
            else:  # it does not read its answer
                transport.abort()
        elif self._closes:
            transport.abort()
        elif body is not None:
            limits = self._lobby.limits
            took = now - self._body_began
            if took < limits.body_s and body.size >= limits.body_rate * (took - 1.0):
                self.deadline = min(now + 1.0, self._body_began + limits.body_s)
            else:
                self._refuse(_TIMEOUT)
        elif self._partial:
            self._refuse(_TIMEOUT)
        else:
            transport.close()

    def drain(self) -> None:
        """Closes now where nothing is under way, else after the answer."""
        if not self._is_busy and self._body is None and not self._partial and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection in the middle of whatever it does."""
        if self._transport is not None:
            self._transport.abort()

    def _hold(self, size: int) -> None:
        """Gives back the memory of an unfinished body."""
        if self._body is not None:
            self._lobby.unread += size - self._body.size
            self._body = None
