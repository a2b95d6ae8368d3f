"""Who bears what a pool of firm capacity costs? Workloads by use; what nobody used is a row of its own.

Capacity that is held firm (owned, committed) is paid whether used or not. Each charge is split in
proportion to use: one row Used per workload and, for the rest, one row Unused that no workload is blamed
for. The parts sum to the charge exactly in every view, for the last part is what the others leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tripoint.domain.charge import Charge, CommitmentStatus
from tripoint.domain.errors import InternalError

_IDLE_TOLERANCE = 1e-9


class _Amounts(NamedTuple):
    """What is split."""

    quantity: float
    list_usd: float
    contracted_usd: float
    billed_usd: float
    effective_usd: float
    carbon_kg: float


def allocate(charges: Iterable[Charge], use_by_workload: Mapping[str, float], capacity: float) -> tuple[Charge, ...]:
    """Split the charges of one pool by use out of `capacity`, both in one unit (say node-hours)."""
    shares = _shares(use_by_workload, capacity)
    return tuple(part for charge in charges for part in _split(charge, shares))


def _shares(use_by_workload: Mapping[str, float], capacity: float) -> tuple[tuple[str | None, float], ...]:
    """(workload or `None` for idle, share) in order of name; shares sum to 1 but for rounding."""
    if any(use < -_IDLE_TOLERANCE for use in use_by_workload.values()):
        raise InternalError("a workload cannot use less than nothing of a pool")
    used = [(name, use) for name, use in sorted(use_by_workload.items()) if use > 0]
    total = sum(use for _, use in used)
    whole = max(capacity, total)
    if whole <= 0:
        return ((None, 1.0),)
    shares: list[tuple[str | None, float]] = [(name, use / whole) for name, use in used]
    idle = 1.0 - total / whole
    return tuple(shares if idle <= _IDLE_TOLERANCE else [*shares, (None, idle)])


def _split(charge: Charge, shares: tuple[tuple[str | None, float], ...]) -> list[Charge]:
    whole = left = _Amounts(
        charge.quantity,
        charge.list_usd,
        charge.contracted_usd,
        charge.billed_usd,
        charge.effective_usd,
        charge.carbon_kg,
    )
    parts: list[Charge] = []
    for workload, share in shares[:-1]:
        amounts = _Amounts(*[amount * share for amount in whole])
        left = _Amounts(*[mine - amount for mine, amount in zip(left, amounts, strict=True)])
        parts.append(_part(charge, workload, amounts))
    return [*parts, _part(charge, shares[-1][0], left)]


def _part(charge: Charge, workload: str | None, amounts: _Amounts) -> Charge:
    """The charge with other amounts: written out, because `replace` looks every field up by its name."""
    return Charge(
        period=charge.period,
        kind=charge.kind,
        provider=charge.provider,
        site=charge.site,
        layer=charge.layer,
        resource=charge.resource,
        option=charge.option,
        workload=workload,
        status=CommitmentStatus.UNUSED if workload is None else CommitmentStatus.USED,
        quantity=amounts.quantity,
        unit=charge.unit,
        list_usd=amounts.list_usd,
        contracted_usd=amounts.contracted_usd,
        billed_usd=amounts.billed_usd,
        effective_usd=amounts.effective_usd,
        carbon_kg=amounts.carbon_kg,
        basis=charge.basis,
    )
