"""Whatever is planned can be assessed: every workload after every class of loss, with times that make sense."""

from __future__ import annotations

import json
import math
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from tests.factories.planning import catalog
from tests.factories.recovering import loaded

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.render.resilience.recovery import recovery_payload
from tripoint.domain.estate import Estate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.resilience.recovery.assess import assess
from tripoint.testing.strategies import small_estates
from tripoint.usecases.plan import PlanOptions, plan


@given(small_estates())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_plan_can_be_assessed(estate: Estate) -> None:
    """Shares add up, times lie within their ranges, and the answer is one JSON document."""
    options = PlanOptions(baselines=False, threads=1, gap=0.05)
    made = plan(loaded(estate), catalog(), HighsSolver(), options, today=date(2026, 11, 22))
    if made.solve is None:
        return
    found = assess(prepare(estate, catalog(), {}), made)
    assert {each.workload for each in found} == {str(each.id) for each in estate.workloads}
    for each in found:
        assert each.low_s <= each.rta_s + 1e-6
        assert each.rta_s <= each.high_s + 1e-6 or math.isinf(each.rta_s)
        assert 0.0 <= each.share <= 1.0 + 1e-6
        assert not each.steps or sum(step.share for step in each.steps) == pytest.approx(1.0, abs=1e-4)
        assert bool(each.loss) is (each.rta_s > 0.0 or each.rpa_s > 0.0)
    json.dumps(recovery_payload(found), allow_nan=False)
