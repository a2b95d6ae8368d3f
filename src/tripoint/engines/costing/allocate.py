"""Who bears what a pool of firm capacity costs? Workloads by use; what nobody used is a row of its own.

Capacity that is held firm (owned, committed) is paid whether used or not. Each charge is split in
proportion to use: one row Used per workload and, for the rest, one row Unused that no workload is blamed
for. The parts sum to the charge exactly in every view, for the last part is what the others leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tripoint.domain.charge import Charge, CommitmentStatus
from tripoint.domain.errors import InternalError

_IDLE_TOLERANCE = 1e-9
_SPLIT_FIELDS = ("quantity", "list_usd", "contracted_usd", "billed_usd", "effective_usd", "carbon_kg")


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
    left = {name: float(getattr(charge, name)) for name in _SPLIT_FIELDS}
    parts: list[Charge] = []
    for workload, share in shares[:-1]:
        amounts = {name: getattr(charge, name) * share for name in _SPLIT_FIELDS}
        left = {name: left[name] - amounts[name] for name in _SPLIT_FIELDS}
        parts.append(_part(charge, workload, amounts))
    return [*parts, _part(charge, shares[-1][0], left)]


def _part(charge: Charge, workload: str | None, amounts: dict[str, float]) -> Charge:
    return replace(
        charge,
        workload=workload,
        status=CommitmentStatus.UNUSED if workload is None else CommitmentStatus.USED,
        quantity=amounts["quantity"],
        list_usd=amounts["list_usd"],
        contracted_usd=amounts["contracted_usd"],
        billed_usd=amounts["billed_usd"],
        effective_usd=amounts["effective_usd"],
        carbon_kg=amounts["carbon_kg"],
    )
