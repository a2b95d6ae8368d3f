"""An estate without a plan is told which rules cannot hold together, with the numbers that clash."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.factories.placement import (
    chat,
    conflict_of,
    hall,
    horizon,
    place,
    program_of,
    region,
    rented,
    resolved,
    servers,
    training,
)
from tests.factories.planning import highs

from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.plan import ConflictSet
from tripoint.domain.policy import Budget, ConcentrationCap, Policies, ResidencyRule
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.domain.units import DatasetId, LinkId, SiteId
from tripoint.domain.workload import Caller, Recovery, Standby, TodayShare
from tripoint.engines.placement.conflict import homeless
from tripoint.engines.placement.milp.program import INFINITY, Program, SolutionStatus

COMMITTED = PurchaseOption.COMMITTED
BOTH_NUMBERS = re.compile(r"(needs|gets) ([\d.,]+).*, (allowed is|needs|there are|there is) ([\d.,]+)")

CASES: dict[str, tuple[Estate, str, str]] = {
    "power": (
        place(hall(it_kw=12.0), workloads=(chat(),)),
        "power of `hall`, 12 kW, in 2027-Q1: needs 15 kW, allowed is 12 kW",
        "power.it_kw",
    ),
    "racks": (
        place(hall(racks=1), workloads=(chat(min_replicas=24),)),
        "1 rack at `hall` in 2027-Q1: needs 1.5 racks, allowed is 1 rack",
        "rack_density_kw",
    ),
    "obtainable": (
        place(region(pools=(rented(max_nodes=1),)), workloads=(chat(),)),
        "1 node obtainable of cloud/big: needs 1.5 nodes, allowed is 1 node",
        "max_nodes",
    ),
    "capacity": (
        place(hall(pool=servers(lead_time_months=3)), workloads=(chat(),), horizon=horizon(2)),
        "nodes of `hall/server` in 2027-Q1: needs 1.5 nodes, there are 0",
        "offer more nodes",
    ),
    "gang": (
        place(
            region(pools=(rented(COMMITTED, commitments=(Commitment(nodes=1, ends="2027-12"),)),)),
            workloads=(training(gang=24),),
        ),
        "gang of 3 nodes of `train` at cloud/big in 2027-Q1: needs 3 nodes, there is 1",
        "one type at one site",
    ),
    "budget": (
        place(region(), workloads=(chat(),), policies=Policies(budget=Budget(usd_per_period=100_000.0))),
        "budget 100,000 USD (effective) in 2027-Q1: needs 164,250 USD, allowed is 100,000 USD",
        "policies.budget",
    ),
    "concentration": (
        place(
            region(),
            workloads=(chat(),),
            policies=Policies(concentration=(ConcentrationCap(max_share=0.6, provider="aws"),)),
        ),
        "at most 60% of cost with `aws`: needs 65,700 USD, there are 0",
        "max_share",
    ),
    "standby": (
        place(region(), workloads=(chat(recovery=Recovery(standby=Standby.HOT, survive_share=0.5)),)),
        "`chat` survives the loss of site `cloud`: gets 0 of its demand, needs 0.5 of its demand",
        "survive_share",
    ),
    "links": (
        place(
            region(),
            workloads=(chat(demand=replace(chat().demand, payload_kb=1000.0), callers=(Caller(place="NL"),)),),
            links=(Link(id=LinkId("line"), source=SiteId("NL"), target=SiteId("cloud"), bandwidth_gbps=0.05),),
        ),
        "link `line`, 0.05 Gbit/s: needs 0.064 Gbit/s, allowed is 0.05 Gbit/s",
        "bandwidth_gbps",
    ),
    "moves": (
        place(
            hall(pool=servers(lead_time_months=3)),
            region(),
            workloads=(chat(today=(TodayShare(site=SiteId("hall")),)),),
            policies=Policies(max_moves_per_period=0),
        ),
        "`chat` moves to `cloud`: needs 1 move, there are 0",
        "max_moves_per_period",
    ),
    "rpo": (
        place(
            region(),
            workloads=(chat(),),
            datasets=(Dataset(id=DatasetId("d"), size_gb=1.0, copies=(SiteId("cloud"),), rpo_minutes=5.0),),
        ),
        "second copy of `d` for RPO 5 min: gets 0 copies, needs 1 copy",
        "second copy",
    ),
}


def without(program: Program, family: str) -> Program:
    """The program without the rows of a family."""
    dropped = np.array([name == family for name in program.row_families], dtype=np.bool_)
    return replace(
        program,
        row_lower=np.where(dropped, -INFINITY, program.row_lower),
        row_upper=np.where(dropped, INFINITY, program.row_upper),
    )


@pytest.mark.parametrize(
    "family",
    list(CASES),
)
def test_the_rule_in_the_way_is_named_with_both_numbers_and_what_to_do(family: str) -> None:
    """What it would have to be and what is allowed, in the estate's words; the hint names the field to change."""
    estate, detail, advice = CASES[family]
    conflict = conflict_of(estate)
    assert family in conflict.families
    assert f"{family}: {detail}" in conflict.details
    assert all(BOTH_NUMBERS.search(line) for line in conflict.details)
    assert advice in conflict.hint


