"""Measures of a plan other than money, held against the plan they are read from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import API, batch, chat, hall, horizon, place, region, rented, resolved, servers
from tests.factories.planning import highs

from tripoint.domain.units import SiteId
from tripoint.domain.workload import Caller, Recovery, Standby, TodayShare
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.outcome import read_back
from tripoint.engines.placement.tradeoff.front import aimed
from tripoint.engines.placement.tradeoff.measures import carbon, egress, latency, moves, vendors
from tripoint.engines.placement.tradeoff.resilience import graded

HOT = Recovery(standby=Standby.HOT)


def test_carbon_is_that_of_the_charges() -> None:
    """Owned servers draw power all quarter; the sum over columns is the sum over the statement."""
    form, network = formulate(resolved(place(hall(pool=servers(held=2)), workloads=(chat(),), horizon=horizon(2, 2))))
    measure, program = carbon(form), form.program()
    found = highs(program)
    charged = sum(row.carbon_kg for row in read_back(form, network, program, found).charges)
    assert charged > 0
    assert measure.of(found.values) == pytest.approx(charged / 1000.0)


def test_latency_is_the_mean_over_requests() -> None:
    """Callers in the Netherlands: the hall is near, the region over the sea far; half and half is the mean of both."""
    load = chat(callers=(Caller(place="NL", share=1.0),))
    form, network = formulate(resolved(place(hall(pool=servers(held=4)), region(), workloads=(load,))))
    measure, program = latency(form, network), form.program()
    near, far = (network.path(site, "NL").rtt_ms.value for site in ("hall", "cloud"))
    assert near < far
    nearest = aimed(program, measure)
    least, most = (highs(each) for each in (nearest, replace(nearest, cost=-nearest.cost)))
    assert measure.of(least.values) == pytest.approx(near)
    assert measure.of(most.values) == pytest.approx(far)
    assert measure.of((least.values + most.values) / 2) == pytest.approx((near + far) / 2)


def test_latency_without_callers_is_nothing() -> None:
    """There is nobody to be far from."""
    form, network = formulate(resolved(place(region(), workloads=(chat(), batch()))))
    assert latency(form, network).columns == ()


def test_vendors_are_counted_where_something_runs_or_waits() -> None:
    """Hot standby needs a second site: of another vendor, or of one's own, who is none."""
    east, west = region("east"), region("west", provider="else", pools=(rented(usd_per_hour=60.0),))
    form, _ = formulate(resolved(place(east, west, workloads=(chat(recovery=HOT),))))
    measure = vendors(form)
    assert highs(aimed(form.program(), measure)).objective == pytest.approx(2.0)
    form, _ = formulate(resolved(place(hall(), east, west, workloads=(chat(recovery=HOT), batch(only_at=("hall",))))))
    measure = vendors(form)
    assert {form.program().column_names[column] for column in measure.columns} == {"vendor[aws]", "vendor[else]"}
    assert highs(aimed(form.program(), measure)).objective == pytest.approx(1.0)


def test_a_vendor_nobody_uses_is_not_counted_by_the_cheapest_plan() -> None:
    """The column tells who is used, without being sought."""
    form, _ = formulate(resolved(place(hall(pool=servers(held=4)), region(), workloads=(chat(only_at=("hall",)),))))
    measure = vendors(form)
    assert measure.of(highs(form.program()).values) == 0.0


def test_divisible_work_counts_a_vendor_as_well() -> None:
    """Batch work has no presence; its shares are what counts."""
    form, _ = formulate(resolved(place(region(), workloads=(batch(),))))
    measure = vendors(form)
    assert highs(aimed(form.program(), measure)).objective == pytest.approx(1.0)


def test_moves_count_who_enters() -> None:
    """From the cloud into the hall is one; staying is none."""
    load = chat(today=(TodayShare(site=SiteId("cloud")),))
    form, _ = formulate(resolved(place(hall(pool=servers(held=4)), region(), workloads=(load,))))
    measure = moves(form)
    assert measure.of(highs(form.program()).values) == pytest.approx(1.0)
    assert highs(aimed(form.program(), measure)).objective == pytest.approx(0.0)


def test_egress_is_what_leaves_at_a_price() -> None:
    """Answers to callers elsewhere leave the region; what the hall sends costs nothing and does not count."""
    load = chat(callers=(Caller(place="NL", share=1.0),), only_at=("cloud",))
    form, network = formulate(resolved(place(hall(), region(), workloads=(load,))))
    measure, program = egress(form), form.program()
    found = highs(program)
    decisions = read_back(form, network, program, found).decisions
    assert decisions is not None
    assert 0 < measure.of(found.values) <= sum(row.gb for row in decisions.transfers) / 1000.0


def test_each_class_of_resilience_asks_what_the_one_below_asks() -> None:
    """Costs never fall from class to class; who has no second place is left as declared, and told."""
    estate = place(
        region("east"), region("west"), region("api", pools=(), apis=(API,)),
        workloads=(chat(recovery=Recovery(standby=Standby.COLD)), chat("lone", only_at=("east",))),
    )  # fmt: skip
    grades = graded(resolved(estate))
    assert [grade.rank for grade in grades] == [0, 1, 3, 4]
    assert all("`lone`" in grade.notes[0] for grade in grades[2:])
    assert {grade.estate.workloads[1].recovery.standby for grade in grades} == {Standby.NONE}
    costs = [highs(formulate(resolved(grade.estate))[0].program()).objective for grade in grades]
    assert costs == sorted(costs)
