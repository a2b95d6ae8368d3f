"""Streams: any split gives the same events, bytes pass through, and what they say about themselves is read."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.sse import (
    MAX_EVENT,
    OPENING_BYTES,
    OPENING_EVENTS,
    OPENING_S,
    Event,
    StreamReader,
    fields_of,
    split_events,
)

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def chunk(text: str | None = None, **members: Any) -> bytes:
    """A chat chunk as an event, with a piece of text where one is given."""
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    body = {"id": "c", "object": "chat.completion.chunk", "choices": choices, **members}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def event(kind: str, **members: Any) -> bytes:
    """A named event, as Messages and Responses send them."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


FINISH = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
MESSAGES = b"".join(
    [
        event(
            "message_start",
            message={"id": "m", "usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 1}},
        ),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("ping"),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"}),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 12}),
        event("message_stop"),
    ]
)
RESPONSES = b"".join(
    [
        event("response.created", response={"id": "r", "usage": None, "error": None}),
        event("response.output_text.delta", delta="Hel"),
        event("response.output_text.delta", delta="lo"),
        event(
            "response.completed",
            response={
                "error": None,
                "usage": {
                    "input_tokens": 5, "output_tokens": 6, "input_tokens_details": {"cached_tokens": 2},
                    "output_tokens_details": {"reasoning_tokens": 4},
                },
            },
        ),
    ]
)  # fmt: skip
CHAT = chunk("") + chunk("Hel") + chunk("lo") + FINISH + chunk(usage=USAGE) + DONE
STREAMS = {Api.CHAT: CHAT, Api.MESSAGES: MESSAGES, Api.RESPONSES: RESPONSES}


def read(api: Api, pieces: list[bytes], **options: bool) -> tuple[bytes, StreamReader]:
    """Everything passed on of a stream in these pieces, and the reader."""
    reader = StreamReader(api, **{"strip_usage": False, **options})
    passed = b"".join([reader.feed(piece) for piece in pieces])
    return passed + reader.flush(), reader


def facts(reader: StreamReader) -> tuple[object, ...]:
    """Everything a reader says."""
    return reader.usage, reader.events, reader.is_done, reader.error, reader.too_long, reader.text()


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """A stream cut at these places."""
    marks = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(marks)]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("api", STREAMS)
def test_every_single_split_says_the_same(api: Api, ending: bytes) -> None:
    """All cuts in two, and one byte at a time."""
    stream = STREAMS[api].replace(b"\n", ending)
    passed, whole = read(api, [stream], keep_text=True)
    assert passed == stream
    assert whole.text() == "Hello"
    assert (whole.is_done, whole.error) == (True, "")
    for place in range(len(stream)):
        again, reader = read(api, [stream[:place], stream[place:]], keep_text=True)
        assert (again, facts(reader)) == (passed, facts(whole))
    again, reader = read(api, [stream[place : place + 1] for place in range(len(stream))], keep_text=True)
    assert (again, facts(reader)) == (passed, facts(whole))


def test_usage_beside_content_counts_though_others_before_it_had_none() -> None:
    """Chunks that say `null` first, and then tell their usage with the text."""
    stream = [chunk("a", usage=None), chunk("b", usage=None), chunk("c", usage=USAGE)]
    passed, reader = read(Api.CHAT, stream)
    assert passed == b"".join(stream)
    assert reader.events == 3
    assert reader.usage == Usage(9, 4)


@pytest.mark.parametrize(("api", "begun"), [(Api.CHAT, 2), (Api.MESSAGES, 4), (Api.RESPONSES, 2)])
def test_a_stream_opens_with_its_first_token(api: Api, begun: int) -> None:
    """And with all that came before it, in order."""
    reader = StreamReader(api, strip_usage=False)
    events = [each.raw for each in split_events(STREAMS[api])]
    passed = [reader.opening(reader.feed(each), 0.0) for each in events[:begun]]
    assert passed == [b""] * (begun - 1) + [b"".join(events[:begun])]


@pytest.mark.parametrize(
    ("many", "waited_s"),
    [
        ([chunk("")] * (OPENING_EVENTS + 1), 0.0),
        ([b":\n\n"], OPENING_S),
        ([chunk("", x="y" * OPENING_BYTES)], 0.0),
    ],
)
def test_what_is_held_back_is_bounded(many: list[bytes], waited_s: float) -> None:
    """In events, in time and in bytes; nothing of it is lost."""
    reader = StreamReader(Api.CHAT, strip_usage=False)
    passed = [reader.opening(reader.feed(each), waited_s) for each in many]
    assert passed == [b""] * (len(many) - 1) + [b"".join(many)]


LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
BLOCKS = st.sampled_from(
    [
        chunk("Hel"), chunk("data: [DONE]"), chunk('"usage"'), chunk("\n\n"), FINISH, chunk(usage=USAGE),
        chunk("a", usage=USAGE), chunk("a", usage=None), b": keep-alive\n\n", b"id: 3\nretry: 5\n\n",
        b'data: {"id":\ndata: "c"}\n\n', DONE,
        b'data: {"error":{"message":"gone","code":"overloaded"}}\n\n', b"data:\n\n", b"\n", b"data: {broken\n\n",
        b"event: error\ndata: {}\n\n",
    ]
)  # fmt: skip


@given(st.lists(st.tuples(BLOCKS, LINE_ENDS), max_size=8), st.lists(st.integers(0, 4_000), max_size=12), st.booleans())
def test_any_splits_say_the_same(parts: list[tuple[bytes, bytes]], places: list[int], is_stripped: bool) -> None:
    """Of any events with any line ends."""
    stream = b"".join([block.replace(b"\n", ending) for block, ending in parts])
    passed, whole = read(Api.CHAT, [stream], strip_usage=is_stripped, keep_text=True)
    again, reader = read(Api.CHAT, cut(stream, places), strip_usage=is_stripped, keep_text=True)
    assert (again, facts(reader)) == (passed, facts(whole))
    quick, reader = read(Api.CHAT, cut(stream, places), strip_usage=is_stripped)
    assert quick == passed
    assert reader.usage == whole.usage
    if not is_stripped:
        assert stream.startswith(passed.rstrip(b"\r\n"))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6), st.sampled_from(Api))
def test_random_bytes_never_raise(stream: bytes, places: list[int], api: Api) -> None:
    """What passes is what came, in order; what is incomplete stays behind."""
    passed, reader = read(api, cut(stream, places))
    assert passed in stream.removeprefix(b"\xef\xbb\xbf") + b"\n\n" or passed.rstrip(b"\n") in stream
    assert not reader.too_long


@given(st.sampled_from(list(STREAMS)), st.binary(min_size=1, max_size=8), st.integers(0, 900))
def test_damaged_streams_never_raise(api: Api, damage: bytes, at: int) -> None:
    """Bytes written into good streams."""
    stream = STREAMS[api]
    read(api, [stream[:at] + damage, stream[at + len(damage) :]])


def test_a_chunk_that_ends_with_an_event_is_passed_on_as_it_is() -> None:
    """The very object: nothing is copied."""
    reader = StreamReader(Api.CHAT, strip_usage=True)
    reader.feed(chunk("a"))
    piece = chunk("b") + chunk("c")
    assert reader.feed(piece) is piece
    assert reader.events == 3


@pytest.mark.parametrize("space", ["", " "])
def test_chunks_that_end_differently_are_passed_on_as_they_are(space: str) -> None:
    """Some upstreams fill chunks up with noise; others leave out what is null."""
    reader = StreamReader(Api.CHAT, strip_usage=True)
    choices = f'{{"index":0,"delta":{{"content":"a"}},"finish_reason":{space}null}}'
    noisy = [f'data: {{"choices":[{choices}],"usage":null,"x":"{noise}"}}\n\n'.encode() for noise in ("k", "qq", "")]
    bare = [f'data: {{"choices":[{{"delta":{{"content":"{text}"}},"index":0}}]}}\n\n'.encode() for text in "ab"]
    for number, piece in enumerate([*noisy, *bare, *noisy], 1):
        assert (reader.feed(piece), reader.events) == (piece, number)


def test_several_choices_in_a_chunk() -> None:
    """They are one event of content."""
    reader = StreamReader(Api.CHAT, strip_usage=False)
    both = [{"index": index, "delta": {"content": "a"}, "finish_reason": None} for index in (0, 1)]
    for _ in range(3):
        reader.feed(chunk(choices=both))
    assert reader.events == 3


def test_incomplete_events_wait() -> None:
    """A caller never sees half an event."""
    reader = StreamReader(Api.CHAT, strip_usage=False)
    first, second = chunk("a"), chunk("b")
    assert reader.feed(first + second[:5]) == first
    assert reader.feed(second[5:-1]) == b""
    assert reader.feed(second[-1:]) == second


