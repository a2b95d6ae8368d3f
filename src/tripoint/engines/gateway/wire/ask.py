"""What does a request ask? One pass over its members, and the body that goes out with another model's name.

A body is read as members whose values stay bytes. Only what routing decides on is looked into; the rest is never parsed
further nor changed. The body that leaves is written from the same members, so that the upstream cannot read another
model than the one decided on: a member given twice or spelled with escapes leaves once, plainly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import FunctionType
from typing import Final

import msgspec

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.excision import (
    LONGEST_NAME,
    MIN_BODY,
    Cut,
    pieces_of,
    restored,
    shortened,
)
from tripoint.engines.gateway.wire.malformed import Malformed as Malformed
from tripoint.engines.gateway.wire.malformed import kind_of, unreadable
from tripoint.engines.gateway.wire.shapes.asked import (
    BESIDE_PROMPT,
    OTHER_SPELLINGS,
    Members,
)
from tripoint.engines.gateway.wire.shapes.asked import BYTES_PER_TOKEN as BYTES_PER_TOKEN
from tripoint.engines.gateway.wire.shapes.asked import LEAST_PREFIX_BYTES as LEAST_PREFIX_BYTES
from tripoint.engines.gateway.wire.shapes.asked import MAX_MODEL_CHARS as MAX_MODEL_CHARS
from tripoint.engines.gateway.wire.shapes.asked import MAX_TOKENS_OUT as MAX_TOKENS_OUT
from tripoint.engines.gateway.wire.shapes.asked import PREFIX_BYTES as PREFIX_BYTES
from tripoint.engines.gateway.wire.shapes.asked import Ask as Ask
from tripoint.engines.gateway.wire.shapes.asked import checksum as checksum
from tripoint.engines.gateway.wire.shapes.asked import read_members as read_members
from tripoint.engines.gateway.wire.shapes.plain import read_plainly, spliced

MAX_CHOICES: Final = 128
MAX_OPTIONS_BYTES: Final = 512
MAX_MEMBERS: Final = 20_000
IMAGE_TOKENS: Final = 1_000
# Looking for crowds costs as much as reading; what a smaller body can hold takes some hundredths of a second at worst.
_CROWD_BYTES: Final = 512 * 1024
# A large body may be mostly an image; a few samples tell.
_SAMPLES: Final = 16
_SAMPLE_BYTES: Final = 64
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/=]{%d}" % _SAMPLE_BYTES).match

_SHORT: Final[int] = MIN_BODY
_PAYS: Final[bool] = not isinstance(read_plainly, FunctionType)
"""True where this is compiled: in Python itself decoders written in C take half the time of a loop over members."""

# A member of an enum takes longer to reach than a name of the module.
_CHAT: Final = Api.CHAT
_COMPLETIONS: Final = Api.COMPLETIONS
_EMBEDDINGS: Final = Api.EMBEDDINGS
_RESPONSES: Final = Api.RESPONSES
_MESSAGES: Final = Api.MESSAGES

_text: Final = msgspec.json.Decoder(str).decode
_flag: Final = msgspec.json.Decoder(bool | None).decode
_whole: Final = msgspec.json.Decoder(int | None).decode
_number: Final = msgspec.json.Decoder(float | None).decode
_encode: Final = msgspec.json.Encoder().encode
_ASKED_USAGE: Final = msgspec.Raw(b'{"include_usage":true}')
_NO_CUTS: Sequence[Cut] = ()
_TRUE: Final = msgspec.Raw(b"true")
_NULL: Final = msgspec.Raw(b"null")
_ABSENT: Final = msgspec.Raw()


class LongValues(msgspec.Struct):
    """Members whose values may well be long."""

    messages: msgspec.Raw = _ABSENT
    prompt: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT
    tools: msgspec.Raw = _ABSENT
    system: msgspec.Raw = _ABSENT
    instructions: msgspec.Raw = _ABSENT
    response_format: msgspec.Raw = _ABSENT
    prediction: msgspec.Raw = _ABSENT


_long_values = msgspec.json.Decoder(LongValues).decode


def read_ask(api: Api, body: bytes) -> Ask:
    """Reads what routing needs of a body; raises `Malformed`."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # values that are not looked into would pass unchecked
        if len(body) < _SHORT:
            members, cuts = read_members(body), _NO_CUTS
        else:
            members, cuts = _members_of_large(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(body, error) from None
    if _PAYS and len(body) < _SHORT and (api is _CHAT or api is _COMPLETIONS):
        ask = Ask(api, body, members, cuts)
        if read_plainly(ask, members):
            return ask
    return read_at_length(api, body, members, cuts)


def read_at_length(api: Api, body: bytes, members: Members, cuts: Sequence[Cut]) -> Ask:
    """Reads whatever members there are, each in any form; raises `Malformed`. Of the plainest chats it says the same as
    `read_plainly`.
    """
    ask = Ask(api, body, members, cuts)
    try:
        ask.model = model = _text(members["model"])
        if api is not _EMBEDDINGS:
            _read_sampling(ask, members)
        _read_prompt(ask, members)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        raise _mistyped(members) from None
    if not model or len(model) > MAX_MODEL_CHARS or not model.isprintable():
        raise _misnamed(model)
    if not OTHER_SPELLINGS.isdisjoint(members):
        raise Malformed("invalid_model", "`model` is given in another spelling as well", "model")
    return ask


def outgoing_body(ask: Ask, name: str, *, with_usage: bool) -> bytes:
    """The body for an upstream that calls the model `name`; asks a stream for its usage when `with_usage`.

    Values of all other members leave byte for byte; only spaces between members are lost.
    """
    if ask.model_at:
        return spliced(ask, _encode(name), with_usage=with_usage)
    body = _written(ask, name, with_usage=with_usage)
    return restored(body, ask.body, ask.cuts) if ask.cuts else body


def outgoing_pieces(ask: Ask, name: str, *, with_usage: bool) -> Sequence[bytes | memoryview]:
    """The same of a body with cuts, in pieces: what was cut out is not copied."""
    return pieces_of(_written(ask, name, with_usage=with_usage), ask.body, ask.cuts)


def _written(ask: Ask, name: str, *, with_usage: bool) -> bytes:
    """The members as they leave, with marks where they were cut."""
    members = ask.members.copy()
    members["model"] = msgspec.Raw(_encode(name))
    if with_usage and not ask.wants_usage:
        options = members.get("stream_options", _NULL)
        if options == _NULL:
            members["stream_options"] = _ASKED_USAGE
        else:
            asked = read_members(options)
            asked["include_usage"] = _TRUE
            members["stream_options"] = msgspec.Raw(_encode(asked))
    return _encode(members)


def _members_of_large(body: bytes) -> tuple[Members, Sequence[Cut]]:
    """Members of a large body, and what was cut out of their values."""
    short, cuts = shortened(body)
    if len(short) > _CROWD_BYTES and short.count(b":") > MAX_MEMBERS:
        _refuse_crowd(short)
    if cuts:
        try:
            members = read_members(short)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # a mark was outside a string, or the body is wrong: the whole of it tells
        else:
            if max([len(name) for name in members], default=0) <= LONGEST_NAME:
                return members, cuts  # names are written anew: a mark within one would be lost
    return read_members(body), _NO_CUTS


def _refuse_crowd(body: bytes) -> None:
    """Refuses a body of so many members that taking note of each would keep everybody else waiting.

    Colons within the values that may be long are none of members; looking at those values makes no objects.
    """
    values = _long_values(body)
    inside = sum([bytes(getattr(values, name)).count(b":") for name in LongValues.__struct_fields__])
    if body.count(b":") - inside > MAX_MEMBERS:
        raise Malformed("invalid_json", f"the body has more than {MAX_MEMBERS} members beside its prompt and tools")


def _read_sampling(ask: Ask, members: Members) -> None:
    """Reads how the answer is to be made: streamed, how long, how often, how random."""
    api = ask.api
    if (raw := members.get("stream")) is not None and _flag(raw):
        ask.is_stream = True
        if api is _CHAT or api is _COMPLETIONS:
            ask.wants_usage = (raw := members.get("stream_options")) is not None and _asks_usage(raw)
    limit = None
    if api is _RESPONSES:
        if (raw := members.get("max_output_tokens")) is not None:
            limit = _limit("max_output_tokens", raw)
    else:
        if (raw := members.get("max_completion_tokens")) is not None and api is _CHAT:
            limit = _limit("max_completion_tokens", raw)
        if (raw := members.get("max_tokens")) is not None and limit is None:
            limit = _limit("max_tokens", raw)
    if limit is not None:
        # A limit of nothing is legal (scoring a prompt), yet 0 means here that none was set.
        ask.tokens_out = min(limit, MAX_TOKENS_OUT) or 1
    if (raw := members.get("n")) is not None:
        ask.choices = _choices("n", raw)
    if (raw := members.get("best_of")) is not None:
        ask.choices = max(ask.choices, _choices("best_of", raw))
    ask.is_reproducible = (
        ((raw := members.get("temperature")) is not None and _number(raw) == 0)
        or ((raw := members.get("seed")) is not None and raw != _NULL)
        or ((raw := members.get("top_k")) is not None and _whole(raw) == 1)
    )


def _read_prompt(ask: Ask, members: Members) -> None:
    """Estimates input tokens, and takes the prompt's beginning for affinity."""
    api = ask.api
    prompt = members.get(
        "messages" if api is _CHAT or api is _MESSAGES else "prompt" if api is _COMPLETIONS else "input"
    )
    if prompt is None:
        return
    size = len(prompt)
    if size >= LEAST_PREFIX_BYTES:
        beginning = memoryview(prompt)[:PREFIX_BYTES] if size > PREFIX_BYTES else prompt
        ask.prefix = checksum(beginning) or 1
    if len(ask.body) < MIN_BODY:
        tokens = size // BYTES_PER_TOKEN
        for name in BESIDE_PROMPT:
            if (raw := members.get(name)) is not None:
                tokens += len(raw) // BYTES_PER_TOKEN
    else:
        tokens = _tokens_of_large(ask.body)
    ask.tokens_in = tokens or 1


def _tokens_of_large(body: bytes) -> int:
    """Tokens of a large body; the share of it that looks like base64 counts as images instead of text."""
    step = len(body) // _SAMPLES
    encoded = 0
    for start in range(step // 2, len(body) - _SAMPLE_BYTES, step):
        # Prose has a blank soon, and looking for one costs less.
        if body.find(b" ", start, start + _SAMPLE_BYTES) < 0 and _BASE64(body, start) is not None:
            sample = body[start : start + _SAMPLE_BYTES]
            encoded += sample.lower() != sample != sample.upper()
    text = len(body) * (_SAMPLES - encoded) // _SAMPLES
    return text // BYTES_PER_TOKEN + (IMAGE_TOKENS if encoded else 0)


def _asks_usage(raw: msgspec.Raw) -> bool:
    """True when `stream_options` asks for usage."""
    if raw == _NULL:
        return False
    if len(raw) > MAX_OPTIONS_BYTES:
        what = f"`stream_options` has {len(raw)} bytes, more than {MAX_OPTIONS_BYTES}"
        raise Malformed("invalid_value", what, "stream_options")
    asked = read_members(raw).get("include_usage")
    return asked is not None and bool(_flag(asked))


def _limit(name: str, raw: msgspec.Raw) -> int | None:
    """A limit of tokens; raises `Malformed` for a negative one."""
    value: int | None = _whole(raw)
    if value is not None and value < 0:
        raise Malformed("invalid_value", f"`{name}` must not be negative, and is {kind_of(bytes(raw))}", name)
    return value


def _choices(name: str, raw: msgspec.Raw) -> int:
    """Answers asked for; raises `Malformed`."""
    value: int | None = _whole(raw)
    if value is None:
        return 1
    if not 1 <= value <= MAX_CHOICES:
        what = f"`{name}` must be between 1 and {MAX_CHOICES}, and is {kind_of(bytes(raw))}"
        raise Malformed("invalid_value", what, name)
    return value


def _misnamed(model: str) -> Malformed:
    """Why a string cannot be the name of a model."""
    if not model:
        return Malformed("invalid_model", "`model` is empty", "model")
    if len(model) > MAX_MODEL_CHARS:
        what = f"`model` has {len(model)} characters, more than {MAX_MODEL_CHARS}"
        return Malformed("invalid_model", what, "model")
    odd = next(character for character in model if not character.isprintable())
    return Malformed("invalid_model", f"`model` holds the character U+{ord(odd):04X}", "model")


def _mistyped(members: Members) -> Malformed:
    """Which member is missing or of another type than it should be; looked for only once something was."""
    if "model" not in members:
        return Malformed("missing_model", "`model` is missing", "model")
    wanted = (
        ("model", _text, "a string"),
        ("stream", _flag, "true or false"),
        ("stream_options", _asks_usage, "an object whose `include_usage` is true or false"),
        ("max_completion_tokens", _whole, "a whole number"),
        ("max_output_tokens", _whole, "a whole number"),
        ("max_tokens", _whole, "a whole number"),
        ("n", _whole, "a whole number"),
        ("best_of", _whole, "a whole number"),
        ("temperature", _number, "a number"),
        ("top_k", _whole, "a whole number"),
    )
    for name, read, words in wanted:
        if (raw := members.get(name)) is None:
            continue
        try:
            read(raw)
        except msgspec.DecodeError:
            return Malformed("invalid_type", f"`{name}` must be {words}, not {kind_of(bytes(raw))}", name)
    return Malformed("invalid_json", "the body cannot be read")
