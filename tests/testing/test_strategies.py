from __future__ import annotations

from hypothesis import given, settings

from tripoint.adapters.catalog_csv import load_catalog
from tripoint.domain.errors import Severity
from tripoint.domain.estate import Estate
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.checks import check_estate
from tripoint.engines.checks.policy import check_policies
from tripoint.testing.strategies import EstateSize, small_estates

CATALOG = load_catalog()


@given(small_estates())
def test_drawn_estates_pass_every_check_with_the_shipped_catalogue(estate: Estate) -> None:
    """No drawn estate has an error, or a warning that something in it decides nothing."""
    findings = (*check_estate(estate, CATALOG), *check_policies(estate, CATALOG))
    assert [said for said in findings if said.severity is not Severity.NOTE] == []


@given(small_estates(EstateSize(workloads=1, periods=1, blocks=1, kinds=(WorkloadKind.EMBEDDING,))))
@settings(max_examples=20)
def test_the_size_of_drawn_estates_is_bounded_by_what_the_caller_asks(estate: Estate) -> None:
    """One workload of the asked kind, one period, one block."""
    assert [workload.kind for workload in estate.workloads] == [WorkloadKind.EMBEDDING]
    assert (estate.horizon.periods, estate.horizon.blocks) == (1, 1)
