"""Messages served by chat: what the upstream is sent, and what the official Messages client makes of its answers."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from tests.factories.conversing import PICTURE, Members, TranslatingServer, asked, translated, translator, whole

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.translation import TranslationError
from tripoint.engines.gateway.wire.malformed import Malformed
from tripoint.engines.gateway.wire.usage import read_usage

USER = {"role": "user", "content": "hi"}
TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object"}}
REQUESTS: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(CompletionCreateParamsNonStreaming)


def sent(*messages: Members, **members: Any) -> Members:
    """What the upstream is sent for a Messages request; always in a shape the official types accept."""
    asked_for = {"model": "m", "max_tokens": 9, "messages": messages or [USER], **members}
    request = translated(Api.MESSAGES, Api.CHAT, **asked_for)
    whole(REQUESTS.validate_python({**request, "stream": False}))
    return request


def completion(said: Members, reason: str | None = "stop", **members: Any) -> bytes:
    """An upstream's whole answer."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", **said},
        "finish_reason": reason,
        **members.pop("choice", {}),
    }
    usage = {"prompt_tokens": 40, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 30}}
    return json.dumps({"id": "cmpl-1", "model": "llama", "choices": [choice], "usage": usage, **members}).encode()


def blocks(*content: Members, role: str = "user") -> Members:
    """A message of blocks."""
    return {"role": role, "content": list(content)}


def test_a_plain_request() -> None:
    """The limit under its newer name, which all of OpenAI's models accept."""
    assert sent() == {"model": "upstream-name", "max_completion_tokens": 9, "messages": [USER]}


def test_a_stream_asks_for_its_usage() -> None:
    """Messages tells it to every caller."""
    request = sent(stream=True)
    assert (request["stream"], request["stream_options"]) == (True, {"include_usage": True})


def test_results_of_tools_become_messages_of_their_own() -> None:
    """Before what else the user said; a picture among them follows, for a tool's message holds text only."""
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
    request = sent(
        USER,
        blocks(
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "let me"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
            {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
            role="assistant",
        ),
        blocks(
            {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
            {"type": "tool_result", "tool_use_id": "t2", "content": [{"type": "text", "text": "two"}, picture]},
            {"type": "tool_result", "tool_use_id": "t3"},
            {"type": "text", "text": "go on"},
        ),
    )
    assert [turn["role"] for turn in request["messages"]] == ["user", "assistant", "tool", "tool", "tool", "user"]
    said = request["messages"][1]
    assert said["content"] == "let me"
    assert [(call["id"], call["function"]["arguments"]) for call in said["tool_calls"]] == [
        ("t1", '{"a":1}'),
        ("t2", "{}"),
    ]
    assert [turn["content"] for turn in request["messages"][2:5]] == ["one", "two", ""]
    assert request["messages"][5]["content"] == [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
        {"type": "text", "text": "go on"},
    ]


def test_system_prompts_pictures_and_documents() -> None:
    """Each in the form chat has for it."""
    request = sent(
        blocks(
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                "title": "a",
            },
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
        ),
        {"role": "system", "content": "later"},
        system=[
            {"type": "text", "text": "one", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "two"},
        ],
    )
    assert request["messages"][0] == {"role": "system", "content": "one\ntwo"}
    assert request["messages"][1]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "file", "file": {"filename": "a", "file_data": "data:application/pdf;base64,JVBE"}},
        {"type": "text", "text": "plain"},
    ]
    assert request["messages"][2] == {"role": "system", "content": "later"}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"temperature": 0.3, "top_p": 0.5}, {"temperature": 0.3, "top_p": 0.5}),
        ({"temperature": 0.3, "top_k": 1}, {"temperature": 0.0}),
        ({"top_k": 40}, {}),
        ({"stop_sequences": ["a"]}, {"stop": ["a"]}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"output_config": {"effort": "max"}}, {"reasoning_effort": "xhigh"}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {"response_format": {"type": "json_schema",
                                 "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True}}},
        ),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}, "service_tier": "auto"}, {}),
    ],
)  # fmt: skip
def test_sampling(members: Members, expected: Members) -> None:
    """Each under the other's name."""
    request = sent(**members)
    assert {name: value for name, value in request.items() if name not in sent()} == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {}),
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
            {"tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False},
        ),
    ],
)
def test_tools_and_their_choice(choice: object, expected: Members) -> None:
    """Their schemas go as they are."""
    request = sent(tools=[TOOL], tool_choice=choice)
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    assert request["tools"] == [{"type": "function", "function": function}]
    assert {name: request[name] for name in ("tool_choice", "parallel_tool_calls") if name in request} == expected


