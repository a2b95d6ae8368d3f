"""How long may an answer get? The limit a caller set in any of its spellings, and one set for a caller who did not."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import msgspec

from tripoint.domain.serving import Api, Dialect
from tripoint.domain.table import Target
from tripoint.engines.gateway.wire.ask import MAX_TOKENS_OUT, Ask, outgoing_body

_CHAT: Final = Api.CHAT
_OLDER: Final = "max_tokens"
_NEWER: Final = "max_completion_tokens"
_OPENAI = "openai.com"
_whole = msgspec.json.Decoder(int | None).decode


def output_limit(ask: Ask) -> int:
    """The most output tokens per choice that any spelling of the limit allows; 0 when none is set."""
    limit = ask.tokens_out
    if ask.api is _CHAT and not ask.is_plain:
        # Of the two an upstream may go by either, and only the newer one was looked at.
        members = ask.members
        if _NEWER in members and (raw := members.get(_OLDER)) is not None:
            with suppress(msgspec.DecodeError):  # no number: for the upstream to refuse
                limit = max(limit, min(_whole(raw) or 0, MAX_TOKENS_OUT))
    return limit


def limit_output(ask: Ask, tokens: int) -> None:
    """Sets a limit where the caller set none; it leaves with the body."""
    name = "max_output_tokens" if ask.api is Api.RESPONSES else _OLDER
    ask.members[name] = msgspec.Raw(b"%d" % tokens)
    ask.tokens_out = tokens
    ask.set_limit = name
    ask.model_at = 0  # the body is written anew


def suit_target(ask: Ask, target: Target) -> None:
    """Spells a limit that was set here as the target's dialect wants it; the caller's own are left as they are.

    OpenAI's newer models and Azure's refuse `max_tokens`; other servers may not know the newer name.
    """
    if ask.api is not _CHAT:
        return
    is_newer = target.dialect is Dialect.AZURE or target.host.endswith(_OPENAI)
    name = _NEWER if is_newer else _OLDER
    if name != ask.set_limit:
        ask.members[name] = ask.members.pop(ask.set_limit)
        ask.set_limit = name


def limited_body(ask: Ask) -> bytes:
    """The caller's body with the limit that was set here, for those who read it anew."""
    return outgoing_body(ask, ask.model, with_usage=False)
