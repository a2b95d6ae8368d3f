"""`tripoint frontier`, as people and programs meet it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.plan import small_plan

from tripoint.apps.render.html.frontier import frontier_html
from tripoint.apps.render.why.frontier import frontier_text
from tripoint.domain.front import By, Front, Point


def made(by: By, unit: str, labels: tuple[str, ...], values: tuple[float, ...]) -> Front:
    """A front of three plans with figures of their own."""
    costs = (130_000.0, 112_345.0, 100_000.0) if unit else (100_000.0, 112_345.0, 130_000.0)
    points = tuple(
        Point(label, value, usd, usd * 0.9, usd * 0.89, 0.0111, small_plan())
        for label, value, usd in zip(labels, values, costs, strict=True)
    )
    return Front(by=by, unit=unit, points=points, least=12.3 if unit else None, dominated=2, notes=("a note",))


CARBON = made(By.CARBON, "t CO2e", ("at most 12.5 t CO2e", "at most 20 t CO2e", "the cheapest"), (12.5, 19.25, 41.0))
CLASSES = made(By.RESILIENCE, "", ("none: no capacity", "as declared", "hot: all survive"), (0.0, 1.0, 4.0))


def test_a_front_prints_as_ever(golden: Callable[[str, str], None]) -> None:
    """Amounts and classes; the printed words change only on purpose."""
    for name, front in (("carbon", CARBON), ("classes", CLASSES)):
        text = frontier_text(front)
        golden(f"frontier/{name}.txt", text + "\n")
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("front", [CARBON, CLASSES])
def test_the_page_draws_every_plan_and_leads_to_it(front: Front) -> None:
    """Three widths of the picture, a dot and a bar for each plan, nothing from elsewhere."""
    page = frontier_html(front)
    assert page.count('class="used-dot"') == 3 * len(front.points)
    assert [int(number) for number in re.findall(r'href="plan-(\d+)/report.html"', page)] == [1, 2, 3]
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    assert "30\u00a0% more" in page


def test_a_front_of_one_plan_is_drawn() -> None:
    """Nothing to divide by."""
    page = frontier_html(Front(by=By.VENDORS, unit="vendors", points=CARBON.points[:1], least=1.0))
    assert "One plan is best in both" in page


def test_an_estate_is_set_against_its_carbon(run: RunCli, small_estate: Path, tmp_path: Path) -> None:
    """Each plan is kept with its report; the page leads to them; the folder a point names holds its plan."""
    told = run("frontier", small_estate, "--by", "vendors", "--out", tmp_path / "out", "--gap", "0.01", "--json")
    assert told.code == 0
    found = told.document()
    assert found["schema"] == "tripoint/cli/frontier/v1"
    assert found["unit"] == "vendors"
    assert (tmp_path / "out" / "frontier.html").is_file()
    for point in found["points"]:
        plan = json.loads((Path(point["folder"]) / "plan.json").read_text(encoding="utf-8"))
        assert plan["solve"]["incumbent_usd"] == pytest.approx(point["npv_usd"])
        assert plan["options"]["frontier"].startswith("vendors: ")
    assert run("report", Path(found["points"][0]["folder"]) / "plan.json", "--out", tmp_path / "again").code == 0


def test_an_estate_without_a_plan_is_a_no(run: RunCli, impossible_estate: Path, tmp_path: Path) -> None:
    """Exit code 1 and the families; nothing is written."""
    told = run("frontier", impossible_estate, "--by", "vendors", "--gap", "0.01", "--quiet", "--out", tmp_path / "out")
    assert told.code == 1
    assert "no plan exists: demand + capacity + budget" in told.out
    assert told.out.count("- budget: budget") == 1
    assert "hint: " in told.out
    assert not list((tmp_path / "out").glob("*"))


def test_what_cannot_be_set_against_cost_is_refused(run: RunCli, small_estate: Path) -> None:
    """No workload names its callers: exit code 2."""
    told = run("frontier", small_estate, "--by", "latency", "--quiet")
    assert told.code == 2
    assert "no interactive workload names its callers" in told.err