def test_content_is_counted_without_roles_and_ends() -> None:
    """So that a stream that is cut can be billed by what was delivered."""
    reader = StreamReader(Api.CHAT, strip_usage=False)
    reader.feed(chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}]))
    assert reader.events == 0
    for delta in ({"content": "a"}, {"reasoning_content": "b"}, {"tool_calls": [{"index": 0}]}, {"refusal": "no"}):
        reader.feed(chunk(choices=[{"index": 0, "delta": delta}]))
    assert reader.events == 4
    reader.feed(FINISH)
    assert (reader.events, reader.is_finished, reader.is_done) == (4, True, False)


def test_completions_stream_text() -> None:
    """They have a text where chat has a delta."""
    stream = (
        b'data: {"choices":[{"text":"Hel"}]}\n\ndata: {"choices":[{"text":"lo","finish_reason":"stop"}]}\n\n' + DONE
    )
    _, reader = read(Api.COMPLETIONS, [stream], keep_text=True)
    assert (reader.text(), reader.events, reader.is_done) == ("Hello", 2, True)


@pytest.mark.parametrize(
    ("api", "usage"),
    [
        (Api.CHAT, Usage(9, 4)),
        (Api.MESSAGES, Usage(10, 12, cached=3)),
        (Api.RESPONSES, Usage(5, 6, cached=2, reasoning=4)),
    ],
)
def test_usage_of_each_interface(api: Api, usage: Usage) -> None:
    """Cached tokens are part of the input, reasoning part of the output."""
    passed, reader = read(api, [STREAMS[api]])
    assert (passed, reader.usage, reader.events) == (STREAMS[api], usage, 2)


def test_usage_of_a_cut_stream_is_what_was_delivered() -> None:
    """Messages counts one token at the beginning and the rest at the end, which never came."""
    piece = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"})
    begun = MESSAGES.partition(b"event: content_block_start")[0]
    _, reader = read(Api.MESSAGES, [begun + piece * 5])
    assert reader.usage == Usage(10, 5, cached=3, is_estimated=True)


def test_usage_beside_a_choice_is_read_and_stays() -> None:
    """Some upstreams put it into the last chunk of text."""
    stream = chunk("a") + chunk("b", usage=USAGE) + DONE
    passed, reader = read(Api.CHAT, [stream], strip_usage=True)
    assert (passed, reader.usage) == (stream, Usage(9, 4))


def test_usage_only_we_asked_for_is_removed() -> None:
    """Exactly that event, wherever chunks are cut."""
    text, usage = chunk("a", usage=None) + chunk("b", usage=None) + FINISH, chunk(usage=USAGE)
    for place in range(len(text + usage + DONE)):
        stream = text + usage + DONE
        passed, reader = read(Api.CHAT, [stream[:place], stream[place:]], strip_usage=True)
        assert passed == text + DONE
        assert (reader.usage, reader.is_done) == (Usage(9, 4), True)
    assert read(Api.CHAT, [text, usage, DONE])[0] == text + usage + DONE


def test_chunks_without_choices_that_say_something_else_stay() -> None:
    """Azure's first chunk tells of content filters."""
    stream = chunk(prompt_filter_results=[{"prompt_index": 0}]) + chunk("a") + DONE
    assert read(Api.CHAT, [stream], strip_usage=True)[0] == stream


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -1, "completion_tokens": 4}, {"prompt_tokens": 1, "completion_tokens": -4},
        {"prompt_tokens": 1.5, "completion_tokens": 4}, {"prompt_tokens": "9", "completion_tokens": 4},
        {"prompt_tokens": True, "completion_tokens": 4}, {"prompt_tokens": 10**10, "completion_tokens": 4},
        {"prompt_tokens": 10**60, "completion_tokens": 4}, {"prompt_tokens": 3, "completion_tokens": 10**9 + 1},
        {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": -3}}, [], 7, "none", {},
    ],
)  # fmt: skip
def test_usage_nobody_can_have_used_is_missing(usage: object) -> None:
    """It is not believed, and it does not end the stream."""
    _, reader = read(Api.CHAT, [chunk("a") + chunk(usage=usage) + DONE])
    assert (reader.usage, reader.is_done, reader.error) == (None, True, "")


