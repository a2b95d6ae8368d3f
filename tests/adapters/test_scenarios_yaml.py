"""Files of scenarios: what ships is read, what is shown reads back, mistakes are told at their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tripoint.adapters.scenarios_yaml import read_scenarios
from tripoint.apps.render.stress.catalogue import scenario_text
from tripoint.domain.errors import EstateError
from tripoint.usecases.scenarios import load_scenarios

SHIPPED = read_scenarios()[0]


def test_every_source_of_the_catalogue_is_told_in_words() -> None:
    """No key without a description, no description without a use."""
    said = [each.provenance for scenario in SHIPPED.scenarios for each in scenario.magnitudes]
    said += [each.frequency.provenance for each in SHIPPED.scenarios if each.frequency is not None]
    assert {key for each in said for key in each.source.split(";")} <= set(SHIPPED.sources)


@pytest.mark.parametrize("scenario", SHIPPED.scenarios, ids=lambda each: each.id)
def test_what_is_shown_reads_back_to_the_same(scenario: object, tmp_path: Path) -> None:
    """The YAML of `tripoint scenarios show` is a file of scenarios."""
    file = tmp_path / "own.yaml"
    file.write_text(scenario_text(scenario, SHIPPED.sources), encoding="utf-8")  # type: ignore[arg-type]  # parametrised
    assert read_scenarios(file)[0].scenarios == (scenario,)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("scenarios: []\n", "TP1012", 1),
        ("apiVersion: tripoint/v1\nscenarios: []\n", "TP1012", 1),
        ("apiVersion: tripoint/scenarios/v1\nscenarios: []\nextra: 1\n", "TP1101", 3),
        ("- 1\n", "TP1010", 1),
        ("apiVersion: tripoint/scenarios/v1\nscenarios:\n  - {id: x, mode: never}\n", "TP1104", 3),
    ],
)
def test_a_mistake_is_told_at_its_line(text: str, code: str, line: int, tmp_path: Path) -> None:
    """Reading and shape, as in an estate, with the version of this kind of file."""
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EstateError) as caught:
        read_scenarios(file)
    found = [said for said in caught.value.findings if said.code == code]
    assert found
    assert found[0].line == line
    if code == "TP1012":
        assert "tripoint/scenarios/v1" in found[0].hint


def test_a_file_that_is_not_there_says_where_one_comes_from(tmp_path: Path) -> None:
    """The hint names the command that prints one."""
    with pytest.raises(EstateError) as caught:
        read_scenarios(tmp_path / "none.yaml")
    assert "tripoint scenarios show" in caught.value.findings[0].hint


def test_ones_own_come_after_the_catalogues(tmp_path: Path) -> None:
    """Ids of the catalogue are taken."""
    file = tmp_path / "own.yaml"
    file.write_text(scenario_text(SHIPPED.scenarios[3], {}).replace("id: site-loss", "id: flood"), encoding="utf-8")
    assert [each.id for each in load_scenarios(read_scenarios, file)][-2:] == ["absent-approver", "flood"]
    file.write_text(scenario_text(SHIPPED.scenarios[3], {}), encoding="utf-8")
    with pytest.raises(EstateError, match="TP1215"):
        load_scenarios(read_scenarios, file)
