"""What is said about recovery must mean something; each mistake is told where it stands, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import batch, chat, place, region
from tests.factories.planning import catalog

from tripoint.domain.dataset import Dataset
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Objective, Part, RecoveryRules, Store, Timing
from tripoint.domain.units import DatasetId, SiteId
from tripoint.domain.workload import DatasetUse, Recovery, Standby, Workload
from tripoint.engines.checks.values.demand import check_demand
from tripoint.engines.checks.values.recovery import check_recovery

SITE = DisruptionClass.SITE
LOG = DatasetId("log")
WRITER = chat(writes=(DatasetUse(dataset=LOG, gb_per_month=1.0),))
DATA = Dataset(id=LOG, size_gb=1.0, copies=(SiteId("cloud"),))
KEPT = Store(id="state", workloads=(chat().id,), sites=(SiteId("cloud"),))


def told(rules: RecoveryRules, workload: Workload | None = None, dataset: Dataset = DATA) -> list[tuple[str, str]]:
    """Code and path of every finding."""
    return [(said.code, said.path) for said in check_recovery(estate(rules, workload, dataset), catalog())]


def estate(rules: RecoveryRules, workload: Workload | None = None, dataset: Dataset = DATA) -> Estate:
    """One region in the US, one workload."""
    return place(region(), workloads=(workload or chat(),), datasets=(dataset,), recovery=rules)


def test_what_means_something_is_told_nothing() -> None:
    """Each kind of entry, complete."""
    rules = RecoveryRules(
        objectives=(
            Objective(after=(SITE,), rto_minutes=5.0, rpo_minutes=5.0, residency=("US",)),
            Objective(after=(SITE,), least_share=0.5),
            Objective(after=(SITE,), highest_cost_factor=2.0),
        ),
        timings=(
            Timing(part=Part.LOAD, seconds=1.0),
            *(Timing(part=Part.LOAD, seconds=1.0, as_of=day) for day in ("2026", "2026-11", "2026-11-22")),
        ),
        stores=(KEPT, Store(id="log", dataset=LOG)),
    )
    assert told(rules, WRITER) == []


@pytest.mark.parametrize(
    ("recovery", "is_told"),
    [
        (Recovery(survive_share=0.5), True),
        (Recovery(survive_share=0.5, standby=Standby.WARM), False),
        (Recovery(survive_share=0.5, rto_minutes=30.0), False),
        (Recovery(), False),
    ],
)
def test_a_share_alone_keeps_nothing(recovery: Recovery, is_told: bool) -> None:
    """Only standby, or a recovery time that chooses one, makes a plan keep capacity."""
    found = told(RecoveryRules(), chat(recovery=recovery))
    assert (("TP1509", "workloads[0].recovery.survive_share") in found) is is_told


def test_nothing_stands_by_for_work_that_can_wait() -> None:
    """Batches keep no capacity whatever they declare, so a share of them is told as well."""
    recovery = Recovery(survive_share=0.5, standby=Standby.WARM)
    assert told(RecoveryRules(), batch(recovery=recovery)) == [("TP1509", "workloads[0].recovery.survive_share")]


@pytest.mark.parametrize(
    ("objective", "finding"),
    [
        (Objective(after=()), ("TP1330", "recovery.objectives[0].after")),
        (Objective(after=(SITE,)), ("TP1330", "recovery.objectives[0]")),
        (Objective(after=(SITE,), rpo_minutes=5.0), ("TP1410", "recovery.objectives[0].rpo_minutes")),
        (Objective(after=(SITE,), residency=("EEA",)), ("TP1411", "recovery.objectives[0].residency")),
    ],
)
def test_objectives_that_cannot_be_missed_or_met(objective: Objective, finding: tuple[str, str]) -> None:
    """They ask for nothing, about nothing, or where nothing is."""
    assert told(RecoveryRules(objectives=(objective,))) == [finding]


def test_a_recovery_point_for_all_is_about_those_that_keep_data() -> None:
    """One of two writes: enough for an objective of all, not for one that names the other."""
    both = replace(estate(RecoveryRules()), workloads=(WRITER, chat("other")))
    every = RecoveryRules(objectives=(Objective(after=(SITE,), rpo_minutes=5.0),))
    assert list(check_recovery(replace(both, recovery=every), catalog())) == []
    named = RecoveryRules(objectives=(Objective(workloads=(chat("other").id,), after=(SITE,), rpo_minutes=5.0),))
    assert [said.code for said in check_recovery(replace(both, recovery=named), catalog())] == ["TP1410"]


def test_a_workloads_own_recovery_point_needs_data_too() -> None:
    """Told at the workload."""
    asks = chat(recovery=Recovery(rpo_minutes=15.0))
    assert told(RecoveryRules(), asks) == [("TP1410", "workloads[0].recovery.rpo_minutes")]
    assert told(RecoveryRules(stores=(KEPT,)), asks) == []


@pytest.mark.parametrize("source", [TermSource.MEASURED, TermSource.DRILLED])
def test_evidence_has_a_date(source: TermSource) -> None:
    """Of steps and of stores."""
    rules = RecoveryRules(
        timings=(Timing(part=Part.LOAD, seconds=1.0, source=source),), stores=(replace(KEPT, source=source),)
    )
    assert told(rules) == [("TP1331", "recovery.timings[0].source"), ("TP1331", "recovery.stores[0].source")]


@pytest.mark.parametrize("day", ["26-11", "2026-13", "2026-11-40", "2026/11", "today", "2026-11-22T00:00"])
def test_dates_are_dates(day: str) -> None:
    """A year, a month or a day, in this order."""
    rules = RecoveryRules(timings=(Timing(part=Part.LOAD, seconds=1.0, as_of=day),))
    assert told(rules) == [("TP1332", "recovery.timings[0].as_of")]


def test_stores_are_somewhere_and_for_somebody() -> None:
    """Neither: both are told."""
    nowhere = [("TP1508", "recovery.stores[0]"), ("TP1412", "recovery.stores[0]")]
    assert told(RecoveryRules(stores=(Store(id="state"),))) == nowhere
    unwritten = RecoveryRules(stores=(Store(id="log", dataset=LOG),))
    assert told(unwritten) == [("TP1508", "recovery.stores[0]")]
    assert told(unwritten, WRITER, replace(DATA, copies=())) == [("TP1412", "recovery.stores[0]")]


def test_spare_nodes_are_for_those_who_answer() -> None:
    """Batch work can wait for the repair."""
    asks = batch(recovery=Recovery(spare_nodes=1))
    said = list(check_demand(estate(RecoveryRules(), asks)))
    assert [(each.code, each.path) for each in said] == [("TP1313", "workloads[0].recovery.spare_nodes")]