@pytest.mark.parametrize(
    ("api", "said", "code"),
    [
        (Api.CHAT, b'data: {"error":{"message":"x","type":"server_error","code":null}}\n\n', "server_error"),
        (Api.CHAT, b'data: {"error":{"message":"x","code":429}}\n\n', "429"),
        (Api.CHAT, b'data: {"error":"boom"}\n\n', "upstream_error"),
        (Api.CHAT, b"data: <html>502</html>\n\n", "invalid_event"),
        (Api.MESSAGES, event("error", error={"type": "overloaded_error", "message": "x"}), "overloaded_error"),
        (Api.RESPONSES, event("error", code="server_error", message="x"), "server_error"),
        (Api.RESPONSES, event("response.failed", response={"error": {"code": "rate_limit"}}), "rate_limit"),
    ],
)
def test_errors_within_a_stream_are_seen(api: Api, said: bytes, code: str) -> None:
    """In every way upstreams put them there; the event passes, for the exchange decides what becomes of it."""
    for begun in (STREAMS[api][:0], STREAMS[api].split(b"\n\n")[-4] + b"\n\n"):
        passed, reader = read(api, [begun, said])
        assert (passed, reader.error, reader.is_done) == (begun + said, code, False)


@pytest.mark.parametrize("member", [None, {}, "", False, []])
def test_an_error_of_nothing_is_none(member: object) -> None:
    """Some servers name the member in every chunk."""
    assert read(Api.CHAT, [chunk("a", error=member)])[1].error == ""


def test_a_stream_that_ends_without_its_mark_is_not_done() -> None:
    """Whether it was finished all the same, its choices say."""
    _, cut_short = read(Api.CHAT, [chunk("a") + chunk("b")[:-9]])
    assert (cut_short.is_done, cut_short.is_finished) == (False, False)
    _, unmarked = read(Api.CHAT, [chunk("a") + FINISH])
    assert (unmarked.is_done, unmarked.is_finished) == (False, True)
    _, incomplete = read(Api.RESPONSES, [event("response.incomplete", response={"usage": None})])
    assert incomplete.is_done


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"\r", b"\r\r"])
def test_an_end_mark_without_its_blank_line_counts(tail: bytes) -> None:
    """The connection's end stands for it, and callers get a whole event."""
    passed, reader = read(Api.CHAT, [chunk("a"), b"data: [DONE]" + tail])
    assert reader.is_done
    assert [one.data for one in split_events(passed)][-1] == b"[DONE]"


def test_half_an_event_at_the_end_is_not_passed_on() -> None:
    """It would be one that cannot be read."""
    assert read(Api.CHAT, [chunk("a"), chunk("b")[:-9]])[0] == chunk("a")
    assert read(Api.CHAT, [chunk("a"), chunk("b")[:-2]])[0] == chunk("a") + chunk("b")


def test_a_mark_of_byte_order_is_left_out() -> None:
    """Only at the beginning; clients would take it for part of the first line."""
    bom = b"\xef\xbb\xbf"
    for place in range(6):
        stream = bom + chunk("a") + chunk("b")
        passed, reader = read(Api.CHAT, [stream[:place], stream[place:]])
        assert (passed, reader.events) == (chunk("a") + chunk("b"), 2)


def test_an_event_without_end_is_given_up() -> None:
    """What is held back is bounded, however it trickles in."""
    reader = StreamReader(Api.CHAT, strip_usage=False)
    piece = b"data: " + b"x" * 65_536
    while not reader.too_long:
        assert reader.feed(piece) == b""
    assert reader.feed(b"\n\n" + chunk("a")) == b""
    assert reader.flush() == b""
    large = chunk("y" * (MAX_EVENT - 1_000))
    assert read(Api.CHAT, [large[:700_000], large[700_000:]])[0] == large


def test_lines_of_an_event_are_joined() -> None:
    """Fields by the rules of the format: one space after the colon goes, comments say nothing."""
    block = b": note\r\nevent:named\r\ndata:one\r\ndata:  two\r\nid: 7\r\n\r\ndata\n\n"
    assert next(split_events(block)) == Event(block[:-6], b"named", b"one\n two")
    assert [one.data for one in split_events(block)] == [b"one\n two", b""]


@given(
    lines=st.lists(st.sampled_from([b"data: x", b"data:", b"data: ", b"data:  y", b"event: n", b": hm", b"data", b""])),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    tail=st.sampled_from([b"\n\n", b"\n", b"\r\n\r\n", b"\n\n\n", b""]),
)
def test_fields_are_read_line_by_line_whatever_the_short_way(lines: list[bytes], end: bytes, tail: bytes) -> None:
    """The event of one line that most are says what it says by the rules of the standard."""
    raw = end.join(lines) + tail
    told = [line.partition(b":") for line in re.split(rb"\r\n|\n|\r", raw)]
    values = [(field, value.removeprefix(b" ")) for field, _, value in told]
    name = next((value for field, value in reversed(values) if field == b"event"), b"")
    assert fields_of(raw) == (name, b"\n".join(value for field, value in values if field == b"data"))
    assert b"".join(each.raw for each in split_events(raw)) == raw
