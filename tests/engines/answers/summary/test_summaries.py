"""Bottom lines: every dollar and kilogram is borne once, idle capacity is told apart, standby is somebody's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.answering import cage, chat, cloud, estate, job, unallocated
from tests.factories.planning import planned

from tripoint.domain.charge import Charge, ChargeKind, CommitmentStatus
from tripoint.domain.units import SiteId
from tripoint.domain.workload import Recovery, Standby, TodayShare
from tripoint.engines.answers.breakeven.workloads import all_contests
from tripoint.engines.answers.homes import homes_of, served
from tripoint.engines.answers.summary.firm_cost import firm_costs
from tripoint.engines.answers.summary.reach import reach_of
from tripoint.engines.answers.summary.reasons import LONGEST, Evidence, reason
from tripoint.engines.answers.summary.summaries import (
    Bill,
    bills,
    gpus_in_last_period,
    shared_usd,
    site_summaries,
    workload_summaries,
)
from tripoint.engines.placement.outcome import Outcome


def charge(workload: str | None, usd: float, *, site: str = "cage", resource: str = "node", period: int = 0) -> Charge:
    """A row of a pool; without a workload it is idle."""
    return Charge(
        period=period,
        kind=ChargeKind.AMORTISATION,
        provider="own",
        site=site,
        layer="dense",
        resource=resource,
        option="owned",
        workload=workload,
        status=CommitmentStatus.UNUSED if workload is None else CommitmentStatus.USED,
        quantity=1.0,
        unit="node-month",
        list_usd=usd,
        contracted_usd=usd,
        billed_usd=0.0,
        effective_usd=usd,
        carbon_kg=usd / 10,
        basis=(),
    )


def evidence_of(outcome: Outcome) -> Evidence:
    """What sentences are computed from."""
    assert outcome.decisions is not None
    return Evidence(
        instance=outcome.instance,
        served=served(outcome.decisions),
        reach=reach_of(outcome.instance),
        contests=all_contests(outcome.instance),
        firm_costs=firm_costs(outcome.instance, outcome.decisions, outcome.charges),
    )


def test_idle_is_borne_in_proportion_to_use() -> None:
    """30 and 10 USD of use share 20 USD of idle as 15 and 5; another pool's idle is none of theirs."""
    rows = (charge("a", 30.0), charge("b", 10.0), charge(None, 20.0), charge(None, 7.0, resource="other"))
    found = bills(rows)
    assert found["a"] == Bill(used_usd=30.0, idle_usd=15.0, carbon_kg=4.5)
    assert found["b"].total_usd == pytest.approx(15.0)
    assert unallocated(rows) == pytest.approx(7.0)


charges = st.lists(
    st.builds(
        charge,
        st.sampled_from(("a", "b", "c", None)),
        st.floats(0.0, 1e6),
        site=st.sampled_from(("x", "y")),
        resource=st.sampled_from(("n1", "n2")),
        period=st.integers(0, 3),
    ),
    max_size=40,
).map(tuple)


@given(charges)
def test_every_dollar_is_borne_once(rows: tuple[Charge, ...]) -> None:
    """Bills and what nobody bears are the statement's total, in money; idle is conserved on the way."""
    total = sum(row.effective_usd for row in rows)
    found = bills(rows)
    assert sum(bill.total_usd for bill in found.values()) + unallocated(rows) == pytest.approx(total, abs=1e-6)
    idle = sum(row.effective_usd for row in rows if row.workload is None)
    assert sum(bill.idle_usd for bill in found.values()) + unallocated(rows) == pytest.approx(idle, abs=1e-6)
    assert sum(shared_usd(rows).values()) == pytest.approx(unallocated(rows), abs=1e-6)
    for workload, bill in found.items():
        own = sum(row.effective_usd for row in rows if row.workload == workload)
        assert bill.used_usd == pytest.approx(own, abs=1e-6)


@settings(max_examples=50)
@given(charges)
def test_carbon_follows_the_money(rows: tuple[Charge, ...]) -> None:
    """Carbon is split as the rows it comes with, so a tenth of every bill here."""
    for bill in bills(rows).values():
        assert bill.carbon_kg == pytest.approx(bill.total_usd / 10, abs=1e-6)


@pytest.fixture(scope="module")
def mixed() -> Outcome:
    """A cage that carries the base of a chat and some batch work, a cloud for the rest."""
    sites = (cage(held=1), cloud(usd_per_hour=40.0))
    asked = (
        chat(requests_per_s=130.0, today=(TodayShare(site=SiteId("cloud")),)),
        job(mtok_per_month=1e6, only_at=("cage",)),
    )
    return planned(estate(*sites, workloads=asked))


