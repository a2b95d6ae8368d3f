"""Work lost with a loss: lags, snapshots, links that cannot keep up, and what must be restored first."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import chat, place, region, rented
from tests.factories.recovering import DECIDE, DETECT, RENTED_S, REPAIR_S, SHIFT, VALIDATE, planned, reached, resolved

from tripoint.apps.render.resilience.recovery import way_lines
from tripoint.domain.dataset import Dataset
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Miss, Objective, Part, Reached, RecoveryRules, Replication, Store, Timing
from tripoint.domain.units import DatasetId, LinkId, SiteId, WorkloadId
from tripoint.domain.workload import DatasetUse, Recovery, Standby
from tripoint.engines.resilience.recovery.stores import kept_stores, link_load

SITE, DATA, NODE = DisruptionClass.SITE, DisruptionClass.DATA, DisruptionClass.NODE
NEAR, FAR = SiteId("near"), SiteId("far")


def estate(*stores: Store, asked: float | None = None, bandwidth: float | None = None, **more: object) -> Estate:
    """A workload at `near`, hot at `far`, with stores; a link between them where a bandwidth is given, Gbit/s."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    objective = Objective(after=(SITE, DATA), rpo_minutes=asked)
    rules = RecoveryRules(stores=stores, objectives=() if asked is None else (objective,), **more)  # type: ignore[arg-type]  # fields of the case
    links = () if bandwidth is None else (Link(id=LinkId("wire"), source=NEAR, target=FAR, bandwidth_gbps=bandwidth),)
    return place(
        near, far, workloads=(chat(recovery=Recovery(standby=Standby.HOT)),), recovery=rules, links=links
    )  # fmt: skip


def store(name: str = "state", sites: tuple[SiteId, ...] = (NEAR, FAR), **fields: object) -> Store:
    """A store `chat` needs."""
    return Store(id=name, workloads=(WorkloadId("chat"),), sites=sites, **fields)  # type: ignore[arg-type]  # fields of the case


def after(declared: Estate, kind: DisruptionClass = SITE) -> Reached:
    """What `chat` reaches."""
    return reached(declared)["chat", kind]


def test_an_asynchronous_copy_is_as_old_as_its_lag() -> None:
    """Assumed where nobody measured it, else as measured."""
    assert after(estate(store())).rpa_s == 30.0
    found = after(estate(store(lag_p99_s=2.0, source=TermSource.MEASURED, as_of="2026-10")))
    assert found.rpa_s == 2.0
    assert (found.stores[0].source, found.stores[0].as_of) == (TermSource.MEASURED, "2026-10")


def test_a_synchronous_copy_loses_nothing() -> None:
    """A write counts once both have it."""
    assert after(estate(store(replication=Replication.SYNC))).rpa_s == 0.0


def test_a_loss_elsewhere_leaves_the_source() -> None:
    """A node is not where the store is."""
    assert after(estate(store()), NODE).rpa_s == 0.0


def test_the_worst_store_counts() -> None:
    """One lags 5 s, one is snapshot every half hour."""
    slow = store("slow", replication=Replication.NONE, snapshot_every_minutes=30.0, size_gb=1.0)
    found = after(estate(store(lag_p99_s=5.0), slow))
    assert found.rpa_s == 1800.0
    assert {each.store: each.seconds for each in found.stores} == {"state": 5.0, "slow": 1800.0}


def test_without_copy_or_snapshot_all_is_lost() -> None:
    """One place and nothing else."""
    found = after(estate(store(sites=(NEAR,)), asked=60.0))
    assert math.isinf(found.rpa_s)
    assert found.misses == (Miss.POINT,)


def test_snapshots_where_the_store_was_are_lost_with_it() -> None:
    """A snapshot must be elsewhere to survive the loss of the site."""
    here = store(sites=(NEAR,), snapshot_every_minutes=10.0)
    assert math.isinf(after(estate(here)).rpa_s)
    there = store(sites=(NEAR,), snapshot_every_minutes=10.0, snapshot_site=FAR)
    assert after(estate(there)).rpa_s == 600.0


def test_nothing_serves_before_its_state_is_back() -> None:
    """Hot capacity waits for 100 GB at 0.5 GB/s: detect, decide, restore, validate."""
    held = store(sites=(NEAR,), snapshot_every_minutes=10.0, snapshot_site=FAR, size_gb=100.0)
    found = after(estate(held))
    assert found.rta_s == pytest.approx(DETECT + DECIDE + 200.0 + VALIDATE)
    assert after(estate(store())).rta_s == pytest.approx(DETECT + SHIFT)


def test_stores_that_come_back_from_one_place_share_it() -> None:
    """100 and 300 GB at 0.5 GB/s: the smaller after 400 s, the larger after 800 s."""
    first = store("first", (NEAR,), snapshot_every_minutes=10.0, snapshot_site=FAR, size_gb=100.0)
    second = store("second", (NEAR,), snapshot_every_minutes=10.0, snapshot_site=FAR, size_gb=300.0)
    found = after(estate(first, second))
    stage = next(term for term in found.terms if term.part is Part.STAGE)
    assert stage.seconds == pytest.approx(800.0)
    assert "shared by 2 stores" in stage.basis


