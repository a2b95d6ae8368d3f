"""Figures of two versions of an estate are never mixed: an answer about a plan needs the estate it was made for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import chat, place, region, rented
from tests.factories.recovering import TODAY, loaded, planned, recovering_catalog

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.demand import DemandProfile, DemandTaken
from tripoint.domain.errors import OptionError
from tripoint.domain.estate import Estate
from tripoint.domain.units import WorkloadId
from tripoint.engines.answers.explanation.question import Question
from tripoint.engines.governance.observed.profiles import Observed, on_observed
from tripoint.engines.governance.observed.trace import Window
from tripoint.engines.placement.milp.program import SolveLimits
from tripoint.usecases.assess_recovery import assess_recovery
from tripoint.usecases.explain import explain
from tripoint.usecases.same_estate import estate_of
from tripoint.usecases.stressing.subject import subject_of


def asked(rate: float = 2.0, name: str = "chat") -> Estate:
    """One workload at one region."""
    return place(region(pools=(rented(),)), workloads=(chat(name, rate=rate),))


def test_what_is_asked_of_a_plan_is_refused_with_another_version_of_its_estate() -> None:
    """The demand has changed since: the plan's shares weighed with it would be figures of neither."""
    plan, other = planned(asked()), replace(loaded(asked(rate=3.0)), digest=f"sha256:{'b' * 64}")
    catalog, limits = recovering_catalog(), SolveLimits(gap=0.01, seconds=10.0, threads=1)
    ways = (
        lambda: explain(other, catalog, plan, Question(workload="chat"), HighsSolver(), limits, lambda phase: None),
        lambda: assess_recovery(other, catalog, plan, today=TODAY),
        lambda: subject_of(other, catalog, plan, today=TODAY, digests=("", "")),
    )
    for ask in ways:
        with pytest.raises(OptionError, match="was made for another estate, or another version of this one") as told:
            ask()
        assert plan.estate_digest[:19] in str(told.value)
        assert other.digest[:19] in str(told.value)
        assert told.value.hint is not None
        assert "plan the estate again" in told.value.hint


def test_workloads_that_came_and_went_are_named() -> None:
    """What changed, as far as names tell it; nothing is refused where the digests agree."""
    plan, other = planned(asked()), replace(loaded(asked(name="talk")), digest="sha256:other")
    with pytest.raises(OptionError, match="of the plan alone: `chat`; workloads of the estate alone: `talk`"):
        estate_of(plan, other)
    same = replace(other, digest=plan.estate_digest)
    assert estate_of(plan, same) is same


def test_a_plan_on_observed_demand_is_asked_about_with_that_demand() -> None:
    """Of the very estate it was made for the demand comes back from the plan; of another version none does."""
    profile = DemandProfile(
        name="chat", kind="requests", source="ledger (a day)", window_s=86_400.0, rows=9, requests_per_s=0.5
    )
    window = Window(100.0, 86_500.0)
    files = loaded(asked())
    observed, _ = on_observed(files, Observed({WorkloadId("chat"): profile}, window, (), {}), lambda _: "sha256:seen")
    assert observed.demand == DemandTaken(
        source="ledger (a day)", since=100.0, until=86_500.0, declared_digest=files.digest,
        profiles={WorkloadId("chat"): profile},
    )  # fmt: skip
    plan = replace(planned(asked()), estate_digest="sha256:seen", demand=observed.demand)
    assert estate_of(plan, files) == observed
    assert estate_of(plan, observed) is observed
    with pytest.raises(OptionError, match="or another version of this one"):
        estate_of(plan, replace(files, digest="sha256:later"))
    assert plan.is_of(files.digest)
    assert not plan.is_of("sha256:later")
