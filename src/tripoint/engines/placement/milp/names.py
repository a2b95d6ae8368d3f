"""Names of a million columns, made when somebody reads one: a kind and a number within it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import overload


class Numbered(Sequence[str]):
    """`kind[0]`, `kind[1]`, ... for several kinds, one after the other; or the bare kind for each."""

    def __init__(self, *kinds: tuple[str, int], is_numbered: bool = True) -> None:
        self._kinds = tuple(name for name, _ in kinds)
        self._ends = tuple(accumulate(count for _, count in kinds))
        self._is_numbered = is_numbered

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = place + len(self) if place < 0 else place
        if not 0 <= number < len(self):
            raise IndexError(f"name {place} of {len(self)}")
        kind = bisect_right(self._ends, number)
        if not self._is_numbered:
            return self._kinds[kind]
        return f"{self._kinds[kind]}[{number - (self._ends[kind - 1] if kind else 0)}]"
