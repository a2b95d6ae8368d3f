"""What would make a plan possible: one step, or two of which neither would do alone; law is never waived."""

from __future__ import annotations

import pytest
from tests.factories.placement import chat, hall, place, placement_catalog, region, resolved
from tests.factories.planning import highs

from tripoint.domain.estate import Estate
from tripoint.domain.plan import ConflictSet
from tripoint.domain.policy import Budget, Policies, ResidencyRule
from tripoint.engines.placement.conflict import explain, homeless
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program, SolutionStatus
from tripoint.engines.placement.why.relax import Relaxation
from tripoint.engines.placement.why.ways import Step, Trouble, Waiver, ways_out
from tripoint.engines.placement.why.worth import loosened

AT_HOME = Policies(residency=(ResidencyRule(allow=("EEA",), classifications=("health",)),))
RECORDS = chat("records", classification="health")
SMALL = hall(it_kw=15.0)
"""Too small for two servers, which either workload needs."""


def trouble(estate: Estate) -> Trouble:
    """An estate without a plan, and its conflict."""
    instance = resolved(estate)
    lost: ConflictSet | None = homeless(instance)
    found = lost or explain(formulate(instance)[0].program(), highs)
    return Trouble(instance, {}, found.families, found.details, highs)


def told(estate: Estate) -> list[str]:
    """Ways out as people read them."""
    return [" and ".join(map(str, way)) for way in ways_out(trouble(estate))]


def after(estate: Estate, steps: tuple[Step, ...], part: float = 1.001) -> Program | None:
    """The program with these steps taken, raises by a part of what is told; `None` with nowhere to run."""
    waived = frozenset((each.workload, each.country) for each in steps if isinstance(each, Waiver))
    instance = prepare(estate, placement_catalog(), {}, waived=waived)
    if homeless(instance) is not None:
        return None
    program = formulate(instance)[0].program()
    for each in steps:
        if isinstance(each, Relaxation):
            program = loosened(program, each.limit, each.units * part)
    return program


def test_a_workload_that_may_go_nowhere_is_told_the_country() -> None:
    """There is only a cloud in the US."""
    assert told(place(region(), workloads=(chat(), RECORDS), policies=AT_HOME)) == ["allow `US` for `records`"]


def test_a_raise_or_a_country_would_do() -> None:
    """The hall is too small by 5 kW, and the cloud is closed to it by a rule of the estate's own."""
    estate = place(SMALL, region(), workloads=(RECORDS,), policies=AT_HOME)
    assert told(estate) == ["raise `power` by 5 kW (power of `hall`, 15 kW)", "allow `US` for `records`"]


def test_what_has_nothing_to_do_with_it_is_not_allowed() -> None:
    """Another workload of the same class fits its own hall: nothing is waived for it."""
    sites = (SMALL, hall("wide", it_kw=50.0), region())
    other = chat("letters", classification="health", only_at=("wide",))
    estate = place(
        *sites, workloads=(chat("records", classification="health", not_at=("wide",)), other), policies=AT_HOME
    )
    assert told(estate) == ["raise `power` by 5 kW (power of `hall`, 15 kW)", "allow `US` for `records`"]


PAIRS: dict[str, tuple[Estate, list[str]]] = {
    "two limits": (
        place(
            SMALL, hall("other", it_kw=15.0),
            workloads=(chat("a", only_at=("hall",)), chat("b", only_at=("other",))),
        ),
        [
            "raise `power` by 5 kW (power of `hall`, 15 kW) and "
            "raise `power` by 5 kW (power of `other`, 15 kW)"
        ],
    ),
    "two countries": (
        place(
            region(), workloads=(chat("a", classification="health"), chat("b", classification="health")),
            policies=AT_HOME,
        ),
        ["allow `US` for `a` and allow `US` for `b`"],
    ),
    "a country and a limit": (
        place(
            region(), workloads=(RECORDS,),
            policies=Policies(residency=AT_HOME.residency, budget=Budget(usd_per_period=100_000.0)),
        ),
        ["allow `US` for `records` and raise `budget` by 64,250 USD a period (budget 100,000 USD (effective))"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(PAIRS))
def test_two_steps_together_are_told_where_neither_would_do(name: str) -> None:
    """Limits, countries, one of each."""
    estate, ways = PAIRS[name]
    assert told(estate) == ways


@pytest.mark.parametrize("name", list(PAIRS))
def test_both_are_needed_and_both_suffice(name: str) -> None:
    """Held against the program itself: with both a plan exists, with either alone none, with less none."""
    estate, _ = PAIRS[name]
    for way in ways_out(trouble(estate)):
        program = after(estate, way)
        assert program is not None
        assert highs(program).values.size
        for step in way:
            alone = after(estate, (step,))
            assert alone is None or highs(alone).status is SolutionStatus.INFEASIBLE
        less = after(estate, way, part=0.9)
        if any(isinstance(step, Relaxation) for step in way):
            assert less is not None
            assert highs(less).status is SolutionStatus.INFEASIBLE


def test_the_law_is_never_waived() -> None:
    """A regime's rule and a confinement are not for tripoint to relax, nor is a rule over who operates the place."""
    lawful = place(region(), workloads=(chat("records", regimes=("gdpr",)),))
    confined = place(region(), workloads=(chat("records", only_at=("edge",)),))
    abroad = Policies(residency=(ResidencyRule(allow=("EEA",), workloads=(RECORDS.id,), by_jurisdiction=True),))
    for estate in (lawful, confined, place(region(), workloads=(RECORDS,), policies=abroad)):
        found = trouble(estate)
        assert homeless(found.instance) is not None
        assert ways_out(found) == ()


def test_a_waiver_changes_only_what_is_asked() -> None:
    """One workload, one country: the others are refused as before."""
    estate = place(region(), workloads=(chat("a", classification="health"), RECORDS), policies=AT_HOME)
    instance = prepare(estate, placement_catalog(), {}, waived=frozenset({("records", "US")}))
    assert {str(instance.workload(lane).id) for lane in instance.lanes} == {"records"}
    assert {row.workload for row in instance.refusals} == {"a"}
