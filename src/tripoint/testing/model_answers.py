"""What the tests' model server says: words by seed and prompt, in the shape of each interface, whole or as events."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbour", "inlet", "juniper", "kelp", "lagoon",
    "meadow", "nectar", "orchard", "pebble", "quartz", "ravine", "summit", "thicket", "upland", "valley", "willow",
)  # fmt: skip
ARGUMENTS = {"city": "Oslo"}
"""What tools are called with."""


class Event(NamedTuple):
    """One event of a stream."""

    content: bytes
    """Bytes, with the empty line that ends it."""
    has_word: bool
    """True when it carries a word of the answer."""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """An answer in the making."""

    api: str
    """Last part of the path: `completions` after `chat` is `chat`."""
    model: str
    """Model asked for."""
    is_stream: bool
    """True when asked as a stream."""
    wants_usage: bool
    """True when the stream is to end with usage."""
    words: tuple[str, ...]
    """The answer."""
    tokens_in: int
    """Tokens of the prompt: its words."""
    is_short: bool
    """True when a limit ended it."""
    vectors: tuple[tuple[float, ...], ...] = ()
    """Embeddings."""
    is_packed: bool = False
    """True for embeddings as base64 of little-endian floats."""
    tool: str = ""
    """A tool it calls instead of saying words: the first one offered, until its result is among the messages."""
    fingerprint: str = ""
    """`system_fingerprint` of chat and completions, none when empty."""

    def whole(self, *, has_usage: bool) -> dict[str, Any]:
        """The answer in one document."""
        document = self._document()
        if not has_usage:
            document.pop("usage", None)
        return document

    def events(self, *, has_usage: bool) -> Iterator[Event]:
        """The answer as events."""
        if self.api == "messages":
            return self._message_events(has_usage)
        if self.api == "responses":
            return self._response_events(has_usage)
        return self._chunk_events(has_usage and self.wants_usage)

    @property
    def text(self) -> str:
        """The answer as text."""
        return " ".join(self.words)

    def _document(self) -> dict[str, Any]:
        if self.api == "embeddings":
            vectors = [_packed(row) if self.is_packed else row for row in self.vectors]
            rows = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(vectors)]
            usage = {"prompt_tokens": self.tokens_in, "total_tokens": self.tokens_in}
            return {"object": "list", "data": rows, "model": self.model, "usage": usage}
        if self.api == "messages":
            content: list[dict[str, Any]] = [{"type": "text", "text": self.text}]
            if self.tool:
                content = [{"type": "tool_use", "id": "toolu_1", "name": self.tool, "input": ARGUMENTS}]
            return {**self._message(), "content": content, "stop_reason": self._stop(), "usage": self._usage_message()}
        if self.api == "responses":
            return self._response("completed")
        shape = "chat.completion" if self.api == "chat" else "text_completion"
        said: dict[str, Any] = {"text": self.text, "logprobs": None}
        if self.api == "chat":
            said = {"message": {"role": "assistant", "content": self.text, "refusal": None}, "logprobs": None}
        if self.tool:
            said = {"message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": [self._call()]}}
        choice = {"index": 0, **said, "finish_reason": self._finish()}
        return {**self._frame(shape), "choices": [choice], "usage": self._usage()}

    def _chunk_events(self, has_usage: bool) -> Iterator[Event]:
        is_chat = self.api == "chat"
        frame = self._frame("chat.completion.chunk" if is_chat else "text_completion")
        if is_chat:
            first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
            yield Event(_line({**frame, "choices": [first]}), False)
        if self.tool:
            call = {"index": 0, **self._call()}
            began = {**call, "function": {"name": self.tool, "arguments": ""}}
            rest = {"index": 0, "function": {"arguments": call["function"]["arguments"]}}
            for piece in (began, rest):
                named = {"index": 0, "delta": {"tool_calls": [piece]}, "finish_reason": None}
                yield Event(_line({**frame, "choices": [named]}), True)
        for number, word in enumerate(() if self.tool else self.words):
            text = word if number == 0 else f" {word}"
            said: dict[str, Any] = {"delta": {"content": text}} if is_chat else {"text": text, "logprobs": None}
            yield Event(_line({**frame, "choices": [{"index": 0, **said, "finish_reason": None}]}), True)
        end: dict[str, Any] = {"delta": {}} if is_chat else {"text": "", "logprobs": None}
        last = {"index": 0, **end, "finish_reason": self._finish()}
        yield Event(_line({**frame, "choices": [last]}), False)
        if has_usage:
            yield Event(_line({**frame, "choices": [], "usage": self._usage()}), False)
        yield Event(b"data: [DONE]\n\n", False)

    def _message_events(self, has_usage: bool) -> Iterator[Event]:
        usage = self._usage_message() if has_usage else {"input_tokens": 0, "output_tokens": 0}
        yield _named("message_start", {"message": {**self._message(), "usage": {**usage, "output_tokens": 0}}})
        block: dict[str, Any] = {"type": "text", "text": ""}
        if self.tool:
            block = {"type": "tool_use", "id": "toolu_1", "name": self.tool, "input": {}}
        yield _named("content_block_start", {"index": 0, "content_block": block})
        if self.tool:
            piece = {"type": "input_json_delta", "partial_json": json.dumps(ARGUMENTS)}
            yield Event(_named("content_block_delta", {"index": 0, "delta": piece}).content, True)
        for number, word in enumerate(() if self.tool else self.words):
            delta = {"type": "text_delta", "text": word if number == 0 else f" {word}"}
            yield Event(_named("content_block_delta", {"index": 0, "delta": delta}).content, True)
        yield _named("content_block_stop", {"index": 0})
        end = {"stop_reason": self._stop(), "stop_sequence": None}
        yield _named("message_delta", {"delta": end, "usage": {"output_tokens": usage["output_tokens"]}})
        yield _named("message_stop", {})

    def _response_events(self, has_usage: bool) -> Iterator[Event]:
        number = 0
        begun = {**self._response("in_progress"), "output": [], "usage": None}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        item = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        part = {"type": "output_text", "text": "", "annotations": []}
        yield _named("response.created", {"response": begun, "sequence_number": number})
        yield _named("response.output_item.added", {"output_index": 0, "item": item, "sequence_number": 1})
        yield _named("response.content_part.added", {**place, "part": part, "sequence_number": 2})
        for number, word in enumerate(self.words):
            delta = {**place, "delta": word if number == 0 else f" {word}", "logprobs": []}
            named = _named("response.output_text.delta", {**delta, "sequence_number": number + 3})
            yield Event(named.content, True)
        done = {**place, "text": self.text, "logprobs": [], "sequence_number": number + 4}
        yield _named("response.output_text.done", done)
        whole = self._response("completed")
        if not has_usage:
            whole["usage"] = None
        yield _named("response.completed", {"response": whole, "sequence_number": number + 5})

    def _frame(self, shape: str) -> dict[str, Any]:
        frame = {"id": f"{self.api}-{self._digest()}", "object": shape, "created": 1_700_000_000, "model": self.model}
        return {**frame, "system_fingerprint": self.fingerprint} if self.fingerprint else frame

    def _message(self) -> dict[str, Any]:
        head = {"id": f"msg_{self._digest()}", "type": "message", "role": "assistant", "model": self.model}
        return {**head, "content": [], "stop_reason": None, "stop_sequence": None}

    def _response(self, status: str) -> dict[str, Any]:
        part = {"type": "output_text", "text": self.text, "annotations": []}
        item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
        usage = {
            "input_tokens": self.tokens_in,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": len(self.words),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": self.tokens_in + len(self.words),
        }
        head = {"id": f"resp_{self._digest()}", "object": "response", "created_at": 1_700_000_000, "status": status}
        rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "output": [item], "usage": usage}
        nothing: dict[str, Any] = {"error": None, "incomplete_details": None, "instructions": None, "metadata": {}}
        return {**head, "model": self.model, **nothing, "temperature": 1.0, "top_p": 1.0, **rest}

    def _call(self) -> dict[str, Any]:
        return {"id": "call_1", "type": "function", "function": {"name": self.tool, "arguments": json.dumps(ARGUMENTS)}}

    def _finish(self) -> str:
        return "tool_calls" if self.tool else "length" if self.is_short else "stop"

    def _stop(self) -> str:
        if self.tool:
            return "tool_use"
        return "max_tokens" if self.is_short else "end_turn"

    def _usage(self) -> dict[str, int]:
        out = len(self.words)
        return {"prompt_tokens": self.tokens_in, "completion_tokens": out, "total_tokens": self.tokens_in + out}

    def _usage_message(self) -> dict[str, int]:
        return {"input_tokens": self.tokens_in, "output_tokens": len(self.words)}

    def _digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def answer(path: str, asked: dict[str, Any], seed: int, words: int) -> ModelAnswer | None:
    """The answer to a request body at `path`; `None` for a path no interface has.

    Raises `KeyError`, `TypeError` or `ValueError` for a body that lacks what the interface needs.
    """
    parts = path.rstrip("/").split("/")
    api = "chat" if parts[-2:] == ["chat", "completions"] else parts[-1]
    if api not in ("chat", "completions", "embeddings", "responses", "messages"):
        return None
    model = asked.get("model") or (parts[parts.index("deployments") + 1] if "deployments" in parts else "")
    prompt = asked["messages"] if api in ("chat", "messages") else asked["prompt" if api == "completions" else "input"]
    text = prompt if isinstance(prompt, str) else json.dumps(prompt, sort_keys=True)
    tokens_in = max(1, len(text.split()))
    if api == "embeddings":
        rows = tuple(_vector(seed, each) for each in ([prompt] if isinstance(prompt, str) else prompt))
        is_packed = asked.get("encoding_format") == "base64"
        return ModelAnswer(api, model, False, False, (), tokens_in, False, rows, is_packed)
    limits = [asked.get(name) for name in ("max_tokens", "max_completion_tokens", "max_output_tokens")]
    limit = next((int(each) for each in limits if each is not None), words)
    said = tuple(_word(seed, text, number) for number in range(min(limit, words)))
    wants_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
    tool = _tool_of(asked) if api in ("chat", "messages") else ""
    is_stream = bool(asked.get("stream"))
    return ModelAnswer(api, model, is_stream, wants_usage, said, tokens_in, limit < words and not tool, tool=tool)


def metrics(at_once: int) -> str:
    """Prometheus text as vLLM writes it, of a server that answers so many at once."""
    return (
        "# HELP vllm:num_requests_running Number of requests in model execution batches.\n"
        "# TYPE vllm:num_requests_running gauge\n"
        f'vllm:num_requests_running{{engine="0",model_name="tiny"}} {float(at_once)}\n'
        "# HELP vllm:num_requests_waiting Number of requests waiting to be processed.\n"
        "# TYPE vllm:num_requests_waiting gauge\n"
        'vllm:num_requests_waiting{engine="0",model_name="tiny"} 0.0\n'
        "# HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.\n"
        "# TYPE vllm:kv_cache_usage_perc gauge\n"
        'vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.25\n'
    )


def _tool_of(asked: dict[str, Any]) -> str:
    """Name of the first tool offered; empty once a result of one is among the messages."""
    tools = asked.get("tools") or ()
    messages = asked["messages"] if isinstance(asked["messages"], list) else ()
    has_result = any(
        message.get("role") == "tool" or "tool_result" in json.dumps(message.get("content"))
        for message in messages
        if isinstance(message, dict)
    )
    first = tools[0] if tools and not has_result else {}
    return str(first.get("name") or (first.get("function") or {}).get("name") or "")


def _packed(row: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode()


def _word(seed: int, text: str, number: int) -> str:
    digest = hashlib.blake2b(f"{seed}|{number}|{text}".encode(), digest_size=4).digest()
    return WORDS[int.from_bytes(digest, "big") % len(WORDS)]


def _vector(seed: int, text: object) -> tuple[float, ...]:
    digest = hashlib.blake2b(f"{seed}|{text}".encode(), digest_size=16).digest()
    return tuple(round(byte / 255 - 0.5, 6) for byte in digest)


def _line(document: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % json.dumps(document, separators=(",", ":")).encode()


def _named(name: str, document: dict[str, Any]) -> Event:
    return Event(b"event: %b\n%b" % (name.encode(), _line({"type": name, **document})), False)
