from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.plan import small_plan, synthetic_plan

from tripoint.domain.charge import ChargeKind
from tripoint.domain.plan import Plan
from tripoint.engines.answers.comparison.amounts import SHARED
from tripoint.engines.answers.comparison.comparison import Comparison, compare

SMALL = small_plan()
ROWS = len(SMALL.charges)


def scaled(plan: Plan, price: float = 1.0, quantity: float = 1.0) -> Plan:
    """Every row dearer and larger by the factors; tokens grow with the quantity."""
    return replace(
        plan,
        charges=tuple(
            replace(row, effective_usd=row.effective_usd * price * quantity, quantity=row.quantity * quantity)
            for row in plan.charges
        ),
        workloads=tuple(replace(row, mtok=row.mtok * quantity) for row in plan.workloads),
    )


def holds_together(found: Comparison) -> None:
    """Every view and the causes add up to the difference, to the cent."""
    for view in (found.workloads, found.sites, found.kinds):
        assert sum(row.before for row in view) == found.before
        assert sum(row.after for row in view) == found.after
        assert sum(row.cents for row in view) == found.cents
    for change, why in zip(found.workloads, found.causes, strict=True):
        assert change.name == why.workload
        assert why.demand + why.prices + why.placement == change.cents


def test_a_plan_beside_itself_has_no_difference() -> None:
    """Nothing moved, nothing cost more, and the note says that nothing differs."""
    found = compare(synthetic_plan(), synthetic_plan())
    holds_together(found)
    assert found.cents == 0
    assert (found.prices, found.moved, found.steps) == ((), (), ())
    assert all(row.cents == 0 for row in (*found.workloads, *found.sites, *found.kinds))
    assert "same" in found.notes[0]


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=ROWS, max_size=ROWS),
    st.lists(st.booleans(), min_size=ROWS, max_size=ROWS),
)
def test_every_view_adds_up_whatever_changed(factors: list[tuple[float, float]], kept: list[bool]) -> None:
    """Rows change price and quantity, or go; there and back are the same difference."""
    plan = SMALL
    rows = zip(plan.charges, factors, kept, strict=True)
    charges = tuple(
        replace(row, effective_usd=row.effective_usd * price * quantity, quantity=row.quantity * quantity)
        for row, (price, quantity), stays in rows
        if stays
    )
    other = replace(plan, charges=charges)
    there, back = compare(plan, other), compare(other, plan)
    holds_together(there)
    holds_together(back)
    assert there.cents == -back.cents


@given(st.lists(st.floats(0.001, 5000), min_size=4, max_size=4), st.integers(0, 3))
def test_a_workload_that_is_gone_costs_nothing(costs: list[float], gone: int) -> None:
    """What only the first plan has costs 0 in the second, never a cent less; no cost is below 0 for being rounded."""
    row = SMALL.charges[0]
    rows = [replace(row, workload=f"w{number}", effective_usd=usd) for number, usd in enumerate(costs)]
    found = compare(replace(SMALL, charges=tuple(rows)), replace(SMALL, charges=tuple(rows[:gone] + rows[gone + 1 :])))
    holds_together(found)
    assert all(change.before >= 0 and change.after >= 0 for change in found.workloads)
    assert [change.after for change in found.workloads if change.name == f"w{gone}"] == [0]


def test_dearer_prices_are_told_as_prices() -> None:
    """A tenth more for everything: all of the difference is prices, to a cent a workload."""
    found = compare(small_plan(), scaled(small_plan(), price=1.1))
    holds_together(found)
    assert found.cents == pytest.approx(found.before / 10, abs=1)
    assert all(abs(why.prices - change.cents) <= 1 for why, change in zip(found.causes, found.workloads, strict=True))
    assert all(row.after_usd == pytest.approx(row.before_usd * 1.1) for row in found.prices)
    assert sum(row.cents for row in found.prices) == pytest.approx(found.cents, abs=len(found.prices))


