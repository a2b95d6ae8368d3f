"""Bodies: the same content however it is cut, never more than the limit, and nothing that could hide a request."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.apps.gateway.http.bodies import Body
from tripoint.apps.gateway.http.heads import CHUNKED, Refusal

LIMIT = 64


def fed(length: int, content: bytes, cuts: list[int], limit: int = LIMIT) -> tuple[Body, Refusal | None, bytes]:
    """A body fed in pieces until it is whole or refused, and the bytes that were left over."""
    body = Body(length, limit)
    places = sorted({0, len(content), *(each % (len(content) + 1) for each in cuts)})
    for start, stop in itertools.pairwise(places):
        refusal = body.feed(content[start:stop])
        if refusal is not None:
            return body, refusal, b""
        if body.is_whole:
            return body, None, body.rest + content[stop:]
    return body, None, b""


def chunked(*pieces: bytes) -> bytes:
    """Pieces as chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@given(st.lists(st.binary(min_size=1, max_size=12), max_size=5), st.lists(st.integers(0, 200)), st.binary(max_size=9))
def test_chunks_give_their_content_wherever_they_are_cut(pieces: list[bytes], cuts: list[int], after: bytes) -> None:
    """And what comes after belongs to the next request, to the byte."""
    body, refusal, rest = fed(CHUNKED, chunked(*pieces) + after, cuts)
    assert refusal is None
    assert body.is_whole
    assert body.content() == b"".join(pieces)
    assert rest == after


@given(st.binary(min_size=1, max_size=LIMIT), st.lists(st.integers(0, 200)), st.binary(max_size=9))
def test_counted_bodies_give_their_content_wherever_they_are_cut(content: bytes, cuts: list[int], after: bytes) -> None:
    """Likewise."""
    body, refusal, rest = fed(len(content), content + after, cuts)
    assert refusal is None
    assert body.is_whole
    assert body.content() == content
    assert rest == after


BAD = {
    "bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "bare LF after the chunk": b"3\r\nabc\n0\r\n\r\n",
    "extension": b"3;a=b\r\nabc\r\n0\r\n\r\n",
    "blank": b"3 \r\nabc\r\n0\r\n\r\n",
    "0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "nine digits": b"000000003\r\nabc\r\n0\r\n\r\n",
    "longer than said": b"2\r\nabc\r\n0\r\n\r\n",
    "shorter than said": b"4\r\nabc\r\n0\r\n\r\n",
    "trailer that frames": b"0\r\nContent-Length: 3\r\n\r\n",
    "trailer that is none": b"0\r\nabc\r\n\r\n",
    "trailer with NUL": b"0\r\na: \x00\r\n\r\n",
    "trailer with bare LF": b"0\r\na: b\n\r\n",
    "long trailers": b"0\r\n" + b"a: b\r\n" * 1100 + b"\r\n",
    "endless trailer": b"0\r\na: " + b"b" * 5000,
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_bad_chunks_are_refused(name: str, step: int) -> None:
    """However they arrive."""
    content = BAD[name]
    _, refusal, _ = fed(CHUNKED, content, list(range(0, len(content), step)))
    assert refusal is not None
    assert refusal.status == 400


def test_proper_trailers_are_forgotten() -> None:
    """They are read to their end and are no part of the content."""
    body, refusal, rest = fed(CHUNKED, b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\nNEXT", [5, 11, 16, 20])
    assert refusal is None
    assert (body.content(), rest) == (b"abc", b"NEXT")


@given(st.lists(st.integers(0, 300)))
def test_chunks_beyond_the_limit_are_refused_before_they_are_held(cuts: list[int]) -> None:
    """The size line is enough to know."""
    body, refusal, _ = fed(CHUNKED, chunked(b"a" * 40, b"b" * 40), cuts)
    assert refusal is not None
    assert refusal.status == 413
    assert body.size <= 40


def test_a_counted_body_beyond_the_limit_is_refused() -> None:
    """Before a byte of it is kept."""
    body = Body(LIMIT + 1, LIMIT)
    refusal = body.feed(b"a")
    assert refusal is not None
    assert refusal.status == 413
    assert body.size == 0


@given(st.binary(max_size=80), st.lists(st.integers(0, 100)))
def test_no_bytes_make_it_raise_or_hold_more_than_the_limit(content: bytes, cuts: list[int]) -> None:
    """Random chunks are read or refused."""
    body, _, _ = fed(CHUNKED, content, cuts)
    assert body.size <= LIMIT
