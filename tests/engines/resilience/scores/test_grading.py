"""Scores: what is not proved is not met, and no way of not trying raises one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.score import Ground, Proof, Score, Scores, Standing
from tripoint.engines.resilience.scores.grading import Asked, graded

TODAY = "2026-11-22"
SITE = DisruptionClass.SITE
ASKED: tuple[Asked, ...] = (("chat", SITE), ("chat", DisruptionClass.REGION), ("search", SITE))

proofs = st.builds(
    Proof,
    workload=st.sampled_from(["chat", "search", "other"]),
    disruption=st.sampled_from([SITE, DisruptionClass.REGION]),
    ground=st.sampled_from(list(Ground)),
    is_met=st.booleans(),
    by=st.just("what was done"),
    expires=st.sampled_from(["", "2026-11-21", TODAY, "2026-11-23"]),
    excluded_because=st.sampled_from(["", "", "too dear"]),
)


def proof(**fields: object) -> Proof:
    """A fresh drill of the loss of a site that chat passed, with some fields replaced."""
    base = Proof(workload="chat", disruption=SITE, ground=Ground.DRILL, is_met=True, by="evening drill")
    return replace(base, **fields)  # type: ignore[arg-type]  # the fields of the case


def score(*found: Proof) -> Score:
    """The drills' score."""
    return graded(ASKED, found, Ground.DRILL, TODAY)


def test_without_drills_the_score_is_nought_of_all() -> None:
    """Nothing tried is nothing met."""
    nothing = score()
    assert (nothing.met, nothing.share) == (0, 0.0)
    assert {each.standing for each in nothing.graded} == {Standing.MISSING}


def test_each_standing_is_told_with_its_reason() -> None:
    """Met, failed, excluded and expired are four things; only the first counts."""
    for changed, standing, because in (
        ({}, Standing.MET, ""),
        ({"is_met": False}, Standing.FAILED, "evening drill"),
        ({"excluded_because": "no window"}, Standing.EXCLUDED, "no window"),
        ({"expires": "2026-11-22"}, Standing.EXPIRED, "evening drill, since 2026-11-22"),
    ):
        found = score(proof(**changed))
        assert (found.graded[0].standing, found.graded[0].because) == (standing, because)
        assert found.share == (1 / 3 if standing is Standing.MET else 0.0)


def test_a_failed_test_is_not_mended_by_another_that_passed() -> None:
    """One scenario that fails is one loss the workload does not survive."""
    assert score(proof(), proof(is_met=False)).met == 0


def test_an_expired_pass_beside_a_fresh_one_does_no_harm() -> None:
    """What is old is not read."""
    assert score(proof(expires="2020-01-01", is_met=False), proof()).met == 1


@given(found=st.lists(proofs, max_size=12), more=proofs)
def test_leaving_out_failing_or_ageing_never_raises_a_score(found: list[Proof], more: Proof) -> None:
    """Only a proof that is met, tried and fresh can raise a score, and only by one."""
    before, after = score(*found), score(*found, more)
    may_raise = more.is_met and not more.excluded_because and (not more.expires or more.expires > TODAY)
    assert len(after.graded) == len(before.graded) == len(ASKED)
    assert after.met <= before.met + (1 if may_raise else 0)
    for changed in (replace(more, is_met=False), replace(more, excluded_because="left out"),
                    replace(more, expires="2026-11-22")):  # fmt: skip
        assert score(*found, changed).met <= after.met or not may_raise


@given(found=st.lists(proofs, max_size=12))
def test_the_headline_is_the_lowest(found: list[Proof]) -> None:
    """Never a mean: the weakest ground speaks."""
    by_ground = {ground: graded(ASKED, found, ground, TODAY) for ground in Ground}
    scores = Scores(
        design=by_ground[Ground.DESIGN], simulation=by_ground[Ground.SIMULATION], drill=by_ground[Ground.DRILL],
        usd_per_year=None, steps=(),
    )  # fmt: skip
    assert scores.headline == min(each.share or 0.0 for each in by_ground.values())
    assert by_ground[scores.weakest].share == scores.headline


def test_where_nothing_is_asked_there_is_no_score() -> None:
    """No objectives is not a hundred percent."""
    nothing = graded((), (proof(),), Ground.DRILL, TODAY)
    assert nothing.share is None
    assert Scores(design=nothing, simulation=nothing, drill=nothing, usd_per_year=None, steps=()).headline is None
