"""Plans of jobs, from a file to the answer: the cheapest that rules allow, at the catalogue's own prices."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.dataset import Dataset
from tripoint.domain.errors import EstateError
from tripoint.domain.estate import Estate
from tripoint.domain.job import Delivery, Handover, Job, JobData, JobFile, JobPlan, JobRead, Need
from tripoint.domain.link import TransferClass
from tripoint.domain.policy import Policies, ResidencyRule
from tripoint.domain.purchase import NodePool, PurchaseOption
from tripoint.domain.site import PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, DatasetId, NodeTypeId, SiteId
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.answers.jobs.market import market
from tripoint.engines.costing.transfer import tariff, tariff_cost
from tripoint.engines.sizing.speed.training import relative_speed
from tripoint.usecases.jobs import JobOptions, JobSheet, plan_jobs

CATALOG = load_catalog()
TODAY = date(2026, 11, 22)
FEW = settings(max_examples=15, deadline=None)
NEAR = 1e-4
PLACES = (("aws", "eu-central-1"), ("aws", "us-east-1"), ("gcp", "europe-west4"), ("coreweave", None))
SMALL, BIG = "g6.xlarge", "p5.48xlarge"
"""Nodes with one L4 and with eight H100."""


def site(name: str, number: int, usd: tuple[float, float]) -> Site:
    """A site that rents both nodes on demand at prices of its own."""
    provider, region = PLACES[number]
    pools = tuple(
        NodePool(node_type=NodeTypeId(node), options=(PurchaseOption.ON_DEMAND,), usd_per_hour=price)
        for node, price in zip((SMALL, BIG), usd, strict=True)
    )
    kind = SiteKind.GPU_CLOUD if region is None else SiteKind.CLOUD
    country = "US" if region is None else None
    return Site(id=SiteId(name), kind=kind, provider=provider, region=region, country=country, pools=pools)


def estate(*sites: Site, allow: tuple[str, ...] = ("EEA",)) -> Estate:
    """These sites, with a rule about what is called `sealed`."""
    rule = ResidencyRule(allow=allow, classifications=("sealed",))
    return Estate(apiVersion="tripoint/v1", sites=sites, workloads=(), policies=Policies(residency=(rule,)))


def planned(file: JobFile, ground: Estate | None = None, **options: float) -> JobPlan:
    """The plan of a file."""
    asked = JobOptions(threads=1, **options)
    return plan_jobs(JobSheet(file), CATALOG, HighsSolver(), asked, estate=ground, today=TODAY)


@st.composite
def sites(draw: st.DrawFn) -> tuple[Site, ...]:
    """Two or three of the places, at prices in the same range."""
    numbers = draw(st.lists(st.integers(0, len(PLACES) - 1), min_size=2, max_size=3, unique=True))
    cents = st.integers(50, 400)
    return tuple(site(f"s{number}", number, (draw(cents) / 100, draw(cents) / 10)) for number in numbers)


@st.composite
def files(draw: st.DrawFn) -> JobFile:
    """Two to four jobs on one or eight accelerators, some sealed, each after some of those before it."""
    jobs: list[Job] = []
    for number in range(draw(st.integers(2, 4))):
        need = draw(
            st.sampled_from(
                (Need(accelerator=AcceleratorId("l4")), Need(accelerator=AcceleratorId("h100-sxm"), gpus=8))
            )
        )
        before = draw(st.lists(st.sampled_from(range(number)), max_size=2, unique=True)) if number else []
        after = tuple(Handover(job=f"j{each}", gb=float(draw(st.integers(0, 300)))) for each in before)
        label = draw(st.sampled_from(("internal", "internal", "sealed")))
        hours = float(draw(st.integers(1, 12)))
        jobs.append(Job(id=f"j{number}", runs_on=(replace(need, hours=hours),), after=after, classification=label))
    return JobFile(apiVersion="tripoint/jobs/v1", jobs=tuple(jobs))


def sealed(file: JobFile) -> set[str]:
    """Jobs that touch what is sealed, or what was made of it."""
    found: set[str] = set()
    for job in file.jobs:
        if job.classification == "sealed" or any(each.job in found for each in job.after):
            found.add(job.id)
    return found


def by_hand(file: JobFile, ground: Estate) -> float | None:
    """The least any allowed choice of sites costs, by trying all, with volumes summed up by tariff as bills are."""
    inside = {"aws:eu-central-1", "gcp:europe-west4"}
    shut = sealed(file)
    choices = [
        [each for each in ground.sites if job.id not in shut or f"{each.provider}:{each.region}" in inside]
        for job in file.jobs
    ]
    numbers = {job.id: number for number, job in enumerate(file.jobs)}
    costs = []
    for chosen in itertools.product(*choices):
        usd, volumes = 0.0, dict[tuple[str, ...], tuple[Site, TransferClass, float]]()
        for job, here in zip(file.jobs, chosen, strict=True):
            node = SMALL if job.runs_on[0].accelerator == "l4" else BIG
            price = next(pool.usd_per_hour for pool in here.pools or () if pool.node_type == node)
            usd += (price or 0.0) * (job.runs_on[0].hours or 0.0)
            for each in job.after:
                source = chosen[numbers[each.job]]
                if source.id != here.id:
                    is_near = source.provider == here.provider
                    sort = TransferClass.INTER_REGION if is_near else TransferClass.INTERNET
                    found, _ = tariff(source, sort, ground, CATALOG, None)
                    volumes[found.basis] = (source, sort, volumes.get(found.basis, (0, 0, 0.0))[2] + each.gb)
        usd += sum(
            tariff_cost(tariff(source, sort, ground, CATALOG, None)[0], gb) for source, sort, gb in volumes.values()
        )
        costs.append(usd)
    return min(costs, default=None)


@FEW
@given(files(), sites())
def test_a_plan_is_the_cheapest_there_is(file: JobFile, places: tuple[Site, ...]) -> None:
    """Equal to every allowed choice tried by hand, from the file to the answer; a job without a site says so."""
    ground = estate(*places)
    found, best = planned(file, ground), by_hand(file, ground)
    if best is None:
        assert found.stuck
        return
    assert found.stuck == ()
    assert found.usd == pytest.approx(best, abs=NEAR)
    assert found.bound_usd <= found.usd
    assert found.bound_usd == pytest.approx(best, abs=NEAR)
    assert found.usd == pytest.approx(found.compute_usd + found.moved_usd, abs=NEAR)


@FEW
@given(files(), sites())
def test_no_job_is_where_a_rule_forbids_what_it_was_made_of(file: JobFile, places: tuple[Site, ...]) -> None:
    """Labels go down the whole graph; neither a job nor its next best is ever outside."""
    ground = estate(*places)
    abroad = {each.id for each in places if each.region not in ("eu-central-1", "europe-west4")}
    for each in planned(file, ground).jobs:
        if each.job in sealed(file):
            assert each.offer.site not in abroad
            assert each.instead is None or each.instead.offer.site not in abroad


@FEW
@given(files(), sites(), st.integers(0, len(PLACES) - 1))
def test_one_more_site_is_never_dearer(file: JobFile, places: tuple[Site, ...], number: int) -> None:
    """Whoever may go somewhere else need not."""
    ground = estate(*places)
    before = planned(file, ground)
    more = replace(ground, sites=(*places, site("more", number, (1.0, 20.0))))
    after = planned(file, more)
    assert len(after.stuck) <= len(before.stuck)
    if not before.stuck:
        assert after.usd <= before.usd + NEAR


@FEW
@given(files(), sites(), st.integers(1, 400))
def test_more_to_hand_on_is_never_cheaper(file: JobFile, places: tuple[Site, ...], more: int) -> None:
    """Egress rises with volume, through every tier."""
    ground = estate(*places, allow=("EEA", "US"))
    heavier = tuple(
        replace(job, after=tuple(replace(each, gb=each.gb + more) for each in job.after)) for job in file.jobs
    )
    assert planned(replace(file, jobs=heavier), ground).usd >= planned(file, ground).usd - NEAR


@FEW
@given(files(), sites())
def test_no_next_best_is_cheaper_and_no_single_place_either(file: JobFile, places: tuple[Site, ...]) -> None:
    """The plan is the best, so nothing beside it gains."""
    found = planned(file, estate(*places))
    assert all(each.instead is None or each.instead.dearer_usd >= -NEAR for each in found.jobs)
    if found.one_place is not None and not found.stuck:
        assert found.one_place.usd >= found.usd - NEAR


ONE = Job(id="one", runs_on=(Need(accelerator=AcceleratorId("h100-sxm"), gpus=8, hours=10.0),))


def alone(job: Job, *data: JobData) -> JobFile:
    """A file of one job."""
    return JobFile(apiVersion="tripoint/jobs/v1", jobs=(job,), datasets=data)


def test_the_nearest_copy_is_read() -> None:
    """Of two copies the one at the job's own place, which costs nothing."""
    data = JobData(id="d", size_gb=500.0, copies=("aws:us-west-2", "s0"))
    found = planned(alone(replace(ONE, reads=(JobRead(dataset="d"),)), data), estate(site("s0", 0, (1.0, 30.0))))
    assert [(each.source, each.target, each.usd) for each in found.jobs[0].moved] == [("s0", "s0", 0.0)]


