"""Streams in the other interface: the official clients gather the same answer, however the upstream's bytes are cut."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.conversing import ARGUMENTS, NAMES, WORDS, Members, TranslatingServer, asked, translator

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.sse import StreamReader

DONE = b"data: [DONE]\n\n"
TOOL = st.builds(lambda name, given: {"type": "tool_use", "name": name, "input": given}, NAMES, ARGUMENTS)
TEXT = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
CONTENT = st.tuples(st.lists(TEXT, max_size=1), st.lists(TOOL, max_size=3)).map(lambda both: [*both[0], *both[1]])
USAGE = {"input_tokens": 10, "cache_read_input_tokens": 30, "output_tokens": 1}


def event(kind: str, **members: Any) -> bytes:
    """A named event."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def chunk(delta: Members | None = None, reason: str | None = None, **members: Any) -> bytes:
    """A chat chunk."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "llama", "choices": choices}
    return f"data: {json.dumps({**head, **members})}\n\n".encode()


def pieces(text: str) -> list[str]:
    """A text in pieces of three characters."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


def messages_stream(content: list[Members], reason: str = "end_turn") -> bytes:
    """A whole Messages stream of this content."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": USAGE}
    out = [event("message_start", message=head), event("ping")]
    for index, block in enumerate(content):
        if block["type"] == "tool_use":
            start = {**block, "id": f"t{index}", "input": {}}
            text = json.dumps(block["input"]) if block["input"] else ""
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(text)]]
        else:
            kind = block["type"]
            start = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
            deltas = [{"type": f"{kind}_delta", kind: piece} for piece in pieces(block[kind])]
        out.append(event("content_block_start", index=index, content_block=start))
        out += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
        out.append(event("content_block_stop", index=index))
    out.append(
        event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 12})
    )
    return b"".join([*out, event("message_stop")])


def to_chat(stream: bytes, **members: Any) -> bytes:
    """A Messages stream as the chat caller gets it."""
    ask = asked(Api.CHAT, model="m", messages=[], stream=True, **members)
    between = translator(Api.CHAT, Api.MESSAGES).stream(ask, created=7)
    reader = StreamReader(Api.MESSAGES, strip_usage=False)
    return between.feed(reader.feed(stream) + reader.flush()) + between.flush()


def to_messages(stream: bytes) -> bytes:
    """A chat stream as the Messages caller gets it."""
    ask = asked(Api.MESSAGES, model="m", messages="0123456789", max_tokens=9, stream=True)
    between = translator(Api.MESSAGES, Api.CHAT).stream(ask)
    reader = StreamReader(Api.CHAT, strip_usage=False)
    return between.feed(reader.feed(stream) + reader.flush()) + between.flush()


def gathered(stream: bytes, piece: int = 0) -> anthropic.types.Message:
    """What the official Messages client gathers from a chat upstream's stream."""
    client = TranslatingServer(Api.MESSAGES, Api.CHAT, lambda _: (200, stream), piece).anthropic()
    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as events:
        return events.get_final_message()


def collected(stream: bytes, piece: int = 0, **options: Any) -> list[openai.types.chat.ChatCompletionChunk]:
    """Chunks the official chat client, validating strictly, gets of a Messages upstream's stream."""
    client = TranslatingServer(Api.CHAT, Api.MESSAGES, lambda _: (200, stream), piece).openai()
    chunks: Any = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], stream=True, **options
    )
    return list(chunks)


def said(content: list[Any]) -> list[Members]:
    """Content of a gathered message without ids."""
    return [
        {"type": "tool_use", "name": block.name, "input": block.input}
        if block.type == "tool_use"
        else {"type": block.type, block.type: getattr(block, block.type)}
        for block in content
    ]


@given(CONTENT, st.integers(1, 90))
@settings(max_examples=25)
def test_there_and_back_is_the_same_answer(content: list[Members], piece: int) -> None:
    """Messages to chat to Messages, in bytes cut anywhere: content, reason and usage."""
    reason = "tool_use" if any(block["type"] == "tool_use" for block in content) else "max_tokens"
    chat = to_chat(messages_stream(content, reason), stream_options={"include_usage": True})
    reader = StreamReader(Api.CHAT, strip_usage=False, keep_text=True)
    reader.feed(chat)
    assert (reader.usage, reader.is_done, reader.error) == (Usage(40, 12, cached=30), True, "")
    assert reader.text() == "".join(block["text"] for block in content if block["type"] == "text")
    message = gathered(chat, piece)
    assert said(message.content) == content
    assert message.stop_reason == reason
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (10, 30)
    assert message.usage.output_tokens == 12


