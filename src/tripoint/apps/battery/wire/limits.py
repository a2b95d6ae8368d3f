"""Too much, too slow, too many: what one caller may hold of the server."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Sequence
from dataclasses import replace
from itertools import repeat

from tripoint.apps.battery.place import Place
from tripoint.apps.battery.verdict import Row, judged, told
from tripoint.apps.battery.wire.attack import Attack, refused, tried
from tripoint.apps.battery.wire.raw import Talk, chat_body, converse, request

MIB = 2**20
_HEADERS_BAR_S = 15.0
_IDLE_BATCH = 200
_OWN_FILES = 256


async def limit_rows(place: Place, *, is_quick: bool, idle: int, body_bar_s: float) -> list[Row]:
    """Oversized, slow and idle callers; `idle` connections are held open, slow bodies must be cut in `body_bar_s`."""
    slow = [_slow_headers(place)]
    if not is_quick:
        slow.append(_slow_bodies(place, body_bar_s))
    rows = await asyncio.gather(_oversized(place, is_quick=is_quick), *slow)
    return [*rows, await _idle(place, idle)]


async def _oversized(place: Place, *, is_quick: bool) -> Row:
    bar = "refused with one 4xx or none, connection closed; no body beyond 256 MiB is taken"
    get = request(place, method="GET", path="/models")
    head = get[:-2]
    many = b"".join(b"x-%d: y\r\n" % number for number in range(20_000))
    declared = request(place, body=b"{}").replace(b"Content-Length: 2", b"Content-Length: %d" % 2**40)[:-2]
    attacks = [
        Attack(name="header of 1 MiB", pieces=(head + b"x-a: " + b"y" * MIB + b"\r\n\r\n",), judge=refused),
        Attack(name="20,000 headers", pieces=(head + many + b"\r\n",), judge=refused),
        Attack(name="header name of 1 MiB", pieces=(head + b"x" * MIB + b": y\r\n\r\n",), judge=refused),
        Attack(
            name="target of 1 MiB", pieces=(get.replace(b" HTTP/", b"?" + b"x" * MIB + b" HTTP/", 1),), judge=refused
        ),
        Attack(name="a body of 1 TiB announced", pieces=(declared + b" " * 1000,), judge=_refused_early),
    ]
    if not is_quick:
        attacks.append(Attack(name="a chunked body without end", pieces=tuple(_endless(place)), judge=_bounded))
    return await tried(place, ("W7", "oversized headers, targets and bodies", bar), attacks)


def _endless(place: Place) -> list[bytes]:
    head = request(place, headers=[("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")])
    chunk = b"%x\r\n%b\r\n" % (MIB, b" " * MIB)
    return [head, *repeat(chunk, 300)]


def _refused_early(talk: Talk) -> str:
    """Refused before the body is there; a server may linger so that its caller can read the refusal."""
    return "" if len(talk.answers) == 1 and 400 <= talk.status < 500 else refused(talk)


def _bounded(talk: Talk) -> str:
    fault = refused(talk)
    return fault or (f"took {talk.sent / MIB:.0f} MiB" if talk.sent > 256 * MIB else "")


async def _slow_headers(place: Place) -> Row:
    bar = f"cut within {_HEADERS_BAR_S:.0f} s"
    get = request(place, method="GET", path="/models")[:-2]
    drip: list[bytes | float] = []
    for number in range(40):
        drip += [b"x-%d: y\r\n" % number, 0.5]
    steady = [converse(place, [get, *drip], patience_s=0.0) for _ in range(5)]
    silent = [converse(place, [get[:20], 20.0], patience_s=0.0) for _ in range(5)]
    talks = await asyncio.gather(*steady, *silent)
    return _cut("W8", "headers, a line every 0.5 s, and half a line", bar, talks, _HEADERS_BAR_S)


async def _slow_bodies(place: Place, bar_s: float) -> Row:
    bar = f"cut within {bar_s:.0f} s"
    head = request(place, body=b" " * 100_000)[:-100_000]
    chunked = request(place, headers=[("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")])
    drip: list[bytes | float] = []
    for _ in range(int(bar_s) + 5):
        drip += [b" ", 1.0]
    chunks = [b"1\r\n \r\n" if isinstance(piece, bytes) else piece for piece in drip]
    wait_s = bar_s + 5
    runs: list[Sequence[bytes | float]] = [[head, *drip], [chunked, *chunks], [head, wait_s]]
    talks = await asyncio.gather(*(converse(place, pieces, patience_s=0.0) for pieces in runs))
    return _cut("W9", "bodies, a byte a second, and none at all", bar, talks, bar_s)


def _cut(id_: str, what: str, bar: str, talks: Sequence[Talk], bar_s: float) -> Row:
    faults = [talk.error for talk in talks if talk.error]
    faults += [f"answered {talk.status}" for talk in talks if 200 <= talk.status < 300]
    late = [talk for talk in talks if not talk.error and (not talk.is_closed or talk.took_s > bar_s)]
    faults += [f"{len(late)} of {len(talks)} connections were still open"] if late else []
    longest = max((talk.took_s for talk in talks), default=0.0)
    return judged(id_, what, bar, passed=not faults, seen=told(faults, f"all cut, the last after {longest:.1f} s"))


async def _idle(place: Place, wanted: int) -> Row:
    """Holds connections open and asks from another one; a cap per caller is welcome, a deaf server is not."""
    wanted = min(wanted, _room_for_connections())
    what = f"{wanted:,} idle connections held open"
    held: list[asyncio.StreamWriter] = []
    refusals = 0
    try:
        while len(held) + refusals < wanted:
            count = min(_IDLE_BATCH, wanted - len(held) - refusals)
            opened = await asyncio.gather(*(_opened(place) for _ in range(count)))
            held += [writer for writer in opened if writer is not None]
            refusals += sum(writer is None for writer in opened)
        asked = replace(place, source="127.0.0.2") if place.host.startswith("127.") else place
        talk = await converse(asked, [request(asked, body=chat_body(asked))], patience_s=20)
    finally:
        for writer in held:
            writer.transport.abort()
        await asyncio.sleep(0)
    seen = (
        f"{len(held):,} held, {refusals:,} refused; a request beside them: {talk.status or talk.error or 'no answer'}"
    )
    seen += f" in {talk.answered_s * 1000:.0f} ms" if talk.status else ""
    return judged("W10", what, "requests beside them are answered", passed=talk.status == 200, seen=seen)


def _room_for_connections() -> int:
    """How many connections this process may hold, once it has asked for all it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return max(16, soft - _OWN_FILES) if soft > 0 else 2**30


async def _opened(place: Place) -> asyncio.StreamWriter | None:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.wait_for(asyncio.open_connection(place.host, place.port, ssl=place.tls), 10)
        return writer
    return None