def test_corruption_follows_every_copy() -> None:
    """Only a snapshot helps; what was written until somebody noticed is lost as well."""
    assert math.isinf(after(estate(store()), DATA).rta_s)
    clean = store(snapshot_every_minutes=60.0, size_gb=50.0)
    found = after(estate(clean), DATA)
    assert found.rpa_s == 3600.0 + DETECT
    assert found.rta_s == pytest.approx(DETECT + DECIDE + 100.0 + VALIDATE)
    watched = estate(clean, timings=(Timing(part=Part.DETECT, seconds=600.0, after=(DATA,)),))
    assert after(watched, DATA).rpa_s == 4200.0


def test_a_link_that_cannot_carry_what_changes_lags_without_end() -> None:
    """1 Gbit/s carries 0.0625 GB/s of copies; 150 GB an hour at twice the pace at peak is 0.0833 GB/s."""
    slow = after(estate(store(change_gb_per_hour=150.0), bandwidth=1.0))
    assert math.isinf(slow.rpa_s)
    assert slow.stores[0].link_load == pytest.approx(150 / 3600 * 2 / (1 / 8 * 0.5))
    assert "`wire`" in slow.stores[0].basis
    assert after(estate(store(change_gb_per_hour=100.0), bandwidth=1.0)).rpa_s == 30.0


@cache
def bare_plan() -> Plan:
    """A plan without data."""
    return planned(estate())


@given(st.lists(st.floats(0.0, 500.0), min_size=1, max_size=4), st.floats(0.1, 10.0))
@settings(deadline=None)
def test_changes_of_all_stores_add_up_on_a_link(changes: list[float], bandwidth: float) -> None:
    """Load is the sum of what changes at peak over what the link carries, whatever the stores."""
    declared = estate(*(store(f"s{n}", change_gb_per_hour=gb) for n, gb in enumerate(changes)), bandwidth=bandwidth)
    instance = resolved(declared)
    load, _ = link_load(instance, kept_stores(instance, bare_plan(), 0), "near", "far")
    assert load == pytest.approx(sum(changes) / 3600 * 2 / (bandwidth / 8 * 0.5), rel=1e-9)


def test_a_dataset_that_is_written_is_a_store_of_its_own() -> None:
    """Its copies are those of the plan: a recovery point of an hour or less makes it keep a second one."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    data = Dataset(id=DatasetId("log"), size_gb=100.0, copies=(NEAR,), change_gb_per_month=1.0)
    writer = chat(writes=(DatasetUse(dataset=DatasetId("log"), gb_per_month=1.0),))
    alone = reached(place(near, far, workloads=(writer,), datasets=(data,)))["chat", SITE]
    assert math.isinf(alone.rpa_s)
    assert alone.rta_s == pytest.approx(RENTED_S)
    kept = Dataset(id=DatasetId("log"), size_gb=100.0, copies=(NEAR,), change_gb_per_month=1.0, rpo_minutes=15.0)
    assert reached(place(near, far, workloads=(writer,), datasets=(kept,)))["chat", SITE].rpa_s == 30.0


def reader(*stores: Store, is_kept_twice: bool = False) -> Estate:
    """`chat` served at the cheaper of two clouds reads a dataset that nobody writes."""
    near = region("near", pools=(rented(usd_per_hour=10.0),))
    far = region("far", region="us-west-2", pools=(rented(usd_per_hour=40.0),))
    data = Dataset(id=DatasetId("letters"), size_gb=8.0, copies=(NEAR,), rpo_minutes=15.0 if is_kept_twice else None)
    reads = chat(reads=(DatasetUse(dataset=DatasetId("letters"), gb_per_month=1.0),))
    return place(near, far, workloads=(reads,), datasets=(data,), recovery=RecoveryRules(stores=stores))


def test_what_is_read_is_waited_for_where_the_only_copy_is_lost() -> None:
    """Nodes rented elsewhere have nothing to read until the site is back; nothing that was written is lost."""
    found = after(reader())
    assert found.rta_s == pytest.approx(DETECT + REPAIR_S)
    assert (found.loss, found.waits_for) == ("site `near`", ("letters",))
    (told,) = way_lines([found])
    assert told.startswith("chat, site `near` with every copy of `letters`: 2.0 h = detect")
    assert {step.how for step in found.steps} == {"repaired"}
    assert (found.share, found.rpa_s, found.cost_factor) == (0.0, 0.0, 1.0)


def test_a_second_copy_of_what_is_read_leaves_the_recovery_as_it_is() -> None:
    """With a copy elsewhere only the place is lost."""
    found = after(reader(is_kept_twice=True))
    assert found.rta_s == pytest.approx(RENTED_S)
    assert found.waits_for == ()


def test_a_snapshot_brings_what_is_read_back() -> None:
    """8 GB at 0.5 GB/s once a person has decided; whose store it is does not matter."""
    kept = Store(
        id="vault", dataset=DatasetId("letters"), sites=(NEAR,), snapshot_every_minutes=60.0, snapshot_site=FAR
    )
    found = after(reader(kept))
    assert found.waits_for == ()
    assert found.rta_s == pytest.approx(RENTED_S)
    corrupted = after(reader(kept), DATA)
    assert corrupted.rta_s == pytest.approx(DETECT + DECIDE + 16.0 + VALIDATE)


def test_corruption_of_what_is_read_is_for_ever_without_a_snapshot() -> None:
    """Every online copy is gone, so a second one does not help."""
    assert math.isinf(after(reader(is_kept_twice=True), DATA).rta_s)
