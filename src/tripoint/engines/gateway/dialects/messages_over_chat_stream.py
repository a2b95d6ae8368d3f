"""Chunks of a chat stream as events of a Messages stream."""

from __future__ import annotations

from typing import Any

import msgspec

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.shapes import CallDelta, ChatChunk, ChunkChoice
from tripoint.engines.gateway.dialects.words import UNREADABLE, fault_words, messages_usage, stop_reason
from tripoint.engines.gateway.wire.events import ChunksReading
from tripoint.engines.gateway.wire.refusal import error_event
from tripoint.engines.gateway.wire.sse import split_events

_chunks = msgspec.json.Decoder(ChatChunk)
_encode = msgspec.json.Encoder().encode
_EMPTY = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


class MessagesOverChatStream:
    """Translates one stream; says `message_stop` only once the upstream said it was complete."""

    __slots__ = ("_blocks", "_calls", "_counted", "_is_begun", "_is_ended", "_met", "_open", "_reading", "_reason",
                 "_started", "_tokens_in", "_usage")  # fmt: skip

    def __init__(self, tokens_in: int) -> None:
        self._tokens_in = tokens_in
        self._reading = ChunksReading()
        self._usage: Usage | None = None
        self._counted = 0
        self._is_begun = False
        self._is_ended = False
        self._reason: str | None = None
        self._met: Any = None
        self._blocks = 0
        # Kind of the text or thinking block that is open; block and id of each call: those stay open to the end,
        # for a server may go on with an earlier call.
        self._open = ""
        self._calls: dict[int, tuple[int, str]] = {}
        self._started: list[int] = []

    def feed(self, events: bytes) -> bytes:
        """See `StreamTranslation`."""
        out: list[bytes] = []
        for event in split_events(events):
            if event.data.strip() == b"[DONE]":
                self._end(out)
            elif event.data:
                self._read(event.data, out)
        return b"".join(out)

    def flush(self) -> bytes:
        """See `StreamTranslation`; a stream that gave its reason to finish is complete even without an end mark."""
        out: list[bytes] = []
        if self._reason is not None:
            self._end(out)
        return b"".join(out)

    def _read(self, data: bytes, out: list[bytes]) -> None:
        """The events a chunk becomes."""
        try:
            chunk = _chunks.decode(data)
        except UNREADABLE:
            out.append(error_event(Api.MESSAGES, "invalid_event", "the upstream sent an event that cannot be read"))
            return
        if chunk.error:
            code, message, _ = fault_words(chunk.error)
            out.append(error_event(Api.MESSAGES, code, message or "the upstream failed"))
            return
        said = self._reading.read(data)
        self._usage = said.usage or self._usage
        self._counted += said.is_content
        if not self._is_begun:
            self._begin(chunk, out)
        for choice in chunk.choices or ():
            if choice.index == 0:
                self._piece(choice, out)

    def _begin(self, chunk: ChatChunk, out: list[bytes]) -> None:
        """The event that begins the message; what the input took is not known yet, so it is our estimate."""
        self._is_begun = True
        message: dict[str, Any] = {
            "id": chunk.id or "msg_0",
            "type": "message",
            "role": "assistant",
            "model": chunk.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": self._tokens_in, "output_tokens": 0},
        }
        out.append(_event("message_start", message=message))

    def _piece(self, choice: ChunkChoice, out: list[bytes]) -> None:
        """The events a piece of the answer becomes."""
        delta = choice.delta
        if thought := delta.reasoning_content or delta.reasoning:
            index = self._opened("thinking", out)
            out.append(
                _event("content_block_delta", index=index, delta={"type": "thinking_delta", "thinking": thought})
            )
        if text := delta.text():
            index = self._opened("text", out)
            out.append(_event("content_block_delta", index=index, delta={"type": "text_delta", "text": text}))
        for call in delta.tool_calls or ():
            self._call(call, out)
        if choice.finish_reason:
            self._reason, self._met = choice.finish_reason, choice.stop_reason

    def _opened(self, kind: str, out: list[bytes]) -> int:
        """Index of the open block of this kind, begun when another or none is open."""
        if self._open != kind:
            self._close(out)
            self._open = kind
            out.append(_event("content_block_start", index=self._blocks, content_block=_EMPTY[kind]))
            self._blocks += 1
        return self._blocks - 1

    def _close(self, out: list[bytes]) -> None:
        """Ends the open block of text or thinking: always the last one begun."""
        if self._open:
            out.append(_event("content_block_stop", index=self._blocks - 1))
            self._open = ""

    def _call(self, call: CallDelta, out: list[bytes]) -> None:
        """The events a piece of a tool call becomes."""
        known = self._calls.get(call.index)
        # Some servers number all calls alike and tell them apart by id only.
        if known is None or (call.id and call.id != known[1]):
            self._close(out)
            identity = call.id or f"call_{self._blocks}"
            name = call.function.name if call.function is not None else ""
            block = {"type": "tool_use", "id": identity, "name": name or "", "input": {}}
            known = self._calls[call.index] = (self._blocks, identity)
            self._started.append(self._blocks)
            out.append(_event("content_block_start", index=self._blocks, content_block=block))
            self._blocks += 1
        if call.function is not None and call.function.arguments:
            piece = {"type": "input_json_delta", "partial_json": call.function.arguments}
            out.append(_event("content_block_delta", index=known[0], delta=piece))

    def _end(self, out: list[bytes]) -> None:
        """The events that end the message, once."""
        if self._is_ended or not self._is_begun:
            return
        self._is_ended = True
        self._close(out)
        out += [_event("content_block_stop", index=index) for index in self._started]
        reason, met = stop_reason(self._reason, self._met, has_calls=bool(self._started))
        usage = messages_usage(self._usage or Usage(self._tokens_in, self._counted))
        out.append(_event("message_delta", delta={"stop_reason": reason, "stop_sequence": met}, usage=usage))
        out.append(_event("message_stop"))


def _event(kind: str, **members: Any) -> bytes:
    """An event of this kind."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode({"type": kind, **members}))