def test_a_region_is_the_site_that_stands_in_it() -> None:
    """Data `at aws:eu-central-1` lies at the estate's site there."""
    data = JobData(id="d", size_gb=500.0, copies=("aws:eu-central-1",))
    found = planned(alone(replace(ONE, reads=(JobRead(dataset="d"),)), data), estate(site("s0", 0, (1.0, 30.0))))
    assert found.jobs[0].moved[0].source == "s0"
    assert found.moved_usd == 0.0


def test_the_estates_own_data_is_read_where_it_lies() -> None:
    """400 GB from Frankfurt to Eemshaven: 100 free, 300 at 0.09."""
    ground = replace(
        estate(site("s0", 0, (1.0, 30.0)), site("s2", 2, (1.0, 10.0))),
        datasets=(Dataset(id=DatasetId("d"), size_gb=400.0, copies=(SiteId("s0"),)),),
    )
    found = planned(alone(replace(ONE, reads=(JobRead(dataset="d"),))), ground)
    assert found.jobs[0].offer.site == "s2"
    assert found.moved_usd == pytest.approx(27.0)
    assert found.usd == pytest.approx(127.0)


def test_a_delivery_is_judged_like_a_place_to_run() -> None:
    """What is sealed goes to no place outside, so the job can run nowhere, and the answer says why."""
    job = replace(ONE, classification="sealed", delivers=(Delivery(to="aws:us-east-1", gb=1.0),))
    found = planned(alone(job), estate(site("s0", 0, (1.0, 30.0))))
    assert found.stuck == ("one",)
    assert [(each.reason, each.count) for each in found.excluded] == [("residency", 1)]
    assert "delivers to `aws:us-east-1`" in found.excluded[0].example


