"""The plainest usage there is at the end of an answer: counts of a chat, read without a decoder.

What has more to say is read by `tripoint.engines.gateway.wire.usage`, which says the same of what is read here.
"""

from __future__ import annotations

from typing import Final

_BRACE: Final = ord("{")
_END: Final = ord("}")
_QUOTE: Final = ord('"')
_COLON: Final = ord(":")
_COMMA: Final = ord(",")
_BACKSLASH: Final = ord("\\")
_SPACE: Final = ord(" ")
_ZERO: Final = ord("0")
_LETTERS_END: Final = 0x7F
_MOST_DIGITS: Final = 9
_IN: Final = b"prompt_tokens"
_OUT: Final = b"completion_tokens"
_TOTAL: Final = b"total_tokens"
_NOTHING: Final = b"null"
ABSENT: Final = -1
Tally = tuple[int, int, int]


def tally_at(body: bytes, at: int) -> Tally | None:
    """Tokens in, out and in all, `ABSENT` where they are null or missing, of the object that begins at `at`.

    `None` where anything else than those counts and nulls is in it, or anything but one brace behind it.
    """
    last = len(body) - 1
    if at >= last or body[at] != _BRACE or body[last] != _END:
        return None
    tokens_in = tokens_out = total = ABSENT
    while True:
        at += 1
        start = at + 1
        stop = _name_end(body, at, last)
        if stop == 0:
            return None
        at = stop + 2
        count, first = 0, at
        while at < last and _ZERO <= body[at] <= _ZERO + 9:
            count = 10 * count + body[at] - _ZERO
            at += 1
        size = at - first
        is_null = size == 0 and body[at : at + 4] == _NOTHING
        if is_null:
            at += 4
            count = ABSENT
        elif size == 0 or size > _MOST_DIGITS or (size > 1 and body[first] == _ZERO):
            return None
        name = body[start:stop]
        if name == _IN:
            tokens_in = count
        elif name == _OUT:
            tokens_out = count
        elif name == _TOTAL:
            total = count
        elif not is_null:
            return None
        if at < last and body[at] == _COMMA:
            continue
        return (tokens_in, tokens_out, total) if at == last - 1 and body[at] == _END else None


def _name_end(body: bytes, at: int, last: int) -> int:
    """Where the quote stands that ends the name beginning at `at`; 0 where no plain name and colon stand there."""
    if at >= last or body[at] != _QUOTE:
        return 0
    at += 1
    while at < last and body[at] != _QUOTE:
        sign = body[at]
        if sign == _BACKSLASH or sign < _SPACE or sign >= _LETTERS_END:
            return 0
        at += 1
    return at if at + 1 < last and body[at + 1] == _COLON else 0
