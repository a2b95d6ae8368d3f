"""The program's optimum equals trying everything, on estates small enough to try everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.planning import highs, instance_of

from tripoint.domain.errors import SolverError
from tripoint.domain.estate import Estate, Horizon
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import NodePool, PurchaseOption
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.program import ProgramBuilder, SolutionStatus, SolveLimits
from tripoint.testing.exhaustive import ExhaustiveSolver

pytestmark = pytest.mark.timeout(300)
MODEL = ModelId("llama3.1-8b")
ORACLE = ExhaustiveSolver(linear=highs, most=3000)


@st.composite
def enumerable_estates(draw: st.DrawFn) -> Estate:
    """A colo that may buy up to two nodes and a cloud that rents one small type; one or two workloads."""
    owned = NodePool(
        node_type=NodeTypeId("dgx-h100"),
        max_nodes=draw(st.integers(1, 2)),
        options=(PurchaseOption.OWNED,),
        purchase_usd=float(draw(st.integers(20, 400)) * 1000),
        lead_time_months=0,
    )
    power = PowerEnvelope(
        it_kw=draw(st.sampled_from((9.0, 12.0, 30.0))),
        rack_density_kw=22.0,
        cooling=CoolingClass.AIR_CONTAINED,
        energy_usd_per_kwh=0.1,
    )
    rented = NodePool(
        node_type=NodeTypeId("g6e.12xlarge"),
        options=(PurchaseOption.ON_DEMAND,),
        usd_per_hour=float(draw(st.integers(2, 40))),
    )
    demands = draw(st.lists(st.integers(1, 60), min_size=1, max_size=2))
    return Estate(
        apiVersion="tripoint/v1",
        horizon=Horizon(months=3 * draw(st.integers(1, 2)), period_months=3, blocks=1),
        sites=(
            Site(id=SiteId("colo"), kind=SiteKind.COLO, country="NL", power=power, pools=(owned,)),
            Site(id=SiteId("cloud"), kind=SiteKind.CLOUD, provider="aws", region="us-east-1", pools=(rented,)),
        ),
        models=(ModelSpec(id=MODEL),),
        workloads=tuple(
            Workload(
                id=WorkloadId(f"w{number}"),
                kind=WorkloadKind.INFERENCE,
                model=MODEL,
                demand=Demand(requests_per_s=float(rate), input_tokens=500.0, output_tokens=100.0),
            )
            for number, rate in enumerate(demands)
        ),
    )


@settings(max_examples=30)
@given(enumerable_estates())
def test_the_programs_optimum_is_the_best_of_everything_tried(estate: Estate) -> None:
    """Branch and bound and exhaustive enumeration agree on the objective, or both find nothing."""
    form, _ = formulate(instance_of(estate, **{"migration.usd_per_move": 0.0}))
    program = form.program()
    try:
        oracle = ORACLE.solve(program, SolveLimits(), lambda state: None, lambda: False)
    except SolverError:
        assume(False)
    found = highs(program)
    assert found.status is oracle.status
    if oracle.values.size:
        assert found.objective == pytest.approx(oracle.objective, rel=1e-6, abs=1e-3)


@settings(max_examples=60)
@given(st.data())
def test_small_knapsacks_agree_with_the_oracle(data: st.DataObject) -> None:
    """Random covering programs, feasible or not."""
    size = data.draw(st.integers(1, 5))
    builder = ProgramBuilder()
    columns = [builder.column(f"x{n}", upper=float(data.draw(st.integers(0, 3))), integer=True) for n in range(size)]
    for row in range(data.draw(st.integers(1, 3))):
        weights = [float(data.draw(st.integers(0, 9))) for _ in columns]
        builder.row(
            "cover", f"r{row}", list(zip(columns, weights, strict=True)), lower=float(data.draw(st.integers(0, 30)))
        )
    cost = np.array([float(data.draw(st.integers(1, 9))) for _ in columns])
    program = builder.build(cost)
    found = highs(program)
    oracle = ORACLE.solve(program, SolveLimits(), lambda state: None, lambda: False)
    assert (found.status is SolutionStatus.INFEASIBLE) == (oracle.status is SolutionStatus.INFEASIBLE)
    if oracle.values.size:
        assert found.objective == pytest.approx(oracle.objective)


def test_the_oracle_refuses_what_it_cannot_enumerate() -> None:
    """Thirty binaries are more than it may try, and it says both numbers."""
    builder = ProgramBuilder()
    for number in range(30):
        builder.column(f"x{number}", upper=1.0, integer=True)
    with pytest.raises(SolverError, match="1073741824 assignments to try, 3000 allowed"):
        ORACLE.solve(builder.build(np.zeros(30)), SolveLimits(), lambda state: None, lambda: False)
