"""Keeps count of what an import leaves out, so that no price is lost without a word."""

from __future__ import annotations

from decimal import Decimal

from tripoint.domain.quote import Dropped, ImportedSheet, Taken

MOST_EXAMPLES = 5000
"""Different things told per reason; what is beyond is counted only."""
_LONGEST = 90


class Tally:
    """Counts what was read and what was dropped."""

    def __init__(self) -> None:
        self.read = 0
        """Prices the file states."""
        self._rows: dict[str, int] = {}
        self._first: dict[str, int] = {}
        self._examples: dict[str, dict[str, int]] = {}
        self._cost: dict[str, dict[str, Decimal]] = {}

    def drop(
        self, reason: str, place: int, example: str, cost: tuple[str, Decimal] | None = None, rows: int = 1
    ) -> None:
        """Leaves out `rows` prices; `cost` is a currency and an amount, for files that bill something."""
        self._rows[reason] = self._rows.get(reason, 0) + rows
        self._first[reason] = min(place, self._first.get(reason, place))
        told = example if len(example) <= _LONGEST else f"{example[: _LONGEST - 1]}…"
        examples = self._examples.setdefault(reason, {})
        if told in examples or len(examples) < MOST_EXAMPLES:
            examples[told] = examples.get(told, 0) + rows
        if cost is not None:
            sums = self._cost.setdefault(reason, {})
            sums[cost[0]] = sums.get(cost[0], Decimal(0)) + cost[1]

    def sheet(self, taken: list[Taken], doubts: list[str]) -> ImportedSheet:
        """What was taken and doubted, and what was left out, the commonest reason first."""
        dropped = [
            Dropped(
                reason,
                rows,
                self._first[reason],
                tuple(sorted(self._examples[reason].items(), key=lambda each: (-each[1], each[0]))),
                tuple(sorted(self._cost.get(reason, {}).items())),
            )
            for reason, rows in self._rows.items()
        ]
        return ImportedSheet(
            read=self.read,
            taken=tuple(sorted(taken, key=_order)),
            dropped=tuple(sorted(dropped, key=lambda each: (-each.rows, each.reason))),
            doubts=tuple(dict.fromkeys(doubts)),
        )


def _order(taken: Taken) -> tuple[str, str, str, str]:
    line = taken.line
    return (line.provider or "", line.sku or "", line.region or "", str(line.option or ""))