def test_a_solved_plan_is_borne_to_the_cent(mixed: Outcome) -> None:
    """Workloads and what nobody bears sum to the statement, sites sum to it too."""
    assert mixed.decisions is not None
    total = sum(row.effective_usd for row in mixed.charges)
    rows = workload_summaries(evidence_of(mixed), mixed.charges)
    assert sum(row.cost_usd for row in rows) + unallocated(mixed.charges) == pytest.approx(total, abs=0.01)
    sites = site_summaries(mixed.instance, mixed.decisions, mixed.charges)
    assert sum(site.cost_usd for site in sites) == pytest.approx(total, abs=0.01)
    assert [site.region for site in sites] == ["", "us-east-1"]


def test_token_prices_are_the_bill_over_the_tokens(mixed: Outcome) -> None:
    """Reservation-based counts idle, usage-based does not; both over input and output tokens."""
    row = next(each for each in workload_summaries(evidence_of(mixed), mixed.charges) if each.id == "job")
    assert row.mtok == pytest.approx(12e6)
    assert row.usd_per_mtok_reserved == pytest.approx(row.cost_usd / 12e6)
    assert row.usd_per_mtok_usage == pytest.approx((row.cost_usd - row.idle_usd) / 12e6)


def test_gpus_in_use_are_those_of_the_busiest_block(mixed: Outcome) -> None:
    """Eight per node, in whichever block the site is busiest in the last quarter."""
    assert mixed.decisions is not None
    for site, gpus in gpus_in_last_period(mixed.instance, mixed.decisions).items():
        mine = [s for s in mixed.decisions.pools if s.site == site and s.period == 3]
        assert gpus == pytest.approx(max(8 * state.used for state in mine))


def test_the_sentence_fits_a_line_and_its_saving_is_the_statement_s(mixed: Outcome) -> None:
    """The saving told is one less the cost of an hour of work on owned nodes over the rented hour."""
    assert mixed.decisions is not None
    evidence = evidence_of(mixed)
    said = reason(evidence, 0)
    assert len(said) <= LONGEST
    home = homes_of(evidence.instance, 0, evidence.served)[0]
    assert (home.site, home.way) == ("cage", "on owned nodes")
    spent = sum(r.effective_usd for r in mixed.charges if r.resource == "dgx-h100" and r.option == "owned")
    hours = sum(
        min(s.owned, s.used) * mixed.instance.block_hours(s.block)
        for s in mixed.decisions.pools
        if s.pool == "cage/dgx-h100"
    )
    saving = 1 - spent / hours / 40.0
    assert f"owned costs {saving * 100:.0f} % less than on demand at `cloud`" in said


def test_shares_of_homes_sum_to_the_whole(mixed: Outcome) -> None:
    """Firm and elastic parts of all sites are the workload's volume."""
    evidence = evidence_of(mixed)
    for number in range(2):
        assert sum(home.share for home in homes_of(evidence.instance, number, evidence.served)) == pytest.approx(1)


def test_moving_in_is_counted_from_today_s_place(mixed: Outcome) -> None:
    """The chat runs in the cloud today and enters the cage once; the job starts where it is."""
    moves = {row.id: row.moves for row in workload_summaries(evidence_of(mixed), mixed.charges)}
    assert moves["chat"] >= 1
    assert moves["job"] == 0


def test_standby_is_part_of_the_bill_of_who_asks_for_it() -> None:
    """The same chat with a hot standby costs what its second place costs more, and nobody else pays for it."""
    sites = (cloud("a", 30.0), cloud("b", 30.0, region="eu-central-1"))
    plain = planned(estate(*sites, workloads=(chat(), job())))
    hot = Recovery(standby=Standby.HOT)
    safe = planned(estate(*sites, workloads=(chat(recovery=hot), job())))
    assert safe.decisions is not None
    assert safe.decisions.standby
    before, after = bills(plain.charges), bills(safe.charges)
    extra = sum(r.effective_usd for r in safe.charges) - sum(r.effective_usd for r in plain.charges)
    assert extra > 0
    assert after["chat"].total_usd - before["chat"].total_usd == pytest.approx(extra, rel=1e-6)
    assert after["job"].total_usd == pytest.approx(before["job"].total_usd)
