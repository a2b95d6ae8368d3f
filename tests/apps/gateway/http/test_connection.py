"""Callers' connections over real sockets: order, limits, slow and sudden callers, answers that must not look whole."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Answer, Shell, chat, get, is_closed, post, read_answer, shell

from tripoint.apps.gateway.http.endpoints import ENDPOINTS, Page
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import Limits
from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.testing.model_server import Behaviour, ModelServer, serving

pytestmark = pytest.mark.enable_socket

QUICK = Limits(head_s=0.4, body_s=1.5, body_grace_s=0.4, idle_s=0.6, write_s=0.5, max_body=4096, max_connections=40)


def table_for(*servers: ModelServer, **fields: Any) -> RoutingTable:
    """One workload on as many targets as there are servers, the first the cheapest."""
    targets = [target("abc"[slot], slot=slot, port=server.port) for slot, server in enumerate(servers)]
    ways = [candidate(slot, usd=1.0 + slot, share=0.0 if slot else 1.0) for slot in range(len(servers))]
    return table(targets, (route(*ways),), **fields)


@pytest.fixture
def gateway(server: ModelServer) -> Iterator[Shell]:
    """A shell with ordinary limits."""
    with shell(table_for(server)) as running:
        yield running


@pytest.fixture
def quick(server: ModelServer) -> Iterator[Shell]:
    """A shell that loses patience fast."""
    with shell(table_for(server), limits=QUICK) as running:
        yield running


def asked(running: Shell, request: bytes) -> Answer:
    """The answer to one request on a connection of its own."""
    with running.connect() as connection:
        connection.sendall(request)
        return read_answer(connection)


def test_every_declared_endpoint_is_answered_and_nothing_else(gateway: Shell, server: ModelServer) -> None:
    """The table is the surface: each row answers its method, and only that; no row, no answer."""
    bodies = {b"/v1/completions": {"prompt": "a"}, b"/v1/embeddings": {"input": "a"}, b"/v1/responses": {"input": "a"}}
    for endpoint in ENDPOINTS:
        path = endpoint.path.decode()
        document = {"model": "chat", **bodies.get(endpoint.path, {"messages": [], "max_tokens": 3})}
        request = post(json.dumps(document).encode(), path=path) if endpoint.api else get(path)
        assert asked(gateway, request).status not in (404, 405), path
        for method in ("DELETE", "PUT", "PATCH", "OPTIONS", "GET" if endpoint.api else "POST"):
            assert asked(gateway, get(path, method=method)).status == 405, (method, path)
    for path in ("/", "/v1", "/v1/", "/v1/models/", "/v1/chat", "/docs", "/openapi.json", "/metrics/", "/v1/files"):
        assert asked(gateway, get(path)).status == 404, path
    declared = {endpoint.page for endpoint in ENDPOINTS} - {None}
    assert declared == set(Page)
    assert all(bool(endpoint.api) != bool(endpoint.page) for endpoint in ENDPOINTS)


def test_a_plain_and_a_streamed_answer(gateway: Shell, server: ModelServer) -> None:
    """Both over one connection, and one connection to the upstream."""
    with gateway.connect() as connection:
        connection.sendall(post(chat()))
        whole = read_answer(connection)
        connection.sendall(post(chat(stream=True)))
        streamed = read_answer(connection)
    text = json.loads(whole.body)["choices"][0]["message"]["content"]
    events = [line[6:] for line in streamed.body.decode().split("\n\n") if line]
    said = "".join(json.loads(each)["choices"][0]["delta"].get("content", "") for each in events[:-1])
    assert (whole.status, streamed.status) == (200, 200)
    assert said == text
    assert events[-1] == "[DONE]"
    assert streamed.is_whole
    assert "x-internal" not in whole.headers
    assert server.connections == 1
    assert [record.ending for record in gateway.records] == ["ok", "ok"]


def test_requests_sent_ahead_are_answered_in_order(gateway: Shell) -> None:
    """Slow ones and quick ones alike; nothing is read twice or lost."""
    bodies = [chat(max_tokens=1 + number) for number in range(8)]
    with gateway.connect() as connection:
        connection.sendall(b"".join(post(body) + get("/healthz") for body in bodies))
        for number in range(8):
            usage = json.loads(read_answer(connection).body)["usage"]
            assert usage["completion_tokens"] == 1 + number
            assert read_answer(connection).body == b"health"


def test_a_flood_sent_ahead_is_not_read_ahead(gateway: Shell) -> None:
    """Thousands of requests sent at once are answered one by one."""
    with gateway.connect() as connection:
        connection.sendall(get("/healthz") * 3000)
        for _ in range(3000):
            assert read_answer(connection).status == 200


@pytest.mark.parametrize("size", [1, 3, 50])
def test_a_request_may_arrive_in_pieces(gateway: Shell, size: int) -> None:
    """Cut anywhere, head and body."""
    request = post(chat())
    with gateway.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), size):
            connection.sendall(request[start : start + size])
        assert read_answer(connection).status == 200


def test_a_chunked_request_is_answered(gateway: Shell, server: ModelServer) -> None:
    """Its content goes on with a length."""
    body = chat()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with gateway.connect() as connection:
        connection.sendall(head + b"%x\r\n%b\r\n5\r\n     \r\n0\r\n\r\n" % (len(body), body))
        assert read_answer(connection).status == 200
    assert server.seen[-1].json()["messages"] == json.loads(body)["messages"]
    assert "transfer-encoding" not in server.seen[-1].headers


def test_old_callers_get_answers_that_end_with_the_connection(gateway: Shell) -> None:
    """HTTP/1.0 knows no chunks."""
    body = chat(stream=True)
    request = b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    answer = asked(gateway, request)
    assert answer.headers["connection"] == "close"
    assert "transfer-encoding" not in answer.headers
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_head_is_get_without_a_body(gateway: Shell) -> None:
    """The length is that of the body it does not send."""
    with gateway.connect() as connection:
        connection.sendall(get("/v1/models", method="HEAD"))
        answer = read_answer(connection, is_head=True)
        connection.sendall(get("/healthz"))
        assert read_answer(connection).body == b"health"
    assert int(answer.headers["content-length"]) > 0


def everything(running: Shell, request: bytes) -> bytes:
    """All that comes on a connection of its own until it is closed."""
    with running.connect() as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    "request_bytes",
    [
        get("/v1/chat/completions", method="HEAD"),
        get("/nowhere", method="HEAD"),
        b"HEAD /v1/models HTTP/1.1\r\n\r\n",
        b"HEAD /v1/models HTTP/1.1\r\nhost: elsewhere.example\r\n\r\n",
        b"HEAD /v1/models HTTP/1.1\r\nhost : x\r\n\r\n",
        b"HEAD /v1/models HTTP/1.1\r\nx-long: " + b"x" * 200_000,
        b"HEAD /v1/models HTTP/1.1\r\nhost: late",
    ],
    ids=["a POST path", "no path", "no host", "foreign", "bad head", "long head", "never ends"],
)
def test_a_refusal_of_head_has_no_body(quick: Shell, request_bytes: bytes) -> None:
    """Whatever is wrong with it, a HEAD is answered by a head alone: a body would be read as the next answer."""
    head, _, rest = everything(quick, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4"), head
    assert b"content-length: " in head
    assert rest == b""


def test_a_method_that_is_not_taken_is_told_which_are(gateway: Shell) -> None:
    """A 405 names the methods of its path in `allow`, as HTTP asks of it; pages take HEAD as well."""
    for endpoint in ENDPOINTS:
        head, _, body = everything(gateway, get(endpoint.path.decode(), method="DELETE")).partition(b"\r\n\r\n")
        wanted = b"POST" if endpoint.api else b"GET, HEAD"
        assert b"\r\nallow: %b\r\n" % wanted in head + b"\r\n", head
        assert f"takes {wanted.decode().replace(', ', ' and ')} only" in json.loads(body)["error"]["message"]
    assert b"\r\nallow:" not in everything(gateway, get("/nowhere"))


def test_a_caller_who_waits_for_leave_gets_it(gateway: Shell) -> None:
    """`Expect: 100-continue` is answered before the body, not where the body is refused anyway."""
    body = chat()
    with gateway.connect() as connection:
        connection.sendall(post(body, "Expect: 100-continue")[: -len(body)])
        assert read_answer(connection).status == 100
        connection.sendall(body)
        assert read_answer(connection).status == 200
    large = (
        b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    )
    assert asked(gateway, large).status == 413


def test_large_bodies_are_refused_while_they_arrive(quick: Shell) -> None:
    """Counted ones by their length, chunked ones by their next size; the connection closes."""
    with quick.connect() as connection:
        connection.sendall(post(b"x" * 5000))
        assert read_answer(connection).status == 413
        assert is_closed(connection)
    head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with quick.connect() as connection:
        connection.sendall(head + b"800\r\n%b\r\n801\r\n" % (b"x" * 0x800))
        assert read_answer(connection).status == 413
        assert is_closed(connection)
    assert quick.ask(lambda lobby: lobby.unread) == 0


def test_who_was_refused_and_goes_on_sending_is_cut(quick: Shell) -> None:
    """What comes after a refusal is read for a while, so that it can be read, but never without end."""
    head = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with quick.connect() as connection:
        connection.sendall(head + b"10000000\r\n")
        assert read_answer(connection).status == 413
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            connection.sendall(b"x" * 128 * 2**20)


def test_long_heads_are_refused(gateway: Shell) -> None:
    """At 32 KiB, wherever the length is."""
    assert asked(gateway, get("/healthz", "X-Long: " + "a" * 40_000)).status == 431
    assert asked(gateway, get("/" + "a" * 40_000)).status == 431


@pytest.mark.parametrize("part", [b"POST /v1/comp", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"])
def test_half_a_head_is_not_waited_for_long(quick: Shell, part: bytes) -> None:
    """The whole head has one deadline, which further lines do not move."""
    with quick.connect() as connection:
        connection.sendall(part)
        assert read_answer(connection).status == 408
        assert is_closed(connection)


def test_a_drip_of_headers_does_not_move_the_deadline(quick: Shell) -> None:
    """A line every now and then is no reason to wait on."""
    with quick.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        connection.settimeout(0.05)
        answered = b""
        for number in range(200):
            try:
                answered = connection.recv(4096)
                break
            except TimeoutError:
                connection.sendall(b"X-%d: 1\r\n" % number)
        assert answered.startswith(b"HTTP/1.1 408")


def test_a_slow_body_is_cut(quick: Shell) -> None:
    """Below the least rate, or beyond the longest time."""
    with quick.connect() as connection:
        connection.sendall(post(b"x" * 4000)[:-3990])
        assert read_answer(connection).status == 408
        assert is_closed(connection)


def test_idle_connections_close(quick: Shell) -> None:
    """Silently: there is nothing to answer."""
    with quick.connect() as connection:
        assert is_closed(connection)
    with quick.connect() as connection:
        connection.sendall(get("/healthz"))
        assert read_answer(connection).status == 200
        assert is_closed(connection)


def test_there_is_room_for_so_many_connections(quick: Shell) -> None:
    """One more is told so and closed; room comes back."""
    held = [quick.connect() for _ in range(QUICK.max_connections)]
    try:
        quick.wait(lambda: quick.ask(lambda lobby: len(lobby.connections)) == QUICK.max_connections)
        with quick.connect() as one_more:
            assert read_answer(one_more).status == 503
            assert is_closed(one_more)
    finally:
        for connection in held:
            connection.close()
    quick.wait(lambda: quick.ask(lambda lobby: len(lobby.connections)) == 0)
    assert asked(quick, get("/healthz")).status == 200


@pytest.mark.slow
def test_ten_thousand_idle_connections_are_held(server: ModelServer) -> None:
    """And a request beside them is answered."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(10_000, (hard - 500) // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held: list[socket.socket] = []
    try:
        with shell(table_for(server)) as running:
            for _ in range(count):
                held.append(running.connect())
            running.wait(lambda: running.ask(lambda lobby: len(lobby.connections)) == count, 60.0)
            assert asked(running, post(chat())).status == 200
            for connection in held:
                connection.close()
            running.wait(lambda: running.ask(lambda lobby: len(lobby.connections)) == 0, 60.0)
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_caller_who_leaves_stops_its_upstream(gateway: Shell, server: ModelServer) -> None:
    """Nobody pays for an answer nobody reads, and the record says so."""
    server.behaviour = Behaviour(words=10_000, between_s=0.01)
    with gateway.connect() as connection:
        connection.sendall(post(chat(stream=True)))
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    gateway.wait(lambda: server.at_once == 0)
    gateway.wait(lambda: [record.ending for record in gateway.records] == ["cancelled"])
    assert gateway.ask(lambda lobby: len(lobby.active)) == 0


