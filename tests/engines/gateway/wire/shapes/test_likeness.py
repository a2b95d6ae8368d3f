"""Events that are recognised: what is passed by says nothing that reading it would have told."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.events import ChunksReading
from tripoint.engines.gateway.wire.shapes.likeness import likeness_of
from tripoint.engines.gateway.wire.sse import StreamReader, fields_of


def event(text: str, *, before: str = "", after: str = "", finish: str | None = None) -> bytes:
    """An event of content as upstreams send it."""
    delta = {"content": text} | ({"role": before} if before else {})
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % msgspec.json.encode(
        {"id": "c1", "choices": [choice]} | ({"extra": after} if after else {})
    )


TEXTS = st.text(max_size=20) | st.sampled_from(
    ['"', "\\", "\\n", "\n", "c1", "content", '","finish_reason":"stop', " a"]
)


@given(TEXTS, TEXTS, st.sampled_from(["", "assistant"]), st.sampled_from(["", "x", "c1"]))
def test_what_is_recognised_differs_in_its_text_alone(first: str, second: str, before: str, after: str) -> None:
    """For any two texts, quotes and escapes among them."""
    like = likeness_of(event(first, before=before, after=after), first)
    if like is None:
        return
    other = event(second, before=before, after=after)
    said = ChunksReading().read(fields_of(other)[1])
    if like.holds(other):
        assert said.is_content
        assert said.text == second
        assert not said.is_finish
    for odd in (event(second, before=before, after=after, finish="stop"), other[:-1], other + other, b"\n" + other):
        assert not like.holds(odd)


@given(st.binary(max_size=30))
def test_bytes_that_would_end_the_text_are_not_recognised(middle: bytes) -> None:
    """Whatever stands in the place of the text: a quote or a line's end in it makes it something else."""
    raw = event("text")
    like = likeness_of(raw, "text")
    assert like is not None
    chunk = raw.replace(b"text", middle)
    if like.holds(chunk):
        assert middle
        assert chunk.count(b"\n\n") == 1
        assert b"\r" not in chunk
        try:
            text = middle.decode()
        except UnicodeDecodeError:
            return
        try:
            said = msgspec.json.decode(b'"%b"' % text.encode(), type=str)
        except msgspec.DecodeError:  # an escape there is none of: for the caller to refuse, as ever
            return
        assert ChunksReading().read(fields_of(chunk)[1]).text == said


@given(st.lists(TEXTS, max_size=30))
def test_a_stream_says_the_same_recognised_or_read(texts: list[str]) -> None:
    """Events, content and the end are those of a reader that reads each of them."""
    quick = StreamReader(Api.CHAT, strip_usage=False)
    slow = StreamReader(Api.CHAT, strip_usage=False, keep_text=True)  # keeping the text, it reads every event
    for chunk in [*(event(text) for text in texts), event("", finish="stop"), b"data: [DONE]\n\n"]:
        assert quick.feed(chunk) == slow.feed(chunk) == chunk
    assert (quick.is_done, quick.is_finished) == (slow.is_done, slow.is_finished) == (True, True)
    assert slow.events <= quick.events <= slow.events + texts.count("")
    assert slow.text() == "".join(texts)
