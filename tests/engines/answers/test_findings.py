"""Doubts about a plan: which figures are told, what outlives the plan, who has one place to go."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.factories.answering import cage, chat, cloud, commitment, decided, estate, job, states
from tests.factories.planning import instance_of, planned

from tripoint.domain.charge import Charge, ChargeKind
from tripoint.domain.errors import Finding, Severity
from tripoint.domain.plan import Baseline, PlanStatus
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.provenance import Assumption, Confidence, Figure, Origin, Provenance
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.domain.units import AcceleratorId, WorkloadId
from tripoint.domain.workload import Demand, Recovery, Workload, WorkloadKind
from tripoint.engines.answers.findings import Doubts, plan_findings
from tripoint.engines.placement.decode import Decisions
from tripoint.engines.placement.instance.instance import Instance

TODAY = date(2026, 11, 21)
BOTH = (PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED)


def bill(usd: float) -> Charge:
    """The whole cost in one row."""
    return Charge(
        period=0,
        kind=ChargeKind.COMPUTE,
        provider="aws",
        site="cloud",
        layer="public",
        resource="p5.48xlarge",
        option="on_demand",
        workload="job",
        status=None,
        quantity=1.0,
        unit="node-hour",
        list_usd=usd,
        contracted_usd=usd,
        billed_usd=usd,
        effective_usd=usd,
        carbon_kg=0.0,
        basis=(),
    )


def assumed(key: str, usd: float, confidence: Confidence, *, as_of: str = "2026-11", stale: bool = False) -> Assumption:
    """A figure that carries some money."""
    source = Provenance(source="somebody", as_of=as_of, confidence=confidence)
    figure = Figure(key=key, value=2.5, unit="USD", origin=Origin.CATALOGUE, provenance=source)
    return Assumption(figure=figure, money_usd=usd, is_stale=stale)


def found(
    instance: Instance,
    decisions: Decisions,
    assumptions: tuple[Assumption, ...] = (),
    alternatives: tuple[Baseline, ...] = (),
) -> tuple[Finding, ...]:
    """Findings of a plan that costs 100 USD."""
    return plan_findings(
        Doubts(
            instance=instance,
            decisions=decisions,
            charges=(bill(100.0),),
            assumptions=assumptions,
            alternatives=alternatives,
            today=TODAY,
        )
    )


def about_figures(*assumptions: Assumption) -> list[tuple[str, str]]:
    """(code, figure) of what is said about figures alone."""
    instance = instance_of(estate(cloud(), workloads=(job(),)))
    said = found(instance, decided(), assumptions)
    return [(each.code, each.message.split("`")[1]) for each in said]


def test_weak_and_old_figures_with_money_are_told() -> None:
    """An estimate is weak whatever its age; a published price of last year is old; a fresh one is neither."""
    assert about_figures(
        assumed("price.a", 50.0, Confidence.ESTIMATE),
        assumed("price.b", 40.0, Confidence.PUBLISHED, as_of="2025", stale=True),
        assumed("price.c", 30.0, Confidence.PUBLISHED),
    ) == [("TP1602", "price.a"), ("TP1601", "price.b")]


def test_figures_with_little_money_or_little_to_decide_are_not_told() -> None:
    """Two percent or less, sizing constants, finance rates and carbon are left to the table of assumptions."""
    quiet = (
        "default.sizing.utilisation_cap",
        "default.finance.discount_rate",
        "electricity.DE.gco2_per_kwh",
        "model.m.kv_mb_per_token",
        "path.a->b.rtt_ms",
        "node.n.typical_kw",
    )
    told = about_figures(
        assumed("price.small", 2.0, Confidence.ESTIMATE),
        *(assumed(key, 90.0, Confidence.ESTIMATE) for key in quiet),
        assumed("electricity.DE.usd_per_kwh", 90.0, Confidence.ESTIMATE),
    )
    assert told == [("TP1602", "electricity.DE.usd_per_kwh")]


def test_ten_figures_are_told_at_most() -> None:
    """The first ten, which carry most money."""
    told = about_figures(*(assumed(f"price.{n}", 90.0 - n, Confidence.RECALLED) for n in range(15)))
    assert [key for _, key in told] == [f"price.{n}" for n in range(10)]


def test_an_old_figure_says_its_age_and_share() -> None:
    """End of September 2025 is 417 days before the day of the plan."""
    row = assumed("throughput.m", 37.0, Confidence.MEASURED, as_of="2025-09", stale=True)
    instance = instance_of(estate(cloud(), workloads=(job(),)))
    (said,) = found(instance, decided(), (row,))
    assert said.message == "`throughput.m`, 2.5 USD, is of 2025-09, 417 days old; 37 % of the cost rests on it"
    assert said.hint.startswith("measure it")


def test_what_is_signed_beyond_the_plan_is_added_up() -> None:
    """Two nodes at 25 USD an hour for the three months of 2028 that the plan of 2027 leaves out."""
    promised = cloud(commitments=(Commitment(nodes=2, ends="2028-03", usd_per_hour=25.0),))
    (said,) = found(instance_of(estate(promised, workloads=(job(),))), decided())
    assert (said.code, said.severity, said.path) == ("TP1603", Severity.WARNING, "sites[0].pools[0]")
    assert f"cost {2 * 25 * 730 * 3:,.0f} USD in the 3 months after 2027-12" in said.message


def test_what_the_plan_signs_beyond_its_end_is_added_up() -> None:
    """A year from July runs six months over, at the committed rate."""
    instance = instance_of(estate(cloud(usd_per_hour=40.0, options=BOTH), workloads=(job(),)))
    pool = instance.pools[0]
    term = next(term for term in pool.terms if term.offer.term_months == 12)
    nodes = states(instance, pool.spec.id, (1.0,) * 4, committed=(0.0, 0.0, 3.0, 3.0))
    (said,) = found(instance, decided(*nodes, purchases=(commitment(pool.spec.id, 3.0, 2),)))
    liability = term.offer.price_usd * 730 * 3 * 6
    assert f"3 nodes of `cloud/p5.48xlarge`, signed for 12 months in 2027-07, cost {liability:,.0f} USD" in said.message


@pytest.mark.parametrize(("ends", "told"), [("2027-12", 0), ("2028-01", 1)])
def test_a_promise_that_ends_with_the_plan_is_no_doubt(ends: str, told: int) -> None:
    """The last month of the plan is within it."""
    promised = cloud(commitments=(Commitment(nodes=2, ends=ends, usd_per_hour=25.0),))
    assert len(found(instance_of(estate(promised, workloads=(job(),))), decided())) == told


def test_a_workload_with_one_place_to_go_is_told_why() -> None:
    """Residency leaves the chat one region of two; the job may use both."""
    sites = (cloud("us"), cloud("eu", region="eu-central-1"))
    rule = ResidencyRule(allow=("EEA",), workloads=(WorkloadId("chat"),))
    declared = estate(*sites, workloads=(job(), chat()), policies=Policies(residency=(rule,)))
    (said,) = found(instance_of(declared), decided())
    assert (said.code, said.path) == ("TP1604", "workloads[1]")
    assert said.message == "`chat` can run at `eu` only, 1 of 2 sites; the others are ruled out by residency"


def test_identical_sites_are_more_than_one_place() -> None:
    """An entry that stands for three cages is no single place; an estate of one site has nothing to choose."""
    several = replace(cage(), count=3)
    confined = job(only_at=("cage",))
    assert found(instance_of(estate(several, cloud(), workloads=(confined,))), decided()) == ()
    assert found(instance_of(estate(cloud(), workloads=(job(),))), decided()) == ()


def test_alternatives_that_cannot_be_are_noted() -> None:
    """The families that give are named; the figures stay in the table of alternatives."""
    missing = Baseline(
        name="private",
        label="all private",
        status=PlanStatus.INFEASIBLE,
        total_usd=0.0,
        npv_usd=0.0,
        billed_usd=0.0,
        by_period_usd=(),
        by_layer_usd={},
        carbon_kg=0.0,
        usd_per_mtok=0.0,
        gap=0.0,
        note="impossible, power, racks cannot hold together: 50 kW wanted, 45 kW there",
    )
    instance = instance_of(estate(cloud(), workloads=(job(),)))
    (said,) = found(instance, decided(), alternatives=(missing, replace(missing, status=PlanStatus.OPTIMAL)))
    assert (said.code, said.severity) == ("TP1605", Severity.NOTE)
    assert said.message == "the alternative `all private` has no plan: power, racks cannot hold together"


@pytest.mark.parametrize(("spare", "is_told"), [(0, True), (2, False)])
def test_a_gang_beside_others_who_cannot_wait_is_told(spare: int, is_told: bool) -> None:
    """Two nodes at once and a chat that is always there: two nodes are too few, with spare ones they are enough.

    Work that can wait is in nobody's way.
    """
    asked = Demand(gpu_hours_per_month=500.0, reference_accelerator=AcceleratorId("h100-sxm"), gang_gpus=16)
    run = Workload(id=WorkloadId("run"), kind=WorkloadKind.FINE_TUNING, demand=asked)
    waits = job("night", mtok_per_month=1000.0)
    talk = chat(requests_per_s=2.0, recovery=Recovery(spare_nodes=spare))
    declared = estate(cage(max_nodes=4, held=4), workloads=(talk, run, waits))
    outcome = planned(declared)
    assert outcome.decisions is not None
    told = [each for each in found(outcome.instance, outcome.decisions) if each.code == "TP1606"]
    assert len(told) == is_told
    if told:
        assert told[0].path == "workloads[1]"
        assert told[0].message.startswith("`run` needs 2 nodes of `cage/dgx-h100` at once; in 2027-Q1 it is planned in")
        assert "`chat` needs" in told[0].message
        assert "or hold 1 more than the plan asks for" in (told[0].hint or "")
    alone = planned(replace(declared, workloads=(run, waits)))
    assert alone.decisions is not None
    assert not [each for each in found(alone.instance, alone.decisions) if each.code == "TP1606"]
