"""The cost function: linear, non-negative, and the same money for the optimiser as for the report."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.charge import ChargeKind, CommitmentStatus, Rate
from tripoint.domain.errors import InternalError
from tripoint.engines.costing.statement import Activity, effective_usd, price

money = st.floats(0.0, 1e6)
rate_lists = st.lists(
    st.builds(
        Rate,
        kind=st.sampled_from(ChargeKind),
        unit=st.just("unit"),
        list_usd=money,
        contracted_usd=money,
        billed_usd=money,
        effective_usd=money,
        carbon_kg=money,
        basis=st.just(("a figure",)),
    ),
    min_size=1,
    max_size=6,
).map(tuple)
quantities = st.floats(1e-6, 1e6)


def _activity(rates: tuple[Rate, ...]) -> Activity:
    return Activity(
        period=2,
        provider="own",
        site="colo",
        layer="dense",
        resource="server",
        option="owned",
        workload=None,
        status=CommitmentStatus.UNUSED,
        rates=rates,
    )


@given(rates=rate_lists, quantity=quantities)
def test_the_optimisers_cost_is_the_reports_cost(rates: tuple[Rate, ...], quantity: float) -> None:
    """Coefficient times quantity equals the sum of charges, effective and billed."""
    activity = _activity(rates)
    charges = price(activity, quantity)
    effective = math.fsum(charge.effective_usd for charge in charges)
    billed = math.fsum(charge.billed_usd for charge in charges)
    assert effective == pytest.approx(effective_usd(activity) * quantity, rel=1e-9)
    assert billed == pytest.approx(math.fsum(rate.billed_usd for rate in rates) * quantity, rel=1e-9)


@given(rates=rate_lists, first=quantities, second=quantities)
def test_price_is_linear_and_never_negative(rates: tuple[Rate, ...], first: float, second: float) -> None:
    """Pricing two quantities together or apart is the same, row by row and view by view."""
    activity = _activity(rates)
    together = price(activity, first + second)
    apart = zip(price(activity, first), price(activity, second), strict=True)
    for whole, (one, other) in zip(together, apart, strict=True):
        for view in ("list_usd", "contracted_usd", "billed_usd", "effective_usd", "carbon_kg", "quantity"):
            assert getattr(whole, view) >= 0
            assert getattr(whole, view) == pytest.approx(getattr(one, view) + getattr(other, view), rel=1e-9)


def test_charges_carry_who_what_and_why() -> None:
    """Every column of the activity reaches the row."""
    rate = Rate(
        kind=ChargeKind.ENERGY,
        unit="node-month",
        list_usd=4.0,
        contracted_usd=3.0,
        billed_usd=2.0,
        effective_usd=1.0,
        carbon_kg=5.0,
        basis=("k",),
    )
    (charge,) = price(replace(_activity((rate,)), workload="chat"), 2.0)
    assert (charge.period, charge.kind, charge.provider, charge.site) == (2, ChargeKind.ENERGY, "own", "colo")
    assert (charge.layer, charge.resource, charge.option, charge.workload) == ("dense", "server", "owned", "chat")
    assert (charge.quantity, charge.unit, charge.basis) == (2.0, "node-month", ("k",))
    views = (charge.list_usd, charge.contracted_usd, charge.billed_usd, charge.effective_usd, charge.carbon_kg)
    assert views == (8.0, 6.0, 4.0, 2.0, 10.0)
    assert charge.status is CommitmentStatus.UNUSED


def test_nothing_costs_nothing_and_solver_noise_is_nothing() -> None:
    """A quantity of 0 makes no rows; a real negative one or no number at all is our bug."""
    activity = _activity(())
    assert price(activity, 0.0) == ()
    assert price(activity, -1e-9) == ()
    for quantity in (-1.0, math.nan):
        with pytest.raises(InternalError, match="server"):
            price(activity, quantity)
