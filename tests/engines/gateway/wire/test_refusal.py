"""Errors as the official clients see them: status errors of bodies, and events on which their streams raise."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types.shared import ErrorResponse

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.refusal import error_body, error_event
from tripoint.engines.gateway.wire.sse import StreamReader

CHUNK = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'
STATUSES = [400, 401, 403, 404, 413, 429, 500, 502, 503, 504]


def http(status: int, body: bytes) -> httpx2.Client:
    """A client of a server that answers only this."""
    kind = "text/event-stream" if status == 200 else "application/json"
    return httpx2.Client(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(status, headers={"content-type": kind}, content=body))
    )


def openai_client(status: int, body: bytes) -> openai.OpenAI:
    """The official client over a server that answers only this."""
    return openai.OpenAI(api_key="k", base_url="http://gateway/v1", max_retries=0, http_client=http(status, body))


def anthropic_client(status: int, body: bytes) -> anthropic.Anthropic:
    """Likewise."""
    return anthropic.Anthropic(api_key="k", base_url="http://gateway", max_retries=0, http_client=http(status, body))


OPENAI_CALLS: dict[Api, Callable[[openai.OpenAI, bool], Any]] = {
    Api.CHAT: lambda client, is_stream: client.chat.completions.create(model="m", messages=[], stream=is_stream),
    Api.COMPLETIONS: lambda client, is_stream: client.completions.create(model="m", prompt="p", stream=is_stream),
    Api.RESPONSES: lambda client, is_stream: client.responses.create(model="m", input="p", stream=is_stream),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("api", OPENAI_CALLS)
def test_openai_clients_read_every_field(api: Api, status: int) -> None:
    """Class by status; code, type, parameter and message as fields."""
    body = error_body(api, status, "some_code", "what was found", "n")
    with pytest.raises(openai.APIStatusError) as caught:
        OPENAI_CALLS[api](openai_client(status, body), False)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (status, "some_code", "n")
    assert "what was found" in error.message
    assert error.type


@pytest.mark.parametrize("status", STATUSES)
def test_anthropic_clients_read_every_field(status: int) -> None:
    """Bodies are valid by the package's own types; the code stands where it looks for one."""
    body = error_body(Api.MESSAGES, status, "some_code", "what was found")
    if status != 413:  # the one type the package has no class for
        ErrorResponse.model_validate_json(body)
    with pytest.raises(anthropic.APIStatusError) as caught:
        anthropic_client(status, body).messages.create(model="m", messages=[], max_tokens=1)
    error = caught.value
    assert (error.status_code, error.api_message, error.error_code) == (status, "what was found", "some_code")


@pytest.mark.parametrize("api", OPENAI_CALLS)
def test_openai_streams_raise(api: Api) -> None:
    """On the event, with its code and what was delivered."""
    event = error_event(api, "upstream_lost", "the upstream was lost", request_id="r-1", tokens_delivered=3)
    begun = CHUNK if api is Api.CHAT else b""
    with pytest.raises(openai.APIError) as caught:
        list(OPENAI_CALLS[api](openai_client(200, begun + event), True))
    error = caught.value
    assert (error.code, error.message) == ("upstream_lost", "the upstream was lost")
    assert isinstance(error.body, dict)
    assert (error.body["request_id"], error.body["tokens_delivered"]) == ("r-1", 3)


def test_anthropic_streams_raise() -> None:
    """Likewise."""
    event = error_event(Api.MESSAGES, "upstream_lost", "the upstream was lost", request_id="r-1", tokens_delivered=3)
    with pytest.raises(anthropic.APIStatusError) as caught:
        list(anthropic_client(200, event).messages.create(model="m", messages=[], max_tokens=1, stream=True))
    error = caught.value
    assert (error.api_message, error.error_code) == ("the upstream was lost", "upstream_lost")
    assert isinstance(error.body, dict)
    assert error.body["error"]["details"]["tokens_delivered"] == 3


@pytest.mark.parametrize("api", [Api.CHAT, Api.COMPLETIONS, Api.RESPONSES, Api.MESSAGES])
def test_our_own_events_are_errors_to_ourselves(api: Api) -> None:
    """A gateway in front of a gateway sees that a stream was lost."""
    reader = StreamReader(api, strip_usage=False)
    reader.feed(error_event(api, "upstream_lost", "line\nend"))
    assert (reader.error, reader.is_done) == ("upstream_lost", False)


@pytest.mark.parametrize("api", Api)
def test_words_cannot_break_out(api: Api) -> None:
    """Whatever a message holds, it is one event of two lines at most, and JSON."""
    event = error_event(api, "c", 'a\n\ndata: [DONE]\r\n"\\')
    assert event.count(b"\n\n") == 1
    assert json.loads(event.partition(b"data: ")[2])
