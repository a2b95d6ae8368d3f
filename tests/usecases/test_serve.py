"""Compiling for service: the shipped estates end to end, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.placement import placement_catalog
from tests.factories.served import TODAY, loaded, serve, two_sites

import tripoint
from tripoint.adapters.atomic_file import write_text
from tripoint.apps.wiring import compile_routing as compile_at
from tripoint.apps.wiring import load_estate, plan
from tripoint.domain.errors import EstateError, Severity
from tripoint.usecases.init import init_estate
from tripoint.usecases.plan import PlanOptions
from tripoint.usecases.serve import compile_routing

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = PlanOptions(seconds=60, threads=1, baselines=False)


def test_the_laptops_estate_is_planned_and_served(tmp_path: Path) -> None:
    """Three layers carry traffic, the European chat never has the cloud, and nothing is left to say."""
    init_estate("hybrid", tmp_path, write_text)
    found = compile_at(tmp_path, plan(tmp_path, OPTIONS, today=TODAY), today=TODAY)
    table = found.table
    assert found.findings == ()
    routes = {route.workload: route for route in table.routes}
    assert list(routes) == ["assistant", "claims-eu", "search"]

    def at(workload: str) -> dict[str, float]:
        return {table.targets[each.target].id: each.share for each in routes[workload].candidates}

    assert set(at("assistant")) == {"cloud-1", "dense-1", "edge-1"}
    assert set(at("claims-eu")) == {"dense-1", "edge-1"}
    assert set(at("search")) == {"dense-embed-1", "edge-embed-1"}
    assert all(sum(at(name).values()) == pytest.approx(1.0) for name in routes)
    assert at("assistant")["cloud-1"] > 0.0
    assert at("claims-eu")["edge-1"] > 0.0
    assert all(each.price.of(100, 100) > 0.0 for route in table.routes for each in route.candidates)
    assert table.keys == ()
    assert all(target.host == "127.0.0.1" for target in table.targets)


def test_the_three_layer_example_is_served_without_a_doubt() -> None:
    """Sixteen of twenty workloads answer requests; each has somewhere to go, at a price some figure gives."""
    found = compile_at(ROOT / "examples" / "three-layer", today=TODAY)
    table = found.table
    assert len(table.routes) == 16
    assert [said.code for said in found.findings if said.severity is not Severity.NOTE] == []
    by_name = {route.workload: route for route in table.routes}
    sealed = by_name["contract-reading"]
    assert {table.targets[each.target].site for each in sealed.candidates} == {"colo-ams", "nebius-fi"}
    cards = by_name["fraud-explanations"]
    assert {table.targets[each.target].site for each in cards.candidates} == {"aws-virginia", "dc-virginia"}
    assert all(reference.secret.startswith(("env:", "file:")) for reference in table.keys)


def test_serving_is_no_part_of_the_digest_a_plan_is_known_by(tmp_path: Path) -> None:
    """An upstream added or moved leaves yesterday's plan valid; demand changed does not."""
    (file,) = init_estate("hybrid", tmp_path, write_text)
    before = load_estate(tmp_path).digest
    text = file.read_text()
    file.write_text(text.replace(":8101/", ":9101/"))
    assert load_estate(tmp_path).digest == before
    file.write_text(text.replace("requests_per_s: 56", "requests_per_s: 57"))
    assert load_estate(tmp_path).digest != before


def test_a_plan_of_another_estate_is_refused_only_when_strict(tmp_path: Path) -> None:
    """A plan of yesterday beats none, unless somebody wants to be sure."""
    (file,) = init_estate("hybrid", tmp_path, write_text)
    old = plan(tmp_path, OPTIONS, today=TODAY)
    file.write_text(file.read_text().replace("requests_per_s: 56", "requests_per_s: 57"))
    found = compile_at(tmp_path, old, today=TODAY)
    assert [said.code for said in found.findings] == ["TP1703"]
    with pytest.raises(EstateError) as caught:
        compile_at(tmp_path, old, today=TODAY, is_strict=True)
    assert [(said.code, said.severity) for said in caught.value.findings] == [("TP1703", Severity.ERROR)]
    assert "used all the same" in found.findings[0].message
    assert "used all the same" not in caught.value.findings[0].message
    assert "such a plan is not served" in caught.value.findings[0].message
    assert "without `--strict`" in caught.value.findings[0].hint


def test_a_plan_is_read_from_its_folder(tmp_path: Path) -> None:
    """As `tripoint plan --out` writes it."""
    init_estate("hybrid", tmp_path / "estate", write_text)
    made = plan(tmp_path / "estate", OPTIONS, today=TODAY)
    tripoint.write_plan(made, tmp_path / "out")
    from_file = compile_at(tmp_path / "estate", tmp_path / "out" / "plan.json", today=TODAY)
    assert from_file.table == compile_at(tmp_path / "estate", made, today=TODAY).table


def test_what_cannot_be_served_is_refused_with_every_finding() -> None:
    """The error names what is missing; the caller keeps the table it had."""
    with pytest.raises(EstateError) as caught:
        compile_routing(loaded(two_sites(serve())), placement_catalog(), None, today=TODAY)
    assert [said.code for said in caught.value.findings] == ["TP1705"]


def test_doubts_about_the_estate_are_handed_on() -> None:
    """Warnings of loading come before those of compiling."""
    estate = loaded(two_sites())
    doubt = replace(compile_at(ROOT / "examples" / "three-layer", today=TODAY).findings[0])
    found = compile_routing(replace(estate, findings=(doubt,)), placement_catalog(), None, today=TODAY)
    assert found.findings == (doubt,)
