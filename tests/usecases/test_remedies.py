"""What is missed goes back to the planner, and comes back with a price that is the difference of two plans."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import API, chat, hall, place, region, rented, servers, training
from tests.factories.recovering import DETECT, SHIFT, TODAY, loaded, planned, recovering_catalog

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.render.resilience.recovery import remedy_line
from tripoint.domain.dataset import Dataset
from tripoint.domain.dependency import Dependency
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Objective, RecoveryRules, Remedy, Store
from tripoint.domain.units import DatasetId, SiteId
from tripoint.domain.workload import DatasetUse, Recovery, Standby
from tripoint.engines.placement.milp.program import SolveLimits
from tripoint.usecases.assess_recovery import assess_recovery
from tripoint.usecases.remedies import Pricing

SITE, REGION, DATA = DisruptionClass.SITE, DisruptionClass.REGION, DisruptionClass.DATA


def two_clouds(*objectives: Objective, **fields: object) -> Estate:
    """A workload at the cheaper of two clouds, with objectives."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    given: dict[str, object] = {"workloads": (chat(),), "recovery": RecoveryRules(objectives=objectives)} | fields
    return place(near, far, **given)  # type: ignore[arg-type]  # fields of the case


def remedies_of(estate: Estate) -> tuple[Remedy, ...]:
    """What the estate's plan lacks."""
    pricing = Pricing(solver=HighsSolver(), limits=SolveLimits(gap=1e-6, seconds=60.0, threads=1))
    found = assess_recovery(loaded(estate), recovering_catalog(), planned(estate), pricing, today=TODAY)
    assert len(found.remedies) == len(found.missed)
    return found.remedies


def test_the_price_is_the_difference_of_two_plans() -> None:
    """Half of it in three minutes: the estate with the lines told costs exactly that much more, and is in time."""
    estate = two_clouds(Objective(after=(SITE,), rto_minutes=3.0, least_share=0.5))
    (found,) = remedies_of(estate)
    assert found.is_possible
    assert found.asked == "site-loss RTO 3 min at 50% for `chat`"
    assert found.rta_s <= DETECT + SHIFT
    mode = Standby(found.change.partition("standby: ")[2].partition(",")[0])
    told = replace(chat(), recovery=Recovery(standby=mode, survive_share=0.5))
    with_it = planned(replace(estate, workloads=(told,)))
    months = estate.horizon.months
    without = planned(estate)
    assert with_it.solve is not None
    assert without.solve is not None
    more = with_it.solve.undiscounted_usd - without.solve.undiscounted_usd
    assert found.usd_per_month == pytest.approx(more / months, rel=1e-4)
    assert found.usd_per_month > 0
    assert "at `far`" in found.does


def test_the_cheapest_kind_that_is_in_time_is_taken() -> None:
    """Ten minutes leave time to rent: cold standby costs nothing until it is used."""
    (found,) = remedies_of(two_clouds(Objective(after=(SITE,), rto_minutes=10.0)))
    assert "standby: cold" in found.change
    assert found.usd_per_month == pytest.approx(0.0, abs=1.0)


def test_approval_beforehand_is_tried_before_anything_that_costs() -> None:
    """A region whose hot standby waits for a person: saying so beforehand is enough."""
    hot = chat(recovery=Recovery(standby=Standby.HOT))
    (found,) = remedies_of(two_clouds(Objective(after=(REGION,), rto_minutes=5.0), workloads=(hot,)))
    assert found.usd_per_month == 0.0
    assert "approved beforehand" in found.does
    assert found.change == "recovery: {approval_on: [provider, data]}"


def test_regions_of_several_sites_become_failure_domains() -> None:
    """Standby must then be in another region."""
    objective = Objective(after=(REGION,), rto_minutes=10.0)
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    next_ = region("next", pools=(rented(usd_per_hour=11.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    estate = place(
        near, next_, far, workloads=(chat(),), recovery=RecoveryRules(objectives=(objective,), approval_on=())
    )
    found = remedies_of(estate)[0]
    assert found.is_possible
    assert "sites[near].failure_domains: [aws-us-east-1]" in found.change


def test_a_second_copy_of_what_is_read_is_tried() -> None:
    """Nodes could be rented in 18 minutes, if only there were something to read."""
    data = Dataset(id=DatasetId("letters"), size_gb=8.0, copies=(SiteId("near"),))
    reads = chat(reads=(DatasetUse(dataset=DatasetId("letters"), gb_per_month=1.0),))
    objective = Objective(after=(SITE,), rto_minutes=30.0)
    (found,) = remedies_of(two_clouds(objective, workloads=(reads,), datasets=(data,)))
    assert found.is_possible
    assert "a copy of `letters` at `far`" in found.does
    assert found.change == "datasets[letters]: {rpo_minutes: 60}"


def test_where_nothing_helps_it_is_said() -> None:
    """One cloud alone: no plan keeps anything elsewhere."""
    lonely = place(
        region("near"),
        workloads=(chat(),),
        recovery=RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=5.0),)),
    )
    (found,) = remedies_of(lonely)
    assert not found.is_possible
    assert found.does == (
        "no plan exists with hot standby for 100%: standby: `chat` survives the loss of site `near`:"
        " gets 0 of its demand, needs 1 of its demand"
    )


