"""A gateway without a network: effects are noted, and the test plays the upstreams."""

from __future__ import annotations

import json
from typing import Any

from tripoint.domain.record import UsageRecord
from tripoint.domain.serving import Api
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.exchange.effects import Attempt
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.exchange.gateway import Gateway
from tripoint.engines.gateway.health.board import LocalBoard

EVENTS = b"text/event-stream; charset=utf-8"
DOCUMENT = b"application/json"
DONE = b"data: [DONE]\n\n"


class World:
    """What one request made the shell do."""

    def __init__(self) -> None:
        self.dialled: list[Attempt] = []
        self.dropped: list[Attempt] = []
        self.status = 0
        self.head = b""
        self.body = b""
        self.is_streamed = False
        self.ending = ""

    def dial(self, attempt: Attempt) -> None:
        """See `Effects`."""
        assert not self.ending
        self.dialled.append(attempt)

    def drop(self, attempt: Attempt) -> None:
        """See `Effects`."""
        self.dropped.append(attempt)

    def reply(self, status: int, head: bytes, body: bytes) -> None:
        """See `Effects`."""
        assert not self.ending
        assert not self.is_streamed
        self.status, self.head, self.body, self.ending = status, head, body, "replied"

    def begin(self, status: int, head: bytes) -> None:
        """See `Effects`."""
        assert not self.ending
        assert not self.is_streamed
        self.status, self.head, self.is_streamed = status, head, True

    def write(self, data: bytes) -> None:
        """See `Effects`."""
        assert self.is_streamed
        assert not self.ending
        assert data
        self.body += data

    def finish(self) -> None:
        """See `Effects`."""
        assert self.is_streamed
        assert not self.ending
        self.ending = "finished"

    def cut(self) -> None:
        """See `Effects`."""
        assert self.is_streamed
        assert not self.ending
        self.ending = "cut"

    @property
    def last(self) -> Attempt:
        """The attempt dialled last."""
        return self.dialled[-1]

    @property
    def document(self) -> Any:
        """The reply's body, read as JSON."""
        return json.loads(self.body)


class Desk:
    """A gateway on a clock that the test moves."""

    def __init__(self, table: RoutingTable, secrets: dict[str, str] | None = None) -> None:
        self.records: list[UsageRecord] = []
        self.board = LocalBoard()
        self.now = 100.0
        self.headers: dict[bytes, bytes] = {}
        """What requests say that say nothing else."""
        self.gateway = Gateway(
            table, secrets or {}, board=self.board, record=self.records.append,
            seed=7, now=self.now, epoch=1e9,
        )  # fmt: skip

    def ask(
        self,
        body: dict[str, Any] | bytes,
        api: Api = Api.CHAT,
        headers: dict[bytes, bytes] | None = None,
        world: World | None = None,
    ) -> tuple[Exchange | None, World]:
        """Opens a request."""
        world = world or World()
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        exchange = self.gateway.open(api, self.gateway.said(headers or self.headers), raw, world, self.now)
        return exchange, world

    def open(self, **fields: Any) -> tuple[Exchange, World]:
        """Opens a chat that is not refused at the door."""
        exchange, world = self.ask({"model": "chat", "messages": [{"role": "user", "content": "hi"}], **fields})
        assert exchange is not None
        return exchange, world

    def held(self, slots: int = 4) -> int:
        """Places still taken at upstreams."""
        return sum(self.board.held(slot) for slot in range(slots))


def piece(text: str, **fields: Any) -> bytes:
    """One streamed event with text."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return (
        b"data: "
        + json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice], **fields}).encode()
        + b"\n\n"
    )


def usage_event(tokens_in: int, tokens_out: int) -> bytes:
    """The last event of a stream whose usage was asked for."""
    usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
    return b"data: " + json.dumps({"id": "c", "choices": [], "usage": usage}).encode() + b"\n\n"


def answer(tokens_in: int = 5, tokens_out: int = 3, text: str = "hello") -> bytes:
    """A whole chat answer."""
    return json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "model": "llama",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": tokens_in,
                "completion_tokens": tokens_out,
                "total_tokens": tokens_in + tokens_out,
            },
        }
    ).encode()