def test_the_chat_client_reads_every_chunk() -> None:
    """Role first, then thoughts, text and calls by their numbers, then the reason; no usage unless asked for."""
    content: list[Members] = [
        {"type": "thinking", "thinking": "hmm"},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "name": "g", "input": {}},
    ]
    chunks = collected(messages_stream(content, "tool_use"), 50)
    assert {(each.id, each.model, each.created) for each in chunks} == {("msg_1", "claude", 1_700_000_000)}
    deltas = [each.choices[0].delta for each in chunks]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == "Hello"
    assert "".join(delta.model_dump().get("reasoning_content") or "" for delta in deltas) == "hmm"
    calls = [call for delta in deltas for call in delta.tool_calls or []]
    assert [(call.index, call.id) for call in calls if call.id] == [(0, "t2"), (1, "t3")]
    arguments = {0: "", 1: ""}
    for call in calls:
        arguments[call.index] += (call.function.arguments if call.function is not None else None) or ""
    assert arguments == {0: '{"a": 1}', 1: "{}"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_blocks_that_begin_with_what_they_hold() -> None:
    """Some servers send no pieces."""
    starts = [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    ]
    blocks = b"".join(event("content_block_start", index=at, content_block=each) for at, each in enumerate(starts))
    head, _, tail = messages_stream([], "tool_use").partition(b"event: message_delta")
    deltas = [each.choices[0].delta for each in collected(head + blocks + b"event: message_delta" + tail)]
    assert "".join(delta.content or "" for delta in deltas) == "Hello"
    assert [
        delta.model_dump().get("reasoning_content") for delta in deltas if "reasoning_content" in delta.model_dump()
    ]
    calls = [
        call.function.arguments for delta in deltas for call in delta.tool_calls or [] if call.function is not None
    ]
    assert calls == ['{"a":1}']


def test_usage_is_told_to_callers_who_asked() -> None:
    """In a chunk of its own, before the end mark."""
    last = collected(messages_stream([]), stream_options={"include_usage": True})[-1]
    assert last.choices == []
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (40, 12)


@pytest.mark.parametrize("keep", range(1, 12))
def test_a_cut_stream_has_no_end(keep: int) -> None:
    """A caller can tell that there should have been more."""
    events = messages_stream([{"type": "text", "text": "Hello"}]).split(b"\n\n")[:-1]
    cut = b"".join(each + b"\n\n" for each in events[: min(keep, len(events) - 1)])
    assert DONE not in to_chat(cut)
    chat = chunk({"role": "assistant", "content": ""}) + chunk({"content": "a"}) * keep
    assert b"message_stop" not in to_messages(chat)


def test_a_stream_that_finished_without_a_mark_ends() -> None:
    """Its reason to finish says as much."""
    stream = to_messages(chunk({"content": "a"}) + chunk({}, "stop"))
    assert stream.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')


@pytest.mark.parametrize(
    "bad",
    [
        event("error", error={"type": "overloaded_error", "message": "busy"}),
        b"event: content_block_delta\ndata: {broken\n\n",
    ],
)
def test_the_chat_client_raises_on_an_error_within(bad: bytes) -> None:
    """Whether the upstream said so or could not be read."""
    begun = messages_stream([{"type": "text", "text": "Hello"}]).partition(b"event: content_block_stop")[0]
    with pytest.raises(openai.APIError, match=r"busy|cannot be read"):
        collected(begun + bad)


@pytest.mark.parametrize("bad", [b'data: {"error":{"message":"busy","type":"server_error"}}\n\n', b"data: {broken\n\n"])
def test_the_messages_client_raises_on_an_error_within(bad: bytes) -> None:
    """Likewise."""
    with pytest.raises(anthropic.APIStatusError, match=r"busy|cannot be read"):
        gathered(chunk({"content": "a"}) + bad)


def test_thoughts_text_and_calls_are_blocks_of_their_own() -> None:
    """Each begins where the one before ends; a later piece of an earlier call still finds it."""

    def call(index: int, arguments: str, **first: Any) -> bytes:
        function = {"arguments": arguments, **({"name": first["name"]} if first else {})}
        named = {"id": first["id"]} if first else {}
        return chunk({"tool_calls": [{"index": index, **named, "function": function}]})

    stream = b"".join(
        [
            chunk({"role": "assistant", "content": None}), chunk({"reasoning": "hm"}), chunk({"content": "Hel"}),
            chunk({"content": "lo"}), call(0, "", id="c0", name="f"), call(1, '{"b"', id="c1", name="g"),
            call(0, '{"a":1}'), call(1, ":2}"), chunk({}, "tool_calls"),
            chunk(usage={"prompt_tokens": 4, "completion_tokens": 9}), DONE,
        ]
    )  # fmt: skip
    message = gathered(stream, 40)
    assert said(message.content) == [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "name": "g", "input": {"b": 2}},
    ]
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == ("tool_use", 4, 9)


def test_calls_told_apart_by_id_only() -> None:
    """Some servers give all of them the number nought."""
    calls = [{"index": 0, "id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    message = gathered(chunk({"tool_calls": calls}, "tool_calls") + DONE)
    assert [block["name"] for block in said(message.content)] == ["a", "b"]


def test_usage_nobody_reported_is_counted() -> None:
    """The message's end must tell some."""
    message = gathered(chunk({"content": "a"}) + chunk({"content": "b"}) + chunk({}, "stop") + DONE)
    assert (message.usage.output_tokens, message.usage.input_tokens > 0) == (2, True)


@given(st.binary(max_size=200), st.sampled_from([Api.CHAT, Api.MESSAGES]))
def test_random_bytes_never_raise(stream: bytes, api: Api) -> None:
    """Whatever an upstream sends."""
    (to_chat if api is Api.CHAT else to_messages)(b"data: " + stream + b"\n\n" + stream)