def test_a_label_ends_where_the_hand_over_says_what_is_handed_on() -> None:
    """Its author says the weights are no longer sealed: the next job may be abroad, where it is cheaper."""
    first = replace(ONE, classification="sealed")
    after = Handover(job="one", gb=1.0)
    ground = estate(site("s0", 0, (1.0, 30.0)), site("s1", 1, (1.0, 10.0)))
    for each, where in ((after, "s0"), (replace(after, classification="internal", regimes=()), "s1")):
        file = JobFile(apiVersion="tripoint/jobs/v1", jobs=(first, replace(ONE, id="two", after=(each,))))
        assert [job.offer.site for job in planned(file, ground).jobs] == ["s0", where]


def test_an_unknown_country_refuses_what_is_sealed() -> None:
    """A rule that cannot be checked is not met."""
    nowhere = replace(site("s3", 3, (1.0, 1.0)), country=None)
    found = planned(alone(replace(ONE, classification="sealed")), estate(nowhere))
    assert found.stuck == ("one",)
    assert "is not known" in found.excluded[0].example


def test_held_nodes_cost_an_hour_of_them_and_none_is_bought() -> None:
    """A job of eight runs on the one server held; one of sixteen runs nowhere, and says what there is."""
    power = PowerEnvelope(it_kw=100.0, rack_density_kw=40.0)
    pool = NodePool(node_type=NodeTypeId("dgx-h100"), held=1, held_until="2029-01")
    own = Site(id=SiteId("own"), kind=SiteKind.COLO, country="NL", power=power, pools=(pool,))
    found = planned(alone(ONE), estate(own))
    assert found.jobs[0].offer.option is PurchaseOption.OWNED
    assert 0.0 < found.jobs[0].offer.usd_per_hour < 100.0
    large = replace(ONE, runs_on=(replace(ONE.runs_on[0], gpus=16),))
    stuck = planned(alone(large), estate(own))
    assert stuck.stuck == ("one",)
    assert "it takes 2 of `dgx-h100`; `own` has 1 held" in stuck.excluded[0].example


