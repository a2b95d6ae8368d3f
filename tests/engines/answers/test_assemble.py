"""The whole answer of small estates: it adds up, it can be written, and what it says of itself agrees."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.factories.answering import MODEL, cage, chat, cloud, estate, job, unallocated
from tests.factories.planning import catalog

from tripoint.adapters.plan_json import plan_from_json, plan_to_json
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.render.html import plan_html
from tripoint.apps.render.plan_text import plan_payload, plan_text
from tripoint.apps.render.reading.amounts import month_key
from tripoint.domain.estate import Estate
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.plan import Plan
from tripoint.domain.policy import Budget, Policies
from tripoint.domain.purchase import Commitment
from tripoint.domain.site import Site, SiteKind
from tripoint.domain.source import LoadedEstate, Position, Positions
from tripoint.domain.units import SiteId
from tripoint.usecases.plan import PlanOptions, plan


def answer(declared: Estate) -> Plan:
    """The plan with its alternatives."""
    loaded = LoadedEstate(estate=declared, profiles={}, digest="sha256:test")
    return plan(loaded, catalog(), HighsSolver(), PlanOptions(nodes=2000, threads=1), today=date(2026, 11, 21))


@pytest.fixture(scope="module")
def whole() -> Plan:
    """A cage, a cloud with a promise in it, a chat and batch work that grows."""
    promised = cloud(commitments=(Commitment(nodes=1, ends="2027-06", usd_per_hour=25.0),))
    asked = (chat(requests_per_s=120.0), job(mtok_per_month=8e5, growth_per_year=0.5))
    return answer(estate(cage(), promised, workloads=asked))


def test_every_answer_is_there(whole: Plan) -> None:
    """Break-even rows, advice on the promise, the roadmap, assumptions and both kinds of summary."""
    assert {row.subject for row in whole.breakevens} >= {"chat", "job", "cage/dgx-h100"}
    assert [row.pool for row in whole.lapses] == ["cloud/p5.48xlarge"]
    assert {"cage power", "cage racks", "cage GPUs", "cage/dgx-h100"} == {row.name for row in whole.headroom}
    assert len(whole.workloads) == len(whole.sites) == 2
    assert whole.assumptions


@pytest.mark.parametrize(
    ("files", "place"),
    [(("e/links.yaml", "e/sites.yaml"), "e"), (("links.yaml", "sites.yaml"), "."), (("e/all.yaml",), "e/all.yaml:1:1")],
)
def test_what_is_about_the_whole_estate_has_its_folder_as_place(files: tuple[str, ...], place: str) -> None:
    """A figure of the catalogue stands in none of several files, and least of all in the first by name."""
    positions = Positions(root=Position(files[0], 1, 1))
    loaded = LoadedEstate(
        estate=estate(cage(), workloads=(chat(),)), profiles={}, digest="sha256:test", positions=positions, files=files
    )
    options = PlanOptions(nodes=2000, threads=1, baselines=False)
    found = plan(loaded, catalog(), HighsSolver(), options, today=date(2026, 11, 21))
    assert {each.place() for each in found.findings if not each.path} == {place}


def test_the_answer_adds_up_in_every_view(whole: Plan) -> None:
    """Charges, sites, workloads and the plan's own baseline are one total."""
    assert whole.solve is not None
    total = sum(row.effective_usd for row in whole.charges)
    assert total == pytest.approx(whole.solve.undiscounted_usd, abs=0.01)
    assert whole.baselines[0].total_usd == pytest.approx(total, abs=0.01)
    assert sum(site.cost_usd for site in whole.sites) == pytest.approx(total, abs=0.01)
    borne = sum(workload.cost_usd for workload in whole.workloads)
    assert borne + unallocated(whole.charges) == pytest.approx(total, abs=0.01)


def test_the_answer_is_plain_json_and_reads_back(whole: Plan) -> None:
    """No number JSON lacks anywhere, and nothing is lost on the way."""
    text = plan_to_json(whole)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the plan"))
    assert "Infinity" not in text
    assert plan_from_json(text) == whole


def test_series_are_as_long_as_the_plan(whole: Plan) -> None:
    """Four quarters of use and limit in every row of the roadmap, first exhausted first."""
    assert all(len(row.used) == len(row.limit) == len(whole.periods) == 4 for row in whole.headroom)
    known = [month_key(row.exhausted) for row in whole.headroom]
    assert known == sorted(known)
    assert any(row.exhausted for row in whole.headroom)
    assert all(row.order_by <= month_key(row.exhausted) for row in whole.headroom if row.exhausted)


