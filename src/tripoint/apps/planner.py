"""The wiring of the planner's solver and files; a part of `wiring`.

Everything is imported inside the functions, as there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tripoint.domain.outlook import Outlook
    from tripoint.domain.source import Positions
    from tripoint.ports import MilpSolver
    from tripoint.usecases.jobs import JobSheet


def solver() -> MilpSolver:
    """What programs are solved with."""
    from tripoint.adapters.solver_highs import HighsSolver

    return HighsSolver()


def read_outlooks(path: str | Path | None) -> tuple[tuple[Outlook, ...], Positions]:
    """The outlooks of a file and where they stand, none without a file; raises `EstateError` with every finding."""
    from tripoint.adapters.outlooks_yaml import read_outlooks as read
    from tripoint.domain.source import Positions

    return read(Path(path)) if path else ((), Positions())


def read_jobs(path: str | Path) -> JobSheet:
    """The jobs of a file or folder; raises `EstateError` with every finding where too little can be read."""
    from tripoint.adapters.jobs_yaml import read_jobs as read
    from tripoint.usecases.jobs import JobSheet

    return JobSheet(*read(Path(path)))


def jobs_schema() -> dict[str, Any]:
    """JSON Schema of files of jobs."""
    from tripoint.adapters.jobs_yaml import jobs_schema as schema

    return schema()
