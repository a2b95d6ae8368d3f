"""`tripoint explain`, as people and programs meet it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.apps.conftest import RunCli
from tests.factories.plan import small_plan

from tripoint.apps.render.why.explanation import explanation_payload, explanation_text
from tripoint.domain.fit import Refusal, RefusalReason
from tripoint.domain.plan import ConflictSet
from tripoint.domain.units import SiteId, WorkloadId
from tripoint.engines.answers.explanation.explained import Barred, Explained, NodeValue, Otherwise, Value
from tripoint.engines.answers.homes import Home
from tripoint.engines.placement.why.worth import Limit, WholeNode, Worth

HERE = Home(site="colo-ams", way="on owned nodes", pool="colo-ams/dgx-h100", share=0.9)
THERE = Home(site="cloud", way="on demand", pool="cloud/p5", share=1.0)
EXPLAINED = Explained(
    summary=small_plan().workloads[0],
    homes=(HERE, Home(site="cloud", way="on demand", pool="cloud/p5", share=0.1)),
    next_best=Otherwise(
        asked="not at `colo-ams`", homes=(THERE,), worse_usd=81_234.5, worse_npv_usd=70_123.4, least_npv_usd=69_000.0
    ),
    instead=Otherwise(
        asked="only at `store`",
        homes=(),
        worse_usd=0.0,
        worse_npv_usd=0.0,
        least_npv_usd=0.0,
        conflict=ConflictSet(families=("demand", "power"), details=("power: needs 40 kW, allowed is 20 kW",), hint=""),
    ),
    limits=(
        Value(worth=Worth(Limit("obtainable", "4 nodes obtainable of cloud/p5", "node", 1.0, 8, (1,)), 900.0),
              saved_usd=880.0),
        Value(worth=Worth(Limit("power", "power of `colo-ams`, 360 kW", "kW", 1.0, 0, (2,)), 412.0), saved_usd=412.0),
    ),
    unused=("edge",),
    refusals=tuple(
        Refusal(workload=WorkloadId("chat"), site=SiteId(f"us-{number}"), node_type="*",
                reason=RefusalReason.RESIDENCY, text=f"rule allows EEA; the country of `us-{number}` is US")
        for number in range(8)
    ),
)  # fmt: skip


def test_an_explanation_prints_as_ever(golden: Callable[[str, str], None]) -> None:
    """Every part of the answer; the printed words change only on purpose."""
    text = explanation_text(EXPLAINED)
    golden("explain/all-parts.txt", text + "\n")
    assert max(map(len, text.splitlines())) <= 100
    assert "us-7" in explanation_text(EXPLAINED, is_full=True)


def test_a_limit_whose_next_unit_saves_nothing_is_not_listed() -> None:
    """A row that binds for nothing is no answer to what one more is worth."""
    idle = replace(EXPLAINED.limits[0], saved_usd=0.0)
    text = explanation_text(replace(EXPLAINED, limits=(idle, EXPLAINED.limits[1])))
    assert "saves 0 USD" not in text
    assert "one more kW saves 412 USD" in text
    assert "one more unit of any limit that binds saves nothing" in explanation_text(replace(EXPLAINED, limits=(idle,)))


def test_a_whole_node_is_told_where_several_limits_bind_together() -> None:
    """Alone neither place nor power saves anything: the reader must not take that for growth being worth nothing."""
    place, power = (replace(value, saved_usd=0.0) for value in EXPLAINED.limits)
    node = WholeNode("cloud/p5", 8, ((place.worth.limit, 1.0), (power.worth.limit, 10.2)))
    for saved, told in ((8000.0, True), (0.0, False)):
        found = replace(EXPLAINED, limits=(place, power), nodes=(NodeValue(node=node, saved_usd=saved),))
        text = explanation_text(found)
        assert ("cloud/p5: one more node with 10.2 kW saves 8,000 USD discounted, 1,000 a GPU" in text) == told
        assert ("because several bind together" in text) == told
        assert ("one more unit of any limit that binds saves nothing" in text) != told
        assert explanation_payload(found)["nodes"][0]["saved_npv_usd"] == saved


def test_a_node_that_saves_no_more_than_its_dearest_limit_is_not_told_again() -> None:
    """The place alone saves 880 USD, and so does the node."""
    node = WholeNode("cloud/p5", 8, ((EXPLAINED.limits[0].worth.limit, 1.0),))
    found = replace(EXPLAINED, nodes=(NodeValue(node=node, saved_usd=880.0),))
    assert explanation_text(found) == explanation_text(EXPLAINED)


def test_a_whole_node_that_does_not_fit_is_told_with_what_it_lacks() -> None:
    """What it saves, what it may at most, that it saves nothing, or that the plan's own search left as much open."""
    power = EXPLAINED.limits[1].worth.limit
    node = WholeNode("cloud/p5", 8, ((power, 0.1),))
    for saved, most, left_open, ending in (
        (8000.0, 8100.0, 0.0, "with that it saves 8,000 USD discounted, 1,000 a GPU"),
        (8000.0, 9000.0, 0.0, "with that it saves 8,000 USD discounted, 1,000 a GPU, 9,000 at most"),
        (8000.0, 8100.0, 9500.0, "1,000 a GPU; the plan's own search left 9,500 open"),
        (0.0, 0.0, 0.0, "with that it saves nothing"),
        (0.0, 700.0, 0.0, "with that it saves nothing that was found; the search leaves up to 700 USD open"),
    ):
        row = Barred(node=node, saved_usd=saved, most_usd=most, open_usd=left_open)
        found = replace(EXPLAINED, limits=(), barred=(row,))
        text = " ".join(explanation_text(found).split())
        assert "binds, with everybody where the plan has them, if nodes could be divided" in text
        lacks = "one more whole node does not fit for want of 0.1 kW (power of `colo-ams`, 360 kW)"
        assert f"cloud/p5: {lacks}; " in text
        assert f"{ending} Why not elsewhere" in text
        assert explanation_payload(found)["barred"][0] == {
            "pool": "cloud/p5", "gpus": 8, "lacks": [{"name": "power of `colo-ams`, 360 kW", "units": 0.1}],
            "saved_npv_usd": saved, "most_npv_usd": most, "open_npv_usd": left_open,
        }  # fmt: skip


