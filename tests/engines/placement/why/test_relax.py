"""What would make a plan possible: exactly as much as is needed, and not a little less."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.factories.placement import chat, conflict_of, hall, horizon, place, region, rented, resolved
from tests.factories.planning import highs

from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.money import exactly
from tripoint.domain.policy import Budget, Policies
from tripoint.domain.units import LinkId, SiteId
from tripoint.domain.workload import Caller
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.program import Program, Solution, SolutionStatus
from tripoint.engines.placement.why.relax import Relaxation, relaxations
from tripoint.engines.placement.why.worth import loosened

CALLED = chat(demand=replace(chat().demand, payload_kb=1000.0), callers=(Caller(place="NL"),))
LINE = Link(id=LinkId("line"), source=SiteId("NL"), target=SiteId("cloud"), bandwidth_gbps=0.05)
CASES: dict[str, tuple[Estate, str]] = {
    "power": (
        place(hall(it_kw=15.0), workloads=(chat(),)),
        "raise `power` by 5 kW (power of `hall`, 15 kW)",
    ),
    "racks": (
        place(hall(racks=1), workloads=(chat(min_replicas=24),)),
        "raise `racks` by 1 rack (1 rack at `hall`)",
    ),
    "obtainable": (
        place(region(pools=(rented(max_nodes=1),)), workloads=(chat(),)),
        "raise `obtainable` by 1 node (1 node obtainable of cloud/big)",
    ),
    "links": (
        place(region(), workloads=(CALLED,), links=(LINE,)),
        "raise `links` by 0.014 Gbit/s (link `line`, 0.05 Gbit/s)",
    ),
    "budget": (
        place(region(), workloads=(chat(),), policies=Policies(budget=Budget(usd_per_period=100_000.0))),
        "raise `budget` by 64,250 USD a period (budget 100,000 USD (effective))",
    ),
}


def found_in(estate: Estate) -> tuple[Relaxation, ...]:
    """What would do alone."""
    instance = resolved(estate)
    form, _ = formulate(instance)
    return relaxations(form.program(), instance, conflict_of(estate).families, highs)


@pytest.mark.parametrize("family", list(CASES))
def test_the_raise_is_told_with_its_figure(family: str) -> None:
    """In the estate's words; whole nodes and racks, since nobody buys parts of them."""
    estate, told = CASES[family]
    assert [str(each) for each in found_in(estate)] == [told]


@pytest.mark.parametrize(
    ("usd", "told"),
    [(0.0, "0"), (1234.0, "1,234"), (1234.5, "1,234.50"), (0.1 + 0.2, "0.30000000000000004"), (1e16, f"{10**16:,}")],
)
def test_a_budget_is_told_with_every_digit_it_was_written_with(usd: float, told: str) -> None:
    """Nothing is rounded to something else, however it is written in the estate."""
    assert exactly(usd) == told
    assert exactly(0.7, 3) == "3.70"


@pytest.mark.parametrize("usd", [100_000.0, 100_000.4, 100_000.7, 0.0])
@pytest.mark.parametrize("rate", [100.0, 137.0, 411.0])
def test_a_budget_and_its_raise_make_what_is_told_to_be_needed(usd: float, rate: float) -> None:
    """To the dollar and the cent: neither the limit nor what is needed is rounded to something else beside it."""
    estate = place(region(), workloads=(chat(rate=rate),), policies=Policies(budget=Budget(usd_per_period=usd)))
    (line,) = conflict_of(estate).details
    (told,) = [str(each) for each in found_in(estate)]
    needed, allowed = (Decimal(each.replace(",", "")) for each in re.findall(r"(?:needs|is) ([\d,.]+) USD", line))
    (more,) = re.findall(r"by ([\d,]+) USD", told)
    assert allowed == Decimal(repr(usd))
    assert needed == allowed + Decimal(more.replace(",", ""))
    assert f"budget {exactly(usd)} USD" in told


@pytest.mark.parametrize("family", list(CASES))
def test_so_much_makes_a_plan_possible_and_less_does_not(family: str) -> None:
    """Held against the program itself with the limit raised by hand."""
    estate, _ = CASES[family]
    form, _ = formulate(resolved(estate))
    for limit, units, _, least in found_in(estate):
        assert least is None
        assert highs(loosened(form.program(), limit, units * 1.001)).values.size
        less = units - 1.0 if limit.family in ("racks", "obtainable") else units * 0.95
        assert highs(loosened(form.program(), limit, less)).status is SolutionStatus.INFEASIBLE


def test_a_limit_that_does_not_help_alone_is_not_told() -> None:
    """Two halls of one workload each, both too small: neither's power alone makes a plan."""
    small = (hall("one", it_kw=15.0), hall("two", it_kw=15.0))
    both = (chat("a", only_at=("one",)), chat("b", only_at=("two",)))
    assert found_in(place(*small, workloads=both)) == ()


def test_a_raise_that_is_not_proven_least_is_told_with_what_is_proven() -> None:
    """The time is up with a raise at hand that is too large: it is enough, and how much is needed at least is known."""
    instance = resolved(CASES["budget"][0])

    def hurried(program: Program) -> Solution:
        solution = highs(program)
        values = solution.values.copy()
        values[-1] += 1000.0
        return replace(solution, status=SolutionStatus.FEASIBLE, values=values, bound=70_000.0)

    (found,) = relaxations(formulate(instance)[0].program(), instance, ("budget",), hurried)
    assert str(found) == (
        "raise `budget` by 65,250 USD a period (budget 100,000 USD (effective); less may do: the search ended early; "
        "at least 70,000 is needed)"
    )
    assert str(found._replace(least=0.0)).endswith("(effective); less may do: the search ended early)")


def test_a_raise_is_told_from_the_period_it_is_needed_in() -> None:
    """A workload that grows fills its hall after some quarters: before, the hall as it is would do."""
    estate = place(hall(it_kw=25.0), workloads=(chat(growth_per_year=1.0),), horizon=horizon(6))
    (found,) = found_in(estate)
    assert found.since == "2027-Q3"
    assert f" kW from {found.since} (power of `hall`, 25 kW)" in str(found)
    program = formulate(resolved(estate))[0].program()
    names = program.row_names
    late = {name.rpartition(" in ")[2] for name in (names[row] for row in found.limit.rows)}
    for since, is_enough in ((found.since, True), (min(each for each in late if each > found.since), False)):
        rows = tuple(row for row in found.limit.rows if names[row].rpartition(" in ")[2] >= since)
        raised = loosened(program, found.limit._replace(rows=rows), found.units * 1.001)
        assert (highs(raised).status is not SolutionStatus.INFEASIBLE) == is_enough
