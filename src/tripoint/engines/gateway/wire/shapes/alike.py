"""Chats that differ from one read before in their prompt alone: what stands around it is recognised, not read again.

Callers send thousands of bodies that only their prompts tell apart. The first of them is read in full. Of a later one
every byte outside the prompt is compared, and the prompt must be one JSON value, by the same decoder as before: then no
other member can be in it, and what was read of the first holds for it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tripoint.domain.serving import Api
from tripoint.engines.gateway.wire.shapes.asked import BYTES_PER_TOKEN, LEAST_PREFIX_BYTES, PREFIX_BYTES, Ask, checksum
from tripoint.engines.gateway.wire.shapes.plain import read_plainly

_MOST: Final = 4
"""Kinds of bodies kept for one caller."""
_LONGEST_AROUND: Final = 4_096
"""Most bytes around the prompt of a kind that is kept: there may be thousands of callers."""
_PATIENCE: Final = 16
"""Bodies in a row that were like none before: from then on few of them are taken note of."""
_RARELY: Final = 64
_LEAST_PROMPT: Final = 8
_SPACE: Final = ord(" ")
_value: Final = msgspec.json.Decoder(msgspec.Raw).decode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Alike:
    """One kind of body."""

    __slots__ = (
        "_after", "_api", "_around", "_before", "_beginning", "_beside", "_is_reproducible", "_is_stream", "_longest",
        "_model", "_model_at", "_model_end", "_model_follows", "_prefix", "_size", "_start", "_tokens_out",
        "_wants_usage",
    )  # fmt: skip

    def __init__(self, ask: Ask, longest: int) -> None:
        body, size = ask.body, ask.prompt_end - ask.prompt_at
        self._longest = longest
        self._api = ask.api
        self._start = ask.prompt_at
        self._before = body[: ask.prompt_at]
        self._after = body[ask.prompt_end :]
        self._around = self._before + self._after
        self._size = len(self._around)
        self._beside = ask.tokens_in - size // BYTES_PER_TOKEN
        self._model = ask.model
        self._model_follows = ask.model_at > ask.prompt_at
        # Where the model's name stands, as if the prompt were empty.
        self._model_at = ask.model_at - size if self._model_follows else ask.model_at
        self._model_end = ask.model_end - size if self._model_follows else ask.model_end
        self._is_stream = ask.is_stream
        self._wants_usage = ask.wants_usage
        self._tokens_out = ask.tokens_out
        self._is_reproducible = ask.is_reproducible
        # What the prompt met last began with, and its checksum: many begin alike.
        self._beginning = b""
        self._prefix = 0

    def read(self, api: Api, body: bytes) -> Ask | None:
        """The request, where its body is of this kind; `None` where it is not, or is not proper."""
        whole, start = len(body), self._start
        size = whole - self._size
        if size < _LEAST_PROMPT or whole >= self._longest or api is not self._api:
            return None
        end = start + size
        if not body.startswith(self._before) or body[end:] != self._after:
            return None
        prompt = body[start:end]
        if prompt[0] <= _SPACE or prompt[-1] <= _SPACE:
            return None
        try:
            if not body.isascii():
                str(body, "utf-8")  # as in `read_ask`
            _value(prompt)
        except _UNREADABLE:
            return None
        ask = Ask(api, body, None, ())
        ask.model = self._model
        ask.is_plain = True
        ask.around = self._around
        ask.is_stream = self._is_stream
        ask.wants_usage = self._wants_usage
        ask.tokens_out = self._tokens_out
        ask.is_reproducible = self._is_reproducible
        shift = size if self._model_follows else 0
        ask.model_at, ask.model_end = self._model_at + shift, self._model_end + shift
        ask.prompt_at, ask.prompt_end = start, end
        ask.tokens_in = size // BYTES_PER_TOKEN + self._beside
        if size >= LEAST_PREFIX_BYTES:
            beginning = prompt[:PREFIX_BYTES]
            if beginning != self._beginning:
                self._beginning, self._prefix = beginning, checksum(beginning) or 1
            ask.prefix = self._prefix
        return ask


class Likes:
    """Kinds of bodies one caller sends, the one met last first; bodies from `longest` bytes on are none."""

    __slots__ = ("_kinds", "_latest", "_longest", "_unlike")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._latest: Alike | None = None
        self._kinds: tuple[Alike, ...] = ()
        self._unlike = 0

    def read(self, api: Api, body: bytes, read: Callable[[Api, bytes], Ask]) -> Ask:
        """The request a body is; `read` reads it where it is like none before, and may raise."""
        latest = self._latest
        if latest is not None:
            ask = latest.read(api, body)
            if ask is not None:
                return ask
        for kind in self._kinds:
            if kind is not latest and (ask := kind.read(api, body)) is not None:
                self._latest = kind
                self._unlike = 0
                return ask
        ask = read(api, body)
        if len(body) < self._longest:
            self._unlike += 1
            if self._unlike <= _PATIENCE or self._unlike % _RARELY == 0:
                self._learn(ask)
        return ask

    def _learn(self, ask: Ask) -> None:
        """Takes note of a body that was read, where it is a plain one."""
        plain = ask
        if not ask.is_plain:
            plain = Ask(ask.api, ask.body, ask.members, ())
            if (ask.api is not Api.CHAT and ask.api is not Api.COMPLETIONS) or not read_plainly(plain, ask.members):
                return
        size = plain.prompt_end - plain.prompt_at
        if size < _LEAST_PROMPT or len(plain.body) - size > _LONGEST_AROUND:
            return
        self._latest = kind = Alike(plain, self._longest)
        self._kinds = (kind, *self._kinds[: _MOST - 1])
