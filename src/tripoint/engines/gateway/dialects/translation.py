"""Which interface of an upstream serves the one asked for, and what translates between the two?"""

from __future__ import annotations

from typing import Protocol

from tripoint.domain.serving import Api
from tripoint.domain.table import Target
from tripoint.engines.gateway.dialects.chat_over_messages import ChatOverMessages
from tripoint.engines.gateway.dialects.messages_over_chat import MessagesOverChat
from tripoint.engines.gateway.dialects.words import TranslationError as TranslationError
from tripoint.engines.gateway.wire.ask import Ask

# The other interface that says the same, where a translation exists.
_NEAR = {Api.CHAT: Api.MESSAGES, Api.MESSAGES: Api.CHAT}


class StreamTranslation(Protocol):
    """Translates one streamed answer."""

    def feed(self, events: bytes) -> bytes:
        """Whole events of the upstream in, whole events for the caller out."""
        ...

    def flush(self) -> bytes:
        """What is left to say at the end of the upstream's stream."""
        ...


class Translation(Protocol):
    """Between the interface asked for and the one an upstream offers; remembers nothing, so that all may share it.

    `created` is when an answer is made, seconds since the epoch: chat answers say so and messages do not.
    """

    def request(self, ask: Ask, name: str) -> bytes:
        """The body for an upstream that calls the model `name`; raises `Malformed` for what cannot be carried over."""
        ...

    def answer(self, body: bytes, *, created: int = 0) -> bytes:
        """A whole answer in the interface asked for; raises `TranslationError`."""
        ...

    def error(self, status: int, body: bytes) -> bytes:
        """An error answer in the interface asked for."""
        ...

    def stream(self, ask: Ask, *, created: int = 0) -> StreamTranslation:
        """For the streamed answer to one request."""
        ...


def served_as(api: Api, target: Target) -> Api | None:
    """The interface of the target that serves this one, directly or translated; `None` when none does."""
    if api in target.apis:
        return api
    near = _NEAR.get(api)
    return near if near in target.apis else None


def translation(api: Api, served: Api) -> Translation | None:
    """What translates between an interface and the one it is served as; `None` when they are the same."""
    if api is Api.CHAT and served is Api.MESSAGES:
        return ChatOverMessages()
    if api is Api.MESSAGES and served is Api.CHAT:
        return MessagesOverChat()
    return None
