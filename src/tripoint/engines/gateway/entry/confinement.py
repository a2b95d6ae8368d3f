"""Where may a key's requests be served? Sites named by id, kind or layer, for keys of the estate and of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable

Place = tuple[str, str, str]
"""Site id, kind, layer."""


def confined_sites(only_at: Collection[str], places: Iterable[Place]) -> tuple[str, ...] | None:
    """The sites that any of the words in `only_at` means; `None` when there are no words, and so no confinement."""
    if not only_at:
        return None
    words = frozenset(only_at)
    return tuple(dict.fromkeys(place[0] for place in places if not words.isdisjoint(place)))
