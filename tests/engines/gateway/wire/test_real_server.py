"""A real model server: what it streams is read to the last token, in each interface and through both translations."""

from __future__ import annotations

import http.client
import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import missing_component

from tripoint.adapters.local_models import ModelServer, chat_model
from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.translation import translation
from tripoint.engines.gateway.wire.ask import outgoing_body, read_ask
from tripoint.engines.gateway.wire.sse import StreamReader
from tripoint.engines.gateway.wire.usage import read_usage

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]
PATHS = {
    Api.CHAT: "/v1/chat/completions",
    Api.COMPLETIONS: "/v1/completions",
    Api.RESPONSES: "/v1/responses",
    Api.MESSAGES: "/v1/messages",
}
TOKENS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """One llama.cpp server."""
    if importlib.util.find_spec("xllamacpp") is None:
        missing_component("xllamacpp is not installed")
    folder = tmp_path_factory.mktemp("server")
    server = ModelServer(chat_model(folder, "pocket"), "pocket", is_embedding=False, log=folder / "log")
    try:
        server.begin()
        server.wait_ready()
        yield server
    finally:
        server.stop()


def request(api: Api, **members: Any) -> bytes:
    """The same question in any interface."""
    prompt: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": TOKENS}
    if api is Api.COMPLETIONS:
        prompt = {"prompt": "hello", "max_tokens": TOKENS}
    if api is Api.RESPONSES:
        prompt = {"input": "hello", "max_output_tokens": TOKENS}
    return json.dumps({"model": "asked", "temperature": 0, **prompt, **members}).encode()


def answer(server: ModelServer, path: str, body: bytes) -> bytes:
    """The body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request("POST", path, body, {"content-type": "application/json"})
        found = connection.getresponse()
        said = found.read()
        assert found.status == 200, said
        return said
    finally:
        connection.close()


@pytest.mark.parametrize("api", PATHS)
def test_each_interface_is_read_exactly(server: ModelServer, api: Api) -> None:
    """Every token is an event, usage is found, and only what we asked for is taken out."""
    ask = read_ask(api, request(api, stream=True))
    said = answer(server, PATHS[api], outgoing_body(ask, "pocket", with_usage=True))
    reader = StreamReader(api, strip_usage=not ask.wants_usage)
    passed = b"".join([reader.feed(part + b"\n\n") for part in said.split(b"\n\n")[:-1]]) + reader.flush()
    assert reader.usage is not None
    assert (reader.events, reader.usage.tokens_out, reader.is_done, reader.error) == (TOKENS, TOKENS, True, "")
    assert (passed == said) == (api is not Api.CHAT)
    whole = read_usage(
        api, answer(server, PATHS[api], outgoing_body(read_ask(api, request(api)), "pocket", with_usage=True))
    )
    assert whole is not None
    assert whole[:2] == reader.usage[:2]


@pytest.mark.parametrize(("api", "served"), [(Api.CHAT, Api.MESSAGES), (Api.MESSAGES, Api.CHAT)])
def test_a_translated_answer_is_the_same(server: ModelServer, api: Api, served: Api) -> None:
    """Word for word what the server says in its own interface."""
    texts = []
    ask = read_ask(api, request(api, stream=True, stream_options={"include_usage": True}))
    between = translation(api, served)
    assert between is not None
    translated = between.stream(ask)
    reader = StreamReader(served, strip_usage=False)
    said = answer(server, PATHS[served], between.request(ask, "pocket"))
    events = translated.feed(reader.feed(said) + reader.flush()) + translated.flush()
    for stream in (events, answer(server, PATHS[api], outgoing_body(ask, "pocket", with_usage=True))):
        back = StreamReader(api, strip_usage=False, keep_text=True)
        back.feed(stream)
        assert back.usage is not None
        assert (back.is_done, back.usage.tokens_out) == (True, TOKENS)
        texts.append(back.text())
    assert texts[0] == texts[1] != ""
