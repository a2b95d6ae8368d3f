"""Which interface serves which, and errors in the caller's words."""

from __future__ import annotations

import contextlib
import json

import openai
import pytest
from anthropic.types.shared import ErrorResponse
from hypothesis import given
from hypothesis import strategies as st
from tests.factories import serving
from tests.factories.conversing import TranslatingServer, asked, translator

from tripoint.domain.serving import Api
from tripoint.engines.gateway.dialects.translation import TranslationError, served_as, translation
from tripoint.engines.gateway.wire.malformed import Malformed

PAIRS = [(Api.CHAT, Api.MESSAGES), (Api.MESSAGES, Api.CHAT)]


@pytest.mark.parametrize("api", Api)
def test_an_interface_offered_is_used_as_it_is(api: Api) -> None:
    """Also when the other one is offered: model servers that speak Messages themselves are not translated."""
    assert served_as(api, serving.target(apis=tuple(Api))) is api
    assert translation(api, api) is None


def test_chat_and_messages_stand_in_for_each_other() -> None:
    """Nothing else does."""
    served = {
        (api, only): served_as(api, serving.target(apis=(only,))) for api in Api for only in Api if api is not only
    }
    assert {pair: answer for pair, answer in served.items() if answer is not None} == {pair: pair[1] for pair in PAIRS}
    assert all(translation(*pair) is not None for pair in PAIRS)


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error":{"message":"long","type":"invalid_request_error","code":"too_long"}}', "long", "too_long"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', "busy", "overloaded_error"),
        (b'{"error":"plain words"}', "plain words", "upstream_error"),
        (b'{"object":"error","message":"older vLLM","code":400}', "older vLLM", "upstream_error"),
        (b"<html>bad gateway</html>", "the upstream answered 400", "upstream_error"),
        (b"", "the upstream answered 400", "upstream_error"),
        (b'{"error":{"message":["x"],"code":{}}}', "the upstream answered 400", "upstream_error"),
        (b"[" * 50_000, "the upstream answered 400", "upstream_error"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pair", PAIRS)
def test_errors_in_the_callers_shape(pair: tuple[Api, Api], body: bytes, message: str, code: str) -> None:
    """Whatever shape they came in."""
    error = json.loads(translator(*pair).error(400, body))
    assert (error["error"]["message"], error["error"]["code"]) == (message, code)
    if pair[0] is Api.MESSAGES:
        ErrorResponse.model_validate(error)


@given(st.binary(max_size=100), st.sampled_from(PAIRS), st.sampled_from([400, 401, 404, 429, 500, 529]))
def test_any_error_answer_has_words(body: bytes, pair: tuple[Api, Api], status: int) -> None:
    """Random bytes too."""
    assert json.loads(translator(*pair).error(status, body))["error"]["message"]


def test_long_words_are_cut() -> None:
    """An upstream's page of HTML is no message."""
    body = json.dumps({"error": {"message": "x" * 10_000}}).encode()
    assert len(json.loads(translator(*PAIRS[0]).error(500, body))["error"]["message"]) == 2_000


def test_the_official_client_raises_on_a_translated_error() -> None:
    """By status, with the upstream's words."""
    said = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'
    client = TranslatingServer(Api.CHAT, Api.MESSAGES, lambda _: (429, said)).openai()
    with pytest.raises(openai.RateLimitError, match="slow down") as caught:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    assert caught.value.code == "rate_limit_error"


def test_nesting_that_translation_deepens_is_refused() -> None:
    """Arguments are read on their own and written within a message: some depths pass the one and not the other."""
    for depth in range(900, 1_000):
        arguments = '{"a":' + "[" * depth + "]" * depth + "}"
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
        with contextlib.suppress(Malformed):
            translator(Api.CHAT, Api.MESSAGES).request(asked(Api.CHAT, model="m", messages=[said]), "x")
        answer = {"choices": [{"message": said, "finish_reason": "tool_calls"}]}
        with contextlib.suppress(TranslationError):
            translator(Api.MESSAGES, Api.CHAT).answer(json.dumps(answer).encode())


@pytest.mark.parametrize("pair", PAIRS)
def test_conversations_of_too_many_objects_are_refused(pair: tuple[Api, Api]) -> None:
    """Passed through they are bytes; translated, each would be an object."""
    ask = asked(pair[0], model="m", max_tokens=3, messages=[{}] * 100_001)
    with pytest.raises(Malformed, match="more than 100000 objects") as caught:
        translator(*pair).request(ask, "x")
    assert caught.value.status == 413