def test_more_of_the_same_is_told_as_demand() -> None:
    """Twice the tokens at twice the quantities: all of a workload's difference is demand."""
    found = compare(small_plan(), scaled(small_plan(), quantity=2.0))
    holds_together(found)
    counted = {row.id for row in small_plan().workloads if row.mtok > 0}
    causes = [why for why in found.causes if why.workload in counted]
    assert causes
    assert all(why.prices == 0 and abs(why.placement) <= 1 for why in causes)
    assert all(why.demand == 0 for why in found.causes if why.workload == SHARED)


def test_demand_and_prices_together_leave_no_placement() -> None:
    """Prices act on the later quantity, demand on the earlier cost: the two make up the whole."""
    found = compare(small_plan(), scaled(small_plan(), price=1.25, quantity=2.0))
    holds_together(found)
    counted = {row.id for row in small_plan().workloads if row.mtok > 0}
    assert all(abs(why.placement) <= 2 for why in found.causes if why.workload in counted)


def test_a_workload_only_one_plan_has_is_demand() -> None:
    """What is new costs what it costs; nothing of it is a price that changed."""
    whole = small_plan()
    name = whole.workloads[0].id
    without = replace(
        whole,
        workloads=whole.workloads[1:],
        placements=tuple(row for row in whole.placements if row.workload != name),
        charges=tuple(row for row in whole.charges if row.workload != name),
    )
    found = compare(without, whole)
    holds_together(found)
    change, why = next(pair for pair in zip(found.workloads, found.causes, strict=True) if pair[0].name == name)
    assert change.before == 0
    assert (why.demand, why.prices, why.placement) == (change.cents, 0, 0)
    assert any(row.what == name for row in found.moved)


def test_what_was_built_and_copied_is_told() -> None:
    """Expansions and copies only one of them has, by name."""
    plan = synthetic_plan()
    assert plan.expansions
    assert plan.copies
    found = compare(plan, replace(plan, expansions=(), copies=()))
    step, copy = plan.expansions[0], plan.copies[0]
    assert (
        f"expansion `{step.step}` of `{step.site}`: ordered in {plan.periods[step.order_period]} -> not" in found.steps
    )
    assert any(f"copy of `{copy.dataset}` at `{copy.site}`: kept" in row for row in found.steps)


def test_a_difference_within_the_gaps_is_called_unsure() -> None:
    """A cent less is no saving where the search leaves more open; a large difference is one."""
    plan = small_plan()
    assert plan.solve is not None
    loose = replace(plan, solve=replace(plan.solve, gap=0.01))
    cheap = tuple(replace(row, effective_usd=row.effective_usd * 0.999) for row in plan.charges)
    dear = tuple(replace(row, effective_usd=row.effective_usd * 2.0) for row in plan.charges)
    assert any("leave open" in note for note in compare(loose, replace(loose, charges=cheap)).notes)
    assert not any("leave open" in note for note in compare(loose, replace(loose, charges=dear)).notes)


def test_other_frames_are_noted() -> None:
    """Another horizon, currency or catalogue is said; the cost is that of each whole horizon."""
    plan = small_plan()
    other = replace(plan, start="2031-01", period_months=1, currency="EUR", usd_per_unit=1.1, catalog_digest="sha256:1")
    told = " ".join(compare(plan, other).notes)
    for words in ("horizons differ", "periods differ", "catalogues differ", "currencies differ"):
        assert words in told


def test_energy_is_its_own_kind() -> None:
    """Only the energy rows change: only the view of kinds names one row."""
    plan = small_plan()
    charges = tuple(
        replace(row, effective_usd=row.effective_usd * 1.5) if row.kind is ChargeKind.ENERGY else row
        for row in plan.charges
    )
    found = compare(plan, replace(plan, charges=charges))
    assert [row.name for row in found.kinds if row.cents] == ["energy"]