def test_the_next_best_is_told_as_more_or_less() -> None:
    """A plan stopped early may be beaten by the one without its choice; one refusal is told in the singular."""
    other = EXPLAINED.next_best
    assert other is not None
    cheaper = replace(EXPLAINED, next_best=replace(other, worse_usd=-81_234.5, worse_npv_usd=-70_123.4))
    assert "the estate costs 81,234 USD less, 70,123 less discounted" in explanation_text(cheaper)
    assert "the estate costs 81,234 USD more, 70,123 more discounted" in explanation_text(EXPLAINED)
    ended = "the search around the plan ended before the gap asked for, and planning afresh may prove more"
    assert ended not in explanation_text(EXPLAINED)
    left = replace(EXPLAINED, next_best=replace(other, was_interrupted=True))
    assert f"at least 69,000 more discounted; {ended}" in " ".join(explanation_text(left).split())
    assert explanation_payload(left)["next_best"]["was_interrupted"] is True
    twice = replace(EXPLAINED, refusals=(EXPLAINED.refusals[0],) * 2)
    assert "(1 more refusal there)" in explanation_text(twice)


def test_an_estate_is_planned_and_explained(run: RunCli, small_estate: Path) -> None:
    """The only site taken away leaves no plan, which is the reason it is there."""
    told = run("explain", "chat", small_estate, "--gap", "0.01", "--quiet")
    assert told.code == 0
    assert "Next best, not at `cloud`" in told.out
    assert "no plan exists: demand" in told.out
    assert told.err == ""


def test_a_plan_made_earlier_is_explained_as_it_is(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """As JSON: homes, conflict, limits; nothing is planned that was not asked for."""
    run("plan", small_estate, "--out", tmp_path / "out", "--gap", "0.01", "--no-baselines", "--quiet")
    told = run("explain", "chat", small_estate, "--plan", tmp_path / "out", "--at", "cloud", "--gap", "0.01", "--json")
    found = told.document()
    assert found["schema"] == "tripoint/cli/explain/v1"
    assert {home["site"] for home in found["homes"]} == {"cloud"}
    assert abs(found["instead"]["worse_usd"]) < 0.01 * found["workload"]["cost_usd"]
    assert "demand" in found["next_best"]["conflict"]["families"]
    assert "planning `chat` at `cloud` alone ..." in told.err


def test_the_plan_of_another_version_of_the_estate_is_refused(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Exit code 2 and both digests from every command that reads both; no figure of either is told."""
    out = tmp_path / "out"
    run("plan", small_estate, "--out", out, "--gap", "0.01", "--no-baselines", "--quiet")
    text = small_estate.read_text(encoding="utf-8")
    small_estate.write_text(text.replace("requests_per_s: 4", "requests_per_s: 45"), encoding="utf-8")
    for words in (
        ("explain", "chat", small_estate, "--plan", out),
        ("assess", "recovery", small_estate, "--plan", out),
        ("stress", small_estate, "--plan", out, "--quiet"),
        ("report", out, "--recovery", small_estate, "--out", tmp_path / "page.html"),
    ):
        told = run(*words)
        assert (told.code, told.out) == (2, ""), words
        assert "was made for another estate, or another version of this one (sha256:" in told.err
        assert "plan the estate again" in told.err


def test_a_workload_that_is_not_there_is_told_before_anything_is_planned(run: RunCli, small_estate: Path) -> None:
    """Exit code 2, the nearest name, no phase of planning."""
    told = run("explain", "chta", small_estate)
    assert told.code == 2
    assert "no workload `chta`" in told.err
    assert "did you mean `chat`" in told.err
    assert "planning" not in told.err


def test_an_estate_without_a_plan_is_a_no(run: RunCli, impossible_estate: Path) -> None:
    """Exit code 1, the families, the rules in the way with their numbers and what would help, as `plan` tells them."""
    told = run("explain", "chat", impossible_estate, "--gap", "0.01", "--quiet")
    assert told.code == 1
    assert "no plan exists: demand + capacity + budget" in told.out
    assert "- budget: budget" in told.out
    assert "allowed is" in told.out
    assert "hint: " in told.out
    found = run("explain", "chat", impossible_estate, "--gap", "0.01", "--quiet", "--json").document()
    assert found["families"] == ["demand", "capacity", "budget"]
    assert found["details"]
    assert found["hint"]
