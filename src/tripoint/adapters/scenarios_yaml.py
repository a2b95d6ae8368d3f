"""Scenarios as YAML: the catalogue's and one's own, read like an estate is, with every mistake told at its place."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from tripoint.adapters.capacity_traces import located, read_capacity_traces
from tripoint.adapters.estate_yaml.decode import decode_document
from tripoint.adapters.estate_yaml.document import Sort, read_document
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.findings import finding
from tripoint.domain.scenario import SCENARIOS_VERSION, CapacityTrace, ScenarioFile
from tripoint.domain.source import Positions

_SORT = Sort("a file of scenarios", SCENARIOS_VERSION, "`tripoint scenarios show ID` prints one to start from")

_TRACE = (
    'write `{"metadata": {"gap_seconds": 600}, "data": [1, 1, 0]}`, beside the scenarios, '
    "or a table with `value` and `gap_seconds`"
)


def read_scenarios(path: str | Path | None = None) -> tuple[ScenarioFile, Positions]:
    """The scenarios of a file or folder, or those shipped with tripoint, and where each value stands.

    Raises `EstateError` with every finding of reading and shape.
    """
    if path is not None:
        return _read(Path(path))
    with as_file(files("tripoint").joinpath("catalogs", "scenarios.yaml")) as shipped:
        return _read(shipped)


def _read(path: Path) -> tuple[ScenarioFile, Positions]:
    document = read_document(path, _SORT)
    read = decode_document(document, ScenarioFile)
    if read is None:
        raise EstateError(tuple(document.findings))
    findings: list[Finding] = []
    read = _traced(read, path if path.is_dir() else path.parent, findings)
    if findings:
        raise EstateError(tuple(document.positions.locate(said) for said in findings))
    return read, document.positions


def _traced(read: ScenarioFile, folder: Path, findings: list[Finding]) -> ScenarioFile:
    """The scenarios with the traces they name; what cannot be read is told."""
    found = []
    for index, scenario in enumerate(read.scenarios):
        strikes = []
        for number, strike in enumerate(scenario.strikes):
            if strike.trace:
                try:
                    strike = replace(strike, traces=_traces(folder, strike.trace))
                except (OSError, ValueError, RecursionError) as error:
                    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                    path = f"scenarios[{index}].strikes[{number}].trace"
                    findings.append(finding("TP1804", path, f"`{strike.trace}` cannot be used: {reason}", _TRACE))
            strikes.append(strike)
        found.append(replace(scenario, strikes=tuple(strikes)))
    return replace(read, scenarios=tuple(found))


def _traces(folder: Path, said: str) -> tuple[CapacityTrace, ...]:
    """What is left over time, of every series wanted; a name of no file beside it may be that of the example."""
    path, wanted = located(folder, said)
    shipped = files("tripoint").joinpath("catalogs", path.name)
    if path.parent == folder and not path.exists() and shipped.is_file():
        with as_file(shipped) as example:
            return read_capacity_traces(example, wanted)
    file = path.resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ValueError("it lies outside the folder of the scenarios")
    return read_capacity_traces(file, wanted)
