"""Scenarios as YAML: the catalogue's and one's own, read like an estate is, with every mistake told at its place."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from tripoint.adapters.estate_yaml.decode import decode
from tripoint.adapters.estate_yaml.document import Sort, read_document
from tripoint.domain.errors import EstateError
from tripoint.domain.scenario import SCENARIOS_VERSION, ScenarioFile
from tripoint.domain.source import Positions

_SORT = Sort("a file of scenarios", SCENARIOS_VERSION, "`tripoint scenarios show ID` prints one to start from")


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
    positions = document.positions
    if document.value or not document.findings:
        read, findings = decode(document.value, ScenarioFile)
        for said in findings:
            place = positions.of_key(said.path) if said.code == "TP1101" else None
            document.findings.append(place.mark(said) if place else positions.locate(said))
        if read is not None and not document.findings:
            return read, positions
    raise EstateError(tuple(document.findings))
