"""Day by day and model by model: what differs, and why.

Causes are taken off one after another, each at our own prices, and whatever is left is called unexplained; so they add
up to the difference exactly, and nothing is explained twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from tripoint.domain.ledger import PriceRow
from tripoint.domain.money import usd
from tripoint.engines.governance.focus.meters import TOKENS, Meter, rate
from tripoint.engines.governance.ledger.days import day_text
from tripoint.engines.governance.reconcile.words import Cause, Charged, Difference, Explained, Reconciliation, Recorded

PICO_PER_USD: Final = 10**12
_DAY_H: Final = 24
_SHIFTS: Final = (0, *(hours for size in range(1, 15) for hours in (size, -size)))
"""Time zones reach from 12 hours behind UTC to 14 before; none first."""
_NONE = Decimal(0)
_FINE: Final = Decimal("1e-15")
"""Mean prices are rounded to it, so that everything computed from them is exact; the rest falls to rounding."""

_ENTERED: Final = frozenset((Cause.CREDIT, Cause.CORRECTED))
Key = tuple[int, str]
"""A day, counted from 1970 as their bill divides days, and a model."""
Rates = Mapping[str, Mapping[str, PriceRow]]
"""Price rows by version and tariff."""


class _Side(NamedTuple):
    """What one side has of a model's day."""

    tokens: dict[Meter, Decimal]
    money: dict[Meter, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.money.values(), _NONE)


