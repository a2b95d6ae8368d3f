"""Faults that last change the estate as they say, and the same prices everywhere."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from tests.factories.planning import catalog
from tests.factories.tried import FRAGILE, replanning, tried

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.engines.stress.changes.estates import changed, sacrifices, without
from tripoint.engines.stress.changes.prices import NAMES, effective_usd, factors_of


def lasting(kind: FaultKind, *on: str, size: float) -> Fault:
    """A fault without an end."""
    return Fault(kind=kind, on=on, at_s=0.0, until_s=inf, size=size)


@pytest.mark.parametrize("price", NAMES)
def test_the_old_decisions_cost_what_planning_them_again_would(price: str) -> None:
    """Charges repriced row by row equal a plan made at the new prices, where the decisions are the same.

    The fragile estate has one choice for everything, so that planning again decides nothing else.
    """
    estate = tried(FRAGILE)
    faults = (lasting(FaultKind.PRICE, price, size=1.25),)
    new_estate, new_catalog = changed(estate.loaded.estate, catalog(), faults, 0.0)
    anew = replanning()(replace(estate.loaded, estate=new_estate), new_catalog, is_explained=False)
    held = effective_usd(estate.plan.charges, factors_of(faults))
    usual = effective_usd(estate.plan.charges, factors_of(()))
    assert held > usual
    assert effective_usd(anew.charges, factors_of(())) == pytest.approx(held, rel=1e-6)


def test_prices_of_ones_own_change_as_well() -> None:
    """Own rates by option, own token prices, links."""
    estate = replace(
        tried(FRAGILE).loaded.estate,
        prices=(
            OwnPrice(provider="aws", option=PurchaseOption.SPOT, usd_per_hour=2.0),
            OwnPrice(provider="aws", usd_per_hour=4.0),
            OwnPrice(sku="m", usd_in_per_mtok=1.0, usd_out_per_mtok=3.0),
        ),
    )
    faults = [lasting(FaultKind.PRICE, "spot", size=2.0), lasting(FaultKind.PRICE, "token", size=3.0)]
    spot, rate, tokens = changed(estate, catalog(), faults, 0.0)[0].prices
    assert (spot.usd_per_hour, rate.usd_per_hour) == (4.0, 4.0)
    assert (tokens.usd_in_per_mtok, tokens.usd_out_per_mtok, tokens.usd_cached_per_mtok) == (3.0, 9.0, None)


def test_dearer_on_demand_leaves_spot_alone() -> None:
    """Ratios over on-demand shrink by as much, so that spot and commitments keep their prices."""
    _, dear = changed(tried(FRAGILE).loaded.estate, catalog(), [lasting(FaultKind.PRICE, "on_demand", size=2.0)], 0.0)
    usual = {(row.provider, row.option, row.term_months): row.typical for row in catalog().price_ratios}
    for row in dear.price_ratios:
        assert row.typical * 2 == pytest.approx(usual[row.provider, row.option, row.term_months])


def test_demand_grows_where_it_was_declared_to_grow_less() -> None:
    """Three times a year is a growth of 2; more than that stays."""
    estate = tried(FRAGILE).loaded.estate
    faults = [lasting(FaultKind.DEMAND, "desk", "help", size=1.5)]
    growth = {each.id: each.growth_per_year for each in changed(estate, catalog(), faults, 0.0)[0].workloads}
    assert growth == {"desk": 0.8, "help": 0.5, "write": 0.0, "digest": 0.0}


def test_orders_arrive_later_and_notice_makes_them_earlier() -> None:
    """26 weeks are six months, rounded up to whole ones; leaving with 60 days of notice orders two months sooner."""
    estate = tried(FRAGILE).loaded.estate
    late, _ = changed(estate, catalog(), [lasting(FaultKind.ORDER_DELAY, "cage", size=26.0)], 0.0)
    assert [pool.lead_time_months for pool in late.sites[2].pools or ()] == [9]
    left, _ = changed(estate, catalog(), [lasting(FaultKind.LEAVE, "cloud", size=62.0)], 0.0)
    assert [pool.lead_time_months for pool in left.sites[2].pools or ()] == [1]
    assert all("cloud" in each.not_at for each in left.workloads)


def test_only_the_work_that_is_named_has_to_leave() -> None:
    """A change of law about `desk` leaves the others where they are; a model that is withdrawn is sold no more."""
    estate = tried(FRAGILE).loaded.estate
    left, _ = changed(estate, catalog(), [lasting(FaultKind.LEAVE, "desk", "cage", size=0.0)], 0.0)
    assert {each.id: each.not_at for each in left.workloads} == {
        "desk": ("cage",), "help": (), "write": (), "digest": (),
    }  # fmt: skip
    gone, _ = changed(estate, catalog(), [lasting(FaultKind.LEAVE, "cloud/openai/gpt-5.4-mini", size=0.0)], 0.0)
    assert gone.sites[0].apis == ()


def test_a_budget_is_cut_from_what_there_is() -> None:
    """Of a declared one, else of what the plan spends in its dearest period."""
    estate = tried(FRAGILE).loaded.estate
    cut, _ = changed(estate, catalog(), [lasting(FaultKind.BUDGET, "people", size=0.75)], 1000.0)
    assert cut.policies.budget is not None
    assert cut.policies.budget.usd_per_period == 750.0
    again, _ = changed(cut, catalog(), [lasting(FaultKind.BUDGET, "people", size=0.5)], 1000.0)
    assert again.policies.budget is not None
    assert again.policies.budget.usd_per_period == 375.0


def test_the_least_urgent_are_given_up_first() -> None:
    """By priority, of equals the last declared; nobody is left named in a rule."""
    estate = tried(FRAGILE).loaded.estate
    assert sacrifices(estate) == ("digest", "write", "help", "desk")
    assert [each.id for each in without(estate, ("digest", "help")).workloads] == ["desk", "write"]
