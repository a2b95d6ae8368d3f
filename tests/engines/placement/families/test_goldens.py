"""Every constraint family on the smallest estate that makes it speak, its rows worked out on paper.

A golden alone would approve whatever was written last. So each test also holds one row computed by hand from the
family's mathematics: the docstring does the sum, the assertion repeats it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.lp_text import family_text
from tests.factories.placement import (
    TWO_LEVELS,
    batch,
    chat,
    hall,
    horizon,
    place,
    program_of,
    region,
    rented,
    servers,
    training,
)

from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.hardware import NodeType
from tripoint.domain.link import Link
from tripoint.domain.policy import Budget, ConcentrationCap, CostView, Policies
from tripoint.domain.purchase import Commitment, NodePool, PurchaseOption
from tripoint.domain.site import ExpansionStep, Redundancy
from tripoint.domain.units import AcceleratorId, DatasetId, LinkId, NodeTypeId, SiteId
from tripoint.domain.workload import Caller, DatasetUse, Recovery, Standby, TodayShare
from tripoint.engines.placement.formulate import FAMILIES
from tripoint.engines.placement.milp.program import Program

Golden = Callable[[str, str], None]
ON_DEMAND, SPOT = PurchaseOption.ON_DEMAND, PurchaseOption.SPOT
COMMITTED, OWNED = PurchaseOption.COMMITTED, PurchaseOption.OWNED
STORY = DatasetId("story")


def printed(family: str, estate: Estate, golden: Golden) -> str:
    """The family's rows for an estate, held to their golden."""
    text = family_text(program_of(estate), family)
    golden(f"families/{family}.lp", text)
    return text


def upper(program: Program, column: str) -> float:
    """Upper bound of a column by name."""
    return float(program.upper[program.column_names.index(column)])


def test_family_demand(golden: Golden) -> None:
    """Callers wait: one row per block. Batch can wait: one row for both blocks of the quarter."""
    loads = (chat(hour_of_week=TWO_LEVELS), batch())
    text = printed("demand", place(region(), workloads=loads, horizon=horizon(1, 2)), golden)
    assert "demand of `chat` in 2027-Q1: serve[chat,cloud/big,firm,p0,b1] = 1\n" in text
    assert "serve[batch,cloud/big,firm,p0,b0] + serve[batch,cloud/big,firm,p0,b1] = 1\n" in text


def test_family_deadline(golden: Golden) -> None:
    """The busy 42 hours stand together, so they return after 126 h and the others after 42 h; both are more than 24 h.

    Nothing can be waited for: a quarter of the work is done in the quarter of the week that is busy, 42 / 168 = 0.25.
    """
    loads = (chat(hour_of_week=TWO_LEVELS), batch(deadline_hours=24.0))
    text = printed("deadline", place(region(), workloads=loads, horizon=horizon(1, 2)), golden)
    assert "deadline 24 h of `batch`: serve[batch,cloud/big,firm,p0,b0] = 0.25\n" in text
    assert "deadline 24 h of `batch`: serve[batch,cloud/big,firm,p0,b1] = 0.75\n" in text


def test_a_gang_spreads_no_further_than_its_deadline_asks() -> None:
    """11,680 GPU-hours a month are 1,460 node-hours; in 292 h that takes 5 nodes.

    A whole quarter's work (4,380 node-hours) in the busy 547.5 h would take 8, so at most 5 / 8 of it is done there.
    """
    loads = (chat(hour_of_week=TWO_LEVELS), training(gpu_hours=11_680.0, deadline_hours=292.0))
    program = program_of(place(region(), workloads=loads, horizon=horizon(1, 2)))
    assert upper(program, "serve[train,cloud/big,firm,p0,b0]") == pytest.approx(5 / 8)
    assert upper(program, "serve[train,cloud/big,firm,p0,b1]") == 1.0


