"""An estate may be impossible for two reasons at once: one is told, whole and on its own."""

from __future__ import annotations

import pytest
from tests.factories.placement import chat, conflict_of, hall, place, servers, training

from tripoint.domain.dataset import Dataset
from tripoint.domain.units import DatasetId, SiteId

OTHERS_STAY = pytest.mark.xfail(
    strict=True, reason="families the conflict does not need stay hard while its own rows are made to give"
)


def test_the_numbers_are_those_of_the_families_named() -> None:
    """A dataset without room for its second copy, and a hall without power for its workload: the copy is told."""
    data = Dataset(id=DatasetId("d"), size_gb=1.0, copies=(SiteId("hall"),), rpo_minutes=5.0)
    conflict = conflict_of(place(hall(it_kw=15.0), workloads=(chat(),), datasets=(data,)))
    assert conflict.families == ("rpo",)
    assert conflict.details == ("rpo: second copy of `d` for RPO 5 min: gets 0 copies, needs 1 copy",)


def test_a_second_reason_does_not_silence_the_first() -> None:
    """Servers arrive after the horizon: too few nodes for the work, and too few for the gang."""
    conflict = conflict_of(place(hall(pool=servers(lead_time_months=3)), workloads=(training(gang=24),)))
    assert "capacity" in conflict.families
    assert conflict.details
