"""Connections to upstreams: kept, renewed, and given up on wherever an answer cannot be trusted."""

from __future__ import annotations

import asyncio
import itertools
import socket
from functools import partial
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.upstream_http.scripted import CUT, EVENTS, Noted, Scripted, answer, chunk, parcel, play, scripted
from tests.factories.serving import target

from tripoint.adapters.upstream_http.pool import PoolOptions, Upstreams

Scripts = list[list[bytes | float]]
pytestmark = pytest.mark.enable_socket


def test_a_connection_is_used_again() -> None:
    """One after the other over one connection; what is sent is exactly what was asked."""

    async def test() -> None:
        async with scripted([[answer()]] * 3) as there:
            for _ in range(3):
                noted = await there.ask()
                assert (noted.status, noted.body, noted.ending) == (200, b'{"ok":1}', "end")
            assert there.connections == 1
            port = there.target.port
            assert there.requests[0] == (
                b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
                b"x-request-id: r\r\ncontent-length: 2\r\n\r\n{}" % port
            )

    play(test)


def test_requests_at_once_have_connections_of_their_own_and_the_last_is_used_next() -> None:
    """The pool is a stack: what is not needed grows old at its bottom and is closed."""

    async def test() -> None:
        async with scripted([[0.05, answer()]] * 8, options=PoolOptions(idle_s=5.0)) as there:
            noted = [there.send() for _ in range(4)]
            for each in noted:
                await each.wait()
            assert there.connections == 4
            await there.ask()
            assert there.connections == 4
            there.upstreams.expire(monotonic() + 60.0)
            await asyncio.sleep(0.02)
            await there.ask()
            assert there.connections == 5

    play(test)


def test_a_large_body_goes_out_whole() -> None:
    """Beside its head, not copied behind it."""

    async def test() -> None:
        body = b"x" * 3_000_000
        async with scripted([[answer()]]) as there:
            assert (await there.send(body=body).wait()).ending == "end"
            assert there.requests[0].endswith(b"\r\n\r\n" + body)

    play(test)


STREAM = [b"data: %d\n\n" % number for number in range(12)]


@settings(max_examples=25)
@given(st.lists(st.integers(0, 400), max_size=12), st.lists(st.integers(1, 30), max_size=4))
def test_a_stream_is_the_same_wherever_it_is_cut(cuts: list[int], joints: list[int]) -> None:
    """Chunks and reads may begin and end anywhere; the connection is good for another request after it."""
    text = b"".join(STREAM)
    places = sorted({0, len(text), *(each * 3 % len(text) for each in joints)})
    chunks = b"".join(chunk(text[a:b]) for a, b in itertools.pairwise(places))
    whole = EVENTS + chunks + b"0\r\n\r\n"
    marks = sorted({0, len(whole), *(each % len(whole) for each in cuts)})
    pieces = [whole[a:b] for a, b in itertools.pairwise(marks)]
    script: list[bytes | float] = []
    for piece in pieces:
        script += [piece, 0.0005]

    async def test() -> None:
        async with scripted([script, [answer()]]) as there:
            noted = await there.ask()
            assert (noted.body, noted.ending) == (text, "end")
            assert (await there.ask()).body == b'{"ok":1}'
            assert there.connections == 1

    play(test)


def test_an_answer_that_ends_with_the_connection_is_whole() -> None:
    """Where it has neither length nor chunks; the machine judges what it holds."""

    async def test() -> None:
        async with scripted([[b"HTTP/1.1 200 OK\r\n\r\nabc", 0.02, b"def", CUT]]) as there:
            noted = await there.ask()
            assert (noted.body, noted.ending) == (b"abcdef", "end")

    play(test)


def test_interim_answers_are_passed_over() -> None:
    """As many as come, before the one that counts."""

    async def test() -> None:
        early = b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        async with scripted([[early, 0.01, early + answer()], [answer()]]) as there:
            assert (await there.ask()).status == 200
            assert (await there.ask()).status == 200
            assert there.connections == 1

    play(test)


