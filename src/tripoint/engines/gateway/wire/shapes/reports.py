"""Usage as upstreams report it: shapes and decoders. They stand by themselves, since no compiler may touch them."""

from __future__ import annotations

from typing import Final

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


decode_answer: Final = msgspec.json.Decoder(Answer).decode
decode_report: Final = msgspec.json.Decoder(Report).decode
