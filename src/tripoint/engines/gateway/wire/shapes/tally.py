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
_IN: Final = b'"prompt_tokens":'
_OUT: Final = b'"completion_tokens":'
_TOTAL: Final = b'"total_tokens":'
_IN_SIZE: Final = len(_IN)
_OUT_SIZE: Final = len(_OUT)
_TOTAL_SIZE: Final = len(_TOTAL)
_IN_LETTER: Final = ord("p")
_OUT_LETTER: Final = ord("c")
_TOTAL_LETTER: Final = ord("t")
_NOTHING: Final = b"null"
_NOTHING_LETTER: Final = ord("n")
_NOTHING_SIZE: Final = len(_NOTHING)
ABSENT: Final = -1
_ODD: Final = -2
_MEMBER: Final = b'"usage":'
_MEMBER_SIZE: Final = len(_MEMBER)
_USUAL_SIZE: Final = 128
"""Bytes behind which the counts of nearly all answers begin."""
Tally = tuple[int, int, int]


def usage_at(body: bytes) -> int:
    """Where the last brace opens, if that is near the end and usage opens with it: the place of its name; else -1.

    No search from the end for the name finds usage that says something else: what follows here opens no brace.
    """
    at = len(body) - 1
    least = max(at - _USUAL_SIZE, _MEMBER_SIZE)
    while at > least:
        if body[at] == _BRACE:
            start = at - _MEMBER_SIZE
            return start if body[start:at] == _MEMBER else -1
        at -= 1
    return -1


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
        known = _known(body, at)
        at = at + known if known else _past_name(body, at, last)
        if at == 0:
            return None
        count, at = _count(body, at, last)
        if count == _ODD or (known == 0 and count != ABSENT):
            return None
        if known == _IN_SIZE:
            tokens_in = count
        elif known == _OUT_SIZE:
            tokens_out = count
        elif known == _TOTAL_SIZE:
            total = count
        if at >= last or body[at] != _COMMA:
            return (tokens_in, tokens_out, total) if at == last - 1 and body[at] == _END else None


def _known(body: bytes, at: int) -> int:
    """Length of the known name that stands there, its quotes and colon counted; 0 where none does.

    Compiled, slices of known names cost less than looking for where a name ends.
    """
    letter = body[at + 1] if at + 1 < len(body) else 0  # no two of them begin alike
    if letter == _IN_LETTER:
        return _IN_SIZE if body[at : at + _IN_SIZE] == _IN else 0
    if letter == _OUT_LETTER:
        return _OUT_SIZE if body[at : at + _OUT_SIZE] == _OUT else 0
    return _TOTAL_SIZE if letter == _TOTAL_LETTER and body[at : at + _TOTAL_SIZE] == _TOTAL else 0


def _count(body: bytes, at: int, last: int) -> tuple[int, int]:
    """The plain number that stands there, `ABSENT` for null and `_ODD` for anything else, and where it ends."""
    if at < last and body[at] == _NOTHING_LETTER and body[at : at + _NOTHING_SIZE] == _NOTHING:
        return ABSENT, at + _NOTHING_SIZE
    count, first = 0, at
    while at < last and _ZERO <= body[at] <= _ZERO + 9:
        count = 10 * count + body[at] - _ZERO
        at += 1
    size = at - first
    is_plain = 0 < size <= _MOST_DIGITS and (size == 1 or body[first] != _ZERO)
    return count if is_plain else _ODD, at


def _past_name(body: bytes, at: int, last: int) -> int:
    """What comes after the name that stands there and its colon; 0 where no plain name and colon do."""
    if at >= last or body[at] != _QUOTE:
        return 0
    at += 1
    while at < last and body[at] != _QUOTE:
        sign = body[at]
        if sign == _BACKSLASH or sign < _SPACE or sign >= _LETTERS_END:
            return 0
        at += 1
    return at + 2 if at + 1 < last and body[at + 1] == _COLON else 0
