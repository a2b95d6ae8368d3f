"""Jobs as YAML, read like an estate is, with every mistake told at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tripoint.adapters.estate_yaml.decode import decode_document
from tripoint.adapters.estate_yaml.document import Sort, read_document
from tripoint.adapters.estate_yaml.schema import schema_of
from tripoint.adapters.estate_yaml.stand_in import read_about
from tripoint.domain.errors import EstateError, Finding
from tripoint.domain.job import JOBS_VERSION, JobFile
from tripoint.domain.source import Positions

_SORT = Sort("a file of jobs", JOBS_VERSION, "the guide on jobs shows one to start from")


def read_jobs(path: Path) -> tuple[JobFile, Positions, tuple[Finding, ...]]:
    """The jobs of a file or folder, where everything stands, and what is wrong in form, stand-ins in its place.

    Raises `EstateError` with every finding where too little can be read to ask whether it makes sense.
    """
    document = read_document(path, _SORT)
    read = decode_document(document, JobFile) or read_about(document, JobFile)
    if read is None:
        raise EstateError(tuple(document.findings))
    return read, document.positions, tuple(document.findings)


def jobs_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of jobs, with every field's description, for editors."""
    return schema_of(JobFile, "urn:tripoint:jobs:v1", "tripoint jobs")