def test_family_presence(golden: Golden) -> None:
    """Firm and spot nodes of one place share its presence, in one row for both blocks; present means two replicas.

    Those are 2 / 8 of a node, in the busiest block. 24 replicas carry the 32 req/s there: three nodes.
    """
    load = chat(allows_spot=True, min_replicas=2, hour_of_week=TWO_LEVELS)
    sites = (hall(), region("cloud", ON_DEMAND, SPOT))
    text = printed("presence", place(*sites, workloads=(load,), horizon=horizon(1, 2)), golden)
    shares = [f"serve[chat,cloud/big,{kind},p0,b{block}]" for block in (0, 1) for kind in ("firm", "spot")]
    least = "3 serve[chat,hall/server,firm,p0,b0] - 0.25 present[chat,hall/server,p0] >= 0"
    assert f"replicas of `chat` at cloud/big: {' + '.join(shares)} - 2 present[chat,cloud/big,p0] <= 0\n" in text
    assert f"replicas of `chat` at hall/server: {least}\n" in text


def test_family_indivisible(golden: Golden) -> None:
    """A training run is present in exactly one of two places each quarter, and presence is whole."""
    text = printed("indivisible", place(hall(), region(), workloads=(training(),), horizon=horizon(2)), golden)
    assert "`train` in one place: present[train,cloud/big,p1] + present[train,hall/server,p1] = 1\n" in text
    assert "0 <= present[train,hall/server,p1] <= 1 integer\n" in text


def test_family_gang(golden: Golden) -> None:
    """24 accelerators are 3 nodes of 8: they must be kept or bought at the hall; the cloud has the 1 already signed."""
    signed = rented(COMMITTED, commitments=(Commitment(nodes=1, ends="2027-12"),))
    text = printed(
        "gang",
        place(hall(pool=servers(held=1)), region(pools=(signed,)), workloads=(training(gang=24),)),
        golden,
    )
    assert "keep[hall/server,p0] + buy[hall/server,p0] - 3 present[train,hall/server,p0] >= 0\n" in text
    assert "gang of 3 nodes of `train` at cloud/big in 2027-Q1: - 3 present[train,cloud/big,p0] >= -1\n" in text


def test_family_capacity(golden: Golden) -> None:
    """All of 16 req/s takes 12 replicas, 12 / 8 nodes, and so does its hot standby.

    A node ordered in the first quarter with three months of lead serves in the second. Two signed nodes that end with
    April are there for a month of the second quarter's three: 2 x 1/3.
    """
    signed = rented(ON_DEMAND, COMMITTED, commitments=(Commitment(nodes=2, ends="2027-04"),))
    load = chat(recovery=Recovery(standby=Standby.HOT))
    estate = place(
        hall(pool=servers(held=1, lead_time_months=3)),
        region(pools=(signed,)),
        workloads=(load,),
        horizon=horizon(2),
    )
    text = printed("capacity", estate, golden)
    use = "1.5 serve[chat,hall/server,firm,p1,b0] + 1.5 standby[chat,hall/server,p1]"
    assert f"{use} - keep[hall/server,p1] - buy[hall/server,p0] <= 0\n" in text
    assert "- rent[cloud/big,p0,b0] <= 2\n" in text
    assert "- rent[cloud/big,p1,b0] <= 0.666667\n" in text


def test_family_spare(golden: Golden) -> None:
    """A node idle beside the 1.5 that serve, wherever it runs: owned, signed or rented; batch asks for none."""
    asks = chat(recovery=Recovery(spare_nodes=1))
    text = printed("spare", place(hall(), region(), workloads=(asks, batch())), golden)
    use = "1.5 serve[chat,hall/server,firm,p0,b0] + "
    assert f"spare nodes (1) for `chat` at hall/server: {use}" in text
    assert "+ present[chat,hall/server,p0] - buy[hall/server,p0] <= 0\n" in text
    assert "+ present[chat,cloud/big,p0] - rent[cloud/big,p0,b0] <= 0\n" in text


def test_family_burn(golden: Golden) -> None:
    """16 req/s keep 1.2 nodes busy (13.33 req/s each): 2,628 node-hours a quarter, less 2,190 for each node rented."""
    pool = servers(options=(OWNED, ON_DEMAND), usd_per_hour=20.0)
    text = printed("burn", place(hall(pool=pool), workloads=(chat(),)), golden)
    worked = "2628 serve[chat,hall/server,firm,p0,b0] - 2190 rent[hall/server,p0,b0] - burn[hall/server,p0,b0] <= 0"
    assert f"node-hours worked by own nodes of hall/server: {worked}\n" in text


