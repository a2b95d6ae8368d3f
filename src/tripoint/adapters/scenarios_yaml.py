"""Scenarios as YAML: the catalogue's and one's own, read like an estate is, with every mistake told at its place."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from tripoint.adapters.estate_yaml.decode import decode_document
from tripoint.adapters.estate_yaml.document import Sort, read_document
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.findings import finding
from tripoint.domain.scenario import SCENARIOS_VERSION, ScenarioFile
from tripoint.domain.source import Positions

_SORT = Sort("a file of scenarios", SCENARIOS_VERSION, "`tripoint scenarios show ID` prints one to start from")

_MAX_TRACE_BYTES = 5_000_000
_TRACE = 'write `{"metadata": {"gap_seconds": 600}, "data": [1, 1, 0]}`, beside the scenarios'


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
                    left, step = _trace(folder, strike.trace)
                    strike = replace(strike, left=left, step_minutes=step)
                except (OSError, ValueError, RecursionError) as error:
                    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                    path = f"scenarios[{index}].strikes[{number}].trace"
                    findings.append(finding("TP1804", path, f"`{strike.trace}` cannot be used: {reason}", _TRACE))
            strikes.append(strike)
        found.append(replace(scenario, strikes=tuple(strikes)))
    return replace(read, scenarios=tuple(found))


def _trace(folder: Path, name: str) -> tuple[tuple[float, ...], float]:
    """What is left, as a share of the most there was, and the length of a step in minutes."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise ValueError("it lies outside the folder of the scenarios")
    if file.stat().st_size > _MAX_TRACE_BYTES:
        raise ValueError(f"it is larger than {_MAX_TRACE_BYTES / 1e6:g} MB")
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("metadata"), dict):
        raise ValueError("it expects a mapping with `metadata` and `data`")
    gap, steps = content["metadata"].get("gap_seconds"), content.get("data")
    if not _is_amount(gap) or not gap or not isinstance(steps, list) or not steps or not all(map(_is_amount, steps)):
        raise ValueError("it expects `metadata.gap_seconds` above 0 and `data`, a list of numbers of 0 and more")
    most = max(steps)
    if not most:
        raise ValueError("there never was any capacity in it")
    return tuple(float(step / most) for step in steps), gap / 60.0


def _is_amount(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
