"""Whatever site is lost, the required share is still served: recomputed from the decisions, not from the rows."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import (
    API,
    TWO_LEVELS,
    chat,
    conflict_of,
    hall,
    horizon,
    place,
    region,
    rented,
    resolved,
    servers,
    solved,
)

from tripoint.domain.decision import StandbyDecision
from tripoint.domain.estate import Estate
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.site import Site
from tripoint.domain.workload import Recovery, Standby
from tripoint.engines.placement.columns.serving import standby_mode
from tripoint.engines.placement.families.caps import contingencies
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.outcome import Outcome

HOT, WARM, COLD = Standby.HOT, Standby.WARM, Standby.COLD


def kept(outcome: Outcome) -> tuple[StandbyDecision, ...]:
    """Standby decisions."""
    assert outcome.decisions is not None
    return outcome.decisions.standby


def survives(outcome: Outcome, workload: str, lost: set[str], period: int, block: int) -> float:
    """Share of the block's demand that is served or can be taken over when the sites `lost` are gone."""
    assert outcome.decisions is not None
    index = next(n for n, w in enumerate(outcome.instance.estate.workloads) if w.id == workload)
    rates = outcome.instance.grid.workloads[index].peak_rate[period]
    served = sum(
        row.share
        for row in outcome.decisions.placements
        if (row.workload, row.period, row.block) == (workload, period, block) and row.site not in lost
    )
    spare = sum(
        row.share for row in kept(outcome) if (row.workload, row.period) == (workload, period) and row.site not in lost
    )
    return served + spare * max(rates) / rates[block]


def losses(estate: Estate) -> list[set[str]]:
    """Each site, and each failure domain that sites share."""
    members = defaultdict(set)
    for site in estate.sites:
        for domain in site.failure_domains:
            members[domain].add(str(site.id))
    return [{str(site.id)} for site in estate.sites] + [sites for sites in members.values() if len(sites) > 1]


@settings(max_examples=30, deadline=None)
@given(
    mode=st.sampled_from((HOT, WARM, COLD)),
    share=st.sampled_from((0.25, 0.5, 0.9, 1.0)),
    rate=st.integers(4, 60),
    is_shared=st.booleans(),
)
def test_every_loss_leaves_the_share_required(mode: Standby, share: float, rate: int, is_shared: bool) -> None:
    """Three sites, two of which may share a conduit, two blocks: no loss takes more than may be lost."""
    domains = ("conduit",) if is_shared else ()
    sites = (hall(failure_domains=domains), region("east", failure_domains=domains), region("west"))
    load = chat(rate=float(rate), hour_of_week=TWO_LEVELS, recovery=Recovery(standby=mode, survive_share=share))
    estate = place(*sites, workloads=(load,), horizon=horizon(2, 2))
    outcome = solved(estate)
    for lost in losses(estate):
        for period in outcome.instance.periods:
            for block in outcome.instance.blocks:
                assert survives(outcome, "chat", lost, period, block) >= share - 1e-6


def spare_nodes(mode: Standby, spare: Site) -> float:
    """Nodes kept for a workload of 16 req/s (12 replicas, 1.5 nodes) that runs at the hall or the spare site."""
    load = chat(recovery=Recovery(standby=mode), only_at=("hall", spare.id))
    outcome = solved(place(hall(pool=servers(held=2)), spare, workloads=(load,)))
    return sum(row.nodes for row in kept(outcome))


@pytest.mark.parametrize(("mode", "nodes"), [(HOT, 1.5), (WARM, 0.75), (COLD, 0.0)])
def test_hot_holds_all_of_it_warm_a_share_and_cold_an_offer(mode: Standby, nodes: float) -> None:
    """Where nodes can be rented in the hour of need; a warm standby keeps half of it running."""
    assert spare_nodes(mode, region("spare")) == pytest.approx(nodes)


