from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from tripoint.apps.hybrid.callers.client import Reply, ask, stream_fault
from tripoint.apps.hybrid.callers.tally import Tally
from tripoint.apps.hybrid.callers.traffic import Stream, Traffic
from tripoint.apps.hybrid.run_folder import STREAMS

Result = TypeVar("Result")
OK = b"HTTP/1.1 200 OK\r\n"
SITE = b"x-tripoint-site: dense\r\n"
SSE = b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"


def chunked(*pieces: bytes) -> bytes:
    """A body in chunks, with its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


async def against(answer: bytes, call: Callable[[int], Awaitable[Result]], *, hangs: bool = False) -> Result:
    """What a call sees of a server that gives this answer to everybody and closes."""

    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        await reader.readexactly(int(head.partition("content-length: ")[2].split("\r\n")[0]))
        writer.write(answer)
        if hangs:
            await reader.read()
        writer.close()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        found = await call(server.sockets[0].getsockname()[1])
        await asyncio.gather(*(task for task in serving if task is not None), return_exceptions=True)
        return found


def seen(answer: bytes, *, hangs: bool = False) -> Reply:
    """The reply a caller makes of an answer."""

    async def call(port: int) -> Reply:
        return await ask(port, "POST", "/v1/x", head={"a": "b"}, body=b"{}", patience_s=0.2 if hangs else 10)

    return asyncio.run(against(answer, call, hangs=hangs))


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (OK + SITE + b"content-length: 2\r\n\r\n{}", ""),
        (OK + SITE + b"\r\nuntil the end", ""),
        (OK + SITE + SSE + b"\r\n" + chunked(b"data: {}\n\n", b"data: [DONE]\n\n"), ""),
        (OK + SITE + b"content-length: 9\r\n\r\n{}", "cut"),
        (OK + SITE + SSE + b"\r\n5\r\nabc", "cut"),
        (OK + SITE + SSE + b"\r\n" + chunked(b"data: {}\n\n"), "stream without an end"),
        (OK + SITE + SSE + b"\r\n" + chunked(b'data: {"error":{"code":"lost"}}\n\n'), "error event: lost"),
        (b"HTTP/1.1 429 Slow\r\ncontent-length: 24\r\n\r\n" + b'{"error":{"code":"busy"}}', "status 429: "),
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"", "cut"),
    ],
)
def test_answers_are_judged_as_a_caller_would(answer: bytes, fault: str) -> None:
    """Whole, cut, refused, told in the stream, or no HTTP at all."""
    reply = seen(answer)
    assert reply.fault.startswith(fault) if fault else reply.fault == ""
    if not fault:
        assert (reply.status, reply.site) == (200, "dense")
        assert 0 < reply.first_s <= reply.took_s


@pytest.mark.enable_socket
def test_silence_and_a_closed_port_are_told() -> None:
    """Patience ends; nobody there is said at once."""
    assert "no whole answer" in seen(OK + b"content-length: 5\r\n\r\nab", hangs=True).fault

    async def nobody() -> Reply:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await ask(port, "GET", "/", head={})

    assert asyncio.run(nobody()).fault.startswith("connection: ")


@pytest.mark.parametrize(
    ("last", "is_whole"),
    [(b"[DONE]", True), (b'{"type":"response.completed"}', True), (b'{"type":"message_stop"}', True),
     (b'{"type":"message_delta"}', False), (b'{"error":null,"choices":[]}', False), (b'{"error": cut', False)],
)  # fmt: skip
def test_each_interface_ends_its_streams_its_own_way(last: bytes, is_whole: bool) -> None:
    """Only the end of the interface is an end."""
    assert (stream_fault(b"event: x\ndata: {}\n\ndata: " + last + b"\n\n") == "") is is_whole


def test_the_tally_adds_up() -> None:
    """Sent is answered, lost and open; strays are told whatever else."""
    tally = Tally(sent=4)
    forbidden = frozenset({"cloud"})
    tally.heard("claims-eu", Reply(200, "dense", b"", 0.1, 0.2, ""), forbidden, "before")
    tally.heard("claims-eu", Reply(200, "cloud", b"", 0.1, 0.3, ""), forbidden, "after")
    tally.heard("claims-eu", Reply(0, "", b"", 0.0, 0.3, "cut"), forbidden, "after")
    assert (tally.answered, tally.lost, tally.open, tally.strayed) == (2, 1, 1, 1)
    assert tally.by_site == {"before": {"dense": 1}, "after": {"cloud": 1}}
    assert tally.by_workload == {"claims-eu": {"dense": 1, "cloud": 1}}
    assert tally.slowest_s == {"before": 0.2, "after": 0.3}
    assert len(tally.told) == 2


@pytest.mark.enable_socket
def test_traffic_is_an_open_loop_that_ends_when_told() -> None:
    """Requests go out whatever the answers do; at the end every answer is counted."""
    stream = Stream(workload="assistant", share=1.0, forbidden=frozenset({"dense"}), key="web", label="customer-eu")
    traffic = Traffic((stream,), {"web": "secret"}, rate=400.0, seed=1)

    async def call(port: int) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        await traffic.run(port, stop)

    asyncio.run(against(OK + SITE + b"content-length: 2\r\n\r\n{}", call))
    tally = traffic.tally
    assert tally.sent > 10
    assert (tally.answered, tally.open, tally.lost) == (tally.sent, 0, 0)
    assert tally.strayed == tally.sent


@pytest.mark.enable_socket
@pytest.mark.parametrize("is_limited", [True, False])
def test_a_refusal_for_a_spent_budget_is_no_loss_where_one_is_meant_to_run_out(is_limited: bool) -> None:
    """Counted by tenant; of any other caller it is a loss, as is any other refusal."""
    stream = Stream(workload="a", share=1.0, forbidden=frozenset(), key="trial", is_limited=is_limited)
    for code, is_meant in (("insufficient_quota", is_limited), ("rate_limit_exceeded", False)):
        traffic = Traffic((stream,), {"trial": "secret"}, rate=200.0, seed=1)
        body = b'{"error":{"code":"%b"}}' % code.encode()
        answer = b"HTTP/1.1 429 No\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)

        async def call(port: int, traffic: Traffic = traffic) -> None:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.2, stop.set)
            await traffic.run(port, stop)

        asyncio.run(against(answer, call))
        tally = traffic.tally
        assert tally.sent > 5
        assert (tally.refused["trial"], tally.lost) == ((tally.sent, 0) if is_meant else (0, tally.sent))
        assert (tally.answered, tally.open) == (0, 0)


def test_the_shipped_mix_is_whole() -> None:
    """Shares add up to one; every interface is in it; what carries a label or a class never goes to the cloud."""
    assert sum(stream.share for stream in STREAMS) == pytest.approx(1.0)
    assert {stream.api for stream in STREAMS} == {"chat", "completions", "responses", "messages", "embeddings"}
    assert all("cloud" in stream.forbidden for stream in STREAMS if stream.label or stream.workload != "assistant")