@pytest.mark.parametrize(
    ("members", "param", "words"),
    [
        ({"mcp_servers": [{"url": "u"}]}, "mcp_servers", "tool servers"),
        ({"container": "c"}, "container", "a container"),
        ({"tools": [{"type": "web_search_20250305", "name": "w"}]}, "tools", "a tool of type `web_search_20250305`"),
        ({"tools": [TOOL], "tool_choice": {"type": "odd"}}, "tool_choice", "the choice `odd`"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages", "a message of role `tool`"),
        ({"messages": [blocks({"type": "search_result"})]}, "messages", "a block of type `search_result`"),
        ({"messages": [blocks({"type": "server_tool_use"}, role="assistant")]}, "messages", "`server_tool_use`"),
        ({"messages": [blocks({"type": "image", "source": {"type": "file"}})]}, "messages", "a source of type `file`"),
        ({"system": [{"type": "image"}]}, "messages", "a block of type `image` here"),
        ({"output_config": {"format": {"type": "odd"}}}, "output_config", "an answer of this format"),
        ({"messages": [{"role": "user"}]}, None, "missing required field `content` - at `$.messages[0]`"),
    ],
)
def test_what_cannot_be_carried_is_refused(members: Members, param: str | None, words: str) -> None:
    """By name, before anything is sent."""
    with pytest.raises(Malformed) as caught:
        sent(**members)
    assert caught.value.param == param
    assert words in caught.value.message


def test_a_limit_is_demanded() -> None:
    """As Messages does."""
    with pytest.raises(Malformed, match="missing required field `max_tokens`"):
        translated(Api.MESSAGES, Api.CHAT, model="m", messages=[USER])


def test_the_official_client_reads_an_answer() -> None:
    """Thoughts, text, calls, reason and usage."""
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"id": "c3", "type": "function", "function": {"name": "g", "arguments": "{odd"}},
    ]
    said = completion({"content": "Hello", "reasoning_content": "hm", "tool_calls": calls}, "tool_calls")
    client = TranslatingServer(Api.MESSAGES, Api.CHAT, lambda _: (200, said)).anthropic()
    answer = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}])
    assert (answer.id, answer.model, answer.stop_reason) == ("cmpl-1", "llama", "tool_use")
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use", "tool_use", "tool_use"]
    assert [block.input for block in answer.content if block.type == "tool_use"] == [
        {"a": 1},
        {},
        {"arguments": "{odd"},
    ]
    usage = answer.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (10, 30, 7)


@pytest.mark.parametrize(
    ("reason", "beside", "expected"),
    [
        ("stop", {}, ("end_turn", None)), ("length", {}, ("max_tokens", None)), (None, {}, ("end_turn", None)),
        ("content_filter", {}, ("refusal", None)), ("stop", {"stop_reason": "END"}, ("stop_sequence", "END")),
        ("stop", {"stop_reason": 128009}, ("end_turn", None)), ("unheard_of", {}, ("end_turn", None)),
    ],
)  # fmt: skip
def test_reasons(reason: str | None, beside: Members, expected: tuple[str, str | None]) -> None:
    """Each has one of the other's; a stop sequence is told where the upstream names it."""
    body = translator(Api.MESSAGES, Api.CHAT).answer(completion({"content": "x"}, reason, choice=beside))
    answer = json.loads(body)
    assert (answer["stop_reason"], answer["stop_sequence"]) == expected


def test_a_call_with_another_reason_is_still_a_call() -> None:
    """Some servers say `stop` when a tool was demanded by name."""
    calls = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
    body = translator(Api.MESSAGES, Api.CHAT).answer(completion({"content": None, "tool_calls": calls}, "stop"))
    assert json.loads(body)["stop_reason"] == "tool_use"


def test_refusals_and_parts_are_text() -> None:
    """However an upstream spells them."""
    between = translator(Api.MESSAGES, Api.CHAT)
    parts = completion({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})
    for body, text in ((completion({"content": None, "refusal": "no"}), "no"), (parts, "ab")):
        assert json.loads(between.answer(body))["content"] == [{"type": "text", "text": text}]


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_usage_is_the_same_on_both_sides(tokens_in: int, cached: int, out: int, thought: int) -> None:
    """What the caller reads is what is billed."""
    usage = {
        "prompt_tokens": tokens_in, "completion_tokens": out, "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }  # fmt: skip
    body = completion({"content": "x"}, usage=usage)
    billed = read_usage(Api.CHAT, body)
    assert billed == Usage(tokens_in, out, min(cached, tokens_in), min(thought, out))
    assert read_usage(Api.MESSAGES, translator(Api.MESSAGES, Api.CHAT).answer(body)) == billed


@given(st.binary(max_size=80) | st.sampled_from([b"{}", b'{"choices":[]}', b'{"choices":[{}]}', b'{"choices":7}']))
def test_answers_of_no_completion_are_told_apart(body: bytes) -> None:
    """They are the upstream's failure, whatever they hold."""
    with pytest.raises(TranslationError):
        translator(Api.MESSAGES, Api.CHAT).answer(body)


def test_a_call_of_no_function_is_the_upstreams_failure() -> None:
    """It would otherwise be lost in silence."""
    with pytest.raises(TranslationError, match="of type `custom`"):
        translator(Api.MESSAGES, Api.CHAT).answer(completion({"tool_calls": [{"id": "c", "type": "custom"}]}))


@given(
    st.sampled_from(["messages", "tools", "tool_choice", "system", "output_config", "max_tokens", "metadata", "top_p"]),
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2))
    | st.dictionaries(st.sampled_from(["role", "content", "type", "source", "name"]), st.text(max_size=4)),
)
def test_odd_members_are_malformed_at_worst(name: str, value: Any) -> None:
    """Nothing but `Malformed` comes out."""
    try:
        ask = asked(Api.MESSAGES, **{"model": "m", "max_tokens": 9, "messages": [USER], name: value})
        body = translator(Api.MESSAGES, Api.CHAT).request(ask, "x")
    except Malformed:
        return
    assert json.loads(body)["model"] == "x"