def test_family_obtainable(golden: Golden) -> None:
    """Four nodes may be had; one is signed, so rented and spot nodes share three; all on spot would take 1.5."""
    pool = rented(ON_DEMAND, SPOT, max_nodes=4, commitments=(Commitment(nodes=1, ends="2027-12"),))
    text = printed("obtainable", place(region(pools=(pool,)), workloads=(chat(allows_spot=True),)), golden)
    assert "rent[cloud/big,p0,b0] + 1.5 serve[chat,cloud/big,spot,p0,b0] <= 3\n" in text


def test_family_keep(golden: Golden) -> None:
    """Two held nodes: as many or fewer in the second quarter, never more."""
    text = printed("keep", place(hall(pool=servers(held=2)), workloads=(chat(),), horizon=horizon(2)), golden)
    assert "held nodes: keep[hall/server,p1] - keep[hall/server,p0] <= 0\n" in text
    assert "0 <= keep[hall/server,p0] <= 2 integer\n" in text


def test_family_power(golden: Golden) -> None:
    """Three feeds of which one may be lost leave 60 x 2/3 = 40 kW; a server draws 10.

    A step of 20 kW ordered in the first quarter with three months of lead counts in the second.
    """
    step = ExpansionStep(id="feed", adds_kw=20.0, lead_time_months=3)
    site = hall(
        pool=servers(held=1),
        it_kw=60.0,
        feeds=Redundancy.N_PLUS_1,
        feed_count=3,
        envelope_is_after_redundancy=False,
        expansion=(step,),
    )
    text = printed("power", place(site, workloads=(chat(),), horizon=horizon(2)), golden)
    assert "in 2027-Q1: 10 keep[hall/server,p0] + 10 buy[hall/server,p0] <= 40\n" in text
    assert "10 buy[hall/server,p0] + 10 buy[hall/server,p1] - 20 expand[hall,feed,p0] <= 40\n" in text


def test_nodes_rented_into_a_hall_load_its_power_in_the_block_they_are_there() -> None:
    """Three identical halls share what is rented: a third of it draws 10 kW in each, block by block."""
    pool = servers(options=(OWNED, ON_DEMAND), usd_per_hour=20.0)
    load = chat(hour_of_week=TWO_LEVELS)
    estate = place(hall(it_kw=40.0, count=3, pool=pool), workloads=(load,), horizon=horizon(1, 2))
    text = family_text(program_of(estate), "power")
    for block in (0, 1):
        assert f"10 buy[hall/server,p0] + 3.33333 rent[hall/server,p0,b{block}] <= 40\n" in text


def test_family_contracted(golden: Golden) -> None:
    """Of 30 kW under contract whatever servers at 10 kW do not draw is slack, and slack is paid."""
    text = printed("contracted", place(hall(contracted_kw=30.0), workloads=(chat(),)), golden)
    assert "slack_kw[hall,p0] + 10 buy[hall/server,p0] >= 30\n" in text


def test_family_racks(golden: Golden) -> None:
    """20 kW a rack hold two servers of 10 kW; boxes of 4 kW would be five, but three of 14 U fill 42 U."""
    tall = NodeType(id=NodeTypeId("tall"), accelerator=AcceleratorId("chip"), gpus=8, max_kw=4.0, rack_units=14.0)
    pools = (servers(), NodePool(node_type=NodeTypeId("tall"), purchase_usd=90_000.0, lead_time_months=0))
    step = ExpansionStep(id="row", adds_racks=3)
    site = hall(racks=2, pools=pools, expansion=(step,))
    text = printed("racks", place(site, workloads=(chat(),), node_types=(tall,)), golden)
    assert "0.5 buy[hall/server,p0] + 0.333333 buy[hall/tall,p0] - 3 expand[hall,row,p0] <= 2\n" in text


def test_family_expansion(golden: Golden) -> None:
    """A step may be ordered in either quarter, once."""
    site = hall(it_kw=10.0, expansion=(ExpansionStep(id="feed", adds_kw=20.0),))
    text = printed("expansion", place(site, workloads=(chat(),), horizon=horizon(2)), golden)
    assert "step `feed` once: expand[hall,feed,p0] + expand[hall,feed,p1] <= 1\n" in text
    assert "0 <= expand[hall,feed,p0] <= 1 integer\n" in text


