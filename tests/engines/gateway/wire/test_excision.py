"""Large bodies are read in part and leave whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import outgoing_body, read_ask
from tripoint.engines.gateway.wire.excision import MIN_BODY, restored, shortened
from tripoint.engines.gateway.wire.malformed import Malformed

PIECES = st.sampled_from(
    ["lorem ipsum ", 'say "no" ', "back\\slash", "line\n", "größe", "\\", '"', "😀", "{", "<tripoint cut "]
)
LONG = st.builds(lambda piece, count: piece * count, PIECES, st.integers(1, 3_000))


def whole(**members: Any) -> bytes:
    """A body of these members."""
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


@given(st.lists(LONG, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_what_leaves_is_what_came_but_for_the_model(texts: list[str], is_first: bool, is_ascii: bool) -> None:
    """Whatever long strings hold, and wherever the model stands."""
    texts.append("x " * MIN_BODY)
    members: dict[str, Any] = {"messages": [{"role": "user", "content": text} for text in texts], "stream": True}
    asked = {"model": "m", **members} if is_first else {**members, "model": "m"}
    body = json.dumps(asked, separators=(",", ":"), ensure_ascii=is_ascii).encode()
    ask = read_ask(Api.CHAT, body)
    assert ask.model == "m"
    assert outgoing_body(ask, "m", with_usage=False) == body
    assert json.loads(outgoing_body(ask, "other", with_usage=True)) == {
        **asked, "model": "other", "stream_options": {"include_usage": True}
    }  # fmt: skip


def test_a_long_plain_string_is_cut_out() -> None:
    """Otherwise there would be nothing to show for it."""
    body = whole(model="m", prompt="x " * MIN_BODY)
    short, cuts = shortened(body)
    assert len(short) < 2_000
    assert restored(short, body, cuts) == body


def test_numbers_are_not_strings() -> None:
    """A long stretch without a quote may be an array: the mark is no JSON there, and the body is read whole."""
    body = whole(model="m", input=list(range(20_000)), user="u", note="n")
    assert shortened(body)[1]
    ask = read_ask(Api.EMBEDDINGS, body)
    assert outgoing_body(ask, "m", with_usage=False) == body


def test_a_caller_who_writes_marks_gets_no_short_cut() -> None:
    """Nothing of his can stand for another part of the body."""
    body = whole(model="m", note="N", prompt="x " * MIN_BODY).replace(b"N", rb"<tripoint \u0063ut 0>")
    assert shortened(body) == (body, [])
    assert outgoing_body(read_ask(Api.COMPLETIONS, body), "m", with_usage=False) == body


def test_a_member_given_twice_takes_its_long_string_along() -> None:
    """The second value stands where the first stood; the first is gone with what was cut from it."""
    first, second, other = "a" * 40_000, "b" * 40_000, "c" * 40_000
    body = f'{{"model":"m","x":"{first}","prompt":"{other}","x":"{second}"}}'.encode()
    left = outgoing_body(read_ask(Api.COMPLETIONS, body), "m", with_usage=False)
    assert left == f'{{"model":"m","x":"{second}","prompt":"{other}"}}'.encode()


@pytest.mark.parametrize("tail", [b'"', b"}}", b'","model":7}', b'","model":"m"} x'])
def test_wrong_large_bodies_are_refused_as_small_ones_are(tail: bytes) -> None:
    """The words and positions are those of the whole body."""
    body = b'{"prompt":"' + b"x " * MIN_BODY + tail
    with pytest.raises(Malformed) as caught:
        read_ask(Api.COMPLETIONS, body)
    assert caught.value.code in ("invalid_json", "invalid_type")
    if "byte" in caught.value.message:
        position = int(caught.value.message.rpartition("(byte ")[2].rstrip(")"))
        assert position >= 2 * MIN_BODY


def test_a_quote_inside_a_large_body_still_ends_its_string() -> None:
    """A model hidden behind a long string is a member like any other."""
    body = b'{"model":"m","prompt":"' + b"x " * MIN_BODY + b'","model":"n","y":"' + b"z " * MIN_BODY + b'"}'
    ask = read_ask(Api.COMPLETIONS, body)
    assert ask.model == "n"
    assert b'"model":"n"' not in outgoing_body(ask, "m", with_usage=False)


@pytest.mark.parametrize("escape", ["\\\\", "\\u00e9", "\\ud83d\\ude00", '\\"'])
def test_strings_of_nothing_but_escapes(escape: str) -> None:
    """No escape is ever cut in two."""
    body = b'{"model":"m","prompt":"' + escape.encode() * 30_000 + b'"}'
    ask = read_ask(Api.COMPLETIONS, body)
    assert outgoing_body(ask, "m", with_usage=False) == body


@pytest.mark.parametrize("number", ["0", "7", "x", "0 "])
@pytest.mark.parametrize("place", ["member", "option"])
def test_a_mark_that_comes_about_by_writing_anew_is_none(number: str, place: str) -> None:
    """Names are written anew without the escapes they came with: a mark among them stands for nothing."""
    name = f'"\\u003ctripoint cut {number}>"'.encode()
    beside = name + b":1" if place == "member" else b'"stream_options":{' + name + b":1}"
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"%b"}],%b}' % (b"x " * MIN_BODY, beside)
    ask = read_ask(Api.CHAT, body)
    assert ask.cuts
    asked = json.loads(body)
    asked["stream_options"] = {**asked.get("stream_options", {}), "include_usage": True}
    assert json.loads(outgoing_body(ask, "m", with_usage=True)) == asked


def test_a_long_name_of_a_member_leaves_whole() -> None:
    """A mark within it would be written anew, and not be found."""
    body = whole(**{"model": "m", "n" * MIN_BODY: "x " * MIN_BODY, "messages": []})
    assert shortened(body)[1]
    assert outgoing_body(read_ask(Api.CHAT, body), "m", with_usage=False) == body
