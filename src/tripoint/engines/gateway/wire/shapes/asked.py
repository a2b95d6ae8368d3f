"""What routing and metering need of one request, and the limits of what is believed of it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import product
from typing import Final

import msgspec

from tripoint.domain.serving import Api

MAX_MODEL_CHARS: Final = 256
MAX_TOKENS_OUT: Final = 10_000_000
PREFIX_BYTES: Final = 512
LEAST_PREFIX_BYTES: Final = 256
BYTES_PER_TOKEN: Final = 4
Cut = tuple[int, int]
Members = dict[str, msgspec.Raw]
checksum: Final = zlib.adler32
"""Of prompts' beginnings: the same everywhere, and without a CRC's tables, for which others must leave the cache."""
read_members: Final = msgspec.json.Decoder(Members).decode
# Some servers match names of members whatever their case, and take the last of several.
OTHER_SPELLINGS: Final = frozenset(map("".join, product(*zip("model", "MODEL", strict=True)))) - {"model"}
BESIDE_PROMPT: Final[tuple[str, ...]] = ("tools", "system", "instructions")


class Ask:
    """What routing and metering need of one request."""

    __slots__ = (
        "_members",
        "api",
        "around",
        "body",
        "choices",
        "cuts",
        "is_plain",
        "is_reproducible",
        "is_stream",
        "model",
        "model_at",
        "model_end",
        "prefix",
        "prompt_at",
        "prompt_end",
        "set_limit",
        "tokens_in",
        "tokens_out",
        "wants_usage",
    )  # fmt: skip

    def __init__(self, api: Api, body: bytes, members: Members | None, cuts: Sequence[Cut]) -> None:
        self.api = api
        self.body = body
        self._members = members
        self.cuts = cuts
        self.model = ""
        """Model or workload asked for."""
        self.is_stream = False
        """True for a streamed answer."""
        self.wants_usage = True
        """False when a stream's usage is not to be told to the caller."""
        self.tokens_in = 1
        """Estimated input tokens."""
        self.tokens_out = 0
        """Most output tokens per choice the caller allows, at most `MAX_TOKENS_OUT`; 0 when no limit is set."""
        self.set_limit = ""
        """Name of the member that limits the output where the gateway set it, empty where it did not."""
        self.is_reproducible = False
        """True for greedy or seeded sampling."""
        self.choices = 1
        """Answers generated for the one prompt."""
        self.prefix = 0
        """Checksum of the prompt's beginning; 0 for a prompt too short to be worth a cache."""
        self.model_at = self.model_end = 0
        """Where the model's name stands in a body whose other bytes leave as they are; 0 where it is written anew."""
        self.prompt_at = self.prompt_end = 0
        """Where the prompt stands in such a body."""
        self.is_plain = False
        """True for a body of plain members, each given once: what was read of it is all there is to read."""
        self.around = b""
        """What stands around the prompt, the same object for all that are alike; empty where it was not kept."""

    @property
    def members(self) -> Members:
        """Its members, values unread; where nobody needed them yet they are read now."""
        members = self._members
        if members is None:
            members = self._members = read_members(self.body)
        return members
