"""Load an estate: read it, then ask whether it makes sense. All mistakes are told at once.

loaded = load_estate("estate.yaml", catalog, read=load_estate_file)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.source import LoadedEstate
from tripoint.engines.checks import check_estate, check_profiles
from tripoint.engines.checks.policy import check_policies
from tripoint.engines.checks.serving.reach import check_reach

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


class EstateReader(Protocol):
    """Reads files into an estate; raises `EstateError` with every finding of reading and shape."""

    def __call__(self, path: str | Path) -> LoadedEstate:
        """The estate at `path`, a file or a folder."""
        ...


def load_estate(path: str | Path, catalog: Catalog, read: EstateReader) -> LoadedEstate:
    """A checked estate whose findings are warnings and notes only; raises `EstateError` on any error."""
    loaded = check(_read(path, read), catalog)
    if any(said.severity is Severity.ERROR for said in loaded.findings):
        raise EstateError(loaded.findings)
    return loaded


def check(loaded: LoadedEstate, catalog: Catalog) -> LoadedEstate:
    """The same estate with the findings of every check, located and in order; raises nothing."""
    estate = loaded.estate
    findings = [*loaded.findings, *check_estate(estate, catalog), *check_profiles(estate, loaded.profiles)]
    if not any(said.severity is Severity.ERROR for said in findings):
        findings += [*check_policies(estate, catalog), *check_reach(estate, catalog)]
    return replace(loaded, findings=ordered(loaded.positions.locate(said) for said in findings))


def _read(path: str | Path, read: EstateReader) -> LoadedEstate:
    try:
        return read(path)
    except EstateError as error:
        raise EstateError(ordered(error.findings)) from None


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then in the order of the files; the same finding is told once."""
    unique = dict.fromkeys(findings)
    return tuple(
        sorted(
            unique,
            key=lambda said: (_ORDER.index(said.severity), said.file, said.line, said.column, said.code),
        )
    )
