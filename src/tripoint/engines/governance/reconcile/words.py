"""The words of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from tripoint.engines.governance.focus.meters import Meter


class Cause(StrEnum):
    """Why a bill and our records differ."""

    ZONE = "time zone cut-off"
    """Their days begin elsewhere than at midnight UTC."""
    CACHED = "cached tokens"
    """The same input, otherwise divided into cached and computed."""
    PRICE_VERSION = "price version"
    """They charge what another of our price versions says."""
    ROUNDING = "rounding"
    """No more than the digits of both sides leave open."""
    CREDIT = "credit or correction"
    """Credits, corrections, taxes and adjustments, which no request makes."""
    CORRECTED = "corrected before"
    """Correction rows that are in our ledger already."""
    OTHER = "other charge"
    """What is not charged by tokens or requests, and so is not ours to compare."""
    ELSEWHERE = "not by this bill"
    """Our price has a part for each request, egress of its answer, and the bill charges no request at all."""
    UNCONFIRMED = "unconfirmed"
    """Money held for requests of workers that died, on an export of our own and in our ledger."""
    MISSING_THEIRS = "missing at theirs"
    """We have records of a model on a day for which they charge nothing, or of more whole requests than they charge."""
    MISSING_OURS = "missing at ours"
    """They charge for a model on a day of which we have no record."""
    UNEXPLAINED = "unexplained"


SETTLED: Final = frozenset((Cause.CACHED, Cause.PRICE_VERSION, Cause.ROUNDING, Cause.CREDIT, Cause.CORRECTED))
"""Causes that are known and final: what a correction row may bring our records to."""
OPEN: Final = frozenset((Cause.MISSING_OURS, Cause.UNEXPLAINED))
"""Causes that somebody must look into."""


class Charged(NamedTuple):
    """What they charge in one row of a bill."""

    place: int
    """Its line in the file."""
    hour: int
    """Its first hour, counted from 1970, UTC."""
    hours: int
    """How many hours it covers."""
    model: str
    """Our name of the model; empty when the row names none we know."""
    meter: Meter | None
    """What is counted; `None` where it is neither tokens nor requests."""
    tokens: Decimal
    """How many tokens or requests."""
    usd: Decimal
    """Effective cost, dollars."""
    digits: int
    """Decimals of that figure."""
    is_usage: bool
    """False for credits, corrections, taxes, purchases and adjustments."""
    is_held: bool = False
    """True for money unconfirmed, in an export of our own."""


class Recorded(NamedTuple):
    """What we recorded in an hour, of a model and a price row."""

    hour: int
    """Hours since 1970, UTC."""
    model: str
    """Model spec id."""
    tariff: str
    """Price row."""
    prices: str
    """Price version."""
    tokens: Mapping[Meter, int]
    """Tokens and requests."""
    nano: Mapping[Meter, int]
    """Effective cost by meter, nano-dollars."""
    requests: int
    """Requests, each of which was rounded once."""
    corrected_nano: int = 0
    """Correction rows, nano-dollars; they are no usage."""
    held_nano: int = 0
    """Money unconfirmed, nano-dollars; no usage either."""


class Explained(NamedTuple):
    """One cause of a difference."""

    cause: Cause
    """Which."""
    usd: Decimal
    """How much of the difference it is, dollars: positive where they charge more."""
    text: str
    """What was seen, with both numbers."""


class Difference(NamedTuple):
    """A model's day: what they charge, what we recorded, and why that differs."""

    day: str
    """The day, `YYYY-MM-DD`, as their bill divides days."""
    model: str
    """Model spec id; empty where the bill names none we know."""
    theirs: Decimal
    """What they charge, dollars."""
    ours: Decimal
    """What we recorded, dollars."""
    causes: tuple[Explained, ...]
    """Why; they add up to `theirs - ours` exactly. None where there is no difference."""


class Reconciliation(NamedTuple):
    """A whole bill."""

    differences: tuple[Difference, ...]
    """Every model's day of either side, by day and model."""
    shift_h: int
    """Hours by which their days begin after they say, as found; 0 where records and bill agree best without."""
    begin_h: int = 0
    """The hour, UTC, at which their days begin, as they say themselves."""

    def total(self, *causes: Cause) -> Decimal:
        """Sum of these causes' amounts, each taken without its sign."""
        return sum(
            (abs(each.usd) for one in self.differences for each in one.causes if each.cause in causes), Decimal(0)
        )
