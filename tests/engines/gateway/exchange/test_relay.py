"""The short way of events: whatever stream comes, it leaves as by the ordinary way, and leaves the same behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.exchanging import DONE, EVENTS, Desk, World, piece, usage_event
from tests.factories.serving import candidate, route, table, target

from tripoint.domain.record import Failure, UsageRecord
from tripoint.engines.gateway.exchange.exchange import Exchange
from tripoint.engines.gateway.exchange.relay import relay_of
from tripoint.engines.gateway.wire.shapes.frames import content_at, end_of_chunk

TEXTS = st.sampled_from(["one", " two", "größe", 'say "no"', "back\\slash", "line\n", "x" * 300, ""]) | st.text(
    max_size=6
)
PIECES = st.one_of(
    TEXTS.map(piece),
    st.lists(TEXTS, min_size=2, max_size=3).map(lambda texts: b"".join(map(piece, texts))),
    st.sampled_from(
        [
            usage_event(9, 2),
            b": still here\n\n",
            b'data: {"error":{"code":"overloaded"}}\n\n',
            b"data: nonsense\n\n",
            piece("cut")[:-1],
            b"\n",
            piece("named", usage={"prompt_tokens": 3, "completion_tokens": 1}),
        ]
    ),
)
STEPS = st.lists(st.tuples(st.lists(PIECES, min_size=1, max_size=3), st.floats(0.0, 0.4)), max_size=12)
"""What came in one read, as chunks, and how long after the one before."""


def framed(content: bytes) -> bytes:
    """The content as one chunk."""
    return b"%x\r\n%b\r\n" % (len(content), content)


def unframed(chunks: bytes) -> bytes:
    """What such chunks hold."""
    contents = []
    while chunks:
        start = chunks.index(b"\r\n") + 2
        end = start + int(chunks[: start - 2], 16)
        assert chunks[end : end + 2] == b"\r\n"
        contents.append(chunks[start:end])
        chunks = chunks[end + 2 :]
    return b"".join(contents)


def played(
    steps: list[tuple[list[bytes], float]], ending: str, *, is_short: bool
) -> tuple[World, Exchange, list[UsageRecord]]:
    """One stream to its end, by the short way wherever that takes an event."""
    desk = Desk(table([target("a", slot=0)], (route(candidate(0)),)))
    exchange, world = desk.open(stream=True)
    attempt, now, relay = world.last, 100.0, None
    exchange.on_head(attempt, 200, EVENTS, b"", now)
    for contents, wait in steps:
        now += wait
        content = b"".join(contents)
        if exchange.is_over or attempt in world.dropped:
            break
        if relay is not None and relay.passes(b"".join(map(framed, contents)), now):
            continue
        before = world.body
        exchange.on_data(attempt, content, now)
        if is_short and relay is None and not exchange.is_over and world.body == before + content:
            relay = relay_of(exchange, attempt, lambda chunks: world.write(unframed(chunks)))
    if not exchange.is_over and attempt not in world.dropped:
        if ending == "end":
            exchange.on_end(attempt, now + 0.1)
        elif ending == "lost":
            exchange.on_lost(attempt, Failure.LOST, now + 0.1)
        else:
            exchange.on_client_gone(now + 0.1)
    return world, exchange, desk.records


@given(STEPS, st.sampled_from(["end", "lost", "gone"]), st.booleans())
def test_the_short_way_changes_nothing(steps: list[tuple[list[bytes], float]], ending: str, is_complete: bool) -> None:
    """The same bytes, the same due times and the same record."""
    steps = [([piece("first")], 0.1), ([piece("second")], 0.1), *steps, *([([DONE], 0.1)] if is_complete else [])]
    (world, exchange, records), (other, general, others) = (
        played(steps, ending, is_short=True), played(steps, ending, is_short=False),
    )  # fmt: skip
    assert (world.body, world.status, world.ending) == (other.body, other.status, other.ending)
    assert len(world.dropped) == len(other.dropped)
    assert (exchange.is_over, exchange.last_at, exchange.due) == (general.is_over, general.last_at, general.due)
    assert records == others


def test_events_that_are_alike_take_it() -> None:
    """Else nothing above would have been tried."""
    desk = Desk(table([target("a", slot=0)], (route(candidate(0)),)))
    exchange, world = desk.open(stream=True)
    attempt = world.last
    exchange.on_head(attempt, 200, EVENTS, b"", 100.0)
    assert relay_of(exchange, attempt, world.write) is None
    exchange.on_data(attempt, piece("first"), 100.1)
    sent: list[bytes] = []
    relay = relay_of(exchange, attempt, sent.append)
    assert relay is not None
    assert relay.passes(framed(piece("second")), 100.2)
    assert sent == [framed(piece("second"))]
    assert exchange.last_at == 100.2
    both = framed(piece("third")) + framed(piece("fourth"))
    assert relay.passes(both, 100.2)
    assert sent.pop() == both
    assert not relay.passes(framed(piece("fifth")) + framed(DONE), 100.3)
    assert not relay.passes(both[:-1], 100.3)
    assert not relay.passes(framed(DONE), 100.3)
    assert not relay.passes(framed(piece("third")) + b"0\r\n\r\n", 100.3)
    assert not relay.passes(piece("third"), 100.3)
    assert len(sent) == 1


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4), st.binary(max_size=3))
def test_chunks_in_a_row_end_where_they_do(contents: list[bytes], rest: bytes) -> None:
    """For any contents; what comes behind them is no whole chunk."""
    data, at = b"".join(map(framed, contents)), 0
    for content in contents:
        end = end_of_chunk(data + rest, at)
        assert (data + rest)[at:end] == framed(content)
        at = end
    assert at == len(data)
    assert end_of_chunk(data + rest, at) == 0


@given(st.binary(max_size=1_200), st.booleans())
def test_only_a_whole_chunk_framed_as_ours_has_content(data: bytes, is_framed: bool) -> None:
    """For any bytes, and any that are framed: what is told is where its content begins."""
    chunk = framed(data) if is_framed else data
    start = content_at(chunk)
    if is_framed and data:
        assert chunk[start:-2] == data
    elif start:
        assert framed(chunk[start:-2]) == chunk
    else:
        assert not data or framed(data) != chunk


@pytest.mark.parametrize(
    "odd", [b"", b"0\r\n\r\n", b"05\r\nhello\r\n", b"A\r\n0123456789\r\n", b"5;x\r\nhello\r\n", b"5\r\nhello\n\n"]
)
def test_other_spellings_are_left_to_the_parser(odd: bytes) -> None:
    """An end, a leading zero, capitals, extensions, other line ends."""
    assert content_at(odd) == 0
    assert end_of_chunk(odd, 0) == 0
