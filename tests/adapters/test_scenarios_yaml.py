"""Files of scenarios: what ships is read, what is shown reads back, mistakes are told at their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.factories.tried import FRAGILE, tried

from tripoint.adapters.scenarios_yaml import read_scenarios
from tripoint.apps.render.stress.catalogue import scenario_text
from tripoint.domain.errors import EstateError
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.resolve import faults_of
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


WAVE = """
apiVersion: tripoint/scenarios/v1
scenarios:
  - id: real-wave
    number: 9
    title: Spot nodes come and go
    disruption: node
    mode: hours
    minutes: 600
    magnitudes: []
    strikes: [{kind: capacity, hits: "pool:spot", pick: all, at: 60, trace: zone.json}]
"""


def test_a_trace_of_spot_capacity_is_followed_from_anywhere_in_it(tmp_path: Path) -> None:
    """Counts become shares of the most; a trial's faults are the trace's stretches below all of it, wrapped around."""
    (tmp_path / "own.yaml").write_text(WAVE, encoding="utf-8")
    steps = [4, 4, 2, 2, 2, 0, 4, 3]
    (tmp_path / "zone.json").write_text(json.dumps({"metadata": {"gap_seconds": 600}, "data": steps}), encoding="utf-8")
    (scenario,) = read_scenarios(tmp_path / "own.yaml")[0].scenarios
    (strike,) = scenario.strikes
    (trace,) = strike.traces
    assert (trace.seconds, trace.left) == ((1200.0, 1800.0, 600.0, 600.0, 600.0), (1.0, 0.5, 0.0, 1.0, 0.75))
    starts = set()
    for trial in range(40):
        faults = faults_of(scenario, {}, tried(FRAGILE).ground, Streams(3, trial))
        assert {fault.on for fault in faults} == {("market/g6.12xlarge:spot",)}
        at = [3600.0 + 60.0 * (minute + 0.5) for minute in range(540)]
        left = [next((each.size for each in faults if each.at_s <= now < each.until_s), 1.0) for now in at]
        follows = [
            begin
            for begin in range(80)
            if sum(left[n] != steps[(begin + n) % 80 // 10] / 4 for n in range(540)) <= len(faults) * 2
        ]
        assert follows
        starts.add(follows[0] // 10)
    assert len(starts) == 8


NO_TRACES = (
    "[]",
    "{",
    '{"metadata": {"gap_seconds": 0}, "data": [1]}',
    '{"metadata": {"gap_seconds": 60}, "data": [0]}',
    '{"metadata": {"gap_seconds": 60}, "data": [true]}',
)


@pytest.mark.parametrize("text", NO_TRACES)
def test_a_trace_that_is_none_is_told_at_the_strike(text: str, tmp_path: Path) -> None:
    """With the form that is read."""
    (tmp_path / "own.yaml").write_text(WAVE, encoding="utf-8")
    (tmp_path / "zone.json").write_text(text, encoding="utf-8")
    with pytest.raises(EstateError) as caught:
        read_scenarios(tmp_path / "own.yaml")
    (said,) = caught.value.findings
    assert (said.code, said.line) == ("TP1804", 11)
    assert "gap_seconds" in said.hint


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    """A scenario file is shared like an estate."""
    (tmp_path / "own.yaml").write_text(WAVE.replace("zone.json", "../zone.json"), encoding="utf-8")
    with pytest.raises(EstateError, match="outside the folder"):
        read_scenarios(tmp_path / "own.yaml")