@contextmanager
def narrow(running: Shell) -> Iterator[socket.socket]:
    """A connection with small buffers of the kernel's on the way to the caller, so that ours are met.

    It is made before anything is asked on it: nothing can have come before it was narrow.
    """

    def shrink(lobby: Lobby) -> None:
        [each] = lobby.connections
        assert each._transport is not None
        each._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    with socket.socket() as connection:
        connection.settimeout(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.connect(("127.0.0.1", running.port))
        running.wait(lambda: running.ask(lambda lobby: len(lobby.connections)) == 1)
        running.ask(shrink)
        yield connection


def unwritten(lobby: Lobby) -> int:
    """Bytes that wait in the shell for callers."""
    return sum(each._transport.get_write_buffer_size() for each in lobby.active if each._transport is not None)


def test_a_slow_reader_holds_up_its_upstream_not_our_memory(gateway: Shell, server: ModelServer) -> None:
    """What is not read is not fetched; and all of it arrives once it is."""
    server.behaviour = Behaviour(words=60_000)  # 10 MB: the kernel takes in 2 MB of them by itself
    with narrow(gateway) as connection:
        connection.sendall(post(chat(stream=True)))
        gateway.wait(lambda: gateway.ask(unwritten) > 65536)
        assert gateway.ask(unwritten) < 2**20
        assert server.at_once == 1
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            part = connection.recv(2**18)
            assert part, (rest, gateway.records)
            rest = rest[-200:] + part
    gateway.wait(lambda: [record.ending for record in gateway.records] == ["ok"])


def test_a_caller_who_never_reads_is_taken_for_gone(server: ModelServer) -> None:
    """After a while; the upstream is not blamed for it."""
    server.behaviour = Behaviour(words=12_000)
    with shell(table_for(server), limits=Limits(write_s=0.5)) as running, narrow(running) as connection:
        connection.sendall(post(chat(stream=True)))
        running.wait(lambda: [record.ending for record in running.records] == ["cancelled"])
        running.wait(lambda: server.at_once == 0)


def test_a_stream_whose_upstream_is_lost_says_so(gateway: Shell, server: ModelServer) -> None:
    """The caller gets a typed event, never a clean end."""
    server.behaviour = Behaviour(cut_after=3)
    answer = asked(gateway, post(chat(stream=True)))
    assert answer.status == 200
    assert b"upstream_lost" in answer.body
    assert b"[DONE]" not in answer.body


def test_a_long_answer_that_is_lost_is_visibly_cut(server: ModelServer) -> None:
    """An answer that was passed on in part ends without the end of its framing."""
    server.behaviour = Behaviour(words=400_000, cut_after=1)
    with shell(table_for(server)) as running:
        answer = asked(running, post(chat()))
    assert answer.status == 200
    assert not answer.is_whole


def test_another_upstream_answers_before_the_first_byte(server: ModelServer) -> None:
    """A refused connection, a reset and a server error each cost the caller nothing."""
    for behaviour in (Behaviour(status=503), Behaviour(is_reset=True), Behaviour(is_garbage=True)):
        with serving(ModelServer(models=(), behaviour=behaviour)) as first, shell(table_for(first, server)) as running:
            answer = asked(running, post(chat()))
            assert answer.status == 200
            assert answer.headers["x-tripoint-upstream"] == "b"
    gone = ModelServer(port=1)
    with shell(table_for(gone, server)) as running:
        assert asked(running, post(chat())).headers["x-tripoint-upstream"] == "b"


def test_without_keys_only_this_machine_may_call(gateway: Shell, server: ModelServer) -> None:
    """A page of another origin and a rebound name are refused; with keys, the key decides."""
    assert asked(gateway, post(chat(), host="evil.example")).status == 403
    assert asked(gateway, post(chat(), "Origin: https://evil.example")).status == 403
    keys = (KeyEntry(id="k", tenant="t", secret="env:K", workloads=(), sites=None),)
    with shell(table_for(server, keys=keys), secrets={"env:K": "sk-1"}) as guarded:
        request = post(chat(), "Authorization: Bearer sk-1", "Origin: https://app.example", host="gateway.example")
        assert asked(guarded, request).status == 200
        assert asked(guarded, post(chat(), host="gateway.example")).status == 401


def test_draining_ends_idle_connections_and_lets_the_others_finish(gateway: Shell, server: ModelServer) -> None:
    """Nothing is cut that was begun."""
    server.behaviour = Behaviour(first_byte_s=0.2)
    with gateway.connect() as idle, gateway.connect() as busy:
        idle.sendall(get("/healthz"))
        read_answer(idle)
        busy.sendall(post(chat()))
        gateway.wait(lambda: server.at_once == 1)
        gateway.ask(lambda lobby: lobby.drain())
        assert is_closed(idle)
        answer = read_answer(busy)
        assert answer.status == 200
        assert is_closed(busy)


def test_a_mistake_of_ours_is_ours_to_tell(
    gateway: Shell, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    """500 in the shape of errors, logged, and the next request is answered; in the sweep, the others go on."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    gateway.ask(lambda lobby: setattr(lobby.gateway, "open", broken))
    answer = asked(gateway, post(chat()))
    assert answer.status == 500
    assert json.loads(answer.body)["error"]["code"] == "internal_error"
    assert "could not be opened" in caplog.text
    gateway.ask(lambda lobby: delattr(lobby.gateway, "open"))
    server.behaviour = Behaviour(first_byte_s=0.4)
    with gateway.connect() as unlucky, gateway.connect() as lucky:
        unlucky.sendall(post(chat()))
        gateway.wait(lambda: server.at_once == 1)

        class Broken:
            due = 0.0
            is_over = True

        def break_one(lobby: Lobby) -> None:
            next(iter(lobby.active)).exchange = Broken()  # type: ignore[assignment]  # it stands for one

        gateway.ask(break_one)
        lucky.sendall(post(chat()))
        assert read_answer(lucky).status == 200
        assert is_closed(unlucky)
    assert "could not go on" in caplog.text
