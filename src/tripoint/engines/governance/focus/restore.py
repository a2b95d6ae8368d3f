"""The way back: an export read again gives the very sums it was made from, money and tokens alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from tripoint.domain.bill import BillRow
from tripoint.domain.errors import FileError
from tripoint.domain.ledger import Spend
from tripoint.domain.money import nano_of
from tripoint.engines.governance.focus.meters import Meter

_TOKENS: Final = {Meter.INPUT: (1, 0, 0), Meter.CACHED: (1, 1, 0), Meter.OUTPUT: (0, 0, 1)}
"""How a token of a meter counts as input, cached input and output."""


def is_own(row: BillRow) -> bool:
    """True for a row of an export of ours."""
    return "x_EntryKind" in row.custom and "x_LedgerListCost" in row.custom


def restore(rows: Iterable[BillRow], *, hourly: bool = False) -> tuple[Spend, ...]:
    """Sums by day (by hour where `hourly`) and `sheet.DIMENSIONS`, in order.

    Raises `FileError` for a row that is not of an export of ours, or whose figures are finer than the ledger's.
    """
    sums: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        if not is_own(row):
            raise FileError(
                f"line {row.place:,} has no `x_EntryKind`: it is of another's bill, not of an export of ours",
                hint="write one with `tripoint ledger export`; compare another's with `tripoint ledger reconcile`",
            )
        into = sums.setdefault(_key(row, hourly=hourly), [0] * 10)
        for place, amount in enumerate(_amounts(row)):
            into[place] += amount
    return tuple(Spend(key, *amounts) for key, amounts in sorted(sums.items()))


def _key(row: BillRow, *, hourly: bool) -> tuple[str, ...]:
    at = datetime.fromtimestamp(row.start, UTC)
    own = row.custom.get
    return (
        at.strftime("%Y-%m-%dT%H" if hourly else "%Y-%m-%d"), own("x_EntryKind", ""), row.sub_account,
        own("x_Key", ""), own("x_Workload", ""), own("x_Model", ""), row.region, row.resource, own("x_Tariff", ""),
        own("x_PriceVersion", ""),
    )  # fmt: skip


def _amounts(row: BillRow) -> tuple[int, ...]:
    """The row's share in each figure of a `Spend`, in its order."""
    try:
        costs = [nano_of(each) for each in (row.effective, *(_own(row, name) for name in _COSTS))]
        counts = [int(_own(row, name)) for name in _COUNTS]
    except (ValueError, ArithmeticError) as error:
        raise FileError(f"line {row.place:,} is not a row of our export: {error}", hint="export it again") from None
    tokens_in, cached, tokens_out = _TOKENS.get(Meter(row.meter), (0, 0, 0)) if row.meter in _METERS else (0, 0, 0)
    count = int(row.consumed or 0)
    return (*counts[:3], tokens_in * count, cached * count, tokens_out * count, counts[3], *costs)


_METERS: Final = frozenset(str(meter) for meter in Meter)
_COUNTS: Final = ("x_Requests", "x_FailedRequests", "x_EstimatedRequests", "x_ReasoningTokens")
_COSTS: Final = ("x_LedgerListCost", "x_MarginalCost")


def _own(row: BillRow, name: str) -> Decimal:
    return Decimal(row.custom.get(name, "0"))
