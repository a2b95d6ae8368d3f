"""The smallest set of rules in conflict: together impossible, possible without any one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.placement.test_conflict import CASES
from tests.factories.placement import chat, conflict_of, hall, place, program_of, region
from tests.factories.planning import highs

from tripoint.domain.policy import Budget, Policies
from tripoint.engines.placement.conflict import STRUCTURE
from tripoint.engines.placement.milp.program import INFINITY, Program, ProgramBuilder, SolutionStatus
from tripoint.engines.placement.why.smallest import Rule, smallest_conflict
from tripoint.engines.placement.why.worth import rule_of


def only(program: Program, rules: tuple[Rule, ...]) -> Program:
    """The program with the rows of these rules and of definitions."""
    names = zip(program.row_families, program.row_names, strict=True)
    kept = np.array(
        [family in STRUCTURE or (family, rule_of(label)) in rules for family, label in names], dtype=np.bool_
    )
    return replace(
        program,
        row_lower=np.where(kept, program.row_lower, -INFINITY),
        row_upper=np.where(kept, program.row_upper, INFINITY),
        cost=np.zeros(program.columns),
    )


@pytest.mark.parametrize("family", list(CASES))
def test_without_any_one_member_the_others_can_hold(family: str) -> None:
    """On every example of a conflict: the members cannot hold together, and every one of them is needed for that."""
    estate, _, _ = CASES[family]
    program = program_of(estate)
    members = smallest_conflict(program, conflict_of(estate).families, highs)
    assert members
    assert {name for name, _ in members} <= set(conflict_of(estate).families)
    assert highs(only(program, members)).status is SolutionStatus.INFEASIBLE
    for member in members:
        rest = tuple(each for each in members if each != member)
        assert highs(only(program, rest)).status is SolutionStatus.OPTIMAL, member


def test_of_many_workloads_only_those_in_conflict_are_named() -> None:
    """Nine small ones fit the cloud; the tenth is confined to a hall that is too small."""
    others = tuple(chat(f"w{number}", only_at=("cloud",)) for number in range(9))
    estate = place(
        hall(it_kw=15.0), region(), workloads=(*others, chat(only_at=("hall",))),
        policies=Policies(budget=Budget(usd_per_period=1e9)),
    )  # fmt: skip
    members = smallest_conflict(program_of(estate), conflict_of(estate).families, highs)
    assert [label for _, label in members] == [
        "demand of `chat`",
        "nodes of `hall/server`",
        "power of `hall`, 15 kW",
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=10))
def test_the_set_is_irreducible_whatever_the_rules(bounds: list[tuple[int, int]]) -> None:
    """Rules x >= low and x <= high, at random: of those in conflict, one of each kind remains."""
    builder = ProgramBuilder()
    x = builder.column("x", upper=9.0)
    for number, (low, high) in enumerate(bounds):
        builder.row("floor", f"at least {low}, {number}", [(x, 1.0)], lower=float(low))
        builder.row("roof", f"at most {high}, {number}", [(x, 1.0)], upper=float(high))
    program = builder.build([1.0])
    members = smallest_conflict(program, ("floor", "roof"), highs)
    is_impossible = max(low for low, _ in bounds) > min(high for _, high in bounds)
    assert len(members) == (2 if is_impossible else 0)
    if members:
        assert {family for family, _ in members} == {"floor", "roof"}
        assert highs(only(program, members)).status is SolutionStatus.INFEASIBLE
