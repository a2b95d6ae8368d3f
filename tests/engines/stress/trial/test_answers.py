"""Requests of a trial: as long as what they say they are."""

from __future__ import annotations

import pytest

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.ask import BYTES_PER_TOKEN
from tripoint.engines.stress.trial.places.answers import Asks, fresh_ask


@pytest.mark.parametrize("api", [Api.CHAT, Api.EMBEDDINGS])
@pytest.mark.parametrize("tokens", [0, 1, 1000])
def test_a_request_under_a_budget_is_as_long_as_its_tokens(api: Api, tokens: int) -> None:
    """Money is reserved by the length of the body, so a short one would be answered for more than it holds."""
    ask = fresh_ask("chat", api, False, tokens)
    assert ask.tokens_in == tokens
    assert len(ask.body) >= tokens * BYTES_PER_TOKEN
    assert ask.prefix == Asks().of("chat", api, False, tokens).prefix