def test_a_cost_that_is_missed_is_told_with_what_it_comes_to() -> None:
    """By the token after the loss of a site is dear; the remedy says what it costs with it, the score what without."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(), apis=(API,))
    rules = RecoveryRules(objectives=(Objective(after=(SITE,), rto_minutes=15.0, highest_cost_factor=1.5),))
    estate = place(near, far, workloads=(chat(),), recovery=rules)
    pricing = Pricing(solver=HighsSolver(), limits=SolveLimits(gap=1e-6, seconds=60.0, threads=1))
    found = assess_recovery(loaded(estate), recovering_catalog(), planned(estate), pricing, today=TODAY)
    (row,) = found.missed
    (graded,) = found.scores.design.graded
    assert graded.because == f"site `near`: cost x{row.cost_factor:.3g}"
    (remedy,) = found.remedies
    assert (remedy.is_possible, remedy.cost_factor) == (True, 1.0)
    assert "; then cost x1, back in 65 s" in remedy_line(remedy)


def test_runs_are_not_kept_standby() -> None:
    """Training that misses a time is told so: the planner keeps standby for those who wait for answers."""
    objective = Objective(after=(SITE,), rto_minutes=1.0)
    (found,) = remedies_of(two_clouds(objective, workloads=(training(),)))
    assert not found.is_possible
    assert found.does == "nothing the planner decides would help"


def test_a_recovery_point_asks_for_a_second_copy() -> None:
    """What the dataset writes is at one site; a copy elsewhere costs storage and transfer."""
    data = Dataset(id=DatasetId("log"), size_gb=1000.0, copies=(SiteId("near"),), change_gb_per_month=10.0)
    writer = chat(writes=(DatasetUse(dataset=DatasetId("log"), gb_per_month=10.0),))
    (found,) = remedies_of(two_clouds(Objective(after=(SITE,), rpo_minutes=5.0), workloads=(writer,), datasets=(data,)))
    assert found.is_possible
    assert "a copy of `log` at `far`" in found.does
    assert found.usd_per_month > 0
    assert found.rpa_s == 30.0


def test_corruption_asks_for_snapshots_and_somebody_who_looks() -> None:
    """Half the recovery point for each; the snapshot's storage is the price."""
    data = Dataset(id=DatasetId("log"), size_gb=1000.0, copies=(SiteId("near"),))
    rules = RecoveryRules(
        objectives=(Objective(after=(DATA,), rpo_minutes=60.0),),
        stores=(Store(id="log", dataset=DatasetId("log"), workloads=(chat().id,)),),
    )
    (found,) = remedies_of(two_clouds(recovery=rules, datasets=(data,)))
    assert found.is_possible
    assert found.rpa_s == 3600.0
    assert "recovery.stores[log]: {snapshot_every_minutes: 30}" in found.change
    assert found.usd_per_month > 0


def test_a_node_that_may_fail_asks_for_a_spare_one() -> None:
    """Ten minutes and a hall alone: one node idle beside the two that serve, which costs what holding it costs."""
    pool = servers(held=3, max_nodes=3)
    estate = place(
        hall("home", pool, it_kw=40.0, racks=4),
        workloads=(chat(),),
        recovery=RecoveryRules(objectives=(Objective(after=(DisruptionClass.NODE,), rto_minutes=10.0),)),
    )
    (found,) = remedies_of(estate)
    assert found.is_possible
    assert found.change == "workloads[chat].recovery: {spare_nodes: 1}"
    assert found.usd_per_month > 0
    kept = replace(chat(), recovery=Recovery(spare_nodes=1))
    pools = planned(replace(estate, workloads=(kept,))).pools
    assert pools[0].owned - pools[0].used >= 1.0 - 1e-6


def test_a_price_smaller_than_what_the_searches_leave_open_says_so() -> None:
    """It may be chance; a larger one, and one of exact searches, stands by itself."""
    (found,) = remedies_of(two_clouds(Objective(after=(SITE,), rto_minutes=3.0, least_share=0.5)))
    assert found.open_usd_per_month < found.usd_per_month
    assert "open" not in remedy_line(found)
    doubtful = replace(found, usd_per_month=100.0, open_usd_per_month=990.4)
    assert "costs 100 USD/month more (the searches leave 990 open): " in remedy_line(doubtful)


def test_no_capacity_is_bought_for_who_needs_what_is_lost() -> None:
    """Nothing is planned again: the way out is another place for the name server."""
    names = Dependency(id="names", needs=("near",), needed_by=("all",))
    asked = Objective(after=(SITE,), rto_minutes=3.0, least_share=0.5)
    (found,) = remedies_of(replace(two_clouds(asked), dependencies=(names,)))
    assert not found.is_possible
    assert found.does.startswith("no capacity helps while `names` needs what is lost")
