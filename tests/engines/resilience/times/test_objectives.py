"""What is asked: everything that names the workload and the loss, the strictest of each."""

from __future__ import annotations

from tests.factories.placement import chat, place, placement_catalog, region

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Objective, RecoveryRules
from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import Recovery, Workload
from tripoint.engines.resilience.times.objectives import countries_of, objective_of

SITE, LINK = DisruptionClass.SITE, DisruptionClass.LINK


def with_objectives(workload: Workload, *objectives: Objective) -> Estate:
    """An estate that asks for these."""
    return place(region(), workloads=(workload,), recovery=RecoveryRules(objectives=objectives))


def test_nothing_is_asked_where_nothing_is_declared() -> None:
    """No objective, for any loss."""
    workload = chat()
    estate = with_objectives(workload)
    assert all(objective_of(estate, workload, kind) is None for kind in DisruptionClass)


def test_a_workloads_own_recovery_is_about_sites() -> None:
    """Its times and share count there and nowhere else."""
    workload = chat(recovery=Recovery(rto_minutes=15.0, survive_share=0.6))
    estate = with_objectives(workload)
    found = objective_of(estate, workload, SITE)
    assert found is not None
    assert (found.rto_minutes, found.rpo_minutes, found.least_share) == (15.0, None, 0.6)
    assert [kind for kind in DisruptionClass if objective_of(estate, workload, kind)] == [SITE]


def test_the_strictest_of_each_counts() -> None:
    """Times and cost: the least. Share: the most. Places: those every one allows."""
    workload = chat(recovery=Recovery(rto_minutes=15.0, rpo_minutes=5.0, survive_share=0.6))
    estate = with_objectives(
        workload,
        Objective(after=(SITE, LINK), rto_minutes=30.0, rpo_minutes=1.0, least_share=0.8, residency=("EEA",)),
        Objective(after=(SITE,), highest_cost_factor=3.0, residency=("DE", "US")),
        Objective(after=(SITE,), highest_cost_factor=2.0),
        Objective(workloads=(WorkloadId("other"),), after=(SITE,), rto_minutes=1.0),
    )
    found = objective_of(estate, workload, SITE)
    assert found is not None
    assert (found.rto_minutes, found.rpo_minutes, found.least_share) == (15.0, 1.0, 0.8)
    assert found.highest_cost_factor == 2.0
    assert countries_of(estate, placement_catalog(), workload, SITE) == frozenset({"DE"})
    assert [kind for kind in DisruptionClass if objective_of(estate, workload, kind)] == [SITE, LINK]


def test_without_a_share_the_workloads_own_counts() -> None:
    """An objective that only names a time asks for the share that must survive anyway."""
    workload = chat(recovery=Recovery(survive_share=0.4))
    found = objective_of(with_objectives(workload, Objective(after=(LINK,), rto_minutes=5.0)), workload, LINK)
    assert found is not None
    assert found.least_share == 0.4
