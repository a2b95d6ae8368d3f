"""Usage and events as upstreams send them: shapes and decoders, by themselves since no compiler may touch them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

# A member that is not there: a union with `None` would refuse every other value.
ABSENT: Final = msgspec.Raw()
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding may raise."""


class Details(msgspec.Struct):
    """Parts of a count."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    thinking_tokens: int | None = None


class Report(msgspec.Struct):
    """Usage as any of the interfaces reports it; their names do not collide."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: Details | None = None
    output_tokens_details: Details | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class Answer(msgspec.Struct):
    """A whole answer, as far as it matters here."""

    usage: Report | None = None


class Delta(msgspec.Struct):
    """What a chunk adds to a choice."""

    # Some upstreams put parts where others put text: neither may make the event unreadable.
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    refusal: Any = None
    tool_calls: Any = None
    function_call: Any = None


class Choice(msgspec.Struct):
    """One choice of a chunk."""

    delta: Delta | None = None
    text: Any = None
    finish_reason: Any = None


class Chunk(msgspec.Struct):
    """An event of chat and completions."""

    choices: list[Choice] | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class Fault(msgspec.Struct):
    """What an error says."""

    code: str | int | None = None
    type: str | None = None


class Part(msgspec.Struct):
    """A delta of Messages."""

    type: str = ""
    text: str | None = None


class Message(msgspec.Struct):
    """The message that begins."""

    usage: msgspec.Raw = ABSENT


class MessageEvent(msgspec.Struct):
    """An event of Messages."""

    type: str = ""
    message: Message | None = None
    delta: Part | None = None
    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class Response(msgspec.Struct):
    """The response as far as it is."""

    usage: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT


class ResponseEvent(msgspec.Struct):
    """An event of Responses."""

    type: str = ""
    delta: msgspec.Raw = ABSENT
    response: Response | None = None
    code: str | int | None = None
    error: msgspec.Raw = ABSENT


decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_report: Final = msgspec.json.Decoder(Report).decode
decode_chunk: Final = msgspec.json.Decoder(Chunk).decode
decode_fault: Final = msgspec.json.Decoder(Fault).decode
decode_message_event: Final = msgspec.json.Decoder(MessageEvent).decode
decode_response_event: Final = msgspec.json.Decoder(ResponseEvent).decode
decode_text: Final = msgspec.json.Decoder(str).decode
