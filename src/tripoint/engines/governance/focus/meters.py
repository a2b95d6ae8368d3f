"""What a row of the ledger's sums is charged for, meter by meter, to the last nano-dollar.

Unit price times quantity is the contracted cost exactly (pico-dollars). The ledger rounded each request to a
nano-dollar, so its cost may differ by what that came to; the largest meter bears the difference in `EffectiveCost`, and
the rows of an export sum to the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from tripoint.domain.ledger import EntryKind, PriceRow, Spend
from tripoint.domain.money import PICO_PER_NANO, Tariff

MICRO: Final = 1_000_000
"""Tokens in a priced unit, and smaller units in a priced quantity of 1."""


class Meter(StrEnum):
    """What is counted, as `SkuMeter` names it."""

    INPUT = "Input Tokens"
    CACHED = "Cached Input Tokens"
    OUTPUT = "Output Tokens"
    REQUESTS = "Requests"
    IDLE = "Idle Capacity"
    UNPRICED = "Unpriced"
    """Money without a price row: a correction, money held, or usage whose price version is not kept any more."""


TOKENS: Final = frozenset((Meter.INPUT, Meter.CACHED, Meter.OUTPUT))
"""Meters that count tokens."""


class Amount(NamedTuple):
    """Quantities and money of one row of an export."""

    quantity: int
    """Tokens, requests or hours; 1 for a lump of money."""
    pricing_micro: int | None
    """Priced quantity, millionths of the priced unit; `None` where nothing is priced by quantity."""
    contracted_pico: int
    """Unit price times priced quantity, pico-dollars."""
    listed_pico: int
    """The same at list prices."""
    nano: int
    """Effective cost as the ledger has it, nano-dollars."""
    list_nano: int
    """List cost as the ledger has it, nano-dollars."""
    marginal_nano: int
    """What routing compared, nano-dollars."""
    requests: int
    """Requests; only in the row of that meter, or in the first of a line without a price row."""
    failed: int
    """Requests that brought no whole answer, likewise."""
    estimated: int
    """Requests whose tokens were counted here, likewise."""
    reasoning: int
    """Output tokens spent on reasoning; only in the row of output tokens."""


class Metered(NamedTuple):
    """An amount and what it is for."""

    meter: Meter
    """What was counted."""
    amount: Amount
    """How much, and what it cost."""


def split(kind: str, spend: Spend, price: PriceRow | None) -> tuple[Metered, ...]:
    """The amounts of a row of sums; none for requests that reached nobody and cost nothing."""
    if kind == EntryKind.USAGE and price is not None:
        return _priced(spend, price)
    if kind == EntryKind.IDLE:
        return (Metered(Meter.IDLE, _lump(spend)),)
    return _unpriced(kind, spend)


def _priced(spend: Spend, price: PriceRow) -> tuple[Metered, ...]:
    """Amounts by meter; a million rows come through here, so it is written out, and tuples are made bare."""
    (_, requests, failed, estimated, tokens_in, cached, tokens_out, reasoning, nano, list_nano, marginal_nano) = spend
    computed = tokens_in - cached
    _, in_, cached_, out_, request_ = price.tariff
    charged = (computed * in_, cached * cached_, tokens_out * out_, requests * request_)
    _, in_, cached_, out_, request_ = price.listed
    listed = (computed * in_, cached * cached_, tokens_out * out_, requests * request_)
    _, in_, cached_, out_, request_ = price.marginal
    compared = (computed * in_, cached * cached_, tokens_out * out_, requests * request_)
    counts = (computed, cached, tokens_out, requests)
    # Rounding is borne by a meter that was used: requests where nothing was.
    bearer = next((place for place, count in enumerate(counts) if count), 3)
    own = shares(nano, charged, bearer)
    list_own = shares(list_nano, listed, bearer)
    marginal_own = shares(marginal_nano, compared, bearer)
    found = []
    for place, meter in _PRICED:
        count = counts[place]
        if not count and place != bearer:
            continue
        is_requests = place == _REQUESTS_PLACE
        told = (requests, failed, estimated, 0) if is_requests else (0, 0, 0, reasoning if place == 2 else 0)
        amount = _new(Amount, (
            count, count * MICRO if is_requests else count, charged[place], listed[place], own[place],
            list_own[place], marginal_own[place], *told,
        ))  # fmt: skip
        found.append(_new(Metered, (meter, amount)))
    return tuple(found)


_PRICED: Final = tuple(enumerate((Meter.INPUT, Meter.CACHED, Meter.OUTPUT, Meter.REQUESTS)))
_REQUESTS_PLACE: Final = 3
_new = tuple.__new__


def _tokens(spend: Spend) -> tuple[tuple[Meter, int], ...]:
    return (
        (Meter.INPUT, spend.tokens_in - spend.cached),
        (Meter.CACHED, spend.cached),
        (Meter.OUTPUT, spend.tokens_out),
    )


def rate(tariff: Tariff, meter: Meter) -> int:
    """Pico-dollars for one token or request."""
    if meter is Meter.INPUT:
        return tariff.pico_in
    if meter is Meter.CACHED:
        return tariff.pico_cached
    return tariff.pico_out if meter is Meter.OUTPUT else tariff.pico_request


def shares(whole: int, pico: Sequence[int], bearer: int = 0) -> list[int]:
    """Nano-dollars that sum to `whole`, each its own cost rounded; the largest bears what rounding came to.

    Where nothing costs anything, `bearer` does.
    """
    found = [(each + 500) // PICO_PER_NANO for each in pico]
    rest = whole - sum(found)
    if rest:
        most = max(pico)
        found[pico.index(most) if most else bearer] += rest
    return found


def _unpriced(kind: str, spend: Spend) -> tuple[Metered, ...]:
    if not any(spend[1:]):
        return ()
    if kind == EntryKind.USAGE and not (
        spend.nano or spend.list_nano or spend.marginal_nano or spend.tokens_in or spend.tokens_out
    ):
        return ()
    is_correction = kind == EntryKind.CORRECTION
    rows = [Metered(Meter.UNPRICED, _lump(spend, is_priced=not is_correction))]
    for meter, count in _tokens(spend):
        if count:
            reasoning = spend.reasoning if meter is Meter.OUTPUT else 0
            micro = None if is_correction else count
            rows.append(Metered(meter, Amount(count, micro, 0, 0, 0, 0, 0, 0, 0, 0, reasoning)))
    return tuple(rows)


def _lump(spend: Spend, *, is_priced: bool = True) -> Amount:
    """All the money of a row in one amount, whose unit price is its cost."""
    return Amount(
        quantity=1,
        pricing_micro=MICRO if is_priced else None,
        contracted_pico=spend.nano * PICO_PER_NANO,
        listed_pico=spend.list_nano * PICO_PER_NANO,
        nano=spend.nano,
        list_nano=spend.list_nano,
        marginal_nano=spend.marginal_nano,
        requests=spend.requests,
        failed=spend.failed,
        estimated=spend.estimated,
        reasoning=0,
    )
