"""Splitting a pool's charges by use loses nothing and blames nobody for idleness."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.domain.errors import InternalError
from tripoint.engines.costing.allocate import allocate
from tripoint.engines.costing.tokens import token_cost

VIEWS = ("quantity", "list_usd", "contracted_usd", "billed_usd", "effective_usd", "carbon_kg")
money = st.floats(0.0, 1e7)


def _charge(*, usd: float = 1000.0, kind: ChargeKind = ChargeKind.AMORTISATION) -> Charge:
    return Charge(
        period=0,
        kind=kind,
        provider="own",
        site="colo",
        layer="dense",
        resource="server",
        option="owned",
        workload=None,
        status=None,
        quantity=3.0,
        unit="node-month",
        list_usd=usd * 1.1,
        contracted_usd=usd,
        billed_usd=0.0,
        effective_usd=usd,
        carbon_kg=usd / 7,
        basis=("k",),
    )


@given(
    amounts=st.lists(money, min_size=1, max_size=4),
    use=st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.0, 1e4), max_size=8),
    capacity=st.floats(0.0, 5e4),
)
def test_the_parts_sum_to_the_whole_in_every_view(amounts: list[float], use: dict[str, float], capacity: float) -> None:
    """To a millionth of a dollar, whether capacity is short, exact, idle or absent."""
    charges = [_charge(usd=usd) for usd in amounts]
    parts = allocate(charges, use, capacity)
    for view in VIEWS:
        before = math.fsum(getattr(charge, view) for charge in charges)
        assert math.fsum(getattr(part, view) for part in parts) == pytest.approx(before, rel=1e-12, abs=1e-6)
        assert all(getattr(part, view) >= -1e-6 for part in parts)


@given(
    use=st.dictionaries(st.sampled_from("abcd"), st.floats(0.001, 100.0), min_size=1),
    spare=st.floats(0.0, 100.0),
)
def test_each_bears_its_use_and_the_rest_is_idle(use: dict[str, float], spare: float) -> None:
    """Proportional, with Used rows for workloads and at most one Unused row without any."""
    capacity = math.fsum(use.values()) + spare
    parts = allocate([_charge()], use, capacity)
    used = {part.workload: part.effective_usd for part in parts if part.status is CommitmentStatus.USED}
    assert used == pytest.approx({name: 1000 * amount / capacity for name, amount in use.items()}, abs=1e-5)
    idle = [part for part in parts if part.status is CommitmentStatus.UNUSED]
    assert len(idle) <= 1
    assert all(part.workload is None for part in idle)
    assert math.fsum(part.effective_usd for part in idle) == pytest.approx(1000 * spare / capacity, abs=1e-5)


def test_a_pool_nobody_uses_is_one_idle_row() -> None:
    """The commitment is paid all the same."""
    (part,) = allocate([_charge()], {"a": 0.0}, 10.0)
    assert (part.workload, part.status, part.effective_usd) == (None, CommitmentStatus.UNUSED, 1000.0)


def test_a_full_pool_has_no_idle_row() -> None:
    """Rounding in the solver makes none either."""
    parts = allocate([_charge()], {"a": 7.0, "b": 3.0 + 1e-12}, 10.0)
    assert [part.workload for part in parts] == ["a", "b"]


def test_negative_use_is_our_bug() -> None:
    """It would pay somebody for another's work."""
    with pytest.raises(InternalError, match="less than nothing"):
        allocate([_charge()], {"a": -1.0}, 10.0)


def test_tokens_cost_more_when_idleness_counts() -> None:
    """600 used and 400 idle over 200 Mtok: 3 usage-based, 5 reservation-based."""
    parts = allocate([_charge()], {"a": 6.0}, 10.0)
    used, idle = (sum(row.effective_usd for row in parts if row.status is status) for status in CommitmentStatus)
    assert token_cost(used, idle, 200.0) == pytest.approx((3.0, 5.0))
    assert token_cost(used, idle, 0.0) is None
