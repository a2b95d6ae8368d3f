"""Reading requests: what is found, what is refused and in which words, and what leaves again."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import (
    IMAGE_TOKENS,
    MAX_MODEL_CHARS,
    MAX_TOKENS_OUT,
    Ask,
    outgoing_body,
    read_ask,
)
from tripoint.engines.gateway.wire.excision import MIN_BODY
from tripoint.engines.gateway.wire.malformed import Malformed

MESSAGES = [{"role": "user", "content": "hello"}]
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
OPEN = st.dictionaries(
    st.text(max_size=8).filter(
        # `Model` and the like are refused beside `model`, which another test is about.
        lambda name: (
            name.lower() != "model"
            and name not in ("stream", "stream_options", "n", "best_of", "top_k", "seed", "temperature")
        )
    ),
    VALUES,
    max_size=3,
)


def chat(**members: Any) -> bytes:
    """A chat request with these members beside a model and a message."""
    return json.dumps({"model": "m", "messages": MESSAGES, **members}).encode()


def refusal(api: Api, body: bytes) -> Malformed:
    """How a body is refused."""
    with pytest.raises(Malformed) as caught:
        read_ask(api, body)
    return caught.value


def outcome(api: Api, body: bytes) -> Ask | Malformed:
    """What becomes of a body; any other exception fails the test."""
    try:
        return read_ask(api, body)
    except Malformed as refused:
        return refused


def test_a_plain_chat_request() -> None:
    """Everything routing needs, from one ordinary body."""
    ask = read_ask(Api.CHAT, chat(stream=True, max_tokens=20, temperature=0.7))
    assert (ask.model, ask.is_stream, ask.tokens_out, ask.choices) == ("m", True, 20, 1)
    assert (ask.wants_usage, ask.is_reproducible) == (False, False)
    assert ask.tokens_in == len(json.dumps(MESSAGES)) // 4


@pytest.mark.parametrize(
    ("api", "member", "name"),
    [
        (Api.CHAT, "messages", "max_tokens"),
        (Api.CHAT, "messages", "max_completion_tokens"),
        (Api.COMPLETIONS, "prompt", "max_tokens"),
        (Api.RESPONSES, "input", "max_output_tokens"),
        (Api.MESSAGES, "messages", "max_tokens"),
    ],
)
def test_limits_by_the_names_of_each_interface(api: Api, member: str, name: str) -> None:
    """The limit and the prompt are found under each interface's own names."""
    ask = read_ask(api, json.dumps({"model": "m", member: "x" * 400, name: 7}).encode())
    assert ask.tokens_out == 7
    assert ask.tokens_in == 100
    assert ask.prefix > 0


def test_the_newer_limit_of_chat_is_the_one_that_counts() -> None:
    """A null leaves it to the older one."""
    assert read_ask(Api.CHAT, chat(max_tokens=5, max_completion_tokens=9)).tokens_out == 9
    assert read_ask(Api.CHAT, chat(max_tokens=5, max_completion_tokens=None)).tokens_out == 5


def test_embeddings_have_an_input_and_no_sampling() -> None:
    """Members that mean nothing there are not looked at."""
    ask = read_ask(Api.EMBEDDINGS, b'{"model":"e","input":["one","two"],"stream":"odd","n":-4}')
    assert (ask.is_stream, ask.choices, ask.tokens_out) == (False, 1, 0)
    assert ask.tokens_in == len('["one","two"]') // 4


def test_a_limit_of_nothing_is_not_no_limit() -> None:
    """Scoring a prompt asks for no token: that is less than a typical answer, not as much."""
    assert read_ask(Api.COMPLETIONS, b'{"model":"m","prompt":"p","max_tokens":0}').tokens_out == 1
    assert read_ask(Api.CHAT, chat(max_tokens=None)).tokens_out == 0


def test_absurd_limits_are_cut_for_our_own_arithmetic_only() -> None:
    """The body still says what the caller said."""
    ask = read_ask(Api.CHAT, chat(max_tokens=10**30))
    assert ask.tokens_out == MAX_TOKENS_OUT
    assert json.loads(outgoing_body(ask, "m", with_usage=False))["max_tokens"] == 10**30


