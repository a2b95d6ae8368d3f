"""The plainest chats, read in one pass, and the body that leaves with nothing but the model's name changed.

What is not of the plainest form is read by `tripoint.engines.gateway.wire.ask`, which says the same of what is.
"""

from __future__ import annotations

from typing import Final

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.shapes.asked import (
    BESIDE_PROMPT,
    BYTES_PER_TOKEN,
    LEAST_PREFIX_BYTES,
    MAX_MODEL_CHARS,
    MAX_TOKENS_OUT,
    OTHER_SPELLINGS,
    PREFIX_BYTES,
    Ask,
    Members,
    checksum,
)

_CHAT: Final = Api.CHAT
# Kinds of members; those below `_MESSAGES_KIND` have a meaning that is read where it is given.
_MODEL_KIND: Final = 1
_LIMIT_KIND: Final = 2
_HEAT_KIND: Final = 3
_STREAM_KIND: Final = 4
_BESIDE_KIND: Final = 5
_RARE_KIND: Final = 6
_MESSAGES_KIND: Final = 7
_PROMPT_KIND: Final = 8
_KINDS: Final[dict[str, int]] = {
    "model": _MODEL_KIND,
    "max_tokens": _LIMIT_KIND,
    "temperature": _HEAT_KIND,
    "stream": _STREAM_KIND,
    **dict.fromkeys(BESIDE_PROMPT, _BESIDE_KIND),
    **dict.fromkeys(("max_completion_tokens", "stream_options", "n", "best_of", "seed", "top_k"), _RARE_KIND),
    "messages": _MESSAGES_KIND,
    "prompt": _PROMPT_KIND,
}
_MODEL_LETTERS: Final = len("model")
_ZERO: Final = ord("0")
_POINT: Final = ord(".")
_QUOTE: Final = ord('"')
_FEW_DIGITS: Final = 8
_ASKING_USAGE: Final = b',"stream_options":{"include_usage":true}}'


def spliced(ask: Ask, named: bytes, *, with_usage: bool) -> bytes:
    """The same where the place of the model's name is known; `named` is the name as JSON."""
    body = ask.body
    if with_usage and not ask.wants_usage:
        return b"".join((body[: ask.model_at], named, body[ask.model_end : -1], _ASKING_USAGE))
    return b"".join((body[: ask.model_at], named, body[ask.model_end :]))


def read_plainly(ask: Ask, members: Members) -> bool:
    """Reads what nearly all chats say in one pass over the members; False, and `ask` is spoilt, where there is more.

    Members and what stands between them add up to the body's length only where no member is given twice or spelled with
    escapes and no blank is between them: all of that makes a body longer. Then each value stands where it is counted,
    and what was read before that is known was read in the right place.
    """
    body = ask.body
    prompt_kind = _MESSAGES_KIND if ask.api is _CHAT else _PROMPT_KIND
    at, named_at, named_end, prompt_at, prompt_size, beside = 1, 0, 0, 0, 0, 0
    for name, raw in members.items():
        at += len(name) + 3
        kind, size = _KINDS.get(name, 0), len(raw)
        if kind == prompt_kind:
            prompt_at, prompt_size = at, size
        elif kind == _MODEL_KIND:
            named_at, named_end = at, at + size
        elif kind == _BESIDE_KIND:
            beside += size // BYTES_PER_TOKEN
        elif kind == 0:
            if len(name) == _MODEL_LETTERS and name in OTHER_SPELLINGS:
                return False
        elif kind < _MESSAGES_KIND and not _took_plain(ask, kind, body[at : at + size]):
            return False
        at += size + 1
    if at != len(body) or not prompt_at or not _called(ask, body[named_at:named_end]):
        return False
    ask.model_at, ask.model_end = named_at, named_end
    ask.prompt_at, ask.prompt_end = prompt_at, prompt_at + prompt_size
    ask.is_plain = True
    ask.tokens_in = prompt_size // BYTES_PER_TOKEN + beside or 1
    if prompt_size >= LEAST_PREFIX_BYTES:
        ask.prefix = checksum(body[prompt_at : prompt_at + min(prompt_size, PREFIX_BYTES)]) or 1
    return True


def _called(ask: Ask, named: bytes) -> bool:
    """Takes the model's name; False where it is not a plain string of a length and of signs that a name may have."""
    if not 2 < len(named) <= MAX_MODEL_CHARS or named[0] != _QUOTE:
        return False
    model = named[1:-1].decode()
    ask.model = model
    return "\\" not in model and model.isprintable()


def _took_plain(ask: Ask, kind: int, text: bytes) -> bool:
    """Takes a value of how the answer is to be made; False where it is not of the plainest form."""
    if kind == _LIMIT_KIND:
        limit = _plain_count(text)
        # As in `_read_sampling`: a limit of nothing is not the same as none.
        ask.tokens_out = min(limit, MAX_TOKENS_OUT) or 1
        return limit >= 0
    if kind == _HEAT_KIND:
        heat = _plain_heat(text)
        ask.is_reproducible = heat == 0
        return heat >= 0
    if kind == _STREAM_KIND:
        ask.is_stream = text == b"true"
        ask.wants_usage = not ask.is_stream
        return ask.is_stream or text == b"false"
    return False


def _plain_count(text: bytes) -> int:
    """A whole number of a few digits; -1 for anything else."""
    found = 0
    for sign in text:
        digit = sign - _ZERO
        if not 0 <= digit <= 9:
            return -1
        found = 10 * found + digit
    return found if len(text) <= _FEW_DIGITS else -1


def _plain_heat(text: bytes) -> int:
    """0 where a short number without exponent is zero, 1 where it is not; -1 for anything else."""
    found = 0
    for sign in text:
        if sign != _ZERO and sign != _POINT:
            if not _ZERO <= sign <= _ZERO + 9:
                return -1
            found = 1
    return found if len(text) <= _FEW_DIGITS else -1
