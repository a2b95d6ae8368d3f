"""The words the tiny chat model speaks, and which kind of word may follow which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class WordKind(IntEnum):
    """Kinds of tokens; what follows is decided by kind first and by the seeded weights then."""

    OUTSIDE = 0
    """Letters of a prompt, roles of the template: never spoken."""
    OPENER = 1
    """Begins a sentence."""
    TRAIT = 2
    """Adjective of who acts."""
    ACTOR = 3
    """Noun that acts."""
    VERB = 4
    DETERMINER = 5
    QUALITY = 6
    """Adjective of what is acted on."""
    THING = 7
    """Noun that is acted on."""
    PREPOSITION = 8
    LINKER = 9
    """Joins another verb for the same actor."""
    ADVERB = 10
    PERIOD = 11
    END = 12


_WORDS: Final = MappingProxyType(
    {
        WordKind.OPENER: "The A Each Every One This Our Another No",
        WordKind.TRAIT: "near idle busy distant quiet healthy warm cold spare trusted regional second patient careful",
        WordKind.ACTOR: (
            "site cloud cage branch gateway planner router operator scheduler breaker probe replica node cluster team "
            "solver auditor region"
        ),
        WordKind.VERB: (
            "serves moves costs holds keeps follows meets answers takes checks proves carries replaces feeds warms "
            "opens closes shares routes confirms outlives covers measures bills refuses awaits crosses drains"
        ),
        WordKind.DETERMINER: "the a each every one this our another its",
        WordKind.QUALITY: (
            "cheap owned live planned dense reserved private signed full small heavy steady slow fast declared "
            "measured local monthly open last"
        ),
        WordKind.THING: (
            "model queue token link plan price drill copy budget cache key record rack request answer quarter stream "
            "weight share load caller shop feed fabric forecast invoice route window margin lease"
        ),
        WordKind.PREPOSITION: "at under over behind with before after inside beyond for from without along",
        WordKind.LINKER: "and while_it because_it until_it but_never and_then",
        WordKind.ADVERB: "now again first today early together elsewhere locally quietly twice",
        WordKind.PERIOD: ".",
    }
)
"""Words of each kind; `_` is a space inside one token."""

_FOLLOWS: Final = MappingProxyType(
    {
        WordKind.OUTSIDE: {WordKind.OPENER: 9.0},
        WordKind.OPENER: {WordKind.ACTOR: 9.0, WordKind.TRAIT: 8.0},
        WordKind.TRAIT: {WordKind.ACTOR: 9.0},
        WordKind.ACTOR: {WordKind.VERB: 9.0},
        WordKind.VERB: {WordKind.DETERMINER: 9.0},
        WordKind.DETERMINER: {WordKind.THING: 9.0, WordKind.QUALITY: 8.5},
        WordKind.QUALITY: {WordKind.THING: 9.0},
        WordKind.THING: {WordKind.PERIOD: 11.5, WordKind.PREPOSITION: 7.5, WordKind.LINKER: 7.5, WordKind.ADVERB: 6.0},
        WordKind.PREPOSITION: {WordKind.DETERMINER: 9.0},
        WordKind.LINKER: {WordKind.VERB: 9.0},
        WordKind.ADVERB: {WordKind.PERIOD: 11.5, WordKind.LINKER: 7.0},
        WordKind.PERIOD: {WordKind.OPENER: 9.0, WordKind.END: 12.0},
        WordKind.END: {WordKind.OPENER: 9.0},
    }
)
"""Log-odds of what follows what."""

BEGIN: Final = 1
"""Token that begins a prompt."""
STOP: Final = 2
"""Token that ends an answer."""
FIRST_BYTE: Final = 3
"""Token of byte 0; the other 255 follow."""
CHAT_TEMPLATE: Final = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
"""How a conversation becomes a prompt."""


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of the vocabulary."""

    text: str
    """As the tokenizer writes it, a space before a word as `▁`."""
    kind: WordKind
    """What it is."""
    is_word: bool
    """True when it may be spoken; else it only reads prompts."""


def follow_scores(kind: WordKind) -> dict[WordKind, float]:
    """Log-odds of each kind of word after a word of `kind`; kinds that are absent do not follow."""
    return dict(_FOLLOWS[kind])


def vocabulary() -> tuple[Token, ...]:
    """Words and pieces after the special and byte tokens, each text once, words before pieces of words.

    The tokenizer joins pieces two at a time, so that a word is read as one token only where each of its
    beginnings is a token too.
    """
    words = [
        Token(text if kind is WordKind.PERIOD else "▁" + text.replace("_", "▁"), kind, is_word=True)
        for kind, line in _WORDS.items()
        for text in line.split()
    ]
    seen = {token.text for token in words}
    pieces = [piece for piece in dict.fromkeys(_beginnings(words)) if piece not in seen]
    return (*words, *(Token(piece, WordKind.OUTSIDE, is_word=False) for piece in pieces))


def _beginnings(words: list[Token]) -> Iterator[str]:
    yield "▁"
    for token in words:
        for length in range(1, len(token.text)):
            yield token.text[:length]
    yield from "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,:;!?'\"-()/\n"
