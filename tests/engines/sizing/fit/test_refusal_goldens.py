"""Filters remove pairs before cost is looked at: one estate and one printed refusal for every reason there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.placement import chat, hall, place, region, resolved, servers, training

from tripoint.domain.estate import Estate
from tripoint.domain.fit import Refusal, RefusalReason
from tripoint.domain.hardware import NodeType
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import CertificationRule, Policies, ResidencyRule
from tripoint.domain.purchase import NodePool, PurchaseOption
from tripoint.domain.site import CoolingClass
from tripoint.domain.units import AcceleratorId, ModelId, NodeTypeId
from tripoint.domain.workload import Caller, Demand, Slo

M8 = ModelId("m8")
RACK = NodeType(
    id=NodeTypeId("rack"),
    accelerator=AcceleratorId("chip"),
    gpus=72,
    max_kw=130.0,
    cooling=CoolingClass.DIRECT_LIQUID,
    purchase_usd_low=3e6,
)
BOX = NodeType(id=NodeTypeId("box"), accelerator=AcceleratorId("slow"), gpus=1, max_kw=0.2, purchase_usd_low=5e3)
SMALL = NodePool(node_type=NodeTypeId("box"))


def asked_of(model: ModelSpec) -> Estate:
    """A hall of servers and boxes, and a workload on `model`."""
    return place(hall(pool=SMALL), workloads=(chat(model=model.id),), models=(model,), node_types=(BOX,))


def ruled(rules: Policies) -> Estate:
    """A region in the US under `rules`."""
    return place(region(), workloads=(chat(classification="health"),), policies=rules)


CASES: dict[RefusalReason, Estate] = {
    RefusalReason.RESIDENCY: ruled(Policies(residency=(ResidencyRule(allow=("EEA",), classifications=("health",)),))),
    RefusalReason.CERTIFICATION: ruled(Policies(certification=(CertificationRule(requires=("c5", "iso27001")),))),
    RefusalReason.LICENCE: place(
        region(), workloads=(chat(),), models=(ModelSpec(id=M8, licence_kinds=("on_prem", "edge")),)
    ),
    RefusalReason.CONFINED: place(region(), workloads=(chat(only_at=("dense", "edge")),)),
    RefusalReason.SPOT_NOT_ALLOWED: place(region("cloud", PurchaseOption.SPOT), workloads=(chat(allows_spot=False),)),
    RefusalReason.COOLING: place(hall(pool=NodePool(node_type=RACK.id)), workloads=(chat(),), node_types=(RACK,)),
    RefusalReason.RACK_DENSITY: place(
        hall(pool=NodePool(node_type=NodeTypeId("hot"))),
        workloads=(chat(),),
        node_types=(replace(RACK, id=NodeTypeId("hot"), max_kw=22.0, cooling=CoolingClass.AIR),),
    ),
    RefusalReason.POWER: place(hall(it_kw=9.5), workloads=(chat(),)),
    RefusalReason.CONTEXT: place(
        hall(),
        workloads=(chat(demand=Demand(requests_per_s=1.0, input_tokens=9000.0, output_tokens=10.0)),),
    ),
    RefusalReason.MEMORY: asked_of(ModelSpec(id=ModelId("m70"), precisions=("fp8",))),
    RefusalReason.NO_THROUGHPUT: asked_of(ModelSpec(id=M8, precisions=("fp8",), context_tokens=2000)),
    RefusalReason.LATENCY: place(hall(), workloads=(chat(callers=(Caller(place="US"),), slo=Slo(ttft_ms=150.0)),)),
    RefusalReason.TPOT: place(hall(), workloads=(chat(slo=Slo(tpot_ms=30.0)),)),
    RefusalReason.GANG: place(hall(pool=servers(max_nodes=4)), workloads=(training(gang=64),)),
    RefusalReason.CAPACITY: place(hall(pool=servers(max_nodes=2)), workloads=(chat(min_replicas=17),)),
    RefusalReason.NO_PRICE: place(hall(pool=servers(options=(PurchaseOption.ON_DEMAND,))), workloads=(chat(),)),
}


def printed(refusal: Refusal) -> str:
    """The refusal as a reader of the plan sees it, its figures on a line of their own."""
    head = f"{refusal.reason.value}: {refusal.workload} at {refusal.site} on {refusal.node_type}\n{refusal.text}\n"
    if refusal.actual is None or refusal.limit is None:
        return head
    return f"{head}{refusal.actual:g} against {refusal.limit:g} {refusal.unit}\n"


@pytest.mark.parametrize(
    "reason",
    [pytest.param(reason, id=reason.value) for reason in CASES],
)
def test_every_reason_is_told_where_it_removes_the_only_offer(
    reason: RefusalReason, golden: Callable[[str, str], None]
) -> None:
    """The pair is out of the program, the refusal keeps the reason, and figures found break the figures allowed."""
    instance = resolved(CASES[reason])
    assert not instance.lanes
    (refusal,) = instance.refusals
    assert refusal.reason is reason
    assert refusal.actual is None or refusal.limit is None or refusal.actual > refusal.limit
    golden(f"refusals/{reason.value}.txt", printed(refusal))


def test_every_reason_has_one() -> None:
    """No reason is without a case and a golden, and no golden is left of a reason that is gone."""
    folder = Path(__file__).resolve().parents[3] / "goldens" / "refusals"
    assert set(CASES) == set(RefusalReason)
    assert {path.stem for path in folder.iterdir()} == {reason.value for reason in RefusalReason}
