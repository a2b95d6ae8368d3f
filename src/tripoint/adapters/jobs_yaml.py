"""Jobs as YAML, read like an estate is, with every mistake told at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tripoint.adapters.estate_yaml.decode import decode_document
from tripoint.adapters.estate_yaml.document import Sort, read_document
from tripoint.adapters.estate_yaml.schema import schema_of
from tripoint.domain.errors import EstateError
from tripoint.domain.job import JOBS_VERSION, JobFile
from tripoint.domain.source import Positions

_SORT = Sort("a file of jobs", JOBS_VERSION, "the guide on jobs shows one to start from")


def read_jobs(path: Path) -> tuple[JobFile, Positions]:
    """The jobs of a file or folder, and where everything stands.

    Raises `EstateError` with every finding of reading and shape.
    """
    document = read_document(path, _SORT)
    read = decode_document(document, JobFile)
    if read is None:
        raise EstateError(tuple(document.findings))
    return read, document.positions


def jobs_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of jobs, with every field's description, for editors."""
    return schema_of(JobFile, "urn:tripoint:jobs:v1", "tripoint jobs")