def reader(**fields: object) -> Estate:
    """A hall with the dataset, a cloud region without; the workload reads 300 GB of it a month wherever it runs."""
    load = chat(reads=(DatasetUse(dataset=STORY, gb_per_month=300.0),))
    data = Dataset(id=STORY, size_gb=1200.0, copies=(SiteId("hall"),), change_gb_per_month=30.0)
    given: dict[str, object] = {"workloads": (load,), "datasets": (data,)} | fields
    return place(hall(), region(), **given)  # type: ignore[arg-type]  # fields by name


def test_family_copies(golden: Golden) -> None:
    """The source at the hall stays; a copy in the cloud is seeded in the quarter it appears and at no other time."""
    text = printed("copies", reader(horizon=horizon(2)), golden)
    kept = "seed[story,cloud,p1] - copy[story,cloud,p1] + copy[story,cloud,p0] >= 0"
    assert f"seeding `story`: {kept}\n" in text
    assert "seeding `story`: seed[story,hall,p0] - copy[story,hall,p0] >= -1\n" in text
    assert "1 <= copy[story,hall,p0] <= 1\n" in text


def test_family_rpo(golden: Golden) -> None:
    """Fifteen minutes ask for a second copy; the annexe fails with the hall, so only the cloud can hold it."""
    data = Dataset(id=STORY, size_gb=1200.0, copies=(SiteId("hall"),), rpo_minutes=15.0)
    sites = (
        hall(failure_domains=("metro",)),
        hall("annexe", failure_domains=("metro", "grid")),
        region(failure_domains=("grid",)),
    )
    text = printed("rpo", place(*sites, workloads=(chat(),), datasets=(data,)), golden)
    assert "second copy of `story` for RPO 15 min: copy[story,cloud,p0] >= 1\n" in text


def test_family_colocation(golden: Golden) -> None:
    """300 GB a month read in the cloud come from a copy there, which serves them all, or from the hall's."""
    text = printed("colocation", reader(), golden)
    need = "read[story,hall,cloud,p0] + copy[story,cloud,p0] - serve[chat,cloud/big,firm,p0,b0] >= 0"
    assert f"`story` within reach of `cloud`: {need}\n" in text
    assert "reading `story` from `hall`: read[story,hall,cloud,p0] - copy[story,hall,p0] <= 0\n" in text


def test_family_standby(golden: Golden) -> None:
    """Half must survive. The quiet rate is a third of the peak, so standby for the peak is three times it: 2 / (2/3).

    The hall and its annexe share a conduit: losing it leaves the cloud alone.
    """
    load = chat(hour_of_week=TWO_LEVELS, recovery=Recovery(standby=Standby.HOT, survive_share=0.5))
    sites = (hall(failure_domains=("conduit",)), hall("annexe", failure_domains=("conduit",)), region())
    text = printed("standby", place(*sites, workloads=(load,), horizon=horizon(1, 2)), golden)
    quiet = "serve[chat,cloud/big,firm,p0,b1] + 3 standby[chat,cloud/big,p0] >= 0.5"
    assert f"`chat` survives the loss of failure domain `conduit`: {quiet}\n" in text
    assert text.count(" survives the loss of ") == 4 * 2


def test_family_moves(golden: Golden) -> None:
    """It runs at the hall today, so being there costs nothing at first; at most one move a quarter is allowed."""
    load = chat(today=(TodayShare(site=SiteId("hall")),))
    rules = Policies(max_moves_per_period=1)
    text = printed("moves", place(hall(), region(), workloads=(load,), horizon=horizon(2), policies=rules), golden)
    assert "`chat` moves to `hall`: enter[chat,hall,p0] - present[chat,hall/server,p0] >= -1\n" in text
    later = "enter[chat,cloud,p1] - present[chat,cloud/big,p1] + present[chat,cloud/big,p0] >= 0"
    assert f"`chat` moves to `cloud`: {later}\n" in text
    assert "at most 1 moves in 2027-Q2: enter[chat,hall,p1] + enter[chat,cloud,p1] <= 1\n" in text