LOST: dict[str, tuple[list[bytes | float], str]] = {
    "closed before a byte": ([CUT], "reset"),
    "closed in the head": ([b"HTTP/1.1 200 OK\r\ncontent-", CUT], "reset"),
    "shorter than its length": ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", 0.01, CUT], "lost"),
    "chunks without end": ([EVENTS + chunk(b"data: a\n\n"), 0.01, CUT], "lost"),
    "cut in a chunk": ([EVENTS + b"9\r\nab", 0.01, CUT], "lost"),
    "no HTTP": ([b"\x00\xff no\r\n\r\n"], "answer"),
    "HTTP/0.9": ([b"hello\r\n\r\n"], "answer"),
    "bad chunk": ([EVENTS + chunk(b"data: a\n\n"), 0.01, b"zz\r\nab\r\n"], "answer"),
    "length and chunks": ([b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"], "answer"),
    "two lengths": ([b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd"], "answer"),
    "another protocol": ([b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"], "answer"),
    "endless head": ([b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 15_000], "answer"),
    "larger than is taken": ([b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + b"x" * 2000], "answer"),
    "chunks larger than is taken": (
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"x" * 999) * 3], "answer",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_answers_that_cannot_be_trusted_are_lost(name: str) -> None:
    """Each told once, with its kind of failure, and the connection is never used again."""
    script, failure = LOST[name]

    async def test() -> None:
        async with scripted([script, [answer()]], options=PoolOptions(max_answer=1000)) as there:
            noted = await there.ask()
            assert noted.ending == failure
            assert not noted.was_reused
            assert (await there.ask()).ending == "end"
            assert there.connections == 2

    play(test)


def test_a_kept_connection_that_died_is_told_as_such() -> None:
    """So that the machine may ask once more over a new one; a new one that dies is the upstream's fault."""

    async def test() -> None:
        async with scripted([[answer()], [CUT], [CUT]]) as there:
            await there.ask()
            noted = await there.ask()
            assert (noted.ending, noted.was_reused) == ("reset", True)
            noted = await there.ask(is_fresh=True)
            assert (noted.ending, noted.was_reused) == ("reset", False)

    play(test)


def test_an_answer_nobody_asked_for_ends_the_connection() -> None:
    """A second answer after the first, at once or later, is never given to the next caller."""

    async def test() -> None:
        both = answer() + answer(b'{"evil":1}')
        late: list[bytes | float] = [answer(), 0.02, answer(b'{"evil":1}')]
        async with scripted([[both], late, [answer()]]) as there:
            first = await there.ask()
            await asyncio.sleep(0.05)
            second = await there.ask()
            await asyncio.sleep(0.08)
            third = await there.ask()
            assert [first.body, second.body, third.body] == [b'{"ok":1}'] * 3
            assert [first.ending, second.ending, third.ending] == ["answer", "end", "end"]
            assert there.connections == 3

    play(test)


def test_a_dropped_attempt_is_reported_no_more_and_its_connection_closes() -> None:
    """In the middle of an answer; before it is connected, the connection is kept for the next."""

    async def test() -> None:
        async with scripted([[EVENTS + chunk(b"a"), 0.5, chunk(b"b")], [answer()]]) as there:
            noted = Noted()
            line = there.upstreams.send(there.target, parcel(), noted)
            await asyncio.wait_for(noted.begun.wait(), 5)
            line.drop()
            early = Noted()
            there.upstreams.send(there.target, parcel(), early).drop()
            await asyncio.sleep(0.05)
            assert (noted.ending, early.ending) == ("", "")
            assert (await there.ask()).ending == "end"
            assert there.connections == 2

    play(test)


def test_a_paused_connection_is_read_no_further() -> None:
    """Until it is resumed; then all of it comes."""

    async def test() -> None:
        async with scripted([[EVENTS, 0.01, *[chunk(b"x" * 1000)] * 50, b"0\r\n\r\n"]]) as there:
            noted = Noted()
            line = there.upstreams.send(there.target, parcel(), noted)
            await asyncio.wait_for(noted.begun.wait(), 5)
            line.pause()
            await asyncio.sleep(0.05)
            held = len(noted.body)
            await asyncio.sleep(0.05)
            assert len(noted.body) == held < 50_000
            line.resume()
            await noted.wait()
            assert len(noted.body) == 50_000

    play(test)


def test_what_cannot_be_connected_to_is_told() -> None:
    """A closed port, a name that is none, and a listener that never takes a connection."""

    async def test() -> None:
        upstreams = Upstreams(PoolOptions(connect_s=0.3))
        with socket.socket() as closed, socket.socket() as full:
            closed.bind(("127.0.0.1", 0))
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            waiting = [socket.socket() for _ in range(4)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            try:
                for there in (
                    target("a", port=closed.getsockname()[1]),
                    target("b", host="no-such-host.invalid"),
                    target("c", port=port),
                ):
                    found = await Scripted(there, upstreams).ask()
                    assert found.ending == "connect"
            finally:
                for each in waiting:
                    each.close()

    play(test)


def tell(told: asyncio.Future[tuple[int, bytes]], status: int, body: bytes) -> None:
    """Hands an errand's answer over."""
    told.set_result((status, body))


def test_errands_are_small_and_on_the_clock() -> None:
    """The answer, or nothing: when it is late, when it is lost; a stale connection costs one more try."""

    async def test() -> None:
        script: Scripts = [[answer()], [CUT], [answer(b"again")], [1.0, answer()], [answer(status=b"503 X")]]
        async with scripted(script) as there:
            found: list[tuple[int, bytes]] = []
            for timeout_s in (5.0, 5.0, 0.1, 5.0):
                told: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
                question = (b"GET", b"/v1/models", b"", b"")
                there.upstreams.ask(there.target, question, timeout_s, partial(tell, told))
                found.append(await asyncio.wait_for(told, 5))
            assert found == [(200, b'{"ok":1}'), (200, b"again"), (0, b""), (503, b'{"ok":1}')]
            assert there.requests[0].startswith(b"GET /v1/models HTTP/1.1\r\n")

    play(test)


def test_a_reload_keeps_connections_of_what_stays_and_closes_the_rest() -> None:
    """The same address under a new table is the same pool; another address is another."""

    async def test() -> None:
        async with scripted([[answer()]] * 3) as there:
            await there.ask()
            there.target = target("a", port=there.target.port, max_concurrency=99)
            there.upstreams.keep_only((there.target,))
            await there.ask()
            assert there.connections == 1
            there.upstreams.keep_only(())
            await there.ask()
            assert there.connections == 2

    play(test)