@pytest.mark.parametrize(
    "members",
    [{"temperature": 0}, {"temperature": 0.0}, {"temperature": -0.0}, {"top_k": 1}, {"seed": 7}, {"seed": 0}],
)
def test_greedy_and_seeded_requests_can_be_reproduced(members: dict[str, Any]) -> None:
    """Either way of asking for the same text twice."""
    assert read_ask(Api.CHAT, chat(**members)).is_reproducible


@pytest.mark.parametrize("members", [{}, {"temperature": 0.1}, {"top_k": 40}, {"seed": None}, {"temperature": None}])
def test_other_requests_cannot(members: dict[str, Any]) -> None:
    """Sampling without a seed differs from run to run."""
    assert not read_ask(Api.CHAT, chat(**members)).is_reproducible


def test_choices_count_those_generated() -> None:
    """`best_of` generates more than are returned."""
    assert read_ask(Api.CHAT, chat(n=3)).choices == 3
    assert read_ask(Api.COMPLETIONS, b'{"model":"m","prompt":"p","n":2,"best_of":5}').choices == 5
    assert read_ask(Api.CHAT, chat(n=None)).choices == 1


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "invalid_json", "the body is empty"),
        (b"{", "invalid_json", "the body is not JSON: Input data was truncated"),
        (b'{"model":"m"} {}', "invalid_json", "trailing characters"),
        (b"\xef\xbb\xbf{}", "invalid_json", "invalid character (byte 0)"),
        (b"[1]", "invalid_json", "the body must be a JSON object, not an array"),
        (b' "x"', "invalid_json", "the body must be a JSON object, not a string"),
        (b"12", "invalid_json", "the body must be a JSON object, not 12"),
        (b'{"model":"m","x":"\xff"}', "invalid_utf8", "the body is not UTF-8: byte 18 is 0xff"),
        (b'{"x\xff":1}', "invalid_utf8", "the body is not UTF-8: byte 3 is 0xff"),
        (b'{"model":"\xed\xa0\x80"}', "invalid_utf8", "the body is not UTF-8"),
        (b"{}", "missing_model", "`model` is missing"),
        (b'{"model":null}', "invalid_type", "`model` must be a string, not null"),
        (b'{"model":[]}', "invalid_type", "`model` must be a string, not an array"),
        (b'{"model":7}', "invalid_type", "`model` must be a string, not 7"),
        (b'{"model":""}', "invalid_model", "`model` is empty"),
        (b'{"model":"a\\nb"}', "invalid_model", "`model` holds the character U+000A"),
        (b'{"model":"a\\u0000"}', "invalid_model", "`model` holds the character U+0000"),
        (b'{"model":"a\\u202eb"}', "invalid_model", "`model` holds the character U+202E"),
        (b'{"model":"' + b"m" * (MAX_MODEL_CHARS + 1) + b'"}', "invalid_model", "has 257 characters, more than 256"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, code: str, words: str) -> None:
    """Each is refused with what was found."""
    refused = refusal(Api.CHAT, body)
    assert (refused.status, refused.code) == (400, code)
    assert words in refused.message


