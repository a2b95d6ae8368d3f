"""Which part of every quota does a node apply, where several gateways share a store?

All quotas are cut alike: a node applies a stretch of a line of length `WHOLE`, and of a limit what lies in it. No two
stretches overlap, so what nodes apply never adds up to more than the limit, whoever comes and goes; once nobody has
for a moment, it adds up to the limit exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from tripoint.domain.tenancy import Quota

WHOLE: Final = 720_720
"""Length of the line: as many nodes as there are hours in a day, or fewer, mostly get parts of one size."""


class Part(NamedTuple):
    """A stretch of the line, its end not included."""

    low: int
    """Where it begins."""
    high: int
    """Where it ends; not before it begins."""

    @property
    def size(self) -> int:
        """Its length."""
        return self.high - self.low


class Node(NamedTuple):
    """A gateway on the store."""

    id: str
    """Its own for good."""
    beat: int
    """Grows as long as it lives."""
    part: Part
    """What it applies."""


EVERYTHING: Final = Part(0, WHOLE)
"""What a node applies that is alone."""


def part_for(id: str, nodes: Collection[Node]) -> Part:
    """What a node may apply now: of an equal share the largest piece that no other node applies; perhaps nothing."""
    ids = sorted({each.id for each in nodes} | {id})
    place = ids.index(id)
    share = Part(WHOLE * place // len(ids), WHOLE * (place + 1) // len(ids))
    return max(_free(share, [each.part for each in nodes if each.id != id]), key=lambda piece: piece.size)


def limit_in(limit: int, part: Part) -> int:
    """What of a limit lies in a part."""
    return limit * part.high // WHOLE - limit * part.low // WHOLE


def quotas_in(quotas: Iterable[Quota], part: Part) -> tuple[Quota, ...]:
    """The quotas as a node applies them."""
    if part == EVERYTHING:
        return tuple(quotas)
    return tuple(
        replace(
            quota,
            requests_per_min=_in(quota.requests_per_min, part),
            tokens_per_min=_in(quota.tokens_per_min, part),
            concurrency=_in(quota.concurrency, part),
            part_of=quota,
        )
        for quota in quotas
    )


def _in(limit: int | None, part: Part) -> int | None:
    return None if limit is None else limit_in(limit, part)


def _free(share: Part, taken: Sequence[Part]) -> list[Part]:
    """Pieces of a share that nobody has taken; one of no length where all is."""
    found = [Part(share.low, share.low)]
    begin = share.low
    for part in sorted(each for each in taken if each.size):
        if part.high > begin and part.low < share.high:
            if part.low > begin:
                found.append(Part(begin, part.low))
            begin = part.high
    if begin < share.high:
        found.append(Part(begin, share.high))
    return found