@pytest.mark.parametrize("family", [name for name in CASES if name != "gang"])
def test_giving_up_any_one_family_named_makes_a_plan_possible(family: str) -> None:
    """The set is irreducible: none of the families named is there without need.

    A run without its gang is no such case: it conflicts twice, with its demand and with having to be in one place.
    """
    estate, _, _ = CASES[family]
    program = program_of(estate)
    named = conflict_of(estate).families
    assert named
    assert highs(program).status is SolutionStatus.INFEASIBLE
    for name in named:
        assert highs(without(program, name)).status is SolutionStatus.OPTIMAL, name


def test_families_that_have_nothing_to_do_with_it_are_not_named() -> None:
    """A generous budget, idle racks and a wide link beside a hall without power."""
    estate = place(
        hall(it_kw=15.0, racks=50),
        workloads=(chat(),),
        policies=Policies(budget=Budget(usd_per_period=1e9)),
        links=(Link(id=LinkId("line"), source=SiteId("NL"), target=SiteId("hall"), bandwidth_gbps=100.0),),
    )
    assert conflict_of(estate).families == ("demand", "capacity", "power")


def test_a_conflict_of_whole_nodes_has_its_numbers_too() -> None:
    """1.2 nodes of 10 kW would fit 15 kW; two whole ones need 20."""
    conflict = conflict_of(place(hall(it_kw=15.0), workloads=(chat(rate=11.5),)))
    assert conflict.families == ("demand", "capacity", "power")
    assert any("allowed is 15 kW" in line for line in conflict.details)


def test_workloads_without_any_offer_are_told_with_the_refusals() -> None:
    """Residency leaves `records` nowhere: no program is needed to say so, and the other workload is not blamed."""
    rules = Policies(residency=(ResidencyRule(allow=("EEA",), classifications=("health",)),))
    estate = place(region(), workloads=(chat(), chat("records", classification="health")), policies=rules)
    conflict = homeless(resolved(estate))
    assert conflict == ConflictSet(
        families=("demand", "residency"),
        details=("`records` at `cloud`: rule `policies.residency[0]` allows EEA; the country of `cloud` is US",),
        hint="1 of 2 workloads has no offer left; relax the rule or add an offer that meets it",
    )


def test_a_workload_nobody_offers_anything_is_told_so() -> None:
    """A region that sells nothing refuses nothing either."""
    conflict = homeless(resolved(place(region(pools=()), workloads=(chat(),))))
    assert conflict is not None
    assert conflict.details == ("`chat`: no site offers anything it could run on",)


def test_many_refusals_are_counted_rather_than_listed() -> None:
    """Six regions refuse for one reason: four are shown and two counted."""
    sites = tuple(region(f"cloud-{number}") for number in range(6))
    conflict = homeless(resolved(place(*sites, workloads=(chat(only_at=("edge",)),))))
    assert conflict is not None
    assert len(conflict.details) == 5
    assert conflict.details[-1] == "`chat`: and 2 more refusals"


def test_one_refusal_more_is_told_in_the_singular() -> None:
    """Five regions refuse: four are shown, one is counted."""
    sites = tuple(region(f"cloud-{number}") for number in range(5))
    conflict = homeless(resolved(place(*sites, workloads=(chat(only_at=("edge",)),))))
    assert conflict is not None
    assert conflict.details[-1] == "`chat`: and 1 more refusal"


def test_the_period_in_which_a_rule_is_broken_most_comes_first() -> None:
    """Demand doubles each year: the last quarter needs most, and is what a reader of one line has to see."""
    estate = place(
        region(),
        workloads=(chat(growth_per_year=1.0),),
        policies=Policies(budget=Budget(usd_per_period=100_000.0)),
        horizon=horizon(4),
    )
    needed = [float(BOTH_NUMBERS.search(line)[2].replace(",", "")) for line in conflict_of(estate).details]  # type: ignore[index]  # every line has both
    assert len(needed) == 4
    assert needed == sorted(needed, reverse=True)
    assert needed[0] > needed[-1]


def test_an_estate_with_a_home_for_all_has_no_such_conflict() -> None:
    """One offer each is enough."""
    assert homeless(resolved(place(region(), workloads=(chat(), chat("more"))))) is None


def test_what_there_is_keeps_to_the_limits_that_are_not_in_the_way() -> None:
    """Four servers at most, though each quarter may order four: there are 4, not one and four a quarter."""
    conflict = conflict_of(
        place(hall(pool=servers(held=1, max_nodes=4)), workloads=(chat(rate=1000.0),), horizon=horizon(4))
    )
    assert "capacity" in conflict.families
    assert all("there are 4" in line for line in conflict.details)