def reconcile(charged: Sequence[Charged], recorded: Sequence[Recorded], rates: Rates) -> Reconciliation:
    """Every model's day of a bill, and those of our records between its first day and its last."""
    begin = _day_begin(charged)
    days = [(each.hour - begin) // _DAY_H for each in charged]
    first, last = min(days, default=0), max(days, default=-1)
    usage = [row for row in charged if row.is_usage and row.meter is not None]
    shift = _shift(usage, recorded, begin, (first, last))
    plain = _by_key(recorded, begin, (first, last))
    # A correction was entered for a day of theirs: it stays there wherever their days are found to begin.
    used = (row for row in recorded if not row.corrected_nano and not row.held_nano)
    moved = _by_key(used, begin + shift, (first, last))
    bills: dict[Key, list[Charged]] = defaultdict(list)
    for day, row in zip(days, charged, strict=True):
        bills[day, row.model].append(row)
    by_request = any(row.meter is Meter.REQUESTS for row in usage)
    found = [
        _difference(key, bills.get(key, []), _Ours(plain.get(key, []), moved.get(key, [])), shift, (rates, by_request))
        for key in sorted(bills.keys() | plain.keys() | moved.keys())
    ]
    return Reconciliation(tuple(found), shift, begin % _DAY_H)


def _day_begin(charged: Sequence[Charged]) -> int:
    """The hour at which their days begin, as rows of a whole day say themselves."""
    hours = Counter(row.hour % _DAY_H for row in charged if row.hours == _DAY_H)
    return min(hours, key=lambda hour: (-hours[hour], hour)) if hours else 0


def _by_key(recorded: Iterable[Recorded], begin: int, span: tuple[int, int]) -> dict[Key, list[Recorded]]:
    found: dict[Key, list[Recorded]] = defaultdict(list)
    for row in recorded:
        day = (row.hour - begin) // _DAY_H
        if span[0] <= day <= span[1]:
            found[day, row.model].append(row)
    return found


def _shift(usage: Sequence[Charged], recorded: Sequence[Recorded], begin: int, span: tuple[int, int]) -> int:
    """By how many hours our days must be moved so that tokens agree best; 0 unless another is better.

    Only tokens that go from one of the bill's days to another speak for it. What a move carries across the bill's own
    ends counts against it in full: else an empty day would agree best with every bill that holds less than half of it.
    """
    theirs: Counter[Key] = Counter()
    for row in usage:
        if row.meter in TOKENS:
            theirs[(row.hour - begin) // _DAY_H, row.model] += int(row.tokens)
    billed = {model for _, model in theirs}
    counts: Counter[Key] = Counter()
    for mine in recorded:
        if mine.model in billed:
            counts[mine.hour, mine.model] += sum(count for meter, count in mine.tokens.items() if meter in TOKENS)

    def mismatch(hours: int) -> int:
        ours: Counter[Key] = Counter()
        across = 0
        for (hour, model), count in counts.items():
            day = (hour - begin - hours) // _DAY_H
            is_in = span[0] <= day <= span[1]
            if is_in:
                ours[day, model] += count
            if is_in != (span[0] <= (hour - begin) // _DAY_H <= span[1]):
                across += count
        return across + sum(abs(theirs[key] - ours[key]) for key in theirs.keys() | ours.keys())

    return min(_SHIFTS, key=lambda hours: (mismatch(hours), _SHIFTS.index(hours)))


class _Ours(NamedTuple):
    """What we recorded of a model's day."""

    plain: Sequence[Recorded]
    """Their days as they are written."""
    moved: Sequence[Recorded]
    """Their days where they are found to begin, corrections and money unconfirmed left out."""


def _difference(
    key: Key, bill: Sequence[Charged], recorded: _Ours, shift: int, known: tuple[Rates, bool]
) -> Difference:
    plain, moved = recorded
    charged = _theirs(row for row in bill if row.is_usage and row.meter is not None)
    before, after = _ours(plain), _ours(moved)
    corrected = usd(sum(row.corrected_nano for row in plain))
    held = usd(sum(row.held_nano for row in plain))
    causes = [
        *_apart(bill),
        _unconfirmed(bill, held),
        _one(Cause.CORRECTED, -corrected, "correction rows in our ledger"),
        _one(Cause.ZONE, after.total - before.total, f"their days begin {shift:+d} h from midnight UTC"),
    ]
    rows = [row for row in bill if row.is_usage and row.meter is not None]
    if not rows and after.total:
        causes.append(_one(Cause.MISSING_THEIRS, -after.total, _counted(after, "recorded, and not on the bill")))
    elif rows and not moved:
        causes.append(_one(Cause.MISSING_OURS, charged.total, _counted(charged, "on the bill, and not recorded")))
    elif rows:
        causes += _Explaining(rows, charged, moved, after, known).causes()
    theirs = sum((row.usd for row in bill), _NONE)
    told = tuple(each for each in causes if each.usd)
    if all(each.cause in _ENTERED for each in told) and not sum((each.usd for each in told), _NONE):
        told = ()  # a credit of the bill that is in our ledger already
    return Difference(day_text(key[0]), key[1], theirs, before.total + corrected + held, told)


def _apart(bill: Sequence[Charged]) -> list[Explained]:
    """Rows that no request makes, each by itself."""
    found = []
    for row in bill:
        if not row.is_usage:
            found.append(_one(Cause.CREDIT, row.usd, f"line {row.place:,} of the bill"))
        elif row.meter is None and not row.is_held:
            found.append(_one(Cause.OTHER, row.usd, f"line {row.place:,} of the bill counts no tokens"))
    return found


def _unconfirmed(bill: Sequence[Charged], held: Decimal) -> Explained:
    """What the bill has of money held, beside what our ledger has by now."""
    billed = sum((row.usd for row in bill if row.is_usage and row.is_held), _NONE)
    text = f"{billed:.9f} USD on the bill, {held:.9f} in our ledger, held for requests of workers that died"
    return _one(Cause.UNCONFIRMED, billed - held, text)


def _one(cause: Cause, amount: Decimal, text: str) -> Explained:
    return Explained(cause, amount, text)


def _theirs(rows: Iterable[Charged]) -> _Side:
    side = _Side(defaultdict(Decimal), defaultdict(Decimal))
    for row in rows:
        if row.meter is not None:
            side.tokens[row.meter] += row.tokens
            side.money[row.meter] += row.usd
    return side


def _ours(rows: Iterable[Recorded]) -> _Side:
    side = _Side(defaultdict(Decimal), defaultdict(Decimal))
    for row in rows:
        for meter, count in row.tokens.items():
            side.tokens[meter] += count
        for meter, nano in row.nano.items():
            side.money[meter] += usd(nano)
    return side


def _counted(side: _Side, what: str) -> str:
    return f"{sum((side.tokens[each] for each in TOKENS), _NONE):,.0f} tokens {what}"


def _lacks_requests(theirs: _Side, ours: _Side) -> bool:
    """True where whole requests are not on the bill: it counts fewer of them and of tokens, and more of nothing."""
    meters = (*TOKENS, Meter.REQUESTS)
    is_more = any(theirs.tokens[each] > ours.tokens[each] for each in meters)
    is_less = any(theirs.tokens[each] < ours.tokens[each] for each in TOKENS)
    return is_less and not is_more and 0 < theirs.tokens[Meter.REQUESTS] < ours.tokens[Meter.REQUESTS]


class _Explaining:
    """Takes the causes of one model's day off, meter by meter."""

    def __init__(
        self,
        rows: Sequence[Charged],
        theirs: _Side,
        recorded: Sequence[Recorded],
        ours: _Side,
        known: tuple[Rates, bool],
    ) -> None:
        self._rows = rows
        self._theirs = theirs
        self._ours = ours
        self._rates, self._is_by_request = known
        self._tariffs = {row.tariff: row.prices for row in recorded if row.tariff}
        self._lacks_requests = _lacks_requests(theirs, ours)
        # Half a unit of their last digit for each row, half a nano-dollar for each request and each share of ours.
        ours_open = Decimal(sum(row.requests + len(row.nano) for row in recorded)) / 2 / 10**9
        self._open = ours_open + sum((Decimal(1).scaleb(-row.digits) / 2 for row in rows), _NONE)

    def causes(self) -> list[Explained]:
        found = self._cached()
        moved = {Meter.CACHED: self._shifted(), Meter.INPUT: -self._shifted()}
        meters = sorted(self._theirs.tokens.keys() | self._ours.tokens.keys() | self._ours.money.keys())
        for meter in meters:
            found += self._meter(meter, moved.get(meter, _NONE))
        rounding = [each for each in found if each.cause is Cause.ROUNDING]
        others = [each for each in found if each.cause is not Cause.ROUNDING]
        total = sum((each.usd for each in rounding), _NONE)
        return [*others, Explained(Cause.ROUNDING, total, f"within {self._open:.12f} USD of digits")]

    def _shifted(self) -> Decimal:
        """Tokens that they count as cached and we as computed (negative: the other way round)."""
        cached = self._theirs.tokens[Meter.CACHED] - self._ours.tokens[Meter.CACHED]
        computed = self._theirs.tokens[Meter.INPUT] - self._ours.tokens[Meter.INPUT]
        if not cached or not computed or (cached > 0) == (computed > 0):
            return _NONE
        size = min(abs(cached), abs(computed))
        return size if cached > 0 else -size

    def _cached(self) -> list[Explained]:
        moved = self._shifted()
        if not moved:
            return []
        way = "cached at theirs, computed at ours" if moved > 0 else "computed at theirs, cached at ours"
        amount = moved * (self._price(Meter.CACHED) - self._price(Meter.INPUT))
        return [Explained(Cause.CACHED, amount, f"{abs(moved):,.0f} input tokens {way}")]

    def _meter(self, meter: Meter, moved: Decimal) -> list[Explained]:
        """What is left of a meter once `moved` tokens are accounted for: another count, another price, rounding."""
        theirs, ours = self._theirs.tokens[meter], self._ours.tokens[meter]
        if meter is Meter.REQUESTS and not self._is_by_request:
            text = f"the part of our price for {ours:,.0f} requests (egress), which this bill does not charge"
            return [Explained(Cause.ELSEWHERE, -self._ours.money[meter], text)]
        price = self._price(meter)
        more = theirs - ours - moved
        found = []
        if more:
            text = f"{meter}: {theirs:,.0f} on the bill, {ours + moved:,.0f} recorded"
            cause = Cause.MISSING_THEIRS if self._lacks_requests else Cause.UNEXPLAINED
            found.append(Explained(cause, more * price, text))
        left = self._theirs.money[meter] - self._ours.money[meter] - (moved + more) * price
        return [*found, self._priced(meter, left)]

    def _priced(self, meter: Meter, left: Decimal) -> Explained:
        if abs(left) <= self._open:
            return Explained(Cause.ROUNDING, left, "")
        theirs = self._theirs.money[meter]
        count = self._theirs.tokens[meter]
        for version, rows in sorted(self._rates.items()):
            for tariff, known in self._tariffs.items():
                row = rows.get(tariff)
                if row is None or version == known:
                    continue
                if abs(Decimal(rate(row.tariff, meter)) / PICO_PER_USD * count - theirs) <= self._open:
                    text = f"{meter}: charged at our price version {version}, recorded at {known}"
                    return Explained(Cause.PRICE_VERSION, left, text)
        million = 1_000_000
        unit = theirs / count * million if count else _NONE
        text = f"{meter}: {unit:.6f} USD a million on the bill, {self._price(meter) * million:.6f} recorded"
        return Explained(Cause.UNEXPLAINED, left, text)

    def _price(self, meter: Meter) -> Decimal:
        """What one token costs with us, dollars: the mean of what was recorded, else what the price row says."""
        count = self._ours.tokens[meter]
        if count:
            return (self._ours.money[meter] / count).quantize(_FINE)
        for tariff, version in self._tariffs.items():
            row = self._rates.get(version, {}).get(tariff)
            if row is not None:
                return Decimal(rate(row.tariff, meter)) / PICO_PER_USD
        return _NONE
