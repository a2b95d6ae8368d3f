"""Which stretches of a large body need no reading? Long strings without a quote: images, audio, plain prose.

Each is replaced by a mark while the body is read and put back when it leaves. A mark is legal JSON only inside a
string. So if the shortened body can be read, every mark is in a string; a stretch that holds no quote and neither
begins nor ends within an escape cannot end that string; and the whole body has the members of the shortened one.
Only escapes and control characters inside a stretch go unchecked: they are for the upstream to refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MIN_BODY: Final = 32_768
_MIN_RUN: Final = 8_192
_PROBES: Final = 12
# What stays of a string: its beginning is what routing compares, its ends show that no escape is cut in two.
_KEPT_BEFORE: Final = 1_024
_KEPT_AFTER: Final = 64
_ESCAPE: Final = 6
_TRIES: Final = 16
# The escape is no other letter than `c`, yet nothing that was read and is written anew comes to hold it.
_MARK: Final = rb"<tripoint \u0063ut %d>"
_ANY_MARK: Final = rb"<tripoint \u0063ut "
LONGEST_NAME: Final = 64
"""A member's name that holds a mark has more characters: so much of it is kept before and after, escapes or not."""

Cut = tuple[int, int]


def shortened(body: bytes) -> tuple[bytes, list[Cut]]:
    """The body with marks for its long quoteless stretches, and those stretches as (start, end); none when few pay."""
    cuts: list[Cut] = []
    size = len(body)
    step = size // (_PROBES + 1)
    position = step
    while position < size:
        before = body.rfind(b'"', 0 if not cuts else cuts[-1][1], position)
        after = body.find(b'"', position)
        if before < 0 or after < 0:
            break
        if after - before >= _MIN_RUN and (cut := _cut(body, before + 1, after)) is not None:
            cuts.append(cut)
        position = max(position + step, after + 1)
    if not cuts:
        return body, cuts
    pieces: list[bytes] = []
    done = 0
    for number, (start, end) in enumerate(cuts):
        pieces += (body[done:start], _MARK % number)
        done = end
    pieces.append(body[done:])
    short = b"".join(pieces)
    # A caller who writes marks gets no short cut.
    return (short, cuts) if short.count(_ANY_MARK) == len(cuts) else (body, [])


def restored(short: bytes, body: bytes, cuts: Sequence[Cut]) -> bytes:
    """The text with every mark replaced by the stretch of `body` it stands for."""
    return b"".join(pieces_of(short, body, cuts))


def pieces_of(short: bytes, body: bytes, cuts: Sequence[Cut]) -> list[bytes | memoryview]:
    """The same in pieces, which leave without having been copied."""
    pieces: list[bytes | memoryview] = []
    whole = memoryview(body)
    done = 0
    at = short.find(_ANY_MARK)
    while at >= 0:
        end = short.find(b">", at)
        start, stop = cuts[int(short[at + len(_ANY_MARK) : end])]
        pieces.append(short[done:at])
        pieces.append(whole[start:stop])
        done = end + 1
        at = short.find(_ANY_MARK, done)
    pieces.append(short[done:])
    return pieces


def uncut(body: bytes, cuts: Sequence[Cut]) -> bytes:
    """What is left of a body without its cuts: a word that begins with a quote is as often in it as in the body.

    No such word is in a cut, none reaches into one, as far as it is no longer than what is kept before it, and none
    comes about where two ends meet: what is kept there holds no quote.
    """
    pieces = []
    done = 0
    for start, end in cuts:
        pieces.append(body[done:start])
        done = end
    pieces.append(body[done:])
    return b"".join(pieces)


def _cut(body: bytes, start: int, end: int) -> Cut | None:
    """The part of a stretch that can go, so that no escape is cut in two; `None` when escapes are everywhere."""
    start += _KEPT_BEFORE
    end -= _KEPT_AFTER
    for _ in range(_TRIES):
        if body.find(b"\\", start - _ESCAPE, start) < 0:
            break
        start += _ESCAPE + 1
    else:
        return None
    for _ in range(_TRIES):
        if body.find(b"\\", end - _ESCAPE, end) < 0:
            return start, end
        end -= _ESCAPE + 1
    return None
