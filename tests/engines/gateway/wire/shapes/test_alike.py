"""Bodies like an earlier one: what is recognised is what would have been read, whatever stands in the prompt."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.engines.gateway.wire.shapes.test_plain import FIELDS, MORE, PLAIN, PROMPTS, or_fault, written

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import Ask, outgoing_body, read_ask
from tripoint.engines.gateway.wire.excision import MIN_BODY
from tripoint.engines.gateway.wire.output import limit_output, output_limit
from tripoint.engines.gateway.wire.shapes.alike import Likes

CHAT = b'{"model":"m","messages":[{"role":"user","content":"%b"}],"max_tokens":9}'
MARK = "@@"


def same(found: Ask | tuple[str, str, str | None], wanted: Ask | tuple[str, str, str | None]) -> None:
    """Both say the same, and the same leaves."""
    if not isinstance(found, Ask) or not isinstance(wanted, Ask):
        assert found == wanted
        return
    for name in FIELDS:
        assert getattr(found, name) == getattr(wanted, name), name
    assert not found.around or found.around == found.body[: found.prompt_at] + found.body[found.prompt_end :]
    assert output_limit(found) == output_limit(wanted)
    for with_usage in (True, False):
        one, other = (outgoing_body(each, 'a "new" name', with_usage=with_usage) for each in (found, wanted))
        assert json.loads(one) == json.loads(other)


@given(PLAIN, MORE, st.lists(PROMPTS | st.none() | st.text(max_size=9), min_size=1, max_size=3), st.booleans())
def test_what_is_recognised_is_what_would_be_read(
    members: list[tuple[str, Any]], more: list[tuple[str, Any]], prompts: list[Any], is_ascii: bool
) -> None:
    """Of bodies in a row that differ in their prompt, and in more of it where somebody tries."""
    likes = Likes(MIN_BODY)
    for prompt in (members[1][1], *prompts, members[1][1]):
        told = [(name, prompt if name == "messages" else value) for name, value in members]
        for body in (written(told, "", is_ascii=is_ascii), written(told + more, "", is_ascii=is_ascii)):
            wanted = or_fault(partial(read_ask, Api.CHAT, body))
            same(or_fault(partial(likes.read, Api.CHAT, body, read_ask)), wanted)


@given(st.binary(max_size=60) | st.text('"\\,:[]{}model\u00e9 \x00', max_size=40).map(str.encode))
@example(b'"}],"model":"other","messages":[{"role":"user","content":"')
@example(b'"}],"model":"other","user":[{"a":"')
@example(b'"}]  ')
@example(b"\xff\xfe")
def test_nothing_in_a_prompt_ends_it(content: bytes) -> None:
    """What a caller writes into the text itself, quotes and all, is read as it would be without any likeness."""
    likes = Likes(MIN_BODY)
    for _ in range(3):
        likes.read(Api.CHAT, CHAT % b"hello there", read_ask)
    body = CHAT % content
    same(or_fault(partial(likes.read, Api.CHAT, body, read_ask)), or_fault(partial(read_ask, Api.CHAT, body)))


@pytest.mark.parametrize("content", [b"hello there", b"\\u0041\\n", "\u00e9t\u00e9".encode(), b"x" * 600])
def test_the_second_of_a_kind_is_not_read(content: bytes) -> None:
    """Not by what reads whole bodies; and those of another interface or of another kind are."""
    likes = Likes(MIN_BODY)
    for _ in range(2):
        likes.read(Api.CHAT, CHAT % b"hello there", read_ask)

    def unwanted(api: Api, body: bytes) -> Ask:
        raise AssertionError(api, body)

    ask = likes.read(Api.CHAT, CHAT % content, unwanted)
    assert (ask.model, ask.tokens_out, ask.is_plain) == ("m", 9, True)
    assert ask.around == b'{"model":"m","messages":,"max_tokens":9}'
    for api, body in ((Api.RESPONSES, CHAT % content), (Api.CHAT, (CHAT % content).replace(b"9}", b"8}"))):
        with pytest.raises(AssertionError):
            likes.read(api, body, unwanted)


def test_little_is_kept_for_a_caller() -> None:
    """A few kinds, and none with much around its prompt."""
    likes = Likes(MIN_BODY)
    for number in range(12):
        likes.read(Api.CHAT, CHAT.replace(b"9}", b"%d}" % (100 + number)) % b"hello", read_ask)
    kept = likes._kinds
    assert 0 < len(kept) <= 4
    likes.read(Api.CHAT, CHAT.replace(b"9}", b'9,"user":"%b"}' % (b"u" * 5_000)) % b"hello", read_ask)
    assert likes._kinds is kept


def test_a_limit_set_here_stays_with_one_request() -> None:
    """The next request of the kind has none."""
    likes = Likes(MIN_BODY)
    body = CHAT.replace(b',"max_tokens":9', b"") % b"hello there"
    for _ in range(3):
        ask = likes.read(Api.CHAT, body, read_ask)
        assert (ask.tokens_out, "max_tokens" in ask.members) == (0, False)
        limit_output(ask, 40)
        assert json.loads(outgoing_body(ask, "n", with_usage=True))["max_tokens"] == 40


def test_callers_whose_bodies_differ_are_soon_let_be() -> None:
    """Taking note of each body would cost them something for nothing; a caller who settles is known again."""
    likes, noted = Likes(MIN_BODY), 0
    for number in range(200):
        before = likes._kinds
        likes.read(Api.CHAT, CHAT.replace(b"9}", b"%d}" % (100 + number)) % b"hello", read_ask)
        noted += likes._kinds is not before
    assert noted < 30
    for _ in range(70):
        likes.read(Api.CHAT, CHAT % b"hello there", read_ask)
    assert likes._latest is not None
    assert likes._latest.read(Api.CHAT, CHAT % b"something else") is not None
