"""Rows of shared services: the longest break a declared one makes, less what is borne."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.leaning import chat, cloud, estate, report, shared
from tests.factories.planning import catalog

from tripoint.domain.cut import DependencyReport
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.recovery import Miss, Objective, Reached
from tripoint.engines.resilience.recovery.leaning import with_services

ROW = Reached(
    workload="fraud", disruption=DisruptionClass.SHARED_SERVICE, loss="",
    objective=Objective(after=(DisruptionClass.SHARED_SERVICE,), rto_minutes=60.0), least_share=1.0, steps=(),
    rta_s=0.0, low_s=0.0, high_s=0.0, share=1.0, stores=(), rpa_s=0.0, cost_factor=1.0, misses=(),
)  # fmt: skip


def leaned(*, hours: float = 3.0, grace: float = 0.0) -> DependencyReport:
    """One workload that cannot do without names."""
    names = replace(shared("names", needed_by=("all",)), fails_per_year=2.0, hours_to_repair=hours, grace_hours=grace)
    return report(
        estate(cloud("fra"), workloads=(chat(("fra", 1.0), name="fraud"),), dependencies=(names,)), catalog()
    )  # fmt: skip


def test_it_is_down_until_the_service_is_repaired() -> None:
    """Three hours, as declared, against an hour that is asked."""
    (row,) = with_services((ROW,), leaned())
    assert (row.rta_s, row.loss, row.misses) == (3 * 3600.0, "dns names", (Miss.TIME,))
    (term,) = row.terms
    assert term.source is TermSource.ASSUMED
    assert term.basis == "dns names is away 3 h, declared"


def test_what_is_borne_is_taken_off() -> None:
    """Two and a half hours leave half an hour; four leave no break at all."""
    (row,) = with_services((ROW,), leaned(grace=2.5))
    assert row.rta_s == pytest.approx(1800.0)
    assert row.misses == ()
    assert "borne for 2.5 h" in row.terms[0].basis
    (row,) = with_services((ROW,), leaned(grace=4.0))
    assert (row.rta_s, row.loss, row.misses) == (0.0, "", ())


def test_other_rows_and_longer_breaks_stay_as_they_are() -> None:
    """Of a site, of another workload, and one that already lasts longer."""
    site = replace(ROW, disruption=DisruptionClass.SITE)
    other = replace(ROW, workload="search")
    long = replace(ROW, rta_s=inf, high_s=inf)
    assert with_services((site, other, long), leaned()) == (site, other, long)


@given(st.floats(0.01, 100.0), st.floats(0.0, 100.0))
def test_a_declared_service_never_shortens_a_row(hours: float, grace: float) -> None:
    """Whatever is declared: not below what the row said, and never longer than the repair."""
    (row,) = with_services((ROW,), leaned(hours=hours, grace=grace))
    assert ROW.rta_s <= row.rta_s <= hours * 3600.0 + 1e-6
    assert bool(row.misses) == (row.rta_s > 3600.0 + 1e-6)
