"""Chat served by Messages: what the upstream is sent, and what the official chat client makes of its answers."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.conversing import (
    PICTURE,
    Members,
    TranslatingServer,
    asked,
    chat_turns,
    translated,
    translator,
    whole,
)

from tripoint.domain.record import Usage
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.chat_over_messages import DEFAULT_MAX_TOKENS
from tripoint.engines.gateway.dialects.translation import TranslationError
from tripoint.engines.gateway.wire.malformed import Malformed
from tripoint.engines.gateway.wire.usage import read_usage

USER = {"role": "user", "content": "hi"}
TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
}
USAGE = {"input_tokens": 10, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 2, "output_tokens": 5}
REQUESTS: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(MessageCreateParamsNonStreaming)


def sent(*messages: Members, **members: Any) -> Members:
    """What the upstream is sent for a chat request."""
    return translated(Api.CHAT, Api.MESSAGES, model="m", messages=messages or [USER], **members)


def message(*content: Members, **members: Any) -> bytes:
    """An upstream's whole answer."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None}
    said = {**head, "content": content, "stop_reason": "end_turn", "usage": USAGE, **members}
    return json.dumps(said).encode()


def test_a_plain_request() -> None:
    """Messages wants a limit; without the caller's there is a stated one."""
    assert sent() == {
        "model": "upstream-name",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }


@given(chat_turns(), st.none() | st.text(min_size=1, max_size=9))
@settings(max_examples=40)
def test_conversations_arrive_whole(turns: list[Members], system: str | None) -> None:
    """Every text, picture, call and result, in order, in a shape the official types accept."""
    first = [] if system is None else [{"role": "system", "content": system}]
    request = sent(*first, *turns, tools=[TOOL])
    whole(REQUESTS.validate_python(request))
    assert request.get("system") == (None if system is None else [{"type": "text", "text": system}])
    roles = [turn["role"] for turn in request["messages"]]
    assert roles == [role for index, role in enumerate(roles) if index == 0 or role != roles[index - 1]]
    blocks = [block for turn in request["messages"] for block in turn["content"]]
    texts = [part for turn in turns if turn["role"] != "tool" for part in texts_of(turn["content"])]
    assert [block["text"] for block in blocks if block["type"] == "text"] == texts
    calls = [call for turn in turns for call in turn.get("tool_calls", [])]
    assert [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"] == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls
    ]
    results = [(turn["tool_call_id"], turn["content"]) for turn in turns if turn["role"] == "tool"]
    assert [(block["tool_use_id"], block["content"]) for block in blocks if block["type"] == "tool_result"] == results


@given(chat_turns())
@settings(max_examples=40)
def test_there_and_back_is_the_same_conversation(turns: list[Members]) -> None:
    """A Messages upstream that is itself a gateway in front of chat gives the model what the caller wrote."""
    between = sent(*turns, tools=[TOOL], tool_choice="required", stop=["x"], max_tokens=9, temperature=0.5)
    back = translated(Api.MESSAGES, Api.CHAT, **between)
    assert [flat(turn) for turn in back["messages"]] == [flat(turn) for turn in turns]
    assert (back["tools"], back["tool_choice"], back["stop"]) == ([TOOL], "required", ["x"])
    assert (back["max_completion_tokens"], back["temperature"]) == (9, 0.5)


def texts_of(content: Any) -> list[str]:
    """Texts of content in either form."""
    if content is None or isinstance(content, str):
        return [content] if content else []
    return [part["text"] for part in content if part["type"] == "text"]


