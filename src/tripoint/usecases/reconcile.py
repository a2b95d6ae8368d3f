"""`tripoint ledger reconcile`: our records held against a provider's bill, and brought to it by correction rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import Final, NamedTuple

from tripoint.domain.bill import BillRow
from tripoint.domain.errors import FileError, OptionError
from tripoint.domain.ledger import Adjustment, Dimension, EntryKind, Loaded, PriceRow, SpendQuery
from tripoint.domain.money import usd
from tripoint.domain.tenancy import Actor
from tripoint.engines.governance.focus.meters import Meter, split
from tripoint.engines.governance.ledger.days import day_number, day_text
from tripoint.engines.governance.reconcile.bill import charges
from tripoint.engines.governance.reconcile.compare import reconcile
from tripoint.engines.governance.reconcile.correct import corrections
from tripoint.engines.governance.reconcile.words import OPEN, Charged, Reconciliation, Recorded
from tripoint.ports import Ledger
from tripoint.usecases.spend import see_spend

_D = Dimension
_BY: Final = (_D.HOUR, _D.KIND, _D.MODEL, _D.SITE, _D.UPSTREAM, _D.TARIFF, _D.PRICES)
_KINDS: Final = (EntryKind.USAGE, EntryKind.CORRECTION)
_LONGEST_DAY_H: Final = 25
"""Hours of the day on which clocks are put back."""
_NOT_COUNTED: Final = frozenset((Meter.UNPRICED, Meter.IDLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileOptions:
    """Flags of one comparison."""

    bill: str
    """What the bill is called in correction rows."""
    upstreams: tuple[str, ...] = ()
    """Upstreams whose bill it is; all when empty."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Our models by the names the bill has for them, where they differ."""
    service: str | None = None
    """Only rows of this service; all when `None`."""
    tolerance_usd: Decimal = Decimal("0.01")
    """How much may stay open."""


class Reconciled(NamedTuple):
    """What came of it."""

    found: Reconciliation
    """Every difference with its causes."""
    proposed: tuple[Adjustment, ...]
    """Correction rows for what is known and final."""
    open_usd: Decimal
    """What somebody must look into: unexplained, or charged without a record."""
    is_within: bool
    """True where that is within the tolerance."""


def reconcile_bill(
    ledger: Ledger, actor: Actor, rows: Iterable[BillRow], options: ReconcileOptions
) -> Reconciled:  # fmt: skip
    """Compares a bill with the ledger, model by model and day by day.

    Raises `OptionError` for another currency, for usage that is summed over more than a day and for an upstream the
    ledger has nothing of, `FileError` for a bill without rows, `AccessError` for want of a role.
    """
    _refuse_unknown(ledger, actor, options.upstreams)
    chosen = [row for row in rows if options.service is None or row.service == options.service]
    if not chosen:
        raise FileError("the bill holds no row to compare", hint="check the file, and `--service` where it is given")
    first, last = _days(chosen)
    rates = _rates(ledger, actor)
    recorded = _recorded(ledger, actor, rates, (first, last), options.upstreams)
    known = _values(ledger, actor, _D.MODEL)
    unknown = sorted(set(options.models.values()) - known)
    if unknown:
        raise OptionError(
            f"the ledger knows no model `{unknown[0]}`",
            hint=f"it knows {', '.join(sorted(known)) or 'none'}",
        )
    charged: list[Charged] = list(charges(chosen, known, options.models))
    _refuse_long(charged)
    if options.upstreams:
        recorded += _entered_before(charged, recorded, _recorded(ledger, actor, rates, (first, last), ("",)))
    if any(row.is_held for row in charged):  # only an export of our own has such rows: no provider bills a guess
        recorded += _held(ledger, actor, (first, last), options.upstreams)
    found = reconcile(charged, recorded, rates)
    only = options.upstreams[0] if len(options.upstreams) == 1 else ""
    proposed = corrections(found, options.bill, upstream=only)
    still = found.total(*OPEN)
    return Reconciled(found, proposed, still, still <= options.tolerance_usd)


def apply_corrections(ledger: Ledger, proposed: tuple[Adjustment, ...]) -> Loaded:
    """Enters proposed rows; the same ones again change nothing. Raises `StoreError`."""
    return ledger.load((), proposed)


