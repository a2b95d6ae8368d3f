"""Plain chats: one pass over the members finds what reading at length finds, and the same bytes leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import Ask, outgoing_body, read_ask, read_at_length, read_members
from tripoint.engines.gateway.wire.malformed import Malformed
from tripoint.engines.gateway.wire.shapes.plain import read_plainly

FIELDS = (
    "api", "body", "choices", "cuts", "is_reproducible", "is_stream", "members", "model", "prefix", "set_limit",
    "tokens_in", "tokens_out", "wants_usage",
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-3, 10**12), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from((0, 0.0, -0.0, 1, 0.7))
)
ODD = st.none() | st.booleans() | NUMBERS | st.text(max_size=6) | st.lists(st.integers(0, 3), max_size=2)
NAMES = st.sampled_from(
    ("model", "messages", "prompt", "input", "temperature", "max_tokens", "max_completion_tokens", "stream",
     "stream_options", "n", "best_of", "seed", "top_k", "tools", "system", "user", "top_p", "Model", "mODEL", "stop",
     "\u00e9", "modem")
)  # fmt: skip
PROMPTS = st.text(max_size=700).map(lambda text: [{"role": "user", "content": text}])
MEMBERS = st.tuples(NAMES, ODD | PROMPTS | st.just({"include_usage": True}))
PLAIN = st.fixed_dictionaries(
    {"model": st.text(max_size=12), "messages": PROMPTS},
    optional={
        "temperature": NUMBERS,
        "max_tokens": NUMBERS,
        "stream": st.booleans(),
        "tools": PROMPTS,
        "user": st.text(max_size=4),
    },
).map(lambda members: list(members.items()))
MORE = st.lists(MEMBERS, max_size=3)
BODIES = PLAIN | st.lists(MEMBERS, max_size=7) | st.builds(lambda one, two: one + two, PLAIN, MORE)


def written(members: list[tuple[str, Any]], blank: str, *, is_ascii: bool) -> bytes:
    """A body with these members in this order, some perhaps twice, and so many blanks between them."""
    parts = [
        json.dumps(name, ensure_ascii=is_ascii) + ":" + blank + json.dumps(value, ensure_ascii=is_ascii)
        for name, value in members
    ]
    return ("{" + ("," + blank).join(parts) + "}").encode()


def or_fault(read: Callable[[], Ask]) -> Ask | tuple[str, str, str | None]:
    """What was read, or what is said of it."""
    try:
        return read()
    except Malformed as fault:
        return fault.code, fault.message, fault.param


def plainly(api: Api, body: bytes) -> Ask | None:
    """What one pass finds; nothing where it leaves the body to others."""
    members = read_members(body)
    ask = Ask(api, body, members, ())
    return ask if read_plainly(ask, members) else None


@given(BODIES, st.sampled_from(("", "", "", " ")), st.booleans(), st.sampled_from((Api.CHAT, Api.COMPLETIONS)))
def test_same_as_at_length(members: list[tuple[str, Any]], blank: str, is_ascii: bool, api: Api) -> None:
    """Fields, refusals and outgoing bytes do not depend on the way a body was read."""
    body = written(members, blank, is_ascii=is_ascii)
    wanted = or_fault(lambda: read_at_length(api, body, read_members(body), ()))
    ask = plainly(api, body)
    if ask is None:
        return
    assert isinstance(wanted, Ask), wanted
    for name in FIELDS:
        assert getattr(ask, name) == getattr(wanted, name), name
    for with_usage in (True, False):
        leaves = outgoing_body(ask, 'a "new" name', with_usage=with_usage)
        assert leaves == outgoing_body(wanted, 'a "new" name', with_usage=with_usage)


@pytest.mark.parametrize(
    ("body", "is_spliced"),
    [
        (b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9,"temperature":0.7}', True),
        (b'{"messages":[],"user":"u","model":"m","stream":true}', True),
        (b'{"model":"m", "messages":[]}', False),
        (b'{"model":"m","messages":[],"max_tokens":9,"max_tokens":8}', False),
        (b'{"model":"m","messages":[],"\\u0075ser":"u"}', False),
        (b'{"model":"m","messages":[],"model":"m"}', False),
    ],
)
def test_only_unique_plain_members_leave_as_they_are(body: bytes, is_spliced: bool) -> None:
    """Blanks, members given twice and names spelled with escapes are written anew."""
    ask = plainly(Api.CHAT, body)
    assert (ask is not None and ask.model_at > 0) is is_spliced
    for read in (ask, read_ask(Api.CHAT, body)):
        assert read is None or json.loads(outgoing_body(read, "n", with_usage=False))["model"] == "n"
