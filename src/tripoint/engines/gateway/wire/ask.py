"""What does a request ask? One pass over its members, and the body that goes out with another model's name.

A body is read as members whose values stay bytes. Only what routing decides on is looked into; the rest is never parsed
further nor changed. The body that leaves is written from the same members, so that the upstream cannot read another
model than the one decided on: a member given twice or spelled with escapes leaves once, plainly.
"""

from __future__ import annotations

import zlib

import msgspec

from tripoint.domain.serving import Api

MAX_MODEL_CHARS = 256
MAX_TOKENS_OUT = 10_000_000
MAX_CHOICES = 128
PREFIX_BYTES = 1024
_LEAST_PREFIX_BYTES = 256
_BYTES_PER_TOKEN = 4
# From here on a prompt may be mostly an image; a few samples tell.
_LARGE_BYTES = 32_768
_SAMPLES = 16
_SAMPLE_BYTES = 64
_IMAGE_TOKENS = 1_000
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

_LIMITS = {
    Api.CHAT: ("max_completion_tokens", "max_tokens"),
    Api.COMPLETIONS: ("max_tokens",),
    Api.EMBEDDINGS: (),
    Api.RESPONSES: ("max_output_tokens",),
    Api.MESSAGES: ("max_tokens",),
}
_PROMPT = {
    Api.CHAT: "messages",
    Api.COMPLETIONS: "prompt",
    Api.EMBEDDINGS: "input",
    Api.RESPONSES: "input",
    Api.MESSAGES: "messages",
}
_BESIDE_PROMPT = ("tools", "system", "instructions")
_ASKED_USAGE = msgspec.Raw(b'{"include_usage":true}')
_NULL = b"null"

Members = dict[str, msgspec.Raw]
_members = msgspec.json.Decoder(Members)
_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode
_KINDS = {b"{": "an object", b"[": "an array", b'"': "a string", b"t": "true", b"f": "false", b"n": "null"}


class Malformed(Exception):  # noqa: N818  it is an answer to the caller, not a failure of ours
    """A request that cannot be understood; says what was found."""

    def __init__(self, code: str, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


class Ask:
    """What routing and metering need of one request."""

    __slots__ = (
        "api", "body", "choices", "is_reproducible", "is_stream", "members", "model", "prefix", "tokens_in",
        "tokens_out", "wants_usage",
    )  # fmt: skip

    def __init__(self, api: Api, body: bytes, members: Members, model: str) -> None:
        self.api = api
        self.body = body
        self.members = members
        """Members of the body, values as they came."""
        self.model = model
        """Model or workload asked for."""
        self.is_stream = False
        """True for a streamed answer."""
        self.wants_usage = True
        """False when a stream's usage is not to be told to the caller."""
        self.tokens_in = 0
        """Estimated input tokens."""
        self.tokens_out = 0
        """Most output tokens per choice the caller allows; 0 when no limit is set."""
        self.is_reproducible = False
        """True for greedy or seeded sampling."""
        self.choices = 1
        """Answers generated for the one prompt."""
        self.prefix = 0
        """CRC of the prompt's beginning; 0 for a short prompt."""


def read_ask(api: Api, body: bytes) -> Ask:
    """Reads what routing needs of a body; raises `Malformed`."""
    members = _read_members(body)
    ask = Ask(api, body, members, _model(members.get("model")))
    if api is not Api.EMBEDDINGS:
        _read_stream(ask, members)
        for name in _LIMITS[api]:
            raw = members.get(name)
            if raw is not None and (limit := _whole(name, raw, 0)) is not None:
                # A limit of nothing is legal (scoring a prompt), yet 0 means here that none was set.
                ask.tokens_out = min(max(limit, 1), MAX_TOKENS_OUT)
                break
        ask.is_reproducible = _is_reproducible(members)
        ask.choices = _choices(members)
    raw = members.get(_PROMPT[api])
    if raw is not None:
        _read_prompt(ask, raw)
    return ask


def outgoing_body(ask: Ask, name: str, *, with_usage: bool) -> bytes:
    """The body for an upstream that calls the model `name`; asks a stream for its usage when `with_usage`.

    Values of all other members leave byte for byte; only spaces between members are lost.
    """
    members = ask.members.copy()
    members["model"] = msgspec.Raw(_encode(name))
    if with_usage and ask.is_stream and not ask.wants_usage:
        members["stream_options"] = _with_usage(members.get("stream_options"))
    return _encode(members)


def _read_members(body: bytes) -> Members:
    """Members of a JSON object; raises `Malformed`."""
    try:
        if not body.isascii():
            str(body, "utf-8")  # values that are not looked into would pass unchecked
        return _members.decode(body)
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}"
        raise Malformed("invalid_utf8", message) from None
    except RecursionError:
        raise Malformed("invalid_json", "the body is nested too deeply") from None
    except msgspec.ValidationError:
        raise Malformed("invalid_json", f"the body must be a JSON object, not {_kind(body.lstrip())}") from None
    except msgspec.DecodeError as error:
        what = "is empty" if not body else f"is not JSON: {error}"
        raise Malformed("invalid_json", f"the body {what}") from None