def test_family_links(golden: Golden) -> None:
    """A megabyte a request both ways at 16 requests/s is 0.016 GB/s; half of it each way is 8 x 0.008 = 0.064 Gbit/s.

    Reads of a GB a month over the same link are 8 / (730 x 3600) = 3.044e-6 Gbit/s, and keeping a copy in step 30 GB.
    """
    load = chat(
        demand=replace(chat().demand, payload_kb=1000.0),
        callers=(Caller(place="hall"),),
        reads=(DatasetUse(dataset=STORY, gb_per_month=300.0),),
    )
    line = Link(id=LinkId("line"), source=SiteId("hall"), target=SiteId("cloud"), bandwidth_gbps=0.5)
    text = printed("links", reader(workloads=(load,), links=(line,)), golden)
    assert "0.064 serve[chat,cloud/big,firm,p0,b0]" in text
    assert "0.000913242 read[story,hall,cloud,p0]" in text
    assert "9.13242e-05 copy[story,cloud,p0]" in text
    assert "<= 0.5\n" in text


def test_family_egress(golden: Golden) -> None:
    """A megabyte a request at 16 requests/s is 42,048 GB a month, of which 21,024 leave the cloud.

    The first 100 GB are free, the next 10,140 cost 0.09 USD, the rest 0.085. The second step is dearer than the first
    and fills by itself; the third is cheaper, so a binary holds it shut until the second is full.
    """
    load = chat(demand=replace(chat().demand, payload_kb=1000.0), callers=(Caller(place="US"),))
    text = printed("egress", place(region(), workloads=(load,)), golden)
    sum_of_tiers = (
        "0.1 tier[cloud,internet,p0,t0] + 10.14 tier[cloud,internet,p0,t1] + 10.785 tier[cloud,internet,p0,t2]"
    )
    assert f"{sum_of_tiers} - 21.024 serve[chat,cloud/big,firm,p0,b0] = 0\n" in text
    assert "0 <= tier[cloud,internet,p0,t1] <= 1\n" in text
    assert "tier[cloud,internet,p0,t1] - open[egress of `cloud` (internet),t2] >= 0\n" in text


CAPPED = Policies(
    concentration=(ConcentrationCap(max_share=0.6, provider="aws"),),
    budget=Budget(usd_per_period=400_000.0, view=CostView.BILLED),
)


def test_family_spend(golden: Golden) -> None:
    """A rented node costs 2,190 h x 50 = 109,500 USD a quarter in either view.

    An owned one costs 4,200 to write off, 1,056.2 of interest, 1,250 + 625 + 2,200 + 295.65 to run, a month: 28,880.6
    a quarter. As invoiced it is 250,000 x 1.12 at once and 3 x 4,370.65 to run: 293,112.
    """
    text = printed("spend", place(hall(), region(), workloads=(chat(),), policies=CAPPED), golden)
    assert "effective cost with `aws` in 2027-Q1: 109500 rent[cloud/big,p0,b0]" in text
    assert "28880.6 buy[hall/server,p0]" in text
    assert "293112 buy[hall/server,p0]" in text
    assert "- spend[billed,own,p0] = 0\n" in text


def test_family_concentration(golden: Golden) -> None:
    """Sixty percent of what both providers are paid bounds what one is: 0.4 of its own less 0.6 of the other's."""
    text = printed("concentration", place(hall(), region(), workloads=(chat(),), policies=CAPPED), golden)
    assert "at most 60% of cost with `aws`: 0.4 spend[effective,aws,p0] - 0.6 spend[effective,own,p0] <= 0\n" in text


def test_family_budget(golden: Golden) -> None:
    """What all providers invoice in the quarter stays within 400,000 USD."""
    text = printed("budget", place(hall(), region(), workloads=(chat(),), policies=CAPPED), golden)
    assert "spend[billed,aws,p0] + spend[billed,own,p0] <= 400000\n" in text


def test_every_family_has_one() -> None:
    """Each family has its test here and its golden on disk, and no golden is left of a family that is gone."""
    names = {family.name for family in FAMILIES}
    tests = {
        name.removeprefix("test_family_") for name in dir(sys.modules[__name__]) if name.startswith("test_family_")
    }
    folder = Path(__file__).resolve().parents[3] / "goldens" / "families"
    assert tests == names
    assert {path.stem for path in folder.iterdir()} == names
