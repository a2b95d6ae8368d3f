"""Who is in the way of an alternative that does not exist, told by name."""

from __future__ import annotations

import pytest
from tests.factories.answering import cage, chat, cloud, estate, job
from tests.factories.planning import highs, instance_of

from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.plan import PlanStatus
from tripoint.domain.units import LinkId, SiteId
from tripoint.domain.workload import Caller
from tripoint.engines.answers.baselines import empty_baseline, missing_baseline
from tripoint.engines.answers.unplaced import unplaced
from tripoint.engines.placement.conflict import explain
from tripoint.engines.placement.instance.restrict import alternatives
from tripoint.engines.placement.outcome import Outcome, solve_instance

LINE = Link(id=LinkId("line"), source=SiteId("cage"), target=SiteId("cloud"), rtt_ms=5.0, bandwidth_gbps=0.001)


def on_demand(declared: Estate) -> Outcome:
    """The estate solved with everything public and on demand."""
    found = next(each for each in alternatives(instance_of(declared)) if each.name == "on_demand")
    return solve_instance(found.instance, highs)


def crowded(outcome: Outcome) -> tuple[str, ...]:
    """Who does not fit."""
    assert outcome.is_infeasible
    return unplaced(outcome.instance, outcome.program, highs)


def test_who_a_link_has_no_room_for_is_named_and_nobody_else() -> None:
    """The chat's callers sit behind a megabit; the other chat and the job send nothing over it."""
    behind = chat("behind", callers=(Caller(place="cage"),))
    outcome = on_demand(estate(cage(), cloud(), workloads=(chat("beside"), behind, job()), links=(LINE,)))
    assert crowded(outcome) == ("behind",)


def test_who_too_few_nodes_have_no_room_for_is_named() -> None:
    """One node in the cloud: the large one does not fit, and the note says so before the conflict's first row."""
    declared = estate(cage(), cloud(max_nodes=1), workloads=(chat("small", 1.0), chat("large", 3000.0)))
    alternative = next(each for each in alternatives(instance_of(declared)) if each.name == "on_demand")
    outcome = solve_instance(alternative.instance, highs)
    names = crowded(outcome)
    assert names == ("large",)
    note = missing_baseline(alternative, outcome, explain(outcome.program, highs), names).note
    assert "cannot hold together, with no room for `large`: " in note


def test_an_alternative_nobody_could_take_does_not_exist() -> None:
    """With its only workload free it would be the plan again, at the same cost."""
    declared = estate(cage(), cloud(), workloads=(chat("held", 1.0, only_at=("cloud",)),))
    alternative = next(each for each in alternatives(instance_of(declared)) if each.name == "private")
    row = empty_baseline(alternative)
    assert (row.status, row.total_usd, row.note) == (PlanStatus.INFEASIBLE, 0.0, "no workload can run this way")


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b")])
def test_nobody_is_named_where_nobody_was_found(names: tuple[str, ...]) -> None:
    """The sentence is whole with and without names."""
    declared = estate(cage(), cloud(max_nodes=1), workloads=(chat("large", 3000.0),))
    alternative = next(each for each in alternatives(instance_of(declared)) if each.name == "on_demand")
    outcome = solve_instance(alternative.instance, highs)
    note = missing_baseline(alternative, outcome, explain(outcome.program, highs), names).note
    assert ("with no room for" in note) == bool(names)
    assert all(f"`{name}`" in note.split(": ")[0] for name in names)