def test_hours_of_other_accelerators_follow_the_speeds_plans_use() -> None:
    """Where only H200 is to be had, hours are those on H100 over the speed of one to the other."""
    ways = (
        Need(accelerator=AcceleratorId("h100-sxm"), gpus=8, hours=10.0),
        Need(accelerator=AcceleratorId("h200-sxm"), gpus=16),
    )
    pool = NodePool(node_type=NodeTypeId("p5en.48xlarge"), options=(PurchaseOption.ON_DEMAND,), usd_per_hour=50.0)
    ground = estate(replace(site("s0", 0, (1.0, 30.0)), pools=(pool,)))
    found = planned(alone(Job(id="one", kind="fine_tuning", runs_on=ways)), ground).jobs[0].offer
    speed = relative_speed(CATALOG, WorkloadKind.FINE_TUNING, "h200-sxm", "h100-sxm", 8)
    assert speed is not None
    assert found.hours == pytest.approx(10.0 * 8 / speed.value / 16)
    assert (found.nodes, found.accelerator) == (2, "h200-sxm")
    assert speed.value != 1.0


def test_spot_pays_for_the_work_it_loses_and_may_be_forbidden() -> None:
    """Hours on spot are longer by the catalogue's share; `allows_spot: false` keeps them away."""
    job = replace(ONE, only_at=("aws:eu-central-1",))
    found = planned(alone(job)).jobs[0].offer
    assert found.option is PurchaseOption.SPOT
    assert found.hours > 10.0
    kept = planned(alone(replace(job, allows_spot=False)))
    assert kept.jobs[0].offer.option is PurchaseOption.ON_DEMAND
    assert kept.jobs[0].offer.hours == 10.0
    assert {each.reason for each in kept.excluded} >= {"spot_not_allowed", "confined"}


def test_the_market_has_a_site_for_every_region_with_a_price() -> None:
    """And none called `global`."""
    names = {each.id for each in market(CATALOG).sites}
    priced = {f"{row.provider}:{row.region}" for row in CATALOG.compute_prices if row.region != "global"}
    assert priced <= names
    assert not any(name.endswith(":global") for name in names)
    everywhere = {row.provider for row in CATALOG.compute_prices if row.region == "global"}
    assert everywhere <= {name.partition(":")[0] for name in names}


def test_a_regime_that_asks_for_a_certificate_shuts_the_market() -> None:
    """Nobody has declared one for the catalogue's regions."""
    found = planned(alone(replace(ONE, regimes=("hipaa",))))
    assert found.stuck == ("one",)
    assert [each.reason for each in found.excluded] == ["certification"]


def test_mistakes_refuse_the_file() -> None:
    """All of them at once."""
    with pytest.raises(EstateError) as refused:
        planned(alone(replace(ONE, runs_on=(), after=(Handover(job="none"),))))
    assert sorted(each.code for each in refused.value.findings) == ["TP1219", "TP1302"]


def test_the_longest_chain_counts_the_hours() -> None:
    """Two beside each other take as long as the longer one; what follows comes on top."""
    jobs = (
        ONE,
        replace(ONE, id="two", runs_on=(replace(ONE.runs_on[0], hours=4.0),)),
        replace(ONE, id="three", after=(Handover(job="one"), Handover(job="two"))),
    )
    found = planned(JobFile(apiVersion="tripoint/jobs/v1", jobs=jobs), estate(site("s0", 0, (1.0, 30.0))))
    assert found.hours == pytest.approx(20.0)
