"""The amounts of many rows of sums at once: what `meters.split` says of usage with a price row, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tripoint.domain.ledger import PriceRow, Spend
from tripoint.domain.money import PICO_PER_NANO, Tariff
from tripoint.engines.governance.focus.meters import MICRO, Amount, Meter

Ints = npt.NDArray[np.int64]
METERS: Final = (Meter.INPUT, Meter.CACHED, Meter.OUTPUT, Meter.REQUESTS)
"""What usage is counted by, in the order of its amounts."""
_REQUESTS: Final = 3
_SAFE: Final = float(1 << 62)


class Priced(NamedTuple):
    """Amounts, one column each; those of a row of sums stand together, in the order of `METERS`."""

    places: Ints
    """[amount] which row of sums."""
    meters: Ints
    """[amount] which meter."""
    amounts: Ints
    """[field of `Amount`, amount]."""


def priced(spends: Sequence[Spend], prices: Sequence[PriceRow], rows: Sequence[int]) -> Priced | None:
    """Amounts of usage whose price row is known: `rows` says which of `prices`, sum by sum.

    `None` where a product might not fit 64 bits: `meters.split` is exact at any size.
    """
    try:
        figures = np.array([spend[1:] for spend in spends], np.int64).reshape(-1, 10).T
        rates = np.array([[_rates(each) for each in price[:3]] for price in prices], np.int64).reshape(-1, 3, 4)
    except OverflowError:
        return None
    requests, failed, estimated, tokens_in, cached, tokens_out, reasoning, nano, list_nano, marginal_nano = figures
    counts = np.stack([tokens_in - cached, cached, tokens_out, requests])
    of_each = np.moveaxis(rates[np.array(rows, np.int64)], 0, -1)  # [tariff, meter, sum]
    largest = np.abs(counts * of_each.astype(np.float64)).max(initial=0.0)
    if max(4 * largest, MICRO * float(np.abs(counts).max(initial=0))) >= _SAFE:
        return None
    pico = counts * of_each
    used = counts != 0
    bearer = np.where(used.any(axis=0), used.argmax(axis=0), _REQUESTS)
    own = [_shares(whole, each, bearer) for whole, each in zip((nano, list_nano, marginal_nano), pico, strict=True)]
    places, meters = np.nonzero((used | (np.arange(4)[:, None] == bearer)).T)
    is_requests = meters == _REQUESTS
    count = counts[meters, places]
    columns = {
        "quantity": count,
        "pricing_micro": np.where(is_requests, count * MICRO, count),
        "contracted_pico": pico[0][meters, places],
        "listed_pico": pico[1][meters, places],
        "nano": own[0][meters, places],
        "list_nano": own[1][meters, places],
        "marginal_nano": own[2][meters, places],
        "requests": np.where(is_requests, requests[places], 0),
        "failed": np.where(is_requests, failed[places], 0),
        "estimated": np.where(is_requests, estimated[places], 0),
        "reasoning": np.where(meters == METERS.index(Meter.OUTPUT), reasoning[places], 0),
    }
    return Priced(places, meters, np.stack([columns[name] for name in Amount._fields]))


def _rates(tariff: Tariff) -> tuple[int, ...]:
    return tariff.pico_in, tariff.pico_cached, tariff.pico_out, tariff.pico_request


def _shares(whole: Ints, pico: Ints, bearer: Ints) -> Ints:
    """As `meters.shares`, for every sum: [meter, sum] nano-dollars."""
    found = (pico + 500) // PICO_PER_NANO
    most = pico.max(axis=0)
    where = np.where(most != 0, pico.argmax(axis=0), bearer)
    found[where, np.arange(len(whole))] += whole - found.sum(axis=0)
    return found