def test_every_workload_says_why_in_one_line(whole: Plan) -> None:
    """One sentence without a full stop."""
    for workload in whole.workloads:
        assert 0 < len(workload.why) <= 160
        assert not workload.why.endswith(".")


def test_emissions_of_token_apis_are_not_told_as_nought() -> None:
    """A chat that only an API serves: its whole cost is without a figure, wherever emissions are told."""
    site = Site(
        id=SiteId("vendor"), kind=SiteKind.CLOUD, provider="gemini", apis=("gemini/gemini-2.5-flash",), pools=()
    )
    models = (ModelSpec(id=MODEL, api_models=("gemini/gemini-2.5-flash",)),)
    whole = answer(estate(site, workloads=(chat(),), models=models))
    own = whole.baselines[0]
    assert own.total_usd > 0
    assert own.carbon_unknown_usd == pytest.approx(own.total_usd)
    assert own.carbon_kg == 0.0
    assert "CO2e of token APIs is not known" in own.note
    (row,) = whole.workloads
    assert row.carbon_unknown_usd == pytest.approx(row.cost_usd)
    payload = plan_payload(whole)
    assert payload["carbon_kg"] is payload["baselines"][0]["carbon_kg"] is payload["workloads"][0]["carbon_kg"] is None
    assert "CO2e not known" in plan_text(whole)
    assert "CO2e not known" in plan_html(whole)


def test_emissions_of_nodes_are_all_known(whole: Plan) -> None:
    """Nothing is bought by the token."""
    assert whole.baselines[0].carbon_unknown_usd == 0.0
    assert whole.baselines[0].carbon_kg > 0.0
    assert plan_payload(whole)["carbon_kg"] == whole.baselines[0].carbon_kg


def test_the_only_way_out_is_told_as_the_only_one() -> None:
    """A budget that is too small, and no other limit to raise."""
    poor = Policies(budget=Budget(usd_per_period=1000.0))
    conflict = answer(estate(cloud(), workloads=(chat(requests_per_s=120.0),), policies=poor)).conflict
    assert conflict is not None
    assert conflict.hint.startswith("this alone would do: raise `budget` by ")
    assert "one of these" not in conflict.hint


def test_only_workloads_in_the_conflict_are_said_to_be_able_to_wait() -> None:
    """Three chats, one confined to a site that is not there: no demand of the others is in its way."""
    urgent, patient = chat("desk", requests_per_s=10.0, priority=1), chat("night", requests_per_s=10.0, priority=5)
    for priority, told in ((5, "what can wait by its priority (5): `lost`"), (1, "")):
        lost = chat("lost", requests_per_s=10.0, priority=priority, only_at=("nowhere",))
        conflict = answer(estate(cage(), workloads=(urgent, patient, lost))).conflict
        assert conflict is not None
        assert conflict.hint.endswith(told)
        assert "`night`" not in conflict.hint


def test_an_impossible_estate_says_whose_demand_could_wait() -> None:
    """Two chats that the cage has no room for together: the hint names the one declared last in line, if they differ.

    Where one alone is too large for it, that the other waits is no help, and nobody says so.
    """
    for rate, is_told in ((100.0, True), (4000.0, False)):
        urgent = chat("desk", requests_per_s=rate, priority=1)
        patient = chat("night", requests_per_s=80.0, priority=5)
        conflict = answer(estate(cage(), workloads=(urgent, patient))).conflict
        assert conflict is not None
        assert ("what can wait by its priority (5): `night`" in conflict.hint) == is_told
        assert ("priority" in conflict.hint) == is_told
    alike = answer(estate(cage(), workloads=(urgent,))).conflict
    assert alike is not None
    assert "priority" not in alike.hint


def test_who_has_no_part_in_the_conflict_need_not_wait() -> None:
    """Of two last in line one may be in the cloud: only the other takes what the first in line needs."""
    urgent = chat("desk", requests_per_s=100.0, priority=1, only_at=("cage",))
    night = chat("night", requests_per_s=80.0, priority=5, only_at=("cage",))
    away = chat("away", requests_per_s=80.0, priority=5)
    conflict = answer(estate(cage(), cloud(), workloads=(urgent, night, away))).conflict
    assert conflict is not None
    assert conflict.hint.endswith("what can wait by its priority (5): `night`")
