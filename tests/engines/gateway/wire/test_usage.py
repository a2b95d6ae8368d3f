"""Usage of whole answers: what upstreams report, what is not believed, and what is counted instead."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire import usage as usage_module
from tripoint.engines.gateway.wire.ask import read_ask
from tripoint.engines.gateway.wire.shapes.reports import decode_answer
from tripoint.engines.gateway.wire.shapes.tally import ABSENT, tally_at, usage_at
from tripoint.engines.gateway.wire.usage import MAX_REPORTED, estimated_usage, read_usage, usage_of

COUNTS = st.integers(0, MAX_REPORTED)


def answer(**usage: Any) -> bytes:
    """An answer that reports this."""
    return json.dumps({"id": "x", "choices": [{"message": {"content": "hi"}}], "usage": usage}).encode()


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_chat_and_responses_report_the_same_under_other_names(
    tokens_in: int, out: int, cached: int, thought: int
) -> None:
    """Under other names; parts never exceed the whole."""
    expected = Usage(tokens_in, out, min(cached, tokens_in), min(thought, out))
    chat = answer(
        prompt_tokens=tokens_in, completion_tokens=out, prompt_tokens_details={"cached_tokens": cached},
        completion_tokens_details={"reasoning_tokens": thought},
    )  # fmt: skip
    responses = answer(
        input_tokens=tokens_in, output_tokens=out, input_tokens_details={"cached_tokens": cached},
        output_tokens_details={"reasoning_tokens": thought},
    )  # fmt: skip
    assert read_usage(Api.CHAT, chat) == read_usage(Api.RESPONSES, responses) == expected


def test_messages_count_cached_tokens_beside_the_input() -> None:
    """All three are input."""
    body = answer(
        input_tokens=5, cache_read_input_tokens=100, cache_creation_input_tokens=20, output_tokens=7,
        output_tokens_details={"thinking_tokens": 3},
    )  # fmt: skip
    assert read_usage(Api.MESSAGES, body) == Usage(125, 7, cached=100, reasoning=3)


def test_embeddings_have_no_output() -> None:
    """Nothing is generated."""
    assert read_usage(Api.EMBEDDINGS, answer(prompt_tokens=8, total_tokens=8)) == Usage(8, 0)


def test_what_others_call_it_counts_too() -> None:
    """A total without its part, and the cache under another name."""
    assert read_usage(Api.CHAT, answer(prompt_tokens=8, total_tokens=11)) == Usage(8, 3)
    assert read_usage(Api.CHAT, answer(prompt_tokens=8, total_tokens=2)) is None
    hit = answer(prompt_tokens=8, completion_tokens=1, prompt_cache_hit_tokens=5)
    assert read_usage(Api.CHAT, hit) == Usage(8, 1, cached=5)


@pytest.mark.parametrize("details", [None, {"cached_tokens": None}, {}])
def test_details_may_be_missing(details: object) -> None:
    """Or null."""
    body = answer(prompt_tokens=8, completion_tokens=2, prompt_tokens_details=details)
    assert read_usage(Api.CHAT, body) == Usage(8, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b'{"usage":null}', b'{"usage":[]}', b'{"usage":{}}', b"\xff",
        b'{"usage":{"prompt_tokens":1', b'{"usage":{"prompt_tokens":1000000001}}',
        b'{"usage":{"prompt_tokens":-1}}', b'{"usage":{"prompt_tokens":1,"completion_tokens":1e400}}',
        b'{"usage":{"prompt_tokens":true}}', b'{"usage":{"prompt_tokens":1.0}}',
        b'{"usage":{"input_tokens":-5,"cache_read_input_tokens":9}}', b"[" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("api", Api)
def test_what_is_odd_is_not_believed(api: Api, body: bytes) -> None:
    """It is missing, not an error: the answer itself may be good."""
    assert read_usage(api, body) is None


@given(st.binary(max_size=120))
def test_random_bytes_report_nothing(body: bytes) -> None:
    """Nor do they raise."""
    assert read_usage(Api.CHAT, body) is None


REPORTS = st.fixed_dictionaries({"prompt_tokens": COUNTS, "completion_tokens": COUNTS}) | st.none() | st.just(3)
WORDS = st.text('"\\usage:{}[], ', max_size=30) | st.sampled_from(
    ('"usage":', '\\"usage":{', '{"usage":{"prompt_tokens":1')
)
DOCUMENTS = st.recursive(
    WORDS | st.integers(0, 9) | REPORTS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.just("usage") | WORDS, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(st.just("usage") | WORDS, DOCUMENTS | REPORTS), max_size=5), st.sampled_from(("", "", " ")))
def test_the_end_of_an_answer_says_what_all_of_it_says(members: list[tuple[str, Any]], blank: str) -> None:
    """Wherever else the word stands: in texts, in names, further within, or twice."""
    parts = (f"{json.dumps(name)}:{blank}{json.dumps(value, separators=(',', ':'))}" for name, value in members)
    body = ("{" + ",".join(parts) + "}").encode()
    whole = [value for name, value in members if name == "usage"]
    told = read_usage(Api.CHAT, json.dumps({"usage": whole[-1]}).encode()) if whole else None
    # One of several that is none at all spoils the whole, of which the end alone knows nothing.
    is_odd = any(value is not None and not isinstance(value, dict) for value in whole)
    assert read_usage(Api.CHAT, body) == told or is_odd


@given(
    st.lists(st.tuples(st.just("usage") | WORDS, DOCUMENTS | REPORTS), max_size=5),
    st.sampled_from(("}", "}", "}}", "", ',"usage":null}')),
)
def test_the_brace_that_opens_last_leads_where_a_search_does(members: list[tuple[str, Any]], ending: str) -> None:
    """Compiled, usage is looked for by it first; what is read is the same, whatever body it is."""
    parts = (f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}" for name, value in members)
    body = ("{" + ",".join(parts) + ending).encode()
    found = []
    for pays in (True, False):
        with mock.patch.object(usage_module, "_PAYS", pays):
            found.append(read_usage(Api.CHAT, body))
    assert found[0] == found[1]
    at = usage_at(body)
    assert at == -1 or (body[at : at + 9] == b'"usage":{' and at + 8 == body.rfind(b"{"))


NAMES = st.sampled_from(
    ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "input_tokens", "x")
)
PARTS = st.sampled_from(("0", "7", "12", "012", "null", "-1", "1.5", "999999999", "9999999999", "true", '""', "{}", ""))


@given(
    st.lists(st.tuples(NAMES, PARTS), max_size=5),
    st.sampled_from(("}}", "}}", "}}", '},"a":1}', "}", "}}}", "} }", ",}}")),
)
def test_plain_counts_are_what_a_decoder_finds(members: list[tuple[str, str]], ending: str) -> None:
    """Or are left to it: null, missing, given twice, of another kind, more behind them."""
    told = ",".join(f'"{name}":{value}' for name, value in members)
    body = ('{"text":"@","usage":{' + told + ending).encode()
    found = tally_at(body, body.index(b'"usage":') + 8)
    if found is None:
        return
    report = decode_answer(body).usage
    assert report is not None
    wanted = [report.prompt_tokens, report.completion_tokens, report.total_tokens]
    assert list(found) == [ABSENT if count is None else count for count in wanted]
    assert usage_module._of_tally(found) == usage_of(Api.CHAT, report)


def test_plain_counts_need_no_decoder() -> None:
    """As most servers write them."""
    for told in (b'{"prompt_tokens":7,"completion_tokens":2}', b'{"prompt_tokens":7,"total_tokens":9,"details":null}'):
        body = b'{"usage":' + told + b"}"
        found = tally_at(body, 9)
        assert found is not None
        assert usage_module._of_tally(found) == Usage(7, 2)


def test_huge_answers_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading is bounded."""
    body = answer(prompt_tokens=8, completion_tokens=2)
    monkeypatch.setattr(usage_module, "MAX_BODY", len(body) - 1)
    assert read_usage(Api.CHAT, body) is None


def test_what_is_not_reported_is_counted() -> None:
    """A token per event of content, or per four bytes of a whole answer; marked as counted."""
    ask = read_ask(Api.CHAT, b'{"model":"m","messages":"0123456789012345678901234567"}')
    assert estimated_usage(ask, 12, 0) == Usage(7, 12, is_estimated=True)
    assert estimated_usage(ask, 0, 400) == Usage(7, 100, is_estimated=True)


def test_no_more_is_counted_than_can_have_been() -> None:
    """Not more than the caller's limit, and nothing for embeddings, whose numbers are long."""
    limited = read_ask(Api.CHAT, b'{"model":"m","messages":"0123456789","max_tokens":10,"n":3}')
    assert estimated_usage(limited, 0, 4_000).tokens_out == 30
    embedding = read_ask(Api.EMBEDDINGS, b'{"model":"m","input":"0123456789"}')
    assert estimated_usage(embedding, 0, 40_000).tokens_out == 0