@pytest.mark.parametrize(
    ("members", "param", "words"),
    [
        ({"stream": "true"}, "stream", "`stream` must be true or false, not a string"),
        ({"stream": 1}, "stream", "`stream` must be true or false, not 1"),
        ({"max_tokens": -1}, "max_tokens", "`max_tokens` must not be negative, and is -1"),
        ({"max_tokens": 1.5}, "max_tokens", "`max_tokens` must be a whole number, not 1.5"),
        ({"max_tokens": "9"}, "max_tokens", "`max_tokens` must be a whole number, not a string"),
        ({"max_tokens": True}, "max_tokens", "`max_tokens` must be a whole number, not true"),
        ({"max_completion_tokens": -(10**40)}, "max_completion_tokens", "and is a number of many digits"),
        ({"n": 0}, "n", "`n` must be between 1 and 128, and is 0"),
        ({"n": 129}, "n", "and is 129"),
        ({"best_of": {}}, "best_of", "`best_of` must be a whole number, not an object"),
        ({"temperature": "hot"}, "temperature", "`temperature` must be a number, not a string"),
        ({"top_k": 0.5}, "top_k", "`top_k` must be a whole number, not 0.5"),
        ({"stream": True, "stream_options": 3}, "stream_options", "`stream_options` must be an object"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options", "is true or false"),
        ({"stream": True, "stream_options": {"x": "y" * 600}}, "stream_options", "more than 512"),
    ],
)
def test_members_of_another_type_or_range(members: dict[str, Any], param: str, words: str) -> None:
    """Each is refused by name."""
    refused = refusal(Api.CHAT, chat(**members))
    assert refused.param == param
    assert words in refused.message


@pytest.mark.parametrize("name", ["Model", "MODEL", "mOdEl", "mod\\u0045l"])
def test_a_second_model_in_another_case_is_refused(name: str) -> None:
    """Some servers would take it for the same member, and prefer it."""
    body = f'{{"model":"m","messages":[],"{name}":"other"}}'.encode()
    assert refusal(Api.CHAT, body).message == "`model` is given in another spelling as well"
    assert read_ask(Api.CHAT, b'{"model":"m","models":["x"],"Modell":1}').model == "m"


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    """It neither crashes nor passes."""
    refused = refusal(Api.CHAT, b'{"model":"m","x":' + b"[" * depth + b"]" * depth + b"}")
    assert refused.message == "the body is nested too deeply"


def test_a_crowd_of_members_is_refused() -> None:
    """Millions of members would be millions of objects; a prompt of as many colons is only a prompt."""
    crowd = ",".join(f'"{number:x}":1' for number in range(60_000))
    assert "more than 20000 members" in refusal(Api.CHAT, f'{{"model":"m",{crowd}}}'.encode()).message
    assert "not JSON" in refusal(Api.CHAT, f'{{"model":"m",{crowd}'.encode()).message
    told = json.dumps({"model": "m", "messages": [{"role": "tool", "content": f"{{{crowd}}}"}]}).encode()
    assert json.loads(outgoing_body(read_ask(Api.CHAT, told), "m", with_usage=True)) == json.loads(told)


def test_a_model_named_twice_or_in_disguise_leaves_once() -> None:
    """What the upstream reads is what was decided on, whichever of two members it would have preferred."""
    ask = read_ask(Api.CHAT, b'{"model":"first","messages":[],"mod\\u0065l":"second","model" : "third"}')
    assert ask.model == "third"
    assert outgoing_body(ask, "m", with_usage=False) == b'{"model":"m","messages":[]}'


@pytest.mark.parametrize(
    "options", [{}, {"stream_options": None}, {"stream_options": {"include_usage": False, "a": [1]}}]
)
def test_usage_is_asked_for_where_the_caller_did_not(options: dict[str, Any]) -> None:
    """Other options stay."""
    ask = read_ask(Api.CHAT, chat(stream=True, **options))
    assert not ask.wants_usage
    asked = json.loads(outgoing_body(ask, "m", with_usage=True))
    assert asked["stream_options"] == {**(options.get("stream_options") or {}), "include_usage": True}
    assert json.loads(outgoing_body(ask, "m", with_usage=False)) == {**json.loads(ask.body), "model": "m"}


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (Api.CHAT, chat()),
        (Api.CHAT, chat(stream=True, stream_options={"include_usage": True})),
        (Api.RESPONSES, b'{"model":"m","input":"x","stream":true}'),
        (Api.MESSAGES, b'{"model":"m","messages":[],"max_tokens":4,"stream":true}'),
    ],
)
def test_usage_is_not_asked_for_where_it_comes_anyway(api: Api, body: bytes) -> None:
    """The body leaves as it came but for the model."""
    ask = read_ask(api, body)
    assert ask.wants_usage
    assert json.loads(outgoing_body(ask, "other", with_usage=True)) == {**json.loads(body), "model": "other"}