@pytest.mark.parametrize("mode", [HOT, WARM, COLD])
def test_where_nothing_can_be_rented_everything_is_held(mode: Standby) -> None:
    """A hall cannot buy servers in the hour of need."""
    assert spare_nodes(mode, hall("spare")) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("declared", "rto", "mode"),
    [
        (Standby.NONE, None, "none"),
        (HOT, 2000.0, "hot"),
        (Standby.NONE, 2000.0, "cold"),
        (Standby.NONE, 1440.0, "cold"),
        (Standby.NONE, 60.0, "warm"),
        (Standby.NONE, 19.0, "hot"),
    ],
)
def test_the_recovery_time_chooses_the_cheapest_mode_that_meets_it(
    declared: Standby, rto: float | None, mode: str
) -> None:
    """Cold takes a day, warm twenty minutes; a declared mode is not argued with."""
    load = chat(recovery=Recovery(standby=declared, rto_minutes=rto))
    form, _ = formulate(resolved(place(region(), workloads=(load,))))
    assert standby_mode(form, 0) == mode


def test_an_api_stands_by_for_nothing() -> None:
    """It bills per token: the loss of the hall is covered without holding a node."""
    load = chat(recovery=Recovery(standby=HOT), only_at=("hall", "api"))
    api = region("api", pools=(), apis=(API,))
    outcome = solved(place(hall(), api, workloads=(load,)))
    spare = [row for row in kept(outcome) if row.site == "api"]
    assert [row.share for row in spare] == pytest.approx([1.0])
    assert [row.nodes for row in spare] == [0.0]
    assert not [row for row in outcome.charges if row.site == "api"]


def test_running_in_two_places_is_half_a_standby_already() -> None:
    """Half must survive: served half and half, nothing is kept beside it."""
    load = chat(recovery=Recovery(standby=HOT, survive_share=0.5))
    outcome = solved(place(region("east"), region("west"), workloads=(load,)))
    assert sum(row.nodes for row in kept(outcome)) == pytest.approx(0.0, abs=1e-6)
    assert outcome.decisions is not None
    assert {row.site: row.share for row in outcome.decisions.placements} == pytest.approx({"east": 0.5, "west": 0.5})


def test_a_shared_failure_domain_is_lost_as_a_whole() -> None:
    """Two halls on one grid do not stand by for each other; nowhere else may serve."""
    load = chat(recovery=Recovery(standby=HOT))
    sites = (hall(failure_domains=("grid",)), hall("annexe", failure_domains=("grid",)))
    conflict = conflict_of(place(*sites, workloads=(load,)))
    assert conflict.families == ("standby",)
    assert any("failure domain `grid`" in line for line in conflict.details)


def test_what_may_be_lost_is_each_site_and_each_domain_that_sites_share() -> None:
    """A domain of one site is that site."""
    sites = (hall(failure_domains=("grid", "own")), hall("annexe", failure_domains=("grid",)), region())
    form, _ = formulate(resolved(place(*sites, workloads=(chat(),))))
    assert [(name, sorted(members)) for name, members in contingencies(form.instance)] == [
        ("site `hall`", [0]),
        ("site `annexe`", [1]),
        ("site `cloud`", [2]),
        ("failure domain `grid`", [0, 1]),
    ]


def test_standby_nodes_are_paid_by_the_workload_that_needs_them() -> None:
    """1.5 rented nodes of hot standby: 3 x 730 h x 50 USD each, on the workload's account."""
    load = chat(recovery=Recovery(standby=HOT), only_at=("hall", "spare"))
    outcome = solved(place(hall(pool=servers(held=2)), region("spare"), workloads=(load,)))
    paid = [row for row in outcome.charges if row.site == "spare"]
    assert {row.workload for row in paid} == {"chat"}
    assert sum(row.effective_usd for row in paid) == pytest.approx(1.5 * 2190 * 50.0)


def test_a_cold_standby_is_no_larger_than_what_can_be_had() -> None:
    """Six nodes' worth of demand cannot be taken over by a pool that may have one."""
    load = chat(rate=64.0, recovery=Recovery(standby=COLD, survive_share=1.0), only_at=("hall", "spare"))
    small = region("spare", pools=(rented(PurchaseOption.ON_DEMAND, max_nodes=1),))
    assert solved(place(hall(), small, workloads=(load,))).is_infeasible


def test_a_site_does_not_stand_by_for_itself() -> None:
    """All of it runs at one site, so standby there helps against no loss."""
    load = chat(recovery=Recovery(standby=COLD))
    outcome = solved(place(region("east"), region("west"), workloads=(load,)))
    assert outcome.decisions is not None
    (home,) = {row.site for row in outcome.decisions.placements}
    assert {row.site for row in kept(outcome)} == {"east", "west"} - {home}