def flat(turn: Members) -> Members:
    """A message in one form: parts instead of a text, arguments as an object."""
    content = turn.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    calls = [
        {**call, "function": {**call["function"], "arguments": json.loads(call["function"]["arguments"])}}
        for call in turn.get("tool_calls", [])
    ]
    return {**turn, "content": content, "tool_calls": calls}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 7, "max_completion_tokens": 8}, {"max_tokens": 8}),
        ({"max_tokens": 0}, {"max_tokens": 1}),
        ({"temperature": 1.7}, {"temperature": 1.0}),
        ({"temperature": 0, "top_p": 0.5, "top_k": 3}, {"temperature": 0.0, "top_p": 0.5, "top_k": 3}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"stream": True}, {"stream": True}),
        ({"user": "u-1"}, {"metadata": {"user_id": "u-1"}}),
        ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ({"response_format": {"type": "text"}}, {}),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}},
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        ),
        ({"seed": 4, "presence_penalty": 0.3, "store": True, "n": 1, "logprobs": False, "logit_bias": {}}, {}),
    ],
)
def test_sampling(members: Members, expected: Members) -> None:
    """Each under the other's name; hints that have none are left out."""
    request = sent(**members)
    plain = sent()
    assert {name: value for name, value in request.items() if plain.get(name) != value or name in expected} == expected
    whole(REQUESTS.validate_python({**request, "stream": False}))


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("required", None, {"type": "any"}),
        ("none", False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"type": "function", "function": {"name": "f"}}, False,
         {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
    ],
)  # fmt: skip
def test_tools_and_their_choice(choice: object, parallel: bool | None, expected: object) -> None:
    """Their schemas go as they are."""
    request = sent(tools=[TOOL], tool_choice=choice, parallel_tool_calls=parallel)
    assert request["tools"] == [{"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True}]
    assert request.get("tool_choice") == expected
    bare = {"type": "function", "function": {"name": "g"}}
    assert sent(tools=[bare])["tools"] == [{"name": "g", "input_schema": {"type": "object", "properties": {}}}]
    assert "tool_choice" not in sent(tool_choice="auto")


def test_system_prompts_are_gathered() -> None:
    """Wherever they stand, and whatever the role is called."""
    request = sent(
        {"role": "developer", "content": "a"}, USER, {"role": "system", "content": [{"type": "text", "text": "b"}]}
    )
    assert [block["text"] for block in request["system"]] == ["a", "b"]
    assert len(request["messages"]) == 1


def test_pictures_and_documents() -> None:
    """In full or by address; a file only as PDF in full."""
    pdf = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
    link = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}}
    inline = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{PICTURE}"}}
    request = sent({"role": "user", "content": [pdf, link, inline]})
    whole(REQUESTS.validate_python(request))
    assert [block["source"] for block in request["messages"][0]["content"]] == [
        {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
        {"type": "url", "url": "https://example.org/a.png"},
        {"type": "base64", "media_type": "image/jpeg", "data": PICTURE},
    ]


def test_empty_texts_are_left_out() -> None:
    """Messages refuses them."""
    said = {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": ""}}]}
    request = sent(USER, said, {"role": "tool", "tool_call_id": "c", "content": ""})
    assert request["messages"][1]["content"] == [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]
    assert request["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "c", "content": ""}]


def test_refusals_are_texts_and_silence_is_left_out() -> None:
    """What the model declined stays in its place; a message of nothing has no block."""
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    whole_one = {"role": "assistant", "content": None, "refusal": "never"}
    request = sent(USER, part, {"role": "user", "content": ""}, whole_one)
    assert [turn["role"] for turn in request["messages"]] == ["user", "assistant"]
    assert [block["text"] for block in request["messages"][1]["content"]] == ["no", "never"]


def user(**part: Any) -> list[Members]:
    """Messages of one user's part."""
    return [{"role": "user", "content": [part]}]


@pytest.mark.parametrize(
    ("members", "param", "words"),
    [
        ({"n": 2}, "n", "more than one choice cannot be passed to the upstream"),
        ({"functions": [{"name": "f"}]}, "functions", "the older form of tools"),
        ({"logprobs": True}, "logprobs", "log probabilities"),
        ({"logit_bias": {"5": 1}}, "logit_bias", "a bias"),
        ({"modalities": ["text", "audio"]}, "modalities", "sound"),
        ({"web_search_options": {}}, "web_search_options", "a web search"),
        ({"response_format": {"type": "json_object"}}, "response_format", "JSON without a schema"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "is missing"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools", "a tool of type `custom`"),
        ({"tools": [TOOL], "tool_choice": "maybe"}, "tool_choice", "the choice `maybe`"),
        ({"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}}, "tool_choice", "other than one function"),
        ({"messages": user(type="input_audio")}, "messages", "a part of type `input_audio`"),
        ({"messages": user(type="file", file={"file_id": "f"})}, "messages", "a file by its id"),
        ({"messages": user(type="file", file={"file_data": "data:text/csv;base64,x"})}, "messages", "`text/csv`"),
        ({"messages": user(type="image_url", image_url={"url": "data:image/png,x"})}, "messages", "in base64"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages", "role `function`"),
        ({"messages": [{"role": "user"}, 3]}, None, "Expected `object`, got `int` - at `$.messages[1]`"),
        ({"messages": "hello"}, None, "Expected `array`, got `str` - at `$.messages`"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"arguments": "{"}}]}]}, "messages",
         "the arguments of tool call `c` are not a JSON object"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]}, "messages",
         "of type `custom`"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused(members: Members, param: str | None, words: str) -> None:
    """By name, before anything is sent."""
    with pytest.raises(Malformed) as caught:
        translated(Api.CHAT, Api.MESSAGES, **{"model": "m", "messages": [USER], **members})
    assert (caught.value.status, caught.value.param) == (400, param)
    assert words in caught.value.message


def test_the_official_client_reads_an_answer() -> None:
    """Text, thoughts, calls, reason and usage."""
    said = message(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": [1, "ü"]}},
        {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
        stop_reason="tool_use",
    )
    client = TranslatingServer(Api.CHAT, Api.MESSAGES, lambda _: (200, said)).openai()
    answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    choice = answer.choices[0]
    assert (answer.id, answer.model, answer.created) == ("msg_1", "claude", 1_700_000_000)
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Hello")
    assert choice.message.model_dump()["reasoning_content"] == "hm"
    calls = [call for call in choice.message.tool_calls or [] if call.type == "function"]
    assert [(call.id, call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("t1", "f", {"a": [1, "ü"]}), ("t2", "g", {})
    ]  # fmt: skip
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (42, 5, 47)
    assert answer.usage.prompt_tokens_details is not None
    assert answer.usage.prompt_tokens_details.cached_tokens == 30


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("refusal", "content_filter"), ("pause_turn", "stop"), ("model_context_window_exceeded", "length"),
        ("unheard_of", "stop"), (None, "stop"),
    ],
)  # fmt: skip
def test_reasons(stop_reason: str | None, finish_reason: str) -> None:
    """Each has one of the other's."""
    body = translator(Api.CHAT, Api.MESSAGES).answer(message({"type": "text", "text": "x"}, stop_reason=stop_reason))
    assert json.loads(body)["choices"][0]["finish_reason"] == finish_reason


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_usage_is_the_same_on_both_sides(tokens_in: int, read: int, created: int, out: int) -> None:
    """What the caller reads is what is billed."""
    usage = {"input_tokens": tokens_in, "cache_read_input_tokens": read, "cache_creation_input_tokens": created}
    body = message({"type": "text", "text": "x"}, usage={**usage, "output_tokens": out})
    billed = read_usage(Api.MESSAGES, body)
    assert billed == Usage(tokens_in + read + created, out, cached=read)
    assert read_usage(Api.CHAT, translator(Api.CHAT, Api.MESSAGES).answer(body)) == billed


def test_an_empty_answer_is_one() -> None:
    """A model may say nothing."""
    answer = json.loads(translator(Api.CHAT, Api.MESSAGES).answer(message()))
    assert answer["choices"][0]["message"]["content"] == ""


@given(st.binary(max_size=80) | st.sampled_from([b"{}", b'{"content":7}', b'{"content":[{}]}', b"[" * 9_000]))
def test_answers_of_no_message_are_told_apart(body: bytes) -> None:
    """They are the upstream's failure, whatever they hold."""
    with pytest.raises(TranslationError):
        translator(Api.CHAT, Api.MESSAGES).answer(body)


@given(
    st.sampled_from(["messages", "tools", "tool_choice", "stop", "response_format", "max_tokens", "user", "top_p"]),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2), max_leaves=3
    )
    | st.dictionaries(st.sampled_from(["role", "content", "type", "function", "name"]), st.text(max_size=4)),
)
def test_odd_members_are_malformed_at_worst(name: str, value: Any) -> None:
    """Nothing but `Malformed` comes out."""
    try:
        ask = asked(Api.CHAT, **{"model": "m", "messages": [USER], name: value})
        body = translator(Api.CHAT, Api.MESSAGES).request(ask, "x")
    except Malformed:
        return
    assert json.loads(body)["model"] == "x"