def _refuse_unknown(ledger: Ledger, actor: Actor, upstreams: tuple[str, ...]) -> None:
    known = sorted(_values(ledger, actor, _D.UPSTREAM)) if upstreams else []
    for upstream in upstreams:
        if upstream not in known:
            near = get_close_matches(upstream, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has entries of {', '.join(known) or 'none'}"
            raise OptionError(f"the ledger has no entry of an upstream `{upstream}`", hint=hint)


def _refuse_long(charged: Iterable[Charged]) -> None:
    """Usage of a month in one row would be held against its first day, and all other days would seem uncharged."""
    for row in charged:
        if row.is_usage and row.meter is not None and row.hours > _LONGEST_DAY_H:
            raise OptionError(
                f"line {row.place:,} of the bill sums usage over {row.hours:,} hours, a bill is compared day by day",
                hint="take an export of the bill by day or by hour",
            )


def _values(ledger: Ledger, actor: Actor, name: Dimension) -> set[str]:
    """Every value that usage ever had in a dimension."""
    return {
        row.by[0] for row in see_spend(ledger, actor, SpendQuery(by=(name,), kinds=(EntryKind.USAGE,))) if row.by[0]
    }


def _entered_before(
    charged: Iterable[Charged], recorded: Iterable[Recorded], nameless: Iterable[Recorded]
) -> list[Recorded]:
    """Correction rows that name no upstream, where a credit of the bill is the very same: day, model and amount."""
    left = [row for row in charged if not row.is_usage]
    found = []
    for is_new, rows in ((False, recorded), (True, nameless)):
        for row in rows:
            same = next((each for each in left if row.corrected_nano and _is_same(each, row)), None)
            if same is not None:
                left.remove(same)
                if is_new:
                    found.append(row)
    return found


def _is_same(credit: Charged, row: Recorded) -> bool:
    is_within = credit.hour <= row.hour < credit.hour + credit.hours
    return is_within and credit.model == row.model and credit.usd == usd(row.corrected_nano)


def _days(rows: Collection[BillRow]) -> tuple[str, str]:
    """The bill's days, and one on either side, since its days may begin elsewhere than ours."""
    day_s = 86_400
    first, last = (int(edge(row.start for row in rows) // day_s) for edge in (min, max))
    return day_text(first - 1), day_text(last + 2)


def _recorded(
    ledger: Ledger,
    actor: Actor,
    rates: Mapping[str, Mapping[str, PriceRow]],
    days: tuple[str, str],
    upstreams: tuple[str, ...],
) -> list[Recorded]:
    found = []
    for upstream in upstreams or (None,):
        query = SpendQuery(by=_BY, since=days[0], until=days[1], upstream=upstream, kinds=_KINDS)
        for spend in see_spend(ledger, actor, query):
            time, kind, model, _, served_by, tariff, prices = spend.by
            if not served_by and kind == EntryKind.USAGE:
                continue
            is_correction = kind == EntryKind.CORRECTION
            metered = split(kind, spend, rates.get(prices, {}).get(tariff))
            found.append(
                Recorded(
                    hour=_hour(time),
                    model=model,
                    tariff=tariff,
                    prices=prices,
                    tokens={
                        each.meter: each.amount.quantity
                        for each in metered
                        if not is_correction and each.meter not in _NOT_COUNTED
                    },
                    nano={each.meter: each.amount.nano for each in metered if not is_correction},
                    requests=spend.requests,
                    corrected_nano=spend.nano if is_correction else 0,
                )
            )
    return found


def _held(ledger: Ledger, actor: Actor, days: tuple[str, str], upstreams: tuple[str, ...]) -> list[Recorded]:
    """Money that is held for requests of workers that died, by hour and model."""
    by, kinds = (_D.HOUR, _D.MODEL), (EntryKind.UNCONFIRMED,)
    return [
        Recorded(
            hour=_hour(spend.by[0]), model=spend.by[1], tariff="", prices="", tokens={}, nano={}, requests=0,
            held_nano=spend.nano,
        )
        for upstream in upstreams or (None,)
        for spend in see_spend(
            ledger, actor, SpendQuery(by=by, since=days[0], until=days[1], upstream=upstream, kinds=kinds)
        )
    ]  # fmt: skip


def _rates(ledger: Ledger, actor: Actor) -> dict[str, dict[str, PriceRow]]:
    """Price rows of every version that anything was ever charged by."""
    versions = {spend.by[0] for spend in see_spend(ledger, actor, SpendQuery(by=(_D.PRICES,))) if spend.by[0]}
    return {version: {row.tariff.id: row for row in ledger.prices(version)} for version in sorted(versions)}


def _hour(time: str) -> int:
    day, _, hour = time.partition("T")
    return day_number(day) * 24 + int(hour)
