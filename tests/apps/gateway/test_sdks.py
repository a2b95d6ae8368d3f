"""The official clients against a running gateway: openai with strict validation, anthropic, and curl."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from tests.conftest import missing_component
from tests.factories.rigs import Rig, rig

from tripoint.testing.model_server import Behaviour

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

MODEL = "chat"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5"
    "ErkJggg=="
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway before two OpenAI-compatible servers."""
    keys = [
        {"id": "verify", "secret": "env:TRIPOINT_VERIFY_KEY"},
        {"id": "confined", "secret": "env:TRIPOINT_VERIFY_UPSTREAM_KEY", "workloads": ["batch"], "only_at": ["abroad"]},
    ]
    with rig(tmp_path_factory.mktemp("openai"), serving_section={"keys": keys}) as found:
        yield found


@pytest.fixture(autouse=True)
def _well(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every server behaves again after each test."""
    yield
    for name in ("running", "native", "azure"):
        if name in request.fixturenames:
            for server in request.getfixturevalue(name).servers.values():
                server.behaviour = Behaviour()


def client(found: Rig, **options: Any) -> openai.OpenAI:
    """The synchronous client; no attempts of its own."""
    options = {"api_key": found.key, "max_retries": 0, "_strict_response_validation": True, **options}
    return openai.OpenAI(base_url=f"{found.url}/v1", **options)


def said(prompt: Any = "Say some words.") -> list[Any]:
    """Messages with one prompt."""
    return [{"role": "user", "content": prompt}]


# --- openai ----------------------------------------------------------------------------------------------------------


def test_a_chat_answer_is_what_the_upstream_said_with_its_usage(running: Rig) -> None:
    """Unary chat, strictly validated."""
    with client(running) as openai_client:
        answer = openai_client.chat.completions.create(model=MODEL, messages=said(), max_tokens=5)
    assert answer.choices[0].message.content
    assert len(answer.choices[0].message.content.split()) == 5
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 5


@pytest.mark.parametrize("wants_usage", [True, False])
def test_a_streamed_chat_has_usage_exactly_when_asked_for(running: Rig, wants_usage: bool) -> None:
    """The gateway reads usage from every stream, and hands it on only to those who asked."""
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if wants_usage else {}
    with client(running) as openai_client:
        stream = openai_client.chat.completions.create(model=MODEL, messages=said(), stream=True, **options)
        chunks = list(stream)
    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert len(words.split()) == 16
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == ([16] if wants_usage else [])
    assert all(chunk.choices for chunk in chunks) is not wants_usage


def test_tools_go_there_and_calls_come_back(running: Rig) -> None:
    """Tools untouched, unary and streamed, and the conversation that follows."""
    with client(running) as openai_client:
        answer = openai_client.chat.completions.create(model=MODEL, messages=said(), tools=TOOLS)
        calls = answer.choices[0].message.tool_calls
        assert calls
        call = calls[0]
        assert call.type == "function"
        assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Oslo"}')
        assert running.servers["dense-1"].seen[-1].json()["tools"] == TOOLS
        with openai_client.chat.completions.stream(model=MODEL, messages=said(), tools=TOOLS) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].message.tool_calls
        history = [
            *said(),
            answer.choices[0].message.model_dump(),
            {"role": "tool", "tool_call_id": call.id, "content": "7"},
        ]
        after = openai_client.chat.completions.create(model=MODEL, messages=history, tools=TOOLS)
    assert after.choices[0].finish_reason == "stop"


def test_multimodal_bodies_arrive_byte_for_byte(running: Rig) -> None:
    """Images and sound go through untouched."""
    content = [
        {"type": "text", "text": "What is this? \u00e9\U0001f600"},
        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRiQAAABXQVZF", "format": "wav"}},
    ]
    with client(running) as openai_client:
        openai_client.chat.completions.create(model=MODEL, messages=said(content))
    arrived = running.servers["dense-1"].seen[-1].json()
    assert arrived["messages"] == said(content)
    assert arrived["model"] == "tiny"


def test_completions_whole_and_streamed(running: Rig) -> None:
    """The older interface, whose strict schema knows no event without a reason to finish."""
    with client(running) as openai_client, client(running, _strict_response_validation=False) as lenient:
        whole = openai_client.completions.create(model=MODEL, prompt="Once upon", max_tokens=4)
        pieces = list(lenient.completions.create(model=MODEL, prompt="Once upon", max_tokens=4, stream=True))
    assert whole.choices[0].text == "".join(each.choices[0].text for each in pieces)


def test_embeddings_as_floats_and_as_base64(running: Rig) -> None:
    """The client asks for base64 of itself and unpacks it, which its own strict validation cannot read."""
    with client(running) as openai_client, client(running, _strict_response_validation=False) as lenient:
        packed = lenient.embeddings.create(model=MODEL, input=["one", "two"])
        plain = openai_client.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
    assert [each.index for each in packed.data] == [0, 1]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)


def test_responses_whole_and_streamed(running: Rig) -> None:
    """The newer interface."""
    with client(running) as openai_client:
        whole = openai_client.responses.create(model=MODEL, input="Say some words.", max_output_tokens=6)
        events = list(openai_client.responses.create(model=MODEL, input="Say some words.", stream=True))
    assert len(whole.output_text.split()) == 6
    assert whole.usage is not None
    assert whole.usage.output_tokens == 6
    assert [event.type for event in events][-1] == "response.completed"


def test_models_are_what_the_key_may_call(running: Rig) -> None:
    """Workloads and models, each by its key."""
    with client(running) as everything, client(running, api_key="tp_verify_9b2e7a-upstream-canary") as confined:
        assert {"chat", "batch", "open"} <= {each.id for each in everything.models.list()}
        assert "chat" not in {each.id for each in confined.models.list()}


def test_errors_are_the_classes_callers_catch(running: Rig) -> None:
    """401, 403, 404 and 400, each with a code and without attempts at an upstream."""
    before = sum(len(server.seen) for server in running.servers.values())
    with client(running) as openai_client, client(running, api_key="nobody") as stranger:
        with pytest.raises(openai.AuthenticationError) as unknown:
            stranger.chat.completions.create(model=MODEL, messages=said())
        with pytest.raises(openai.NotFoundError) as missing:
            openai_client.chat.completions.create(model="no-such-model", messages=said())
        with pytest.raises(openai.BadRequestError) as malformed:
            openai_client.chat.completions.create(model=MODEL, messages=[], extra_body={"stream": "yes"})
        label = {"x-tripoint-classification": "unheard-of"}
        with pytest.raises(openai.PermissionDeniedError) as denied:
            openai_client.chat.completions.create(model=MODEL, messages=said(), extra_headers=label)
    assert [each.value.code for each in (unknown, missing, denied)] == [
        "invalid_api_key", "model_not_found", "unknown_classification",
    ]  # fmt: skip
    assert malformed.value.code
    assert sum(len(server.seen) for server in running.servers.values()) == before


def test_a_limit_of_every_upstream_is_a_rate_limit_with_its_wait(running: Rig) -> None:
    """429 with Retry-After, which the client's own attempts obey."""
    for server in running.servers.values():
        server.behaviour = Behaviour(status=429, retry_after_s=1.0)
    with client(running) as openai_client, pytest.raises(openai.RateLimitError) as limited:
        openai_client.chat.completions.create(model=MODEL, messages=said())
    assert int(limited.value.response.headers["retry-after"]) >= 1
    for server in running.servers.values():
        server.behaviour = Behaviour()
    with client(running, max_retries=5) as patient:
        assert patient.chat.completions.create(model=MODEL, messages=said()).choices


def test_a_stream_that_is_lost_raises_after_the_words_that_came(running: Rig) -> None:
    """A sampled answer cannot be continued elsewhere: the caller is told with a typed error."""
    for server in running.servers.values():
        server.behaviour = Behaviour(cut_after=5)
    words: list[str] = []

    def read(openai_client: openai.OpenAI) -> None:
        for chunk in openai_client.chat.completions.create(model=MODEL, messages=said(), stream=True):
            words.extend(choice.delta.content for choice in chunk.choices if choice.delta.content)

    with client(running) as openai_client, pytest.raises(openai.APIError) as lost:
        read(openai_client)
    assert len(words) == 5
    assert lost.value.code == "upstream_lost"


def test_the_asynchronous_client_streams_and_embeds(running: Rig) -> None:
    """Ten streams at once over one client."""

    async def talk() -> list[int]:
        options: dict[str, Any] = {"api_key": running.key, "max_retries": 0}
        base = f"{running.url}/v1"
        async with openai.AsyncOpenAI(base_url=base, _strict_response_validation=True, **options) as many:

            async def one(number: int) -> int:
                stream = await many.chat.completions.create(model=MODEL, messages=said(f"caller {number}"), stream=True)
                return len([chunk async for chunk in stream if chunk.choices and chunk.choices[0].delta.content])

            counts = await asyncio.gather(*(one(number) for number in range(10)))
            vectors = await many.embeddings.create(model=MODEL, input="one", encoding_format="float")
            return [*counts, len(vectors.data)]

    assert asyncio.run(talk()) == [16] * 10 + [1]


# --- anthropic -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway before a server of the Anthropic dialect."""
    declared = {"cloud-1": {"dialect": "anthropic"}}
    with rig(tmp_path_factory.mktemp("anthropic"), upstreams=declared) as found:
        yield found


CLAUDE_TOOLS: list[Any] = [
    {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
]


@pytest.fixture(params=["translated", "native"])
def anthropic_rig(request: pytest.FixtureRequest) -> Rig:
    """Messages served by an OpenAI-compatible upstream, and by one of the Anthropic dialect."""
    found: Rig = request.getfixturevalue("native" if request.param == "native" else "running")
    return found


def claude(found: Rig) -> anthropic.Anthropic:
    """The synchronous client; no attempts of its own."""
    return anthropic.Anthropic(base_url=found.url, api_key=found.key, max_retries=0, _strict_response_validation=True)


def test_messages_whole(anthropic_rig: Rig) -> None:
    """A message with its usage and the reason it stopped."""
    with claude(anthropic_rig) as anthropic_client:
        answer = anthropic_client.messages.create(model=MODEL, max_tokens=5, messages=said(), system="Be brief.")
    assert answer.content[0].type == "text"
    assert len(answer.content[0].text.split()) == 5
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 5


def test_messages_streamed(anthropic_rig: Rig) -> None:
    """Events as the client's own accumulator wants them."""
    with (
        claude(anthropic_rig) as anthropic_client,
        anthropic_client.messages.stream(model=MODEL, max_tokens=50, messages=said()) as stream,
    ):
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert len(text.split()) == 16
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == 16


def test_messages_call_tools(anthropic_rig: Rig) -> None:
    """A tool is called, whole and streamed, and its result taken."""
    with claude(anthropic_rig) as anthropic_client:
        answer = anthropic_client.messages.create(model=MODEL, max_tokens=50, messages=said(), tools=CLAUDE_TOOLS)
        used = answer.content[-1]
        assert used.type == "tool_use"
        assert (used.name, used.input, answer.stop_reason) == ("weather", {"city": "Oslo"}, "tool_use")
        with anthropic_client.messages.stream(
            model=MODEL, max_tokens=50, messages=said(), tools=CLAUDE_TOOLS
        ) as stream:
            streamed = stream.get_final_message().content[-1]
        assert streamed.type == "tool_use"
        assert streamed.input == {"city": "Oslo"}
        result = [{"type": "tool_result", "tool_use_id": used.id, "content": "7"}]
        history: list[Any] = [
            *said(),
            {"role": "assistant", "content": [each.model_dump() for each in answer.content]},
            {"role": "user", "content": result},
        ]
        after = anthropic_client.messages.create(model=MODEL, max_tokens=50, messages=history, tools=CLAUDE_TOOLS)
    assert after.stop_reason == "end_turn"


def test_messages_refuse_in_the_anthropic_shape(anthropic_rig: Rig) -> None:
    """Errors are the client's own classes."""
    stranger = anthropic.Anthropic(base_url=anthropic_rig.url, api_key="nobody", max_retries=0)
    with claude(anthropic_rig) as anthropic_client, stranger:
        with pytest.raises(anthropic.NotFoundError) as missing:
            anthropic_client.messages.create(model="no-such-model", max_tokens=5, messages=said())
        with pytest.raises(anthropic.AuthenticationError):
            stranger.messages.create(model=MODEL, max_tokens=5, messages=said())
    body: Any = missing.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == "not_found_error"


def test_messages_that_are_lost_raise(anthropic_rig: Rig) -> None:
    """A cut stream is an error of the client's, never a short answer."""
    for server in anthropic_rig.servers.values():
        server.behaviour = Behaviour(cut_after=5)

    def read(anthropic_client: anthropic.Anthropic) -> str:
        with anthropic_client.messages.stream(model=MODEL, max_tokens=50, messages=said()) as stream:
            return "".join(stream.text_stream)

    with claude(anthropic_rig) as anthropic_client, pytest.raises(anthropic.APIError):
        read(anthropic_client)


# --- upstreams of other kinds, for the openai client -----------------------------------------------------------------


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A gateway before a server that is addressed as Azure's are."""
    declared = {"cloud-1": {"dialect": "azure", "api_version": "2024-10-21"}}
    with rig(tmp_path_factory.mktemp("azure"), upstreams=declared) as found:
        yield found


@pytest.fixture(params=["azure", "native"])
def other_kind(request: pytest.FixtureRequest) -> Rig:
    """Chat served by an Azure-style upstream, and by one that speaks Messages only."""
    found: Rig = request.getfixturevalue(request.param)
    return found


def test_chat_is_served_by_upstreams_of_every_kind(other_kind: Rig) -> None:
    """Whole, streamed with usage, and with tools; strictly validated."""
    with client(other_kind) as openai_client:
        whole = openai_client.chat.completions.create(model=MODEL, messages=said(), max_tokens=5)
        options: dict[str, Any] = {"stream_options": {"include_usage": True}}
        chunks = list(openai_client.chat.completions.create(model=MODEL, messages=said(), stream=True, **options))
        called = openai_client.chat.completions.create(model=MODEL, messages=said(), tools=TOOLS)
    assert whole.choices[0].message.content is not None
    assert (len(whole.choices[0].message.content.split()), whole.choices[0].finish_reason) == (5, "length")
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [16]
    calls = called.choices[0].message.tool_calls
    assert calls
    assert called.choices[0].finish_reason == "tool_calls"


def test_each_kind_is_asked_in_its_own_way(azure: Rig, native: Rig) -> None:
    """Path, version and credential as each provider wants them; the caller's key stays here."""
    for found in (azure, native):
        with client(found) as openai_client:
            openai_client.chat.completions.create(model=MODEL, messages=said(), max_tokens=5)
    asked = azure.servers["cloud-1"].seen[-1]
    assert "/deployments/tiny/chat/completions?api-version=2024-10-21" in asked.path
    assert "api-key" in asked.headers
    told = native.servers["cloud-1"].seen[-1]
    assert told.path == "/v1/messages"
    assert {"x-api-key", "anthropic-version"} <= set(told.headers)
    for seen in (asked, told):
        assert azure.key not in " ".join(seen.headers.values())


# --- curl ------------------------------------------------------------------------------------------------------------


def curl(found: Rig, *flags: str, body: str | None = None, path: str = "/v1/chat/completions") -> str:
    """What curl prints: headers, an empty line, the body."""
    program = shutil.which("curl")
    if program is None:
        missing_component("curl is not installed")
    sent = ["--data", body, "-H", "content-type: application/json"] if body is not None else []
    command = [str(program), "-sS", "-i", "--max-time", "20", *flags, *sent, "-H", f"authorization: Bearer {found.key}"]
    run = subprocess.run([*command, f"{found.url}{path}"], capture_output=True, text=True, check=True)
    return run.stdout


BODY = '{"model": "chat", "messages": [{"role": "user", "content": "x"}], "max_tokens": 3}'
STREAM = BODY[:-1] + ', "stream": true}'


def test_curl_speaks_http_1_0_and_is_answered_without_chunks(running: Rig) -> None:
    """An old client gets a body it can end, whole or streamed."""
    whole = curl(running, "--http1.0", body=BODY)
    assert "200 OK" in whole.splitlines()[0]
    assert "transfer-encoding" not in whole.lower()
    streamed = curl(running, "--http1.0", "-N", body=STREAM)
    assert "transfer-encoding" not in streamed.lower()
    assert streamed.rstrip().endswith("data: [DONE]")


def test_curl_streams_compares_and_waits_for_permission(running: Rig) -> None:
    """Streams unbuffered; sends a large body with Expect; keeps its connection over two requests."""
    assert curl(running, "-N", body=STREAM).rstrip().endswith("data: [DONE]")
    large = BODY.replace('"x"', '"' + "x " * 3000 + '"')
    assert "200 OK" in curl(running, "-H", "expect: 100-continue", body=large)
    twice = curl(running, f"{running.url}/v1/models", path="/v1/models")
    assert twice.count("200 OK") == 2
    assert "no-store" in curl(running, path="/v1/models").lower()


def test_curl_asks_for_the_head_only(running: Rig) -> None:
    """HEAD is GET without the body."""
    head = curl(running, "-I", path="/v1/models")
    assert "200 OK" in head
    assert '"data"' not in head
