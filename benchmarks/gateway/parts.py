"""What each part of a request costs in Python, without the kernel: `python -m benchmarks.gateway.parts`.

The machines and both shells are the product's; only sockets are left out. Figures are the least of several runs, in
microseconds of CPU time: the least is what the work takes when nobody disturbs it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from benchmarks.gateway.peers import KEY, UPSTREAM_MODEL
from benchmarks.measure import start, table
from tripoint.adapters.upstream_http.pool import Upstreams
from tripoint.adapters.usage_segments import UsageSegments
from tripoint.apps.gateway.http.connection import Connection
from tripoint.apps.gateway.http.heads import read_head
from tripoint.apps.gateway.http.lobby import Lobby
from tripoint.apps.gateway.limits import Limits
from tripoint.domain.money import Tariff
from tripoint.domain.record import UsageRecord
from tripoint.domain.serving import Api, Dialect, Shifting
from tripoint.domain.table import Candidate, KeyEntry, Route, RoutingTable, Target, TokenPrice
from tripoint.engines.gateway.exchange.gateway import Gateway
from tripoint.engines.gateway.health.board import LocalBoard
from tripoint.engines.gateway.routing.query import Choice, Query
from tripoint.engines.gateway.routing.router import Router
from tripoint.engines.gateway.table.tariffs.rows import tariff_of
from tripoint.engines.gateway.telemetry.access import access_line
from tripoint.engines.gateway.telemetry.metrics import Metrics
from tripoint.engines.gateway.wire.ask import outgoing_body, read_ask
from tripoint.engines.gateway.wire.sse import StreamReader
from tripoint.engines.gateway.wire.usage import read_usage

MODEL = "gpt-4o"
WORDS = "the quick brown fox jumps over the lazy dog "
TOKENS = 64
_RUNS, _RUN_S = 5, 0.04


def body(size: int, *, is_stream: bool = False) -> bytes:
    """A chat request whose prompt has `size` bytes."""
    text = (WORDS * (size // len(WORDS) + 1))[:size]
    stream = ',"stream":true' if is_stream else ""
    system = '{"role":"system","content":"You are a helpful assistant."}'
    return (
        f'{{"model":"{MODEL}","messages":[{system},{{"role":"user","content":"{text}"}}],'
        f'"temperature":0.7,"max_tokens":256{stream}}}'
    ).encode()


def answer() -> bytes:
    """A whole answer, as the mock upstream gives."""
    text = "".join(f" tok{n}" for n in range(1, TOKENS + 1))
    return (
        '{"id":"chatcmpl-000000000001","object":"chat.completion","created":1760000000,"model":"mock-upstream",'
        f'"choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"logprobs":null,'
        f'"finish_reason":"stop"}}],"usage":{{"prompt_tokens":100,"completion_tokens":{TOKENS},'
        f'"total_tokens":{TOKENS + 100}}}}}'
    ).encode()


def event(content: str) -> bytes:
    """One event of a stream."""
    return (
        'data: {"id":"chatcmpl-000000000001","object":"chat.completion.chunk","created":1760000000,'
        f'"model":"mock-upstream","choices":[{{"index":0,"delta":{{"content":"{content}"}},"finish_reason":null}}]}}\n\n'
    ).encode()


def routing_table() -> RoutingTable:
    """One workload on three sites, a key, a residency label."""
    sites = (("cloud", "public", 2.5, 10.0), ("dense", "dense", 0.4, 1.2), ("edge", "edge", 0.9, 2.0))
    targets = tuple(
        Target(
            id=name, slot=slot, site=name, layer=layer, kind="colo", provider="own", country="DE",
            dialect=Dialect.OPENAI, is_tls=False, host="127.0.0.1", port=9000, base_path="/v1",
            apis=(Api.CHAT, Api.COMPLETIONS, Api.EMBEDDINGS, Api.RESPONSES), max_concurrency=5000, secret="env:UP",
        )
        for slot, (name, layer, _, _) in enumerate(sites)
    )  # fmt: skip
    candidates = tuple(
        Candidate(
            target=slot, model=MODEL, name=UPSTREAM_MODEL, share=share, price=_price(usd_in, usd_out),
            tariff=_row(usd_in, usd_out), list_tariff=_row(usd_in, usd_out), marginal=_row(usd_in, usd_out),
            firm=_row(0.0, 0.0), basis="declared", context_tokens=128_000,
        )
        for slot, ((_, _, usd_in, usd_out), share) in enumerate(zip(sites, (0.2, 0.6, 0.2), strict=True))
    )  # fmt: skip
    route = Route(
        workload="assistant", model=MODEL, candidates=candidates, allowed={"eu": (1, 2)}, priority=2, ttft_ms=2000.0,
        tpot_ms=50.0, tokens_out=200,
    )  # fmt: skip
    key = KeyEntry(id="bench", tenant="team", secret="env:KEY", workloads=("assistant",), sites=None)
    return RoutingTable(
        name="bench", estate_digest="sha256:0", plan_digest="sha256:1", prices="p1", targets=targets,
        routes=(route,), keys=(key,),
        labels=("eu",), retry_share=0.1, deadline_s=600.0, first_byte_s=60.0, stall_s=30.0, shifting=Shifting(),
        hedging=None, prefix_affinity=True,
    )  # fmt: skip


def _price(usd_in: float, usd_out: float) -> TokenPrice:
    return TokenPrice(usd_in=usd_in / 1e6, usd_out=usd_out / 1e6, usd_cached=usd_in / 2e6)


def _row(usd_in: float, usd_out: float) -> Tariff:
    return tariff_of("assistant/bench/gpt-4o", _price(usd_in, usd_out))


class Nowhere:
    """A transport that keeps only the last thing written."""

    def __init__(self) -> None:
        self.last = b""
        self.writes = 0

    def write(self, data: bytes) -> None:
        """Takes bytes."""
        self.last = data
        self.writes += 1

    def writelines(self, pieces: Sequence[bytes]) -> None:
        """Takes bytes in pieces."""
        self.last = pieces[-1]
        self.writes += 1

    def get_extra_info(self, name: str) -> object:
        """An address on this machine."""
        return ("127.0.0.1", 1) if name == "peername" else None

    def is_closing(self) -> bool:
        """It never does."""
        return False

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *words: None


def microseconds(run: Callable[[], object], calls: int = 1) -> float:
    """CPU time of one of the `calls` a run makes, least of several runs, microseconds."""
    run()
    began = time.process_time()
    run()
    repeat = max(1, int(_RUN_S / max(1e-6, time.process_time() - began)))
    found = []
    for _ in range(_RUNS):
        began = time.process_time()
        for _ in range(repeat):
            run()
        found.append((time.process_time() - began) / repeat)
    return min(found) * 1e6 / calls


class Bench:
    """A worker's machines and shells around transports that go nowhere."""

    def __init__(self, record: Callable[[UsageRecord], None]) -> None:
        self.table = routing_table()
        secrets = {"env:KEY": KEY, "env:UP": "sk-upstream"}
        now = time.monotonic()
        self.gateway = Gateway(self.table, secrets, board=LocalBoard(), record=record, seed=7, now=now, epoch=1.8e9)
        self.gateway.tick(now)
        self.upstreams = Upstreams()
        self.lobby = Lobby(self.gateway, cast(Any, self.upstreams), Limits(), lambda *words: None, lambda name: None)
        self.lobby.stamp = b"date: Sat, 21 Nov 2026 22:00:00 GMT\r\n"
        self.connection = Connection(self.lobby)
        self.caller = Nowhere()
        self.connection.connection_made(cast(Any, self.caller))

    def request(self, size: int = 600, *, is_stream: bool = False) -> bytes:
        """A request as the driver sends it."""
        content = body(size, is_stream=is_stream)
        return (
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:4000\r\nUser-Agent: load-driver\r\nAccept: */*\r\n"
            b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
            % (KEY.encode(), len(content), content)
        )

    def ask(self, *parts: bytes) -> Any:
        """The line to the upstream that a request went out on, after its bytes came in these parts."""
        for part in parts:
            self.connection.data_received(part)
        line: Any = self.connection._line
        if line._transport is None:  # nobody dials here
            line.connection_made(Nowhere())
        return line


def engine_parts() -> Iterator[tuple[str, float]]:
    """Machines on their own."""
    small, large = body(600), body(300_000)
    whole, piece = answer(), event(" tok7")
    ask, big = read_ask(Api.CHAT, small), read_ask(Api.CHAT, large)
    yield "read_ask, 0.8 kB", microseconds(lambda: read_ask(Api.CHAT, small))
    yield "outgoing_body, 0.8 kB", microseconds(lambda: outgoing_body(ask, UPSTREAM_MODEL, with_usage=True))
    yield "read_ask, 300 kB", microseconds(lambda: read_ask(Api.CHAT, large))
    yield "outgoing_body, 300 kB", microseconds(lambda: outgoing_body(big, UPSTREAM_MODEL, with_usage=True))
    yield "read_usage, 0.8 kB", microseconds(lambda: read_usage(Api.CHAT, whole))
    reader = StreamReader(Api.CHAT, strip_usage=True)
    reader.feed(piece)
    yield "StreamReader.feed, an event", microseconds(lambda: reader.feed(piece))
    found = routing_table()
    now = time.monotonic()
    router = Router(found, LocalBoard(), seed=7, now=now)
    router.tick(now)

    def choose() -> None:
        router.arrived(now)
        choice = router.choose(Query(found.routes[0], None, None, Api.CHAT, 200, 256, 17), [], now)
        assert isinstance(choice, Choice)
        router.answered(choice, 0.01, now)
        router.ended(choice, None, now, tokens_out=64)

    yield "Router: arrived, choose, answered, ended", microseconds(choose)


def telemetry_parts(record: UsageRecord) -> Iterator[tuple[str, float]]:
    """What a finished request is told to."""
    metrics = Metrics(routing_table())
    yield "Metrics.record", microseconds(lambda: metrics.record(record))
    yield "access_line", microseconds(lambda: access_line(record))
    with tempfile.TemporaryDirectory() as folder:
        segments = UsageSegments(Path(folder), worker=0, incarnation="bench")
        calls = 20_000

        def append() -> None:
            for _ in range(calls):
                segments.append(record)
            while segments.durable + segments.lost < appended[0] + calls:
                time.sleep(0.001)
            appended[0] += calls

        appended = [0]
        yield "UsageSegments: append, frame, write, sync", microseconds(append, calls)
        segments.close()


async def shell_parts(records: list[UsageRecord]) -> list[tuple[str, float]]:
    """Both shells around the machines."""
    found: list[tuple[str, float]] = []
    bench = Bench(lambda record: records.append(record) if not records else None)
    request, whole = bench.request(), answer()
    head = request[: request.index(b"\r\n\r\n") + 4]
    found.append(("read_head, a new head", microseconds(lambda: read_head(head))))
    reply = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
        b"x-request-id: r000000000001\r\n\r\n%b" % (len(whole), whole)
    )

    def unary() -> None:
        bench.ask(request).data_received(reply)

    for _ in range(9):
        unary()
    before = bench.caller.writes
    unary()
    assert bench.caller.writes == before + 1, bench.caller.last
    assert bench.caller.last.startswith(b"HTTP/1.1 200"), bench.caller.last
    found.append(("a whole request, head remembered", microseconds(unary)))

    def forgetful() -> None:
        bench.connection._known = None
        unary()

    found.append(("a whole request, head anew", microseconds(forgetful)))
    large = bench.request(300_000)
    parts = [large[at : at + 65_536] for at in range(0, len(large), 65_536)]

    def long() -> None:
        bench.ask(*parts).data_received(reply)

    found.append(("a whole request, 300 kB", microseconds(long)))

    line = bench.ask(bench.request(is_stream=True))
    stream = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    piece = event(" tok7")
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    line.data_received(stream + chunk)
    found.append(("an event of a stream", microseconds(lambda: line.data_received(chunk))))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what every part costs."""
    argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.gateway.parts").parse_args(arguments)
    start("Parts of the gateway, CPU time without the kernel")
    records: list[UsageRecord] = []
    rows = list(engine_parts())
    rows += asyncio.run(shell_parts(records))
    rows += telemetry_parts(records[0])
    table(("part", "microseconds"), [(name, f"{value:.2f}") for name, value in rows])


if __name__ == "__main__":
    main()