def _kind(raw: bytes) -> str:
    """What a JSON value is, in words."""
    return _KINDS.get(raw[:1], "a number")


def _model(raw: msgspec.Raw | None) -> str:
    """Name of the model; raises `Malformed`."""
    if raw is None:
        raise Malformed("missing_model", "`model` is missing", "model")
    quoted = bytes(raw)
    if quoted[:1] != b'"':
        raise Malformed("invalid_model", f"`model` must be a string, not {_kind(quoted)}", "model")
    model = _text.decode(quoted)
    if not model or len(model) > MAX_MODEL_CHARS:
        what = "is empty" if not model else f"has {len(model)} characters, more than {MAX_MODEL_CHARS}"
        raise Malformed("invalid_model", f"`model` {what}", "model")
    if not model.isprintable():
        raise Malformed("invalid_model", "`model` holds a control character", "model")
    return model


def _whole(name: str, raw: msgspec.Raw, least: int) -> int | None:
    """A whole number of at least `least`, `None` for null; raises `Malformed`."""
    text = bytes(raw)
    if text == _NULL:
        return None
    if not text.removeprefix(b"-").isdigit():
        found = text.decode()[:32] if text[:1].isdigit() or text[:1] == b"-" else _kind(text)
        raise Malformed("invalid_type", f"`{name}` must be a whole number, not {found}", name)
    # More digits than any limit has are not worth the time to read.
    value = int(text) if len(text) < 20 else (-1 if text[:1] == b"-" else 10**20)
    if value < least:
        raise Malformed("invalid_value", f"`{name}` must be at least {least}, not {text.decode()[:32]}", name)
    return value


def _read_stream(ask: Ask, members: Members) -> None:
    """Whether the answer is streamed, and whether the caller wants the usage of the stream."""
    raw = members.get("stream")
    if raw is None:
        return
    text = bytes(raw)
    if text == b"true":
        ask.is_stream = True
        if ask.api is Api.CHAT or ask.api is Api.COMPLETIONS:
            ask.wants_usage = _asks_usage(members.get("stream_options"))
    elif text not in (b"false", _NULL):
        raise Malformed("invalid_type", f"`stream` must be true or false, not {_kind(text)}", "stream")


def _asks_usage(raw: msgspec.Raw | None) -> bool:
    """True when `stream_options` asks for usage."""
    if raw is None or (text := bytes(raw)) == _NULL:
        return False
    if text[:1] != b"{":
        raise Malformed("invalid_type", f"`stream_options` must be an object, not {_kind(text)}", "stream_options")
    asked = _members.decode(text).get("include_usage")
    return asked is not None and bytes(asked) == b"true"


def _with_usage(raw: msgspec.Raw | None) -> msgspec.Raw:
    """`stream_options` that ask for usage beside what they asked already."""
    if raw is None or (text := bytes(raw)) == _NULL:
        return _ASKED_USAGE
    options = _members.decode(text)
    options["include_usage"] = msgspec.Raw(b"true")
    return msgspec.Raw(_encode(options))


def _is_reproducible(members: Members) -> bool:
    """True for a temperature of zero, a choice among one token, or a seed."""
    raw = members.get("temperature")
    if raw is not None and not bytes(raw).strip(b"0.-"):
        return True
    raw = members.get("top_k")
    if raw is not None and bytes(raw) == b"1":
        return True
    raw = members.get("seed")
    return raw is not None and bytes(raw) != _NULL


def _choices(members: Members) -> int:
    """Answers asked for; raises `Malformed`."""
    choices = 1
    for name in ("n", "best_of"):
        raw = members.get(name)
        if raw is not None and (value := _whole(name, raw, 1)) is not None:
            if value > MAX_CHOICES:
                raise Malformed("invalid_value", f"`{name}` must be at most {MAX_CHOICES}, not {value}", name)
            choices = max(choices, value)
    return choices


def _read_prompt(ask: Ask, raw: msgspec.Raw) -> None:
    """Estimates input tokens, and takes the prompt's beginning for affinity."""
    view = memoryview(raw)
    size = len(view)
    if size >= _LEAST_PREFIX_BYTES:
        ask.prefix = zlib.crc32(view[:PREFIX_BYTES]) or 1
    tokens = size // _BYTES_PER_TOKEN if size < _LARGE_BYTES else _tokens_of_large(view)
    for name in _BESIDE_PROMPT:
        beside = ask.members.get(name)
        if beside is not None:
            tokens += len(memoryview(beside)) // _BYTES_PER_TOKEN
    ask.tokens_in = max(tokens, 1)


def _tokens_of_large(view: memoryview) -> int:
    """Tokens of a long prompt; the share of it that looks like base64 counts as images instead of text."""
    step = len(view) // _SAMPLES
    encoded = 0
    for start in range(step // 2, len(view) - _SAMPLE_BYTES, step):
        sample = bytes(view[start : start + _SAMPLE_BYTES])
        is_mixed = sample.lower() != sample != sample.upper()
        encoded += is_mixed and not sample.translate(None, _BASE64)
    text = len(view) * (_SAMPLES - encoded) // _SAMPLES
    return text // _BYTES_PER_TOKEN + (_IMAGE_TOKENS if encoded else 0)
