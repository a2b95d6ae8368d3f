"""A repeated answer is trimmed to what the caller does not have, however the two upstreams cut the text."""

from __future__ import annotations

import itertools
import json

import hypothesis.strategies as st
from hypothesis import given
from tests.factories.exchanging import DONE, piece, usage_event

from tripoint.domain.serving import Api
from tripoint.engines.gateway.exchange.recovery.resume import Replay
from tripoint.engines.gateway.wire.sse import StreamReader

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40)


def text_of(events: bytes) -> str:
    """Text of whole chat events."""
    found = []
    for block in events.split(b"\n\n"):
        if block.startswith(b"data: {"):
            document = json.loads(block[6:])
            found += [choice["delta"].get("content") or "" for choice in document["choices"]]
    return "".join(found)


def cut(text: str, marks: list[int]) -> list[str]:
    """The text in pieces, cut at `marks` (any integers)."""
    places = sorted({mark % (len(text) + 1) for mark in marks} | {0, len(text)})
    return [text[start:end] for start, end in itertools.pairwise(places) if end > start]


@given(
    TEXTS, st.integers(0, 1000), st.lists(st.integers(0, 1000), max_size=6), st.lists(st.integers(0, 1000), max_size=6)
)
def test_delivered_and_rest_make_the_whole(text: str, had: int, marks: list[int], feeds: list[int]) -> None:
    """For every text, every part already delivered, every division into events and every grouping of events."""
    delivered = text[: had % (len(text) + 1)]
    replay = Replay(delivered)
    events = [piece(part) for part in cut(text, marks)] + [usage_event(1, 2), DONE]
    groups = sorted({feed % (len(events) + 1) for feed in feeds} | {0, len(events)})
    rest = b"".join(
        replay.trim(b"".join(events[start:end])) for start, end in itertools.pairwise(groups) if end > start
    )
    assert not replay.differs
    assert delivered + text_of(rest) == text
    assert rest.endswith(usage_event(1, 2) + DONE)


@given(TEXTS, TEXTS)
def test_another_answer_is_noticed(first: str, second: str) -> None:
    """Unless one begins the other."""
    replay = Replay(first)
    replay.trim(piece(second))
    assert replay.differs == (not second.startswith(first) and not first.startswith(second))


def test_a_first_event_without_text_is_not_repeated() -> None:
    """The caller had the role already."""
    role = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
    replay = Replay("one")
    assert replay.trim(role + piece("one") + piece(" two")) == piece(" two")


def test_completions_are_trimmed_alike() -> None:
    """Their text is a member of the choice."""
    replay = Replay("on")
    left = replay.trim(b'data: {"choices":[{"index":0,"text":"one"}]}\n\n')
    assert json.loads(left[6:])["choices"][0]["text"] == "e"


def test_what_a_reader_kept_is_what_was_delivered() -> None:
    """The two agree on what text is."""
    reader = StreamReader(Api.CHAT, strip_usage=False, keep_text=True)
    reader.feed(piece("one ") + piece("two"))
    assert reader.text() == "one two"
