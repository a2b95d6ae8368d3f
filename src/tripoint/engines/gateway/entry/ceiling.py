"""What can a request cost at most? Its bytes bound the input, its limit the output, the dearest candidate the price.

A token stands for one byte at least, so a body has no more tokens than bytes, beside what a server's template adds.
What a body only refers to (an image by address, an earlier answer by id) is not bounded by its bytes: each such word
counts as much as such things take, and a reference to whole documents or conversations as a whole context.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tripoint.domain.serving import Api
from tripoint.domain.table import Candidate, Route
from tripoint.engines.gateway.wire.ask import Ask
from tripoint.engines.gateway.wire.excision import uncut
from tripoint.engines.gateway.wire.output import output_limit

TEMPLATE_TOKENS: Final = 512
"""What templates and system prompts of a server's own add to a prompt."""
PICTURE_TOKENS: Final = 4_096
"""What each word that may stand for a picture or sound elsewhere adds; a part of a message has one or two of them."""
UNKNOWN_CONTEXT: Final = 262_144
"""Input of a request that refers to documents or conversations, where no candidate's context is known."""
LEAST_LIMIT: Final = 1_024
TIMES_TYPICAL: Final = 4
"""A caller under a budget who sets no limit gets so many times the workload's typical output, but at least so much."""
_CHAT: Final = Api.CHAT
_CHAT_PICTURES: Final[tuple[bytes, ...]] = (b'"image', b'"input_audio')
_CHAT_DOCUMENTS: Final[tuple[bytes, ...]] = (b'"file',)
_PICTURES: Final = {
    Api.MESSAGES: (b'"image',),
    Api.RESPONSES: (b'"input_image', b'"input_audio'),
}
"""How parts that are pictures or sound begin, by interface; others know none."""
_DOCUMENTS: Final = {
    Api.MESSAGES: (b'"document', b'"file', b'"mcp'),
    Api.RESPONSES: (b'"file', b'"input_file', b'"previous_response_id"', b'"conversation"', b'"prompt"', b'"mcp'),
}
"""The same of what stands for a document or a conversation. All of these words begin with a quote, and hold no other
but at their end."""
_WINDOW: Final = 16 * 1024
"""Python looks through 30,000 bytes and more in another way, which takes four times as long for words as short."""
_ESCAPED: Final = b"\\u00"
_LETTERS: Final = re.compile(rb"\\u00(5[Ff]|[46][1-9A-Fa-f]|[57][0-9Aa])")
"""Escapes of the signs that words are made of; JSON means the same by them, and hardly anybody writes them."""
_MOST_LETTERS: Final = 4_096
"""So many are read as what they stand for, one by one. Who writes more is taken to refer to a whole context, and with
each further escape to a picture: none of them hides more."""
_NONE: Final[tuple[bytes, ...]] = ()
_EMBEDDINGS: Final = Api.EMBEDDINGS


class Ceiling:
    """The dearest of what may serve a request, component by component; nothing it may be sent to costs more."""

    __slots__ = ("_around", "_beside", "contexts", "pico_in", "pico_out", "pico_request", "typical")

    def __init__(self, candidates: Iterable[Candidate], typical: int) -> None:
        tariffs = [(each.tariff, each.context_tokens) for each in candidates]
        self.pico_request = max([tariff.pico_request for tariff, _ in tariffs], default=0)
        self.pico_in = max([max(tariff.pico_in, tariff.pico_cached) for tariff, _ in tariffs], default=0)
        self.pico_out = max([tariff.pico_out for tariff, _ in tariffs], default=0)
        self.contexts = sorted({context for _, context in tariffs if context > 0})
        """Known contexts, tokens."""
        self.typical = typical
        """Output tokens of a typical request."""
        self._around = b""
        """What stood around the last prompt that was text alone."""
        self._beside = 0
        """Tokens of what that refers to."""

    def nano(self, ask: Ask) -> int:
        """The most one attempt of the request can cost, nano-dollars; it must have a limit."""
        tokens_out = 0 if ask.api is _EMBEDDINGS else output_limit(ask) * ask.choices
        pico = self.pico_request + self._tokens_in(ask) * self.pico_in + tokens_out * self.pico_out
        return pico // 1000 + 1

    def limit(self, ask: Ask) -> int:
        """The limit of a caller who sets none: generous for the workload, and within the context where it is known."""
        wanted = max(LEAST_LIMIT, TIMES_TYPICAL * self.typical)
        for context in self.contexts:
            if context > ask.tokens_in:
                if wanted + len(ask.body) > context:  # tokens were only estimated: stay well clear of the end
                    wanted = min(wanted, max(1, (context - ask.tokens_in) // 2))
                break
        return wanted

    def _tokens_in(self, ask: Ask) -> int:
        body = ask.body
        tokens = len(body) + TEMPLATE_TOKENS
        if ask.cuts:
            return tokens + self._referred(ask.api, uncut(body, ask.cuts))
        if not (ask.is_plain and ask.api is _CHAT and body.find(b"[", ask.prompt_at + 1, ask.prompt_end) < 0):
            return tokens + self._referred(ask.api, body)
        # Messages without any further list are texts alone, not parts: words are looked for around them only.
        around = ask.around or body[: ask.prompt_at] + body[ask.prompt_end :]
        if around != self._around:
            self._around, self._beside = around, self._referred(_CHAT, around)
        return tokens + self._beside

    def _referred(self, api: Api, text: bytes) -> int:
        """Tokens of what a text only refers to, however it is spelled."""
        tokens = 0
        if _count(text, _ESCAPED):
            text, letters = _LETTERS.subn(_letter, text, count=_MOST_LETTERS)
            if letters == _MOST_LETTERS:
                tokens = _count(text, _ESCAPED) * PICTURE_TOKENS + self._whole_context()
        pictures, documents = words_of(api)
        for word in pictures:
            tokens += _count(text, word) * PICTURE_TOKENS
        for word in documents:
            if _count(text, word):
                return tokens + self._whole_context()
        return tokens

    def _whole_context(self) -> int:
        return self.contexts[-1] if self.contexts else UNKNOWN_CONTEXT


def _letter(escape: re.Match[bytes]) -> bytes:
    """What an escape stands for."""
    return bytes.fromhex(escape[1].decode())


def words_of(api: Api) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """How parts that are pictures or sound begin in an interface's bodies, and how documents and conversations do."""
    if api is _CHAT:
        return _CHAT_PICTURES, _CHAT_DOCUMENTS
    return _PICTURES.get(api, _NONE), _DOCUMENTS.get(api, _NONE)


def _count(text: bytes, word: bytes) -> int:
    """How often a word is in a text; one that ends as it begins may be counted once more where two of them overlap."""
    size = len(text)
    if size <= _WINDOW:
        return text.count(word)
    beyond = len(word) - 1
    count = 0
    for start in range(0, size, _WINDOW):  # each counts the words that begin in it
        count += text.count(word, start, start + _WINDOW + beyond)
    return count


def ceiling_of(route: Route, sites: frozenset[str] | None, label: str | None, site_of: tuple[str, ...]) -> Ceiling:
    """The ceiling over the candidates a request may be sent to; `site_of` are the sites of the table's targets.

    With a label the route does not know nothing is permitted, and the router refuses.
    """
    allowed = range(len(route.candidates)) if label is None else route.allowed.get(label, ())
    found = [route.candidates[index] for index in allowed]
    if sites is not None:
        found = [each for each in found if site_of[each.target] in sites]
    return Ceiling(found, route.tokens_out)
