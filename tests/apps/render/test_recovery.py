"""Recoveries on paper: the table, the sums, what data is lost, and prices."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.factories.leaning import chat, cloud, estate, report, shared
from tests.factories.planning import catalog

from tripoint.apps.render.plan_text.layout import printed
from tripoint.apps.render.resilience.recovery import (
    duration,
    minutes,
    recovery_parts,
    recovery_payload,
    remedy_parts,
    remedy_payload,
    standby_parts,
    way_lines,
)
from tripoint.domain.disruption import DisruptionClass, TermSource
from tripoint.domain.recovery import Miss, Objective, Part, Reached, Remedy, StandsBy, Step, StoreAge, Term

SITE, DATA, NODE = DisruptionClass.SITE, DisruptionClass.DATA, DisruptionClass.NODE


def term(part: Part, seconds: float, source: TermSource = TermSource.ASSUMED, as_of: str = "2026-11") -> Term:
    """A step that may take half as long, or twice."""
    return Term(
        part=part, seconds=seconds, low_s=seconds / 2, high_s=seconds * 2, source=source, as_of=as_of, basis="a default"
    )


RENTED = (term(Part.DETECT, 60.0), term(Part.PROVISION, 420.0, TermSource.DRILLED, "2026-10-14"), term(Part.LOAD, 18.0))
LATE = Reached(
    workload="fraud",
    disruption=SITE,
    loss="site `colo-ams`",
    objective=Objective(after=(SITE,), rto_minutes=5.0, rpo_minutes=1.0, least_share=0.5, highest_cost_factor=2.0),
    least_share=0.5,
    steps=(
        Step(at_s=0.0, share=0.25, how="stays", site="cloud", pool="cloud/p5", terms=()),
        Step(at_s=498.0, share=0.75, how="rented", site="cloud", pool="cloud/p5", terms=RENTED, nodes=2.5),
    ),
    rta_s=498.0,
    low_s=249.0,
    high_s=996.0,
    share=1.0,
    stores=(
        StoreAge(store="features", seconds=90.0, source=TermSource.MEASURED, as_of="2026-10", basis="copy at `cloud`"),
    ),
    rpa_s=90.0,
    cost_factor=2.4,
    misses=(Miss.TIME, Miss.POINT, Miss.COST),
)
GONE = Reached(
    workload="index",
    disruption=DATA,
    loss="corruption of every online copy",
    objective=Objective(after=(DATA,), rpo_minutes=1440.0, residency=("EEA",)),
    least_share=1.0,
    steps=(Step(at_s=math.inf, share=1.0, how="restored", site="cloud", pool="", terms=(term(Part.STAGE, math.inf),)),),
    rta_s=math.inf,
    low_s=math.inf,
    high_s=math.inf,
    share=1.0,
    stores=(
        StoreAge(
            store="vectors", seconds=math.inf, source=TermSource.ASSUMED, as_of="", basis="no copy and no snapshot left"
        ),
    ),
    rpa_s=math.inf,
    cost_factor=1.0,
    misses=(Miss.POINT,),
)
MET = Reached(
    workload="fraud",
    disruption=NODE,
    loss="",
    objective=Objective(after=(NODE,), rto_minutes=30.0, least_share=1.0),
    least_share=1.0,
    steps=(Step(at_s=0.0, share=1.0, how="stays", site="colo-ams", pool="colo-ams/dgx-h100", terms=()),),
    rta_s=0.0,
    low_s=0.0,
    high_s=0.0,
    share=1.0,
    stores=(),
    rpa_s=0.0,
    cost_factor=1.0,
    misses=(),
)
REMEDIES = (
    Remedy(
        workload="fraud",
        disruption=SITE,
        asked="site-loss RTO 5 min at 50% for `fraud`",
        does="hot standby for 50% (1.0 nodes of dgx-h100 kept hot at `colo-fra`)",
        usd_per_month=4100.4,
        rta_s=65.0,
        rpa_s=0.0,
        is_possible=True,
        change="workloads[fraud].recovery: {standby: hot, survive_share: 0.5}",
    ),
    Remedy(
        workload="index",
        disruption=DATA,
        asked="data-loss RPO 1440 min for `index`",
        does="no plan exists with a second copy",
        usd_per_month=0.0,
        rta_s=math.inf,
        rpa_s=math.inf,
        is_possible=False,
    ),
)
KEPT = (
    StandsBy(workload="fraud", mode="hot", share=0.5),
    StandsBy(workload="chat", mode="warm", share=1.0),
)


def test_recoveries_print_as_ever(golden: Callable[[str, str], None]) -> None:
    """Every part of the answer; the printed words change only on purpose."""
    text = printed([*recovery_parts((MET, LATE, GONE)), *standby_parts(KEPT), *remedy_parts(REMEDIES)])
    golden("recovery/all-parts.txt", text)
    assert max(map(len, text.splitlines())) <= 100


def test_where_nothing_is_asked_what_would_break_is_shown() -> None:
    """And the reader is told how to ask."""
    text = printed(recovery_parts(tuple(replace(each, objective=None, misses=()) for each in (MET, LATE))))
    assert "no objective is declared: see `recovery.objectives`" in text
    assert "fraud" in text
    assert "no break" not in text


def test_a_declared_service_that_takes_it_down_is_no_row_without_a_break() -> None:
    """The row of shared services leads to the single points; other rows, and estates without one, stay as they are."""
    asked = estate(
        cloud("fra"), workloads=(chat(("fra", 1.0), name="fraud"),), dependencies=(shared("names", needed_by=("all",)),)
    )
    row = replace(MET, disruption=DisruptionClass.SHARED_SERVICE)
    told = printed(recovery_parts((row,), leaned=report(asked, catalog())))
    assert "no break" not in told
    assert "within grace" in told
    assert "dns names takes it down alone" in told
    assert "no break" in printed(recovery_parts((MET,), leaned=report(asked, catalog())))
    assert "no break" in printed(recovery_parts((row,)))


def test_a_recovery_that_takes_no_time_is_no_sum() -> None:
    """Steps that all last nothing are not told as an empty sum."""
    still = replace(MET, steps=(replace(MET.steps[0], terms=(term(Part.DETECT, 0.0),)),))
    assert still.terms
    assert way_lines((still, GONE)) == way_lines((GONE,))


def test_json_knows_no_infinity() -> None:
    """Times that never end are null, and everything else is there."""
    rows = recovery_payload((LATE, GONE))
    told = json.loads(json.dumps({"reached": rows, "remedies": remedy_payload(REMEDIES)}, allow_nan=False))
    assert told["reached"][1]["rta_s"] is None
    assert told["reached"][0]["steps"][1]["terms"][1] == {
        "part": "provision", "seconds": 420.0, "low_s": 210.0, "high_s": 840.0, "source": "drilled",
        "as_of": "2026-10-14", "basis": "a default",
    }  # fmt: skip
    assert told["reached"][0]["weakest_source"] == "assumed"
    assert told["remedies"][1]["rpa_s"] is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (8.4, "8 s"), (99.0, "99 s"), (120.0, "2.0 min"), (5400.0, "90 min"), (7200.0, "2.0 h"),
     (86_400.0, "24 h"), (604_800.0, "7.0 d"), (math.inf, "never")],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    """Two digits and a unit."""
    assert duration(seconds) == text


def test_declared_times_are_told_as_declared() -> None:
    """Minutes as minutes, long ones as hours."""
    assert (minutes(15.0), minutes(0.5), minutes(1440.0)) == ("15 min", "0.5 min", "24 h")
