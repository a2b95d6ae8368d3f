"""Load scenarios: the catalogue's and one's own, with every mistake told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tripoint.domain.errors import EstateError, Severity
from tripoint.domain.scenario import Scenario, ScenarioFile
from tripoint.domain.source import Positions
from tripoint.engines.stress.scenarios.checks import check_scenarios
from tripoint.usecases.load import ordered


class ScenarioReader(Protocol):
    """Reads a file or folder of scenarios, or those shipped; raises `EstateError` with every finding of reading."""

    def __call__(self, path: str | Path | None = None) -> tuple[ScenarioFile, Positions]:
        """The scenarios, and where everything stands."""
        ...


def load_scenarios(read: ScenarioReader, path: str | Path | None = None) -> tuple[Scenario, ...]:
    """The catalogue's scenarios, then one's own from `path`; raises `EstateError` on any error."""
    shipped, _ = read()
    if path is None:
        return shipped.scenarios
    own, positions = read(path)
    taken = {scenario.id for scenario in shipped.scenarios}
    findings = ordered(positions.locate(said) for said in check_scenarios(own.scenarios, taken))
    if any(said.severity is Severity.ERROR for said in findings):
        raise EstateError(findings)
    return (*shipped.scenarios, *own.scenarios)