@given(OPEN, st.sampled_from(["m", "llama", "größe"]), st.sampled_from(["x", "a/b", 'quo"te', "näme"]), st.booleans())
def test_only_the_model_changes(members: dict[str, Any], model: str, name: str, is_ascii: bool) -> None:
    """A compact body leaves byte for byte but for the model; any body leaves with equal members."""
    asked = {**members, "model": model, "messages": MESSAGES}
    for name_of_limit in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        asked.pop(name_of_limit, None)
    compact = json.dumps(asked, ensure_ascii=is_ascii, separators=(",", ":")).encode("utf-8", "surrogatepass")
    ask = read_ask(Api.CHAT, compact)
    assert ask.model == model
    expected = re.sub(
        rb'"model":"[^"]*"', lambda _: b'"model":' + json.dumps(name, ensure_ascii=False).encode(), compact
    )
    keys_are_plain = all(key.isascii() and key.isprintable() and not set(key) & set('"\\') for key in asked)
    if keys_are_plain and b'"model"' not in compact.replace(b'"model":', b"", 1):
        assert outgoing_body(ask, name, with_usage=False) == expected
    spaced = json.dumps(asked, indent=2).encode()
    left = json.loads(outgoing_body(read_ask(Api.CHAT, spaced), name, with_usage=True))
    assert left == {**asked, "model": name}


@given(st.binary(max_size=200), st.sampled_from(Api))
def test_random_bytes_are_malformed_at_worst(body: bytes, api: Api) -> None:
    """Nothing but `Malformed` ever comes out."""
    read = outcome(api, body)
    if isinstance(read, Malformed):
        assert (read.status, bool(read.message)) == (400, True)
    else:
        assert read.model


@given(
    VALUES,
    st.sampled_from(Api),
    st.sampled_from(["stream", "n", "stream_options", "max_tokens", "temperature", "seed"]),
)
def test_random_members_are_malformed_at_worst(value: Any, api: Api, name: str) -> None:
    """Nor does it for well-formed bodies with odd members; what is accepted can be sent."""
    body = json.dumps({"model": "m", "stream": True, "messages": [value], "input": value, name: value}).encode()
    read = outcome(api, body)
    if isinstance(read, Malformed):
        assert read.param == name
    else:
        assert json.loads(outgoing_body(read, "x", with_usage=True))["model"] == "x"


@given(st.binary(min_size=1, max_size=40), st.integers(0, 60))
def test_damaged_bodies_are_malformed_at_worst(damage: bytes, at: int) -> None:
    """Bytes written into a good body."""
    body = chat(stream=True, max_tokens=3)
    read = outcome(Api.CHAT, body[:at] + damage + body[at + len(damage) :])
    if isinstance(read, Ask):
        assert json.loads(outgoing_body(read, "x", with_usage=True))["model"] == "x"


def test_prompts_that_begin_alike_have_one_prefix() -> None:
    """Short prompts have none: there is nothing worth keeping in a cache."""
    long = "You answer in rhymes. " * 40
    first = read_ask(
        Api.CHAT, json.dumps({"model": "m", "messages": [{"role": "system", "content": long + "a"}]}).encode()
    )
    second = read_ask(
        Api.CHAT, json.dumps({"messages": [{"role": "system", "content": long + "b"}], "model": "m"}).encode()
    )
    other = read_ask(Api.CHAT, json.dumps({"messages": [{"role": "user", "content": long}], "model": "m"}).encode())
    assert first.prefix == second.prefix != 0
    assert other.prefix not in (0, first.prefix)
    assert read_ask(Api.CHAT, chat()).prefix == 0


def test_images_are_not_counted_as_text() -> None:
    """A picture of a megabyte is not a quarter of a million tokens."""
    picture = base64.b64encode(bytes(range(256)) * 3_000).decode()
    parts = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}]
    seen = read_ask(Api.CHAT, json.dumps({"model": "m", "messages": [{"role": "user", "content": parts}]}).encode())
    prose = read_ask(Api.CHAT, chat(messages=[{"role": "user", "content": "lorem ipsum " * 50_000}]))
    assert IMAGE_TOKENS <= seen.tokens_in < 10 * IMAGE_TOKENS
    assert prose.tokens_in > 140_000
    assert len(seen.body) > MIN_BODY
