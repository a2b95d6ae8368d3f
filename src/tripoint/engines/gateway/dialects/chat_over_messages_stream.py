"""Events of a Messages stream as chunks of a chat stream."""

from __future__ import annotations

from typing import Any

import msgspec

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.shapes import Block, MessageEvent
from tripoint.engines.gateway.dialects.words import FINISH_REASONS, UNREADABLE, chat_usage, fault_words
from tripoint.engines.gateway.wire.events import MessagesReading
from tripoint.engines.gateway.wire.refusal import error_event
from tripoint.engines.gateway.wire.sse import split_events

_events = msgspec.json.Decoder(MessageEvent)
_encode = msgspec.json.Encoder().encode


class ChatOverMessagesStream:
    """Translates one stream; says `[DONE]` only once the upstream said it was complete."""

    __slots__ = ("_bare", "_calls", "_created", "_id", "_model", "_reading", "_usage", "_wants_usage")

    def __init__(self, created: int, *, wants_usage: bool) -> None:
        self._created = created
        self._wants_usage = wants_usage
        self._reading = MessagesReading()
        self._usage: Usage | None = None
        self._id = "chatcmpl-0"
        self._model = ""
        self._calls: dict[int, int] = {}
        self._bare: set[int] = set()

    def feed(self, events: bytes) -> bytes:
        """See `StreamTranslation`."""
        return b"".join([self._translated(event.data) for event in split_events(events) if event.data])

    def flush(self) -> bytes:
        """See `StreamTranslation`."""
        return b""

    def _translated(self, data: bytes) -> bytes:
        """The chunks an event becomes."""
        try:
            event = _events.decode(data)
        except UNREADABLE:
            return error_event(Api.CHAT, "invalid_event", "the upstream sent an event that cannot be read")
        self._usage = self._reading.read(data).usage or self._usage
        kind = event.type
        if kind == "content_block_delta":
            return self._delta(event)
        if kind == "content_block_start" and event.content_block is not None:
            return self._block(event.index, event.content_block)
        if kind == "content_block_stop" and event.index in self._bare:
            # A call without arguments is an empty object there, and no piece ever says so.
            return self._arguments(event.index, "{}")
        if kind == "message_start":
            if event.message is not None:
                self._id, self._model = event.message.id or self._id, event.message.model
            return self._chunk({"role": "assistant", "content": ""})
        if kind == "message_delta" and event.delta is not None:
            reason = FINISH_REASONS.get(event.delta.stop_reason or "", "stop")
            return self._chunk({}, reason)
        if kind == "message_stop":
            return self._end()
        if kind == "error":
            code, message, _ = fault_words(event.error)
            return error_event(Api.CHAT, code, message or "the upstream failed")
        return b""

    def _block(self, index: int, block: Block) -> bytes:
        """The chunk that begins a tool call, or holds what a block begins with."""
        if block.type == "tool_use":
            number = self._calls[index] = len(self._calls)
            # Some servers put the whole input into the block's beginning.
            arguments = _encode(block.input).decode() if block.input else ""
            if not arguments:
                self._bare.add(index)
            call = {"index": number, "id": block.id, "type": "function"}
            return self._chunk({"tool_calls": [{**call, "function": {"name": block.name, "arguments": arguments}}]})
        if block.type == "text" and block.text:
            return self._chunk({"content": block.text})
        if block.type == "thinking" and block.thinking:
            return self._chunk({"reasoning_content": block.thinking})
        return b""

    def _delta(self, event: MessageEvent) -> bytes:
        """The chunk a piece of a block becomes."""
        delta = event.delta
        if delta is None:
            return b""
        if delta.type == "text_delta":
            return self._chunk({"content": delta.text})
        if delta.type == "thinking_delta":
            return self._chunk({"reasoning_content": delta.thinking})
        if delta.type == "input_json_delta" and event.index in self._calls and delta.partial_json:
            return self._arguments(event.index, delta.partial_json)
        return b""

    def _arguments(self, index: int, piece: str) -> bytes:
        """The chunk a piece of a call's arguments becomes."""
        self._bare.discard(index)
        return self._chunk({"tool_calls": [{"index": self._calls[index], "function": {"arguments": piece}}]})

    def _end(self) -> bytes:
        """Usage where it is wanted, and the end mark."""
        usage = b""
        if self._wants_usage and self._usage is not None:
            usage = self._event({"choices": [], "usage": chat_usage(self._usage)})
        return usage + b"data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        """A chunk of one choice."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._event({"choices": [choice]})

    def _event(self, members: dict[str, Any]) -> bytes:
        """A chunk as an event."""
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": self._model}
        return b"data: " + _encode({**head, **members}) + b"\n\n"
