"""Conversations with tools and images, and official clients over an upstream that is a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
from hypothesis import strategies as st

from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.translation import Translation, translation
from tripoint.engines.gateway.wire.ask import Ask, read_ask
from tripoint.engines.gateway.wire.sse import StreamReader

Members = dict[str, Any]
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)
NAMES = st.from_regex(r"\A[a-z][a-z0-9_]{0,8}\Z")
ARGUMENTS = st.dictionaries(NAMES, st.none() | st.booleans() | st.integers(-(2**50), 2**50) | WORDS, max_size=3)


@st.composite
def chat_turns(draw: st.DrawFn) -> list[Members]:
    """Chat messages: a user's words or picture, then an answer, then results of every tool it called."""
    turns: list[Members] = []
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        text = {"type": "text", "text": draw(WORDS)}
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}}
        link = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
        content = draw(st.sampled_from([text["text"], [text], [text, picture], [picture, link, text]]))
        turns.append({"role": "user", "content": content})
        calls = []
        for _ in range(draw(st.integers(0, 3))):
            number += 1
            function = {"name": draw(NAMES), "arguments": json.dumps(draw(ARGUMENTS))}
            calls.append({"id": f"call_{number}", "type": "function", "function": function})
        said = draw(st.none() | WORDS) if calls else draw(WORDS)
        turns.append({"role": "assistant", "content": said, **({"tool_calls": calls} if calls else {})})
        turns += [{"role": "tool", "tool_call_id": call["id"], "content": draw(WORDS)} for call in calls]
    turns.append({"role": "user", "content": draw(WORDS)})
    return turns


def translator(api: Api, served: Api) -> Translation:
    """The translation between two interfaces that differ."""
    found = translation(api, served)
    assert found is not None
    return found


def asked(api: Api, **members: Any) -> Ask:
    """A request of these members."""
    return read_ask(api, json.dumps(members).encode())


def translated(api: Api, served: Api, **members: Any) -> Members:
    """What an upstream is sent for a request of these members."""
    sent: Members = json.loads(translator(api, served).request(asked(api, **members), "upstream-name"))
    assert sent["model"] == "upstream-name"
    return sent


def whole(value: Any) -> Any:
    """A validated value with everything pydantic left to be validated when it is read."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, Iterator)) or type(value).__name__ == "ValidatorIterator":
        return [whole(inner) for inner in value]
    return value


class TranslatingServer:
    """What a caller sees of an upstream behind a translation; `answer` is what the upstream says, whole or streamed."""

    def __init__(self, api: Api, served: Api, answer: Callable[[Members], tuple[int, bytes]], piece: int = 0) -> None:
        self.api = api
        self.served = served
        self.answer = answer
        self.piece = piece
        """Bytes of a streamed answer that arrive at once; all when 0."""
        self.sent: list[Members] = []
        """Bodies the upstream got."""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """One exchange."""
        ask = read_ask(self.api, request.read())
        between = translator(self.api, self.served)
        body = between.request(ask, "upstream-name")
        self.sent.append(json.loads(body))
        status, said = self.answer(self.sent[-1])
        if status != 200:
            return httpx2.Response(status, json=json.loads(between.error(status, said)))
        if not ask.is_stream:
            return httpx2.Response(200, json=json.loads(between.answer(said, created=1_700_000_000)))
        reader = StreamReader(self.served, strip_usage=False)
        stream = between.stream(ask, created=1_700_000_000)
        size = self.piece or len(said)
        events = [stream.feed(reader.feed(said[start : start + size])) for start in range(0, len(said), size)]
        events += [stream.feed(reader.flush()), stream.flush()]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"".join(events))

    def http(self) -> httpx2.Client:
        """An HTTP client that reaches nothing but this."""
        return httpx2.Client(transport=httpx2.MockTransport(self))

    def openai(self) -> openai.OpenAI:
        """The official client, strict about what it gets."""
        return openai.OpenAI(
            api_key="k", base_url="http://gateway/v1", max_retries=0, http_client=self.http(),
            _strict_response_validation=True,
        )  # fmt: skip

    def anthropic(self) -> anthropic.Anthropic:
        """The official client, strict about what it gets."""
        return anthropic.Anthropic(
            api_key="k", base_url="http://gateway", max_retries=0, http_client=self.http(),
            _strict_response_validation=True,
        )  # fmt: skip
