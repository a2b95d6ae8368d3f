"""Mistakes in files of scenarios, each told at its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.factories.tried import shipped

from tripoint.domain.fault import FaultKind
from tripoint.domain.scenario import Frequency, Magnitude, Scenario, Strike, TrialMode
from tripoint.engines.stress.scenarios.candidates import sorts
from tripoint.engines.stress.scenarios.checks import check_scenarios

SITE_LOSS = next(each for each in shipped() if each.id == "site-loss")


def told(scenario: Scenario, taken: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Code and path of each finding."""
    return [(said.code, said.path.removeprefix("scenarios[0].")) for said in check_scenarios((scenario,), taken)]


def test_the_catalogue_is_without_mistakes() -> None:
    """What ships passes its own checks."""
    assert check_scenarios(shipped()) == ()


KNOB = SITE_LOSS.magnitudes[0]
STRIKE = SITE_LOSS.strikes[0]
WRONG: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"minutes": 0.0}, ("TP1302", "minutes")),
    ({"strikes": ()}, ("TP1302", "strikes")),
    ({"hour_of_week": 168}, ("TP1302", "hour_of_week")),
    ({"magnitudes": (replace(KNOB, usual=1e9),)}, ("TP1302", "magnitudes[0].usual")),
    ({"magnitudes": (replace(KNOB, mild=-1.0),)}, ("TP1302", "magnitudes[0].mild")),
    ({"magnitudes": (KNOB, KNOB)}, ("TP1215", "magnitudes[1].name")),
    ({"magnitudes": (replace(KNOB, unit="times"),)}, ("TP1302", "strikes[0].lasts")),
    ({"strikes": (replace(STRIKE, lasts="outtage"),)}, ("TP1801", "strikes[0].lasts")),
    ({"strikes": (replace(STRIKE, hits="pool:reserved"),)}, ("TP1802", "strikes[0].hits")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.LEAVE),)}, ("TP1803", "strikes[0].kind")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.CAPACITY, size=1.5),)}, ("TP1301", "strikes[0].size")),
    ({"strikes": (replace(STRIKE, at=-1.0),)}, ("TP1302", "strikes[0].at")),
    ({"strikes": (replace(STRIKE, at=SITE_LOSS.minutes),)}, ("TP1302", "strikes[0].at")),
    ({"strikes": (replace(STRIKE, at="outage"),), "minutes": 600.0}, ("TP1302", "strikes[0].at")),
    ({"strikes": (replace(STRIKE, lasts=-5.0),)}, ("TP1302", "strikes[0].lasts")),
    ({"strikes": (replace(STRIKE, lasts=0.0),)}, ("TP1302", "strikes[0].lasts")),
    ({"magnitudes": (replace(KNOB, mild=0.0, usual=0.0),)}, ("TP1302", "strikes[0].lasts")),
    ({"strikes": (replace(STRIKE, delay=-1.0),)}, ("TP1302", "strikes[0].delay")),
    ({"strikes": (replace(STRIKE, ramp=-1.0),)}, ("TP1302", "strikes[0].ramp")),
    ({"strikes": (replace(STRIKE, size=-2.0),)}, ("TP1302", "strikes[0].size")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.CAPACITY, size=-0.5),)}, ("TP1301", "strikes[0].size")),
    ({"strikes": (replace(STRIKE, hits="node", size=0.0),)}, ("TP1302", "strikes[0].size")),
    ({"strikes": (replace(STRIKE, hits="node", mtbf_hours=0.0),)}, ("TP1302", "strikes[0].mtbf_hours")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.RETRIES, hits="workload", size=3.0),)}, ("TP1803", "strikes[0].kind")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.SLOW, size=2.0, hits="workload"),)}, ("TP1802", "strikes[0].hits")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.SLOW, size=2.0, hits="node"),)}, ("TP1802", "strikes[0].hits")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.LINK_DOWN),)}, ("TP1802", "strikes[0].hits")),
    ({"strikes": (STRIKE, replace(STRIKE, mtbf_hours=9.0))}, ("TP1802", "strikes[1].mtbf_hours")),
    ({"strikes": (STRIKE, replace(STRIKE, kind=FaultKind.CAPACITY))}, ("TP1302", "strikes[1].size")),
    ({"strikes": (replace(STRIKE, kind=FaultKind.ERRORS, size=0.0),)}, ("TP1302", "strikes[0].size")),
    (
        {
            "magnitudes": (KNOB, replace(KNOB, name="still", unit="times", mild=1.0, usual=1.0, severe=2.0)),
            "strikes": (replace(STRIKE, kind=FaultKind.DEMAND, hits="workload", size="still"),),
        },
        ("TP1302", "strikes[0].size"),
    ),
    (
        {"mode": TrialMode.PLAN, "strikes": (replace(STRIKE, kind=FaultKind.LEAVE, at=0.0, size=9.0),)},
        ("TP1803", "strikes[0].lasts"),
    ),
    ({"frequency": Frequency(per_year=1.0, low=2.0, high=3.0)}, ("TP1302", "frequency")),
]


@pytest.mark.parametrize(("change", "expected"), WRONG, ids=[f"{code}-{path}" for _, (code, path) in WRONG])
def test_each_mistake_is_told_at_its_place(change: dict[str, Any], expected: tuple[str, str]) -> None:
    """One change, one finding, and what to do about it."""
    assert told(replace(SITE_LOSS, **change)) == [expected]
    assert all(each.hint for each in check_scenarios((replace(SITE_LOSS, **change),)))


def test_a_figure_out_of_range_is_told_with_both_numbers_and_what_to_do() -> None:
    """A begin after the end strikes nothing, and would be counted as borne."""
    (late,) = check_scenarios((replace(SITE_LOSS, minutes=60.0, strikes=(replace(STRIKE, at=90.0),)),))
    assert late.message == "expects a begin before the trial ends at 60 minutes, found 90 minutes"
    assert late.hint == "begin earlier, or give the scenario more `minutes`"
    (short,) = check_scenarios((replace(SITE_LOSS, strikes=(replace(STRIKE, lasts=-5.0),)),))
    assert (short.message, short.hint) == (
        "expects 0 or more, found -5",
        "minutes; leave it out for a strike that goes on to the end",
    )


def test_the_mild_end_may_be_nothing_where_the_plain_run_strikes() -> None:
    """A knob that begins at 0 is turned up from there."""
    assert told(replace(SITE_LOSS, magnitudes=(replace(KNOB, mild=0.0),))) == []


def test_an_id_of_the_catalogue_is_taken() -> None:
    """One's own scenarios have names of their own."""
    assert told(SITE_LOSS, ("site-loss",)) == [("TP1215", "id")]


def test_a_share_given_by_a_magnitude_is_judged_by_its_range() -> None:
    """A knob that goes beyond 1 is no share."""
    knob = Magnitude(name="left", unit="share", mild=0.5, usual=0.5, severe=2.0)
    strike = Strike(kind=FaultKind.CAPACITY, hits="site", size="left")
    assert told(replace(SITE_LOSS, magnitudes=(knob,), strikes=(strike,))) == [("TP1301", "strikes[0].size")]


def test_everything_a_strike_may_name_is_listed() -> None:
    """The list in the hint holds sorts and how they are narrowed."""
    assert {"site", "site:cloud", "pool:spot", "dependants:keys", "price:token", "people"} <= set(sorts())
